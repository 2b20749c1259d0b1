"""Erasing a person: the account stays, so that what it did stays told, and says nothing of who it was."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import F

from builder.accounts.models import (
    Absence,
    ApiToken,
    Invitation,
    Membership,
    Role,
    SecondFactor,
    StartPage,
    User,
    Workspace,
)
from builder.accounts.services import AccountsRefused
from runtime.contracts.people import Erased

__all__ = ["Found", "erase", "look", "shut_out"]

#: An address that nobody can have (RFC 2606).
_NOWHERE: Final = "erased.invalid"


@dataclass(frozen=True, slots=True)
class Found:
    """Who is to be erased; `ids`: by which the person, and memberships of theirs, are told of."""

    user: User
    person: Erased
    ids: frozenset[str]


def look(*, workspace: Workspace, membership_id: UUID, by: User) -> Found:
    """Raises AccountsRefused where this person may not be erased by this one."""
    member = Membership.objects.select_related("user").filter(workspace=workspace, pk=membership_id).first()
    if member is None:
        raise AccountsRefused("not_found", "There is no such member here.", status=404)
    user = member.user
    if user.pk == by.pk:
        raise AccountsRefused("not_oneself", "Nobody erases themselves. Ask another admin.", status=409)
    elsewhere = Membership.objects.filter(user=user).exclude(workspace=workspace)
    if elsewhere.exists() and not by.is_instance_admin:
        raise AccountsRefused(
            "elsewhere_too", "This person belongs to other workspaces, too. Only an admin of the instance erases them.",
            status=409,
        )  # fmt: skip
    if user.is_instance_admin and not by.is_instance_admin:
        raise AccountsRefused("instance_admin", "Only an admin of the instance erases one.", status=409)
    _keep_admins(user)
    short = user.pk.hex[-6:]
    person = Erased(
        id=user.pk,
        names=frozenset({user.name} - {""}),
        emails=frozenset({user.email}),
        pseudonym=f"Erased person {short}",
        email_then=f"erased-{user.pk.hex[-12:]}@{_NOWHERE}",
    )
    memberships = Membership.objects.filter(user=user).values_list("pk", flat=True)
    return Found(user, person, frozenset({str(user.pk), *map(str, memberships)}))


def shut_out(found: Found) -> bool:
    """Take away the person's way in, and what they may do, before anything is rewritten: so nothing that names them is
    written behind what was looked through, and of two admins who are erased at once one stays. Within a transaction.
    False where they had none any more.

    Raises AccountsRefused where they have become the last admin meanwhile."""
    user = found.user
    # As whoever changes members: the workspace's row is the turnstile. In one order, so that nobody waits for ever.
    mine = Membership.objects.filter(user=user).values("workspace")
    list(Workspace.objects.select_for_update().filter(pk__in=mine).order_by("pk").values_list("pk"))
    if user.is_instance_admin:
        list(User.objects.select_for_update().filter(is_instance_admin=True).order_by("pk").values_list("pk"))
    _keep_admins(user)
    had = User.objects.filter(pk=user.pk, is_active=True).update(
        is_active=False, is_instance_admin=False, session_generation=F("session_generation") + 1
    )
    return bool(Membership.objects.filter(user=user, active=True).update(active=False) + had)


def _keep_admins(user: User) -> None:
    """Raise AccountsRefused where a workspace, or the instance, would be left without an admin."""
    for one in Membership.objects.filter(user=user, role=Role.ADMIN, active=True).select_related("workspace"):
        others = Membership.objects.filter(workspace=one.workspace, role=Role.ADMIN, active=True, user__is_active=True)
        if not others.exclude(user=user).exists():
            raise AccountsRefused(
                "last_admin", f"{one.workspace.name} needs an admin: name another one first.", status=409
            )
    admins = User.objects.filter(is_instance_admin=True, is_active=True)
    if admins.filter(pk=user.pk).exists() and not admins.exclude(pk=user.pk).exists():
        raise AccountsRefused("last_admin", "The instance needs an admin: name another one first.", status=409)


def with_names(person: Erased, names: set[str]) -> Erased:
    """The same, known by further names. An address that was shown in place of a name is none."""
    return dataclasses.replace(person, names=frozenset(name for name in person.names | names if "@" not in name))


def erase(found: Found, person: Erased) -> None:
    """The account, within the caller's transaction: no name, no address, no way in."""
    user = found.user
    user.name, user.email, user.is_active, user.is_instance_admin = person.pseudonym, person.email_then, False, False
    user.theme, user.language, user.start_page = "system", "", StartPage.HOME
    user.set_unusable_password()
    user.session_generation = F("session_generation") + 1
    user.save()
    for member in Membership.objects.filter(user=user):
        member.groups.clear()
    Absence.objects.filter(member__user=user).delete()
    Absence.objects.filter(stand_in__user=user).update(stand_in=None)
    Membership.objects.filter(user=user).update(active=False, role=Role.VIEWER)
    Invitation.objects.filter(email__in=person.emails).delete()
    ApiToken.objects.filter(owner=user).delete()
    SecondFactor.objects.filter(user=user).delete()
