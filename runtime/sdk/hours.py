"""When something may begin: between two times of day, on some days of the week, by the clock on the wall of a place.

Pure. Where the clock is put forward, a time that there is not that day is the moment behind it; where it is put back,
the hour that comes twice counts both times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from runtime.sdk.fields import Config, field
from runtime.sdk.schedules import WEEKDAY_NAMES, WEEKDAYS, ScheduleError, zone

__all__ = ["Hours", "HoursSettings", "hours_of", "hours_problems"]

_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_GROUP: Final = "Only at some times"
_MINUTE: Final = 60_000
_ONLY: Final = {"window": ["only"]}


class HoursSettings(Config):
    """When new entries may begin."""

    window: Literal["always", "only"] = field(
        "always",
        title="When new ones may begin",
        help="Outside these times no further one begins; those that are under way are done to their end.",
        widget="choice",
        options=(("always", "At any time"), ("only", "Only at some times of the day")),
        advanced=True,
        group=_GROUP,
        order=50,
    )
    window_from: str = field(
        "20:00",
        title="From",
        placeholder="20:00",
        show_if=_ONLY,
        advanced=True,
        group=_GROUP,
        order=51,
        pattern=_TIME,
    )
    window_until: str = field(
        "06:00",
        title="Until",
        help="Earlier than the beginning: until then on the next day.",
        placeholder="06:00",
        show_if=_ONLY,
        advanced=True,
        group=_GROUP,
        order=52,
        pattern=_TIME,
    )
    window_days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = field(
        list(WEEKDAYS),
        title="On these days",
        help="The days on which it begins: a night that begins on Friday goes on into Saturday.",
        widget="multi-choice",
        options=tuple(zip(WEEKDAYS, WEEKDAY_NAMES, strict=True)),
        show_if=_ONLY,
        required=True,
        advanced=True,
        group=_GROUP,
        order=53,
        max_length=7,
    )
    window_zone: str = field(
        "UTC",
        title="Time zone",
        help="Times are local times of this zone; clock changes are taken care of.",
        widget="timezone",
        show_if=_ONLY,
        advanced=True,
        group=_GROUP,
        order=54,
        min_length=1,
        max_length=60,
    )


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the day from which, and before which; the days (0: Monday) on which that begins; where."""

    begin: int
    end: int
    days: frozenset[int]
    place: str

    def is_open(self, at_ms: int) -> bool:
        """Whether something may begin now."""
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone(self.place))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        return (day in self.days and minute >= self.begin) or ((day - 1) % 7 in self.days and minute < self.end)

    def opens(self, at_ms: int) -> int | None:
        """When something may begin again; None while it may, and where it never will."""
        return None if self.is_open(at_ms) else _opens(self, at_ms // _MINUTE)


@lru_cache(maxsize=1024)
def _opens(hours: Hours, minute: int) -> int | None:
    """The first minute from this one on in which something may begin."""
    at_ms, place = minute * _MINUTE, zone(hours.place)
    today = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(place).date()
    found = list[int]()
    for number in range(-1, 9):
        for at in _begins(hours, today + timedelta(days=number), place):
            # Before and behind a change of the clock the first moment may be another one.
            steps = range(at - 120 * _MINUTE, at + 121 * _MINUTE, _MINUTE) if _changes(at, place) else (at,)
            found += [one for one in steps if one >= at_ms and hours.is_open(one)][:1]
    return min(found, default=None)


def _begins(hours: Hours, day: date, place: ZoneInfo) -> set[int]:
    wall = datetime(day.year, day.month, day.day, hours.begin // 60, hours.begin % 60, tzinfo=place)
    return {int(wall.replace(fold=fold).timestamp()) * 1000 for fold in (0, 1)}


def _changes(at_ms: int, place: ZoneInfo) -> bool:
    around = (datetime.fromtimestamp(at_ms / 1000 + hours * 3600, UTC).astimezone(place) for hours in (-2, 2))
    return len({moment.utcoffset() for moment in around}) > 1


def hours_of(config: Mapping[str, Any]) -> Hours | None:
    """By settings that have no problems; None where something may begin at any time."""
    if config.get("window") != "only":
        return None
    begin, end = _minutes(config.get("window_from") or "20:00"), _minutes(config.get("window_until") or "06:00")
    given = config.get("window_days")
    days = frozenset(WEEKDAYS.index(day) for day in (WEEKDAYS if given is None else given))
    return Hours(begin, end, days, str(config.get("window_zone") or "UTC"))


def hours_problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with these settings as stored: (field path, code, message)."""
    if config.get("window") != "only":
        return []
    found = []
    if config.get("window_days") == []:
        found.append(("window_days", "no_days", "Choose at least one day of the week."))
    if (config.get("window_from") or "20:00") == (config.get("window_until") or "06:00"):
        found.append(("window_until", "no_time", "It ends when it begins. Choose another time, or “At any time”."))
    try:
        zone(str(config.get("window_zone") or "UTC"))
    except ScheduleError as error:
        found.append(("window_zone", "time_zone", error.message))
    return found


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
