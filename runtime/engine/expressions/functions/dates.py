"""Dates and times. A date is text like 2026-11-20; a moment is text like 2026-11-20T09:41:07Z; days stay days."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from runtime.engine.expressions.arithmetic import Num
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.registry import function
from runtime.engine.expressions.values import Meter, shown

When: TypeAlias = "date | datetime"

UNITS: Final = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name."""
    if name in ("UTC", "Z"):
        return UTC
    try:
        if not name or len(name) > 60 or name.startswith(("/", ".")) or ".." in name:
            raise ValueError(name)
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ExpressionError("date", f"There is no time zone {shown(name)}; write it like Europe/Berlin.") from None


def read(value: Any) -> When:
    """A date or a moment from its ISO text; a moment without a zone is taken as UTC."""
    if isinstance(value, str) and 8 <= len(value) <= 40:
        text = value.strip()
        try:
            if len(text) == 10:
                return date.fromisoformat(text)
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except ValueError:
            pass
    raise ExpressionError(
        "date", f"needs a date like 2026-11-20 or a moment like 2026-11-20T09:41:07Z, but this is {shown(value)}."
    )


def write(value: When) -> str:
    """The ISO text of a date or a moment; UTC is written Z, fractions to milliseconds where there are any."""
    if not isinstance(value, datetime):
        return value.isoformat()
    text = value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def moment(value: Any, place: tzinfo = UTC) -> datetime:
    """A moment; a date is its midnight in ``place``."""
    found = read(value)
    return found if isinstance(found, datetime) else datetime(found.year, found.month, found.day, tzinfo=place)


def _at(value: Any, zone_name: str) -> When:
    """A date, or a moment as it is written; with a zone, as its clocks show it."""
    found = read(value)
    return found.astimezone(zone(zone_name)) if zone_name and isinstance(found, datetime) else found


def in_months(value: When, months: int) -> When:
    """So many months later; the 31st becomes the last day of a shorter month."""
    total = value.year * 12 + value.month - 1 + months
    year, month = divmod(total, 12)
    if not 1 <= year <= 9999:
        raise ExpressionError("date", "leads out of the calendar.")
    return value.replace(year=year, month=month + 1, day=min(value.day, calendar.monthrange(year, month + 1)[1]))


def _unit(unit: str) -> str:
    name = unit.strip().lower()
    name = name if name.endswith("s") else name + "s"
    if name not in UNITS:
        raise ExpressionError("arguments", f"knows the units {', '.join(UNITS)}, not {shown(unit)}.")
    return name


@function("date", "now(now:now)", "The moment at which this step began.", "now()", "2026-11-20T09:41:07Z")
def now(meter: Meter, present: str) -> str:
    return write(moment(present).replace(microsecond=0))


@function(
    "date",
    "today(now:now, zone:text?)",
    "The day on which this step began, in a time zone.",
    'today("Pacific/Auckland")',
    "2026-11-20",
)
def today(meter: Meter, present: str, zone_name: str = "UTC") -> str:
    return moment(present).astimezone(zone(zone_name)).date().isoformat()


@function(
    "date",
    "date(value:any, zone:text?)",
    "Only the day of a moment, in a time zone.",
    'date("2026-11-20T23:30:00Z", "Europe/Berlin")',
    "2026-11-21",
)
def date_(meter: Meter, value: Any, zone_name: str = "UTC") -> str:
    found = read(value)
    return (found.astimezone(zone(zone_name)).date() if isinstance(found, datetime) else found).isoformat()


@function(
    "date",
    "in_zone(moment:any, zone:text)",
    "The same moment, written in a time zone.",
    'in_zone("2026-07-01T10:00:00Z", "Europe/Berlin")',
    "2026-07-01T12:00:00+02:00",
)
def in_zone(meter: Meter, value: Any, zone_name: str) -> str:
    return write(moment(value, zone(zone_name)).astimezone(zone(zone_name)))


