"""Schedules of all workflows: when they start next, where they meet, and what they started, as a calendar shows it.

What is to come is read off the plan by which the ticker starts it (`store.planned`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import OuterRef, Q, Subquery

from runtime.catalog import CATALOG
from runtime.contracts import RuntimeRefused
from runtime.contracts.schedules import (
    ClockNote,
    Collision,
    ComingStart,
    DayOfStarts,
    FreeDay,
    PastStart,
    ScheduleCalendar,
    ScheduleView,
)
from runtime.engine.jsonprofile import loads_stored
from runtime.sdk import schedule_words
from runtime.sdk.calendars import (
    MONDAY_TO_FRIDAY,
    CalendarUnknown,
    WorkCalendar,
    day_in_month,
    holidays_between,
)
from runtime.sdk.schedules import ScheduleError, calendar_of, zone
from runtime.store.calendars import work_calendar
from runtime.store.dialect import database_now
from runtime.store.models import BusinessCalendar, Deployment, Event, Hold, Run, ScheduleSetting, Trigger
from runtime.store.planned import Plan, Planned, plans_of

__all__ = ["collisions", "schedule_calendar", "schedules"]

SCHEDULE: Final = "trigger.schedule@"
_SHOWN_NEXT: Final = 3
_DAY_MS: Final = 86_400_000
#: The longest time that one calendar shows.
MOST_DAYS: Final = 62
#: A schedule that starts more often than this in a day is told of by numbers.
_SINGLY_A_DAY: Final = 4
_MOST_A_DAY: Final = 8
_MOST_COUNTED: Final = 5_000
#: From so many schedules in one minute on they meet.
MEET: Final = 5
_MOST_MET: Final = 5
_MOST_OF_ONE: Final = 400
_WEEK_MS: Final = 7 * _DAY_MS
#: The year 9999 begins: behind it there are days that no zone has a date for.
_LAST_MS: Final = 253_370_764_800_000


def schedules(*, workspace_id: UUID, schedule_id: UUID | None = None) -> list[ScheduleView]:
    """The schedules of all live versions, or this one of them, in the order in which they start next."""
    rows, enabled = _live(workspace_id)
    rows = [row for row in rows if schedule_id is None or row.pk == schedule_id]
    now, plans = database_now(), plans_of(rows)
    settings = ScheduleSetting.objects.in_bulk([row.pk for row in rows])
    held = set(Hold.objects.filter(workspace_id=workspace_id).values_list("workflow_id", flat=True))
    last = _last(rows)
    views = [
        _view(row, plans[row.pk], settings.get(row.pk), last.get(row.pk), now, enabled[row.workflow_id], held)
        for row in rows
    ]
    return sorted(views, key=lambda view: (view.next[0].at if view.next else 2**62, str(view.id)))


def collisions(*, workspace_id: UUID) -> list[Collision]:
    """Where many schedules start in the same minute in the coming week, the most first."""
    rows, enabled = _live(workspace_id)
    now, plans = database_now(), plans_of(rows)
    minutes: dict[int, set[UUID]] = defaultdict(set)
    for row in rows:
        if not enabled[row.workflow_id]:
            continue
        coming = list(islice(_within(plans[row.pk], now, now + _WEEK_MS), _MOST_OF_ONE))
        # Whatever starts all the time meets everything, and is not helped by coming a little later.
        if len(coming) < _MOST_OF_ONE:
            for one in coming:
                if one.fate == "start":
                    minutes[one.at // 60_000].add(row.pk)
    met: dict[tuple[frozenset[UUID], int], list[int]] = defaultdict(list)
    for minute in sorted(minutes):
        if len(minutes[minute]) >= MEET:
            met[frozenset(minutes[minute]), minute % 1440].append(minute * 60_000)
    found = [Collision(at[0], sorted(some), len(at)) for (some, _), at in met.items()]
    return sorted(found, key=lambda one: (-len(one.schedules), one.at))[:_MOST_MET]


def schedule_calendar(*, workspace_id: UUID, begin: int, end: int, time_zone: str) -> ScheduleCalendar:
    """What came and what comes from `begin` until `end` (ms), at most two months. Days are those of `time_zone`. Raises
    RuntimeRefused."""
    if not 0 <= begin < end <= begin + MOST_DAYS * _DAY_MS or end > _LAST_MS:
        raise RuntimeRefused(f"A calendar shows one day to {MOST_DAYS}, from 1970 on.", code="bad_range")
    try:
        place = zone(time_zone)
    except ScheduleError as error:
        raise RuntimeRefused(error.message, code="bad_zone") from None
    rows, enabled = _live(workspace_id)
    now, plans = database_now(), plans_of(rows)
    most = max(8, _SINGLY_A_DAY * -(-(end - begin) // _DAY_MS))
    found = ScheduleCalendar(now, [], [], [])
    for row in rows:
        plan, days = plans[row.pk], dict[date, DayOfStarts]()
        if begin < now:
            past = _past(row, plan, begin, min(end, now), most + 1)
            if len(past) > most or _crowds((one.at for one in past), place):
                days.update(_by_day(row, begin, min(end, now), place))
            else:
                found.past.extend(past)
        if end > now and enabled[row.workflow_id]:
            after = max(begin - 1, now)
            to_come = list(islice(_within(plan, after, end), most + 1))
            if len(to_come) > most or _crowds((one.at for one in to_come), place):
                _count_planned(row, plan, after, end, place, days)
            else:
                found.planned.extend((row.pk, _coming(one)) for one in to_come)
        found.days.extend(days[day] for day in sorted(days))
    calendars = [(_calendar_of(plan.config), _days_of(plan.config)) for plan in plans.values()]
    found.free_days.extend(_free_days(workspace_id, calendars, begin, end, place))
    return found


# --- inside -----------------------------------------------------------------------------------------------------------


def _live(workspace_id: UUID) -> tuple[list[Trigger], dict[UUID, bool]]:
    """The schedules of live versions, and whether the workflows are switched on."""
    live = Deployment.objects.filter(workspace_id=workspace_id, retired=False)
    enabled = dict(live.values_list("workflow_id", "enabled"))
    armed = Trigger.objects.filter(workspace_id=workspace_id, type__startswith=SCHEDULE, enabled=True)
    return [row for row in armed.order_by("id") if row.workflow_id in enabled], enabled


def _within(plan: Plan, after: int, until: int) -> Iterator[Planned]:
    """What comes in this time; nothing more of one that leaves the calendar, or names a zone that this machine does not
    know."""
    with suppress(ScheduleError, OverflowError):
        yield from takewhile(lambda one: one.at <= until, plan.after(after))


def _coming(one: Planned) -> ComingStart:
    return ComingStart(one.instant, one.at, one.fate, one.moved)


def _view(
    row: Trigger,
    plan: Plan,
    setting: ScheduleSetting | None,
    last: PastStart | None,
    now: int,
    enabled: bool,
    held: set[UUID],
) -> ScheduleView:
    config: Any = {**CATALOG.filled(row.type, loads_stored(row.config)), **plan.config}
    paused = None if setting is None or (setting.paused_until or 0) <= now else setting
    try:
        coming = [_coming(one) for one in islice(plan.starts(now), _SHOWN_NEXT)] if enabled else []
        changes = [
            ClockNote(one.at, one.day, one.starts, one.asked, one.both)
            for one in schedule_words.coming_changes(config, now)
        ]
    except (ScheduleError, OverflowError):
        coming, changes = [], []  # it leaves the calendar, or names a zone that this machine no longer knows
    return ScheduleView(
        id=row.pk,
        workflow_id=row.workflow_id,
        node_id=row.node_id,
        node_key=row.node_key,
        enabled=enabled,
        held=row.workflow_id in held,
        words=schedule_words.words(config),
        time_zone=str(config.get("timezone") or "UTC"),
        missed=str(config["missed"]),
        overlap=str(config["overlap"]),
        off_days=str(config["off_days"]),
        calendar=_calendar_of(config),
        delay_ms=plan.delay_ms,
        paused_until=None if paused is None else paused.paused_until,
        paused_by=None if paused is None else paused.paused_by,
        next=coming,
        clock_changes=changes,
        last=last,
    )


def _calendar_of(config: Mapping[str, Any]) -> str:
    """Whose working days they are: `DE`, `DE-BY`, a calendar of the workspace by its name, or nobody's."""
    named = config.get("calendar")
    if isinstance(named, WorkCalendar):
        return named.name
    country, region = str(config.get("calendar") or ""), str(config.get("region") or "")
    return f"{country}-{region}" if country and region else country


