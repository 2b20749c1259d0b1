"""The inbox: what people are asked, and their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.directory import labels, voter_of
from builder.accounts.rights import Action, allows
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import invalid
from builder.api.shapes import Items, Paged
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import AlreadyDecided, NotAsked, TaskRefused, TaskView, Voter


class InboxQuery(PageQuery):
    """`who`: what is asked of me; of that, what I am named in or have taken, or what comes by way of my groups; or what
    is asked of anybody. `state`: open (the most urgent first), or closed. `run`: what this run asks; `around`: also
    what the runs ask that it waits for, its items and the workflows it called."""

    who: Literal["me", "named", "groups", "anybody"] = "me"
    state: Literal["open", "closed"] = "open"
    run: UUID | None = None
    around: UUID | None = None


class Vote(View):
    """What one person said. `via`: the inbox, or the link of a mail. `admin`: not asked, but allowed as an admin."""

    by: str
    me: bool
    at: str
    outcome: str
    comment: str
    via: str
    admin: bool


class Asked(View):
    """Somebody who is asked. `kind`: person, group or role; `key`: e-mail address, `group:<id>` or `role:<role>`."""

    kind: str
    key: str
    name: str


class Note(View):
    """What happened meanwhile. `kind`: escalate, hand_over, take, give_back, mail_failed, stranded
    (nobody who is asked could decide it any more), recount (decided, for who had not said so has left)."""

    kind: str
    at: str
    by: str
    to: str
    text: str


class TaskShape(View):
    """A question. `kind`: approval · form · exception (a step failed). `status`: open · decided · late · cancelled.

    `asked`: who is asked; empty: everybody. `needs`: how many have to approve; with `everyone` each of those who are
    asked. `due_at`: when it should be answered; `ends_at`: when the run goes on without. `taken_by`: who sees to it
    alone; `taken_by_me`. `stranded_at`: since when too few are left of those who are asked; then admins may decide.
    `over`: why no answer is taken any more though the status does not say so: late (its time has passed, and the run
    has not gone on yet) · anew (somebody has gone on with the run, which asks again where it needs to).
    `may_decide`, `may_take`, `may_hand_over`: whether it is open and for me to do so. `form`: alike for questions that
    can be decided together.
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
    asked: list[Asked]
    needs: int
    everyone: bool
    due_at: str | None
    ends_at: str | None
    reminded_at: str | None
    escalated_at: str | None
    stranded_at: str | None
    taken_by: str | None
    taken_by_me: bool
    form: str | None
    created_at: str
    closed_at: str | None
    outcome: str | None
    over: str | None
    votes: list[Vote]
    may_decide: bool
    may_take: bool
    may_hand_over: bool


class TaskDetail(TaskShape):
    """The same with the question itself.

    `facts`: [{label, value}]; `choices`: [{id, label, comment}], `comment`: whoever chooses it says why; `fields`: the
    questions of a form; `error`: of a failed step; `in_doubt`: nobody knows whether the step happened; `answer`: what
    the run went on with; `anew`: the open question that stands in the place of this one, where the run asks anew.
    """

    text: str
    facts: list[dict[str, Any]]
    choices: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    error: dict[str, Any] | None
    in_doubt: bool
    answer: Any
    anew: UUID | None
    notes: list[Note]


class CountView(View):
    """How many open questions I am asked."""

    count: int


class DecideBody(Body):
    """An answer: one of the choices, a comment, the answers of a form, the value to go on with after a failure.

    Of a step of which nobody knows whether it happened: `happened` (with its result as `output`), `send_again` or
    `give_up`; a plain `retry` is refused.
    """

    outcome: Annotated[str, Field(min_length=1, max_length=64)]
    comment: Annotated[str, Field(max_length=2000)] = ""
    answers: Annotated[dict[str, Any], Field(max_length=200)] = {}
    output: Any = None


class TakeBody(Body):
    """`over`: although somebody else has taken it."""

    over: bool = False


