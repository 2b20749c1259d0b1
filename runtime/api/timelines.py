"""Everything that happened to what people call by one key, across workflows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from runtime.api.fields import fields_of
from runtime.contracts.searching import KeyEvent, KeyTimeline
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.naming import KEY, folded
from runtime.interpreter.people import called
from runtime.store.models import Delivery, HumanTask, HumanVote, Replay, Run, RunField

__all__ = ["timeline"]

#: So many runs of one key are told of, the newest.
MOST: Final = 200
_RUN: Final = (
    "id", "workspace_id", "workflow_id", "version_id", "mode", "status", "started_by", "accepted_at", "finished_at",
    "error", "event_id", "replay_of", "business_key", "cancel_requested_at", "cancelled_by",
)  # fmt: skip


def timeline(*, workspace_id: UUID, key: str) -> KeyTimeline:
    """What happened to the runs of this key, in whatever letter case, the oldest first; at most 200 runs."""
    named = RunField.objects.filter(workspace_id=workspace_id, name=KEY, folded=folded(key)).order_by("-run_id")
    ids = list(named.values_list("run_id", flat=True)[: MOST + 1])
    rows = list(Run.objects.filter(workspace_id=workspace_id, pk__in=ids[:MOST]).order_by("id").values(*_RUN))
    found = sorted(_events(rows), key=lambda one: (one.at, one.run_id.int))
    newest = rows[-1] if rows else None
    return KeyTimeline(
        key=key if newest is None else newest["business_key"] or key,
        events=found,
        fields=() if newest is None else fields_of([newest]).get(newest["id"], ()),
        more=len(ids) > MOST,
    )


def _events(rows: list[dict[str, object]]) -> Iterator[KeyEvent]:
    runs = {row["id"]: row for row in rows}
    for row in rows:
        kind = "started" if row["replay_of"] is None else "started_anew"
        yield _event(row, row["accepted_at"], kind, by=str(row["started_by"]))
        if row["cancel_requested_at"] is not None:
            yield _event(row, row["cancel_requested_at"], "cancelled", by=str(row["cancelled_by"] or ""))
        if row["finished_at"] is not None:
            yield _event(row, row["finished_at"], str(row["status"]), text=_title(row["error"]))
    retries = Replay.objects.filter(run_id__in=list(runs)).values_list("run_id", "at", "by", "kind", "error")
    for run_id, at, by, kind, error in retries:
        yield _event(runs[run_id], at, "undo" if kind == "undo" else "retried", by=by, text=_title(error))
    # Questions may be long: only those are read whole whose answers have names of their own.
    named = HumanTask.objects.filter(run_id__in=list(runs), spec__contains='"own":true').values_list("id", "spec")
    asked: dict[UUID, Any] = {task: loads_stored(spec) for task, spec in named}
    votes = HumanVote.objects.filter(task__run_id__in=list(runs))
    for task, run_id, at, name, absent, outcome, title, comment in votes.values_list(
        "task_id", "task__run_id", "at", "name", "for_name", "outcome", "task__title", "comment"
    ):
        told = _event(runs[run_id], at, "decided", by=name, text=title, outcome=outcome, comment=comment)
        yield replace(told, in_place_of=absent, called=called(asked.get(task, {}), outcome) or "")
    of_event = {row["event_id"]: row for row in rows if row["event_id"] is not None and row["replay_of"] is None}
    again = Delivery.objects.filter(event_id__in=list(of_event)).order_by("-id")[:MOST]
    for event_id, at, conflict in again.values_list("event_id", "received_at", "conflict"):
        yield _event(of_event[event_id], at, "came_differently" if conflict else "came_again")


def _event(
    row: dict[str, object], at: object, kind: str, *, by: str = "", text: str = "", outcome: str = "", comment: str = ""
) -> KeyEvent:
    assert isinstance(at, int)
    run_id, workflow_id, status = row["id"], row["workflow_id"], row["status"]
    assert isinstance(run_id, UUID)
    assert isinstance(workflow_id, UUID)
    return KeyEvent(at, kind, run_id, workflow_id, str(status), by, text, outcome, comment)


def _title(error: object) -> str:
    if not isinstance(error, str):
        return ""
    told = loads_stored(error)
    return str(told.get("title", "")) if isinstance(told, dict) else ""
