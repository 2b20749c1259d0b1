"""When a schedule fires. Pure: the moment to start from is an argument; clocks that change are handled by rule.

A local time that does not exist on a day (clocks go forward) fires at the first moment after the gap; a local time that
exists twice fires once, the first time. Steps of minutes and hours are counted in real time from the first midnight.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from runtime.sdk.calendars import CalendarUnknown, is_working_day, moved, working_days

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNITS: Final = ("minutes", "hours", "days", "weeks", "months")
#: Days of a month that are no number, as sentences say them.
_DAY_WORDS: Final = {
    "last": "the last day",
    "first_workday": "the first working day",
    "last_workday": "the last working day",
    **{f"workday_{number}": f"working day {number}" for number in range(2, 16)},
    "workday_last_2": "the last working day but one",
    "workday_last_3": "the last working day but two",
}
#: What becomes of a start on a day that is no working day, as sentences say it.
_OFF_DAYS: Final = {
    "start": "",
    "skip": ", on working days only",
    "before": ", or on the working day before",
    "after": ", or on the next working day",
}
#: A Monday, so that "every 2 weeks" has a beginning when none is given.
FIRST_DAY: Final = date(2024, 1, 1)
#: How far to look before saying that nothing comes.
_HORIZON_DAYS: Final = 366 * 9
#: How far a start is moved at most, and how many in a row may fall on free days before none is expected any more.
_LONGEST_MOVE: Final = 41
_MOST_OFF: Final = 100_000


class ScheduleError(ValueError):
    """A schedule that cannot be read. ``field`` is the setting, the message a plain sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name; raises ScheduleError."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ScheduleError("timezone", f"There is no time zone “{name[:60]}”; write it like Europe/Berlin.") from None


def next_fires(config: Mapping[str, Any], after_ms: int, count: int) -> list[int]:
    """The next ``count`` moments (ms since the epoch) strictly after ``after_ms``; fewer when no more come.

    ``config``: the settings of ``trigger.schedule@1``. Raises ScheduleError.
    """
    try:
        return _next_fires(config, after_ms, count)
    except CalendarUnknown as error:
        raise ScheduleError("region" if config.get("region") else "calendar", error.message) from None


def _next_fires(config: Mapping[str, Any], after_ms: int, count: int) -> list[int]:
    found: list[int] = []
    place, last = zone(str(config.get("timezone") or "UTC")), _day(config, "ends_on")
    for moment in _on_working_days(config, _fires(config, after_ms), place):
        if last is not None and moment.astimezone(place).date() > last:
            break
        milliseconds = int(moment.timestamp() * 1000)
        if milliseconds > after_ms and (not found or milliseconds > found[-1]):
            found.append(milliseconds)
        if len(found) >= count:
            break
    return found


def check(config: Mapping[str, Any]) -> None:
    """Raise ScheduleError when the schedule cannot be read or never fires."""
    first, last = _day(config, "starts_on"), _day(config, "ends_on")
    if first is not None and last is not None and last < first:
        raise ScheduleError("ends_on", "The last day is before the first.")
    if not next_fires(config, int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000), 1):
        raise ScheduleError("cron" if config.get("repeat") == "cron" else "repeat", "This schedule never fires.")


def words(config: Mapping[str, Any]) -> str:
    """The schedule as a sentence without its time zone; empty when it cannot be read."""
    sentence = _words(config)
    if sentence:
        sentence += _OFF_DAYS.get(str(config.get("off_days") or "start"), "")
    return f"{sentence} until {config['ends_on']}" if sentence and config.get("ends_on") else sentence


def _words(config: Mapping[str, Any]) -> str:
    at = str(config.get("at") or "09:00")
    match config.get("repeat", "every"):
        case "every":
            every, unit = config.get("every", 1), str(config.get("unit", "hours"))
            if not isinstance(every, int) or unit not in UNITS:
                return ""
            span = unit.removesuffix("s") if every == 1 else f"{every} {unit}"
            at_times = f" at {at}" if unit in ("days", "weeks", "months") else ""
            start = _day(config, "starts_on") or FIRST_DAY
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
    repeat = config.get("repeat", "every")
    if repeat == "every" and config.get("unit") in ("minutes", "hours"):
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
        return f"{_time(config):%H:%M}"
    wall = local.replace(tzinfo=None)
    before = datetime.fromtimestamp(fire / 1000 - 1, place)
    if before.utcoffset() == local.utcoffset() or local.fold:
        return f"{local:%H:%M}"
    # Right after a change: is it a time of the expression, or stands it for those that do not exist?
    regular = next(CronSim(str(config.get("cron") or ""), wall - timedelta(seconds=1)), None) == wall
    return f"{local:%H:%M}" if regular else ""


