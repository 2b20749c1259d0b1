"""Undoing afterwards what a run did: a plan first, then exactly that plan (I25).

An ended run is opened once more, in a further generation that only undoes: its steps stand as they are, and the engine
carries out their undo steps, the last one first. What was undone before stays undone; an undo that did not end well is
carried out again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final
from uuid import UUID

from runtime import queue
from runtime.api.runs import run as one_run
from runtime.contracts import PlanOutdated, RetryRefused, RunView, UndoPlan
from runtime.engine.replay import Known
from runtime.interpreter.own_plans import undo_counts
from runtime.interpreter.undo_plans import carry_out, look

__all__ = ["undo", "undo_plan"]

#: What is carried out.
_CARRIED_OUT: Final = ("undo", "again")


def undo_plan(*, workspace_id: UUID, run_id: UUID) -> UndoPlan:
    """What undoing this run would do; of a run that is not over, what a cancel with undo would. Raises NotFound."""
    found = look(workspace_id, run_id)
    items, digest = undo_counts(found)
    lines = [replace(line, items=items[line.node]) if line.node in items else line for line in found.lines]
    return UndoPlan(found.id(digest), run_id, found.generation, found.problem is None, lines)


def undo(
    *,
    workspace_id: UUID,
    run_id: UUID,
    plan: str,
    reason: str,
    repeats: Collection[str] = (),
    by: UUID | None = None,
) -> RunView:
    """Undo what an ended run did, by the plan with this id. `repeats`: undo steps (node ids) that may happen a second
    time.

    Raises NotFound, NotUndoable, PlanOutdated, RetryRefused.
    """
    found = look(workspace_id, run_id)
    if found.problem is not None:
        raise found.problem
    if found.id(undo_counts(found)[1]) != plan:
        raise PlanOutdated("The run has changed since this plan was made. Look at the new plan.")
    doubtful = {
        line.undo_node: f"“{line.undo_name}” may have happened already and would be sent again. Say that it may."
        for line in found.lines
        if line.undo_node is not None and line.fate == "again" and line.why == Known.IN_DOUBT
    }
    if refused := {node: text for node, text in doubtful.items() if node not in repeats}:
        raise RetryRefused(refused)
    carry_out(found, who="api" if by is None else f"user:{by}", reason=reason, point="run.undo")
    queue.ring([run_id])
    return one_run(workspace_id=workspace_id, run_id=run_id)
