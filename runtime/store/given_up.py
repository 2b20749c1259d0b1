"""Runs for which nothing is done any more, and which of the dead letters wait for a decision all the same."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.lookups import IsNull

from runtime.store.left_out import IS_LEFT_OUT
from runtime.store.models import Run
from runtime.store.reads import UNDO_INCOMPLETE

__all__ = ["given_up", "letter_waits"]

#: A run that was taken back or given up: nothing is done for it any more, unless it is gone on with itself.
_GIVEN_UP: Final = frozenset({"compensating", "compensated", "cancelled"})
#: So many runs around a failed one are asked whether they were given up: each is a look into an index.
_LEVELS: Final = 4


def given_up(levels: int) -> Q:
    """Of a run: that it was undone, cancelled or left out, or one of so many around it of which it is a part."""
    found = Q(status__in=_GIVEN_UP) | Q(status="dead_lettered", error__contains=UNDO_INCOMPLETE) | IS_LEFT_OUT
    if levels > 0:
        around = Run.objects.filter(given_up(levels - 1), pk=OuterRef("parent_run_id"))
        found |= Q(Exists(around), detached=False)
    return found


def letter_waits() -> Q:
    """Of a dead letter: that it waits for a decision. Of a part of a run that was undone, cancelled or left out none
    does: of that run they are settled."""
    # A value, not whether there is one: for that a planner might look up all runs that were ever given up beforehand.
    around = Run.objects.filter(given_up(_LEVELS - 1), pk=OuterRef("run__parent_run_id")).values("pk")[:1]
    nobody = Q(IsNull(Subquery(around), True))
    return Q(solved_at__isnull=True) & (Q(run__parent_run_id__isnull=True) | Q(run__detached=True) | nobody)
