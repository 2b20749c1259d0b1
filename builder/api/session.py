"""Signing in and out, the first run, invitations, oneself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest
from django.middleware.csrf import get_token, rotate_token
from pydantic import BaseModel, ConfigDict, Field

from builder.accounts import rights, selectors, services, tries
from builder.accounts.models import StartPage, User
from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api import shapes
from builder.api.operation import Access, Answer, ApiView, Body, Call, Query, View, operation
from builder.api.problems import Refusal, invalid
from builder.api.shapes import Items, PersonView, WorkspaceView
from builder.connections import factors
from runtime import api as runtime_api

Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]
Email = Annotated[str, Field(min_length=3, max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=1000)]
Token = Annotated[str, Field(min_length=1, max_length=200)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
TimeZone = Annotated[str, Field(min_length=1, max_length=64)]
Currency = Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
Code = Annotated[str, Field(max_length=40)]


class SessionView(View):
    """Who is signed in, and what every unsafe request must send as `X-CSRFToken`."""

    user: PersonView | None
    setup_required: bool
    csrf_token: str
    workspaces: list[WorkspaceView]
    version: str


class SignIn(Body):
    """E-mail address and password. `code`: of the authenticator app, or a recovery code, where the person has a second
    factor; without it the answer is 401 `code_needed`."""

    email: Email
    password: Password
    remember: bool = False
    code: Code | None = None


class NewWorkspace(Body):
    """A workspace to make."""

    name: Name
    language: Language = "en"
    time_zone: TimeZone = "UTC"
    currency: Currency = "EUR"


class SetUp(Body):
    """The first-run link's token, the first person, the first workspace."""

    token: Token
    name: Name
    email: Email
    password: Password
    workspace: NewWorkspace


class Acceptance(Body):
    """The invitation's token; the name counts for newcomers only, and the code for who has a second factor here."""

    token: Token
    name: Annotated[str, Field(max_length=120)] = ""
    password: Password
    code: Code | None = None


class MyChanges(Body):
    """What to change about oneself. `undo_seconds`: for how long a decision in the inbox can be taken back.
    `start_page`: where signing in and the logo lead."""

    name: Name | None = None
    theme: Literal["system", "light", "dark"] | None = None
    language: Language | Literal[""] | None = None
    undo_seconds: Literal[0, 8, 20] | None = None
    start_page: StartPage | None = None
    password: Password | None = None
    current_password: Password | None = None


class ChecksQuery(Query):
    """The first-run token, while there is nobody who could sign in; better sent as `X-Setup-Token`."""

    token: Token | None = None


class CheckLine(BaseModel):
    """One line of the system check: what was seen, and how to mend it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    ok: bool
    title: str
    detail: str
    fix: str


def session_of(request: HttpRequest, user: User | None) -> SessionView:
    """The session as the browser's start page needs it."""
    return SessionView(
        user=shapes.person(user) if user else None,
        setup_required=user is None and services.setup_required(),
        csrf_token=get_token(request),
        workspaces=[shapes.workspace(row) for row in selectors.memberships_of(user)] if user else [],
        version=settings.VERSION,
    )


def refused(error: services.AccountsRefused) -> Refusal:
    """A refusal of the accounts' services, in the words of the API."""
    if isinstance(error, services.SetupClosed):
        used_at = stamp(error.used_at) if error.used_at else None
        return Refusal(403, error.code, error.message, params={"used_at": used_at})
    fields = {error.field: [error.message]} if error.field else {}
    return Refusal(error.status, error.code, error.message, fields=fields)


def too_many(error: tries.TooManyTries, call: Call) -> Refusal:
    """The answer to too many tries: until when."""
    seconds = max(1, int((error.until - call.now).total_seconds()))
    return Refusal(
        429,
        "too_many_tries",
        "Too many tries.",
        detail="Wait a little, then try again.",
        params={"until": stamp(error.until), "seconds": seconds},
        headers={"Retry-After": str(seconds)},
    )


def enter(request: HttpRequest, user: User, *, remember: bool) -> None:
    """Begin a session under a fresh key, so that a planted cookie is worth nothing."""
    login(request, user)
    # Without "keep me signed in" the cookie ends with the browser, and the row with the day.
    request.session.set_expiry(settings.SESSION_COOKIE_AGE if remember else 0)
    rotate_token(request)


def ask_for_code(user: User, code: str | None, now: datetime) -> None:
    """The second factor, where the person has one. Raises Refusal; `code_needed` is no failed try."""
    if factors.of(user) is None:
        return
    if not (code or "").strip():
        raise Refusal(401, "code_needed", "Enter the code that your authenticator app shows.")
    try:
        passes = factors.passes(user=user, code=code or "", now=now)
    except factors.FactorRefused as error:
        raise Refusal(401, error.code, error.message) from error
    if not passes:
        raise Refusal(
            401, "wrong_code", "This code is wrong, or was used already. Wait for the next one, or use a recovery code."
        )


