"""The inbox: what people are asked, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.due import span_of
from builder.api.operation import ApiView, Call, operation
from builder.api.problems import invalid, plain
from builder.api.sendings import unread_of
from builder.api.shapes import Items, Paged
from builder.api.task_shapes import (
    CountView,
    DecideBody,
    DecideManyBody,
    DoneView,
    Given,
    HandOverBody,
    InboxQuery,
    OneOfMany,
    TakeBody,
    TakeManyBackBody,
    TaskDetail,
    TaskShape,
    asker,
    detailed,
    form_of,
    left_of,
    pending_of,
    shaped,
)
from builder.audit.later import kept_of
from builder.workflows import seen
from runtime import api as runtime_api
from runtime.contracts import AlreadyDecided, NotAsked, NotFound, TaskRefused, TaskView


class Inbox(ApiView):
    @operation(Action.TASK_SEE, query=InboxQuery, answer=Paged[TaskShape])
    def get(self, call: Call, *, query: InboxQuery) -> Paged[TaskShape]:
        """What people are asked: open questions in the order asked for, closed ones the newest first."""
        page = runtime_api.tasks(
            workspace_id=call.workspace.id,
            voter=None if query.who == "anybody" else asker(call),
            whose="me" if query.who == "anybody" else query.who,
            closed=query.state == "closed",
            run_id=query.run,
            around=query.around,
            kind=query.kind,
            due=None if query.due is None else span_of(query.due, datetime.now(UTC), call.workspace.time_zone),
            sort=query.sort,
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[TaskShape](items=shaped(call, page.items), next_cursor=page.next_cursor)


class InboxCount(ApiView):
    @operation(Action.TASK_SEE, answer=CountView)
    def get(self, call: Call) -> CountView:
        """How many open questions I am asked and failed runs were sent to me, and how many of them I have not seen."""
        voter = asker(call)
        count = runtime_api.task_count(workspace_id=call.workspace.id, voter=voter)
        read = seen.count(workspace=call.workspace, person=call.person, voter=voter) if count else 0
        letters, new = unread_of(call)
        return CountView(count=count + letters, unread=max(0, count - read) + new, letters=letters)


class InboxDone(ApiView):
    @operation(Action.TASK_SEE, answer=DoneView)
    def get(self, call: Call) -> DoneView:
        """How many questions I have answered this week."""
        today = call.now.astimezone(ZoneInfo(call.workspace.time_zone)).date()
        monday = datetime.combine(today - timedelta(days=today.weekday()), time.min, ZoneInfo(call.workspace.time_zone))
        since = round(monday.timestamp() * 1000)
        count = runtime_api.answered_since(workspace_id=call.workspace.id, voter_id=call.person.id, since=since)
        return DoneView(count=count, since=stamp(since))


class OneTask(ApiView):
    @operation(Action.TASK_SEE, answer=TaskDetail)
    def get(self, call: Call, *, task_id: UUID) -> TaskDetail:
        """One question with all that there is to decide by."""
        return detailed(call, runtime_api.task(workspace_id=call.workspace.id, task_id=task_id))


class Decide(ApiView):
    @operation(
        Action.TASK_DECIDE, body=DecideBody, answer=TaskDetail, also=(409,), repeat="stored_apart", does="task.decided"
    )
    def post(self, call: Call, *, task_id: UUID, body: DecideBody) -> TaskDetail:
        """Answer. The first decision counts; whoever comes later is told so."""
        return detailed(call, _said(call, task_id, body.outcome, body.comment, body.answers, body.output, body.undo))


class TakeBack(ApiView):
    @operation(
        Action.TASK_DECIDE, answer=TaskDetail, also=(409,), repeat="stored_apart", does="task.decision_taken_back"
    )
    def post(self, call: Call, *, task_id: UUID) -> TaskDetail:
        """Take back what one has said, while it has not taken effect; or say that one has read why it could not."""
        view = runtime_api.take_back(workspace_id=call.workspace.id, task_id=task_id, voter=asker(call))
        return detailed(call, view)


class GivenAnswers(ApiView):
    @operation(Action.TASK_SEE, answer=Items[Given])
    def get(self, call: Call) -> Items[Given]:
        """What one has said that has not taken effect, and what could not take effect; the newest first."""
        found = runtime_api.given(workspace_id=call.workspace.id, voter=call.person.id)
        return Items[Given](
            items=[Given(task=one.task, title=one.title, pending=pending_of(call, one.pending)) for one in found]
        )


class DecideMany(ApiView):
    @operation(
        Action.TASK_DECIDE, body=DecideManyBody, answer=Items[OneOfMany], repeat="stored_apart", does="tasks.decided"
    )
    def post(self, call: Call, *, body: DecideManyBody) -> Items[OneOfMany]:
        """Answer several approvals of one step alike. Each is decided by itself, and told of by itself."""
        voter = asker(call)
        views = [runtime_api.task(workspace_id=call.workspace.id, task_id=one) for one in dict.fromkeys(body.tasks)]
        forms = {form_of(view) for view in views}
        if len(forms) > 1 or None in forms:
            raise invalid({"tasks": ["Only approvals of the same step can be decided together."]})
        found = []
        for view in views:
            call.deed.about(view.id, view.title)
            try:
                said = _said(call, view.id, body.outcome, body.comment, {}, None, body.undo)
                left = max((left_of(one) for one in said.pending if one.voter == voter.id), default=0)
                found.append(OneOfMany(id=view.id, taken=True, left_ms=left, code=None, params={}, message=None))
            except TaskRefused as error:
                found.append(_refused(view.id, error.code, " ".join(error.fields.values())))
            except (AlreadyDecided, NotAsked) as error:
                found.append(_refused(view.id, error.code, error.message, error.params))
        return Items[OneOfMany](items=found)


class TakeManyBack(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=TakeManyBackBody,
        answer=Items[OneOfMany],
        repeat="stored_apart",
        does="tasks.decisions_taken_back",
    )
    def post(self, call: Call, *, body: TakeManyBackBody) -> Items[OneOfMany]:
        """Take back what one has said to several, as far as it has not taken effect."""
        found = []
        for task_id in dict.fromkeys(body.tasks):
            call.deed.about(task_id)
            try:
                runtime_api.take_back(workspace_id=call.workspace.id, task_id=task_id, voter=asker(call))
                found.append(OneOfMany(id=task_id, taken=True, left_ms=0, code=None, params={}, message=None))
            except (AlreadyDecided, NotFound) as error:
                found.append(_refused(task_id, error.code, error.message, error.params))
        return Items[OneOfMany](items=found)


class Take(ApiView):
    @operation(
        Action.TASK_DECIDE, body=TakeBody, answer=TaskDetail, also=(409,), repeat="stored_apart", does="task.taken"
    )
    def post(self, call: Call, *, task_id: UUID, body: TakeBody) -> TaskDetail:
        """See to a question oneself: it leaves the lists of the others who are asked."""
        view = runtime_api.take(workspace_id=call.workspace.id, task_id=task_id, voter=asker(call), over=body.over)
        return detailed(call, view)


class GiveBack(ApiView):
    @operation(Action.TASK_DECIDE, answer=TaskDetail, also=(409,), repeat="stored_apart", does="task.given_back")
    def post(self, call: Call, *, task_id: UUID) -> TaskDetail:
        """Let the others who are asked see to it again."""
        return detailed(call, runtime_api.give_back(workspace_id=call.workspace.id, task_id=task_id, voter=asker(call)))


class HandOver(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=HandOverBody,
        answer=TaskDetail,
        also=(409,),
        repeat="stored_apart",
        does="task.handed_over",
    )
    def post(self, call: Call, *, task_id: UUID, body: HandOverBody) -> TaskDetail:
        """Let a colleague decide in one's place. Admins may do so for others. It is on record."""
        view = runtime_api.hand_over(
            workspace_id=call.workspace.id, task_id=task_id, voter=asker(call), to=body.to, reason=body.reason
        )
        return detailed(call, view)


def _said(
    call: Call, task_id: UUID, outcome: str, comment: str, answers: dict[str, Any], output: Any, undo: bool
) -> TaskView:
    """Decide, at once or so that it can be taken back, as was asked for and as the person has it."""
    seconds = call.person.undo_seconds if undo else 0
    if not seconds:
        return runtime_api.decide(
            workspace_id=call.workspace.id,
            task_id=task_id,
            outcome=outcome,
            comment=comment,
            answers=answers,
            output=output,
            voter=asker(call),
        )
    view = runtime_api.task(workspace_id=call.workspace.id, task_id=task_id)
    return runtime_api.decide_later(
        workspace_id=call.workspace.id,
        task_id=task_id,
        outcome=outcome,
        comment=comment,
        answers=answers,
        output=output,
        voter=asker(call),
        within_ms=seconds * 1000,
        record=kept_of(call.deed.entry(view.title)),
    )


def _refused(task_id: UUID, code: str, message: str, params: Mapping[str, Any] | None = None) -> OneOfMany:
    return OneOfMany(id=task_id, taken=False, left_ms=0, code=code, params=plain(params or {}), message=message)
