"""Opens connections for steps: the builder's half of `runtime.ports.Vault`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from django.db import connection as database

from builder.connections import crypto
from builder.connections.models import Connection
from runtime.contracts import loads
from runtime.ports import ConnectionMissing


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
        return open_row(row)


def open_row(row: Connection) -> Opened:
    """Decrypt one row."""
    place = crypto.place_of(workspace_id=row.workspace_id, connection_id=row.id, kind=row.kind)
    try:
        plain = crypto.unseal(row.sealed, place=place, keys=crypto.ring().keys())
    except (crypto.KeyMissing, crypto.SealBroken) as error:
        raise ConnectionMissing(f"The connection “{row.name}” cannot be opened. {error}") from error
    fields = loads(plain)
    if not isinstance(fields, dict):
        raise ConnectionMissing(f"The connection “{row.name}” holds no fields. Enter it again.")
    open_names = row.shown.get("open", {})
    secrets = tuple(
        value for name, value in fields.items() if name not in open_names and isinstance(value, str) and value
    )
    return Opened(kind=row.kind, fields=dict(fields), secrets=secrets)
