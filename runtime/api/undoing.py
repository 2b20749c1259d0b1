"""Undoing afterwards what a run did: a plan first, then exactly that plan (I25).

An ended run is opened once more, in a further generation that only undoes: its steps stand as they are, and the engine
carries out their undo steps, the last one first. What was undone before stays undone; an undo that did not end well is
carried out again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from runtime import queue
from runtime.api.runs import run as one_run
from runtime.contracts import PlanOutdated, RetryRefused, RunView, UndoDecision, UndoPlan
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
    decisions: Mapping[str, UndoDecision] | None = None,
    by: UUID | None = None,
) -> RunView:
    """Undo what an ended run did, by the plan with this id. `repeats`: undo steps (node ids) that may happen a second
    time. `decisions`: what somebody who looked says of undo steps that had no answer: they are not sent again.

    Raises NotFound, NotUndoable, PlanOutdated, RetryRefused.
    """
    found, decisions = look(workspace_id, run_id), decisions or {}
    if found.problem is not None:
        raise found.problem
    if found.id(undo_counts(found)[1]) != plan:
        raise PlanOutdated("The run has changed since this plan was made. Look at the new plan.")
    doubtful = {
        line.undo_node: f"“{line.undo_name}” may have happened already and would be sent again. Say that it may."
        for line in found.lines
        if line.undo_node is not None and line.fate == "again" and line.why == Known.IN_DOUBT
    }
    refused = {node: text for node, text in doubtful.items() if node not in repeats and node not in decisions}
    refused |= dict.fromkeys(decisions.keys() - found.unknown(), "What became of this step is known.")
    if refused:
        raise RetryRefused(refused)
    who = "api" if by is None else f"user:{by}"
    carry_out(found, who=who, reason=reason, point="run.undo", decisions=decisions)
    queue.ring([run_id])
    return one_run(workspace_id=workspace_id, run_id=run_id)
