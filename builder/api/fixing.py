"""Mending a failed step from the inbox: what it was given, and whether it could be given something else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from builder.accounts.rights import Action
from builder.api.deeds import NOTHING
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.sensitive import worked_with
from runtime import api as runtime_api


class FixView(View):
    """A failed step as it can be mended. `input`: what it was given; `ended`: the run has stopped at it already; `why`:
    why it cannot be mended from here, null where it can.

    Mending it is three calls: the question is decided with `give_up`, unless the run has ended; then the plan of the
    run's retry is asked for, and the retry is told the other settings as `edits` of this step.
    """

    node: str
    type: str
    input: Any
    ended: bool
    why: str | None


class FixBody(Body):
    """The step's settings as they are to be: all of them."""

    settings: dict[str, Any]


class FixCheck(View):
    """Why the step cannot be given that; null: it can."""

    problem: str | None


class Fix(ApiView):
    @operation(Action.WORKFLOW_EDIT, answer=FixView, also=(409, 422))
    def get(self, call: Call, *, task_id: UUID) -> FixView:
        """What the step that failed was given, for those who may give it something else."""
        found = runtime_api.fix(workspace_id=call.workspace.id, task_id=task_id)
        return FixView(
            node=found.node,
            type=found.type,
            input=worked_with(call, found.input),
            ended=found.ended,
            why=found.why,
        )


class CheckFix(ApiView):
    @operation(Action.WORKFLOW_EDIT, body=FixBody, answer=FixCheck, also=(409,), does=NOTHING)
    def post(self, call: Call, *, task_id: UUID, body: FixBody) -> FixCheck:
        """Whether the step could be given these settings. Nothing is changed."""
        problem = runtime_api.check_fix(workspace_id=call.workspace.id, task_id=task_id, settings=body.settings)
        return FixCheck(problem=problem)
