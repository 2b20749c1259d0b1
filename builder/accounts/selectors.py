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


def memberships_of(user: User) -> list[Membership]:
    """The workspaces this person may enter, oldest first."""
    return list(
        Membership.objects.filter(user=user, active=True).select_related("workspace").order_by("workspace__created_at")
    )


def workspace(workspace_id: UUID) -> Workspace | None:
    """The workspace with this id."""
    return Workspace.objects.filter(pk=workspace_id).first()


def members(*, workspace_id: UUID, now: datetime) -> list[Member]:
    """Everybody in the workspace and everybody invited, by name."""
    here = [
        Member(
            id=row.id,
            user_id=row.user_id,
            name=row.user.name,
            email=row.user.email,
            role=row.role,
            active=row.active and row.user.is_active,
            invited=False,
            last_seen_at=row.user.last_login,
        )
        for row in Membership.objects.filter(workspace_id=workspace_id).select_related("user")
    ]
    invited = [
        Member(
            id=row.id,
            user_id=None,
            name="",
            email=row.email,
            role=row.role,
            active=False,
            invited=True,
            last_seen_at=None,
        )
        for row in Invitation.objects.filter(workspace_id=workspace_id, accepted_at=None, expires_at__gt=now)
    ]
    return sorted(here + invited, key=lambda member: (member.invited, member.name.lower(), member.email))


def member(*, workspace_id: UUID, membership_id: UUID, now: datetime) -> Member | None:
    """One of `members`."""
    return next((m for m in members(workspace_id=workspace_id, now=now) if m.id == membership_id), None)


def tokens(*, workspace_id: UUID) -> list[ApiToken]:
    """The workspace's living tokens, newest first."""
    rows = ApiToken.objects.filter(workspace_id=workspace_id, revoked_at=None).select_related("owner")
    return list(rows.order_by("-created_at"))


def names_of(user_ids: set[UUID]) -> dict[UUID, str]:
    """The names of these people."""
    if not user_ids:
        return {}
    return dict(User.objects.filter(pk__in=user_ids).values_list("id", "name"))
