"""Repeat until: the steps inside again and again, until something holds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, Number, OwnRuns, Words, field
from runtime.sdk.advice import formula_problems

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_LONGEST_MS = 366 * 86_400_000


class RepeatConfig(Config):
    until: str = field(
        title="Until",
        help="A formula that is true when it is enough. “item” is what the last step inside gave, “index” counts the "
        "turns from 0.",
        placeholder='{{ item.body.status == "done" }}',
        deferred=True,
        order=1,
        min_length=1,
        max_length=2000,
    )
    pause: Number = field(0, title="Pause between two turns", widget="number", order=2, ge=0)
    unit: Literal["seconds", "minutes", "hours", "days"] = field(
        "seconds", title="Unit", widget="choice", options=[(name, name) for name in _SECONDS], order=3
    )
    most_turns: int = field(
        10,
        title="At most so often",
        help="When it still does not hold then, the step fails.",
        widget="number",
        order=4,
        ge=1,
        le=10_000,
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return formula_problems("until", "Until", config.get("until"), 'item.status == "done"')


def run(config: RepeatConfig, step_input: JSON, context: Context) -> OwnRuns:
    pause = min(config.pause * _SECONDS[config.unit] * 1000, Decimal(_LONGEST_MS))
    return OwnRuns("turns", most_turns=config.most_turns, pause_ms=int(pause))


def summary(config: Mapping[str, Any], words: Words) -> str:
    until = config.get("until")
    return f"Until {words.value(until)}, at most {config.get('most_turns', 10)} times" if until else ""


NODE = NodeType(
    name="flow.repeat",
    version=1,
    category="loop",
    icon="rotate-cw",
    title="Repeat until",
    description="Does the steps inside again and again until something holds, with a pause in between if you like.",
    synonyms=("loop", "while", "until", "poll", "again", "retry", "wiederholen", "check again"),
    config=RepeatConfig,
    run=run,
    effect=EffectClass.PURE,
    effect_note="The steps inside have their own.",
    summary=summary,
    extra_problems=problems,
    inline=True,
    examples=(
        Example(
            title="Until the export is ready",
            config={"until": '{{ item.status == "ready" }}', "pause": 30, "unit": "seconds", "most_turns": 20},
            output={"turns": 3, "result": {"status": "ready"}},
        ),
    ),
)
