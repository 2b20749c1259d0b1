"""How things stand at this moment: what is due and waits for a worker, what is stuck, who is alive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from runtime.engine.jsonprofile import dumps
from runtime.store.dialect import database_now
from runtime.store.models import Budget, BudgetTurn, HumanTask, Process, Run
from runtime.store.statements import HELD

__all__ = ["ALIVE_MS", "OVERDUE_MS", "Queue", "Stuck", "alive", "due", "open_tasks", "queues", "stuck"]

#: A process that has not signed for this long counts as gone.
ALIVE_MS: Final = 20_000
#: What has been due, or whose lease has been over, for this long is stuck: somebody takes it within 20 seconds.
OVERDUE_MS: Final = 30_000
#: So many of one sort are told apart; what stands still because no worker is alive may be many.
_MOST: Final = 1_000


class Queue(NamedTuple):
    """Runs that are due and free, and since when the first of them has been."""

    size: int
    since: int | None


class Stuck(NamedTuple):
    """A run that stands still, and why: `set_aside`, `lease_over`, `not_taken`, `nobody_can_decide`, or
    `connection_broken`. `waiting`: what is said of it, as JSON."""

    run_id: UUID
    workflow_id: UUID
    reason: str
    since: int
    waiting: str | None


def due(now: int) -> QuerySet[Run]:
    """Runs that the next free worker takes."""
    free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
    return Run.objects.filter(free, wake_at__lte=now, min_engine__lt=HELD, finished_at__isnull=True)


def queues(workspace_id: UUID | None = None, workflow_id: UUID | None = None) -> dict[UUID, Queue]:
    """By workspace, what is due, of one workflow only where it is named; none where nothing is."""
    rows = due(database_now())
    if workspace_id is not None:
        rows = rows.filter(workspace_id=workspace_id)
    if workflow_id is not None:
        rows = rows.filter(workflow_id=workflow_id)
    found = rows.order_by().values_list("workspace_id").annotate(Count("id"), Min("wake_at"))
    return {workspace: Queue(count, since) for workspace, count, since in found}


def open_tasks() -> dict[UUID, int]:
    """By workspace, how many questions are open."""
    rows = HumanTask.objects.filter(status="open").order_by()
    return dict(rows.values_list("workspace_id").annotate(Count("id")))


def alive(now: int) -> QuerySet[Process]:
    """Processes that live, as far as their signs of life tell."""
    return Process.objects.filter(stopped_at__isnull=True, seen_at__gt=now - ALIVE_MS)


def stuck(workspace_id: UUID) -> list[Stuck]:
    """Runs that stand still though nobody means them to, the longest first; at most a thousand of each sort."""
    return sorted(_stuck(workspace_id), key=lambda one: (one.since, one.run_id))


def _stuck(workspace_id: UUID) -> Iterator[Stuck]:
    now = database_now()
    here = Run.objects.filter(workspace_id=workspace_id)
    columns: Any = ("id", "workflow_id", "accepted_at", "waiting", "wake_at", "lease_expires_at")
    for row in here.filter(status="parked").values(*columns)[:_MOST]:
        yield Stuck(row["id"], row["workflow_id"], "set_aside", row["accepted_at"], row["waiting"])
    late = due(now).filter(workspace_id=workspace_id, wake_at__lt=now - OVERDUE_MS)
    late = late.exclude(lease_expires_at__gte=now - OVERDUE_MS).order_by("wake_at")
    for row in late.values(*columns)[:_MOST]:
        reason = "not_taken" if row["lease_expires_at"] is None else "lease_over"
        yield Stuck(row["id"], row["workflow_id"], reason, row["wake_at"] or now, row["waiting"])
    stranded = HumanTask.objects.filter(workspace_id=workspace_id, status="open", stranded_at__isnull=False)
    for task in stranded.values("run_id", "workflow_id", "stranded_at")[:_MOST]:
        yield Stuck(task["run_id"], task["workflow_id"], "nobody_can_decide", task["stranded_at"] or now, None)
    for budget in Budget.objects.filter(workspace_id=workspace_id, broken_at__isnull=False):
        said = dumps({"text": f"“{budget.name}”: {budget.broken_reason}"})
        turns = BudgetTurn.objects.filter(connection_id=budget.pk, state="waits", place=0)
        for run_id, workflow_id in turns.values_list("run_id", "workflow_id").distinct()[:_MOST]:
            yield Stuck(run_id, workflow_id, "connection_broken", budget.broken_at or now, said)
