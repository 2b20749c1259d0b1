"""What changed at connections within a range of time: the marks in the charts of the monitor."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from builder.accounts.times import stamp
from builder.api.operation import Call, View
from builder.audit import reading
from builder.connections.models import Connection
from builder.workflows import selectors
from runtime import api as runtime_api

__all__ = ["ConnectionMark", "connection_marks"]

Change = Literal["broken", "repaired", "secret_replaced", "replaced", "changed", "removed"]
_DEEDS: Final[dict[str, Change]] = {
    "connection.repaired": "repaired",
    "connection.resumed": "repaired",
    "connection.rotated": "secret_replaced",
    "connection.replaced": "replaced",
    "connection.changed": "changed",
    "connection.removed": "removed",
}
_MOST: Final = 100


class ConnectionMark(View):
    """A change of a connection: `broken` (since then the other system takes its credentials no more), `repaired`,
    `secret_replaced`, `replaced` by another one, `changed`, `removed`. `by`: who did it."""

    at: str
    connection_id: UUID | None
    name: str
    change: Change
    by: str | None


def connection_marks(call: Call, *, begin: int, end: int, workflow_id: UUID | None) -> list[ConnectionMark]:
    """The newest first, a hundred at most; with `workflow_id` those of the connections that its versions name which
    were live in this time. What people did is read from the audit log, what is broken from how connections stand."""
    here = call.workspace
    used = None
    if workflow_id is not None:
        used = selectors.ids_named_live(workspace_id=here.id, workflow_id=workflow_id, begin=begin, end=end)
    things = None if used is None else sorted(map(str, used))
    rows = reading.within(str(here.id), _DEEDS, since=begin, until=end, most=_MOST, things=things)
    states = [
        one
        for one in runtime_api.connection_states(workspace_id=here.id).values()
        if used is None or one.connection_id in used
    ]
    broken = [(one.broken_at, one) for one in states if one.broken_at is not None and begin <= one.broken_at < end]
    ids = {known for row in rows if (known := _id(row.object_id))} | {one.connection_id for _, one in broken}
    # A row has the name of its time; what is still there goes by the one it has now.
    names = dict(Connection.objects.filter(workspace=here, pk__in=ids).values_list("id", "name"))
    found = []
    for row in rows:
        known = _id(row.object_id)
        name = names.get(known, row.object_name) if known else row.object_name
        change, by = _DEEDS[row.verb], row.actor_name or None
        mark = ConnectionMark(at=stamp(row.at), connection_id=known, name=name, change=change, by=by)
        found.append((row.at, mark))
    for at, one in broken:
        name = names.get(one.connection_id, one.name)
        mark = ConnectionMark(at=stamp(at), connection_id=one.connection_id, name=name, change="broken", by=None)
        found.append((at, mark))
    return [mark for _, mark in sorted(found, key=lambda one: -one[0])][:_MOST]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
