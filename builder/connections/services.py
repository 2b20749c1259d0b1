"""Every write about connections. Secrets go in and never come out, except to a step by way of the vault."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from types import EllipsisType
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from builder.accounts.ids import new_id
from builder.accounts.models import Role, User, Workspace
from builder.connections import crypto, factors, kinds
from builder.connections.models import Connection
from builder.connections.vault import PREVIOUS, open_row
from runtime.contracts import dumps

MOST_BYTES: Final = 64 * 1024
_ENTER_AGAIN: Final = "Enter this again: the connection would now lead to another place."


class ConnectionRefused(Exception):
    """These values make no connection. `fields` says which and why."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("the connection cannot be kept")
        self.fields = fields


def may_manage(*, row: Connection, user: User, role: Role) -> bool:
    """Admins manage all connections, builders their own."""
    return role == Role.ADMIN or (role == Role.BUILDER and row.owner_id == user.id)


def create(
    *,
    workspace: Workspace,
    by: User | None,
    kind: str,
    name: str,
    fields: Mapping[str, Any],
    now: datetime | None = None,
) -> Connection:
    """Seal and keep a new connection. Raises ConnectionRefused."""
    now = now or datetime.now(UTC)
    if not kinds.known(kind):
        raise ConnectionRefused({"kind": ["There is no such kind of connection."]})
    row = Connection(id=new_id(), workspace=workspace, kind=kind, name=name.strip(), owner=by, created_at=now)
    fill(row, dict(fields), now)
    save(row, force_insert=True)
    return row


def change(
    *, row: Connection, name: str | None = None, fields: Mapping[str, Any] | None = None, now: datetime
) -> Connection:
    """Rename, or replace fields. Fields left out keep their value: whoever edits cannot see the secrets.

    So that nobody has a secret sent to a place of their own that they could not read, a connection that is to lead
    elsewhere needs its secrets entered again. `row` is `locked`, for it is written whole. Raises ConnectionRefused.
    """
    if name is not None:
        row.name = name.strip()
    if fields is not None:
        merged = merge(row, fields)
        fill(row, merged, now)
        if PREVIOUS in fields or not merged.get(PREVIOUS):
            row.previous_until = None
        if {"secret", PREVIOUS} & set(fields):
            row.secret_used_at = row.previous_used_at = None
    row.updated_at = now
    save(row)
    return row


def locked(row: Connection) -> Connection:
    """The same as it stands now, under its lock: whoever writes it whole must not put back what somebody has replaced
    since they read it. Within a transaction. Raises Connection.DoesNotExist."""
    key: UUID = row.pk
    return Connection.objects.select_related("owner").select_for_update(of=("self",)).get(pk=key)


