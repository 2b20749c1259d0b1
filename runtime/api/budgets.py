"""Rate budgets of connections: set, shown, and gone on with before the other system's pause is over."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Count, QuerySet

from runtime.contracts.budgets import MOST_AT_ONCE, MOST_CALLS, PERIODS, BudgetLimits, BudgetView, TurnsAwaited
from runtime.store import budgets as store
from runtime.store.beside import unchanged
from runtime.store.budget_window import Window
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Budget, BudgetTurn, Run

__all__ = ["budgets", "end_pause", "name_budget", "set_budget", "turns_awaited"]

_BY_LENGTH: Final = {length: period for period, length in PERIODS.items()}


def set_budget(*, workspace_id: UUID, connection_id: UUID, name: str, limits: BudgetLimits | None) -> None:
    """Let at most so many calls go by this connection; None: any number. `name`: what people call it. It holds for
    every process within two seconds; what was called before then counts where it was limited before too. Raises
    ValueError for numbers that make no sense."""
    wanted = limits or BudgetLimits()
    for number, most in ((wanted.calls, MOST_CALLS), (wanted.at_once, MOST_AT_ONCE)):
        if number is not None and not 1 <= number <= most:
            raise ValueError(f"A budget is from 1 to {most}.")
    period = None if wanted.calls is None else PERIODS[wanted.period]
    with commit("budget.change"):
        row = Budget.objects.select_for_update().filter(pk=connection_id).first()
        now = database_now()
        if row is None:
            if limits is None:
                unchanged()
                return
            row = store.locked(connection_id, workspace_id)
        window = store.window_of(row)
        row.name, row.calls, row.period_ms, row.at_once = name, wanted.calls, period, wanted.at_once
        kept = None if window is None or period is None else window.moved_to(wanted.calls or 0, period, now)
        row.used = "" if kept is None else kept.text()
        row.changed_at = now
        # Those that wait may go now.
        row.next_at = now if row.next_at is not None else None
        row.save()


def name_budget(*, connection_id: UUID, name: str) -> None:
    """The connection is called otherwise now."""
    with commit("budget.change"):
        Budget.objects.filter(pk=connection_id).update(name=name)


def end_pause(*, workspace_id: UUID, connection_id: UUID) -> bool:
    """Go on before the time that the other system has asked for; whether there was a pause."""
    with commit("budget.change"):
        now = database_now()
        paused = Budget.objects.filter(pk=connection_id, workspace_id=workspace_id, paused_until__gt=now)
        waits = paused.filter(next_at__isnull=False).update(paused_until=None, paused_status=None, next_at=now)
        ended = bool(waits) | bool(paused.update(paused_until=None, paused_status=None))
        if not ended:
            unchanged()
        return ended


def budgets(*, workspace_id: UUID) -> dict[UUID, BudgetView]:
    """The budgets of this workspace that limit anything, by connection."""
    now = database_now()
    rows = [row for row in Budget.objects.filter(workspace_id=workspace_id) if row.calls or row.at_once]
    counts = store.waiting(row.pk for row in rows) if rows else {}
    return {row.pk: _view(row, now, *counts.get(row.pk, (0, 0))) for row in rows}


def turns_awaited(runs: QuerySet[Run]) -> tuple[TurnsAwaited, ...]:
    """At which connections these runs wait for their turn, the most first."""
    waits = BudgetTurn.objects.filter(state=store.WAITS, run_id__in=runs.filter(finished_at__isnull=True).values("pk"))
    counts = dict(waits.values("connection_id").annotate(count=Count("id")).values_list("connection_id", "count"))
    if not counts:
        return ()
    now = database_now()
    found = [
        TurnsAwaited(row.pk, row.name, row.calls, row.period_ms, row.at_once, _paused(row, now), counts[row.pk])
        for row in Budget.objects.filter(pk__in=counts)
    ]
    return tuple(sorted(found, key=lambda one: -one.count))


def _paused(row: Budget, now: int) -> int | None:
    return row.paused_until if row.paused_until is not None and row.paused_until > now else None


def _view(row: Budget, now: int, waiting: int, under_way: int) -> BudgetView:
    window: Window | None = store.window_of(row)
    paused = _paused(row, now)
    return BudgetView(
        connection_id=row.pk,
        limits=BudgetLimits(row.calls, _BY_LENGTH.get(row.period_ms or 60_000, "minute"), row.at_once),
        used=0 if window is None else window.used(now) + under_way,
        under_way=under_way,
        waiting=waiting,
        paused_until=paused,
        paused_status=None if paused is None else row.paused_status,
    )
