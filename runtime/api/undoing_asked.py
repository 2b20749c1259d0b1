"""Undoing a run from the failure that it asks people about.

The run is open: it waits for an answer. Whoever has it undone gives that answer, so the question is over in the commit
that asks the run to stop and to undo what it did (I24, I28); what its other branches have under way finishes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from runtime import queue
from runtime.api.tasks import task
from runtime.api.undoing import undo_plan
from runtime.contracts import (
    NotUndoable,
    PlanOutdated,
    TaskRefused,
    TaskView,
    UndoPlan,
    Voter,
    WhyNoUndo,
)
from runtime.engine.jsonprofile import JSONRefused, loads_stored, normalise
from runtime.engine.replay import Known
from runtime.interpreter.asking import refuse_late, refuse_others
from runtime.interpreter.deciding import in_place_of, refuse_pending, row_of, told_of
from runtime.interpreter.doubt_words import in_doubt
from runtime.interpreter.people import UNDO_RUN
from runtime.interpreter.reopening import run_row
from runtime.store import beside
from runtime.store.cancels import ask_to_cancel
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, HumanVote, PendingAnswer, Run

__all__ = ["asked_undo_plan", "undo_from_question"]

_MOST_RUNG: Final = 100
_LONGEST_REASON: Final = 400
_CARRIED_OUT: Final = ("undo", "again")
_WHY: Final[Mapping[WhyNoUndo, str]] = {
    "no_failure": "Nothing has failed here.",
    "over": "This question is over.",
    "below": "This run is a part of another one. Undo that one.",
    "doubt": "Nobody knows whether this step happened. Say so first.",
    "unsure": "Nobody knows whether an undo step happened. Undo the run on its own page.",
    "nothing": "Nothing of this run is left that an undo step could undo.",
}


def asked_undo_plan(*, workspace_id: UUID, task_id: UUID) -> tuple[UndoPlan, WhyNoUndo | None]:
    """What undoing the run of a failure would do as it stands now, and why it cannot be undone from there; None: it
    can. Raises NotFound."""
    row = row_of(workspace_id, task_id)
    plan = undo_plan(workspace_id=workspace_id, run_id=row.run_id)
    return plan, _why_not(row, plan)


def undo_from_question(*, workspace_id: UUID, task_id: UUID, plan: str, reason: str, voter: Voter) -> TaskView:
    """End the question, and have the run undone, by the plan with this id: both at once.

    Raises NotFound, NotAsked, AlreadyDecided, NotUndoable, PlanOutdated, TaskRefused (`reason`).
    """
    try:
        reason = str(normalise(reason.strip()[:_LONGEST_REASON]))
    except JSONRefused as error:
        raise TaskRefused({"reason": error.message}) from None
    if not reason:
        raise TaskRefused({"reason": "Say why, in a few words."})
    row = row_of(workspace_id, task_id)
    refuse_others(row, voter)
    refuse_late(row, Run.objects.filter(pk=row.run_id).first(), voter, database_now())
    seen = run_row(workspace_id, row.run_id)
    found, why = asked_undo_plan(workspace_id=workspace_id, task_id=task_id)
    if why is not None:
        raise NotUndoable(_WHY[why], code="nothing_to_undo" if why == "nothing" else "not_undoable", why=why)
    if found.id != plan:
        raise _outdated()
    with commit("run.cancel"):
        # In the order in which a driver locks them.
        run = Run.objects.select_for_update().filter(pk=row.run_id).first()
        row = HumanTask.objects.select_for_update().get(pk=task_id)
        now = database_now()
        refuse_late(row, run, voter, now)
        absent = refuse_others(row, voter)[1]
        spec: Any = loads_stored(row.spec)
        refuse_pending(row, spec, voter)
        if run is None or (run.seq, run.generation) != (seen["seq"], seen["generation"]):
            raise _outdated()
        PendingAnswer.objects.filter(task_id=task_id, voter=voter.id).delete()
        HumanVote.objects.create(
            task_id=task_id, voter=voter.id, name=voter.name[:200], at=now, outcome=UNDO_RUN, comment=reason,
            email=voter.email.lower()[:254], via="inbox", admin=False, **in_place_of(absent),
        )  # fmt: skip
        # Not `decided`: the run goes on by no answer. It ends, and whoever comes later is told who had it undone.
        HumanTask.objects.filter(pk=task_id).update(status="cancelled", closed_at=now, outcome=UNDO_RUN)
        asked = ask_to_cancel(
            Run.objects.filter(pk=row.run_id), by=f"user:{voter.id}", now=now, undo=True, reason=reason
        )
        beside.tell(run=str(row.run_id), **told_of(absent))
    queue.ring(asked[:_MOST_RUNG])
    return task(workspace_id=workspace_id, task_id=task_id)


def _why_not(row: HumanTask, plan: UndoPlan) -> WhyNoUndo | None:
    spec: Any = loads_stored(row.spec)
    run = run_row(row.workspace_id, row.run_id)
    turns = [line for line in plan.lines if line.fate in _CARRIED_OUT]
    if row.kind != "exception":
        return "no_failure"
    if row.status != "open" or run["finished_at"] is not None or run["generation"] != row.generation:
        return "over"
    if run["status"] == "compensating" or Run.objects.filter(pk=row.run_id, cancel_requested_at__isnull=False).exists():
        return "over"
    if run["parent_run_id"] is not None:
        return "below"
    if in_doubt(spec):
        return "doubt"
    if any(line.fate == "again" and line.why == Known.IN_DOUBT for line in turns):
        return "unsure"
    return None if turns else "nothing"


def _outdated() -> PlanOutdated:
    return PlanOutdated("The run has changed since this plan was made. Look at the new plan.")