def _own(row_or_ids: UUID | Sequence[UUID] | OuterRef) -> Any:
    """Events of the clock; the index of keys leads to them, by their instants."""
    named = {"trigger_id__in": row_or_ids} if isinstance(row_or_ids, Sequence) else {"trigger_id": row_or_ids}
    return Event.objects.filter(**named, source="schedule", dedupe_key__isnull=False)


def _last(rows: Sequence[Trigger]) -> dict[UUID, PastStart]:
    newest = _own(OuterRef("pk")).order_by("-dedupe_key").values("id")[:1]
    ids = Trigger.objects.filter(pk__in=[row.pk for row in rows]).annotate(newest=Subquery(newest))
    events = list(Event.objects.filter(pk__in=[one for one in ids.values_list("newest", flat=True) if one]))
    return {one.schedule_id: one for one in _told(events, {})}


def _past(row: Trigger, plan: Plan, begin: int, end: int, most: int) -> list[PastStart]:
    """What came in this time, the newest first."""
    moved = {instant: to for instant, to in plan.to.items() if to is not None}
    own = _own(row.pk)
    here = Q(dedupe_key__gte=str(begin - plan.delay_ms), dedupe_key__lte=str(end))
    from_elsewhere = [str(instant) for instant, to in moved.items() if begin <= to <= end]
    events = own.filter(here | Q(dedupe_key__in=from_elsewhere)).order_by("-dedupe_key")[:most]
    return [one for one in _told(list(events), moved) if begin <= one.at <= end]


