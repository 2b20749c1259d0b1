# ruff: noqa: DJ001, DJ008
# As in `models.py`, which these rows belong to.
"""The rows of what is done to many runs, one after another: retried, started anew, cancelled."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7


class BulkRetry(models.Model):
    """What somebody has done to many runs one after another: to which, how fast, and when that ends.

    kind: `retry` (dead letters go on from their failed step), `replay` (a new run from the event of each), `cancel`.
    status: `trying` (the first one, alone) → `waiting` (for somebody's word) → `running` → `done`; from each of these
    `stopped` by its rule, or `cancelled` by a person. What was begun is followed to its end in all of them: `closed_at`
    says that nothing is left to follow. `cause`: the group; NULL: chosen runs. `version`: `own` | `published`.
    `versions`: of `published`, JSON, each workflow's live version when this began: with that it goes on, whatever is
    published since; NULL: it began before there was this. `stop_after`: so many that fail again, or need a person, end
    it; NULL: never. `next_at`: before then no further one is begun. `trial`: what came of the first one: `done` |
    `failed` | `asks` | `refused` | `under_way`.

    The counters change in the commits that change the items. `begun` are `done`, `failed`, or under way.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=8, default="retry", db_default="retry")
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField(null=True)
    cause = models.CharField(max_length=32, null=True)
    title = models.CharField(max_length=200, default="")
    at = models.BigIntegerField()
    by = models.UUIDField(null=True)
    reason = models.CharField(max_length=400, default="")
    version = models.CharField(max_length=16, default="own")
    versions = models.TextField(null=True)
    per_minute = models.PositiveIntegerField(null=True)
    stop_after = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=16)
    trial = models.CharField(max_length=16, null=True)
    next_at = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField()
    begun = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    asks = models.PositiveIntegerField(default=0)
    #: So many of the failed and asking ones somebody had seen who said that it goes on.
    forgiven = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    ended_at = models.BigIntegerField(null=True)
    ended_by = models.CharField(max_length=64, null=True)
    closed_at = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "-id"], name="bulkretry_newest"),
            models.Index(fields=["id"], condition=models.Q(closed_at__isnull=True), name="bulkretry_open"),
        ]

    def forget_edits(self) -> None:
        """What was typed for those whose turn does not come is nobody's to keep."""
        rows = BulkRetryItem.objects.filter(bulk_id=self.pk, status="pending", edits__isnull=False)
        rows.update(edits=None)


class BulkRetryItem(models.Model):
    """One of them, by its place in the order.

    status: `pending` → `begun` → `done` | `failed`; or `asks` (its plan needs somebody's word), `refused` (`message`
    says why). `generation`: the one that failed; the one after it is opened in the commit that makes it `begun`.
    `new_run_id`: of a replay, the run that was started. `edits`: JSON, other values for the step that failed, kept
    until its turn has come, or the bulk is over.
    """

    pk = models.CompositePrimaryKey("bulk_id", "place")
    bulk_id = models.UUIDField()
    place = models.PositiveIntegerField()
    run_id = models.UUIDField()
    generation = models.PositiveIntegerField()
    status = models.CharField(max_length=8, default="pending")
    message = models.CharField(max_length=400, default="")
    begun_at = models.BigIntegerField(null=True)
    new_run_id = models.UUIDField(null=True)
    edits = models.TextField(null=True)

    class Meta:
        indexes = [models.Index(fields=["bulk_id", "status", "place"], name="bulkretryitem_by_status")]
