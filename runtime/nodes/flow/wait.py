"""Wait: for a time, or until a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    Number,
    PermanentError,
    Text,
    Wait,
    Words,
    field,
)
from runtime.sdk.schedules import ScheduleError, local_moment, zone

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
_LONGEST_MS = 366 * 5 * 86_400_000


class WaitConfig(Config):
    mode: Literal["for", "until"] = field(
        "for",
        title="Wait",
        widget="choice",
        options=(("for", "For a time"), ("until", "Until a moment")),
        order=1,
    )
    amount: Number = field(
        1, title="How long", widget="number", expression=True, show_if={"mode": ["for"]}, order=2, ge=0
    )
    unit: Literal["seconds", "minutes", "hours", "days", "weeks"] = field(
        "hours",
        title="Unit",
        widget="choice",
        options=[(name, name) for name in _SECONDS],
        show_if={"mode": ["for"]},
        order=3,
    )
    until: Text = field(
        "",
        title="Until",
        help="A day like 2026-12-01 or a moment like 2026-12-01T08:30. One that has passed does not wait.",
        widget="date-time",
        expression=True,
        placeholder="{{ steps.invoice.due }}",
        show_if={"mode": ["until"]},
        required=True,
        order=4,
        max_length=60,
    )
    timezone: str = field(
        "UTC",
        title="Time zone",
        help="For days and moments that name none.",
        widget="timezone",
        show_if={"mode": ["until"]},
        advanced=True,
        order=5,
        max_length=60,
    )


def run(config: WaitConfig, step_input: JSON, context: Context) -> Wait:
    if config.mode == "for":
        # Compared before it becomes a whole number: one of a million digits would take minutes to write out.
        milliseconds = config.amount * _SECONDS[config.unit] * 1000
        due = _LONGEST_MS + 1 if milliseconds > _LONGEST_MS else int(milliseconds)
        due += context.now_ms
    else:
        due = _until(config)
    if due - context.now_ms > _LONGEST_MS:
        raise PermanentError("Too long a wait", "A step can wait at most five years.", "too_long")
    moment = datetime.fromtimestamp(due / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Wait(
        "timer", due_at_ms=due, output={"waited_until": moment}, note=f"Until {moment[:16].replace('T', ' ')} UTC"
    )


def _until(config: WaitConfig) -> int:
    text = config.until.strip()
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = local_moment(moment.date(), moment.time(), zone(config.timezone))
        # Long gone is long gone: moments before the first that a clock can show are all the same to a wait.
        return max(int(moment.timestamp() * 1000), 0)
    except ScheduleError as error:
        raise PermanentError("This is not a moment", error.message, "moment") from None
    except (ValueError, OverflowError, OSError):
        raise PermanentError(
            "This is not a moment",
            f"“Until” needs a date like 2026-12-01 or 2026-12-01T08:30, but it is “{text[:60]}”.",
            "moment",
        ) from None


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    until = config.get("until")
    if config.get("mode") == "until" and isinstance(until, str) and until and "{{" not in until:
        try:
            datetime.fromisoformat(until.strip())
        except ValueError:
            found.append(("until", "invalid", "“Until” needs a date like 2026-12-01 or 2026-12-01T08:30."))
    if isinstance(name := config.get("timezone"), str) and name:
        try:
            zone(name)
        except ScheduleError as error:
            found.append(("timezone", "invalid", error.message))
    return found


def summary(config: Mapping[str, Any], words: Words) -> str:
    if config["mode"] == "until":
        return f"Until {words.value(config['until'])}" if config["until"] else ""
    unit = str(config["unit"])
    return f"{words.value(config['amount'])} {unit.removesuffix('s') if config['amount'] == 1 else unit}"


NODE = NodeType(
    name="flow.wait",
    version=1,
    category="logic",
    icon="hourglass",
    title="Wait",
    description="Pauses the run for a time or until a moment. It holds no worker and survives restarts.",
    synonyms=("delay", "sleep", "pause", "timer", "until", "later"),
    config=WaitConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    extra_problems=problems,
    examples=(
        Example(
            title="Two days",
            config={"mode": "for", "amount": 2, "unit": "days"},
            output={"waited_until": "2026-11-22T09:41:07.123Z"},
        ),
    ),
)
