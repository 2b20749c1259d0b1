"""What somebody may do here, and why: read from the one table of rights by the one function that reads it, and from
nothing else, so that what people are told is what will be answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from builder.accounts.models import ApiToken, Role, User
from builder.accounts.rights import RULES, Action, allows

__all__ = ["Right", "may_by", "rights_of", "tokens_of"]

#: `role`: theirs is enough. `other_role`: it is not. `off`: whoever is switched off may do nothing.
Because = Literal["role", "other_role", "off"]


@dataclass(frozen=True, slots=True)
class Right:
    """Whether somebody may do something, and because of what. `least`: the least role that may."""

    action: Action
    may: bool
    least: Role
    because: Because


def rights_of(user: User, role: Role | None) -> list[Right]:
    """Everything that needs a right, in the order of the table. `role`: what `rights.role_of` says of this person."""
    found = []
    for action, rule in RULES.items():
        may = allows(role, action, user)
        because: Because = "off" if role is None else "role" if may else "other_role"
        found.append(Right(action, may, rule.least, because))
    return found


def tokens_of(*, workspace_id: UUID, user_id: UUID, now: datetime) -> list[ApiToken]:
    """The tokens that act as this person and are still accepted, newest first."""
    rows = ApiToken.objects.filter(workspace_id=workspace_id, owner_id=user_id, revoked_at=None, expires_at__gt=now)
    return list(rows.select_related("owner").order_by("-pk"))


def may_by(token: ApiToken, role: Role | None) -> list[Action]:
    """What a program may do with this token, whose owner has this role."""
    return [action for action in RULES if allows(role, action, token)]
