"""Asking runs to stop, which those who hold them honour at their next commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from runtime.store.models import Run
from runtime.store.parts import locked_parts, portions
from runtime.store.pauses import resume_own_runs, wake_up
from runtime.store.trail import said

__all__ = ["ask_to_cancel"]

#: In place of who cancelled it: the run that it is a part of is to end.
_WITH_RUN: Final = "run"


def ask_to_cancel(
    runs: QuerySet[Run], *, by: str, now: int, undo: bool = False, reason: str | None = None
) -> list[UUID]:
    """Ask those of these runs that are open, not being undone, and were not asked so before; and with them their parts,
    so that none begins an effect behind this commit (I28). Which were asked. `undo`: what they did is to be undone,
    which a run sees to for its parts. `reason`: why, for the trail. The caller holds the transaction.

    Whoever holds a run sees the request at its next commit; otherwise it is due now, also when it was set aside, paused
    or held.
    """
    # In the order in which everybody locks rows, so that nobody waits for somebody who waits for him.
    open_runs = runs.filter(finished_at__isnull=True).order_by("pk").select_for_update()
    chosen = list(open_runs.values_list("pk", flat=True))
    resumed = _each(chosen, _take_up_again, by=by, now=now)
    asked = _each(chosen, _ask, by=by, now=now, undo=undo, reason=reason)
    if asked:
        asked += _each(locked_parts(asked), _ask, by=_WITH_RUN, now=now, undo=False, reason=reason)
    # What was paused with a run that goes on goes on too, whatever it does.
    resume_own_runs(sorted({*chosen, *asked}), now=now, who=by)
    return resumed + asked


def _each(run_ids: Sequence[UUID], do: Callable[..., list[UUID]], **options: Any) -> list[UUID]:
    return [one for some in portions(run_ids) for one in do(Run.objects.filter(pk__in=some), **options)]


def _take_up_again(runs: QuerySet[Run], *, by: str, now: int) -> list[UUID]:
    """Undoing that was paused, or set aside since its workers died over it, is taken up again; the latter of which."""
    undone = runs.filter(status="compensating")
    wake_up(undone, now)
    aside = undone.filter(wake_at__isnull=True, lease_expires_at__isnull=True)
    return _changed(aside, wake_at=now, claims=0, change=said("resume", by))


def _ask(runs: QuerySet[Run], *, by: str, now: int, undo: bool, reason: str | None) -> list[UUID]:
    forward = runs.exclude(status="compensating")
    wake_up(forward, now)
    why = {} if reason is None else {"reason": reason}
    change, found = said("cancel", by, undo=undo, **why), []
    if undo:
        # Who asked before did not ask for undo.
        again = forward.filter(cancel_requested_at__isnull=False, cancel_undo=False)
        found = _changed(again, cancel_undo=True, wake_at=now, claims=0, change=change)
    fresh = forward.filter(cancel_requested_at__isnull=True)
    return found + _changed(
        fresh, cancel_requested_at=now, cancelled_by=by, cancel_undo=undo, wake_at=now, claims=0, change=change
    )


def _changed(runs: QuerySet[Run], **values: Any) -> list[UUID]:
    """Of runs whose rows are locked: change these, and say which they are."""
    found = list(runs.values_list("pk", flat=True))
    Run.objects.filter(pk__in=found).update(**values)
    return found
