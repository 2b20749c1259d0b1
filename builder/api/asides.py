"""Beside a decision: a question is talked about, put off for later, and compared with what was decided before."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from builder.accounts.rights import Action
from builder.api.deeds import NOTHING
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.shapes import Items
from builder.api.task_shapes import LeaveBody, SeenBody, SeenShape, TaskDetail, TaskShape, asker, detailed, shaped
from builder.workflows import seen
from runtime import api as runtime_api


class SnoozeBody(Body):
    """Until when it is to be out of one's list; null: it is back at once."""

    until: AwareDatetime | None


class CommentBody(Body):
    """What everybody who sees the question reads."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Snooze(ApiView):
    @operation(
        Action.TASK_DECIDE, body=SnoozeBody, answer=TaskDetail, also=(409,), repeat="stored_apart", does="task.snoozed"
    )
    def post(self, call: Call, *, task_id: UUID, body: SnoozeBody) -> TaskDetail:
        """Keep a question out of one's own list until then. Others see it as before; what is due stays due."""
        view = runtime_api.snooze(
            workspace_id=call.workspace.id, task_id=task_id, voter=asker(call), until=_instant(body.until)
        )
        return detailed(call, view)


class Seen(ApiView):
    @operation(Action.TASK_DECIDE, body=SeenBody, answer=SeenShape, repeat="stored", does=NOTHING)
    def put(self, call: Call, *, task_id: UUID, body: SeenBody) -> SeenShape:
        """Say that one has seen a question, or that it is to stand as new. For one's own eyes: nobody is told."""
        view = runtime_api.task(workspace_id=call.workspace.id, task_id=task_id)
        if view.status == "open":
            now = round(call.now.timestamp() * 1000)
            seen.set_seen(workspace=call.workspace, person=call.person, task_id=view.id, seen=body.seen, now=now)
        return SeenShape(unread=detailed(call, view).unread)


class Comment(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=CommentBody,
        answer=TaskDetail,
        also=(409,),
        repeat="stored_apart",
        does="task.commented",
    )
    def post(self, call: Call, *, task_id: UUID, body: CommentBody) -> TaskDetail:
        """Ask or say something about a question without deciding it."""
        view = runtime_api.comment(workspace_id=call.workspace.id, task_id=task_id, voter=asker(call), text=body.text)
        return detailed(call, view)


class Leave(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=LeaveBody,
        answer=TaskDetail,
        also=(409,),
        repeat="stored_apart",
        does="task.left_to_admins",
    )
    def post(self, call: Call, *, task_id: UUID, body: LeaveBody) -> TaskDetail:
        """Leave a failure to the admins, with a note: it is out of the lists of all others. It is on record."""
        view = runtime_api.leave_to_admins(
            workspace_id=call.workspace.id, task_id=task_id, voter=asker(call), reason=body.reason
        )
        return detailed(call, view)


class RemindedShape(View):
    """How many people a mail goes to, at once."""

    told: int


class Remind(ApiView):
    @operation(Action.RUN_SIGNAL, answer=RemindedShape, also=(409,), repeat="stored_apart", does="task.reminded")
    def post(self, call: Call, *, task_id: UUID) -> RemindedShape:
        """Write to those who are asked and have not answered; at most once an hour, whoever wants it."""
        told = runtime_api.remind(workspace_id=call.workspace.id, task_id=task_id, voter=asker(call))
        return RemindedShape(told=told)


class Alike(ApiView):
    @operation(Action.TASK_SEE, answer=Items[TaskShape])
    def get(self, call: Call, *, task_id: UUID) -> Items[TaskShape]:
        """What was decided last of questions of the same step: at most five, the newest first."""
        return Items[TaskShape](items=shaped(call, runtime_api.alike(workspace_id=call.workspace.id, task_id=task_id)))


def _instant(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)
