"""Previews while drawing: a formula on sample data, a schedule's next fire times. Nothing runs, nothing is sent."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import not_here
from builder.workflows import selectors
from runtime import api as runtime_api

FIRES_SHOWN: Final = 10
#: What a formula may read; anything else in the body is refused.
ROOTS: Final = ("trigger", "steps", "run", "vars", "item", "index", "error", "data")


class PreviewBody(Body):
    """A formula, and the data to read: given here, or the newest outputs of a workflow's steps, or both."""

    template: Annotated[str, Field(max_length=100_000)]
    context: dict[str, Any] | None = None
    workflow: UUID | None = None


class PreviewView(View):
    """What the formula gives: the value, how it reads as text, its type; or what is wrong with it."""

    ok: bool
    value: Any
    text: str
    type: str
    error: str
    code: str


class ScheduleBody(Body):
    """The settings of a schedule start."""

    config: dict[str, Any]


class ScheduleView(View):
    """The next fire times, the schedule in words, notes about clock changes."""

    fires: list[str]
    words: str
    notes: list[str]


class PreviewExpression(ApiView):
    @operation(Action.WORKFLOW_EDIT, body=PreviewBody, answer=PreviewView, does="nothing")
    def post(self, call: Call, *, body: PreviewBody) -> PreviewView:
        """Work a formula out on sample data."""
        context: dict[str, Any] = {}
        if body.workflow is not None:
            if not selectors.exists(workspace_id=call.workspace.id, workflow_id=body.workflow):
                raise not_here("workflow")
            samples = runtime_api.samples(workspace_id=call.workspace.id, workflow_id=body.workflow)
            context["steps"] = dict(samples)
        context.update({name: value for name, value in (body.context or {}).items() if name in ROOTS})
        found = runtime_api.preview(template=body.template, context=context)
        return PreviewView(
            ok=found.ok,
            value=found.value,
            text=found.text,
            type=found.type,
            error=found.error,
            code=found.code,
        )


class PreviewSchedule(ApiView):
    @operation(Action.WORKFLOW_EDIT, body=ScheduleBody, answer=ScheduleView, does="nothing")
    def post(self, call: Call, *, body: ScheduleBody) -> ScheduleView:
        """When a schedule would fire next."""
        after = int(call.now.timestamp() * 1000)
        found = runtime_api.schedule_preview(
            workspace_id=call.workspace.id, config=body.config, after=after, count=FIRES_SHOWN
        )
        return ScheduleView(fires=[stamp(fire) for fire in found.fires], words=found.words, notes=list(found.notes))
