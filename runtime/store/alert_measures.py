"""What a rule sees: read from figures and signs of life, never from the rows of runs one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Max, Sum

from runtime.contracts.alerts import AlertMeasure, AlertRuleDraft, Arrival
from runtime.sdk.calendars import MONDAY_TO_FRIDAY, CalendarUnknown, WorkCalendar, is_working_day
from runtime.store import standing
from runtime.store.calendars import calendar_for
from runtime.store.figure_models import WHOLE
from runtime.store.figure_rows import HOUR, MINUTE
from runtime.store.letter_groups import Asked, muted_letters
from runtime.store.models import Deployment, Event, Figure, Process, StandingFigure, SystemFigure
from runtime.store.sketch import Sketch

__all__ = [
    "HOURS_FROM",
    "Counts",
    "arrived",
    "calendar_of",
    "clock_at",
    "counts",
    "counts_on",
    "expected",
    "measure",
    "next_expected",
    "nothing_yet",
    "zone_of",
]

#: Longer times are told in whole hours: fewer rows.
HOURS_FROM: Final = 180
#: So many days without one that counts: a calendar that is all holidays.
_MOST_DAYS: Final = 400
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: How things stand is noted every 15 seconds: a minute that has just begun may tell nothing yet.
_STANDING_MS: Final = 90_000
#: What rules of a kind add up of figures, and which of them leave out what is muted.
_SUMMED: Final[Mapping[str, tuple[str, ...]]] = {
    "failure_rate": ("completed", "failed", "undone"),
    "duplicate_rate": ("received", "duplicates", "conflicts"),
    "failed_runs": ("failed",),
    "dead_letters": ("letters",),
}
_MUTED: Final = frozenset({"failure_rate", "failed_runs", "dead_letters"})
#: An id is made a little before or after the moment that its row tells.
_ABOUT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Counts:
    """What rules of one workspace count: sums of figures, and letters of muted groups among them."""

    sums: Mapping[AlertRuleDraft, Mapping[str, int]]
    muted: Mapping[AlertRuleDraft, int]


def counts(workspace_id: UUID, rules: Iterable[AlertRuleDraft], now: int) -> Counts:
    """What these rules count of figures and muted letters: the figures of each, and behind them the letters of all in
    one query."""
    sums = {rule: _sums(workspace_id, rule, now, *_SUMMED[rule.kind]) for rule in rules if rule.kind in _SUMMED}
    asked = {rule: _asked(rule, now) for rule in sums if rule.kind in _MUTED}
    letters = muted_letters(workspace_id, set(asked.values()), now)
    return Counts(sums, {rule: letters[one] for rule, one in asked.items()})


def measure(
    workspace_id: UUID, rule: AlertRuleDraft, now: int, since: int = 0, counted: Counts | None = None
) -> AlertMeasure:
    """How it stands now. `since`: since when the rule is as it is. `counted`: of several rules, this one among them,
    where they have been read together."""
    if counted is None:
        counted = counts(workspace_id, [rule], now)
    match rule.kind:
        case "failure_rate" | "duplicate_rate":
            return _rate(rule, counted)
        case "failed_runs" | "dead_letters":
            (count,) = counted.sums[rule].values()
            muted = min(count, counted.muted[rule])
            return replace(_counted(rule, count - muted), muted=muted)
        case "p95":
            return _slow(workspace_id, rule, now)
        case "connection_errors":
            return _counted(rule, _errors(workspace_id, rule, now))
        case "stuck_runs":
            return _counted(rule, _stuck(workspace_id, rule, now))
        case "queue_age":
            return _queue(workspace_id, rule, now)
        case "no_workers":
            return _workers(rule, now, since)
        case "arrival":
            return arrived(workspace_id, rule, now)


# --- figures ----------------------------------------------------------------------------------------------------------


def _span(rule: AlertRuleDraft, now: int) -> tuple[int, int]:
    """In which spans it is told, and from when on: the whole time and the begun span before it."""
    level = MINUTE if rule.minutes < HOURS_FROM else HOUR
    begin = now - rule.minutes * MINUTE * 1000
    return level, begin - begin % (level * 1000)


def _rows(workspace_id: UUID, rule: AlertRuleDraft, now: int) -> Any:
    level, begin = _span(rule, now)
    workflow = WHOLE if rule.workflow_id is None else rule.workflow_id
    return Figure.objects.filter(
        workspace_id=workspace_id, level=level, workflow_id=workflow, at__gte=begin, at__lte=now
    ).order_by()


def _sums(workspace_id: UUID, rule: AlertRuleDraft, now: int, *names: str) -> dict[str, int]:
    found = _rows(workspace_id, rule, now).aggregate(**{f"sum_{name}": Sum(name) for name in names})
    return {name: int(found[f"sum_{name}"] or 0) for name in names}


def _counted(rule: AlertRuleDraft, count: int) -> AlertMeasure:
    return AlertMeasure(float(count), count > rule.limit)


def _rate(rule: AlertRuleDraft, counted: Counts) -> AlertMeasure:
    muted, sums = 0, counted.sums[rule]
    if rule.kind == "failure_rate":
        muted = min(sums["failed"], counted.muted[rule])
        # As if these had not been: a rate of nothing but muted failures is none.
        part, whole = sums["failed"] - muted, sum(sums.values()) - muted
    else:
        part, whole = sums["duplicates"] + sums["conflicts"], sum(sums.values())
    if whole < max(1, rule.least):
        return AlertMeasure(None, False, part, whole, muted)
    share = 100 * part / whole
    return AlertMeasure(round(share, 2), share > rule.limit, part, whole, muted)


def _asked(rule: AlertRuleDraft, now: int) -> Asked:
    """Which letters a rule would leave out, as far as they are muted."""
    _, begin = _span(rule, now)
    return Asked(begin, rule.workflow_id, whole_runs=rule.kind != "dead_letters")


def _slow(workspace_id: UUID, rule: AlertRuleDraft, now: int) -> AlertMeasure:
    sketch = Sketch()
    for text in _rows(workspace_id, rule, now).exclude(took="").values_list("took", flat=True):
        sketch.add_text(text)
    total = sketch.total
    if total < max(1, rule.least):
        return AlertMeasure(None, False, None, total)
    seconds = (sketch.quantiles((0.95,))[0] or 0) / 1000
    return AlertMeasure(round(seconds, 1), seconds > rule.limit, None, total)


def _errors(workspace_id: UUID, rule: AlertRuleDraft, now: int) -> int:
    level, begin = _span(rule, now)
    rows = SystemFigure.objects.filter(workspace_id=workspace_id, level=level, at__gte=begin, at__lte=now)
    if rule.connection_id is not None:
        rows = rows.filter(system=rule.connection_id.hex)
    return int(rows.order_by().aggregate(sum_errors=Sum("errors"))["sum_errors"] or 0)


# --- how things stand -------------------------------------------------------------------------------------------------


def _stuck(workspace_id: UUID, rule: AlertRuleDraft, now: int) -> int:
    until = now - rule.minutes * MINUTE * 1000
    return sum(
        one.since <= until and rule.workflow_id in (None, one.workflow_id) for one in standing.stuck(workspace_id)
    )


def _queue(workspace_id: UUID, rule: AlertRuleDraft, now: int) -> AlertMeasure:
    rows = StandingFigure.objects.filter(
        workspace_id=workspace_id, level=MINUTE, at__gt=now - _STANDING_MS, at__lte=now
    )
    row = rows.order_by("-at").first()
    seconds = 0.0 if row is None else row.oldest_ms / 1000
    return AlertMeasure(round(seconds, 1), seconds > rule.limit, None, 0 if row is None else row.queue)


def _workers(rule: AlertRuleDraft, now: int, since: int) -> AlertMeasure:
    alive = standing.alive(now).filter(kind__in=("worker", "embedded")).count()
    if alive:
        return AlertMeasure(float(alive), False)
    seen = Process.objects.filter(kind__in=("worker", "embedded")).aggregate(last=Max("seen_at"))["last"]
    # Where there has never been one, from when on somebody wanted to know.
    gone = now - max(seen or 0, since)
    return AlertMeasure(0.0, gone >= rule.minutes * MINUTE * 1000)


# --- what should have come --------------------------------------------------------------------------------------------


def arrived(workspace_id: UUID, rule: AlertRuleDraft, now: int) -> AlertMeasure:
    """How much has come since the beginning of the day on which something was last expected."""
    at = None if rule.arrival is None else expected(workspace_id, rule.arrival, rule.time_zone, now)
    if at is None or rule.arrival is None or rule.workflow_id is None:
        return AlertMeasure(None, False)
    rows = Figure.objects.filter(
        workspace_id=workspace_id,
        level=MINUTE,
        workflow_id=rule.workflow_id,
        at__gte=_midnight(at, rule.time_zone),
        at__lte=now,
    )
    came = int(rows.order_by().aggregate(came=Sum("received"))["came"] or 0)
    return AlertMeasure(float(came), came == 0)


def nothing_yet(workspace_id: UUID, rule: AlertRuleDraft, at: int) -> bool:
    """Whether nothing came on that day, also nothing that is not in the figures yet; asked before anybody is told.

    A workflow that was removed, or never went live, is not waited for."""
    if rule.workflow_id is None:
        return False
    live = Deployment.objects.filter(workspace_id=workspace_id, workflow_id=rule.workflow_id, retired=False)
    if not live.exists():
        return False
    since = _midnight(at, rule.time_zone)
    # By the number, which is in the order of time, so that an index answers.
    first = UUID(int=max(0, since - _ABOUT_MS) << 80)
    events = Event.objects.filter(workspace_id=workspace_id, workflow_id=rule.workflow_id, id__gte=first)
    return not events.filter(received_at__gte=since).exists()


def expected(workspace_id: UUID, arrival: Arrival, time_zone: str, now: int) -> int | None:
    """When something was last expected: the newest such moment that has passed."""
    return _moment(workspace_id, arrival, time_zone, now, -1)


def next_expected(workspace_id: UUID, arrival: Arrival, time_zone: str, now: int) -> int | None:
    """When something is next expected."""
    return _moment(workspace_id, arrival, time_zone, now, 1)


def _moment(workspace_id: UUID, arrival: Arrival, time_zone: str, now: int, step: int) -> int | None:
    calendar = calendar_of(workspace_id, arrival)
    zone = zone_of(time_zone)
    day = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date()
    hour, minute = (int(part) for part in arrival.by.split(":"))
    for _ in range(_MOST_DAYS):
        at = clock_at(day, time(hour, minute), zone)
        if (at <= now if step < 0 else at > now) and counts_on(arrival, day, calendar):
            return at
        day += timedelta(days=step)
    return None


def calendar_of(workspace_id: UUID, arrival: Arrival) -> WorkCalendar:
    """The working days by which something is expected, as they are now."""
    if arrival.days != "working":
        return MONDAY_TO_FRIDAY
    return calendar_for(workspace_id, arrival.country, arrival.region, arrival.free)


def counts_on(arrival: Arrival, day: date, calendar: WorkCalendar) -> bool:
    """Whether something is expected on this day."""
    match arrival.days:
        case "every":
            return True
        case "mon_fri":
            return day.weekday() < 5
        case "working":
            try:
                return is_working_day(day, calendar)
            except CalendarUnknown:
                # A calendar that this build no longer knows: better once too often than never.
                return day.weekday() < 5
        case other:
            return _WEEKDAYS[day.weekday()] == other


def _midnight(at: int, time_zone: str) -> int:
    zone = zone_of(time_zone)
    day = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date()
    return clock_at(day, time(), zone)


def clock_at(day: date, clock: time, zone: tzinfo) -> int:
    """When a clock of the zone shows this, on this day. ms"""
    return int(datetime.combine(day, clock, zone).timestamp() * 1000)


def zone_of(name: str) -> Any:
    """The time zone of this name, where this build knows it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
