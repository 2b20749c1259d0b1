"""When a schedule fires. Pure: the moment to start from is an argument; clocks that change are handled by rule.

A local time that does not exist on a day (clocks go forward) fires at the first moment after the gap; a local time that
exists twice fires once, the first time. Steps of seconds, minutes and hours are counted in real time from the first
midnight. Cron expressions of five fields behave as Debian's cron does, as `cronsim` has it; with a sixth field, for
seconds, they are read literally.

A schedule has one rule or several; it fires at the moments of all of them, once where several name the same one.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import islice, pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from runtime.sdk.calendars import (
    HORIZON_DAYS,
    NAMED_DAYS,
    OWN_SIGN,
    CalendarUnknown,
    WorkCalendar,
    day_in_month,
    is_working_day,
    moved,
)

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNITS: Final = ("seconds", "minutes", "hours", "days", "weeks", "months")
#: A Monday, from which "every 2 weeks" is counted when no beginning is given, into the past as well.
FIRST_DAY: Final = date(2024, 1, 1)
#: The settings that every rule has for itself; all others hold for the whole schedule.
RULE_FIELDS: Final = ("repeat", "every", "unit", "weekdays", "day", "nth", "weekday", "at", "cron")
#: Starts of one rule are at least so far apart.
LEAST_SECONDS: Final = 5
#: So many starts tell whether several rules come too close.
_SOON: Final = 500
#: What becomes of a start on a day that is no working day.
_OFF_DAYS: Final = ("start", "skip", "before", "after")
_ORDINALS: Final = ("1", "2", "3", "4", "5", "last")


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
    return list(islice(moments(config, after_ms), max(count, 0)))


def moments(config: Mapping[str, Any], after_ms: int) -> Iterator[int]:
    """The moments (ms since the epoch) strictly after ``after_ms``, each once, rising. Raises ScheduleError."""
    last = None
    for moment in merge(*(_of_rule(place, rule, after_ms) for place, rule in rules_of(config))):
        if moment != last:
            yield moment
            last = moment


def rules_of(config: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Each rule as a schedule of its own, with where its settings stand (``also.0.``); the first one's stand on top."""
    further = config.get("also")
    shared = {name: value for name, value in config.items() if name not in RULE_FIELDS and name != "also"}
    return [
        ("", {name: value for name, value in config.items() if name != "also"}),
        *(
            (f"also.{number}.", {"weekdays": WEEKDAYS[:5], **rule, **shared})
            for number, rule in enumerate(further if isinstance(further, list | tuple) else ())
            if isinstance(rule, Mapping)
        ),
    ]


def _of_rule(place: str, rule: Mapping[str, Any], after_ms: int) -> Iterator[int]:
    try:
        yield from _moments(rule, after_ms)
    except CalendarUnknown as error:
        raise ScheduleError("region" if rule.get("region") else "calendar", error.message) from None
    except ScheduleError as error:
        raise ScheduleError(place + error.field if error.field in RULE_FIELDS else error.field, error.message) from None


def _moments(config: Mapping[str, Any], after_ms: int) -> Iterator[int]:
    before = after_ms
    place, last = zone(str(config.get("timezone") or "UTC")), day_of(config, "ends_on")
    for moment in _on_working_days(config, after_ms, place):
        if last is not None and moment.astimezone(place).date() > last:
            return
        milliseconds = int(moment.timestamp() * 1000)
        if milliseconds > before:
            yield milliseconds
            before = milliseconds


def check(config: Mapping[str, Any]) -> None:
    """Raise ScheduleError when the schedule cannot be read or never fires."""
    first, last = day_of(config, "starts_on"), day_of(config, "ends_on")
    if first is not None and last is not None and last < first:
        raise ScheduleError("ends_on", "The last day is before the first.")
    if str(config.get("calendar") or "").startswith(OWN_SIGN):
        # Which days those are is known elsewhere, and changes: all that can be said here holds for any.
        config = {**config, "calendar": "", "region": ""}
    calendar_of(config)
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    for place, rule in rules_of(config):
        _refuse_haste(place, rule)
        if next(_of_rule(place, rule, begin), None) is None:
            field = "cron" if rule.get("repeat") == "cron" else "repeat"
            raise ScheduleError(place + field, "This schedule never fires.")
    rules = list(rules_of(config))
    if len(rules) > 1 and any(_goes_by_seconds(rule) for _, rule in rules):
        _refuse_haste_together(config, rules[-1][0], begin)


