"""Undoing what a run did: the plan, and the undo."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.retries import NodeId, Nodes
from builder.api.task_shapes import TaskDetail, asker, detailed
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import UndoPlan as Plan
from runtime.contracts import WhyNoUndo


class UndoItems(View):
    """What becomes of the runs of one step: undone now · undone before · nothing to undo · somebody looks first
    (`asks`) · nothing undoes them, or a part of them (`stays`) · not over yet. Of so many of these nobody knows whether
    something was undone (`unknown`).
    `left`: steps in them that stay done, by name."""

    total: int
    undo: int
    undone: int
    nothing: int
    asks: int
    stays: int
    open: int
    unknown: int
    left: list[str]


class UndoStep(View):
    """What becomes of one step that did something outside, or may have.

    `fate`: undo (by `undo_node`) · again (its undo did not end well before; `why`: harmless · happened · refused ·
    same_key · in_doubt, which has to be agreed to; of these two somebody may say how they ended) · undone · stays
    (`why`: no_undo_step · switched_off · earlier_go) · nothing. `done_at`: when the call began that this is about.
    """

    node: str
    key: str
    name: str
    type: str
    fate: str
    why: str | None
    undo_node: str | None
    undo_name: str | None
    items: UndoItems | None
    done_at: str | None


class UndoPlanView(View):
    """What undoing the run would do, in that order. `possible`: the run is over, and something is left to undo."""

    id: str
    generation: int
    possible: bool
    steps: list[UndoStep]


class UndoBody(Body):
    """The plan's id, why it is undone, the undo steps that may happen a second time, and what somebody who looked says
    of undo steps that had no answer: undone · still_done. They are not sent again."""

    plan: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Annotated[str, Field(min_length=1, max_length=400)]
    repeats: Nodes = []
    decisions: Annotated[dict[NodeId, Literal["undone", "still_done"]], Field(max_length=200)] = {}


class UndoPlan(ApiView):
    @operation(Action.RUN_SEE, answer=UndoPlanView)
    def get(self, call: Call, *, run_id: UUID) -> UndoPlanView:
        """What undoing this run would do; of an open run, what a cancel with undo would."""
        return _shown(runtime_api.undo_plan(workspace_id=call.workspace.id, run_id=run_id))


class UndoRun(ApiView):
    @operation(
        Action.RUN_UNDO,
        body=UndoBody,
        answer=RunShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="run.undone",
    )
    def post(self, call: Call, *, run_id: UUID, body: UndoBody) -> RunShape:
        """Undo what an ended run did, the last step first, by a plan that was shown."""
        view = runtime_api.undo(
            workspace_id=call.workspace.id,
            run_id=run_id,
            plan=body.plan,
            reason=body.reason.strip(),
            repeats=body.repeats,
            decisions=body.decisions,
            by=call.person.id,
        )
        return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


class AskedUndoPlanView(UndoPlanView):
    """The same of an open run, from the failure it asks people about: what undoing it would do as it stands now.

    `why`: why it cannot be undone from there: no_failure · over (it is answered, or the run is ending) · below (the run
    is a part of another one) · doubt (nobody knows whether the step happened: say so first) · unsure (nobody knows that
    of an undo step: undo the run on its own page) · nothing (no undo step would do anything); null: it can be."""

    why: WhyNoUndo | None


class UndoAskedBody(Body):
    """The plan's id, and why the run is undone."""

    plan: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class UndoAsked(ApiView):
    @operation(Action.TASK_SEE, answer=AskedUndoPlanView)
    def get(self, call: Call, *, task_id: UUID) -> AskedUndoPlanView:
        """What undoing the run of this failure would do, instead of answering it."""
        plan, why = runtime_api.asked_undo_plan(workspace_id=call.workspace.id, task_id=task_id)
        return AskedUndoPlanView(**dict(_shown(plan)), why=why)

    @operation(
        Action.RUN_UNDO,
        body=UndoAskedBody,
        answer=TaskDetail,
        also=(409,),
        repeat="stored_apart",
        does="task.run_undone",
    )
    def post(self, call: Call, *, task_id: UUID, body: UndoAskedBody) -> TaskDetail:
        """Have the run undone in the place of an answer: the question is over at once, by a plan that was shown."""
        if not allows(call.role, Action.TASK_DECIDE, call.actor):
            raise PermissionDenied
        view = runtime_api.undo_from_question(
            workspace_id=call.workspace.id, task_id=task_id, plan=body.plan, reason=body.reason, voter=asker(call)
        )
        return detailed(call, view)


def _shown(plan: Plan) -> UndoPlanView:
    return UndoPlanView(
        id=plan.id,
        generation=plan.generation,
        possible=plan.possible,
        steps=[
            UndoStep(
                node=line.node,
                key=line.key,
                name=line.name,
                type=line.type,
                fate=line.fate,
                why=line.why,
                undo_node=line.undo_node,
                undo_name=line.undo_name,
                items=None if line.items is None else UndoItems(**asdict(line.items)),
                done_at=None if line.done_at is None else stamp(line.done_at),
            )
            for line in plan.lines
        ],
    )
