"""Letting a step that is tried again later be tried at once: its due time moves, and nothing else of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from runtime.store.beside import unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Run, StepRun, Timer
from runtime.store.pauses import due_unless_stopped
from runtime.store.statements import HELD
from runtime.store.trail import as_said, said

__all__ = ["Due", "Hurried", "overdue", "try_now"]

#: What became of it: `hurried` · `again` (it was due already) · `begun` (another try, or none any more) · `missing` ·
#: `ended` (the run has, or is about to) · `stopped` (the run is paused or held).
Hurried = Literal["hurried", "again", "begun", "missing", "ended", "stopped"]


class Due(NamedTuple):
    """A step whose next try is due by its row, whatever whoever drives its run has in mind."""

    run_id: UUID
    node_id: str
    generation: int
    attempt: int


def try_now(*, workspace_id: UUID, run_id: UUID, node_id: str, attempt: int, by: str) -> Hurried:
    """End the wait before the try that follows `attempt`, and only that one. Nothing is written unless the answer is
    `hurried`."""
    with commit("wait.resume"):
        now = database_now()
        # The run first, as whoever advances it does: of the two the later one sees what the other has written.
        run = Run.objects.select_for_update().filter(pk=run_id, workspace_id=workspace_id).first()
        step = None if run is None else _step(run, node_id)
        found = _standing(run, step, attempt, now)
        if found != "hurried" or run is None or step is None:
            unchanged()
            return found
        step.due_at = now
        mine = {"run_id": run_id, "node_id": node_id, "generation": run.generation}
        StepRun.objects.filter(**mine).update(due_at=now)
        Timer.objects.filter(**mine, kind="retry").update(due_at=now)
        change = said("try_now", by, steps=[as_said(step)])
        Run.objects.filter(pk=run_id).update(wake_at=due_unless_stopped(now), claims=0, change=change)
        return "hurried"


def overdue(run_ids: Sequence[UUID]) -> list[Due]:
    """Of these runs, which are driven somewhere: steps whose next try is due."""
    if not run_ids:
        return []
    rows = StepRun.objects.filter(run_id__in=run_ids, status="retrying", due_at__lte=database_now())
    return [Due(*row) for row in rows.values_list("run_id", "node_id", "generation", "attempt")]


def _step(run: Run, node_id: str) -> StepRun | None:
    return StepRun.objects.filter(run_id=run.pk, node_id=node_id, generation=run.generation).first()


def _standing(run: Run | None, step: StepRun | None, attempt: int, now: int) -> Hurried:
    if run is None or step is None:
        return "missing"
    if run.finished_at is not None or run.cancel_requested_at is not None:
        return "ended"
    if step.status != "retrying" or step.attempt != attempt or step.due_at is None:
        return "begun"
    if run.min_engine >= HELD:
        return "stopped"
    return "again" if step.due_at <= now else "hurried"
