"""Asking the other system, before somebody has a step sent again, whether that happened already."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.retries import NodeId, Nodes, Number
from builder.api.sensitive import shown, worked_with
from runtime import api as runtime_api
from runtime.contracts.asking_now import AskedNow

#: Under these names other systems answer with what they call a thing.
_NAMES = ("number", "id", "reference", "document", "key", "name")
_LONGEST = 80

Settings = Annotated[dict[str, Any], Field(description="All settings of the step as they are to be.")]


class AskBody(Body):
    """About which step that a retry would begin with, and for what the plan was asked; `settings`: all that the step is
    to be given instead, for those who may edit the workflow."""

    node: NodeId
    start: Nodes = []
    version: Number | None = None
    settings: Settings | None = None


class AskOfTaskBody(Body):
    """What the step is to be given instead, all of it; null: what it was given."""

    settings: Settings | None = None


class AskedShape(View):
    """What the other system said. `no_turn`: it was not asked, since its connection takes no call now; `until`: when it
    may. `code` and `message`: why it could not tell. `name`: what it calls the thing that is there. `output`: what the
    step gives if that is taken over, where it can be (`takes`): told to a retry as the result of a step that happened.
    """

    found: Literal["happened", "did_not_happen", "could_not_tell", "no_turn"]
    system: str
    at: str
    code: str
    message: str
    until: str | None
    name: str
    takes: bool
    output: Any


class AskNow(ApiView):
    @operation(Action.RUN_RETRY, body=AskBody, answer=AskedShape, also=(409, 422), does="run.asked")
    def post(self, call: Call, *, run_id: UUID, body: AskBody) -> AskedShape:
        """Ask the other system whether a step that failed happened all the same. Nothing is changed by that.

        It takes at most a few seconds, and a call of the connection's budget.
        """
        _may_edit(call, body.settings)
        told = runtime_api.ask_now(
            workspace_id=call.workspace.id,
            run_id=run_id,
            node=body.node,
            start=body.start,
            version=body.version,
            settings=body.settings,
        )
        return _kept(call, told)


class AskNowOfTask(ApiView):
    @operation(Action.RUN_RETRY, body=AskOfTaskBody, answer=AskedShape, also=(409, 422), does="task.asked")
    def post(self, call: Call, *, task_id: UUID, body: AskOfTaskBody) -> AskedShape:
        """The same of a step that failed and asks people what to do."""
        _may_edit(call, body.settings)
        told = runtime_api.ask_now_of_task(workspace_id=call.workspace.id, task_id=task_id, settings=body.settings)
        return _kept(call, told)


def _may_edit(call: Call, settings: dict[str, Any] | None) -> None:
    # With other settings a step reaches other places.
    if settings is not None and not allows(call.role, Action.WORKFLOW_EDIT, call.actor):
        raise PermissionDenied("Only who may edit the workflow may change what a step does.")


def _kept(call: Call, told: AskedNow) -> AskedShape:
    """As it is shown; that it was asked, and what in a word was said, goes on record."""
    call.deed.note(system=told.system, answered=told.found)
    with call.deed.together():
        pass
    whole = worked_with(call, told.output)
    # What hides a value cannot be given on to later steps.
    takes = told.takes and whole == told.output
    return AskedShape(
        found=told.found,
        system=told.system,
        at=stamp(told.at),
        code=told.code,
        message=told.message,
        until=None if told.until is None else stamp(told.until),
        name=_name(shown(call, told.output)),
        takes=takes,
        output=whole if takes else None,
    )


def _name(output: Any) -> str:
    """What the other system calls what it has found, where that can be told from what it answered."""
    body = output.get("body") if isinstance(output, dict) else None
    if isinstance(body, dict):
        body = next((body[name] for name in _NAMES if isinstance(body.get(name), str | int)), None)
    return str(body)[:_LONGEST] if isinstance(body, str | int) and not isinstance(body, bool) else ""
