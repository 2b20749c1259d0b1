"""Schedules that are due: which instants get an event, and what that event starts (I33)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any, Final

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.waiting import iso
from runtime.nodes.triggers.schedule import moments, next_fires
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Event, Trigger
from runtime.store.records import AcceptRun, EventRow, RunRow
from runtime.worker.overlap import REASONS, Admission

__all__ = ["Tick", "due", "event_of", "set_next"]

_MOST_SCHEDULES: Final = 200
#: Of the policy `all`: more missed ticks than this are not made up for.
_MOST_MISSED: Final = 100
#: More missed ticks than this are not counted.
_MOST_COUNTED: Final = 10_000
#: Of the policy `skip`: a tick this late was missed, not merely delayed.
_LATE_MS: Final = 60_000
_MINUTE_MS: Final = 60_000
#: Later than this, whatever the policy, an instant does not find the world as it was then.
_DELAYED_MS: Final = 5_000
_VERDICTS: Final[dict[Admission, str]] = {"accepted": "accepted", "running": "skipped", "full": "skipped"}


@dataclass(frozen=True, slots=True)
class Tick:
    """A schedule that is due: the instants that get an event, and when it is due next."""

    trigger: Trigger
    due: list[int]
    previous: int | None
    missed: int
    next_at: int | None
    #: Nobody looked in time: what is started is made up for.
    late: bool = False


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
    return Tick(trigger, chosen, previous, count - 1, next_at, late=now - first > _DELAYED_MS)


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
        verdict=_VERDICTS.get(admission, "queued"),
        reason=REASONS.get(admission),
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
