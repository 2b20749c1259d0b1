"""Every write about people and workspaces: keyword-only, one transaction each, errors beside what raises them."""

from __future__ import annotations

import hashlib
import secrets
import zoneinfo
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F

from builder.accounts.giving import give
from builder.accounts.models import ApiToken, Invitation, Membership, Role, Setup, StartPage, User, Workspace
from builder.accounts.rights import Scope

INVITATION_DAYS: Final = 7
LONGEST_TOKEN_DAYS: Final = 365


class AccountsRefused(Exception):
    """A write about people that cannot be done. `field` names the value to change, where there is one."""

    def __init__(self, code: str, message: str, *, field: str = "", status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.status = status


class SetupClosed(AccountsRefused):
    """The first-run link was used, or another one was made since."""

    def __init__(self, used_at: datetime | None) -> None:
        super().__init__("setup_closed", "This link was already used or is no longer good.", status=403)
        self.used_at = used_at


# --- first run --------------------------------------------------------------------------------------------------


def setup_required() -> bool:
    """Whether nobody has claimed this instance yet."""
    return not User.objects.exists()


@transaction.atomic
def open_setup(*, now: datetime) -> str | None:
    """A new first-run token, which replaces any earlier one; None once somebody has set the instance up."""
    if not setup_required():
        return None
    token = secrets.token_urlsafe(32)
    Setup.objects.update_or_create(id=1, defaults={"token_sha256": digest(token), "created_at": now, "used_at": None})
    return token


def setup_token_fits(token: str) -> bool:
    """Whether this is the open first-run token; used by the system check, which comes before the account."""
    return setup_required() and Setup.objects.filter(token_sha256=digest(token), used_at=None).exists()


@transaction.atomic
def set_up(
    *,
    token: str,
    name: str,
    email: str,
    password: str,
    workspace_name: str,
    language: str,
    time_zone: str,
    currency: str,
    now: datetime,
) -> tuple[User, Workspace]:
    """Claim the instance: the first person and the first workspace. Of two at once, one wins."""
    # Compare and set before anything else: the second claimant waits here and then finds the token used.
    if not Setup.objects.filter(id=1, token_sha256=digest(token), used_at=None).update(used_at=now):
        used = Setup.objects.filter(id=1).values_list("used_at", flat=True).first()
        raise SetupClosed(used)
    if not setup_required():
        raise SetupClosed(None)
    user = make_user(name=name, email=email, password=password, is_instance_admin=True)
    waiting = Workspace.objects.filter(memberships=None).order_by("created_at").first()
    if waiting is None:
        return user, make_workspace(
            name=workspace_name, language=language, time_zone=time_zone, currency=currency, admin=user
        )
    workspace = change_workspace(
        workspace=waiting, name=workspace_name, language=language, time_zone=time_zone, currency=currency
    )
    Membership.objects.create(user=user, workspace=workspace, role=Role.ADMIN)
    return user, workspace


@transaction.atomic
def waiting_workspace(*, now: datetime) -> tuple[Workspace, bool] | None:
    """The workspace that waits for the first person, and whether it was made just now; None once somebody is here.

    It exists before its people do, so that the example can be installed, published and fired at the first start.
    """
    if not setup_required():
        return None
    waiting = Workspace.objects.filter(memberships=None).order_by("created_at").first()
    if waiting is not None:
        return waiting, False
    return Workspace.objects.create(name="My workspace", created_at=now), True


# --- people and workspaces --------------------------------------------------------------------------------------


def make_user(*, name: str, email: str, password: str, is_instance_admin: bool = False) -> User:
    """A person who can sign in. Raises AccountsRefused naming the field."""
    email = checked_email(email)
    check_password_strength(password, User(email=email, name=name))
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name.strip(), is_instance_admin=is_instance_admin)
    except IntegrityError as error:
        raise AccountsRefused("email_taken", "Somebody here has this e-mail address already.", field="email") from error


@transaction.atomic
def make_workspace(*, name: str, language: str, time_zone: str, currency: str, admin: User) -> Workspace:
    """A workspace with its first admin."""
    workspace = Workspace(
        name=name.strip(), language=language, time_zone=checked_time_zone(time_zone), currency=currency.upper()
    )
    workspace.save()
    Membership.objects.create(user=admin, workspace=workspace, role=Role.ADMIN)
    return workspace


def change_workspace(
    *,
    workspace: Workspace,
    name: str | None = None,
    language: str | None = None,
    time_zone: str | None = None,
    currency: str | None = None,
    sensitive_fields: Sequence[str] | None = None,
) -> Workspace:
    """Change what is given, leave the rest."""
    values = {
        "name": None if name is None else name.strip(),
        "language": language,
        "time_zone": None if time_zone is None else checked_time_zone(time_zone),
        "currency": None if currency is None else currency.upper(),
        "sensitive_fields": None
        if sensitive_fields is None
        else list(dict.fromkeys(one.strip() for one in sensitive_fields)),
    }
    give(workspace, values)
    return workspace


