"""Deliveries whose key came before: kept, counted, flagged where the body differs (I4, I5).

A key is recognised for as long as its start says; after that it may be used anew, and the event that had it keeps it
as its `past_key`. Only what is not new comes here: a first delivery pays for none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from runtime.engine.ids import uuid7
from runtime.store import statements as sql
from runtime.store.dialect import Link, StoreFault
from runtime.store.records import Accepted, AcceptRun, EventRow
from runtime.store.tickets import Ticket

__all__ = ["write"]

_Insert = Callable[[list[Ticket]], tuple[list[Ticket], list[Ticket]]]


class _First(NamedTuple):
    """The event that has a key."""

    key: Any
    run: Any
    sha256: str
    received_at: int


_Known = dict[tuple[Any, str | None], _First]


def write(link: Link, tickets: Sequence[Ticket], insert: _Insert) -> list[Ticket]:
    """Answer accepting tickets whose events were not stored; returns those that are new all the same, since the time
    of their key was over. `insert` tells the new ones apart from the others. The caller holds the transaction."""
    known = _first_events(link, tickets)
    fresh: list[Ticket] = []
    if over := [ticket for ticket in tickets if _is_over(link, ticket.unit, known)]:
        # Whoever else uses such a key anew at this moment comes before or after this transaction.
        keys = {known[_key_of(link, ticket.unit.event)].key for ticket in over}
        link.batch(sql.RETIRE_KEYS, [(event_key,) for event_key in sorted(keys)])
        fresh, repeated = insert(over)
        new = set(map(id, fresh))
        tickets = [ticket for ticket in tickets if id(ticket) not in new]
        if repeated:
            known = _first_events(link, tickets)
    _keep(link, tickets, known)
    return fresh


def _keep(link: Link, tickets: Sequence[Ticket], known: _Known) -> None:
    key = link.key
    deliveries = []
    more: dict[Any, int] = {}
    for ticket in tickets:
        event: EventRow = ticket.unit.event
        first = known.get(_key_of(link, event))
        if event.dedupe_key is None or (first is not None and first.key == key(event.id)):
            # The very same event: handed in again, because its first commit was answered to nobody.
            ticket.result = Accepted(event.id, None if ticket.unit.run is None else ticket.unit.run.id)
            continue
        if first is None:
            raise StoreFault("the first delivery was removed this moment")
        conflict = first.sha256 != event.body_sha256
        ticket.result = Accepted(
            link.unkey(first.key), None if first.run is None else link.unkey(first.run), True, conflict
        )
        if event.source == "schedule":
            continue  # an instant that is told of once more is nobody's delivery
        more[first.key] = more.get(first.key, 0) + 1
        artifact = event.body_artifact_id if conflict else None
        deliveries.append(
            (
                key(uuid7()),
                first.key,
                event.received_at,
                key(event.workspace_id),
                key(event.workflow_id),
                1 if conflict else 0,
                event.body_sha256,
                event.body if conflict else None,
                None if artifact is None else key(artifact),
                event.headers,
            )
        )
    if deliveries:
        link.batch(sql.INSERT_DELIVERIES, deliveries)
        link.batch(sql.COUNT_DUPLICATES, sorted(more.items()))


def _first_events(link: Link, tickets: Sequence[Ticket]) -> _Known:
    wanted = {
        _key_of(link, ticket.unit.event)
        for ticket in tickets
        if ticket.unit.event.trigger_id is not None and ticket.unit.event.dedupe_key is not None
    }
    return {
        (trigger, dedupe_key): _First(event, run, sha256, received_at)
        for event, run, trigger, dedupe_key, sha256, received_at in link.batch(sql.FIND_EVENTS, list(wanted))
    }


def _key_of(link: Link, event: EventRow) -> tuple[Any, str | None]:
    return (None if event.trigger_id is None else link.key(event.trigger_id), event.dedupe_key)


def _is_over(link: Link, unit: AcceptRun, known: _Known) -> bool:
    """Whether the event that has this one's key has had it for longer than keys are recognised."""
    first = known.get(_key_of(link, unit.event))
    if first is None or unit.key_for_ms is None or first.key == link.key(unit.event.id):
        return False
    return first.received_at <= unit.event.received_at - unit.key_for_ms