def _refuse_haste(place: str, rule: Mapping[str, Any]) -> None:
    apart = f"Starts are at least {LEAST_SECONDS} seconds apart."
    every = rule.get("every", 1)
    match rule.get("repeat", "every"):
        case "every" if rule.get("unit") == "seconds" and isinstance(every, int) and every < LEAST_SECONDS:
            raise ScheduleError(f"{place}every", apart)
        case "cron":
            try:
                seconds = sorted(CronSim(str(rule.get("cron") or ""), datetime(2026, 1, 1, tzinfo=UTC)).seconds)
            except CronSimError:
                return  # said by whoever reads it
            if any(later - earlier < LEAST_SECONDS for earlier, later in pairwise([*seconds, seconds[0] + 60])):
                raise ScheduleError(f"{place}cron", apart)
        case _:
            return


def _goes_by_seconds(rule: Mapping[str, Any]) -> bool:
    if rule.get("repeat") == "cron":
        return len(str(rule.get("cron") or "").split()) > 5
    return rule.get("repeat", "every") == "every" and rule.get("unit") == "seconds"


def _refuse_haste_together(config: Mapping[str, Any], place: str, begin: int) -> None:
    """The same of several rules, none of which is too hasty by itself."""
    soon = islice(moments(config, begin), _SOON)
    if any(later - earlier < LEAST_SECONDS * 1000 for earlier, later in pairwise(soon)):
        apart = f"Starts are at least {LEAST_SECONDS} seconds apart, those of several rules too."
        raise ScheduleError(f"{place}repeat", apart)


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
            yield from _days(config, after, place, day_of(config, "starts_on"), lambda day: day.weekday() in chosen)
        case "monthly":
            wanted = str(config.get("day", "1"))
            if wanted not in NAMED_DAYS and not (wanted.isdecimal() and 1 <= int(wanted) <= 31):
                raise ScheduleError("day", "The day is 1 to 31, the last day, or a working day.")
            yield from _days(
                config, after, place, day_of(config, "starts_on"), lambda day: _is_day(day, wanted, config)
            )
        case "nth":
            which, name = str(config.get("nth", "1")), str(config.get("weekday", "mon"))
            if which not in _ORDINALS:
                raise ScheduleError("nth", "Which one is first to fifth, or last.")
            if name not in WEEKDAYS:
                raise ScheduleError("weekday", "Choose a day of the week.")
            weekday = WEEKDAYS.index(name)
            yield from _days(
                config,
                after,
                place,
                day_of(config, "starts_on"),
                lambda day: day.weekday() == weekday and _is_nth(day, which),
            )
        case "cron":
            expression = str(config.get("cron") or "")
            first = day_of(config, "starts_on")
            if first is not None:
                after = max(after, local_moment(first, time(0), place).astimezone(UTC) - timedelta(seconds=1))
            try:
                yield from CronSim(expression, after.astimezone(place))
            except CronSimError as error:
                raise ScheduleError("cron", f"“{expression[:60]}” is not a cron expression: {error}.") from None
        case other:
            raise ScheduleError("repeat", f"“{str(other)[:40]}” is not a way to repeat.")


def _is_day(day: date, wanted: str, config: Mapping[str, Any]) -> bool:
    return day.day == day_in_month(day.year, day.month, wanted, calendar_of(config))


def _is_nth(day: date, which: str) -> bool:
    """Whether it is the first, second, … or last of its weekday in its month."""
    if which == "last":
        return day.day + 7 > monthrange(day.year, day.month)[1]
    return (day.day - 1) // 7 + 1 == int(which)


def calendar_of(config: Mapping[str, Any]) -> WorkCalendar:
    """The working days of a schedule. Where its settings name a calendar of the workspace, whoever knows the workspace
    has put a WorkCalendar in its place. Raises ScheduleError."""
    named = config.get("calendar") or ""
    free = config.get("free_days") or ()
    days = tuple(_free_day(str(day).strip(), number) for number, day in enumerate(free)) if free else ()
    if isinstance(named, WorkCalendar):
        return replace(named, free=days) if days else named
    country = str(named).strip()
    if country.startswith(OWN_SIGN):
        raise ScheduleError("calendar", f"There is no calendar “{country[1:41]}” here.")
    region = str(config.get("region") or "").strip() if country else ""
    return WorkCalendar(country.upper(), region, days)


def _free_day(text: str, number: int) -> str:
    """A day on which nobody works: of one year (2026-12-24), or of every year (12-24)."""
    try:
        date.fromisoformat(text if len(text) == 10 else f"2024-{text}")
        if len(text) not in (5, 10):
            raise ValueError
    except ValueError:
        raise ScheduleError(
            f"free_days.{number}", "A day is written like 2026-12-24, or like 12-24 for every year."
        ) from None
    return text


