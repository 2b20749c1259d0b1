"""Going on with ended runs that another run has begun, or undoing them: for that run, and by nobody else's decision."""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID

from runtime.contracts import NotRetryable, NotUndoable, PlanOutdated, RetryRefused
from runtime.engine import replay
from runtime.engine.graph import Graph
from runtime.engine.replay import Fate, Known
from runtime.interpreter import reopening, undo_plans
from runtime.store.commits import commit
from runtime.store.models import Run

#: Who has it done.
BY: Final = "run"


Became = Literal["begun", "asks", "quicker", "stopped"]


def retry(
    workspace_id: UUID, run_id: UUID, parent: UUID, version_id: UUID | None = None, item: str | None = None
) -> Became:
    """Go on with a run from where it failed, on the version that the run around it has (None: on the live one), where
    it fits. `item`: what it is given now.

    `asks`: a person has to decide something first. `quicker`: somebody has gone on with it meanwhile. `stopped`: the
    run around it (`parent`) was cancelled or paused, and begins nothing.
    """
    try:
        found = _look(workspace_id, run_id, version_id)
    except NotRetryable as refused:
        return "quicker" if refused.code in ("still_open", "already_done") else "asks"
    except RetryRefused:
        return "asks"
    lines = found.lines()
    if any(line.fate in (Fate.ASKS, Fate.REPEATS) for line in lines):
        return "asks"
    rows = reopening.next_rows(found, lines, {}, {})
    changes: dict[str, Any] = {} if item is None else {"item": item}
    try:
        with commit("child.reopen"):
            # Locked before the item's row, as by whoever cancels or pauses it.
            goes_on = Run.objects.filter(pk=parent, cancel_requested_at__isnull=True, paused_at__isnull=True)
            if goes_on.select_for_update().values_list("pk").first() is None:
                return "stopped"
            reopening.carry_on(found, lines, rows, who=BY, **changes)
    except PlanOutdated:
        return "quicker"
    return "begun"


def _look(workspace_id: UUID, run_id: UUID, version_id: UUID | None) -> reopening.Found:
    """The run on that version, where it has what was done already; otherwise on its own."""
    row = reopening.run_row(workspace_id, run_id)
    options = reopening.choices(row)
    wanted = options[-1][0] if version_id is None else version_id
    number = next((number for known, number in options if known == wanted), None)
    if number is not None and wanted != row["version_id"]:
        try:
            found = reopening.look(workspace_id, run_id, (), number)
            kept = [line.node for line in found.lines() if line.fate is Fate.KEPT]
            if not replay.incompatible(found.old.graph, found.version.graph, kept):
                return found
        except NotRetryable as refused:
            if refused.code in ("still_open", "already_done"):
                raise
    return reopening.look(workspace_id, run_id, (), None)


def undo(workspace_id: UUID, run_id: UUID, container: str, mark: str) -> Literal["begun", "nothing", "asks"]:
    """Undo what a run did. `asks`: an undo of it may have happened already, which a person has to look at first; or it
    did what nothing undoes. `mark`: by which it is told that this was tried."""
    found = undo_plans.look(workspace_id, run_id)
    if isinstance(found.problem, NotUndoable):
        return "nothing" if found.problem.code == "nothing_to_undo" and not _stands(found) else "asks"
    if any(line.fate == "again" and line.why == Known.IN_DOUBT for line in found.lines):
        return "asks"
    try:
        undo_plans.carry_out(found, who=BY, reason=f"“{container}” is undone.", point="child.undo", by=mark)
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
