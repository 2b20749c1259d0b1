"""A schedule in words: what it says on the card, and what its reader should know about clock changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from runtime.sdk.calendars import WorkCalendar
from runtime.sdk.schedules import (
    FIRST_DAY,
    UNITS,
    WEEKDAY_NAMES,
    WEEKDAYS,
    ScheduleError,
    day_of,
    moments,
    next_fires,
    rules_of,
    time_of,
    zone,
)

__all__ = ["ClockChange", "clock_changes", "coming_changes", "notes", "words"]

#: A change of the clocks is met by starts this near to the day on which it was found, and by so many at the most.
_NEAR_MS: Final = 27 * 3_600_000
_MOST_NEAR: Final = 400

#: Days of a month that are no number, as sentences say them.
_DAY_WORDS: Final = {
    "last": "the last day",
    "first_workday": "the first working day",
    "last_workday": "the last working day",
    **{f"workday_{number}": f"working day {number}" for number in range(2, 16)},
    "workday_last_2": "the last working day but one",
    "workday_last_3": "the last working day but two",
}
_WHICH: Final = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth", "last": "last"}
#: What becomes of a start on a day that is no working day, as sentences say it.
_OFF_DAYS: Final = {
    "start": "",
    "skip": ", on working days only",
    "before": ", or on the working day before",
    "after": ", or on the next working day",
}


def words(config: Mapping[str, Any]) -> str:
    """The schedule as a sentence without its time zone; empty when it cannot be read."""
    sentences = [_words(rule) for _, rule in rules_of(config)]
    if not all(sentences):
        return ""
    sentence = " and ".join([sentences[0], *(said[0].lower() + said[1:] for said in sentences[1:])])
    off_days = _OFF_DAYS.get(str(config.get("off_days") or "start"), "")
    sentence += off_days
    calendar = config.get("calendar")
    if isinstance(calendar, WorkCalendar) and (off_days or "working day" in sentence):
        sentence += f" (calendar “{calendar.name}”)" if calendar.name else ""
    return f"{sentence} until {config['ends_on']}" if config.get("ends_on") else sentence


def _words(config: Mapping[str, Any]) -> str:
    at = str(config.get("at") or "09:00")
    match config.get("repeat", "every"):
        case "every":
            every, unit = config.get("every", 1), str(config.get("unit", "hours"))
            if not isinstance(every, int) or unit not in UNITS:
                return ""
            span = unit.removesuffix("s") if every == 1 else f"{every} {unit}"
            at_times = f" at {at}" if unit in ("days", "weeks", "months") else ""
            start = day_of(config, "starts_on") or FIRST_DAY
            on = (
                f" on {WEEKDAY_NAMES[start.weekday()]}"
                if unit == "weeks"
                else f" on day {start.day}"
                if unit == "months"
                else ""
            )
            return f"Every {span}{on}{at_times}"
        case "weekdays":
            days = [day for day in WEEKDAYS if day in (config.get("weekdays") or ())]
            if days == list(WEEKDAYS):
                return f"Every day at {at}"
            if days == list(WEEKDAYS[:5]):
                return f"Monday to Friday at {at}"
            names = [WEEKDAY_NAMES[WEEKDAYS.index(day)] for day in days]
            return (
                (f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"Every {names[0]}") + f" at {at}"
                if names
                else ""
            )
        case "monthly":
            day = str(config.get("day", "1"))
            return f"On {_DAY_WORDS.get(day, f'day {day}')} of the month at {at}"
        case "nth":
            which, weekday = _WHICH.get(str(config.get("nth", "1"))), str(config.get("weekday", "mon"))
            if which is None or weekday not in WEEKDAYS:
                return ""
            return f"On the {which} {WEEKDAY_NAMES[WEEKDAYS.index(weekday)]} of the month at {at}"
        case "cron":
            return _cron_words(str(config.get("cron") or ""))
    return ""


@lru_cache(maxsize=512)
def _cron_words(expression: str) -> str:
    from cron_descriptor import ExpressionDescriptor, Options

    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
        options = Options()
        options.use_24hour_time_format = True
        return str(ExpressionDescriptor(expression, options).get_description())
    except Exception:  # the library has no base class of its own; a sentence is never worth a failure
        return ""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A start that meets a change of the clocks. `asked`: the time of day that does not exist, empty where it is one of
    several; None: this one comes twice, and starts `both` times or once. `starts`: the time of day at which it does."""

    at: int
    day: date
    starts: str
    asked: str | None = None
    both: bool = False

    @property
    def text(self) -> str:
        """As a sentence."""
        if self.asked is None:
            how = "both times" if self.both else "once, the first time"
            return f"On {self.day} clocks go back and {self.starts} comes twice: it starts {how}."
        which = f"{self.asked} does not exist" if self.asked else "a time is left out"
        return f"On {self.day} clocks go forward and {which}: it starts at {self.starts}."


