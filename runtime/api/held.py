"""What is held, for lists and headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count

from runtime.contracts import HoldView
from runtime.engine.jsonprofile import loads_stored
from runtime.store.models import Hold, Run


def holds_of(workspace_id: UUID, workflow_ids: Sequence[UUID]) -> dict[UUID, HoldView]:
    """The holds of these workflows, by workflow; most have none. Two queries, and one for each that is held up."""
    rows = list(Hold.objects.filter(workspace_id=workspace_id, workflow_id__in=list(workflow_ids)))
    if not rows:
        return {}
    found = Run.objects.filter(workflow_id__in=[row.workflow_id for row in rows], held__isnull=False)
    # One that somebody paused before it began is passed by.
    counted = found.filter(finished_at__isnull=True).exclude(held=0, status="accepted", paused_at__isnull=False)
    counts: dict[tuple[UUID, int], int] = {}
    paused: dict[UUID, UUID] = {}
    numbers = counted.values_list("workflow_id", "held").annotate(Count("id"), Count("paused_at"))
    for workflow_id, held, count, stopped in numbers:
        counts[workflow_id, held] = count
        if stopped and not held:
            paused[workflow_id] = (
                counted.filter(workflow_id=workflow_id, held=0, paused_at__isnull=False).earliest("id").pk
            )
    return {row.workflow_id: _view(row, counts, paused.get(row.workflow_id)) for row in rows}


def _view(row: Hold, counts: dict[tuple[UUID, int], int], paused: UUID | None) -> HoldView:
    facts: Any = loads_stored(row.facts)
    return HoldView(
        since=row.since,
        by=row.by,
        cause=row.cause,
        reason=row.reason,
        facts=dict(facts),
        open_runs=row.open_runs,
        mode=row.mode,
        trial_run_id=row.trial_run_id,
        trial=row.trial,
        per_minute=row.per_minute,
        at_once=row.at_once,
        drained_by=row.drained_by,
        drained_from=row.drained_from,
        let_go=row.let_go,
        waiting=counts.get((row.workflow_id, 1), 0),
        under_way=counts.get((row.workflow_id, 0), 0),
        paused_run_id=paused if row.mode == "draining" and row.at_once else None,
    )
