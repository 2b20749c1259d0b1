"""The business calendars of a workspace: made, changed, removed, and a year of one as people read it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError
from django.db.models import F, QuerySet

from runtime.api.schedule_changes import set_due
from runtime.contracts import NotFound, RuntimeRefused
from runtime.contracts.calendars import (
    MOST_CALENDAR_DAYS,
    MOST_CALENDARS,
    MOST_ICS_BYTES,
    CalendarDay,
    CalendarDraft,
    CalendarRefused,
    CalendarView,
    CalendarYear,
    DayOfYear,
    IcsDays,
)
from runtime.engine.jsonprofile import loads_stored
from runtime.sdk.calendars import (
    COUNTRIES,
    DEFAULT_CALENDAR,
    NAMED_DAYS,
    OWN_SIGN,
    CalendarUnknown,
    WorkCalendar,
    count_days,
    day_in_month,
    holidays_between,
    is_working_day,
    regions_of,
    working_days,
)
from runtime.sdk.ics import IcsEvent, IcsUnreadable, LeftOut, events_of
from runtime.store.beside import tell, unchanged
from runtime.store.calendars import days_of, days_text, draft_of, work_calendar
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import AlertRule, BusinessCalendar, Trigger

__all__ = [
    "add_calendar",
    "alerts_by_calendar",
    "calendar",
    "calendar_countries",
    "calendar_names",
    "calendar_year",
    "calendars",
    "change_calendar",
    "ics_days",
    "remove_calendar",
]

_POINT: Final = "calendar.change"
_YEARS: Final = range(1970, 2101)
#: In so many days somebody works.
_SOON_DAYS: Final = 366 * 2
_LONGEST_NAME: Final = 80
_LONGEST_DAY_NAME: Final = 100


def calendars(*, workspace_id: UUID) -> list[CalendarView]:
    """All of a workspace: the default one first, then by name."""
    rows = BusinessCalendar.objects.filter(workspace_id=workspace_id)
    return [_view(row) for row in sorted(rows, key=lambda row: (not row.is_default, row.name.casefold()))]


def calendar(*, workspace_id: UUID, calendar_id: UUID) -> CalendarView:
    """One of them. Raises NotFound."""
    return _view(_row(workspace_id, calendar_id))


def calendar_countries() -> list[tuple[str, str, tuple[str, ...]]]:
    """The countries whose public holidays are known: ISO 3166 code, English name, and regions."""
    return [(code, name, regions_of(code)) for code, name in COUNTRIES]


def calendar_names(view: CalendarView) -> tuple[str, ...]:
    """By what settings name this calendar."""
    own = OWN_SIGN + view.key
    return (own, DEFAULT_CALENDAR) if view.draft.default else (own,)


def add_calendar(*, workspace_id: UUID, draft: CalendarDraft, by: UUID | None) -> UUID:
    """Make a calendar; its id. The first one of a workspace is its default. Raises CalendarRefused, RuntimeRefused."""
    draft = _checked(draft)
    with _one_name(), commit(_POINT):
        here = BusinessCalendar.objects.select_for_update().filter(workspace_id=workspace_id)
        taken = {row.key for row in here}
        if len(taken) >= MOST_CALENDARS:
            raise RuntimeRefused(f"A workspace has at most {MOST_CALENDARS} calendars.", code="too_many_calendars")
        is_default = draft.default or not taken
        if is_default:
            _no_longer_default(here)
        row = BusinessCalendar(workspace_id=workspace_id, key=_key(draft.name, taken))
        _put(row, draft, is_default, by)
        row.save(force_insert=True)
        if is_default:
            _set_all_due(workspace_id)
        tell(id=str(row.pk))
    return row.pk


def change_calendar(
    *, workspace_id: UUID, calendar_id: UUID, revision: int, draft: CalendarDraft, by: UUID | None
) -> None:
    """Let it be this from now on: what is reckoned from then on goes by it, also of published versions. `revision`: of
    the calendar as the caller knows it. Raises NotFound, CalendarRefused, RuntimeRefused."""
    draft = _checked(draft)
    with _one_name(), commit(_POINT):
        here = BusinessCalendar.objects.select_for_update().filter(workspace_id=workspace_id)
        row = here.filter(pk=calendar_id).first()
        if row is None:
            raise _missing()
        was = draft_of(row)
        if was == draft:
            unchanged()
            return
        if row.revision != revision:
            raise RuntimeRefused("Somebody else has changed this calendar meanwhile.", code="calendar_changed")
        if was.default and not draft.default:
            raise CalendarRefused({"default": ["Make another calendar the default instead."]})
        if draft.default:
            _no_longer_default(here.exclude(pk=row.pk))
        _put(row, draft, draft.default, by)
        row.revision += 1
        row.save()
        _set_all_due(workspace_id)
        tell(id=str(row.pk))


def remove_calendar(*, workspace_id: UUID, calendar_id: UUID) -> None:
    """Take it away. Whoever asks has made sure that nothing names it. Raises NotFound, RuntimeRefused for the default
    one while there are others."""
    with commit(_POINT):
        here = BusinessCalendar.objects.select_for_update().filter(workspace_id=workspace_id)
        row = here.filter(pk=calendar_id).first()
        if row is None:
            raise _missing()
        if row.is_default and here.count() > 1:
            raise RuntimeRefused("Make another calendar the default first.", code="calendar_is_default")
        row.delete()
        _set_all_due(workspace_id)
        tell(id=str(calendar_id))


def alerts_by_calendar(*, workspace_id: UUID, names: Sequence[str]) -> list[UUID | None]:
    """The workflows to which alert rules expect something by one of these calendars (`@key`)."""
    found = []
    for row in AlertRule.objects.filter(workspace_id=workspace_id, arrival__isnull=False).order_by("id"):
        arrival: Any = loads_stored(row.arrival or "{}")
        if arrival.get("country") in names:
            found.append(row.workflow_id)
    return found


def calendar_year(*, workspace_id: UUID, calendar_id: UUID, year: int) -> CalendarYear:
    """The days of a year of which there is something to say. Raises NotFound, RuntimeRefused."""
    if year not in _YEARS:
        raise RuntimeRefused(f"Years from {_YEARS[0]} to {_YEARS[-1]} can be shown.", code="bad_range")
    row = _row(workspace_id, calendar_id)
    days = work_calendar(row)
    first, last = date(year, 1, 1), date(year, 12, 31)
    public = dict(holidays_between(first, last, WorkCalendar(days.country, days.region))) if days.country else {}
    found, free = [], []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if not is_working_day(day, days):
            free.append(day)
        if (said := days.said_of(day)) is not None:
            found.append(DayOfYear(day, "worked" if said[1] else "off", said[0] or public.get(day, "")))
        elif day in public:
            found.append(DayOfYear(day, "holiday", public[day]))
    if row.close:
        closes = ((month, day_in_month(year, month, row.close, days)) for month in range(1, 13))
        found += [DayOfYear(date(year, month, day), "close", "") for month, day in closes if day is not None]
    return CalendarYear(
        year=year,
        days=sorted(found, key=lambda one: (one.day, one.kind)),
        free=free,
        working_days=[len(working_days(year, month, days)) for month in range(1, 13)],
    )


def ics_days(*, text: str, known: Sequence[CalendarDay] = ()) -> IcsDays:
    """What a calendar file would add to these days; nothing is kept. Raises RuntimeRefused (`bad_ics`)."""
    if len(text.encode()) > MOST_ICS_BYTES:
        raise RuntimeRefused(f"A calendar file has at most {MOST_ICS_BYTES // 1000} KB.", code="bad_ics")
    had = {(one.day, one.until or one.day) for one in known}
    days: list[CalendarDay] = []
    left_out: list[tuple[str, str]] = []
    again = 0
    try:
        for one in events_of(text):
            match one:
                case LeftOut(name, why):
                    left_out.append((name, why))
                case IcsEvent(name, first, last, yearly):
                    begin, end = (day.isoformat()[5 if yearly else 0 :] for day in (first, last))
                    if (begin, end) in had:
                        again += 1
                    else:
                        had.add((begin, end))
                        days.append(CalendarDay(begin, name, "" if begin == end else end))
    except IcsUnreadable as error:
        raise RuntimeRefused(str(error), code="bad_ics") from None
    if len(days) + len(known) > MOST_CALENDAR_DAYS:
        raise RuntimeRefused(
            f"A calendar has at most {MOST_CALENDAR_DAYS} days of its own; with this file it would have "
            f"{len(days) + len(known)}.",
            code="bad_ics",
        )
    return IcsDays(sorted(days, key=lambda day: (day.day, day.until)), again, left_out)


# --- inside -----------------------------------------------------------------------------------------------------------


def _row(workspace_id: UUID, calendar_id: UUID) -> BusinessCalendar:
    row = BusinessCalendar.objects.filter(pk=calendar_id, workspace_id=workspace_id).first()
    if row is None:
        raise _missing()
    return row


def _missing() -> NotFound:
    return NotFound("There is no such calendar.")


def _view(row: BusinessCalendar) -> CalendarView:
    return CalendarView(row.pk, row.key, row.revision, draft_of(row), row.changed_at, row.changed_by)


def _no_longer_default(rows: QuerySet[BusinessCalendar]) -> None:
    """That is a change of theirs: whoever knew them as the default does not take that back without seeing it."""
    rows.filter(is_default=True).update(is_default=False, revision=F("revision") + 1)


def _put(row: BusinessCalendar, draft: CalendarDraft, is_default: bool, by: UUID | None) -> None:
    row.name, row.country, row.region, row.close = draft.name, draft.country, draft.region, draft.close
    row.weekdays = "".join("1" if day in draft.weekdays else "0" for day in range(7))
    row.days = days_text(draft.days)
    row.is_default = is_default
    row.changed_at, row.changed_by = database_now(), by


def _set_all_due(workspace_id: UUID) -> None:
    """The schedules that name a calendar are due next when it says so now."""
    now = database_now()
    named = Trigger.objects.filter(workspace_id=workspace_id, enabled=True, type__startswith="trigger.schedule@")
    # In the order in which everybody locks them.
    set_due(list(named.filter(config__contains=f'"{OWN_SIGN}').select_for_update().order_by("id")), now)


def _checked(draft: CalendarDraft) -> CalendarDraft:
    """The same, tidy: days in their order, no blanks around names. Raises CalendarRefused."""
    wrong: dict[str, list[str]] = {}
    name = draft.name.strip()
    if not 1 <= len(name) <= _LONGEST_NAME:
        wrong["name"] = [f"A name has 1 to {_LONGEST_NAME} characters."]
    weekdays = tuple(sorted(set(draft.weekdays)))
    if not weekdays or not set(weekdays) <= set(range(7)):
        wrong["weekdays"] = ["Choose at least one day of the week."]
    region = draft.region.strip() if draft.country else ""
    if draft.country:
        try:
            is_working_day(date(2026, 1, 5), WorkCalendar(draft.country, region))
        except CalendarUnknown as error:
            wrong["region" if error.regions else "country"] = [error.message]
    if draft.close and draft.close not in NAMED_DAYS:
        wrong["close"] = ["Choose the last day or a working day of the month."]
    if len(draft.days) > MOST_CALENDAR_DAYS:
        wrong["days"] = [f"A calendar has at most {MOST_CALENDAR_DAYS} days of its own."]
    days = []
    for number, one in enumerate(draft.days[: MOST_CALENDAR_DAYS + 1]):
        until = "" if one.until == one.day else one.until
        try:
            count = count_days(one.day, until or one.day)
        except ValueError:
            wrong[f"days.{number}.day"] = ["Give a day that there is, and an end that is not before the beginning."]
            continue
        if count > 366:
            wrong[f"days.{number}.until"] = ["At most a year."]
        if len(one.name) > _LONGEST_DAY_NAME:
            wrong[f"days.{number}.name"] = [f"At most {_LONGEST_DAY_NAME} characters."]
        days.append(CalendarDay(one.day, one.name.strip(), until, one.works))
    if wrong:
        raise CalendarRefused(wrong)
    # A later entry counts more: the shorter of two that overlap is to be the later one.
    days.sort(key=lambda one: (-_length(one), one.day, one.works))
    tidy = CalendarDraft(name, weekdays, draft.country, region, tuple(days), draft.close, draft.default)
    if not _is_ever_worked(tidy):
        raise CalendarRefused({"days": ["Nobody works on any day of the next two years. Leave a day to work on."]})
    return tidy


def _is_ever_worked(draft: CalendarDraft) -> bool:
    """Whether people work on a day of the next two years."""
    days = WorkCalendar(draft.country, draft.region, weekdays=draft.weekdays, own=days_of(draft))
    today = datetime.fromtimestamp(database_now() / 1000, UTC).date()
    return any(is_working_day(today + timedelta(days=number), days) for number in range(_SOON_DAYS))


def _length(one: CalendarDay) -> int:
    return count_days(one.day, one.until or one.day)


def _key(name: str, taken: set[str]) -> str:
    """By which settings name it: its first name in small letters, which stays."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:32].strip("-") or "calendar"
    reserved = taken | {DEFAULT_CALENDAR.removeprefix(OWN_SIGN)}
    return next(key for key in _numbered(base) if key not in reserved)


def _numbered(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}-{number}" for number in range(2, MOST_CALENDARS + 3))


@contextmanager
def _one_name() -> Iterator[None]:
    """Two calendars of one name are refused in words."""
    try:
        yield
    except IntegrityError as error:
        if "name" not in str(error):
            raise  # two people made the first one at the same moment
        raise CalendarRefused({"name": ["Another calendar has this name."]}) from error
