# ruff: noqa: DJ001, DJ008
# As in `models.py`, which these rows belong to.
"""The rows of waits for links and events, and of what is sent to them."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7


class Signal(models.Model):
    """What was sent to runs that wait: an event under a name and a key, or what came by a link or from a person.

    `output`: what a waiting step gives by it, JSON. An event is committed first and then moves on what waits for it
    (`settled`); whoever begins to wait later looks for those that count already. A test's events reach tests only
    (`mode`). `run_id`: for links and people the run that was meant; for events the run that sent it, if one did.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    kind = models.CharField(max_length=8)
    name = models.CharField(max_length=100, default="")
    key = models.CharField(max_length=200, default="")
    mode = models.CharField(max_length=8, default="live")
    output = models.TextField()
    digest = models.CharField(max_length=64)
    sent_at = models.BigIntegerField()
    sent_by = models.CharField(max_length=64)
    run_id = models.UUIDField(null=True)
    dedupe_key = models.CharField(max_length=255, null=True)
    settled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "dedupe_key"],
                condition=models.Q(dedupe_key__isnull=False),
                name="signal_once_per_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace_id", "name", "key", "sent_at"],
                condition=models.Q(kind="event"),
                name="signal_by_key",
            ),
            models.Index(fields=["sent_at"], condition=models.Q(settled=False), name="signal_unsettled"),
        ]


class SignalWait(models.Model):
    """A step that waits for its link to be used, or for an event: at most one row for each step and generation.

    It is written in the commit that makes the run wait; a link that is used before that leaves it as `resumed` already.
    status: `open` → `resumed` | `late` | `cancelled`, once: of a signal, the time-out and a cancel the first counts
    (I13). `since`: events sent from then on count.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    run = models.ForeignKey(
        "store.Run", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    node_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField()
    kind = models.CharField(max_length=8)
    status = models.CharField(max_length=16, default="open")
    title = models.CharField(max_length=300, default="")
    name = models.CharField(max_length=100, default="")
    key = models.CharField(max_length=200, default="")
    since = models.BigIntegerField()
    due_at = models.BigIntegerField(null=True)
    created_at = models.BigIntegerField()
    closed_at = models.BigIntegerField(null=True)
    signal = models.ForeignKey(Signal, null=True, on_delete=models.PROTECT, related_name="waits")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "node_id", "generation"], name="signalwait_once"),
        ]
        indexes = [
            models.Index(
                fields=["workspace_id", "name", "key"],
                condition=models.Q(status="open", kind="event"),
                name="signalwait_open",
            ),
        ]