def _told(events: Sequence[Event], moved: Mapping[int, int]) -> Iterator[PastStart]:
    runs = {
        run_id: (status, outcome)
        for run_id, status, outcome in Run.objects.filter(
            pk__in=[event.run_id for event in events if event.run_id is not None]
        ).values_list("id", "status", "outcome")
    }
    for event in events:
        instant = int(event.dedupe_key or 0)
        status, outcome = runs.get(event.run_id, (None, None)) if event.run_id is not None else (None, None)
        assert event.trigger_id is not None
        yield PastStart(
            event.trigger_id, instant, moved.get(instant, instant), event.received_at, event.pk, event.verdict,
            event.reason, event.run_id, status, outcome,
        )  # fmt: skip


def _by_day(row: Trigger, begin: int, end: int, place: ZoneInfo) -> dict[date, DayOfStarts]:
    """How many starts came on each day, and how they ended."""
    found: dict[date, DayOfStarts] = {}
    for first, last, offset in _same_offset(begin, end, place):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (e.received_at + %s) / 86400000, r.status, count(*) FROM store_event AS e"
                " LEFT JOIN store_run AS r ON r.id = e.run_id WHERE e.trigger_id = %s AND e.source = 'schedule'"
                " AND e.dedupe_key >= %s AND e.dedupe_key <= %s GROUP BY 1, 2",
                [offset, row.pk.hex if connection.vendor == "sqlite" else row.pk, str(first), str(last)],
            )
            for number, status, count in cursor.fetchall():
                day = date(1970, 1, 1) + timedelta(days=int(number))
                one = found.setdefault(day, DayOfStarts(row.pk, day, {}, 0, None))
                if status is None:
                    found[day] = DayOfStarts(row.pk, day, one.by_status, one.left_out + count, None)
                else:
                    one.by_status[status] = one.by_status.get(status, 0) + count
    return found


