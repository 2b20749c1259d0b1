"""Asking runs to stop, which those who hold them honour at their next commit."""

from __future__ import annotations

from django.db.models import QuerySet

from runtime.store.models import Run

__all__ = ["ask_to_cancel"]


def ask_to_cancel(runs: QuerySet[Run], *, by: str, now: int, undo: bool = False) -> int:
    """Ask those of these runs that are open, not being undone, and were not asked before; how many. `undo`: what they
    did is to be undone. The caller holds the transaction.

    Whoever holds a run sees the request at its next commit; otherwise it is due now, also when it was set aside.
    """
    fresh = runs.filter(finished_at__isnull=True, cancel_requested_at__isnull=True).exclude(status="compensating")
    return fresh.update(cancel_requested_at=now, cancelled_by=by, cancel_undo=undo, wake_at=now, claims=0)