@transaction.atomic
def change_me(
    *,
    user: User,
    name: str | None = None,
    theme: str | None = None,
    language: str | None = None,
    undo_seconds: int | None = None,
    start_page: StartPage | None = None,
    password: str | None = None,
    current_password: str | None = None,
) -> User:
    """Change one's own profile; a new password ends all other sessions."""
    fields = []
    if name is not None:
        user.name = name.strip()
        fields.append("name")
    if theme is not None:
        user.theme = theme
        fields.append("theme")
    if language is not None:
        user.language = language
        fields.append("language")
    if undo_seconds is not None:
        user.undo_seconds = undo_seconds
        fields.append("undo_seconds")
    if start_page is not None:
        user.start_page = start_page
        fields.append("start_page")
    if password is not None:
        if not user.check_password(current_password or ""):
            raise AccountsRefused("wrong_password", "This is not your present password.", field="current_password")
        check_password_strength(password, user)
        user.set_password(password)
        user.session_generation += 1
        fields += ["password", "session_generation"]
    if fields:
        user.save(update_fields=fields)
    return user


# --- members ----------------------------------------------------------------------------------------------------


@transaction.atomic
def change_member(
    *, workspace: Workspace, membership_id: UUID, role: Role | None = None, active: bool | None = None
) -> Membership:
    """Change a member's role or switch them off; the last active admin stays."""
    membership = _locked(workspace, membership_id)
    if role is not None:
        membership.role = role
    if active is not None:
        membership.active = active
    _keep_an_admin(workspace, membership)
    membership.save(update_fields=["role", "active"])
    if active is False:
        end_sessions(membership.user_id)
    return membership


@transaction.atomic
def remove_member(*, workspace: Workspace, membership_id: UUID) -> None:
    """Take a person out of the workspace; their sessions end, their work stays."""
    membership = _locked(workspace, membership_id)
    membership.active = False
    _keep_an_admin(workspace, membership)
    end_sessions(membership.user_id)
    membership.delete()


@transaction.atomic
def may_remove(*, workspace: Workspace, membership_id: UUID) -> None:
    """Raises AccountsRefused where this person cannot be taken out as things are."""
    membership = _locked(workspace, membership_id)
    membership.active = False
    _keep_an_admin(workspace, membership)


@transaction.atomic
def invite(*, workspace: Workspace, email: str, role: Role, by: User, now: datetime) -> tuple[Invitation, str]:
    """An invitation and its token, which is shown once. A new one for the same address replaces the earlier."""
    email = checked_email(email)
    if Membership.objects.filter(workspace=workspace, user__email=email).exists():
        raise AccountsRefused("already_member", "This person is a member already.", field="email")
    Invitation.objects.filter(workspace=workspace, email=email, accepted_at=None).delete()
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        workspace=workspace,
        email=email,
        role=role,
        token_sha256=digest(token),
        invited_by=by,
        created_at=now,
        expires_at=now + timedelta(days=INVITATION_DAYS),
    )
    return invitation, token


def withdraw(*, workspace: Workspace, invitation_id: UUID) -> bool:
    """Withdraw an open invitation; False where this workspace has no such one."""
    open_ones = Invitation.objects.filter(workspace=workspace, pk=invitation_id, accepted_at=None)
    return bool(open_ones.delete()[0])


def invited_account(*, token: str) -> str | None:
    """Whose account an open invitation is for, by address; None where it is none, or for a newcomer."""
    invitation = Invitation.objects.filter(token_sha256=digest(token), accepted_at=None).first()
    if invitation is None or not User.objects.filter(email=invitation.email).exists():
        return None
    return invitation.email


@transaction.atomic
def accept_invitation(*, token: str, name: str, password: str, now: datetime) -> Membership:
    """Join by an invitation. A newcomer gets an account; who has one already proves it with its password."""
    refused = AccountsRefused(
        "invitation_closed", "This invitation was used, has expired or was withdrawn.", status=403
    )
    invitation = Invitation.objects.filter(token_sha256=digest(token)).select_related("workspace").first()
    if invitation is None or invitation.expires_at <= now:
        raise refused
    if not Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=now):
        raise refused
    user = User.objects.filter(email=invitation.email).first()
    if user is None:
        if not name.strip():
            raise AccountsRefused("name_missing", "Tell your colleagues your name.", field="name")
        user = make_user(name=name, email=invitation.email, password=password)
    elif not user.is_active or not user.check_password(password):
        raise AccountsRefused(
            "wrong_password",
            "You have an account here already: enter its password to join.",
            field="password",
        )
    member, _ = Membership.objects.update_or_create(
        user=user, workspace=invitation.workspace, defaults={"role": invitation.role, "active": True}
    )
    return member