def _same_offset(begin: int, end: int, place: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """The parts of this time in which the clocks of the zone do not change: first, last, and how far they are from
    UTC, ms."""
    first = begin
    while first <= end:
        offset, last = _offset(first, place), first
        while last < end and _offset(min(last + 3_600_000, end), place) == offset:
            last = min(last + 3_600_000, end)
        yield first, last, offset
        first = last + 1 if last < end else end + 1


def _offset(at: int, place: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at / 1000, UTC).astimezone(place).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() * 1000)


def _count_planned(
    row: Trigger, plan: Plan, after: int, until: int, place: ZoneInfo, days: dict[date, DayOfStarts]
) -> None:
    """How many starts come on each day; None for days that are too far off to count that many."""
    counts: dict[date, int] = defaultdict(int)
    last = after
    for one in islice(_within(plan, after, until), _MOST_COUNTED):
        last = one.at
        counts[_day(one.at, place)] += one.fate == "start"
    whole = _day(last, place)
    cut = sum(counts.values()) and len(list(islice(_within(plan, last, until), 1))) > 0
    day = _day(after + 1, place)
    while day <= _day(until - 1, place):
        had = days.get(day, DayOfStarts(row.pk, day, {}, 0, None))
        planned = None if cut and day >= whole else counts.get(day, 0)
        if planned is None or planned or had.by_status or had.left_out:
            days[day] = DayOfStarts(row.pk, day, had.by_status, had.left_out, planned)
        day += timedelta(days=1)


def _crowds(moments: Iterable[int], place: ZoneInfo) -> bool:
    """Whether so many of these fall on one day that a calendar has no room for each."""
    return max(Counter(_day(at, place) for at in moments).values(), default=0) > _MOST_A_DAY


def _day(at: int, place: ZoneInfo) -> date:
    return datetime.fromtimestamp(at / 1000, place).date()


def _days_of(config: Mapping[str, Any]) -> WorkCalendar:
    """The working days of a schedule; Monday to Friday where its settings cannot be read any more."""
    with suppress(ScheduleError):
        return calendar_of(config)
    return MONDAY_TO_FRIDAY


def _free_days(
    workspace_id: UUID, calendars: Iterable[tuple[str, WorkCalendar]], begin: int, end: int, place: ZoneInfo
) -> list[FreeDay]:
    """The days off of what the schedules go by and of the workspace's default calendar, and where that closes."""
    first, last = _day(begin, place), _day(end - 1, place)
    found: dict[tuple[date, str, str], FreeDay] = {}
    default = BusinessCalendar.objects.filter(workspace_id=workspace_id, is_default=True).first()
    own = [] if default is None else [(default.name, work_calendar(default))]
    for name, days in dict.fromkeys([*own, *calendars]):
        if days == MONDAY_TO_FRIDAY:
            continue
        with suppress(CalendarUnknown):
            for day, said in holidays_between(first, last, days):
                found.setdefault((day, name, "off"), FreeDay(day, said, name))
    if default is not None and default.close:
        for day in _closes(first, last, default.close, work_calendar(default)):
            found[day, default.name, "close"] = FreeDay(day, "", default.name, "close")
    return [found[key] for key in sorted(found)]


def _closes(first: date, last: date, close: str, days: WorkCalendar) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        number = day_in_month(month.year, month.month, close, days)
        if number is not None and first <= month.replace(day=number) <= last:
            yield month.replace(day=number)
        month = (month + timedelta(days=31)).replace(day=1)