def _in_the_record_of(call: Call, user: User) -> None:
    """Put it on record in each workspace that this person may enter."""
    call.deed.by(user)
    call.deed.about(user.id, user.name)
    call.deed.in_workspaces(row.workspace_id for row in selectors.memberships_of(user))


def _note_refused(call: Call, email: str) -> None:
    """A sign-in that failed goes on record where the person is known; what was typed does not: people type passwords
    into the wrong field."""
    user = User.objects.filter(email=email).first()
    with call.deed.also("session.refused") as deed, deed.together():
        if user is None:
            deed.about("", "An address that nobody has here")
        else:
            deed.about(user.id, user.name)
            deed.note(active=user.is_active)
            deed.in_workspaces(row.workspace_id for row in selectors.memberships_of(user))


def _note_throttled(call: Call, email: str, error: tries.TooManyTries) -> None:
    """From here on tries are turned away: once for each time that this begins, not for each try."""
    user = User.objects.filter(email=email).first() if error.of == "account" else None
    with call.deed.also("session.throttled") as deed, deed.together():
        deed.note(of=error.of, until=stamp(error.until))
        if user is None:
            deed.about("", "An address that nobody has here" if error.of == "account" else call.address)
        else:
            deed.about(user.id, user.name)
            deed.in_workspaces(row.workspace_id for row in selectors.memberships_of(user))


class Session(ApiView):
    @operation(Access.ANYONE, answer=SessionView)
    def get(self, call: Call) -> SessionView:
        """Who is signed in. Also hands out the CSRF token that signing in needs."""
        return session_of(call.request, call.user if call.token is None else None)

    @operation(Access.ANYONE, body=SignIn, answer=SessionView, also=(401, 429), does="session.signed_in")
    def post(self, call: Call, *, body: SignIn) -> SessionView:
        """Sign in by e-mail address and password."""
        try:
            tries.count(account=body.email, address=call.address, now=call.now)
        except tries.TooManyTries as error:
            if error.first:
                _note_throttled(call, body.email.strip().lower(), error)
            raise too_many(error, call) from error
        email = body.email.strip().lower()
        user = authenticate(call.request, username=email, password=body.password)
        if not isinstance(user, User):
            _note_refused(call, email)
            raise Refusal(401, "wrong_credentials", "E-mail or password is wrong.")
        try:
            ask_for_code(user, body.code, call.now)
        except Refusal as refusal:
            if refusal.code == "wrong_code":
                _note_refused(call, email)
            elif refusal.code == "code_needed":
                tries.take_back(account=body.email, address=call.address)
            raise
        tries.forget(account=body.email, address=call.address)
        with call.deed.together():
            enter(call.request, user, remember=body.remember)
            _in_the_record_of(call, user)
        return session_of(call.request, user)

    @operation(Access.ANYONE, answer=SessionView, does="session.signed_out")
    def delete(self, call: Call) -> SessionView:
        """Sign out. Sockets of this session close within seconds."""
        if call.token is not None:
            return session_of(call.request, None)
        if call.user is None:
            logout(call.request)
        else:
            with call.deed.together():
                _in_the_record_of(call, call.user)
                logout(call.request)
        rotate_token(call.request)
        return session_of(call.request, None)


class Setup(ApiView):
    @operation(Access.ANYONE, body=SetUp, answer=SessionView, status=201, also=(403, 429), does="installation.set_up")
    def post(self, call: Call, *, body: SetUp) -> SessionView:
        """Claim a new instance with the link that the server printed: the first person and workspace."""
        try:
            tries.count(account=f"first run {body.token}", address=call.address, now=call.now)
            with call.deed.together():
                user, workspace = services.set_up(
                    token=body.token,
                    name=body.name,
                    email=body.email,
                    password=body.password,
                    workspace_name=body.workspace.name,
                    language=body.workspace.language,
                    time_zone=body.workspace.time_zone,
                    currency=body.workspace.currency,
                    now=call.now,
                )
                call.deed.by(user)
                call.deed.about(workspace.id, workspace.name)
                call.deed.in_workspaces([workspace.id])
        except tries.TooManyTries as error:
            raise too_many(error, call) from error
        except services.AccountsRefused as error:
            raise refused(error) from error
        tries.forget(account=f"first run {body.token}", address=call.address)
        enter(call.request, user, remember=True)
        return session_of(call.request, user)


