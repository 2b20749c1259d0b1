"""Being away: who is, from when until when, and who sees their questions meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from builder.accounts import absences
from builder.accounts.absences import Away
from builder.accounts.models import Membership, Role
from builder.accounts.rights import Action
from builder.accounts.services import AccountsRefused
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import not_here
from builder.api.session import refused
from builder.api.shapes import Items


class AwayMember(View):
    """One of two: `member`: the id of the membership."""

    member: UUID
    name: str
    me: bool


class AbsenceView(View):
    """That somebody is away: from `first_day` to `last_day`, both of them included, in the workspace's time zone;
    `last_day` null: nobody knows until when. `holds`: it has begun. `stand_in`: who was named, null once they have
    left. `hand`: who sees the questions, which is somebody else where the stand-in is away as well; null where nobody
    does, and then `why` says it: left · away. `note`: for the person themselves, who stands in, and admins; else
    empty."""

    who: AwayMember
    first_day: str
    last_day: str | None
    holds: bool
    stand_in: AwayMember | None
    hand: AwayMember | None
    why: str
    note: str


class AbsenceBody(Body):
    """From when until when, both days included (`last_day` null: open-ended), and who stands in: the id of a
    membership."""

    first_day: date
    last_day: date | None = None
    stand_in: UUID
    note: Annotated[str, Field(max_length=400)] = ""


class Absences(ApiView):
    @operation(Action.PEOPLE_SEE, answer=Items[AbsenceView])
    def get(self, call: Call) -> Items[AbsenceView]:
        """Who is away, or will be, by when that begins."""
        return Items[AbsenceView](items=[_view(call, one) for one in absences.all_of(workspace_id=call.workspace.id)])


class MyAbsence(ApiView):
    @operation(
        Action.ABSENCE_SAY, body=AbsenceBody, answer=AbsenceView, status=201, also=(409,), repeat="stored",
        does="absence.said",
    )  # fmt: skip
    def post(self, call: Call, *, body: AbsenceBody) -> AbsenceView:
        """Say that one is away, and who sees one's questions meanwhile."""
        return _put(call, _own(call), body, absences.say)

    @operation(Action.ABSENCE_SAY, body=AbsenceBody, answer=AbsenceView, repeat="stored", does="absence.changed")
    def put(self, call: Call, *, body: AbsenceBody) -> AbsenceView:
        """Be away at another time, or let somebody else stand in."""
        return _put(call, _own(call), body, absences.change)

    @operation(Action.ABSENCE_SAY, repeat="stored", does="absence.ended")
    def delete(self, call: Call) -> None:
        """Be here again, or not go: all questions are one's own at once."""
        _end(call, _own(call))


class AbsenceOfMember(ApiView):
    @operation(
        Action.MEMBERS_MANAGE, body=AbsenceBody, answer=AbsenceView, status=201, also=(409,), repeat="stored",
        does="absence.said",
    )  # fmt: skip
    def post(self, call: Call, *, member_id: UUID, body: AbsenceBody) -> AbsenceView:
        """Say of a member that they are away, and who sees their questions meanwhile."""
        return _put(call, member_id, body, absences.say)

    @operation(Action.MEMBERS_MANAGE, body=AbsenceBody, answer=AbsenceView, repeat="stored", does="absence.changed")
    def put(self, call: Call, *, member_id: UUID, body: AbsenceBody) -> AbsenceView:
        """Say that they are away at another time, or that somebody else stands in."""
        return _put(call, member_id, body, absences.change)

    @operation(Action.MEMBERS_MANAGE, repeat="stored", does="absence.ended")
    def delete(self, call: Call, *, member_id: UUID) -> None:
        """Say that they are here again, or do not go."""
        _end(call, member_id)


def _own(call: Call) -> UUID:
    found = Membership.objects.filter(workspace=call.workspace, user=call.person).values_list("pk", flat=True).first()
    if found is None:
        raise not_here("member")
    return found


def _put(call: Call, member_id: UUID, body: AbsenceBody, put: Callable[..., Any]) -> AbsenceView:
    call.deed.about(member_id)
    call.deed.look()
    try:
        put(
            workspace=call.workspace, membership_id=member_id, first_day=body.first_day, last_day=body.last_day,
            stand_in=body.stand_in, note=body.note,
        )  # fmt: skip
    except AccountsRefused as error:
        raise refused(error) from error
    found = absences.of_member(workspace_id=call.workspace.id, membership_id=member_id)
    if found is None:
        raise not_here("absence")
    return _view(call, found)


def _end(call: Call, member_id: UUID) -> None:
    call.deed.about(member_id)
    call.deed.look()
    try:
        absences.end(workspace=call.workspace, membership_id=member_id)
    except AccountsRefused as error:
        raise refused(error) from error


def _view(call: Call, one: Away) -> AbsenceView:
    row = one.row
    near = {row.member.user_id, *(each.user_id for each in (row.stand_in, one.hand) if each is not None)}
    return AbsenceView(
        who=_member(call, row.member),
        first_day=row.first_day.isoformat(),
        last_day=None if row.last_day is None else row.last_day.isoformat(),
        holds=one.holds,
        stand_in=None if row.stand_in is None else _member(call, row.stand_in),
        hand=None if one.hand is None else _member(call, one.hand),
        why=one.why,
        note=row.note if call.person.id in near or call.role == Role.ADMIN else "",
    )


def _member(call: Call, row: Membership) -> AwayMember:
    return AwayMember(member=row.pk, name=row.user.name or row.user.email, me=row.user_id == call.person.id)
