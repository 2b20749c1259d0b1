"""Decision: yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from runtime.sdk import JSON, Conditions, Config, Context, EffectClass, Example, NodeType, Port, Result, Words, field
from runtime.sdk.rules import decide


class DecisionConfig(Config):
    conditions: Conditions = field(
        title="Yes, if",
        help="All or any of these rules. A value that does not fit fails the step instead of meaning no.",
        widget="conditions",
        expression=True,
        order=1,
    )


def run(config: DecisionConfig, step_input: JSON, context: Context) -> Result:
    holds = decide(config.conditions, context.now_ms)
    return Result({"result": holds}, ports=("yes" if holds else "no",), note="Yes" if holds else "No")


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    group = config.get("conditions")
    if isinstance(group, Mapping) and group.get("rules") == []:
        return [("conditions", "required", "“Yes, if” needs at least one rule.")]
    return []


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.conditions(config.get("conditions"))


NODE = NodeType(
    name="flow.decision",
    version=1,
    category="logic",
    icon="split",
    title="Decision",
    description="Goes one way if something holds, and another way if not.",
    synonyms=("if", "condition", "branch", "wenn", "check", "filter", "yes", "no", "compare"),
    config=DecisionConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    out=(Port("yes", "Yes"), Port("no", "No")),
    extra_problems=problems,
    defaults={"conditions": {"match": "all", "rules": []}},
    examples=(
        Example(
            title="Is the invoice big?",
            config={
                "conditions": {
                    "match": "all",
                    "rules": [{"left": "{{ steps.invoice.total }}", "op": "gt", "right": "10000.00", "type": "number"}],
                }
            },
            context={"steps": {"invoice": {"total": Decimal("13412.80")}}},
            output={"result": True},
        ),
    ),
)
