"""Starting another run from the event of one that is over: everything is done anew, under keys of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from runtime.contracts import NotRetryable
from runtime.engine.ids import uuid7
from runtime.engine.needs import engine_needed
from runtime.engine.state import RunStatus
from runtime.interpreter.expiry import expired
from runtime.interpreter.versions import Version
from runtime.store.models import Event, Run

__all__ = ["Anew", "check_anew", "start_anew"]


@dataclass(frozen=True, slots=True)
class Anew:
    """A run that can be started anew, and the version that the new one gets."""

    row: dict[str, Any]
    version: Version


def check_anew(row: dict[str, Any], version: Version) -> Anew:
    """`row`: as `reopening.run_row` gives it. Raises NotRetryable (it is open, has no event, or the version has no such
    start)."""
    if row["finished_at"] is None:
        raise NotRetryable("This run is not over yet.", code="still_open")
    if row["event_id"] is None:
        raise NotRetryable("This run was not started by an event.", code="no_event")
    removed_at = Event.objects.filter(pk=row["event_id"]).values_list("removed_at", flat=True).first()
    if removed_at is not None:
        raise NotRetryable(expired(removed_at), code="data_removed")
    if not version.begins_with(row["trigger_node"]):
        raise NotRetryable("This version of the workflow has no such start.", code="no_such_start")
    return Anew(row, version)


def start_anew(found: Anew, who: str, now: int) -> UUID:
    """The new run's id; it is due at once. The caller holds the transaction, and rings afterwards."""
    row, new_id = found.row, uuid7()
    # Locked against a rule of retention, which may have taken what it held meanwhile.
    event = Event.objects.select_for_update().filter(pk=row["event_id"]).values_list("removed_at", flat=True).first()
    if event is not None:
        raise NotRetryable(expired(event), code="data_removed")
    Run.objects.create(
        id=new_id,
        workspace_id=row["workspace_id"],
        workflow_id=row["workflow_id"],
        version_id=found.version.id,
        event_id=row["event_id"],
        trigger_node=row["trigger_node"],
        mode=row["mode"],
        started_by=who,
        status=RunStatus.ACCEPTED.value,
        replay_of=row["id"],
        min_engine=max(row["min_engine"], engine_needed(found.version.graph)),
        accepted_at=now,
        wake_at=now,
    )
    return new_id
