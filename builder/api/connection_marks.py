"""What changed at connections within a range of time: the marks in the charts of the monitor."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
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
#: What may end that a connection is broken; its row then says since when it was.
_ENDINGS: Final = ("connection.repaired", "connection.pause_chosen", "connection.removed")
_SINCE: Final = "broken_since"
_MOST: Final = 100
#: So many ends of breaks are looked at, the newest: where there were more since, the first breaks are not told.
_MOST_ENDED: Final = 2_000


class ConnectionMark(View):
    """A change of a connection: `broken` (from then on the other system took its credentials no more), `repaired`,
    `secret_replaced`, `replaced` by another one, `changed`, `removed`. `by`: who did it."""

    at: str
    connection_id: UUID | None
    name: str
    change: Change
    by: str | None


def connection_marks(call: Call, *, begin: int, end: int, workflow_id: UUID | None) -> list[ConnectionMark]:
    """The newest first, a hundred at most; with `workflow_id` those of the connections that its versions name which
    were live in this time. What people did is read from the audit log; when one broke, from how it stands, or from the
    deed that ended it."""
    here, used = call.workspace, None
    if workflow_id is not None:
        used = selectors.ids_named_live(workspace_id=here.id, workflow_id=workflow_id, begin=begin, end=end)
    things = None if used is None else sorted(map(str, used))
    rows = reading.within(str(here.id), _DEEDS, since=begin, until=end, most=_MOST, things=things)
    broken = {
        broke: name
        for broke, name in _breaks(here.id, begin, things).items()
        if broke[0] < end and (used is None or broke[1] in used)
    }
    ids = {known for row in rows if (known := _id(row.object_id))} | {known for _, known in broken}
    # A row has the name of its time; what is still there goes by the one it has now.
    names = dict(Connection.objects.filter(workspace=here, pk__in=ids).values_list("id", "name"))
    found = []
    for row in rows:
        known = _id(row.object_id)
        name = names.get(known, row.object_name) if known else row.object_name
        change, by = _DEEDS[row.verb], row.actor_name or None
        mark = ConnectionMark(at=stamp(row.at), connection_id=known, name=name, change=change, by=by)
        found.append((row.at, mark))
    for (at, known), name in broken.items():
        mark = ConnectionMark(at=stamp(at), connection_id=known, name=names.get(known, name), change="broken", by=None)
        found.append((at, mark))
    return [mark for _, mark in sorted(found, key=lambda one: -one[0])][:_MOST]


def _breaks(workspace_id: UUID, begin: int, things: Collection[str] | None) -> dict[tuple[int, UUID], str]:
    """What broke when, from `begin` on: what it was called."""
    found = {}
    # One that broke in this range may have been repaired long after it.
    for row in reading.within(
        str(workspace_id), _ENDINGS, since=begin, until=None, most=_MOST_ENDED, things=things, says=_SINCE
    ):
        since, known = reading.detail_of(row).get(_SINCE), _id(row.object_id)
        if isinstance(since, str) and known is not None:
            found[round(datetime.fromisoformat(since).timestamp() * 1000), known] = row.object_name
    for one in runtime_api.connection_states(workspace_id=workspace_id).values():
        if one.broken_at is not None:
            found[one.broken_at, one.connection_id] = one.name
    return {broke: name for broke, name in found.items() if broke[0] >= begin}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