def _fires(config: Mapping[str, Any], after_ms: int) -> Iterator[datetime]:
    place = zone(str(config.get("timezone") or "UTC"))
    try:
        after = datetime.fromtimestamp(after_ms / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        raise ScheduleError("", "This moment is outside the calendar.") from None
    match config.get("repeat", "every"):
        case "every":
            yield from _every(config, after, place)
        case "weekdays":
            chosen = {WEEKDAYS.index(day) for day in config.get("weekdays") or () if day in WEEKDAYS}
            if not chosen:
                raise ScheduleError("weekdays", "Choose at least one day of the week.")
            yield from _days(
                after, place, _time(config), _day(config, "starts_on"), lambda day: day.weekday() in chosen
            )
        case "monthly":
            wanted = str(config.get("day", "1"))
            if wanted not in _DAY_WORDS and not (wanted.isdecimal() and 1 <= int(wanted) <= 31):
                raise ScheduleError("day", "The day is 1 to 31, the last day, or a working day.")
            yield from _days(
                after, place, _time(config), _day(config, "starts_on"), lambda day: _is_day(day, wanted, config)
            )
        case "cron":
            expression = str(config.get("cron") or "")
            first = _day(config, "starts_on")
            if first is not None:
                after = max(after, local_moment(first, time(0), place).astimezone(UTC) - timedelta(seconds=1))
            try:
                yield from CronSim(expression, after.astimezone(place))
            except CronSimError as error:
                raise ScheduleError("cron", f"“{expression[:60]}” is not a cron expression: {error}.") from None
        case other:
            raise ScheduleError("repeat", f"“{str(other)[:40]}” is not a way to repeat.")


def _is_day(day: date, wanted: str, config: Mapping[str, Any]) -> bool:
    last = monthrange(day.year, day.month)[1]
    if wanted == "last":
        return day.day == last
    if "workday" not in wanted:
        return day.day == min(int(wanted), last)
    days = working_days(day.year, day.month, *_calendar(config))
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
    return bool(days) and day.day == days[max(-len(days), min(place, len(days) - 1))]


def _calendar(config: Mapping[str, Any]) -> tuple[str, str]:
    country = str(config.get("calendar") or "").strip().upper()
    return country, str(config.get("region") or "").strip() if country else ""


def _on_working_days(config: Mapping[str, Any], moments: Iterator[datetime], place: ZoneInfo) -> Iterator[datetime]:
    """Leave out, or move, what falls on a day that is no working day; the order stays."""
    off_days = str(config.get("off_days") or "start")
    if off_days == "start":
        yield from moments
        return
    if off_days not in _OFF_DAYS:
        raise ScheduleError("off_days", f"“{off_days[:40]}” is not a way to treat free days.")
    calendar = _calendar(config)
    repeat, unit = config.get("repeat", "every"), config.get("unit", "hours")
    by_days = repeat in ("weekdays", "monthly") or (repeat == "every" and unit in ("days", "weeks", "months"))
    if off_days != "skip" and not by_days:
        raise ScheduleError("off_days", "Only starts once a day can be moved to another day. Leave them out instead.")
    misses = 0
    for moment in moments:
        day = moment.astimezone(place).date()
        if is_working_day(day, *calendar):
            misses = 0
            yield moment
            continue
        misses += 1
        if misses > _MOST_OFF:
            return
        if off_days != "skip" and (other := moved(day, -1 if off_days == "before" else 1, *calendar)) is not None:
            misses = 0
            yield local_moment(other, _time(config), place)


def _every(config: Mapping[str, Any], after: datetime, place: ZoneInfo) -> Iterator[datetime]:
    every, unit = config.get("every", 1), config.get("unit", "hours")
    if not isinstance(every, int) or not 1 <= every <= 1000:
        raise ScheduleError("every", "Every 1 to 1,000.")
    start = _day(config, "starts_on") or FIRST_DAY
    match unit:
        case "minutes" | "hours":
            step = timedelta(minutes=every) if unit == "minutes" else timedelta(hours=every)
            first = local_moment(start, time(0), place).astimezone(UTC)
            turns = max((after - first) // step, -1) + 1
            while True:
                yield first + turns * step
                turns += 1
        case "days" | "weeks":
            span = every * (7 if unit == "weeks" else 1)
            yield from _days(after, place, _time(config), start, lambda day: (day - start).days % span == 0)
        case "months":
            yield from _days(
                after,
                place,
                _time(config),
                start,
                lambda day: (
                    (day.year * 12 + day.month - start.year * 12 - start.month) % every == 0
                    and _is_day(day, str(start.day), config)
                ),
            )
        case _:
            raise ScheduleError("unit", f"The unit is one of {', '.join(UNITS)}.")


def _days(after: datetime, place: ZoneInfo, at: time, start: date | None, fits: Any) -> Iterator[datetime]:
    # So far back, for what is moved from a free day to a working day may come after `after`.
    day = after.astimezone(place).date() - timedelta(days=_LONGEST_MOVE)
    if start is not None and start > day:
        day = start
    misses = 0
    while misses < _HORIZON_DAYS:
        if fits(day):
            yield local_moment(day, at, place)
            misses = 0
        misses += 1
        try:
            day += timedelta(days=1)
        except OverflowError:
            return


def local_moment(day: date, at: time, place: ZoneInfo) -> datetime:
    """A wall-clock time as a moment, by the rule in the module's text."""
    wall = datetime.combine(day, at)
    moment = wall.replace(tzinfo=place, fold=0)
    back = moment.astimezone(UTC).astimezone(place)
    if back.replace(tzinfo=None) == wall:
        return moment
    # In the gap: find the first second after it, between the two readings of this wall time.
    low, high = wall.replace(tzinfo=place, fold=1).astimezone(UTC), moment.astimezone(UTC)
    before = low.astimezone(place).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(place).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0).astimezone(place)


def _time(config: Mapping[str, Any]) -> time:
    text = str(config.get("at") or "09:00")
    try:
        if len(text) != 5:
            raise ValueError
        return time.fromisoformat(text)
    except ValueError:
        raise ScheduleError("at", "The time is written like 09:00.") from None


def _day(config: Mapping[str, Any], name: str) -> date | None:
    text = config.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ScheduleError(name, f"The {_TITLES[name]} is written like 2026-11-20.") from None


_TITLES: Final = {"starts_on": "first day", "ends_on": "last day"}
