"""Asking runs to stop, which those who hold them honour at their next commit."""

from __future__ import annotations

from django.db.models import QuerySet

from runtime.store.models import Run
from runtime.store.pauses import wake_up
from runtime.store.trail import said

__all__ = ["ask_to_cancel"]


def ask_to_cancel(runs: QuerySet[Run], *, by: str, now: int, undo: bool = False) -> int:
    """Ask those of these runs that are open, not being undone, and were not asked so before; how many. `undo`: what
    they did is to be undone. The caller holds the transaction.

    Whoever holds a run sees the request at its next commit; otherwise it is due now, also when it was set aside, paused
    or held.
    """
    wake_up(runs, now)
    open_runs = runs.filter(finished_at__isnull=True)
    change = said("cancel", by, undo=undo)
    # Undoing that was set aside, since its workers died over it, is taken up again.
    aside = open_runs.filter(status="compensating", wake_at__isnull=True, lease_expires_at__isnull=True)
    count = aside.update(wake_at=now, claims=0, change=said("resume", by))
    forward = open_runs.exclude(status="compensating")
    if undo:
        # Who asked before did not ask for undo.
        asked = forward.filter(cancel_requested_at__isnull=False, cancel_undo=False)
        count += asked.update(cancel_undo=True, wake_at=now, claims=0, change=change)
    fresh = forward.filter(cancel_requested_at__isnull=True)
    return count + fresh.update(
        cancel_requested_at=now, cancelled_by=by, cancel_undo=undo, wake_at=now, claims=0, change=change
    )
