"""Until when people should answer, when they are reminded, and when others are asked too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from runtime.sdk.calendars import CalendarUnknown, WorkCalendar, is_working_day
from runtime.sdk.errors import PermanentError
from runtime.sdk.schedules import ScheduleError, local_moment, zone

HOUR_MS: Final = 3_600_000
#: Milliseconds.
UNITS: Final = {"minutes": 60_000, "hours": HOUR_MS, "days": 86_400_000, "weeks": 604_800_000}
LONGEST_MS: Final = 366 * 5 * 86_400_000
_MOST_NOTICES: Final = 60
#: Within so many days the working days of a due date are to come.
_MOST_DAYS: Final = 366 * 30


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be done about an open question at a time: tell of it, remind of it, ask others too."""

    at: int
    kind: Literal["ask", "remind", "escalate"]


def span_ms(amount: Decimal, unit: str) -> int:
    """So many milliseconds. Raises PermanentError for more than five years."""
    # Compared before it becomes a whole number: one of a million digits would take minutes to write out.
    milliseconds = amount * UNITS[unit]
    if milliseconds > LONGEST_MS:
        raise PermanentError("Too long a wait", "A step can wait at most five years.", "too_long")
    return int(milliseconds)


def after_working_days(now_ms: int, days: Decimal, time_zone: str, calendar: WorkCalendar) -> int:
    """The same time of day so many working days later. Raises PermanentError."""
    if days > 1_000:
        raise PermanentError("Too long a wait", "At most 1,000 working days can be given.", "too_long")
    try:
        where = zone(time_zone)
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(where)
        day, left = moment.date(), int(days)
        last = day + timedelta(days=_MOST_DAYS)
        while left > 0:
            if day >= last:
                raise PermanentError(
                    "Too few working days", "The calendar has too few working days for this due date.", "calendar"
                )
            day += timedelta(days=1)
            left -= is_working_day(day, calendar)
        return int(local_moment(day, moment.time(), where).timestamp() * 1000)
    except (ScheduleError, CalendarUnknown) as error:
        raise PermanentError("No such calendar", error.message, "calendar") from None


def notices(
    *, now_ms: int, due_ms: int | None, ends_ms: int | None, before_ms: int, every_ms: int, escalates: bool
) -> tuple[Notice, ...]:
    """What is to be done, and when, while nobody has answered: the earliest first."""
    found = {Notice(now_ms, "ask")}
    if due_ms is not None and 0 < before_ms < due_ms - now_ms:
        found.add(Notice(due_ms - before_ms, "remind"))
    if every_ms:
        moments = (now_ms + turn * every_ms for turn in range(1, _MOST_NOTICES))
        found |= {Notice(at, "remind") for at in moments if at - now_ms <= LONGEST_MS}
    if due_ms is not None and escalates:
        found.add(Notice(due_ms, "escalate"))
    kept = [one for one in found if ends_ms is None or one.at < ends_ms]
    # Whoever is asked only now need not be reminded in the same moment.
    kept.sort(key=lambda one: (one.at, one.kind))
    return tuple(kept)
