"""Schedules that are due: which instants get an event, and what that event starts (I33)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any, Final, Literal
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.waiting import iso
from runtime.nodes.triggers.schedule import moments, next_fires
from runtime.store.cancels import ask_to_cancel
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Event, Run, Trigger
from runtime.store.parts import IS_ITEM
from runtime.store.queued import queued
from runtime.store.records import AcceptRun, EventRow, RunRow

__all__ = ["Tick", "admit", "due", "event_of", "going", "set_next"]

Admission = Literal["accepted", "queued", "running", "full"]

_MOST_SCHEDULES: Final = 200
#: How far back a schedule looks for a run of its own that still runs: so many instants, and so many runs.
_NEWEST_RUNS: Final = 1_000
#: Of the policy `all`: more missed ticks than this are not made up for.
_MOST_MISSED: Final = 100
#: More missed ticks than this are not counted.
_MOST_COUNTED: Final = 10_000
#: Of the policy `skip`: a tick this late was missed, not merely delayed.
_LATE_MS: Final = 60_000
_MINUTE_MS: Final = 60_000
_REASONS: Final = {
    "queued": "It waits until an earlier start has ended.",
    "running": "An earlier start was still running.",
    "full": "Another start was waiting already.",
}


@dataclass(frozen=True, slots=True)
class Tick:
    """A schedule that is due: the instants that get an event, and when it is due next."""

    trigger: Trigger
    due: list[int]
    previous: int | None
    missed: int
    next_at: int | None
    #: What becomes of a start while an earlier one still runs: allow, skip, queue, cancel.
    overlap: str = "allow"


def due() -> list[Tick]:
    """The schedules that are due now, the longest waiting first."""
    now = database_now()
    found = list(
        Trigger.objects.select_related("version")
        .filter(next_fire_at__lte=now, enabled=True)
        .order_by("next_fire_at")[:_MOST_SCHEDULES]
    )
    if not found:
        return []
    live = set(
        Deployment.objects.filter(
            workflow_id__in=[trigger.workflow_id for trigger in found], enabled=True, retired=False
        ).values_list("workflow_id", flat=True)
    )
    return [_tick_of(trigger, now, live=trigger.workflow_id in live) for trigger in found]


def _tick_of(trigger: Trigger, now: int, *, live: bool) -> Tick:
    """Which instants of a due schedule get an event, by its policy for missed ones."""
    config: Any = loads_stored(trigger.config)
    first = trigger.next_fire_at
    assert first is not None
    newest, count, next_at = _until(config, first, now)
    if not live:
        return Tick(trigger, [], None, count - 1, next_at)
    match config.get("missed", "once"):
        case "all":
            chosen = newest
        case "skip":
            chosen = newest[-1:] if now - newest[-1] <= _LATE_MS else []
        case _:
            chosen = newest[-1:]
    # By workspace and workflow an index leads to the newest.
    newest_first = Event.objects.filter(workspace_id=trigger.workspace_id, workflow_id=trigger.workflow_id)
    own = newest_first.filter(trigger_id=trigger.pk, source="schedule", backfill_id__isnull=True)
    last = own.order_by("-id").first()
    previous = None if last is None else int(last.dedupe_key or 0)
    return Tick(trigger, chosen, previous, count - 1, next_at, config.get("overlap", "allow"))


def _until(config: Mapping[str, Any], first: int, now: int) -> tuple[list[int], int, int | None]:
    """The newest instants from `first` until now, how many there are, and the first one to come."""
    newest: deque[int] = deque(maxlen=_MOST_MISSED)
    for count, at in enumerate(chain([first], moments(config, first))):
        if at > now:
            return list(newest), count, at
        newest.append(at)
        if count == _MOST_COUNTED:
            break
    else:
        return list(newest), count + 1, None
    # Off for so long: the newest ones are looked for from now on backwards.
    span = _MINUTE_MS
    while now - span > first:
        found = deque((at for at in _between(config, now - span, now)), maxlen=_MOST_MISSED)
        if len(found) == _MOST_MISSED:
            newest = found
            break
        span *= 2
    to_come = next_fires(config, now, 1)
    return list(newest), _MOST_COUNTED, to_come[0] if to_come else None


def _between(config: Mapping[str, Any], after: int, until: int) -> list[int]:
    found = []
    for at in moments(config, after):
        if at > until:
            break
        found.append(at)
    return found


def admit(tick: Tick, at: int) -> Admission:
    """Whether this instant starts a run, waits, or is left out, as the schedule says of earlier ones that still run;
    those are cancelled where it says so."""
    if tick.overlap == "allow":
        return "accepted"
    trigger = tick.trigger
    open_runs = going(trigger, besides=at)
    if tick.overlap == "cancel":
        if open_runs:
            with commit("run.cancel"):
                ask_to_cancel(Run.objects.filter(pk__in=open_runs), by="schedule", now=database_now())
        return "accepted"
    if tick.overlap == "skip":
        return "running" if open_runs else "accepted"
    waiting = queued().filter(trigger_id=trigger.pk, backfill_id__isnull=True)
    if waiting.exclude(dedupe_key=str(at)).exists():
        return "full"
    return "queued" if open_runs else "accepted"


def going(trigger: Trigger, *, besides: int | None = None) -> list[UUID]:
    """The runs of this start that have not ended. One that is set aside does not count, nor does that of the instant
    `besides`, which may be told of once more."""
    # By its own instants, for any number of other runs may have begun since; and those that were begun by hand, or for
    # instants of long ago, by how new they are.
    instants = Event.objects.filter(trigger_id=trigger.pk, dedupe_key__isnull=False, run_id__isnull=False)
    own = [one for one in instants.order_by("-dedupe_key").values_list("run_id", flat=True)[:_NEWEST_RUNS] if one]
    newest = Run.objects.filter(workflow_id=trigger.workflow_id).exclude(IS_ITEM).order_by("-id")[:_NEWEST_RUNS]
    found = {}
    for some in (Run.objects.filter(pk__in=own, finished_at__isnull=True), newest):
        for run_id, node, mode, status, finished_at, trigger_id, key in some.values_list(
            "id", "trigger_node", "mode", "status", "finished_at", "event__trigger_id", "event__dedupe_key"
        ):
            if (node, mode, finished_at) == (trigger.node_id, "live", None) and status != "parked":
                found[run_id] = trigger_id, key
    return [run_id for run_id, instant in found.items() if besides is None or instant != (trigger.pk, str(besides))]


def set_next(trigger: Trigger, next_at: int | None) -> None:
    """The instants until now have their events: the schedule is due again at this one."""
    with commit("schedule.tick"):
        # A publish meanwhile may have set another time: it knows better.
        Trigger.objects.filter(pk=trigger.pk, next_fire_at=trigger.next_fire_at).update(next_fire_at=next_at)


def event_of(tick: Tick, at: int, previous: int | None, now: int, admission: Admission) -> AcceptRun:
    """The event of an instant, and its run where one is admitted."""
    trigger = tick.trigger
    body = dumps(
        {"scheduled_at": iso(at), "previous": None if previous is None else iso(previous), "missed": tick.missed}
    ).encode()
    event = EventRow(
        id=uuid7(),
        workspace_id=trigger.workspace_id,
        workflow_id=trigger.workflow_id,
        trigger_id=trigger.id,
        source="schedule",
        received_at=now,
        method="",
        path="",
        query="",
        headers="[]",
        content_type="application/json",
        body=body,
        body_artifact_id=None,
        body_size=len(body),
        body_sha256=sha256(body).hexdigest(),
        dedupe_key=str(at),
        signature="none",
        verdict=admission if admission in ("accepted", "queued") else "skipped",
        reason=_REASONS.get(admission),
        parse_error=None,
    )
    run = RunRow(
        id=uuid7(),
        workspace_id=trigger.workspace_id,
        workflow_id=trigger.workflow_id,
        version_id=trigger.version_id,
        trigger_node=trigger.node_id,
        mode="live",
        started_by="schedule",
        accepted_at=now,
        min_engine=trigger.version.min_engine,
    )
    return AcceptRun(event, run if admission == "accepted" else None)
