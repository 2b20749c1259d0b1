"""The inbox: what people are asked, and their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.shapes import Paged
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import TaskView, Voter


class InboxQuery(PageQuery):
    """`who`: what is asked of me, or of anybody. `state`: open, or closed."""

    who: Literal["me", "anybody"] = "me"
    state: Literal["open", "closed"] = "open"
    run: UUID | None = None


class Vote(View):
    """What one person said."""

    by: str
    me: bool
    at: str
    outcome: str
    comment: str


class TaskShape(View):
    """A question. `kind`: approval · form · exception (a step failed). `status`: open · decided · late · cancelled.

    `people`: who is asked, by e-mail address; empty: everybody. `needs`: how many have to approve. `may_decide`:
    whether it is open and I am asked.
    """

    id: UUID
    kind: str
    status: str
    title: str
    run: RunShape
    node: str
    step: str
    amount: Any
    currency: str
    people: list[str]
    needs: int
    due_at: str | None
    created_at: str
    closed_at: str | None
    outcome: str | None
    votes: list[Vote]
    may_decide: bool


class TaskDetail(TaskShape):
    """The same with the question itself.

    `facts`: [{label, value}]; `choices`: [{id, label, comment}], `comment`: whoever chooses it says why; `fields`: the
    questions of a form; `error`: of a failed step; `answer`: what the run went on with.
    """

    text: str
    facts: list[dict[str, Any]]
    choices: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    error: dict[str, Any] | None
    answer: Any


class CountView(View):
    """How many open questions I am asked."""

    count: int


class DecideBody(Body):
    """An answer: one of the choices, a comment, the answers of a form, the value to go on with after a failure."""

    outcome: Annotated[str, Field(min_length=1, max_length=64)]
    comment: Annotated[str, Field(max_length=2000)] = ""
    answers: Annotated[dict[str, Any], Field(max_length=200)] = {}
    output: Any = None


class Inbox(ApiView):
    @operation(Action.TASK_SEE, query=InboxQuery, answer=Paged[TaskShape])
    def get(self, call: Call, *, query: InboxQuery) -> Paged[TaskShape]:
        """What people are asked, the newest first."""
        page = runtime_api.tasks(
            workspace_id=call.workspace.id,
            voter=_voter(call) if query.who == "me" else None,
            exceptions=_may_retry(call),
            closed=query.state == "closed",
            run_id=query.run,
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[TaskShape](items=_shapes(call, page.items), next_cursor=page.next_cursor)


class InboxCount(ApiView):
    @operation(Action.TASK_SEE, answer=CountView)
    def get(self, call: Call) -> CountView:
        """How many open questions I am asked."""
        return CountView(
            count=runtime_api.task_count(
                workspace_id=call.workspace.id, voter=_voter(call), exceptions=_may_retry(call)
            )
        )


class OneTask(ApiView):
    @operation(Action.TASK_SEE, answer=TaskDetail)
    def get(self, call: Call, *, task_id: UUID) -> TaskDetail:
        """One question with all that there is to decide by."""
        return _detail(call, runtime_api.task(workspace_id=call.workspace.id, task_id=task_id))


class Decide(ApiView):
    @operation(Action.TASK_DECIDE, body=DecideBody, answer=TaskDetail, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, task_id: UUID, body: DecideBody) -> TaskDetail:
        """Answer. The first decision counts; whoever comes later is told so."""
        found = runtime_api.task(workspace_id=call.workspace.id, task_id=task_id)
        if not _is_asked(call, found):
            raise PermissionDenied("Somebody else is asked this.")
        view = runtime_api.decide(
            workspace_id=call.workspace.id,
            task_id=task_id,
            outcome=body.outcome,
            comment=body.comment,
            answers=body.answers,
            output=body.output,
            voter=_voter(call),
        )
        return _detail(call, view)


def _voter(call: Call) -> Voter:
    person = call.person
    return Voter(person.id, person.name or person.email, person.email)


def _may_retry(call: Call) -> bool:
    return allows(call.role, Action.RUN_RETRY, call.actor)


def _is_asked(call: Call, task: TaskView) -> bool:
    """What becomes of a failure is for those who may retry; everything else for those who are named."""
    if task.kind == "exception":
        return _may_retry(call)
    return not task.people or call.person.email.lower() in task.people


def _shapes(call: Call, views: list[TaskView]) -> list[TaskShape]:
    return [TaskShape(**fields) for fields in _fields(call, views)]


def _detail(call: Call, view: TaskView) -> TaskDetail:
    spec = view.spec
    return TaskDetail(
        **_fields(call, [view])[0],
        text=spec.get("text") or "",
        facts=spec.get("facts") or [],
        choices=spec["choices"],
        fields=spec.get("fields") or [],
        error=spec.get("error"),
        answer=view.answer,
    )


def _fields(call: Call, views: list[TaskView]) -> list[dict[str, Any]]:
    workspace_id = call.workspace.id
    runs = selectors.shaped(workspace_id=workspace_id, views=[view.run for view in views])
    found = []
    for view, run in zip(views, runs, strict=True):
        steps = selectors.step_names(workspace_id=workspace_id, version_id=view.run.version_id)
        found.append(
            {
                "id": view.id,
                "kind": view.kind,
                "status": view.status,
                "title": view.title,
                "run": run,
                "node": view.node,
                "step": steps.get(view.node, view.node),
                "amount": view.amount,
                "currency": view.currency,
                "people": view.people,
                "needs": view.needs,
                "due_at": None if view.due_at is None else stamp(view.due_at),
                "created_at": stamp(view.created_at),
                "closed_at": None if view.closed_at is None else stamp(view.closed_at),
                "outcome": view.outcome,
                "votes": [
                    Vote(
                        by=vote.name,
                        me=vote.voter == call.person.id,
                        at=stamp(vote.at),
                        outcome=vote.outcome,
                        comment=vote.comment,
                    )
                    for vote in view.votes
                ],
                "may_decide": view.status == "open"
                and _is_asked(call, view)
                and all(vote.voter != call.person.id for vote in view.votes),
            }
        )
    return found
