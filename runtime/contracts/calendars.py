"""What crosses about the business calendars of a workspace: on which days people work, and when periods are closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from runtime.contracts.refusals import RuntimeRefused

__all__ = [
    "CALENDAR_PATTERN",
    "MOST_CALENDARS",
    "MOST_CALENDAR_DAYS",
    "MOST_ICS_BYTES",
    "CalendarDay",
    "CalendarDraft",
    "CalendarRefused",
    "CalendarView",
    "CalendarYear",
    "DayOfYear",
    "IcsDays",
]

#: What stands where a calendar is chosen: a country, a calendar of the workspace by its key, or nothing.
CALENDAR_PATTERN: Final = r"^([A-Z]{2}|@[a-z0-9][a-z0-9-]{0,39})?$"
MOST_CALENDARS: Final = 20
#: Entries of one calendar; one may be many days long.
MOST_CALENDAR_DAYS: Final = 400
MOST_ICS_BYTES: Final = 200_000


class CalendarRefused(RuntimeRefused):
    """A calendar that cannot be kept as it is. `fields`: what is wrong, by the field that it stands in."""

    code = "calendar_refused"

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("Some values need another look.")
        self.fields = fields


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day that is free, or worked (`works`) whatever else is said of it: of one year (`2026-12-24`) or of every year
    (`12-24`), until `until` where it is several. Days of every year may go over its end."""

    day: str
    name: str
    until: str = ""
    works: bool = False


@dataclass(frozen=True, slots=True)
class CalendarDraft:
    """A calendar as people make it. `weekdays`: which are worked, 0 is Monday. `country`, `region`: whose public
    holidays are free; empty: nobody's. `close`: the day of each month on which a period is closed, such as
    `last_workday`, empty for none. `default`: the one that the workspace goes by."""

    name: str
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    country: str = ""
    region: str = ""
    days: tuple[CalendarDay, ...] = ()
    close: str = ""
    default: bool = False


@dataclass(frozen=True, slots=True)
class CalendarView:
    """A calendar. Settings name it by its `key`, which never changes. `revision` rises with each change."""

    id: UUID
    key: str
    revision: int
    draft: CalendarDraft
    changed_at: int
    changed_by: UUID | None


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """A day of which there is something to say. `kind`: a public holiday, a day off of the calendar's own, one that is
    worked by its own word, or the day on which a period is closed."""

    day: date
    kind: Literal["holiday", "off", "worked", "close"]
    name: str


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """A year of a calendar. `free`: every day on which nobody works, weekends too."""

    year: int
    days: list[DayOfYear]
    free: list[date]
    working_days: list[int]


@dataclass(frozen=True, slots=True)
class IcsDays:
    """What a calendar file would add. `known`: so many of its days the calendar has already; `left_out`: what cannot be
    taken over, by its title, with why."""

    days: list[CalendarDay]
    known: int
    left_out: list[tuple[str, str]]
