# ruff: noqa: DJ008
# As in `models.py`, which these rows belong to.
"""The words that people put on runs."""

from __future__ import annotations

from django.db import models

__all__ = ["RunTag"]


class RunTag(models.Model):
    """One word on one run. `tag`: as it was typed; `folded`: as it is compared. Rows of one word stand in the order of
    their runs, so that the newest are found first. They say nothing to whatever carries the run out."""

    pk = models.CompositePrimaryKey("workspace_id", "folded", "run_id")
    workspace_id = models.UUIDField()
    folded = models.CharField(max_length=200)
    run_id = models.UUIDField()
    tag = models.CharField(max_length=40)
    by = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["run_id"], name="runtag_of_run")]
