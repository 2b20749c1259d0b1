"""A secret is replaced by another, and nobody is left standing outside meanwhile.

Of a connection that lets others in (a webhook's secret) the one before goes on being accepted until a chosen time. Of
one by which steps call another system the new values are tried first, and take the place of the old ones only where the
other system takes them; a step that is at work keeps those it began with.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from builder.audit import chain
from builder.audit.chain import Actor, Entry
from builder.connections import kinds, services
from builder.connections.models import Connection
from builder.connections.services import ConnectionRefused
from builder.connections.vault import PREVIOUS, open_row
from runtime import api as runtime_api
from runtime.ports import ConnectionMissing

__all__ = [
    "LONGEST_HOURS",
    "Moved",
    "OverlapOpen",
    "candidate",
    "change_overlap",
    "end_over",
    "end_previous",
    "has_previous",
    "made_secret",
    "replace_incoming",
    "switch",
]

#: 30 days.
LONGEST_HOURS: Final = 720


class OverlapOpen(Exception):
    """The secret before the present one is still accepted: a third one would put it out at once."""


class Moved(Exception):
    """Somebody changed the connection while the new values were tried."""


def made_secret() -> str:
    """A new secret of 256 bits, as Standard Webhooks writes them; every other scheme takes it as it stands."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def has_previous(row: Connection, now: datetime) -> bool:
    """Whether the secret before is still accepted."""
    return PREVIOUS in row.shown.get("set", {}) and (row.previous_until is None or row.previous_until > now)


def replace_incoming(*, row: Connection, secret: str, hours: int, now: datetime) -> Connection:
    """Put this secret in place of the present one, which is accepted for so many hours more. Within a transaction.

    Raises ConnectionRefused, ConnectionMissing, and OverlapOpen.
    """
    row = services.locked(row)
    fields = open_row(row).fields
    if fields.get(PREVIOUS):
        raise OverlapOpen
    if fields.get("secret") == secret:
        raise ConnectionRefused({"secret": ["This is the present secret. Enter another one."]})
    replaced = {**fields, "secret": secret}
    if hours > 0:
        replaced[PREVIOUS] = fields["secret"]
    try:
        services.fill(row, replaced, now)
    except ConnectionRefused as error:
        raise ConnectionRefused({name.removeprefix("fields."): said for name, said in error.fields.items()}) from error
    row.previous_until = now + timedelta(hours=hours) if hours > 0 else None
    row.rotated_at, row.secret_used_at, row.previous_used_at = now, None, None
    services.save(row)
    return row


def change_overlap(*, row: Connection, hours: int, now: datetime) -> bool:
    """Have the secret before accepted for so many hours from now; False where none is accepted any more. Within a
    transaction."""
    row = services.locked(row)
    if not has_previous(row, now):
        return False
    row.previous_until = now + timedelta(hours=hours)
    row.save(update_fields=["previous_until"])
    return True


def end_previous(*, row: Connection, now: datetime) -> bool:
    """Accept and keep the secret before no longer; False where there is none. Within a transaction."""
    row = services.locked(row)
    if PREVIOUS not in row.shown.get("set", {}):
        return False
    fields = {name: value for name, value in open_row(row).fields.items() if name != PREVIOUS}
    tested = row.tested_at, row.test_ok, row.test_detail
    services.fill(row, fields, now)
    # That the connection was tested says nothing of the secret that is gone.
    row.tested_at, row.test_ok, row.test_detail = tested
    row.previous_until = row.previous_used_at = None
    services.save(row)
    return True


def end_over(*, now: datetime) -> int:
    """Destroy the secrets whose time is over, which nobody accepts any more; returns how many. Each goes on record.
    Two at once do no harm."""
    # All of them: of some the key may be missing, and these come first as often as anybody looks.
    over = Connection.objects.filter(previous_until__lte=now).order_by("pk").values_list("pk", flat=True)
    return sum(_end_over(pk, now) for pk in list(over))


def _end_over(pk: UUID, now: datetime) -> bool:
    with transaction.atomic():
        found = Connection.objects.select_for_update().filter(pk=pk, previous_until__lte=now).first()
        if found is None:
            return False
        last_used = found.previous_used_at
        try:
            if not end_previous(row=found, now=now):
                Connection.objects.filter(pk=pk).update(previous_until=None)
                return False
        except ConnectionMissing:
            # Its key is not there: nobody can open it, and whoever brings the key back finds its time over.
            return False
        detail = {} if last_used is None else {"last_used": last_used.isoformat(timespec="seconds")}
        chain.append(runtime_api.ask, _entry(found, detail))
    return True


def _entry(row: Connection, detail: dict[str, Any]) -> Entry:
    return Entry(
        chain=str(row.workspace_id),
        actor=Actor("rule"),
        verb="connection.previous_ended",
        object_kind="connection",
        object_id=str(row.pk),
        object_name=row.name,
        detail=detail,
    )


def candidate(row: Connection, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the connection would hold with these values. Raises ConnectionRefused, also where no secret is among them,
    and ConnectionMissing."""
    if not any(fields.get(name) for name in kinds.secret_names(row.kind)):
        raise ConnectionRefused({"fields": ["Enter the new secret."]})
    return services.merge(row, fields)


def switch(*, row: Connection, values: Mapping[str, Any], detail: str, now: datetime) -> Connection:
    """Put the values in place that the other system took. Within a transaction. Raises Moved."""
    found = services.locked(row)
    if found.sealed != row.sealed:
        raise Moved
    services.fill(found, dict(values), now)
    found.rotated_at = now
    found.tested_at, found.test_ok, found.test_detail = now, True, detail[:400]
    services.save(found)
    return found
