"""What started a run, as its start sees it: when that start is carried out, and before, of runs that are held."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final, cast
from uuid import UUID

import orjson

from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import JSON, dumps, loads_stored
from runtime.engine.naming import KEY
from runtime.interpreter.reopening import version_by_id
from runtime.interpreter.waiting import iso
from runtime.sdk import Context, EventView, Result
from runtime.sdk.bodies import parse_query
from runtime.store import reads
from runtime.store.records import EventRow

__all__ = ["LONGEST_BUSINESS_KEY", "business_keys", "event_view", "key_text"]

logger = logging.getLogger(__name__)

LONGEST_BUSINESS_KEY: Final = 200
#: Starts whose event holds a document of our own making rather than bytes of the world.
_OWN_DOCUMENTS: Final = frozenset({"manual", "schedule", "api", "test", "workflow"})


def event_view(row: EventRow) -> EventView:
    """A stored event as a trigger sees it."""
    own = row.source in _OWN_DOCUMENTS
    document: JSON = None
    if own and row.body:
        document = loads_stored(row.body.decode())
    return EventView(
        source=row.source,
        received_at=row.received_at,
        method=row.method,
        path=row.path,
        query=parse_query(row.query),
        headers=_headers(row.headers),
        content_type=row.content_type,
        body=row.body or b"",
        input=document,
        has_input=own,
    )


def _headers(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    pairs: Any = orjson.loads(text)  # names and texts: no number that it would read as a float
    for name, value in pairs:
        lower = str(name).lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else str(value)
    return found


def key_text(found: JSON) -> str | None:
    """A business key as it is kept; None where there is none."""
    if found in (None, ""):
        return None
    return (found if isinstance(found, str) else dumps(found))[:LONGEST_BUSINESS_KEY]


def business_keys(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, str]:
    """The keys that these runs will have, which have not begun: by id, left out where there is none. `rows`: with
    `id`, `version_id`, `trigger_node`, `event_id`, `accepted_at`, `mode`; a few queries, however many."""
    wanted = [row for row in rows if row["event_id"] is not None and _has_key(row)]
    events = reads.events([row["event_id"] for row in wanted])
    found = {}
    for row in wanted:
        event = events.get(row["event_id"])
        if event is None or event.body_artifact_id is not None:
            continue
        try:
            key = key_text(_key(row, event_view(event)))
        except Exception as error:
            # It is only a name, and the run will say itself what is wrong.
            logger.info("run %s: no business key yet (%s)", row["id"], type(error).__name__)
            continue
        if key is not None:
            found[row["id"]] = key
    return found


def _has_key(row: Mapping[str, Any]) -> bool:
    version = version_by_id(row["version_id"], row)
    node = version.graph.by_id.get(row["trigger_node"])
    if node is None or not node.is_trigger:
        return False
    return bool(node.config.get("business_key")) or _named_from_start(version.graph)


def _key(row: Mapping[str, Any], event: EventView) -> JSON:
    version = version_by_id(row["version_id"], row)
    step = version.step(row["trigger_node"])
    if step.prepared is None:
        return None
    given = SimpleNamespace(event=event, now_ms=row["accepted_at"])
    made = step.type.run(step.prepared.validate(step.prepared.raw), None, cast("Context", given))
    if not isinstance(made, Result):
        return None
    run: dict[str, JSON] = {"id": str(row["id"]), "started_at": iso(row["accepted_at"]), "now": iso(row["accepted_at"])}
    run |= {"mode": row["mode"], "version": version.number, "attempt": 1}
    context = {"trigger": made.output, "steps": {step.node.key: made.output}, "run": run, "vars": {}, "error": None}
    naming = version.graph.naming
    if naming is not None and _named_from_start(version.graph):
        worth = naming.worth(KEY, context)
        return None if worth is None else worth.shown
    return step.prepared.deferred("business_key", context)


def _named_from_start(graph: Graph) -> bool:
    return graph.naming is not None and KEY in graph.naming.at_start
