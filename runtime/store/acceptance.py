"""The rows of accepted events and their runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from runtime.store import statements as sql
from runtime.store.records import AcceptRun, Claimed, RunRow

__all__ = ["NO_RUN", "dedupe_key", "event_row", "leased", "run_row"]

#: In place of a run's row where an event starts none.
NO_RUN: Final = (None,) * len(sql.INSERT_RUNS.columns)


def event_row(key: Callable[[UUID], Any], unit: AcceptRun) -> tuple[Any, ...]:
    """The row of `INSERT_EVENTS`."""
    event, run = unit.event, unit.run
    return (
        key(event.id),
        key(event.workspace_id),
        key(event.workflow_id),
        None if event.trigger_id is None else key(event.trigger_id),
        event.source,
        event.received_at,
        event.method,
        event.path,
        event.query,
        event.headers,
        event.content_type,
        event.body,
        None if event.body_artifact_id is None else key(event.body_artifact_id),
        event.body_size,
        event.body_sha256,
        event.dedupe_key,
        event.signature,
        event.verdict,
        event.reason,
        event.parse_error,
        None if run is None else key(run.id),
    )


def run_row(key: Callable[[UUID], Any], unit: AcceptRun) -> tuple[Any, ...]:
    """The row of `INSERT_RUNS`."""
    run = unit.run
    assert run is not None
    return (
        key(run.id),
        key(run.workspace_id),
        key(run.workflow_id),
        key(run.version_id),
        key(unit.event.id),
        run.trigger_node,
        run.mode,
        run.started_by,
        run.accepted_at,
        run.min_engine,
        run.lease_owner,
        0 if run.lease_owner is None else 1,
    )


def dedupe_key(unit: AcceptRun) -> str:
    """What accepted events are sorted by."""
    # Every process inserts keys in the same order, so that two with the same deliveries cannot block each other.
    return unit.event.dedupe_key or ""


def leased(unit: AcceptRun, run: RunRow) -> Claimed:
    """A run that was accepted under a lease, as if it had been claimed."""
    return Claimed(
        run_id=run.id,
        workspace_id=run.workspace_id,
        workflow_id=run.workflow_id,
        version_id=run.version_id,
        event_id=unit.event.id,
        trigger_node=run.trigger_node,
        mode=run.mode,
        status="accepted",
        outcome=None,
        generation=1,
        seq=0,
        token=1,
        claims=1,
        cancel_requested_at=None,
        accepted_at=run.accepted_at,
        started_at=None,
        min_engine=run.min_engine,
        error=None,
        event=unit.event,
    )
