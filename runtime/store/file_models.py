# ruff: noqa: DJ001, DJ008
# As in `models.py`, which these rows belong to.
"""The rows of files: what people uploaded and what steps made."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from runtime.engine.ids import uuid7


class File(models.Model):
    """A file of a workspace; its bytes stand in the artifact store under the row's own id (`files`).

    A step's files are written in the commit of its result, so a row never names bytes that are not there, and what a
    killed attempt has saved belongs to no row. `run_id` and `node_id`: of the step that saved it; NULL where a person
    uploaded it, who is `created_by`. Times: milliseconds since the epoch. `removed_at`: its bytes are gone since.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    node_id = models.CharField(max_length=64, null=True)
    generation = models.PositiveIntegerField(default=1, db_default=1)
    name = models.CharField(max_length=255)
    mime = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.BigIntegerField()
    created_by = models.UUIDField(null=True)
    removed_at = models.BigIntegerField(null=True)
    removed_by = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "-id"], name="file_newest"),
            models.Index(fields=["run_id", "-id"], condition=Q(run_id__isnull=False), name="file_of_run"),
        ]
