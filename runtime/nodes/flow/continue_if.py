"""Continue only if: a quiet end for what is not wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Conditions, Config, Context, EffectClass, Example, NodeType, Result, StopRun, Words, field
from runtime.sdk.rules import decide


class ContinueIfConfig(Config):
    conditions: Conditions = field(
        title="Continue only if",
        help="Otherwise the run ends here without an error and is counted as filtered.",
        widget="conditions",
        expression=True,
        order=1,
    )


def run(config: ContinueIfConfig, step_input: JSON, context: Context) -> Result | StopRun:
    if decide(config.conditions, context.now_ms):
        return Result({"result": True}, note="Continues")
    return StopRun("filtered", {"result": False}, note="Filtered out")


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    group = config.get("conditions")
    if isinstance(group, Mapping) and group.get("rules") == []:
        return [("conditions", "required", "“Continue only if” needs at least one rule.")]
    return []


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.conditions(config.get("conditions"))


NODE = NodeType(
    name="flow.continue_if",
    version=1,
    category="logic",
    icon="funnel",
    title="Continue only if",
    description="Goes on if something holds; otherwise the run ends quietly.",
    synonyms=("filter", "only", "stop unless", "guard", "condition", "skip"),
    config=ContinueIfConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    extra_problems=problems,
    defaults={"conditions": {"match": "all", "rules": []}},
    examples=(
        Example(
            title="Only paid orders",
            config={
                "conditions": {
                    "match": "all",
                    "rules": [{"left": "{{ trigger.body.status }}", "op": "eq", "right": "paid"}],
                }
            },
            context={"trigger": {"body": {"status": "paid"}}},
            output={"result": True},
        ),
    ),
)