# --- tokens -----------------------------------------------------------------------------------------------------


class TokenReplaced(Exception):
    """Another token is in place of this one already, or it was revoked."""


TOKEN_PREFIX: Final = "mlr_"


def make_token(
    *, workspace: Workspace, owner: User, name: str, scopes: Sequence[Scope], days: int, now: datetime
) -> tuple[ApiToken, str]:
    """A token row and the token itself, which is never kept."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        workspace=workspace,
        owner=owner,
        name=name.strip(),
        scopes=sorted({str(scope) for scope in scopes}),
        token_sha256=digest(token),
        last_four=token[-4:],
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return row, token


def revoke_token(*, workspace: Workspace, token_id: UUID, now: datetime) -> bool:
    """End a token at once; False where this workspace has no such token."""
    row = ApiToken.objects.filter(workspace=workspace, pk=token_id).first()
    if row is None:
        return False
    if row.revoked_at is None:
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
    return True


def replace_token(*, row: ApiToken, hours: int, days: int, now: datetime) -> tuple[ApiToken, str]:
    """A new token that may do the same, as the same person; the present one goes on being accepted for so many hours,
    or until it expires by itself. Within a transaction. Raises TokenReplaced."""
    row = ApiToken.objects.select_for_update(of=("self",)).select_related("owner", "workspace").get(pk=row.pk)
    if row.replaced_by_id is not None or row.revoked_at is not None:
        raise TokenReplaced
    made, token = make_token(
        workspace=row.workspace,
        owner=row.owner,
        name=row.name,
        scopes=[Scope(one) for one in row.scopes],
        days=days,
        now=now,
    )
    row.replaced_by = made
    row.expires_at = min(row.expires_at, now + timedelta(hours=hours))
    if hours == 0:
        row.revoked_at = now
    row.save(update_fields=["replaced_by", "expires_at", "revoked_at"])
    return made, token


def token_row(
    token: str, *, now: datetime, first_today: Callable[[ApiToken], None] = lambda _row: None
) -> ApiToken | None:
    """The living token with this text; notes that it was used, at most once a minute. `first_today`: told, in the same
    transaction, of the first time in a day (UTC)."""
    if not token.startswith(TOKEN_PREFIX) or len(token) > 100:
        return None
    row = ApiToken.objects.select_related("owner").filter(token_sha256=digest(token), revoked_at=None).first()
    if row is None or row.expires_at <= now or not row.owner.is_active:
        return None
    if row.last_used_at is None or now - row.last_used_at > timedelta(minutes=1):
        with transaction.atomic():
            noted = ApiToken.objects.filter(pk=row.pk, last_used_at=row.last_used_at).update(last_used_at=now)
            if noted and (row.last_used_at is None or row.last_used_at.date() < now.date()):
                first_today(row)
    return row


# --- shared -----------------------------------------------------------------------------------------------------


def digest(token: str) -> str:
    """What is kept of a random token: 256 bits of entropy need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def checked_email(email: str) -> str:
    """The address in small letters; raises AccountsRefused where it is none."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise AccountsRefused("email_invalid", "This is not an e-mail address.", field="email") from error
    if len(email) > 254:
        raise AccountsRefused("email_invalid", "This e-mail address is too long.", field="email")
    return email


def checked_time_zone(name: str) -> str:
    """The name of a known time zone; raises AccountsRefused otherwise."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise AccountsRefused("time_zone_unknown", "There is no such time zone.", field="time_zone") from error
    return name


def check_password_strength(password: str, user: User) -> None:
    """Raises AccountsRefused for a password that is short, common or like the name."""
    if len(password) > 1000:
        raise AccountsRefused("password_weak", "This password is too long.", field="password")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise AccountsRefused("password_weak", " ".join(error.messages), field="password") from error


def _locked(workspace: Workspace, membership_id: UUID) -> Membership:
    # Two admins who demote each other at the same moment must queue up: the workspace's row is the turnstile.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    membership = Membership.objects.select_related("user").filter(workspace=workspace, pk=membership_id).first()
    if membership is None:
        raise AccountsRefused("not_found", "There is no such member here.", status=404)
    return membership


def _keep_an_admin(workspace: Workspace, changed: Membership) -> None:
    if changed.active and changed.role == Role.ADMIN:
        return
    others = Membership.objects.filter(workspace=workspace, role=Role.ADMIN, active=True, user__is_active=True)
    if not others.exclude(pk=changed.pk).exists():
        raise AccountsRefused("last_admin", "A workspace needs an admin: name another one first.", status=409)


def end_sessions(user_id: UUID) -> None:
    """End all sessions of this person at once."""
    User.objects.filter(pk=user_id).update(session_generation=F("session_generation") + 1)
