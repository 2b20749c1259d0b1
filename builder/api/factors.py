"""One's second factor at sign-in: an authenticator app, and recovery codes. Admins take it off who lost both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from django.contrib.auth import update_session_auth_hash
from pydantic import Field

from builder.accounts import selectors, tries
from builder.accounts.models import Membership, User
from builder.accounts.rights import Action
from builder.accounts.times import maybe
from builder.api.deeds import NOTHING
from builder.api.operation import Access, ApiView, Body, Call, View, operation
from builder.api.problems import Refusal, invalid, not_here
from builder.api.session import Code, Password, too_many
from builder.connections import factors


class SecondFactorView(View):
    """Whether signing in asks for a code, since when, and how many recovery codes are left."""

    on: bool
    since: str | None
    codes_left: int


class FactorOffer(View):
    """A new key for an authenticator app: to type, to open on this device, to point a camera at (an SVG, as a `data:`
    address). `offer` comes back with the first code; it is good for 15 minutes."""

    key: str
    address: str
    picture: str
    offer: str


class FactorBegun(Body):
    """The offer, the code that the app shows for it, and one's password."""

    offer: Annotated[str, Field(max_length=1000)]
    code: Code
    password: Password


class FactorProof(Body):
    """One's password, and a code of the app or a recovery code."""

    password: Password
    code: Code


class RecoveryCodes(View):
    """Each is good for one sign-in without the app; they are shown this once."""

    codes: list[str]


class SecondFactorOffer(ApiView):
    @operation(Access.SIGNED_IN, answer=FactorOffer, also=(409,), does=NOTHING)
    def post(self, call: Call) -> FactorOffer:
        """A new key for an authenticator app. Nothing changes until a code of it was entered."""
        try:
            made = factors.offer(user=call.person, now=call.now)
        except factors.FactorRefused as error:
            raise _refused(error) from error
        return FactorOffer(key=made.key, address=made.address, picture=made.picture, offer=made.sealed)


class MySecondFactor(ApiView):
    @operation(Access.SIGNED_IN, answer=SecondFactorView)
    def get(self, call: Call) -> SecondFactorView:
        """Whether one has a second factor."""
        row = factors.of(call.person)
        return SecondFactorView(
            on=row is not None,
            since=None if row is None else maybe(row.since),
            codes_left=0 if row is None else len(row.recovery),
        )

    @operation(
        Access.SIGNED_IN,
        body=FactorBegun,
        answer=RecoveryCodes,
        status=201,
        also=(409, 429),
        repeat="stored_apart",
        secret=True,
        does="factor.turned_on",
    )
    def post(self, call: Call, *, body: FactorBegun) -> RecoveryCodes:
        """Have signing in ask for codes of the offered key. All other sessions end."""
        _prove(call, body.password)
        with _changing(call):
            codes = factors.begin(user=call.person, sealed=body.offer, code=body.code, now=call.now)
        # All other sessions have ended; this one goes on.
        update_session_auth_hash(call.request, call.person)
        return RecoveryCodes(codes=codes)


class SecondFactorOff(ApiView):
    @operation(
        Access.SIGNED_IN,
        body=FactorProof,
        status=204,
        also=(409, 429),
        repeat="stored_apart",
        does="factor.turned_off",
    )
    def post(self, call: Call, *, body: FactorProof) -> None:
        """Have signing in ask for the password alone. All other sessions end."""
        _prove(call, body.password)
        with _changing(call):
            _take_code(call, body.code)
            factors.remove(user=call.person)
        update_session_auth_hash(call.request, call.person)


class SecondFactorCodes(ApiView):
    @operation(
        Access.SIGNED_IN,
        body=FactorProof,
        answer=RecoveryCodes,
        status=201,
        also=(409, 429),
        repeat="stored_apart",
        secret=True,
        does="factor.codes_made",
    )
    def post(self, call: Call, *, body: FactorProof) -> RecoveryCodes:
        """New recovery codes; those before are worth nothing from now on."""
        _prove(call, body.password)
        with _changing(call):
            _take_code(call, body.code)
            codes = factors.renew(user=call.person)
        return RecoveryCodes(codes=codes)


class SecondFactorOfMember(ApiView):
    @operation(Action.MEMBERS_MANAGE, also=(409,), repeat="stored", does="member.factor_removed")
    def delete(self, call: Call, *, member_id: UUID) -> None:
        """Take the second factor off somebody who lost the app and the recovery codes; all their sessions end."""
        member = Membership.objects.select_related("user").filter(workspace=call.workspace, pk=member_id).first()
        if member is None:
            raise not_here("member")
        _may_take_off(call, member.user)
        if not factors.remove(user=member.user):
            raise Refusal(409, "off", "This person has no second factor.")


def _may_take_off(call: Call, user: User) -> None:
    if user.pk == call.person.pk:
        raise Refusal(409, "not_oneself", "Turn your own second factor off in your profile, with a code.")
    elsewhere = Membership.objects.filter(user=user).exclude(workspace=call.workspace)
    if (elsewhere.exists() or user.is_instance_admin) and not call.person.is_instance_admin:
        raise Refusal(
            409,
            "elsewhere_too",
            "This person has rights beyond this workspace. Only an admin of the instance does that.",
        )


def _prove(call: Call, password: str) -> None:
    """That it is this person who asks, and not whoever found their computer open. Guessing, also of the code, is slowed
    down."""
    try:
        tries.count(account=_account(call), address=call.address, now=call.now)
    except tries.TooManyTries as error:
        raise too_many(error, call) from error
    if not call.person.check_password(password):
        raise invalid({"password": ["This is not your present password."]})


def _take_code(call: Call, code: str) -> None:
    """Together with the change: a recovery code is spent for what was done, and not for what failed."""
    if factors.of(call.person) is None:
        raise Refusal(409, "off", "There is no second factor.")
    if not factors.passes(user=call.person, code=code, now=call.now):
        raise invalid({"code": ["This code is wrong, or was used already. Wait for the next one."]})


@contextmanager
def _changing(call: Call) -> Iterator[None]:
    """Around the change, with its record. A failed try before it is counted for itself, and not undone with it."""
    call.deed.about(call.person.id, call.person.name)
    call.deed.in_workspaces(row.workspace_id for row in selectors.memberships_of(call.person))
    try:
        with call.deed.together():
            yield
    except factors.FactorRefused as error:
        raise _refused(error) from error
    tries.forget(account=_account(call), address=call.address)


def _account(call: Call) -> str:
    return f"second factor {call.person.pk}"


def _refused(error: factors.FactorRefused) -> Refusal:
    fields = {error.field: [error.message]} if error.field else {}
    return Refusal(error.status, error.code, error.message, fields=fields)
