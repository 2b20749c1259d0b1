"""Going on with ended runs that another run has begun, or undoing them: for that run, and by nobody else's decision."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from runtime.contracts import NotRetryable, NotUndoable, PlanOutdated, RetryRefused
from runtime.engine import replay
from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import dumps
from runtime.engine.needs import engine_needed
from runtime.engine.replay import Fate, Known
from runtime.engine.state import RunStatus
from runtime.interpreter import reopening, undo_plans
from runtime.interpreter.generations import open_next
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Replay, Run

#: Who has it done.
BY: Final = "run"


def retry(workspace_id: UUID, run_id: UUID) -> bool:
    """Go on with a run from where it failed. False where a person has to decide something first, or has gone on with
    it meanwhile."""
    try:
        found = reopening.look(workspace_id, run_id, (), None)
    except (NotRetryable, RetryRefused):
        return False
    lines = found.lines()
    if any(line.fate in (Fate.ASKS, Fate.REPEATS) for line in lines):
        return False
    rows = reopening.next_rows(found, lines, {}, {})
    try:
        with commit("child.reopen"):
            now = database_now()
            open_next(
                found.row,
                rows,
                now=now,
                who=BY,
                solution="retried",
                status=(RunStatus.RUNNING if rows else RunStatus.ACCEPTED).value,
                min_engine=max(found.row["min_engine"], replay.NEEDS_ENGINE, engine_needed(found.version.graph)),
                error=None,
            )
            Replay.objects.create(
                run_id=run_id,
                generation=found.generation + 1,
                at=now,
                by=BY,
                from_status=found.row["status"],
                error=found.row["error"],
                version_before_id=found.row["version_id"],
                version_after_id=found.row["version_id"],
                plan=dumps(
                    [
                        {
                            "node": line.node,
                            "fate": line.fate.value,
                            "why": None if line.why is None else line.why.value,
                        }
                        for line in lines
                    ]
                ),
            )
    except PlanOutdated:
        return False
    return True


def undo(workspace_id: UUID, run_id: UUID, container: str) -> Literal["begun", "nothing", "asks"]:
    """Undo what a run did. `asks`: an undo of it may have happened already, which a person has to look at first."""
    found = undo_plans.look(workspace_id, run_id)
    if isinstance(found.problem, NotUndoable):
        return "nothing" if found.problem.code == "nothing_to_undo" and not _stands(found) else "asks"
    if any(line.fate == "again" and line.why == Known.IN_DOUBT for line in found.lines):
        return "asks"
    try:
        undo_plans.carry_out(found, who=BY, reason=f"“{container}” is undone.", point="child.undo")
    except PlanOutdated:
        return "asks"
    return "begun"


def _stands(found: undo_plans.Found) -> bool:
    """Whether something that it did stays done."""
    return any(line.fate == "stays" for line in found.lines)


def graph_of(run_id: UUID) -> Graph:
    """The graph that a run carries out."""
    row = Run.objects.values("id", "version_id", "trigger_node", "workflow_id", "mode").get(pk=run_id)
    return reopening.version_of(row).graph