class AcceptInvitation(ApiView):
    @operation(
        Access.ANYONE, body=Acceptance, answer=SessionView, status=201, also=(401, 403, 429), does="member.joined"
    )
    def post(self, call: Call, *, body: Acceptance) -> SessionView:
        """Join a workspace by the link somebody sent."""
        # Guesses at an account count as at signing in, through however many invitations they are made.
        invited = services.invited_account(token=body.token)
        account = invited or f"invitation {body.token}"
        try:
            tries.count(account=account, address=call.address, now=call.now)
            with call.deed.together():
                member = services.accept_invitation(
                    token=body.token, name=body.name, password=body.password, now=call.now
                )
                user = member.user
                ask_for_code(user, body.code, call.now)
                call.deed.by(user)
                call.deed.about(member.id, user.name)
                call.deed.note(role=member.role)
                call.deed.in_workspaces([member.workspace_id])
        except tries.TooManyTries as error:
            if error.first and invited:
                _note_throttled(call, invited, error)
            raise too_many(error, call) from error
        except services.AccountsRefused as error:
            if error.code == "wrong_password" and invited:
                _note_refused(call, invited)
            raise refused(error) from error
        except Refusal as refusal:
            if refusal.code == "wrong_code" and invited:
                _note_refused(call, invited)
            elif refusal.code == "code_needed":
                tries.take_back(account=account, address=call.address)
            raise
        tries.forget(account=account, address=call.address)
        enter(call.request, user, remember=True)
        return session_of(call.request, user)


class Me(ApiView):
    @operation(Access.SIGNED_IN, answer=PersonView)
    def get(self, call: Call) -> PersonView:
        """Oneself."""
        return shapes.person(call.person)

    @operation(
        Access.SIGNED_IN, body=MyChanges, answer=PersonView, also=(429,), repeat="stored_apart", does="profile.changed"
    )
    def patch(self, call: Call, *, body: MyChanges) -> PersonView:
        """Change one's name, looks or password. A new password ends all other sessions. Guessing the present one is
        slowed down."""
        if body.password is not None and body.current_password is None:
            raise invalid({"current_password": ["Enter your present password, too."]})
        said = body.model_dump(exclude={"password", "current_password"}, exclude_none=True)
        if body.password is None and all(getattr(call.person, field) == one for field, one in said.items()):
            return shapes.person(call.person)
        account = f"present password {call.person.pk}"
        if body.password is not None:
            try:
                tries.count(account=account, address=call.address, now=call.now)
            except tries.TooManyTries as error:
                raise too_many(error, call) from error
        call.deed.in_workspaces(row.workspace_id for row in selectors.memberships_of(call.person))
        try:
            # A wrong guess is counted, and not undone with what it was for.
            with call.deed.together():
                user = services.change_me(
                    user=call.person,
                    name=body.name,
                    theme=body.theme,
                    language=body.language,
                    undo_seconds=body.undo_seconds,
                    start_page=body.start_page,
                    password=body.password,
                    current_password=body.current_password,
                )
        except services.AccountsRefused as error:
            if error.code != "wrong_password":
                tries.take_back(account=account, address=call.address)
            raise refused(error) from error
        if body.password is not None:
            tries.forget(account=account, address=call.address)
            update_session_auth_hash(call.request, user)
        return shapes.person(user)


class SystemChecks(ApiView):
    @operation(Access.ANYONE, query=ChecksQuery, answer=Items[CheckLine], also=(401, 403))
    def get(self, call: Call, *, query: ChecksQuery) -> Answer:
        """How the instance is: for admins, and for the holder of the first-run link."""
        token = call.request.META.get("HTTP_X_SETUP_TOKEN") or query.token
        if not (token and services.setup_token_fits(token)):
            if call.user is None:
                raise Refusal(401, "sign_in", "Sign in first.")
            memberships = selectors.memberships_of(call.user) if call.token is None else []
            admin = any(rights.can(call.user, Action.WORKSPACE_EDIT, row.workspace_id) for row in memberships)
            if not admin:
                raise Refusal(403, "forbidden", "Your role does not allow this.")
        lines = [
            CheckLine(id=item.id, ok=item.ok, title=item.title, detail=item.detail, fix=item.fix)
            for item in runtime_api.system_health()
        ]
        address = settings.PUBLIC_URL
        local = "://127.0.0.1" in address or "://localhost" in address
        lines.append(
            CheckLine(
                id="public_url",
                ok=not local,
                title="Webhooks from outside",
                detail=f"Others reach this server at {address}.",
                fix="Set PUBLIC_URL to the address that others use, if systems outside this machine should post "
                "webhooks."
                if local
                else "",
            )
        )
        if not local:
            lines.append(
                CheckLine(
                    id="tls",
                    ok=settings.SECURE,
                    title="Encrypted connections",
                    detail="Pages and webhooks travel over https." if settings.SECURE else "Pages travel in the open.",
                    fix="" if settings.SECURE else "Put a reverse proxy with a certificate in front; see docker/.",
                )
            )
        return Answer(Items[CheckLine](items=lines), 200)
