"""Handing over what hangs on a member: looked at first, then done, also before they are taken out.

Each thing is handed over in a transaction of its own, with its row in the record. What is handed over is no more the
member's, so whatever stops in between, the same again does the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts import absences, access, groups, selectors, services
from builder.accounts.directory import voter_of
from builder.accounts.models import Membership, Role, User
from builder.accounts.rights import Action, allows
from builder.accounts.services import AccountsRefused
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.problems import invalid, not_here
from builder.api.recorded import Recording, called
from builder.api.session import refused
from builder.api.task_shapes import asker
from builder.connections import services as connections
from builder.workflows import saved_views
from builder.workflows import selectors as workflows
from builder.workflows import services as workflow_writes
from builder.workflows.saved_views import ListName
from runtime import api as runtime_api
from runtime.contracts import AlreadyDecided, NotAsked, NotFound, RuntimeRefused, Voter

__all__ = ["Handover"]

#: So many questions are listed; how many there are is told.
_MOST_LISTED: Final = 200
#: For so long one request hands over, in seconds; what is left is for the next one.
_LONGEST: Final = 8.0

Kind = Literal[
    "workflow", "connection", "question", "group", "stand_in", "alert_channel", "letters", "run_view", "audit_view"
]


class ThingView(View):
    """A thing that hangs on a member. `kind`: workflow · connection · question · group · stand_in · alert_channel ·
    letters (failed runs that were sent to them) · run_view · audit_view, and of what stays token · step (a workflow
    that names them). `why` it cannot be handed over to whoever was chosen: role · failures · barred · answered · asked
    · oneself · in_a_circle · gone; null where it can."""

    kind: str
    id: UUID
    name: str
    why: str | None


class HandoverView(View):
    """What hangs on a member. `things` can be handed over, at most 200 of so many `questions`; `stays` cannot, whoever
    is chosen. `alone`: so many open questions are asked of nobody else; they go to the admins."""

    things: list[ThingView]
    questions: int
    alone: int
    stays: list[ThingView]


class HandoverQuery(Query):
    """To whom: the id of a membership. Without it nothing is said of what can be handed over."""

    to: UUID | None = None


class HandoverBody(Body):
    """To whom (the id of a membership), why, and whether the member is taken out afterwards."""

    to: UUID
    reason: Annotated[str, Field(min_length=1, max_length=400, pattern=r"\S")]
    remove: bool = False


class HandedOver(View):
    """What became of it. `done`: how many things were handed over; `left`: some are left that can be, and the same
    again goes on with them. `refused`: what could not be. `removed`: the member was taken out."""

    done: int
    left: bool
    refused: list[ThingView]
    removed: bool


class Handover(ApiView):
    @operation(Action.MEMBERS_MANAGE, query=HandoverQuery, answer=HandoverView)
    def get(self, call: Call, *, member_id: UUID, query: HandoverQuery) -> HandoverView:
        """What hangs on a member, and what of it can be handed over to whom."""
        giver = _giver(call, member_id)
        pair = _Pair(call, giver, None if query.to is None else _heir(call, giver, query.to), "", _Tally(call))
        things = [one for kind in KINDS.values() for one in kind.list(pair)]
        questions, listed = _asked(pair, most=_MOST_LISTED)
        return HandoverView(
            things=[_view(one) for one in (*things, *listed)],
            questions=questions,
            alone=runtime_api.asked_alone(workspace_id=call.workspace.id, email=giver.user.email),
            stays=list(_stays(call, giver)),
        )

    @operation(
        Action.MEMBERS_MANAGE,
        body=HandoverBody,
        answer=HandedOver,
        also=(409,),
        repeat="stored_apart",
        does="member.handed_over",
    )
    def post(self, call: Call, *, member_id: UUID, body: HandoverBody) -> HandedOver:
        """Hand over everything that can be, each with a row of the record; then take the member out, where that is
        wanted and nothing is left. Given again, it goes on where it was."""
        tally = _Tally(call)
        if tally.far.removed:
            # All was done, and nobody heard of it.
            return HandedOver(done=tally.far.done, left=False, refused=tally.far.refused, removed=True)
        giver = _giver(call, member_id)
        pair = _Pair(call, giver, _heir(call, giver, body.to), body.reason.strip(), tally)
        if body.remove:
            _may_go(call, giver)
        work = _Work(pair, time.monotonic() + _LONGEST)
        work.do()
        if tally.far.told:
            call.deed.is_kept()
        elif tally.far.done:
            with call.deed.together():
                call.deed.note(count=tally.far.done)
                tally.keep(told=True)
        removed = body.remove and not work.left
        stayed = [_view(one) for one in work.refused]
        if removed:
            _remove(call, giver, lambda: tally.keep(told=True, removed=True, refused=stayed))
        return HandedOver(done=tally.far.done, left=work.left, refused=stayed, removed=removed)


class _Far(View):
    """How far a handing over has come: so many things are `done`; that is on record itself (`told`); and the member is
    taken out, with what could not be handed over."""

    done: int = 0
    told: bool = False
    removed: bool = False
    refused: list[ThingView] = []


class _Tally:
    """What has been done under the key of a request, by it and by those before it that died on the way."""

    def __init__(self, call: Call) -> None:
        self._progress = call.progress
        self.far = _Far() if call.progress.left is None else _Far.model_validate(call.progress.left)

    def keep(self, **more: Any) -> None:
        """Within the transaction that gets so far."""
        self._progress.keep(self.far.model_copy(update=more).model_dump(mode="json"))

    def one_more(self) -> None:
        """The same for a thing that is being handed over."""
        self.keep(done=self.far.done + 1)

    def count(self) -> None:
        """It is handed over."""
        self.far.done += 1


# --- who ----------------------------------------------------------------------------------------------------------


def _giver(call: Call, member_id: UUID) -> Membership:
    rows = Membership.objects.select_related("user", "workspace")
    found = rows.filter(workspace=call.workspace, pk=member_id).first()
    if found is None:
        raise not_here("member")
    return found


def _heir(call: Call, giver: Membership, member_id: UUID) -> Membership:
    found = next((one for one in selectors.active_members(workspace_id=call.workspace.id) if one.pk == member_id), None)
    if found is None:
        raise invalid({"to": ["This person is no member here."]})
    if found.pk == giver.pk:
        raise invalid({"to": ["Nobody hands over to themselves. Choose somebody else."]})
    return found


def _may_go(call: Call, giver: Membership) -> None:
    """Nothing is handed over because of somebody who cannot be taken out afterwards."""
    try:
        services.may_remove(workspace=call.workspace, membership_id=giver.pk)
    except AccountsRefused as error:
        raise refused(error) from error


def _remove(call: Call, giver: Membership, keep: Callable[[], None]) -> None:
    with call.deed.also("member.removed", {"member_id": giver.pk}, keep=keep):
        try:
            services.remove_member(workspace=call.workspace, membership_id=giver.pk)
        except AccountsRefused as error:
            raise refused(error) from error


# --- what ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """Who gives, who gets, and why. `heir` None: nobody is chosen yet."""

    call: Call
    giver: Membership
    heir: Membership | None
    reason: str
    tally: _Tally

    @property
    def here(self) -> UUID:
        return self.call.workspace.id

    @property
    def of(self) -> User:
        return self.giver.user

    @property
    def to(self) -> User:
        if self.heir is None:
            raise RuntimeError("Nobody is chosen.")
        return self.heir.user

    def lacks(self, action: Action) -> str:
        """Why the heir cannot have it: nothing, or a role that does not allow this."""
        if self.heir is None or allows(Role(self.heir.role), action, self.heir.user):
            return ""
        return "role"

    def deed(self, verb: str, said: Mapping[str, Any] | None = None) -> AbstractContextManager[Recording]:
        """Around what hands one thing over: its row, and how far we have come."""
        return self.call.deed.also(verb, said, keep=self.tally.one_more)

    def said(self, **ids: UUID) -> dict[str, Any]:
        """What the record says of each thing."""
        return {**ids, "of": called(self.of), "to": called(self.to), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class _Thing:
    kind: Kind
    id: UUID
    name: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How things of a kind are found, and handed over: False where it was not the member's any more."""

    list: Callable[[_Pair], Iterator[_Thing]]
    give: Callable[[_Pair, UUID], bool]


