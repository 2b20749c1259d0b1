"""Stop: the run ends here, well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, StopRun, Text, Words, field


class StopConfig(Config):
    reason: Text = field(
        "",
        title="Reason",
        help="Shown in the run.",
        expression=True,
        placeholder="Nothing to do",
        order=1,
        max_length=2000,
    )


def run(config: StopConfig, step_input: JSON, context: Context) -> StopRun:
    return StopRun("stopped", {"reason": config.reason}, note=config.reason[:60] or None)


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.value(config["reason"]) if config["reason"] else "Ends the run here"


NODE = NodeType(
    name="flow.stop",
    version=1,
    category="logic",
    icon="circle-stop",
    title="Stop",
    description="Ends the run here without an error. Steps that are running are let finish.",
    synonyms=("end", "finish", "exit", "done", "terminate"),
    config=StopConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    out=(),
    fails=False,
    examples=(Example(title="Nothing to do", config={"reason": "Nothing to do"}, output={"reason": "Nothing to do"}),),
)
