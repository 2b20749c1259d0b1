# ruff: noqa: DJ008
# As in `models.py`, which these rows belong to.
"""The rows of batches: what the entries of a list are worth, and what was found when their files were checked."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7


class ItemAmount(models.Model):
    """What one entry of a container's list is worth, and what its run has posted of that.

    Written in the commit that begins its run, and changed in the one that ends it. Amounts are whole numbers of a
    ten-thousandth of the currency's unit, so that databases sum them exactly; NULL where none could be worked out.
    `currency`: upper case; empty where there is none. `posted`: NULL until the run has ended well.
    """

    pk = models.CompositePrimaryKey("run_id", "node_id", "item_index")
    run_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    item_index = models.BigIntegerField()
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=8, default="")
    posted = models.BigIntegerField(null=True)
    posted_currency = models.CharField(max_length=8, default="", db_default="")


class BatchCheck(models.Model):
    """That somebody had the files of a batch compared with its manifest: when, with which, and what was found.

    `sha256`: of the manifest. `checked`: so many files it names. `missing`, `changed`, `extra`: how many of them, and
    `found` names the first of each as JSON. `where`: server | browser.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    run_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    at = models.BigIntegerField()
    by = models.UUIDField(null=True)
    where = models.CharField(max_length=8, default="server")
    sha256 = models.CharField(max_length=64)
    signed = models.BooleanField(default=False)
    checked = models.PositiveIntegerField()
    missing = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    extra = models.PositiveIntegerField(default=0)
    found = models.TextField(default="{}")

    class Meta:
        indexes = [models.Index(fields=["run_id", "node_id", "-id"], name="batchcheck_newest")]
