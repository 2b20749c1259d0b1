"""Schedule: the clock starts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    EventView,
    Example,
    NodeType,
    Result,
    Words,
    calendars,
    field,
    schedule_words,
    schedules,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: Final = tuple(zip(schedules.WEEKDAYS, schedules.WEEKDAY_NAMES, strict=True))


class ScheduleRule(Config):
    """One rule: how often, on which days, at what time."""

    repeat: Literal["every", "weekdays", "monthly", "nth", "cron"] = field(
        "every",
        title="Repeat",
        widget="choice",
        options=(
            ("every", "Every so often"),
            ("weekdays", "On days of the week"),
            ("monthly", "On a day of the month"),
            ("nth", "On a weekday of the month"),
            ("cron", "By a cron expression"),
        ),
        order=1,
    )
    every: int = field(1, title="Every", widget="number", show_if={"repeat": ["every"]}, order=2, ge=1, le=1000)
    unit: Literal["seconds", "minutes", "hours", "days", "weeks", "months"] = field(
        "hours",
        title="Unit",
        help=f"Seconds: at least {schedules.LEAST_SECONDS}.",
        widget="choice",
        options=[(name, name) for name in schedules.UNITS],
        show_if={"repeat": ["every"]},
        order=3,
    )
    weekdays: list[Weekday] = field(
        # In the schema, too, so that a new rule of the list shows them.
        ["mon", "tue", "wed", "thu", "fri"],
        title="Days",
        widget="multi-choice",
        options=_WEEKDAYS,
        show_if={"repeat": ["weekdays"]},
        required=True,
        order=4,
        max_length=7,
    )
    day: str = field(
        "1",
        title="Day",
        help="In a shorter month the 31st is its last day. Which days are working days is said below.",
        widget="choice",
        options=[
            *((str(day), str(day)) for day in range(1, 32)),
            ("last", "Last day"),
            ("first_workday", "First working day"),
            *((f"workday_{number}", f"Working day {number}") for number in range(2, 16)),
            ("workday_last_3", "Last working day but two"),
            ("workday_last_2", "Last working day but one"),
            ("last_workday", "Last working day"),
        ],
        show_if={"repeat": ["monthly"]},
        order=5,
        pattern=r"^([1-9]|[12][0-9]|3[01]|last|(first|last)_workday|workday_([2-9]|1[0-5]|last_[23]))$",
    )
    nth: Literal["1", "2", "3", "4", "5", "last"] = field(
        "1",
        title="Which",
        help="A month without a fifth one is left out.",
        widget="choice",
        options=(
            ("1", "First"),
            ("2", "Second"),
            ("3", "Third"),
            ("4", "Fourth"),
            ("5", "Fifth"),
            ("last", "Last"),
        ),
        show_if={"repeat": ["nth"]},
        order=5,
    )
    weekday: Weekday = field(
        "mon", title="Weekday", widget="choice", options=_WEEKDAYS, show_if={"repeat": ["nth"]}, order=6
    )
    at: str = field(
        "09:00",
        title="At",
        help="Time of day, like 09:00. Not used for seconds, minutes and hours.",
        placeholder="09:00",
        show_if={"repeat": ["every", "weekdays", "monthly", "nth"]},
        order=7,
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
    )
    cron: str = field(
        "",
        title="Cron expression",
        help="Minute, hour, day of month, month, day of week; seconds before them if you like. L is the last day of "
        "the month, 1#2 its second Monday, 5L its last Friday.",
        widget="cron",
        placeholder="30 8 * * 1-5",
        show_if={"repeat": ["cron"]},
        required=True,
        order=8,
        max_length=200,
    )


class ScheduleConfig(ScheduleRule):
    also: list[ScheduleRule] = field(
        default_factory=list,
        title="Starts also",
        help="Further rules. Where two of them name the same moment, it starts once.",
        widget="rules",
        order=9,
        max_length=20,
    )
    timezone: str = field(
        "UTC",
        title="Time zone",
        help="Times are local times of this zone; clock changes are taken care of.",
        widget="timezone",
        order=10,
        min_length=1,
        max_length=60,
    )
    off_days: Literal["start", "skip", "before", "after"] = field(
        "start",
        title="On a day that is no working day",
        widget="choice",
        options=(
            ("start", "Start all the same"),
            ("skip", "Leave it out"),
            ("before", "Start on the working day before"),
            ("after", "Start on the next working day"),
        ),
        order=11,
    )
    calendar: str = field(
        "",
        title="Working days",
        help="With a country, its public holidays are no working days. Or those of a calendar of this workspace.",
        widget="calendar",
        options=[("", "Monday to Friday"), *((code, f"{name} ({code})") for code, name in calendars.COUNTRIES)],
        order=12,
        pattern=calendars.CALENDAR_PATTERN,
    )
    region: str = field(
        "",
        title="Region",
        help="Where holidays differ within the country: BY for Bavaria, ENG for England, NY for New York.",
        placeholder="BY",
        show_if={"calendar": [code for code, _ in calendars.COUNTRIES]},
        order=13,
        max_length=20,
    )
    free_days: list[str] = field(
        default_factory=list,
        title="Further days off",
        help="No working days either: 2026-12-24 for one day, 12-24 for that day of every year.",
        widget="list",
        placeholder="12-24",
        advanced=True,
        order=14,
        max_length=200,
    )
    starts_on: str = field(
        "",
        title="First day",
        help="Nothing starts before it; “every 2 weeks” counts from it.",
        widget="date",
        advanced=True,
        order=15,
        pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$",
    )
    ends_on: str = field(
        "",
        title="Last day",
        help="Nothing starts after it.",
        widget="date",
        advanced=True,
        order=16,
        pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$",
    )
    missed: Literal["once", "all", "skip"] = field(
        "once",
        title="Starts missed while Millrace was off",
        widget="choice",
        options=(
            ("once", "Make up for them once"),
            ("all", "Make up for each, at most 100"),
            ("skip", "Leave them out"),
        ),
        advanced=True,
        order=17,
    )
    overlap: Literal["allow", "skip", "queue", "cancel"] = field(
        "allow",
        title="While an earlier start is still running",
        help="A run that was set aside does not count: it would keep all others from starting.",
        widget="choice",
        options=(
            ("allow", "Start another run beside it"),
            ("skip", "Leave this start out"),
            ("queue", "Let one start wait until it has ended"),
            ("cancel", "Cancel the earlier run, then start"),
        ),
        advanced=True,
        order=18,
    )


def next_fires(config: Mapping[str, Any], after_ms: int, count: int) -> list[int]:
    """The next moments (ms since the epoch) strictly after ``after_ms``. Raises schedules.ScheduleError."""
    return schedules.next_fires({**NODE.start_config, **config}, after_ms, count)


def moments(config: Mapping[str, Any], after_ms: int) -> Iterator[int]:
    """The moments (ms since the epoch) strictly after ``after_ms``, rising. Raises schedules.ScheduleError."""
    return schedules.moments({**NODE.start_config, **config}, after_ms)


def run(config: ScheduleConfig, step_input: JSON, context: Context) -> Result:
    event = context.event or EventView(source="test", received_at=context.now_ms)
    given = event.input if event.has_input and isinstance(event.input, dict) else {}
    scheduled = given.get("scheduled_at")
    place = schedules.zone(config.timezone)
    if isinstance(scheduled, str):
        moment = datetime.fromisoformat(scheduled)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    else:
        moment = datetime.fromtimestamp(event.received_at / 1000, UTC)
    local = moment.astimezone(place)
    return Result(
        {
            "scheduled_at": moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "previous": given.get("previous"),
            "date": local.date().isoformat(),
            "time": f"{local:%H:%M}",
            "weekday": local.isoweekday(),
            "timezone": config.timezone,
        }
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    try:
        schedules.check({**NODE.start_config, **config})
    except schedules.ScheduleError as error:
        if error.field == "cron" and not config.get("cron"):
            return []  # said already: it needs a value
        return [(error.field, "schedule", error.message)]
    except (TypeError, ValueError, AttributeError):
        return []  # said already by the form's own rules
    return []


def summary(config: Mapping[str, Any], words: Words) -> str:
    sentence = schedule_words.words(config)
    zone = str(config["timezone"])
    return f"{sentence} ({zone})" if sentence and zone != "UTC" else sentence


NODE = NodeType(
    name="trigger.schedule",
    version=1,
    category="start",
    icon="calendar-clock",
    title="Schedule",
    description="Starts at times that you choose: every hour, every Monday, on the last day of the month.",
    synonyms=("time", "cron", "timer", "clock", "daily", "hourly", "weekly", "monthly", "every"),
    config=ScheduleConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    trigger=True,
    inline=True,
    extra_problems=problems,
    examples=(
        Example(
            title="Every working day at 08:30",
            config={"repeat": "weekdays", "at": "08:30", "timezone": "Europe/Berlin"},
            event={
                "source": "schedule",
                "received_at": 1795167000000,
                "has_input": True,
                "input": {"scheduled_at": "2026-11-20T07:30:00.000Z", "previous": "2026-11-19T07:30:00.000Z"},
            },
            output={
                "scheduled_at": "2026-11-20T07:30:00.000Z",
                "previous": "2026-11-19T07:30:00.000Z",
                "date": "2026-11-20",
                "time": "08:30",
                "weekday": 5,
                "timezone": "Europe/Berlin",
            },
        ),
    ),
)
