"""A schedule in words: what it says on the card, and what its reader should know about clock changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from runtime.sdk.schedules import (
    FIRST_DAY,
    UNITS,
    WEEKDAY_NAMES,
    WEEKDAYS,
    ScheduleError,
    day_of,
    next_fires,
    rules_of,
    time_of,
    zone,
)

__all__ = ["notes", "words"]

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
    sentence += _OFF_DAYS.get(str(config.get("off_days") or "start"), "")
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


def notes(config: Mapping[str, Any], fires: list[int]) -> list[str]:
    """What a reader should know about clock changes among these fire times."""
    found: list[str] = []
    rules = rules_of(config)
    for _, rule in rules:
        own = fires if len(rules) == 1 else [fire for fire in fires if next_fires(rule, fire - 1, 1) == [fire]]
        found += (note for note in _notes(rule, own) if note not in found)
    return found


def _notes(config: Mapping[str, Any], fires: list[int]) -> list[str]:
    repeat = config.get("repeat", "every")
    if repeat == "every" and config.get("unit", "hours") in ("seconds", "minutes", "hours"):
        return []
    place = zone(str(config.get("timezone") or "UTC"))
    found = []
    for fire in fires:
        local = datetime.fromtimestamp(fire / 1000, place)
        asked = _asked_for(config, local, fire, place)
        if asked != f"{local:%H:%M}":
            which = f"{asked} does not exist" if asked else "a time is left out"
            found.append(f"On {local.date()} clocks go forward and {which}: it starts at {local:%H:%M}.")
        elif local.fold == 0 and local.replace(fold=1).utcoffset() != local.utcoffset():
            again = int(local.replace(fold=1).timestamp() * 1000)
            twice = repeat == "cron" and next_fires(config, again - 1, 1) == [again]
            how = "both times" if twice else "once, the first time"
            found.append(f"On {local.date()} clocks go back and {local:%H:%M} comes twice: it starts {how}.")
    return found


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
