"""Every read about people and workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from builder.accounts.models import ApiToken, Invitation, Membership, User, Workspace


@dataclass(frozen=True, slots=True)
class Member:
    """A member, or somebody invited who has not answered yet (`invited`, with the invitation's id)."""

    id: UUID
    user_id: UUID | None
    name: str
    email: str
    role: str
    active: bool
    invited: bool
    last_seen_at: datetime | None
    #: Whether signing in asks for a code of theirs, too.
    second_factor: bool


def memberships_of(user: User) -> list[Membership]:
    """The workspaces this person may enter, oldest first."""
    return list(
        Membership.objects.filter(user=user, active=True).select_related("workspace").order_by("workspace__created_at")
    )


def workspace(workspace_id: UUID) -> Workspace | None:
    """The workspace with this id."""
    return Workspace.objects.filter(pk=workspace_id).first()


def members(*, workspace_id: UUID, now: datetime, after: UUID | None = None, most: int) -> list[Member]:
    """People in the workspace and people invited, newest first, those who came before `after`."""
    rows = Membership.objects.filter(workspace_id=workspace_id).select_related("user__second_factor")
    offers = Invitation.objects.filter(workspace_id=workspace_id, accepted_at=None, expires_at__gt=now)
    if after is not None:
        rows, offers = rows.filter(pk__lt=after), offers.filter(pk__lt=after)
    both = [_member(row) for row in rows.order_by("-pk")[:most]]
    both += [_invited(row) for row in offers.order_by("-pk")[:most]]
    return sorted(both, key=lambda member: member.id, reverse=True)[:most]


def active_members(*, workspace_id: UUID) -> list[Membership]:
    """Those who may enter the workspace today, by name."""
    rows = Membership.objects.filter(workspace_id=workspace_id, active=True, user__is_active=True)
    return list(rows.select_related("user").order_by("user__name", "user__email"))


def member(*, workspace_id: UUID, membership_id: UUID) -> Member | None:
    """One member; nobody who is only invited."""
    found = Membership.objects.filter(workspace_id=workspace_id, pk=membership_id)
    row = found.select_related("user__second_factor").first()
    return None if row is None else _member(row)


def _member(row: Membership) -> Member:
    return Member(
        id=row.id,
        user_id=row.user_id,
        name=row.user.name,
        email=row.user.email,
        role=row.role,
        active=row.active and row.user.is_active,
        invited=False,
        last_seen_at=row.user.last_login,
        second_factor=hasattr(row.user, "second_factor"),
    )


def _invited(row: Invitation) -> Member:
    return Member(
        id=row.id,
        user_id=None,
        name="",
        email=row.email,
        role=row.role,
        active=False,
        invited=True,
        last_seen_at=None,
        second_factor=False,
    )


def tokens(*, workspace_id: UUID, after: UUID | None = None, most: int) -> list[ApiToken]:
    """The workspace's living tokens, newest first, those made before `after`."""
    rows = ApiToken.objects.filter(workspace_id=workspace_id, revoked_at=None).select_related("owner")
    return list((rows.filter(pk__lt=after) if after else rows).order_by("-pk")[:most])


def names_of(user_ids: set[UUID]) -> dict[UUID, str]:
    """The names of these people."""
    if not user_ids:
        return {}
    return dict(User.objects.filter(pk__in=user_ids).values_list("id", "name"))


def token(*, workspace_id: UUID, token_id: UUID) -> ApiToken | None:
    """The token, if this workspace has it and it was not revoked."""
    rows = ApiToken.objects.select_related("owner")
    return rows.filter(workspace_id=workspace_id, pk=token_id, revoked_at=None).first()
