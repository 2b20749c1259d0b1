"""The pump's reads: a batch of claimed runs with a few queries. Called in a thread; faults become StoreUnavailable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections
from django.db.models import Q

from runtime.contracts import StoreUnavailable
from runtime.engine.jsonprofile import JSON, loads_stored
from runtime.interpreter.payloads import Reference, put_aside, reference_in
from runtime.store import artifacts, children, reads
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.children import Outer
from runtime.store.models import Run, Version
from runtime.store.reads import AnswerRow, RunRows
from runtime.store.records import Claimed, EventRow
from runtime.store.try_now import Due, overdue

P = ParamSpec("P")
R = TypeVar("R")

_NO_ROWS = RunRows((), (), ())


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of claims needs. `versions`: number and graph document; `events` and `damaged` by run id.

    `damaged` are the runs whose event's bytes are gone: they cannot begin, and the others must not suffer for it.
    """

    versions: dict[UUID, tuple[int, str]]
    events: dict[UUID, EventRow]
    runs: dict[UUID, RunRows]
    damaged: dict[UUID, ArtifactDamaged]
    #: What runs that others have begun know from outside.
    outers: dict[UUID, Outer] = field(default_factory=dict)


def _over_the_store(function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            # The connection of this thread may be broken: the next call opens a new one.
            connections.close_all()
            raise StoreUnavailable(str(error)) from error

    return wrapped


@_over_the_store
def load(claimed: Sequence[Claimed], versions: Sequence[UUID]) -> Batch:
    """Versions that are not cached, rows of runs that have begun, events of runs whose start has not finished."""
    begun = [one.run_id for one in claimed if one.seq > 0]
    rows = reads.load_runs(begun) if begun else {}
    wanted: dict[UUID, UUID] = {}
    for one in claimed:
        if one.event is None and one.event_id is not None and not _start_is_done(one, rows.get(one.run_id)):
            wanted[one.event_id] = one.run_id
    begun_by_runs = [one.run_id for one in claimed if one.event_id is None]
    outers = children.outer_of(begun_by_runs) if begun_by_runs else {}
    found = {wanted[event_id]: event for event_id, event in reads.events(list(wanted)).items()}
    for one in claimed:
        # What a called workflow is given is to its start what an event is to others.
        if (outer := outers.get(one.run_id)) is not None and outer.parent_node != one.trigger_node:
            found[one.run_id] = _as_event(one, outer)
    found.update({one.run_id: one.event for one in claimed if one.event is not None})
    events: dict[UUID, EventRow] = {}
    damaged: dict[UUID, ArtifactDamaged] = {}
    for run_id, event in found.items():
        try:
            events[run_id] = _with_body(event)
        except ArtifactDamaged as error:
            damaged[run_id] = error
    return Batch(
        versions={
            version_id: (number, graph)
            for version_id, number, graph in Version.objects.filter(id__in=set(versions)).values_list(
                "id", "number", "graph"
            )
        }
        if versions
        else {},
        events=events,
        runs={one.run_id: rows.get(one.run_id, _NO_ROWS) for one in claimed},
        damaged=damaged,
        outers=outers,
    )


def _as_event(claimed: Claimed, outer: Outer) -> EventRow:
    reference = reference_in(outer.item)
    body = outer.item.encode() if reference is None else artifacts.read(reference.artifact_id)
    return EventRow(
        claimed.run_id, claimed.workspace_id, claimed.workflow_id, None, "workflow", claimed.accepted_at, "", "", "",
        "[]", "application/json", body, None, len(body), "", None, "none", "accepted", None, None,
    )  # fmt: skip


def needs_reading(claimed: Sequence[Claimed]) -> bool:
    """Whether something of these runs stands in the database only."""
    return any(
        one.outer is None and (one.seq > 0 or one.event is None or one.event.body_artifact_id is not None)
        for one in claimed
    )


def at_hand(claimed: Sequence[Claimed]) -> Batch:
    """What a batch needs when nothing of it has to be read."""
    return Batch(
        versions={},
        events={one.run_id: one.event for one in claimed if one.event is not None},
        runs={one.run_id: _NO_ROWS for one in claimed},
        damaged={},
        outers={one.run_id: one.outer for one in claimed if one.outer is not None},
    )


@_over_the_store
def news(
    run_ids: list[UUID], asking: list[UUID], trying: list[UUID]
) -> tuple[list[UUID], list[UUID], dict[UUID, list[AnswerRow]], list[Due]]:
    """Those of these runs that somebody asked to cancel, and to pause; what people answered to those that ask; and the
    steps of those that try again whose time has come."""
    asked = Q(cancel_requested_at__isnull=False) | Q(paused_at__isnull=False)
    found = Run.objects.filter(asked, id__in=run_ids).values_list("id", "cancel_requested_at", "paused_at")
    rows = list(found)
    cancelled = [run_id for run_id, cancel, _ in rows if cancel is not None]
    paused = [run_id for run_id, _, pause in rows if pause is not None]
    return cancelled, paused, reads.answers(asking), overdue(trying)


@_over_the_store
def ask(question: Callable[[], R]) -> R:
    """Whatever a driver wants to know."""
    return question()


@_over_the_store
def keep(workspace_id: UUID, text: str, name: str) -> Reference:
    """Put a document into the artifact store."""
    return put_aside(text, workspace_id=workspace_id, name=name)


@_over_the_store
def fetch(reference: Reference) -> JSON:
    """Read a document back, checked against its digest."""
    return loads_stored(artifacts.read(reference.artifact_id))


def _start_is_done(claimed: Claimed, rows: RunRows | None) -> bool:
    return rows is not None and any(
        row.node_id == claimed.trigger_node
        and row.generation == claimed.generation
        and row.status not in ("ready", "running", "retrying", "waiting")
        for row in rows.steps
    )


def _with_body(event: EventRow) -> EventRow:
    if event.body is not None or event.body_artifact_id is None:
        return event
    return event._replace(body=reads.event_body(event))