@function(
    "date",
    "add_time(date:any, amount:whole, unit:text, zone:text?)",
    "Later (or, with a minus, earlier) by seconds … years; with a zone, days keep its clock time.",
    'add_time("2026-01-31", 1, "months")',
    "2026-02-28",
)
def add_time(meter: Meter, value: Any, amount: int, unit: str, zone_name: str = "") -> str:
    found, name = _at(value, zone_name), _unit(unit)
    try:
        if name in ("months", "years"):
            return write(_real(in_months(found, amount * (12 if name == "years" else 1))))
        if name in ("seconds", "minutes", "hours"):
            if not isinstance(found, datetime):
                raise ExpressionError("date", f"cannot add {name} to a day; give a moment with a time.")
            # Counted as time that passes, whatever the clocks of the zone do meanwhile.
            return write((found.astimezone(UTC) + timedelta(**{name: amount})).astimezone(found.tzinfo))
        return write(_real(found + timedelta(**{name: amount})))
    except OverflowError:
        raise ExpressionError("date", "leads out of the calendar.") from None


def _real(found: When) -> When:
    """A clock time that its zone leaves out in spring is moved to the one that exists."""
    return found.astimezone(UTC).astimezone(found.tzinfo) if isinstance(found, datetime) else found


@function(
    "date",
    "add_days(date:any, days:whole, zone:text?)",
    "So many days later; with a zone, at the same clock time there.",
    'add_days("2026-11-20", 14)',
    "2026-12-04",
)
def add_days(meter: Meter, value: Any, days: int, zone_name: str = "") -> str:
    return add_time(meter, value, days, "days", zone_name)  # type: ignore[no-any-return]


@function(
    "date",
    "add_workdays(date:any, days:whole)",
    "So many working days (Monday to Friday) later.",
    'add_workdays("2026-11-20", 1)',
    "2026-11-23",
)
def add_workdays(meter: Meter, value: Any, days: int) -> str:
    if abs(days) > 100_000:
        raise ExpressionError("arguments", "counts at most 100,000 days.")
    found, step = read(value), 1 if days >= 0 else -1
    try:
        while days and found.weekday() >= 5:
            # Counting starts at the working day next to the weekend, so that five days later is the same weekday.
            found -= timedelta(days=step)
        weeks, rest = divmod(abs(days), 5)
        found += timedelta(weeks=weeks * step)
        while rest:
            found += timedelta(days=step)
            rest -= found.weekday() < 5
    except OverflowError:
        raise ExpressionError("date", "leads out of the calendar.") from None
    return write(found)


@function(
    "date",
    "workdays_between(start:any, end:any)",
    "Working days (Monday to Friday) from one day up to another.",
    'workdays_between("2026-11-20", "2026-11-24")',
    2,
)
def workdays_between(meter: Meter, start: Any, end: Any) -> int:
    first, last = (moment(value).date() for value in (start, end))
    if last < first:
        return -workdays_between(meter, end, start)  # type: ignore[no-any-return]
    weeks, rest = divmod((last - first).days, 7)
    return weeks * 5 + sum((first.weekday() + day) % 7 < 5 for day in range(rest))


@function(
    "date",
    "time_between(start:any, end:any, unit:text?)",
    "How many full days (or another unit) from one to another.",
    'time_between("2026-11-20", "2026-12-04", "days")',
    14,
)
def time_between(meter: Meter, start: Any, end: Any, unit: str = "days") -> int:
    first, last, name = moment(start), moment(end), _unit(unit)
    if name in ("months", "years"):
        sign = 1
        if last < first:
            first, last, sign = last, first, -1
        months = (last.year - first.year) * 12 + last.month - first.month
        if in_months(first, months) > last:
            months -= 1
        return sign * (months // 12 if name == "years" else months)
    seconds = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}[name]
    return int((last - first).total_seconds() / seconds)


@function(
    "date",
    "start_of(date:any, unit:text, zone:text?)",
    "The first day (or moment, in a time zone) of a day, week, month, quarter or year.",
    'start_of("2026-11-20", "month")',
    "2026-11-01",
)
def start_of(meter: Meter, value: Any, unit: str, zone_name: str = "") -> str:
    return write(_real(_start(_at(value, zone_name), unit)))