def _workflows(pair: _Pair) -> Iterator[_Thing]:
    why = pair.lacks(Action.WORKFLOW_EDIT)
    for id_, name in workflows.owned(workspace_id=pair.here, user_id=pair.of.id):
        yield _Thing("workflow", id_, name, why)


def _give_workflow(pair: _Pair, id_: UUID) -> bool:
    with pair.deed("workflow.handed_over", pair.said(workflow_id=id_)) as row:
        given = workflow_writes.hand_over(workflow_id=id_, of=pair.of, to=pair.to)
        if not given:
            row.nothing()
    return given


def _connections(pair: _Pair) -> Iterator[_Thing]:
    why = pair.lacks(Action.CONNECTION_MANAGE)
    for row in connections.owned(workspace_id=pair.here, user_id=pair.of.id):
        yield _Thing("connection", row.id, row.name, why)


def _give_connection(pair: _Pair, id_: UUID) -> bool:
    with pair.deed("connection.handed_over", pair.said(connection_id=id_)) as row:
        given = connections.hand_over(connection_id=id_, of=pair.of, to=pair.to)
        if not given:
            row.nothing()
    return given


def _views(of: ListName, kind: Kind, sees: Action) -> _Kind:
    """Searches of a list that are shared."""

    def find(pair: _Pair) -> Iterator[_Thing]:
        why = pair.lacks(sees)
        for row in saved_views.shared_by(of=of, workspace=pair.call.workspace, person=pair.of):
            yield _Thing(kind, row.id, row.name, why)

    def give(pair: _Pair, id_: UUID) -> bool:
        with pair.deed(f"{kind}.handed_over", pair.said(view_id=id_)) as row:
            given = saved_views.hand_over(view_id=id_, of=pair.of, to=pair.to)
            if not given:
                row.nothing()
        return given

    return _Kind(find, give)


