"""Events that wait for their run: a schedule's start behind an earlier one, or one of a past time."""

from __future__ import annotations

from typing import Final

from django.db.models import CharField, Func, QuerySet

from runtime.store.models import Event

__all__ = ["leave_out", "queued"]

#: The word itself and no parameter: only then does SQLite see that an index holds just those events.
_QUEUED: Final = Func(template="'queued'", output_field=CharField())


def queued() -> QuerySet[Event]:
    """Those that wait, by the small index that holds only them."""
    return Event.objects.filter(verdict=_QUEUED)


def leave_out(waiting: QuerySet[Event], reason: str) -> None:
    """Let these no longer wait, for this reason. One whose run was cancelled before it began keeps that run, as before
    it was asked for again: somebody may go on with it. Within the caller's transaction."""
    waiting = waiting.order_by()
    waiting.filter(run_id__isnull=False).update(verdict="accepted", reason=None)
    waiting.update(verdict="skipped", reason=reason)
