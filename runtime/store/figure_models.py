# ruff: noqa: DJ001, DJ008
# NULL means "there is none", which an empty text is not; the rows are shown by views, never by str().
"""The rows of figures: what was counted, and how far. See `store.figures`, which writes them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import models

__all__ = ["WHOLE", "Figure", "FigureMark", "Stamped", "StandingFigure", "SystemFigure"]

#: In place of a workflow: all of the workspace together.
WHOLE: Final = UUID(int=0)


class Stamped(models.Model):
    """A row that is counted once. `stamp`: in which transaction it came, as `dialect.STAMP_SQL` numbers them; NULL: it
    is not counted."""

    stamp = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


class FigureMark(models.Model):
    """How far rows were counted: all of those stamped below `upto`. `base`: what is added to the numbers of
    PostgreSQL's transactions, which begin anew where a backup is restored into another server."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    upto = models.BigIntegerField(default=0)
    base = models.BigIntegerField(default=0)


class Figure(models.Model):
    """What happened in one span of time of a workflow, or of the whole workspace (`WHOLE`). `level`: how many seconds
    the span has; `at`: when it begins.

    Runs are counted when they begin and when they end, each generation that ends once; items of lists are not. `took`:
    a sketch of how long runs took that ended well, without the time in which people were waited for, and `took_whole`
    with it; NULL: that is the same. `letters`: new dead letters, those of items too.
    """

    pk = models.CompositePrimaryKey("workspace_id", "level", "workflow_id", "at")
    workspace_id = models.UUIDField()
    level = models.PositiveIntegerField()
    workflow_id = models.UUIDField()
    at = models.BigIntegerField()
    started = models.BigIntegerField(default=0)
    completed = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    cancelled = models.BigIntegerField(default=0)
    undone = models.BigIntegerField(default=0)
    received = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    conflicts = models.BigIntegerField(default=0)
    letters = models.BigIntegerField(default=0)
    took = models.TextField(default="")
    took_whole = models.TextField(null=True)

    class Meta:
        indexes = [models.Index(fields=["level", "at"], name="figure_oldest")]


class SystemFigure(models.Model):
    """How often calls by one connection failed in a span of time. `system`: the connection's id in hex, or, of steps
    without one, the step type."""

    pk = models.CompositePrimaryKey("workspace_id", "level", "at", "system")
    workspace_id = models.UUIDField()
    level = models.PositiveIntegerField()
    at = models.BigIntegerField()
    system = models.CharField(max_length=64)
    errors = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["level", "at"], name="systemfigure_oldest")]


class StandingFigure(models.Model):
    """How things stood in a span of time, at the worst: runs that were due and free (`queue`), how long the first of
    them had waited (`oldest_ms`), open dead letters and open questions."""

    pk = models.CompositePrimaryKey("workspace_id", "level", "at")
    workspace_id = models.UUIDField()
    level = models.PositiveIntegerField()
    at = models.BigIntegerField()
    queue = models.BigIntegerField(default=0)
    oldest_ms = models.BigIntegerField(default=0)
    letters = models.BigIntegerField(default=0)
    tasks = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["level", "at"], name="standingfigure_oldest")]