def notes(config: Mapping[str, Any], fires: list[int]) -> list[str]:
    """What a reader should know about clock changes among these fire times."""
    return list(dict.fromkeys(change.text for change in clock_changes(config, fires)))


def clock_changes(config: Mapping[str, Any], fires: list[int]) -> list[ClockChange]:
    """Which of these fire times meet a change of the clocks. Raises ScheduleError."""
    found: list[ClockChange] = []
    rules = rules_of(config)
    for _, rule in rules:
        own = fires if len(rules) == 1 else [fire for fire in fires if next_fires(rule, fire - 1, 1) == [fire]]
        found += _clock_changes(rule, own)
    return found


def _clock_changes(config: Mapping[str, Any], fires: list[int]) -> Iterator[ClockChange]:
    repeat = config.get("repeat", "every")
    if repeat == "every" and config.get("unit", "hours") in ("seconds", "minutes", "hours"):
        return
    place = zone(str(config.get("timezone") or "UTC"))
    for fire in fires:
        local = datetime.fromtimestamp(fire / 1000, place)
        asked, starts = _asked_for(config, local, fire, place), f"{local:%H:%M}"
        if asked != starts:
            yield ClockChange(fire, local.date(), starts, asked)
        elif local.fold == 0 and local.replace(fold=1).utcoffset() != local.utcoffset():
            again = int(local.replace(fold=1).timestamp() * 1000)
            both = repeat == "cron" and next_fires(config, again - 1, 1) == [again]
            yield ClockChange(fire, local.date(), starts, both=both)


def coming_changes(config: Mapping[str, Any], after_ms: int) -> list[ClockChange]:
    """The starts within a year that meet a change of the clocks. Raises ScheduleError."""
    place = zone(str(config.get("timezone") or "UTC"))
    found: list[ClockChange] = []
    for change in _transitions(place, after_ms):
        near = islice(moments(config, change - _NEAR_MS), _MOST_NEAR)
        fires = list(takewhile(lambda at, change=change: at <= change + _NEAR_MS, near))  # type: ignore[misc]
        found += clock_changes(config, fires)
    return found


@lru_cache(maxsize=64)
def _year_of(place: ZoneInfo, day: int) -> tuple[int, ...]:
    found, before = [], datetime.fromtimestamp(day * 86_400, UTC).astimezone(place).utcoffset()
    for number in range(1, 367):
        moment = (day + number) * 86_400
        offset = datetime.fromtimestamp(moment, UTC).astimezone(place).utcoffset()
        if offset != before:
            found.append(moment * 1000)
        before = offset
    return tuple(found)


def _transitions(place: ZoneInfo, after_ms: int) -> tuple[int, ...]:
    """Moments within a day behind each change of this zone's clocks in the coming year."""
    return _year_of(place, after_ms // 86_400_000)


def _asked_for(config: Mapping[str, Any], local: datetime, fire: int, place: ZoneInfo) -> str:
    """The time of day that was asked for; empty where it is one of several that the clock leaves out."""
    if config.get("repeat", "every") != "cron":
        return f"{time_of(config):%H:%M}"
    wall = local.replace(tzinfo=None)
    before = datetime.fromtimestamp(fire / 1000 - 1, place)
    if before.utcoffset() == local.utcoffset() or local.fold:
        return f"{local:%H:%M}"
    # Right after a change: is it a time of the expression, or stands it for those that do not exist?
    try:
        regular = next(CronSim(str(config.get("cron") or ""), wall - timedelta(seconds=1)), None) == wall
    except CronSimError:
        raise ScheduleError("cron", "This is not a cron expression.") from None
    return f"{local:%H:%M}" if regular else ""
