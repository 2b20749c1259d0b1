"""Connections that are broken: whether what calls by them waits, what waits, and that they are repaired."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from runtime.contracts.budgets import ConnectionState
from runtime.interpreter.waiting import iso
from runtime.store import budgets as store
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Budget, BudgetTurn

__all__ = ["connection_repaired", "connection_states", "forget_connection", "pause_if_broken"]


def pause_if_broken(*, workspace_id: UUID, connection_id: UUID, name: str, pauses: bool) -> bool:
    """Whether runs wait where the other system refuses this connection, in place of failing; whether that is new. It
    holds for every process within two seconds. What waits already goes on where they do no more."""
    with commit("budget.change"):
        row = Budget.objects.select_for_update().filter(pk=connection_id).first()
        if row is None and pauses:
            row = store.locked(connection_id, workspace_id)
        if row is None or row.pauses == pauses:
            unchanged()
            return False
        row.name, row.pauses = name, pauses
        if not pauses:
            _mend(row, database_now())
        row.save()
        return True


def connection_repaired(*, workspace_id: UUID, connection_id: UUID) -> bool:
    """Let what waits for this connection go on; whether it was broken."""
    with commit("budget.change"):
        own = Budget.objects.select_for_update().filter(pk=connection_id, workspace_id=workspace_id)
        row = own.filter(broken_at__isnull=False).first()
        if row is None:
            unchanged()
            return False
        _mend(row, database_now())
        row.save()
        return True


def forget_connection(*, connection_id: UUID) -> None:
    """It is removed: whoever waits for it goes on, and finds that it is gone."""
    with commit("budget.change"):
        row = Budget.objects.select_for_update().filter(pk=connection_id).first()
        if row is not None:
            row.pauses = False
            _mend(row, database_now())
            row.save()


def connection_states(*, workspace_id: UUID) -> dict[UUID, ConnectionState]:
    """The connections that pause, are broken, or were repaired, by connection."""
    told = Q(pauses=True) | Q(broken_at__isnull=False) | Q(repaired_at__isnull=False)
    rows = list(Budget.objects.filter(told, workspace_id=workspace_id))
    broken = [row.pk for row in rows if row.broken_at is not None]
    waiting = store.waiting(broken) if broken else {}
    return {
        row.pk: ConnectionState(
            row.pk, row.name, row.pauses, row.broken_at, row.broken_reason, row.repaired_at,
            waiting.get(row.pk, (0, 0))[0],
        )
        for row in rows
    }  # fmt: skip


def broken_for(*, workspace_id: UUID, workflow_id: UUID) -> list[ConnectionState]:
    """The broken connections for which steps of this workflow wait, with how many of its steps do."""
    rows = list(Budget.objects.filter(workspace_id=workspace_id, broken_at__isnull=False))
    found = []
    for row in rows:
        count = BudgetTurn.objects.filter(
            connection_id=row.pk, workflow_id=workflow_id, state=store.WAITS, place=0
        ).count()
        if count:
            found.append(
                ConnectionState(row.pk, row.name, row.pauses, row.broken_at, row.broken_reason, row.repaired_at, count)
            )
    return found


__all__ += ["broken_for"]


def _mend(row: Budget, now: int) -> None:
    if row.broken_at is not None:
        # From now on only the record of who ended it knows when it broke.
        tell(broken_since=iso(row.broken_at))
        row.broken_at = row.broken_reason = None
        row.repaired_at = now
    if row.next_at is not None:
        row.next_at = now
