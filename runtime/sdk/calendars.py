"""Working days: Monday to Friday, those of a country without its public holidays, or those of a workspace's calendar.
Public holidays are those of the `holidays` library."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from runtime.contracts.calendars import CALENDAR_PATTERN as CALENDAR_PATTERN

if TYPE_CHECKING:
    from holidays import HolidayBase

#: Countries to choose from, by ISO 3166 code. The library knows more; these are what lists show.
COUNTRIES: Final = (
    ("AR", "Argentina"), ("AU", "Australia"), ("AT", "Austria"), ("BE", "Belgium"), ("BR", "Brazil"),
    ("BG", "Bulgaria"), ("CA", "Canada"), ("CL", "Chile"), ("CN", "China"), ("CO", "Colombia"),
    ("HR", "Croatia"), ("CY", "Cyprus"), ("CZ", "Czechia"), ("DK", "Denmark"), ("EG", "Egypt"),
    ("EE", "Estonia"), ("FI", "Finland"), ("FR", "France"), ("DE", "Germany"), ("GR", "Greece"),
    ("HK", "Hong Kong"), ("HU", "Hungary"), ("IS", "Iceland"), ("IN", "India"), ("ID", "Indonesia"),
    ("IE", "Ireland"), ("IL", "Israel"), ("IT", "Italy"), ("JP", "Japan"), ("KE", "Kenya"), ("LV", "Latvia"),
    ("LT", "Lithuania"), ("LU", "Luxembourg"), ("MY", "Malaysia"), ("MT", "Malta"), ("MX", "Mexico"),
    ("MA", "Morocco"), ("NL", "Netherlands"), ("NZ", "New Zealand"), ("NG", "Nigeria"), ("NO", "Norway"),
    ("PE", "Peru"), ("PH", "Philippines"), ("PL", "Poland"), ("PT", "Portugal"), ("RO", "Romania"),
    ("SA", "Saudi Arabia"), ("RS", "Serbia"), ("SG", "Singapore"), ("SK", "Slovakia"), ("SI", "Slovenia"),
    ("ZA", "South Africa"), ("KR", "South Korea"), ("ES", "Spain"), ("SE", "Sweden"), ("CH", "Switzerland"),
    ("TW", "Taiwan"), ("TH", "Thailand"), ("TR", "Türkiye"), ("UA", "Ukraine"),
    ("AE", "United Arab Emirates"), ("GB", "United Kingdom"), ("US", "United States"), ("VN", "Vietnam"),
)  # fmt: skip


#: What names a calendar of the workspace where a country could stand: this sign and its key, or the default one.
OWN_SIGN: Final = "@"
DEFAULT_CALENDAR: Final = "@default"
#: How far to look for a working day, or a start, before saying that none comes.
HORIZON_DAYS: Final = 366 * 9
#: Days of a month that are no number.
NAMED_DAYS: Final = frozenset(
    {"last", "first_workday", "last_workday", "workday_last_2", "workday_last_3"}
    | {f"workday_{number}" for number in range(2, 16)}
)


class CalendarUnknown(ValueError):
    """There is no such country or region. ``regions``: those of the country, where it is known."""

    def __init__(self, message: str, regions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.regions = regions


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """On which days people work. Without anything: Monday to Friday.

    `country`, `region`: whose public holidays are free. `weekdays`: which are worked, 0 is Monday; None: those of the
    country, or Monday to Friday. `own`: days by themselves, each of one year (`2026-12-24`) or of every year (`12-24`),
    with its name and whether it is worked; they count more than holidays and weekdays, those of one year the most.
    `free`: days off whatever else is said of them. `name`: what people call the calendar.
    """

    country: str = ""
    region: str = ""
    free: tuple[str, ...] = ()
    weekdays: tuple[int, ...] | None = None
    own: Mapping[str, tuple[str, bool]] = field(default_factory=dict, compare=False)
    #: Stands for `own` where calendars are told apart, which may hold thousands of days.
    mark: str = ""
    name: str = ""

    def said_of(self, day: date) -> tuple[str, bool] | None:
        """What `own` says of this day: its name, and whether it is worked."""
        text = day.isoformat()
        return self.own.get(text) or self.own.get(text[5:])


MONDAY_TO_FRIDAY: Final = WorkCalendar()


def is_working_day(day: date, calendar: WorkCalendar = MONDAY_TO_FRIDAY) -> bool:
    """Whether people work on this day. Raises CalendarUnknown."""
    if calendar.free and ((text := day.isoformat()) in calendar.free or text[5:] in calendar.free):
        return False
    if calendar.own and (said := calendar.said_of(day)) is not None:
        return said[1]
    if calendar.weekdays is None:
        if not calendar.country:
            return day.weekday() < 5
        return _calendar(calendar.country, calendar.region).is_working_day(day)
    if calendar.country:
        public = _calendar(calendar.country, calendar.region)
        if day in public:
            return False
        # Some countries work on a Saturday in exchange for another day.
        if day in public.weekend_workdays:
            return True
    return day.weekday() in calendar.weekdays


@lru_cache(maxsize=512)
def working_days(year: int, month: int, calendar: WorkCalendar = MONDAY_TO_FRIDAY) -> tuple[int, ...]:
    """The days of this month on which people work. Raises CalendarUnknown."""
    last = monthrange(year, month)[1]
    return tuple(day for day in range(1, last + 1) if is_working_day(date(year, month, day), calendar))


def day_in_month(year: int, month: int, wanted: str, calendar: WorkCalendar = MONDAY_TO_FRIDAY) -> int | None:
    """Which day of this month is meant: one of NAMED_DAYS, or `1` to `31`, which in a shorter month is its last day.
    None where nobody works in this month. Raises CalendarUnknown."""
    last = monthrange(year, month)[1]
    if wanted == "last":
        return last
    if "workday" not in wanted:
        return min(int(wanted), last)
    days = working_days(year, month, calendar)
    match wanted.split("_"):
        case ["first", _]:
            place = 0
        case ["last", _]:
            place = -1
        case [_, "last", number]:
            place = -int(number)
        case _:
            place = int(wanted.removeprefix("workday_")) - 1
    # A month of few working days has no fifteenth; its last one stands for it, as the 31st of a short month does.
    return days[max(-len(days), min(place, len(days) - 1))] if days else None


def moved(day: date, by: int, calendar: WorkCalendar = MONDAY_TO_FRIDAY) -> date | None:
    """The nearest working day, looking from this one in steps of `by` days; None where nobody works for years. Raises
    CalendarUnknown."""
    for _ in range(HORIZON_DAYS):
        if is_working_day(day, calendar):
            return day
        try:
            day += timedelta(days=by)
        except OverflowError:
            return None
    return None


def holidays_between(first: date, last: date, calendar: WorkCalendar) -> list[tuple[date, str]]:
    """The public holidays and further days off from `first` to `last`, with their names, as the country or the
    workspace calls them; days off that have none have an empty one. Raises CalendarUnknown."""
    names = _calendar(calendar.country, calendar.region) if calendar.country else {}
    found, day = [], first
    while day <= last:
        said, text = calendar.said_of(day), day.isoformat()
        if text in calendar.free or text[5:] in calendar.free:
            found.append((day, (said[0] if said else "") or names.get(day) or ""))
        elif said is not None:
            if not said[1]:
                found.append((day, said[0]))
        elif name := names.get(day):
            found.append((day, name))
        day += timedelta(days=1)
    return found


def regions_of(country: str) -> tuple[str, ...]:
    """The regions of a country whose holidays differ; none of an unknown one."""
    import holidays

    return tuple(sorted(str(name) for name in holidays.list_supported_countries().get(country, ())))


def every_day(first: str, last: str) -> Iterable[str]:
    """From one day to another, both as `2026-12-24` or both as `12-24`; days of every year may go over its end.
    Raises ValueError for what is no day, and where the end is before the beginning."""
    begin, count = _range_of(first, last)
    for number in range(count):
        text = (begin + timedelta(days=number)).isoformat()
        yield text[5:] if len(first) == 5 else text


def count_days(first: str, last: str) -> int:
    """How many days every_day gives, without going through them. Raises ValueError as it does."""
    return _range_of(first, last)[1]


def _range_of(first: str, last: str) -> tuple[date, int]:
    if len(first) != len(last) or len(first) not in (5, 10):
        raise ValueError
    if len(first) == 5:
        # In years that have the 29th of February wherever it lies in between.
        begins = 2024 if first <= last or first <= "02-29" else 2023
        first, last = f"{begins}-{first}", f"{begins + (first > last)}-{last}"
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    if end < begin:
        raise ValueError
    return begin, (end - begin).days + 1


@lru_cache(maxsize=64)
def _calendar(country: str, region: str) -> HolidayBase:
    import holidays  # knows the world: only where somebody asks for it

    try:
        found = holidays.country_holidays(country, subdiv=region or None, expand=True)
        if not found.default_language:
            return found
        # As the country calls them, whatever language this machine is set to.
        return holidays.country_holidays(country, subdiv=region or None, expand=True, language=found.default_language)
    except NotImplementedError:
        regions = tuple(str(name) for name in holidays.list_supported_countries().get(country, ()))
        if region and country in holidays.list_supported_countries():
            known = f": {', '.join(regions[:20])}" if regions else ""
            raise CalendarUnknown(f"{country} has no region “{region[:20]}”{known}.", regions) from None
        raise CalendarUnknown(f"There is no calendar of “{country[:20]}”.") from None
