# ruff: noqa: DJ001, DJ008
"""The rows of the audit trail, as Django reads them."""

from __future__ import annotations

from django.db import models

__all__ = ["Transition"]


class Transition(models.Model):
    """One change of one run, written by the database itself and never changed (I40): see `store.trail`, which makes
    the table. `token`: the lease under which it happened, `worker`: who held that. `detail`: JSON."""

    pk = models.CompositePrimaryKey("run_id", "number")
    run_id = models.UUIDField()
    number = models.BigIntegerField()
    at = models.BigIntegerField()
    seq = models.BigIntegerField()
    token = models.BigIntegerField()
    worker = models.CharField(max_length=64, null=True)
    generation = models.PositiveIntegerField()
    status_before = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    outcome = models.CharField(max_length=32, null=True)
    cancelled_by = models.CharField(max_length=64, null=True)
    detail = models.TextField(null=True)
    stamp = models.BigIntegerField(null=True)

    class Meta:
        # Emptying the tables, which tests do, passes it over: its rows go with their runs.
        app_label = "store"
        managed = False
        db_table = "store_transition"