def _groups(pair: _Pair) -> Iterator[_Thing]:
    for row in groups.left_alone(workspace_id=pair.here, membership_id=pair.giver.pk):
        yield _Thing("group", row.id, row.name)


def _give_group(pair: _Pair, id_: UUID) -> bool:
    with pair.deed("group.changed", {"group_id": id_}) as row:
        row.note(said={"reason": pair.reason})
        given = groups.let_in(workspace=pair.call.workspace, group_id=id_, membership_id=_heir_id(pair))
        if not given:
            row.nothing()
    return given


def _stood_in_for(pair: _Pair) -> Iterator[_Thing]:
    for one in absences.all_of(workspace_id=pair.here):
        if one.row.stand_in_id == pair.giver.pk:
            wrong = None if pair.heir is None else absences.why_not(row=one.row, stand_in=pair.heir)
            user = one.row.member.user
            yield _Thing("stand_in", one.row.member_id, user.name or user.email, "" if wrong is None else wrong.code)


def _give_standing_in(pair: _Pair, id_: UUID) -> bool:
    with pair.deed("absence.changed") as row:
        row.about(id_)
        row.look()
        row.note(said={"reason": pair.reason})
        given = absences.stand_in_instead(
            workspace=pair.call.workspace, membership_id=id_, of=pair.giver.pk, stand_in=_heir_id(pair)
        )
        if not given:
            row.nothing()
    return given


def _channels(pair: _Pair) -> Iterator[_Thing]:
    for one in runtime_api.alert_channels(workspace_id=pair.here):
        if pair.of.email in one.draft.people:
            yield _Thing("alert_channel", one.id, one.draft.name)


def _give_channel(pair: _Pair, id_: UUID) -> bool:
    if pair.of.email not in runtime_api.alert_channel(workspace_id=pair.here, channel_id=id_).draft.people:
        return False
    with pair.deed("alert_channel.changed", {"channel_id": id_}) as row:
        row.note(said={"reason": pair.reason})
        runtime_api.tell_another_instead(workspace_id=pair.here, channel_id=id_, of=pair.of.email, to=pair.to.email)
    return True


def _letters(pair: _Pair) -> Iterator[_Thing]:
    why = pair.lacks(Action.RUN_SEE)
    for one in runtime_api.sendings(workspace_id=pair.here, voter=_voter(pair.giver), whose="named"):
        yield _Thing("letters", one.id, one.title, why)


def _give_letters(pair: _Pair, id_: UUID) -> bool:
    said = {"sending_id": id_, "to": pair.to.email, "note": pair.reason}
    with pair.deed("letter_sending.handed_over", said):
        runtime_api.pass_letters_on(
            workspace_id=pair.here, sending_id=id_, to=pair.to.email, voter=asker(pair.call), of=pair.of.email
        )
    return True