def _start(found: When, unit: str) -> When:
    name = unit.strip().lower().removesuffix("s")
    if isinstance(found, datetime):
        found = found.replace(hour=0, minute=0, second=0, microsecond=0)
    match name:
        case "day":
            return found
        case "week":
            return found - timedelta(days=found.weekday())
        case "month":
            return found.replace(day=1)
        case "quarter":
            return found.replace(month=(found.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return found.replace(month=1, day=1)
    raise ExpressionError("arguments", f"knows day, week, month, quarter and year, not {shown(unit)}.")


@function(
    "date",
    "end_of(date:any, unit:text, zone:text?)",
    "The last day of a week, month, quarter or year, in a time zone.",
    'end_of("2026-02-10", "month")',
    "2026-02-28",
)
def end_of(meter: Meter, value: Any, unit: str, zone_name: str = "") -> str:
    found = _at(value, zone_name)
    start = _start(found.date() if isinstance(found, datetime) else found, unit)
    name = unit.strip().lower().removesuffix("s")
    months = {"month": 1, "quarter": 3, "year": 12}.get(name)
    after = in_months(start, months) if months else start + timedelta(days=7 if name == "week" else 1)
    return write(after - timedelta(days=1))


@function("date", "year(date:any, zone:text?)", "The year as a number.", 'year("2026-11-20")', 2026)
def year(meter: Meter, value: Any, zone_name: str = "") -> int:
    return _at(value, zone_name).year


@function("date", "month(date:any, zone:text?)", "The month as a number, 1 to 12.", 'month("2026-11-20")', 11)
def month(meter: Meter, value: Any, zone_name: str = "") -> int:
    return _at(value, zone_name).month


@function("date", "day(date:any, zone:text?)", "The day of the month, 1 to 31.", 'day("2026-11-20")', 20)
def day(meter: Meter, value: Any, zone_name: str = "") -> int:
    return _at(value, zone_name).day


@function("date", "hour(moment:any, zone:text?)", "The hour of the day, 0 to 23.", 'hour("2026-11-20T09:41:07Z")', 9)
def hour(meter: Meter, value: Any, zone_name: str = "") -> int:
    found = _at(value, zone_name)
    return found.hour if isinstance(found, datetime) else 0


@function(
    "date", "minute(moment:any, zone:text?)", "The minute of the hour, 0 to 59.", 'minute("2026-11-20T09:41:07Z")', 41
)
def minute(meter: Meter, value: Any, zone_name: str = "") -> int:
    found = _at(value, zone_name)
    return found.minute if isinstance(found, datetime) else 0


@function(
    "date",
    "weekday(date:any, zone:text?)",
    "The day of the week: 1 is Monday, 7 is Sunday.",
    'weekday("2026-11-20")',
    5,
)
def weekday(meter: Meter, value: Any, zone_name: str = "") -> int:
    return _at(value, zone_name).isoweekday()


@function("date", "quarter(date:any, zone:text?)", "The quarter of the year, 1 to 4.", 'quarter("2026-11-20")', 4)
def quarter(meter: Meter, value: Any, zone_name: str = "") -> int:
    return (_at(value, zone_name).month + 2) // 3


@function("date", "period(date:any, zone:text?)", "The month as accounts write it.", 'period("2026-11-20")', "2026-11")
def period(meter: Meter, value: Any, zone_name: str = "") -> str:
    found = _at(value, zone_name)
    return f"{found.year:04}-{found.month:02}"


@function(
    "date", "is_workday(date:any, zone:text?)", "Whether it is Monday to Friday.", 'is_workday("2026-11-21")', False
)
def is_workday(meter: Meter, value: Any, zone_name: str = "") -> bool:
    return _at(value, zone_name).weekday() < 5


@function("date", "to_epoch(moment:any)", "Seconds since 1970 (UTC).", 'to_epoch("2026-11-20T09:41:07Z")', 1795167667)
def to_epoch(meter: Meter, value: Any) -> int:
    return int(moment(value).timestamp())


@function(
    "date",
    "from_epoch(seconds:number)",
    "A moment from seconds since 1970 (UTC).",
    "from_epoch(1795167667)",
    "2026-11-20T09:41:07Z",
)
def from_epoch(meter: Meter, seconds: Num) -> str:
    try:
        return write(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(seconds * 1000)))
    except OverflowError:
        raise ExpressionError("date", "leads out of the calendar.") from None
