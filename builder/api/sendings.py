"""Sending dead letters to somebody's inbox, and what comes of that there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from builder.accounts.directory import Directory, labels
from builder.accounts.models import User
from builder.accounts.rights import Action, can
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe, ms_of, stamp
from builder.api.cursors import PageQuery
from builder.api.deeds import NOTHING
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.problems import invalid
from builder.api.shapes import Items
from builder.api.task_shapes import InPlaceOf, SeenBody, SeenShape, asker, kind_of
from builder.workflows import seen, selectors
from builder.workflows.shapes import StepName, WorkflowName
from runtime import api as runtime_api
from runtime.contracts.sendings import MOST_SENT, MOST_SENT_NOTE, LettersWith, SendingView

__all__ = ["LettersQuery", "LettersWithView", "SentTo", "unread_of", "with_shapes"]


K = TypeVar("K")


class SendBody(Body):
    """Dead letters of a group (`cause`), or `runs`, at most 5,000; and to whom: an e-mail address, `group:<id>` or
    `role:<role>`. `until`: none that failed later; `within`: only those that were sent with that one."""

    cause: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    runs: Annotated[list[UUID], Field(min_length=1, max_length=MOST_SENT)] | None = None
    until: AwareDatetime | None = None
    within: UUID | None = None
    to: Annotated[str, Field(min_length=3, max_length=254)]
    note: Annotated[str, Field(max_length=MOST_SENT_NOTE)] = ""

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        if (self.cause is None) == (self.runs is None):
            raise ValueError("Name a group (cause) or runs, and not both.")
        return self


class PassOnBody(Body):
    """To whom, as in sending; without a note of its own the one that came with them stays."""

    to: Annotated[str, Field(min_length=3, max_length=254)]
    note: Annotated[str, Field(max_length=MOST_SENT_NOTE)] = ""


class SentLettersQuery(Query):
    """`who`: what came to me; of that by my name, by way of my groups, or in the place of somebody who is away; or what
    came to anybody. `state`: open, or over, which of mine also tells of what I sent."""

    who: Literal["me", "named", "groups", "stand_in", "anybody"] = "me"
    state: Literal["open", "closed"] = "open"


class LettersQuery(PageQuery):
    """`sent`: only those that were sent to somebody with that one."""

    sent: UUID | None = None


class SentTo(View):
    """To whom. `kind`: person, group or role; `key`: e-mail address, `group:<id>` or `role:<role>`."""

    kind: str
    key: str
    name: str


class LettersWithView(View):
    """With whom letters are: `count` of those that were asked about, since `at`. `me`: it is I, or one of us."""

    sending: UUID
    to: SentTo
    me: bool
    by: str | None
    at: str
    count: int


class SentLettersShape(View):
    """Dead letters that were sent to somebody. Of `total` letters `open` still wait for a decision. `workflow`, `step`,
    `code`, `title` and `cause`: of what they failed, as far as all of them have the same. `ended_as`: done ·
    taken_back · handed_on · settled (none of them waits any more) · left (nobody was there any more); null while it is
    under way. `mine`: they came to me; `in_place_of`: who is away, and in whose place. `unread`: I have not looked at
    them. `may_finish`, `may_pass_on`, `may_take_back`: whether it is for me to do so."""

    id: UUID
    to: SentTo
    by: str | None
    by_me: bool
    at: str
    note: str
    total: int
    open: int
    cause: str | None
    code: str
    title: str
    workflow: WorkflowName | None
    step: StepName | None
    ended_at: str | None
    ended_as: str | None
    ended_by: str | None
    mine: bool
    in_place_of: InPlaceOf | None
    unread: bool
    may_finish: bool
    may_pass_on: bool
    may_take_back: bool


class SendLetters(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=SendBody,
        answer=SentLettersShape,
        also=(409,),
        repeat="stored_apart",
        does="dead_letters.sent",
    )
    def post(self, call: Call, *, body: SendBody) -> SentLettersShape:
        """Send dead letters to somebody's inbox. Nothing of the runs is changed; whoever had them has them no more."""
        to = _who_may_see(call, body.to)
        view = runtime_api.send_letters(
            workspace_id=call.workspace.id,
            to=to,
            voter=asker(call),
            note=body.note,
            cause=body.cause,
            run_ids=body.runs or (),
            until=ms_of(body.until),
            within=body.within,
        )
        return _shaped(call, [view])[0]