def _on_working_days(config: Mapping[str, Any], after_ms: int, place: ZoneInfo) -> Iterator[datetime]:
    """Leave out, or move, what falls on a day that is no working day; the order stays."""
    off_days = str(config.get("off_days") or "start")
    if off_days == "start":
        yield from _fires(config, after_ms)
        return
    if off_days not in _OFF_DAYS:
        raise ScheduleError("off_days", f"“{off_days[:40]}” is not a way to treat free days.")
    calendar = calendar_of(config)
    repeat, unit = config.get("repeat", "every"), config.get("unit", "hours")
    by_days = repeat in ("weekdays", "monthly", "nth") or (repeat == "every" and unit in ("days", "weeks", "months"))
    if off_days != "skip" and not by_days:
        raise ScheduleError("off_days", "Only starts once a day can be moved to another day. Leave them out instead.")
    if off_days == "skip":
        yield from _left_out(config, after_ms, place, calendar, by_days=by_days)
        return
    ahead: date | None = None
    instead: date | None = None
    for moment in _fires(config, after_ms):
        day = moment.astimezone(place).date()
        if is_working_day(day, calendar):
            yield moment
            continue
        if ahead is None or day > ahead:
            # Once for all days of a closure, however long it is.
            ahead = moved(day, 1, calendar)
            if ahead is None:
                return
            instead = ahead if off_days == "after" else moved(day, -1, calendar)
        if instead is not None:
            yield local_moment(instead, time_of(config), place)


def _left_out(
    config: Mapping[str, Any], after_ms: int, place: ZoneInfo, calendar: WorkCalendar, *, by_days: bool
) -> Iterator[datetime]:
    """The moments on working days. `by_days`: at most one comes a day; of others, a closure may hold millions."""
    moments = _fires(config, after_ms)
    ahead: date | None = None
    since: date | None = None
    while (moment := next(moments, None)) is not None:
        day = moment.astimezone(place).date()
        if is_working_day(day, calendar):
            since = None
            yield moment
            continue
        since = since or day
        if (day - since).days > HORIZON_DAYS:
            return
        if ahead is None or day > ahead:
            ahead = moved(day, 1, calendar)
            if ahead is None:
                return
        if not by_days:
            # The same moments, from the beginning of that day on: they are counted from where they always were.
            begin = local_moment(ahead, time(0), place)
            moments = _fires(config, int(begin.timestamp() * 1000) - 1)


def _every(config: Mapping[str, Any], after: datetime, place: ZoneInfo) -> Iterator[datetime]:
    every, unit = config.get("every", 1), config.get("unit", "hours")
    if not isinstance(every, int) or not 1 <= every <= 1000:
        raise ScheduleError("every", "Every 1 to 1,000.")
    given = day_of(config, "starts_on")
    # Without one it has always been so, and counts from that day back as well.
    start = given or FIRST_DAY
    match unit:
        case "seconds" | "minutes" | "hours":
            step = timedelta(**{unit: every})
            first = local_moment(start, time(0), place).astimezone(UTC)
            turns = (after - first) // step + 1
            if given is not None:
                turns = max(turns, 0)
            while True:
                yield first + turns * step
                turns += 1
        case "days" | "weeks":
            span = every * (7 if unit == "weeks" else 1)
            yield from _days(config, after, place, given, lambda day: (day - start).days % span == 0)
        case "months":
            yield from _days(
                config,
                after,
                place,
                given,
                lambda day: (
                    (day.year * 12 + day.month - start.year * 12 - start.month) % every == 0
                    and _is_day(day, str(start.day), config)
                ),
            )
        case _:
            raise ScheduleError("unit", f"The unit is one of {', '.join(UNITS)}.")


def _days(
    config: Mapping[str, Any], after: datetime, place: ZoneInfo, start: date | None, fits: Any
) -> Iterator[datetime]:
    at = time_of(config)
    day = after.astimezone(place).date()
    if config.get("off_days") == "after" and (off := _closed_since(day, calendar_of(config))) is not None:
        # What is moved from a day off to a working day may come after `after`.
        day = off
    if start is not None and start > day:
        day = start
    misses = 0
    while misses < HORIZON_DAYS:
        if fits(day):
            yield local_moment(day, at, place)
            misses = 0
        misses += 1
        try:
            day += timedelta(days=1)
        except OverflowError:
            return


def _closed_since(day: date, calendar: WorkCalendar) -> date | None:
    """The first of the days off right before this one; None where the day before is worked."""
    worked = moved(day - timedelta(days=1), -1, calendar)
    return day - timedelta(days=HORIZON_DAYS) if worked is None else worked + timedelta(days=1)


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


def time_of(config: Mapping[str, Any]) -> time:
    """The time of day at which a rule fires. Raises ScheduleError."""
    text = str(config.get("at") or "09:00")
    try:
        if len(text) != 5:
            raise ValueError
        return time.fromisoformat(text)
    except ValueError:
        raise ScheduleError("at", "The time is written like 09:00.") from None


def day_of(config: Mapping[str, Any], name: str) -> date | None:
    """The first or the last day; None where none is set. Raises ScheduleError."""
    text = config.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ScheduleError(name, f"The {_TITLES[name]} is written like 2026-11-20.") from None


_TITLES: Final = {"starts_on": "first day", "ends_on": "last day"}
