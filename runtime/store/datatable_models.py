# ruff: noqa: DJ001, DJ008
# As in `models.py`, which these rows belong to.
"""The rows of data tables: what workflows and people keep here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from runtime.engine.ids import uuid7


class DataTable(models.Model):
    """A table. `columns`: JSON list of {id, name, type, required, key}; `next_column`: the number of the next one.

    `removed_at`: it is gone since then, and its rows are being removed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    name = models.CharField(max_length=100)
    name_folded = models.CharField(max_length=300)
    columns = models.TextField()
    next_column = models.PositiveIntegerField(default=1)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.BigIntegerField()
    created_by = models.UUIDField(null=True)
    changed_at = models.BigIntegerField()
    changed_by = models.UUIDField(null=True)
    removed_at = models.BigIntegerField(null=True)
    removed_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "name_folded"], condition=Q(removed_at=None), name="datatable_name_once"
            ),
        ]


class DataRow(models.Model):
    """A row. `cells`: JSON object of values by column id; `sought`: the same as text that sorts and compares like the
    values (`datatable_values`); `key_digest`: of the values of the key columns, where the table has some.

    `by`: who made the last change, `user:<id>` or `run:<id>`. `stamp`: of the state the row is in; another one has
    another. What is put back has the stamp back that it had.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    table_id = models.UUIDField()
    cells = models.TextField()
    sought = models.TextField()
    key_digest = models.CharField(max_length=64, null=True)
    stamp = models.UUIDField()
    created_at = models.BigIntegerField()
    changed_at = models.BigIntegerField()
    by = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["table_id", "key_digest"], condition=Q(key_digest__isnull=False), name="datarow_key_once"
            ),
        ]
        indexes = [models.Index(fields=["table_id", "id"], name="datarow_of_table")]


class DataChange(models.Model):
    """A change that was made under a key, written with the change itself: the same key is the same change.

    `what`: added, changed, deleted and so on, or `never`: an undo came before the change, which is not to come then.
    `before`, `after`: the row's cells (NULL: not there), and its stamps then; `amount`: what was added to `column`.
    `undone_by`: the key of the step that took it back. `counts`: of a page of an import, what became of its rows.
    """

    workspace_id = models.UUIDField()
    key = models.CharField(max_length=160)
    pk = models.CompositePrimaryKey("workspace_id", "key")
    table_id = models.UUIDField(null=True)
    row_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    node_id = models.CharField(max_length=64, null=True)
    generation = models.PositiveIntegerField(default=1)
    what = models.CharField(max_length=16)
    before = models.TextField(null=True)
    after = models.TextField(null=True)
    stamp_before = models.UUIDField(null=True)
    stamp_after = models.UUIDField(null=True)
    row_created_at = models.BigIntegerField(null=True)
    column = models.CharField(max_length=16, null=True)
    amount = models.CharField(max_length=128, null=True)
    counts = models.TextField(null=True)
    made_at = models.BigIntegerField()
    undone_by = models.CharField(max_length=160, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["run_id", "node_id"], condition=Q(run_id__isnull=False), name="datachange_of_step"),
        ]