class SentLetters(ApiView):
    @operation(Action.TASK_SEE, query=SentLettersQuery, answer=Items[SentLettersShape])
    def get(self, call: Call, *, query: SentLettersQuery) -> Items[SentLettersShape]:
        """Dead letters that came to an inbox, the newest first; at most 200."""
        found = runtime_api.sendings(
            workspace_id=call.workspace.id, voter=asker(call), whose=query.who, closed=query.state == "closed"
        )
        return Items[SentLettersShape](items=_shaped(call, found))


class OneSending(ApiView):
    @operation(Action.TASK_SEE, answer=SentLettersShape)
    def get(self, call: Call, *, sending_id: UUID) -> SentLettersShape:
        """One of them, as it stands."""
        view = runtime_api.sending(workspace_id=call.workspace.id, sending_id=sending_id)
        return _shaped(call, [view])[0]


class SendingSeen(ApiView):
    @operation(Action.TASK_DECIDE, body=SeenBody, answer=SeenShape, repeat="stored", does=NOTHING)
    def put(self, call: Call, *, sending_id: UUID, body: SeenBody) -> SeenShape:
        """Say that one has looked at them, or that they are to stand as new. For one's own eyes: nobody is told."""
        view = runtime_api.sending(workspace_id=call.workspace.id, sending_id=sending_id)
        if view.ended_at is None:
            now = round(call.now.timestamp() * 1000)
            seen.set_seen(workspace=call.workspace, person=call.person, task_id=view.id, seen=body.seen, now=now)
        return SeenShape(unread=_shaped(call, [view])[0].unread)


class FinishSending(ApiView):
    @operation(
        Action.TASK_DECIDE, answer=SentLettersShape, also=(409,), repeat="stored_apart", does="letter_sending.done"
    )
    def post(self, call: Call, *, sending_id: UUID) -> SentLettersShape:
        """Say that one is done with them. Those that still wait for a decision do so, and are with nobody."""
        return _ended(call, sending_id, "done")


class TakeSendingBack(ApiView):
    @operation(
        Action.RUN_RETRY, answer=SentLettersShape, also=(409,), repeat="stored_apart", does="letter_sending.taken_back"
    )
    def post(self, call: Call, *, sending_id: UUID) -> SentLettersShape:
        """Take back what one has sent. They stay as they are, and are with nobody."""
        return _ended(call, sending_id, "taken_back")


class PassSendingOn(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=PassOnBody,
        answer=SentLettersShape,
        also=(409,),
        repeat="stored_apart",
        does="letter_sending.handed_over",
    )
    def post(self, call: Call, *, sending_id: UUID, body: PassOnBody) -> SentLettersShape:
        """Send what still waits of them to somebody else."""
        to = _who_may_see(call, body.to)
        view = runtime_api.pass_letters_on(
            workspace_id=call.workspace.id, sending_id=sending_id, to=to, voter=asker(call), note=body.note
        )
        return _shaped(call, [view])[0]


def _who_may_see(call: Call, to: str) -> str:
    """The token of who is meant; refused where nobody of them may see dead letters."""
    here = call.workspace.id
    found = Directory().known(workspace_id=here, tokens=[to.strip()])
    if not found:
        raise invalid({"to": ["Nobody in this workspace is called so."]})
    (one,) = found
    users = User.objects.in_bulk([person.id for person in one.people if person.id is not None])
    if one.people and not any(can(user, Action.RUN_SEE, here) for user in users.values()):
        who = one.label if "@" in one.token else f"Nobody in {one.label}"
        may = "may not see" if "@" in one.token else "may see"
        raise invalid({"to": [f"{who} {may} the runs of this workspace. An admin gives them a role that allows it."]})
    return one.token