KINDS: Final[Mapping[Kind, _Kind]] = MappingProxyType(
    {
        "workflow": _Kind(_workflows, _give_workflow),
        "connection": _Kind(_connections, _give_connection),
        "group": _Kind(_groups, _give_group),
        "stand_in": _Kind(_stood_in_for, _give_standing_in),
        "alert_channel": _Kind(_channels, _give_channel),
        "letters": _Kind(_letters, _give_letters),
        "run_view": _views("runs", "run_view", Action.RUN_SEE),
        "audit_view": _views("audit", "audit_view", Action.AUDIT_SEE),
    }
)


def _asked(pair: _Pair, *, after: UUID | None = None, most: int) -> tuple[int, list[_Thing]]:
    """How many open questions are the member's to answer, and the first of them."""
    heir = None if pair.heir is None else _voter(pair.heir)
    count, found = runtime_api.given_away(
        workspace_id=pair.here, of=_voter(pair.giver), heir=heir, after=after, most=most
    )
    return count, [_Thing("question", one.id, one.title, one.why) for one in found]


def _give_question(pair: _Pair, id_: UUID) -> bool:
    said = {"task_id": id_, "to": pair.to.email, "reason": pair.reason}
    with pair.deed("task.handed_over", said):
        runtime_api.hand_over(
            workspace_id=pair.here, task_id=id_, voter=asker(pair.call), to=pair.to.email, reason=pair.reason,
            of=_voter(pair.giver),
        )  # fmt: skip
    return True


def _stays(call: Call, giver: Membership) -> Iterator[ThingView]:
    """What nobody can be given: tokens act as the person, and what is drawn is for those who draw."""
    for token in access.tokens_of(workspace_id=call.workspace.id, user_id=giver.user_id, now=call.now):
        yield ThingView(kind="token", id=token.id, name=token.name, why=None)
    for id_, name in workflows.naming(workspace_id=call.workspace.id, emails=[giver.user.email]):
        yield ThingView(kind="step", id=id_, name=name, why=None)


def _voter(member: Membership) -> Voter:
    return voter_of(member.user, member.workspace_id, Role(member.role))


def _heir_id(pair: _Pair) -> UUID:
    if pair.heir is None:
        raise RuntimeError("Nobody is chosen.")
    found: UUID = pair.heir.pk
    return found


def _view(one: _Thing) -> ThingView:
    return ThingView(kind=one.kind, id=one.id, name=one.name, why=one.why or None)


# --- the work -----------------------------------------------------------------------------------------------------


class _Work:
    """Hands over one thing after the other, until its time is over."""

    def __init__(self, pair: _Pair, until: float) -> None:
        self.left = False
        self.refused: list[_Thing] = []
        self._pair = pair
        self._until = until

    def do(self) -> None:
        for kind in KINDS.values():
            looked_at: set[UUID] = set()
            # Of some things only so many are listed at once: what comes behind them is seen when they are gone.
            while found := [one for one in kind.list(self._pair) if one.id not in looked_at]:
                looked_at.update(one.id for one in found)
                for thing in found:
                    if not self._give(thing, kind.give):
                        return
        after: UUID | None = None
        while True:
            _, found = _asked(self._pair, after=after, most=_MOST_LISTED)
            if not found:
                return
            for thing in found:
                if not self._give(thing, _give_question):
                    return
            after = found[-1].id

    def _give(self, thing: _Thing, give: Callable[[_Pair, UUID], bool]) -> bool:
        """False where the time is over."""
        if thing.why:
            # Whatever the time: it is there the next time, too, and would keep the rest from its turn.
            self._refuse(thing)
            return True
        if time.monotonic() > self._until:
            self.left = True
            return False
        try:
            if give(self._pair, thing.id):
                self._pair.tally.count()
        except (AlreadyDecided, NotFound):
            # It is over, or gone, since it was looked at: nobody has to see to it any more.
            pass
        except AccountsRefused as error:
            self._refuse(replace(thing, why=error.code))
        except (NotAsked, RuntimeRefused):
            self._refuse(replace(thing, why="gone"))
        return True

    def _refuse(self, thing: _Thing) -> None:
        if len(self.refused) < _MOST_LISTED:
            self.refused.append(thing)
