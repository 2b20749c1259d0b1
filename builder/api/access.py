"""What a member can do here, and because of what."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from builder.accounts import absences, access, selectors
from builder.accounts.absences import Away
from builder.accounts.directory import voter_of
from builder.accounts.models import ApiToken, Group, Membership, Role, User
from builder.accounts.rights import Action, role_of
from builder.accounts.services import TOKEN_PREFIX
from builder.accounts.times import maybe, stamp
from builder.api.operation import ApiView, Call, View, operation
from builder.api.people import AskableGroup
from builder.api.problems import not_here
from builder.connections import services as connections
from builder.connections.models import Connection
from runtime import api as runtime_api

__all__ = ["AccessOfMember"]


class RightView(View):
    """Whether somebody may do something. `because`: role (theirs is enough) · other_role (it takes `least`) · off
    (they are switched off). `own_only`: of what is their own."""

    action: str
    may: bool
    least: str
    because: Literal["role", "other_role", "off"]
    own_only: bool


class StandsInView(View):
    """For whom somebody stands in: from `first_day` to `last_day`, days of the workspace; `now`: it has begun."""

    member: UUID
    name: str
    first_day: str
    last_day: str | None
    now: bool


class TokenOfMember(View):
    """A program's key that acts as somebody, without the key. `may`: the actions that it may do today."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    expires_at: str
    last_used_at: str | None
    may: list[str]


class AccessView(View):
    """What a member can do. `role`: theirs, which counts only while they are `active`. `groups`: in whose questions
    they have a voice. `stands_in_for`: whose questions they see while those are away. `away`: who sees theirs while
    they are away themselves. `questions`: how many open ones they are asked now. `instance_admin`: may make workspaces,
    and sees the installation's log."""

    member: UUID
    name: str
    email: str
    role: str
    active: bool
    instance_admin: bool
    last_seen_at: str | None
    rights: list[RightView]
    groups: list[AskableGroup]
    stands_in_for: list[StandsInView]
    away: StandsInView | None
    questions: int
    tokens: list[TokenOfMember]


class AccessOfMember(ApiView):
    @operation(Action.MEMBERS_MANAGE, answer=AccessView)
    def get(self, call: Call, *, member_id: UUID) -> AccessView:
        """What a member can do here, and because of what: their role, groups, absences, tokens."""
        found = selectors.member(workspace_id=call.workspace.id, membership_id=member_id)
        if found is None or found.user_id is None:
            raise not_here("member")
        user = User.objects.get(pk=found.user_id)
        role = role_of(user, call.workspace.id)
        here = call.workspace.id
        away = absences.all_of(workspace_id=here)
        asked = 0 if role is None else runtime_api.task_count(workspace_id=here, voter=voter_of(user, here, role))
        return AccessView(
            member=member_id,
            name=found.name,
            email=found.email,
            role=found.role,
            active=found.active,
            instance_admin=user.is_active and user.is_instance_admin,
            last_seen_at=maybe(found.last_seen_at),
            rights=[_right(one, user, role) for one in access.rights_of(user, role)],
            groups=[
                AskableGroup(id=one.id, name=one.name, count=one.members.filter(active=True).count())
                for one in Group.objects.filter(workspace_id=here, members=member_id).order_by("key")
            ],
            stands_in_for=[_stands_in(one) for one in away if _is_hand(one, member_id)],
            away=next((_hand(one, one.hand) for one in away if one.hand and _is_away(one, member_id)), None),
            questions=asked,
            tokens=[_token(row, role) for row in access.tokens_of(workspace_id=here, user_id=user.id, now=call.now)],
        )


def _right(one: access.Right, user: User, role: Role | None) -> RightView:
    own_only = False
    if one.may and one.action == Action.CONNECTION_MANAGE and role is not None:
        # One that nobody owns stands for those of others.
        own_only = not connections.may_manage(row=Connection(), user=user, role=role)
    return RightView(
        action=one.action.value, may=one.may, least=one.least.value, because=one.because, own_only=own_only
    )


def _is_hand(one: Away, member_id: UUID) -> bool:
    """Whether this member sees the questions of whoever is away, or will."""
    if one.holds:
        return one.hand is not None and one.hand.pk == member_id
    return one.row.stand_in_id == member_id


def _stands_in(one: Away) -> StandsInView:
    user = one.row.member.user
    return _days(one, one.row.member_id, user.name or user.email)


def _is_away(one: Away, member_id: UUID) -> bool:
    return one.holds and one.row.member_id == member_id


def _hand(one: Away, hand: Membership) -> StandsInView:
    return _days(one, hand.pk, hand.user.name or hand.user.email)


def _days(one: Away, member: UUID, name: str) -> StandsInView:
    last = one.row.last_day
    return StandsInView(
        member=member,
        name=name,
        first_day=one.row.first_day.isoformat(),
        last_day=None if last is None else last.isoformat(),
        now=one.holds,
    )


def _token(row: ApiToken, role: Role | None) -> TokenOfMember:
    return TokenOfMember(
        id=row.id,
        name=row.name,
        prefix=f"{TOKEN_PREFIX}…{row.last_four}",
        scopes=list(row.scopes),
        expires_at=stamp(row.expires_at),
        last_used_at=maybe(row.last_used_at),
        may=[action.value for action in access.may_by(row, role)],
    )
