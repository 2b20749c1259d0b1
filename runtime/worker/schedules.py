"""Schedules that are due: which instants get an event, and what that event starts (I33)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.waiting import iso
from runtime.sdk.schedules import ScheduleError
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Event, Trigger
from runtime.store.planned import Plan, Planned, plan_of, plans_of
from runtime.store.records import AcceptRun, EventRow, RunRow
from runtime.worker.overlap import REASONS, Admission

__all__ = ["Tick", "due", "event_of", "set_next"]

logger = logging.getLogger("millrace.schedules")

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
_LEFT_OUT: Final = {
    "skip": "Somebody left this start out.",
    "paused": "The schedule is paused. This start and those behind it are left out.",
}
#: Schedules that cannot be read, of which that was said.
_UNREADABLE: Final[set[UUID]] = set()
_VERDICTS: Final[dict[Admission, str]] = {"accepted": "accepted", "running": "skipped", "full": "skipped"}


@dataclass(frozen=True, slots=True)
class Tick:
    """A schedule that is due: the starts that get an event, and until when (`now`) that was looked at."""

    trigger: Trigger
    due: list[Planned]
    previous: int | None
    missed: int
    now: int
    #: Nobody looked in time: what is started is made up for.
    late: bool = False


def due() -> list[Tick]:
    """The schedules that are due now, the longest waiting first."""
    now = database_now()
    waiting = Trigger.objects.filter(next_fire_at__lte=now, enabled=True)
    longest = list(waiting.order_by("next_fire_at").values_list("pk", flat=True)[:_MOST_SCHEDULES])
    if not longest:
        return []
    with commit("schedule.look"):
        # Under their locks, under which people decide about starts and look at the clock. What they decided before its
        # time is seen here, however long that took them; whoever comes behind this is too late, and is told so.
        rows = waiting.filter(pk__in=longest).select_related("version").order_by("pk")
        found = list(rows.select_for_update(of=("self",), no_key=True))
        return _ticks(sorted(found, key=lambda trigger: trigger.next_fire_at or 0), now)


def _ticks(found: Sequence[Trigger], now: int) -> list[Tick]:
    live = set(
        Deployment.objects.filter(
            workflow_id__in=[trigger.workflow_id for trigger in found], enabled=True, retired=False
        ).values_list("workflow_id", flat=True)
    )
    plans = plans_of(found)
    ticks = []
    for trigger in found:
        try:
            ticks.append(_tick_of(trigger, plans[trigger.pk], now, live=trigger.workflow_id in live))
        except (ScheduleError, OverflowError) as error:
            # Of a zone that this machine no longer knows. It stays due; the others do not wait for it.
            if trigger.pk not in _UNREADABLE:
                logger.warning("The schedule %s of workflow %s waits: %s", trigger.pk, trigger.workflow_id, error)
            _UNREADABLE.add(trigger.pk)
        else:
            _UNREADABLE.discard(trigger.pk)
    return ticks


def _tick_of(trigger: Trigger, plan: Plan, now: int, *, live: bool) -> Tick:
    """Which starts of a due schedule get an event, by its policy for missed ones."""
    config: Any = loads_stored(trigger.config)
    first = trigger.next_fire_at
    assert first is not None
    newest, count = _until(plan, first, now)
    if not live:
        return Tick(trigger, [], None, 0, now)
    starts = [one for one in newest if one.fate == "start"]
    match config.get("missed", "once"):
        case "all":
            chosen = starts
        case "skip":
            chosen = starts[-1:] if starts and now - starts[-1].at <= _LATE_MS else []
        case _:
            chosen = starts[-1:]
    left_out = [one for one in newest if one.fate == "skip"]
    # Of a pause one start says that there is one; the schedule is next due when it is over.
    left_out += [one for one in newest if one.fate == "paused"][:1]
    # By workspace and workflow an index leads to the newest.
    newest_first = Event.objects.filter(workspace_id=trigger.workspace_id, workflow_id=trigger.workflow_id)
    own = newest_first.filter(trigger_id=trigger.pk, source="schedule", backfill_id__isnull=True)
    last = own.order_by("-id").first()
    previous = None if last is None else int(last.dedupe_key or 0)
    told = sorted([*chosen, *left_out], key=lambda one: one.at)
    return Tick(trigger, told, previous, max(0, count - 1), now, late=now - first > _DELAYED_MS)


def _until(plan: Plan, first: int, now: int) -> tuple[list[Planned], int]:
    """The newest of what came from `first` until now, and how many starts there were."""
    newest: deque[Planned] = deque(maxlen=_MOST_MISSED)
    count = 0
    for seen, one in enumerate(_from(plan, first)):
        if one.at > now:
            return list(newest), count
        newest.append(one)
        count += one.fate == "start"
        if seen == _MOST_COUNTED:
            break
    else:
        return list(newest), count
    # Off for so long: the newest ones are looked for from now on backwards.
    span = _MINUTE_MS
    while now - span > first:
        found = deque((one for one in _between(plan, now - span, now)), maxlen=_MOST_MISSED)
        if len(found) == _MOST_MISSED:
            newest = found
            break
        span *= 2
    return list(newest), _MOST_COUNTED


def _from(plan: Plan, first: int) -> Iterator[Planned]:
    """What comes from `first` on, which is due whatever the plan says by now."""
    found = plan.after(first - 1)
    one = next(found, None)
    if one is None or one.at != first:
        yield Planned(first, first, plan.fate(first))
    if one is not None:
        yield one
    yield from found


def _between(plan: Plan, after: int, until: int) -> Iterator[Planned]:
    for one in plan.after(after):
        if one.at > until:
            return
        yield one


def set_next(tick: Tick) -> None:
    """What came until then has its events: the schedule is due again when the next one comes."""
    with commit("schedule.tick"):
        # Under its lock: what somebody decides about its times at this very moment is seen here, or sees this.
        row = Trigger.objects.select_for_update().get(pk=tick.trigger.pk)
        # A publish meanwhile may have set another time: it knows better.
        if row.next_fire_at == tick.trigger.next_fire_at:
            row.next_fire_at = plan_of(row).next_at(tick.now)
            row.save(update_fields=["next_fire_at"])


def event_of(tick: Tick, one: Planned, previous: int | None, now: int, admission: Admission | None) -> AcceptRun:
    """The event of a start, and its run where one is admitted; None: somebody decided that it does not come."""
    trigger, at = tick.trigger, one.instant
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
        verdict="skipped" if admission is None else _VERDICTS.get(admission, "queued"),
        reason=_LEFT_OUT[one.fate] if admission is None else REASONS.get(admission),
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
