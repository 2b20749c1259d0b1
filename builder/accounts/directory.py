"""Who can be asked: the builder's half of `runtime.ports.People`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import close_old_connections
from django.db import connection as database
from django.db.models import QuerySet

from builder.accounts import absences
from builder.accounts.groups import key_of
from builder.accounts.models import Group, Membership, Role, User
from builder.accounts.rights import Action, allows
from runtime.contracts import Absent, Addressee, Away, Person, StandIn, Voter
from runtime.ports import PeopleUnknown

_ROLES: Final = {
    Role.VIEWER: "Viewers",
    Role.REVIEWER: "Reviewers",
    Role.BUILDER: "Builders",
    Role.ADMIN: "Admins",
}


class Directory:
    """Looks it up each time: whoever has left a workspace or a group is gone at once."""

    def find(self, *, workspace_id: UUID, names: Sequence[str]) -> tuple[Addressee, ...]:
        """Whom these are. Raises PeopleUnknown."""
        here = _here(workspace_id)
        found = [(name, here.called(name)) for name in names]
        unknown = [name for name, one in found if one is None]
        if unknown:
            raise PeopleUnknown(unknown)
        return tuple({one.token: one for _, one in found if one is not None}.values())

    def known(self, *, workspace_id: UUID, tokens: Sequence[str]) -> tuple[Addressee, ...]:
        """The same of tokens, without those that mean nobody any more; of none: everybody."""
        here = _here(workspace_id)
        wanted = tokens or [row.user.email for row in here.members]
        found = (here.called(token) for token in wanted)
        return tuple({one.token: one for one in found if one is not None}.values())

    def voter(self, *, workspace_id: UUID, email: str) -> Voter | None:
        """Whoever has this address, if they are an active member."""
        _fresh()
        row = _active(workspace_id).filter(user__email=email.strip().lower()).first()
        return None if row is None else voter_of(row.user, workspace_id, Role(row.role))

    def mark(self, *, workspace_id: UUID) -> str | None:
        """Another text whenever somebody has come, left, or is asked by another way than before."""
        _fresh()
        people = list(_active(workspace_id).values_list("pk", "user_id", "user__email", "role"))
        inside = Group.members.through.objects.filter(group__workspace_id=workspace_id)
        pairs = sorted(inside.values_list("group_id", "membership_id"))
        return hashlib.sha256(repr((people, pairs)).encode()).hexdigest()

    def stand_ins(self, *, workspace_id: UUID, emails: Sequence[str]) -> tuple[StandIn, ...]:
        """Who decides right now in the place of those of these people who are away."""
        _fresh()
        wanted = {email.lower() for email in emails}
        found = []
        for one in absences.all_of(workspace_id=workspace_id):
            if one.holds and one.hand is not None and one.row.member.user.email in wanted:
                found.append(StandIn(absent_of(one), _hand(one, one.hand)))
        return tuple(found)

    def absences(self) -> tuple[Away, ...]:
        """Everybody who is away right now, in all workspaces."""
        _fresh()
        found = []
        for workspace_id in absences.workspaces():
            for one in absences.all_of(workspace_id=workspace_id):
                if one.holds:
                    hand = None if one.hand is None else _hand(one, one.hand)
                    found.append(Away(workspace_id, absent_of(one), absences.since(one.row), hand))
        return tuple(found)


def _hand(one: absences.Away, hand: Membership) -> Person:
    """Who stands in; of the same workspace, which is not read again."""
    hand.workspace = one.row.member.workspace
    return _person(hand)


def absent_of(one: absences.Away) -> Absent:
    """Somebody who is away, as the runtime knows them."""
    user = one.row.member.user
    last = one.row.last_day
    return Absent(user.id, user.email, user.name or user.email, None if last is None else last.isoformat())


def voter_of(user: User, workspace_id: UUID, role: Role, *, may_retry: bool | None = None) -> Voter:
    """A member as somebody who answers questions, with all by which they can be asked."""
    groups = Group.objects.filter(members__user=user, members__active=True, workspace_id=workspace_id)
    away = absences.all_of(workspace_id=workspace_id)
    stands_for = tuple(
        absent_of(one) for one in away if one.holds and one.hand is not None and one.hand.user_id == user.id
    )
    return Voter(
        user.id,
        user.name or user.email,
        user.email,
        tuple(groups.values_list("id", flat=True)),
        str(role),
        allows(role, Action.RUN_RETRY, user) if may_retry is None else may_retry,
        stands_for,
    )


def labels(*, workspace_id: UUID, tokens: Iterable[str]) -> dict[str, str]:
    """What people call these: names of people and groups, whether or not they are still here."""
    wanted = set(tokens)
    emails = {one for one in wanted if "@" in one}
    named = User.objects.filter(email__in=emails, memberships__workspace_id=workspace_id)
    found = {email: name or email for email, name in named.values_list("email", "name")}
    if any(one.startswith("group:") for one in wanted):
        rows = Group.objects.filter(workspace_id=workspace_id).values_list("id", "name")
        found |= {f"group:{group_id}": name for group_id, name in rows}
    found |= {f"role:{role}": label for role, label in _ROLES.items()}
    return {one: found.get(one, one) for one in wanted}


@dataclass(frozen=True, slots=True)
class _Here:
    members: list[Membership]
    groups: list[Group]

    def called(self, name: str) -> Addressee | None:
        if "@" in name:
            email = name.lower()
            row = next((one for one in self.members if one.user.email == email), None)
            return None if row is None else Addressee(email, row.user.name or email, (_person(row),))
        if name.startswith("role:"):
            role = name.removeprefix("role:")
            if role not in Role.values:
                return None
            people = tuple(_person(row) for row in self.members if row.role == role)
            return Addressee(f"role:{role}", _ROLES[Role(role)], people)
        group = self._group(name)
        if group is None:
            return None
        inside = {row.pk for row in group.members.all()}
        return Addressee(
            f"group:{group.id}", group.name, tuple(_person(row) for row in self.members if row.pk in inside)
        )

    def _group(self, name: str) -> Group | None:
        if name.startswith("group:"):
            return next((one for one in self.groups if name == f"group:{one.id}"), None)
        key = key_of(name)
        for one in self.groups:
            if one.key == key:
                return one
        return next((one for one in self.groups if key in one.former_keys), None)


def _here(workspace_id: UUID) -> _Here:
    _fresh()
    groups = Group.objects.filter(workspace_id=workspace_id).prefetch_related("members")
    return _Here(list(_active(workspace_id)), list(groups))


def _active(workspace_id: UUID) -> QuerySet[Membership]:
    return (
        Membership.objects.filter(workspace_id=workspace_id, active=True, user__is_active=True)
        .select_related("user", "workspace")
        .order_by("user__email")
    )


def _fresh() -> None:
    if not database.in_atomic_block:
        # Threads of the runtime live long; a connection that broke since must not fail this question.
        close_old_connections()


def _person(row: Membership) -> Person:
    user = row.user
    return Person(
        user.id, user.email, user.name or user.email, user.language or row.workspace.language, row.workspace.time_zone
    )
