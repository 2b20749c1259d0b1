"""Bring together: branches that run at the same time meet here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, Result, Words, field


class TogetherConfig(Config):
    wait_for: Literal["all", "first", "number"] = field(
        "all",
        title="Go on when",
        help="What is still under way on the other branches is done to its end. A branch that is not taken is not "
        "waited for.",
        widget="choice",
        options=(
            ("all", "all branches have come"),
            ("first", "the first branch has come"),
            ("number", "so many branches have come"),
        ),
        order=1,
    )
    number: int = field(2, title="How many", widget="number", show_if={"wait_for": ["number"]}, order=2, ge=1, le=100)


def run(config: TogetherConfig, step_input: JSON, context: Context) -> Result:
    return Result(step_input)


def summary(config: Mapping[str, Any], words: Words) -> str:
    match config["wait_for"]:
        case "first":
            return "When the first branch has come"
        case "number":
            return f"When {config['number']} branches have come"
        case _:
            return "When all branches have come"


NODE = NodeType(
    name="flow.together",
    version=1,
    category="logic",
    icon="git-merge",
    title="Bring together",
    description="Branches that are done at the same time meet here: go on with all of them, the first, or so many.",
    synonyms=("join", "merge", "parallel", "wait for all", "race", "at the same time", "first", "zusammenführen"),
    config=TogetherConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    examples=(
        Example(
            title="The first answer counts",
            config={"wait_for": "first"},
            input={"price": 12},
            output={"price": 12},
        ),
    ),
)