def _ended(call: Call, sending_id: UUID, how: Literal["done", "taken_back"]) -> SentLettersShape:
    view = runtime_api.end_sending(workspace_id=call.workspace.id, sending_id=sending_id, voter=asker(call), how=how)
    return _shaped(call, [view])[0]


def _shaped(call: Call, views: list[SendingView]) -> list[SentLettersShape]:
    here = call.workspace.id
    voter = asker(call)
    receivers = _receivers(here, {view.to for view in views})
    people = names_of({one for view in views for one in (view.by, view.ended_by) if one is not None})
    flows = selectors.names(workspace_id=here, workflow_ids={one.workflow_id for one in views if one.workflow_id})
    seen_before = seen.of(person=call.person, tasks=[view.id for view in views if view.ended_at is None])
    found = []
    for view in views:
        mine, absent = runtime_api.received(view, voter)
        under_way, admin = view.ended_at is None, voter.role == "admin"
        by_me = view.by == call.person.id
        step = None
        if view.version_id is not None:
            steps = selectors.step_names(workspace_id=here, version_id=view.version_id)
            step = StepName(node=view.node, name=steps.get(view.node, view.node))
        found.append(
            SentLettersShape(
                id=view.id,
                to=receivers[view.to],
                by=None if view.by is None else people.get(view.by),
                by_me=by_me,
                at=stamp(view.at),
                note=view.note,
                total=view.total,
                open=view.open,
                cause=view.cause or None,
                code=view.code,
                title=view.title,
                workflow=None
                if view.workflow_id is None
                else WorkflowName(id=view.workflow_id, name=flows.get(view.workflow_id, "")),
                step=step,
                ended_at=maybe(view.ended_at),
                ended_as=view.ended_as or None,
                ended_by=None if view.ended_by is None else people.get(view.ended_by),
                mine=mine,
                in_place_of=None if absent is None else InPlaceOf(name=absent.name, until=absent.until),
                unread=mine and under_way and view.id not in seen_before,
                may_finish=under_way and (mine or (admin and not by_me)),
                may_pass_on=under_way and view.open > 0 and (mine or by_me),
                may_take_back=under_way and voter.may_retry and (by_me or (admin and not mine)),
            )
        )
    return found


def _receivers(workspace_id: UUID, tokens: set[str]) -> dict[str, SentTo]:
    names = labels(workspace_id=workspace_id, tokens=tokens)
    return {one: SentTo(kind=kind_of(one), key=one, name=names[one]) for one in tokens}


def with_shapes(call: Call, found: Mapping[K, Sequence[LettersWith]]) -> dict[K, list[LettersWithView]]:
    """With whom letters are, as people read it; whatever they are told by. However many: the same few queries."""
    every = [one for some in found.values() for one in some]
    if not every:
        return {}
    receivers = _receivers(call.workspace.id, {one.to for one in every})
    people = names_of({one.by for one in every if one.by is not None})
    mine = set(asker(call).tokens)

    def shape(one: LettersWith) -> LettersWithView:
        return LettersWithView(
            sending=one.sending_id,
            to=receivers[one.to],
            me=one.to in mine,
            by=None if one.by is None else people.get(one.by),
            at=stamp(one.at),
            count=one.count,
        )

    return {key: [shape(one) for one in some] for key, some in found.items()}


def unread_of(call: Call) -> tuple[int, int]:
    """How many sendings came to me of which letters still wait, and how many of these I have not looked at."""
    ids = runtime_api.sendings_to(workspace_id=call.workspace.id, voter=asker(call))
    return len(ids), len(ids) - len(seen.of(person=call.person, tasks=ids))