def merge(row: Connection, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What it would hold with these fields in place of its own; None takes one away. Raises ConnectionRefused."""
    kept = open_row(row).fields
    merged = {key: value for key, value in {**kept, **fields}.items() if value is not None}
    wrong = kinds.problems(row.kind, merged)
    if wrong:
        raise ConnectionRefused(wrong)
    if kinds.leads_to(row.kind, merged) - kinds.leads_to(row.kind, kept):
        again = {name for name in kinds.secret_names(row.kind) if merged.get(name) and name not in fields}
        if again:
            raise ConnectionRefused({f"fields.{name}": [_ENTER_AGAIN] for name in sorted(again)})
    return merged


def hand_over(*, connection_id: UUID, of: User, to: User) -> bool:
    """Make it another person's own; False where it is not this person's any more."""
    return bool(Connection.objects.filter(pk=connection_id, owner=of).update(owner=to))


def describe(
    *, row: Connection, environment: str | None, expires_on: date | EllipsisType | None, now: datetime
) -> None:
    """For what it is, and until when the other system takes it; `None` and `...` leave it as it is."""
    if environment is not None:
        row.environment = environment
    if expires_on is not ...:
        row.expires_on = expires_on
    row.updated_at = now
    row.save(update_fields=["environment", "expires_on", "updated_at"])


def secrets_of(row: Connection) -> list[str]:
    """The names of the fields that are secret in connections of its kind."""
    return sorted(kinds.secret_names(row.kind))


def delete(*, row: Connection) -> None:
    """Remove it; steps that name it fail from now on, and say so."""
    row.delete()


def note_test(*, row: Connection, ok: bool, detail: str, now: datetime) -> None:
    """Keep the outcome of a test, unless the values were replaced since: of these it says nothing."""
    Connection.objects.filter(pk=row.pk, sealed=row.sealed).update(tested_at=now, test_ok=ok, test_detail=detail[:400])


def first_ring() -> str:
    """Make the ring of keys of a new installation; says what was done or why not, nothing where there is a ring.

    Where connections are stored the ring is lost, not missing: a new one would hide that, and open none of them.
    """
    path = settings.CONNECTION_KEYS_FILE
    if path.exists():
        return ""
    if Connection.objects.exists():
        return f"CONNECTION_KEYS_FILE={path}: the key ring is not there. Put it back: stored connections need it."
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return (
            f"CONNECTION_KEYS_FILE={path}: there is no key ring, and this user may not make one there. "
            "Make it with `manage.py rotate_keys --first`."
        )
    crypto.ring().create()
    return f"Made {path}. Every process needs this file; keep a copy safe."


def rotate(*, made: Callable[[str], None] = lambda _point: None, batch: int = 200) -> tuple[int, str]:
    """Seal every connection, and every second factor, anew under a fresh key; returns how many connections, and the new
    key's id.

    Old keys stay in the ring until `drop_old_keys`. Killed at any point and run again, it ends the same. `made` is
    told of each point passed.
    """
    ring = crypto.ring()
    key = crypto.new_key()
    ring.replace((key, *ring.keys()))
    made("key.made")
    return reseal_stragglers(made=made, batch=batch), key.id


def reseal_stragglers(*, made: Callable[[str], None] = lambda _point: None, batch: int = 200) -> int:
    """Seal whatever is not yet sealed under the first key of the ring; returns how many connections."""
    ring = crypto.ring()
    done = 0
    while rows := list(Connection.objects.exclude(key_id=ring.keys()[0].id).order_by("pk")[:batch]):
        for row in rows:
            done += _reseal(row, ring.keys())
        made("key.rotate")
    factors.reseal(batch=batch)
    return done


def drop_old_keys() -> list[str]:
    """Destroy the keys that nothing needs any more; returns their ids."""
    ring = crypto.ring()
    keys = ring.keys()
    needed = set(Connection.objects.values_list("key_id", flat=True).distinct()) | factors.key_ids() | {keys[0].id}
    kept = tuple(key for key in keys if key.id in needed)
    gone = [key.id for key in keys if key.id not in needed]
    if gone:
        ring.replace(kept)
    return gone


def _reseal(row: Connection, keys: tuple[crypto.Key, ...]) -> int:
    place = crypto.place_of(workspace_id=row.workspace_id, connection_id=row.id, kind=row.kind)
    sealed, key_id = crypto.seal(crypto.unseal(row.sealed, place=place, keys=keys), place=place, keys=keys)
    # Somebody may save the row meanwhile: then their seal, which is newer, stays.
    changed = Connection.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=sealed, key_id=key_id)
    return int(changed)


def fill(row: Connection, fields: dict[str, Any], now: datetime) -> None:
    """Seal these values into the row, which is not saved yet. Raises ConnectionRefused."""
    wrong = kinds.problems(row.kind, fields)
    if wrong:
        raise ConnectionRefused(wrong)
    fields = kinds.typed(row.kind, fields)
    plain = dumps(fields).encode()
    if len(plain) > MOST_BYTES:
        raise ConnectionRefused({"fields": ["These values are too large."]})
    place = crypto.place_of(workspace_id=row.workspace_id, connection_id=row.id, kind=row.kind)
    row.sealed, row.key_id = crypto.seal(plain, place=place, keys=crypto.ring().keys())
    row.shown = _shown(row.kind, fields)
    row.updated_at = now
    row.tested_at, row.test_ok, row.test_detail = None, None, ""


def _shown(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    secret = kinds.secret_names(kind)
    hints = {}
    for name in secret & set(fields):
        value = fields[name]
        # The last four characters tell keys apart; of a short secret they would tell too much.
        hints[name] = value[-4:] if isinstance(value, str) and len(value) >= 16 else ""
    return {"open": {name: value for name, value in fields.items() if name not in secret}, "set": hints}


def save(row: Connection, *, force_insert: bool = False) -> None:
    """Save the row. Raises ConnectionRefused where another one here has its name."""
    try:
        with transaction.atomic():
            row.save(force_insert=force_insert)
    except IntegrityError as error:
        raise ConnectionRefused({"name": ["Another connection here has this name."]}) from error


def owned(*, workspace_id: UUID, user_id: UUID) -> list[Connection]:
    """Those of one person, by name."""
    return list(Connection.objects.filter(workspace_id=workspace_id, owner_id=user_id).order_by("name", "id"))


def find(*, workspace_id: UUID, connection_id: UUID) -> Connection | None:
    """The connection, if this workspace has it."""
    return Connection.objects.select_related("owner").filter(workspace_id=workspace_id, pk=connection_id).first()


def named(*, workspace_id: UUID, text: object) -> Connection | None:
    """The connection that a step's setting names, if this workspace has it."""
    try:
        return find(workspace_id=workspace_id, connection_id=UUID(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def listing(*, workspace_id: UUID, after: UUID | None = None, most: int) -> list[Connection]:
    """Connections here, newest first, those made before `after`."""
    rows = Connection.objects.select_related("owner").filter(workspace_id=workspace_id)
    return list((rows.filter(pk__lt=after) if after else rows).order_by("-pk")[:most])
