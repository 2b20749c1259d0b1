"""Secrets that are replaced, in both directions, and all that expires."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts import selectors, services
from builder.accounts.models import Role
from builder.accounts.rights import Action
from builder.accounts.times import maybe, stamp
from builder.api.connections import (
    FIELDS_MOST,
    ConfirmShape,
    ConnectionShape,
    found_shape,
    manageable,
    refused,
    repaired,
)
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal, invalid, not_here
from builder.api.shapes import Items
from builder.api.workspaces import MadeToken, token_view
from builder.connections import kinds, rotation, trials
from builder.connections import services as connections
from builder.connections.models import Connection
from runtime.ports import ConnectionMissing

Hours = Annotated[int, Field(ge=0, le=rotation.LONGEST_HOURS)]
#: So many of each kind are looked at.
MOST_EXPIRING: Final = 500


class ConnectionRotation(Body):
    """Of a connection that lets others in: the new `secret`, or none for one that is made here, and for how many hours
    the present one is accepted too. Of any other: its new `fields`, the secret among them."""

    secret: Annotated[str, Field(min_length=8, max_length=2000)] | None = None
    overlap_hours: Hours = 24
    fields: Annotated[dict[str, Any], Field(max_length=FIELDS_MOST)] | None = None


class RotatedConnection(View):
    """Whether the new values are in place, what the other system said of them, and what somebody has to confirm before.
    `secret`: the one that was made here, shown this once."""

    switched: bool
    message: str | None
    confirm: ConfirmShape | None
    secret: str | None
    connection: ConnectionShape


class OverlapHours(Body):
    """For how many hours from now the secret before is accepted."""

    hours: Annotated[int, Field(ge=1, le=rotation.LONGEST_HOURS)]


class TokenRotation(Body):
    """For how many hours the present token is accepted too, and for how many days the new one."""

    overlap_hours: Hours = 24
    expires_days: Annotated[int, Field(ge=1, le=services.LONGEST_TOKEN_DAYS)] = 90


class ExpiringShape(View):
    """Something that ends: a connection on its last day `on`, a secret before the present one or a token `at` an
    instant. `replaced`: another is in its place already; `mine`: the asker may see to it."""

    what: Literal["connection", "previous_secret", "token"]
    id: UUID
    name: str
    on: str | None
    at: str | None
    owner: str | None
    last_used_at: str | None
    replaced: bool
    mine: bool


class RotateConnection(ApiView):
    @operation(
        Action.CONNECTION_MANAGE,
        body=ConnectionRotation,
        answer=RotatedConnection,
        also=(409,),
        repeat="stored_apart",
        secret=True,
        does="connection.rotated",
    )
    def post(self, call: Call, *, connection_id: UUID, body: ConnectionRotation) -> RotatedConnection:
        """Replace its secret. One by which others come in is accepted along with the new one for a while; one that
        goes out is tried first, and replaced only where the other system takes the new one."""
        row = manageable(call, connection_id)
        try:
            if kinds.takes_two(row.kind):
                return _replace_incoming(call, row, body)
            return _replace_outgoing(call, row, body)
        except connections.ConnectionRefused as error:
            raise refused(error) from error
        except ConnectionMissing as error:
            raise Refusal(409, "connection_sealed", "This connection cannot be opened.", detail=str(error)) from error


class PreviousSecret(ApiView):
    @operation(
        Action.CONNECTION_MANAGE,
        body=OverlapHours,
        answer=ConnectionShape,
        also=(409,),
        repeat="stored_apart",
        does="connection.overlap_changed",
    )
    def patch(self, call: Call, *, connection_id: UUID, body: OverlapHours) -> ConnectionShape:
        """Say until when the secret before is accepted."""
        row = manageable(call, connection_id)
        with call.deed.together():
            changed = rotation.change_overlap(row=row, hours=body.hours, now=call.now)
            if not changed:
                call.deed.nothing()
        if not changed:
            raise Refusal(409, "no_previous", "Only the present secret is accepted: there is none before it.")
        return _again(call, connection_id)

    @operation(
        Action.CONNECTION_MANAGE, answer=ConnectionShape, repeat="stored_apart", does="connection.previous_ended"
    )
    def delete(self, call: Call, *, connection_id: UUID) -> ConnectionShape:
        """Accept the secret before no longer, from now on; where there is none, nothing happens."""
        row = manageable(call, connection_id)
        try:
            with call.deed.together():
                if row.previous_used_at is not None:
                    call.deed.note(last_used=stamp(row.previous_used_at))
                if not rotation.end_previous(row=row, now=call.now):
                    call.deed.nothing()
        except ConnectionMissing as error:
            raise Refusal(409, "connection_sealed", "This connection cannot be opened.", detail=str(error)) from error
        return _again(call, connection_id)


class RotateToken(ApiView):
    @operation(
        Action.TOKENS_MANAGE,
        body=TokenRotation,
        answer=MadeToken,
        status=201,
        also=(403, 409),
        repeat="stored",
        secret=True,
        does="token.rotated",
    )
    def post(self, call: Call, *, token_id: UUID, body: TokenRotation) -> MadeToken:
        """Make a token that may do the same. The present one is accepted for the hours said, then no more."""
        row = selectors.token(workspace_id=call.workspace.id, token_id=token_id)
        if row is None:
            raise not_here("token")
        if call.token is not None:
            raise Refusal(403, "forbidden", "A token cannot make tokens. Sign in to make one.")
        if row.owner_id != call.person.id:
            # Whoever held the new one could do what its owner can, under their name.
            raise Refusal(403, "forbidden", "This token acts as somebody else. Only they can replace it.")
        try:
            made, token = services.replace_token(
                row=row, hours=body.overlap_hours, days=body.expires_days, now=call.now
            )
        except services.TokenReplaced as error:
            raise Refusal(409, "token_replaced", "Another token is in place of this one already.") from error
        return MadeToken(**token_view(made, call.person).model_dump(), token=token)


class Expiring(ApiView):
    @operation(Action.CONNECTION_USE, answer=Items[ExpiringShape])
    def get(self, call: Call) -> Items[ExpiringShape]:
        """All that expires, what has expired and the earliest first: connections, secrets before the present ones and,
        for admins, tokens."""
        found = [*_connections(call), *_previous_secrets(call)]
        if call.role == Role.ADMIN:
            found += _tokens(call)
        return Items[ExpiringShape](items=sorted(found, key=lambda one: (one.on or one.at or "", one.name)))


def _replace_incoming(call: Call, row: Connection, body: ConnectionRotation) -> RotatedConnection:
    if body.fields is not None:
        raise invalid({"fields": ["This connection lets others in: say its secret."]})
    secret = body.secret or rotation.made_secret()
    try:
        with call.deed.together():
            rotation.replace_incoming(row=row, secret=secret, hours=body.overlap_hours, now=call.now)
            call.deed.note(made_here=body.secret is None)
    except rotation.OverlapOpen as error:
        raise Refusal(
            409, "overlap_open", "The secret before the present one is still accepted.", detail="End it first."
        ) from error
    shown = secret if body.secret is None else None
    return RotatedConnection(
        switched=True, message=None, confirm=None, secret=shown, connection=_again(call, row.pk)
    )  # fmt: skip


def _replace_outgoing(call: Call, row: Connection, body: ConnectionRotation) -> RotatedConnection:
    if body.secret is not None or body.fields is None:
        raise invalid({"fields": ["Enter the new secret."]})
    values = rotation.candidate(row, body.fields)
    outcome = trials.try_fields(row.kind, values)
    asked = None if outcome.confirm is None else ConfirmShape(field=outcome.confirm[0], value=outcome.confirm[1])
    if not outcome.ok:
        call.deed.nothing()
        with call.deed.also("connection.tested") as tried, tried.together():
            tried.about(row.id, row.name)
            tried.note(ok=False, new_values=True)
        return RotatedConnection(
            switched=False, message=outcome.message, confirm=asked, secret=None, connection=found_shape(row, call)
        )
    try:
        with call.deed.together():
            entered = [name for name in connections.secrets_of(row) if body.fields.get(name) is not None]
            row = rotation.switch(row=row, values=values, detail=outcome.message, now=call.now)
            call.deed.note(tested=True, secrets_entered=entered)
    except rotation.Moved as error:
        raise Refusal(409, "connection_changed", "Somebody changed this connection meanwhile. Look again.") from error
    repaired(call, row)
    return RotatedConnection(
        switched=True, message=outcome.message, confirm=None, secret=None, connection=found_shape(row, call)
    )


def _again(call: Call, connection_id: UUID) -> ConnectionShape:
    return found_shape(manageable(call, connection_id), call)


def _connections(call: Call) -> list[ExpiringShape]:
    rows = Connection.objects.select_related("owner").filter(workspace=call.workspace, expires_on__isnull=False)
    return [
        _expiring(call, row, "connection", on=row.expires_on.isoformat(), last_used_at=maybe(row.last_used_at))
        for row in rows.order_by("expires_on")[:MOST_EXPIRING]
        if row.expires_on is not None
    ]


def _previous_secrets(call: Call) -> list[ExpiringShape]:
    rows = Connection.objects.select_related("owner").filter(workspace=call.workspace, previous_until__gt=call.now)
    return [
        _expiring(call, row, "previous_secret", at=maybe(row.previous_until), last_used_at=maybe(row.previous_used_at))
        for row in rows.order_by("previous_until")[:MOST_EXPIRING]
    ]


def _expiring(
    call: Call,
    row: Connection,
    what: Literal["connection", "previous_secret"],
    *,
    on: str | None = None,
    at: str | None = None,
    last_used_at: str | None,
) -> ExpiringShape:
    return ExpiringShape(
        what=what,
        id=row.id,
        name=row.name,
        on=on,
        at=at,
        owner=None if row.owner is None else row.owner.name,
        last_used_at=last_used_at,
        replaced=what == "previous_secret",
        mine=connections.may_manage(row=row, user=call.person, role=call.role),
    )


def _tokens(call: Call) -> list[ExpiringShape]:
    return [
        ExpiringShape(
            what="token",
            id=row.id,
            name=row.name,
            on=None,
            at=stamp(row.expires_at),
            owner=row.owner.name,
            last_used_at=maybe(row.last_used_at),
            replaced=row.replaced_by_id is not None,
            mine=row.owner_id == call.person.id,
        )
        for row in selectors.tokens(workspace_id=call.workspace.id, most=MOST_EXPIRING)
        if row.replaced_by_id is None or row.expires_at > call.now
    ]