class HandOverBody(Body):
    """To whom, by e-mail address, and why."""

    to: Annotated[str, Field(min_length=3, max_length=254)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class DecideManyBody(Body):
    """One answer to several approvals that have the same form."""

    tasks: Annotated[list[UUID], Field(min_length=1, max_length=100)]
    outcome: Annotated[str, Field(min_length=1, max_length=64)]
    comment: Annotated[str, Field(max_length=2000)] = ""


class OneOfMany(View):
    """What became of one of them. `code` and `message`: why the answer was not taken."""

    id: UUID
    taken: bool
    code: str | None
    message: str | None


class Inbox(ApiView):
    @operation(Action.TASK_SEE, query=InboxQuery, answer=Paged[TaskShape])
    def get(self, call: Call, *, query: InboxQuery) -> Paged[TaskShape]:
        """What people are asked: open questions, the most urgent first, closed ones the newest first."""
        page = runtime_api.tasks(
            workspace_id=call.workspace.id,
            voter=None if query.who == "anybody" else _voter(call),
            whose="me" if query.who == "anybody" else query.who,
            closed=query.state == "closed",
            run_id=query.run,
            around=query.around,
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[TaskShape](items=_shapes(call, page.items), next_cursor=page.next_cursor)


class InboxCount(ApiView):
    @operation(Action.TASK_SEE, answer=CountView)
    def get(self, call: Call) -> CountView:
        """How many open questions I am asked."""
        return CountView(count=runtime_api.task_count(workspace_id=call.workspace.id, voter=_voter(call)))


class OneTask(ApiView):
    @operation(Action.TASK_SEE, answer=TaskDetail)
    def get(self, call: Call, *, task_id: UUID) -> TaskDetail:
        """One question with all that there is to decide by."""
        return _detail(call, runtime_api.task(workspace_id=call.workspace.id, task_id=task_id))


class Decide(ApiView):
    @operation(Action.TASK_DECIDE, body=DecideBody, answer=TaskDetail, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, task_id: UUID, body: DecideBody) -> TaskDetail:
        """Answer. The first decision counts; whoever comes later is told so."""
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


class DecideMany(ApiView):
    @operation(Action.TASK_DECIDE, body=DecideManyBody, answer=Items[OneOfMany], repeat="stored_apart")
    def post(self, call: Call, *, body: DecideManyBody) -> Items[OneOfMany]:
        """Answer several approvals of one step alike. Each is decided by itself, and told of by itself."""
        voter = _voter(call)
        views = [runtime_api.task(workspace_id=call.workspace.id, task_id=one) for one in dict.fromkeys(body.tasks)]
        forms = {_form(view) for view in views}
        if len(forms) > 1 or None in forms:
            raise invalid({"tasks": ["Only approvals of the same step can be decided together."]})
        found = []
        for view in views:
            try:
                runtime_api.decide(
                    workspace_id=call.workspace.id,
                    task_id=view.id,
                    outcome=body.outcome,
                    comment=body.comment,
                    voter=voter,
                )
                found.append(OneOfMany(id=view.id, taken=True, code=None, message=None))
            except TaskRefused as error:
                found.append(
                    OneOfMany(id=view.id, taken=False, code=error.code, message=" ".join(error.fields.values()))
                )
            except (AlreadyDecided, NotAsked) as error:
                found.append(OneOfMany(id=view.id, taken=False, code=error.code, message=str(error)))
        return Items[OneOfMany](items=found)


class Take(ApiView):
    @operation(Action.TASK_DECIDE, body=TakeBody, answer=TaskDetail, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, task_id: UUID, body: TakeBody) -> TaskDetail:
        """See to a question oneself: it leaves the lists of the others who are asked."""
        view = runtime_api.take(workspace_id=call.workspace.id, task_id=task_id, voter=_voter(call), over=body.over)
        return _detail(call, view)


class GiveBack(ApiView):
    @operation(Action.TASK_DECIDE, answer=TaskDetail, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, task_id: UUID) -> TaskDetail:
        """Let the others who are asked see to it again."""
        return _detail(call, runtime_api.give_back(workspace_id=call.workspace.id, task_id=task_id, voter=_voter(call)))


class HandOver(ApiView):
    @operation(Action.TASK_DECIDE, body=HandOverBody, answer=TaskDetail, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, task_id: UUID, body: HandOverBody) -> TaskDetail:
        """Let a colleague decide in one's place. Admins may do so for others. It is on record."""
        view = runtime_api.hand_over(
            workspace_id=call.workspace.id, task_id=task_id, voter=_voter(call), to=body.to, reason=body.reason
        )
        return _detail(call, view)


def _voter(call: Call) -> Voter:
    may_retry = allows(call.role, Action.RUN_RETRY, call.actor)
    return voter_of(call.person, call.workspace.id, call.role, may_retry=may_retry)


def _form(view: TaskView) -> str | None:
    """What questions that can be decided together have in common."""
    return f"{view.run.workflow_id}:{view.node}:{view.currency}" if view.kind == "approval" else None


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
        in_doubt=runtime_api.in_doubt(spec),
        answer=view.answer,
        anew=view.anew,
        notes=[Note(kind=note.kind, at=stamp(note.at), by=note.by, to=note.to, text=note.text) for note in view.notes],
    )


def _fields(call: Call, views: list[TaskView]) -> list[dict[str, Any]]:
    workspace_id = call.workspace.id
    runs = selectors.shaped(workspace_id=workspace_id, views=[view.run for view in views])
    voter = _voter(call)
    names = labels(workspace_id=workspace_id, tokens=[one for view in views for one in view.people])
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
                "asked": [Asked(kind=_kind(one), key=one, name=names[one]) for one in view.people],
                "needs": view.needs,
                "everyone": view.everyone,
                "due_at": _maybe(view.due_at),
                "ends_at": _maybe(view.ends_at),
                "reminded_at": _maybe(view.reminded_at),
                "escalated_at": _maybe(view.escalated_at),
                "stranded_at": _maybe(view.stranded_at),
                "taken_by": view.claimed_name or None,
                "taken_by_me": view.claimed_by == call.person.id,
                "form": _form(view),
                "created_at": stamp(view.created_at),
                "closed_at": _maybe(view.closed_at),
                "outcome": view.outcome,
                "over": view.over,
                "votes": [
                    Vote(
                        by=vote.name,
                        me=vote.voter == call.person.id,
                        at=stamp(vote.at),
                        outcome=vote.outcome,
                        comment=vote.comment,
                        via=vote.via,
                        admin=vote.admin,
                    )
                    for vote in view.votes
                ],
                "may_decide": runtime_api.may_decide(task=view, voter=voter),
                "may_take": runtime_api.may_take(task=view, voter=voter),
                "may_hand_over": runtime_api.may_hand_over(task=view, voter=voter),
            }
        )
    return found


def _kind(token: str) -> str:
    return "person" if "@" in token else token.partition(":")[0]


def _maybe(at: int | None) -> str | None:
    return None if at is None else stamp(at)
