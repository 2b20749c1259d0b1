"""Mending a failed step from the inbox: what it was given, and whether it could be given something else."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.api.deeds import NOTHING
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.sensitive import worked_with
from builder.api.task_shapes import asker
from runtime import api as runtime_api


class FixView(View):
    """A failed step as it can be mended. `input`: what it was given; `ended`: the run has stopped at it already; `why`:
    why it cannot be mended from here, null where it can.

    While the run has not ended, it is mended with one call to the same path. Of one that has, the plan of its retry is
    asked for, and the retry is told the other settings as `edits` of this step. `asks`: as of a step of such a plan.
    """

    node: str
    type: str
    input: Any
    ended: bool
    why: str | None
    asks: str | None


class FixBody(Body):
    """The step's settings as they are to be: all of them."""

    settings: dict[str, Any]


class FixCheck(View):
    """Why the step cannot be given that; null: it can."""

    problem: str | None


class MendBody(FixBody):
    """The same, and what stands beside the decision to give up."""

    comment: Annotated[str, Field(max_length=2000)] = ""


class Mended(View):
    """The bulk retry, of this one run, that goes on with it as soon as it has ended."""

    bulk_retry: UUID


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
            asks=found.asks,
        )

    @operation(
        Action.WORKFLOW_EDIT,
        body=MendBody,
        answer=Mended,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="task.mended",
    )
    def post(self, call: Call, *, task_id: UUID, body: MendBody) -> Mended:
        """Give up at the step, and have it tried again with these settings: one deed, whatever dies meanwhile."""
        for action in (Action.TASK_DECIDE, Action.RUN_RETRY):
            if not allows(call.role, action, call.actor):
                raise PermissionDenied
        bulk = runtime_api.fix_and_retry(
            workspace_id=call.workspace.id,
            task_id=task_id,
            settings=body.settings,
            voter=asker(call),
            comment=body.comment,
        )
        return Mended(bulk_retry=bulk)


class CheckFix(ApiView):
    @operation(Action.WORKFLOW_EDIT, body=FixBody, answer=FixCheck, also=(409,), does=NOTHING)
    def post(self, call: Call, *, task_id: UUID, body: FixBody) -> FixCheck:
        """Whether the step could be given these settings. Nothing is changed."""
        problem = runtime_api.check_fix(workspace_id=call.workspace.id, task_id=task_id, settings=body.settings)
        return FixCheck(problem=problem)
