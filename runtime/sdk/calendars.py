"""Working days: Monday to Friday, or those of a country without its public holidays. Source: the `holidays` library."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

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


class CalendarUnknown(ValueError):
    """There is no such country or region. ``regions``: those of the country, where it is known."""

    def __init__(self, message: str, regions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.regions = regions


def is_working_day(day: date, country: str = "", region: str = "", free: tuple[str, ...] = ()) -> bool:
    """Whether people work on this day: by default Monday to Friday, holidays or not. Raises CalendarUnknown.

    `free`: days off besides, of one year (`2026-12-24`) or of every year (`12-24`).
    """
    if free and ((text := day.isoformat()) in free or text[5:] in free):
        return False
    return day.weekday() < 5 if not country else _calendar(country, region).is_working_day(day)


@lru_cache(maxsize=512)
def working_days(
    year: int, month: int, country: str = "", region: str = "", free: tuple[str, ...] = ()
) -> tuple[int, ...]:
    """The days of this month on which people work. Raises CalendarUnknown."""
    last = monthrange(year, month)[1]
    return tuple(day for day in range(1, last + 1) if is_working_day(date(year, month, day), country, region, free))


def moved(day: date, by: int, country: str = "", region: str = "", free: tuple[str, ...] = ()) -> date | None:
    """The nearest working day, looking from this one in steps of `by` days; None when a month has none."""
    for _ in range(40):
        if is_working_day(day, country, region, free):
            return day
        try:
            day += timedelta(days=by)
        except OverflowError:
            return None
    return None


def holidays_between(
    first: date, last: date, country: str = "", region: str = "", free: tuple[str, ...] = ()
) -> list[tuple[date, str]]:
    """The public holidays and further days off from `first` to `last`, with their names, as the country calls them;
    days off that have none have an empty one. Raises CalendarUnknown."""
    names = _calendar(country, region) if country else {}
    found, day = [], first
    while day <= last:
        name = names.get(day)
        if name or (text := day.isoformat()) in free or text[5:] in free:
            found.append((day, name or ""))
        day += timedelta(days=1)
    return found


@lru_cache(maxsize=64)
def _calendar(country: str, region: str) -> HolidayBase:
    import holidays  # knows the world: only where somebody asks for it

    try:
        return holidays.country_holidays(country, subdiv=region or None, expand=True)
    except NotImplementedError:
        regions = tuple(str(name) for name in holidays.list_supported_countries().get(country, ()))
        if region and country in holidays.list_supported_countries():
            known = f": {', '.join(regions[:20])}" if regions else ""
            raise CalendarUnknown(f"{country} has no region “{region[:20]}”{known}.", regions) from None
        raise CalendarUnknown(f"There is no calendar of “{country[:20]}”.") from None
