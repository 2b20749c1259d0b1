"""Opens connections for steps: the builder's half of `runtime.ports.Vault`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, close_old_connections
from django.db import connection as database

from builder.connections import crypto
from builder.connections.models import Connection
from runtime.contracts import loads
from runtime.ports import ConnectionMissing

#: The field with the secret that was valid before, in kinds that accept two.
PREVIOUS: Final = "previous_secret"
_NOTED_EVERY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted connection; its representation shows no secret."""

    kind: str
    fields: dict[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


class SealedVault:
    """Reads the row of this workspace, and no other's, each time: a removed connection is gone at once."""

    def open(self, *, workspace_id: UUID, connection_id: UUID) -> Opened:
        """The connection's kind, fields and secrets; raises ConnectionMissing in plain words."""
        if not database.in_atomic_block:
            # Worker threads live long; a connection that broke since the last step must not fail this one.
            close_old_connections()
        row = Connection.objects.filter(pk=connection_id, workspace_id=workspace_id).first()
        if row is None:
            raise ConnectionMissing("This step's connection is not in this workspace. It may have been removed.")
        opened = open_row(row)
        _note_used(row)
        return opened

    def note_secrets(
        self, *, workspace_id: UUID, connection_id: UUID, current: float | None, previous: float | None
    ) -> None:
        """Keep when each of two secrets last let somebody in, in seconds since the epoch; never an earlier time."""
        if not database.in_atomic_block:
            close_old_connections()
        rows = Connection.objects.filter(pk=connection_id, workspace_id=workspace_id)
        for column, at in (("secret_used_at", current), ("previous_used_at", previous)):
            if at is not None:
                moment = datetime.fromtimestamp(at, UTC)
                # What was used before the change of secrets says nothing of those that are there now.
                rows.exclude(**{f"{column}__gte": moment}).exclude(rotated_at__gt=moment).update(**{column: moment})


def _note_used(row: Connection) -> None:
    """Seldom, so that who calls often does not write each time; that it cannot be noted keeps nobody from calling."""
    now = datetime.now(UTC)
    if row.last_used_at is None or row.last_used_at < now - _NOTED_EVERY:
        with contextlib.suppress(DatabaseError):
            Connection.objects.filter(pk=row.pk).update(last_used_at=now)


def open_row(row: Connection) -> Opened:
    """Decrypt one row; without a previous secret whose time is over."""
    place = crypto.place_of(workspace_id=row.workspace_id, connection_id=row.id, kind=row.kind)
    try:
        plain = crypto.unseal(row.sealed, place=place, keys=crypto.ring().keys())
    except (crypto.KeyMissing, crypto.SealBroken) as error:
        raise ConnectionMissing(f"The connection “{row.name}” cannot be opened. {error}") from error
    fields = loads(plain)
    if not isinstance(fields, dict):
        raise ConnectionMissing(f"The connection “{row.name}” holds no fields. Enter it again.")
    if row.previous_until is not None and row.previous_until <= datetime.now(UTC):
        fields.pop(PREVIOUS, None)
    open_names = row.shown.get("open", {})
    secrets = tuple(
        value for name, value in fields.items() if name not in open_names and isinstance(value, str) and value
    )
    return Opened(kind=row.kind, fields=dict(fields), secrets=secrets)
