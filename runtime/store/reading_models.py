# ruff: noqa: DJ008
# As in `models.py`, which these rows belong to.
"""The rows of lists that a step reads page by page."""

from __future__ import annotations

from django.db import models


class Reading(models.Model):
    """How far a step has read: in whichever generation of the run, so that a retry goes on where the reading stopped.

    `state`: what was read and has no run yet, and where to go on; JSON, by reference where it is large. Written in the
    commit that begins the first runs of a page. `total`: how many entries there will be, where that is known.
    `skipped`: how many came twice and were passed over.
    """

    pk = models.CompositePrimaryKey("run_id", "node_id")
    run_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    state = models.TextField()
    total = models.BigIntegerField(null=True)
    skipped = models.BigIntegerField(default=0, db_default=0)


class ItemKey(models.Model):
    """By what an entry is known again: one that comes a second time begins no second run. `key`: its digest.
    `workflow_id`, `item_index`: whose entry it was and which, so that later runs know it too; NULL in older rows."""

    pk = models.CompositePrimaryKey("run_id", "node_id", "key")
    run_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    key = models.CharField(max_length=64)
    workflow_id = models.UUIDField(null=True)
    item_index = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["workflow_id", "node_id", "key"],
                condition=models.Q(workflow_id__isnull=False),
                name="itemkey_of_workflow",
            ),
        ]


class PassedOver(models.Model):
    """An entry that began no run: it came twice, or an earlier run had done it (`done_by`, `done_at`). `number`: from
    0, in their order. `place`: where people find it, such as "row 12"; `key`: by what it was known, for people."""

    pk = models.CompositePrimaryKey("run_id", "node_id", "number")
    run_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    number = models.BigIntegerField()
    place = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    done_by = models.UUIDField(null=True)
    done_at = models.BigIntegerField(null=True)
