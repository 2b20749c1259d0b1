"""For each: the steps inside, once for every entry of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, OwnRuns, PermanentError, Words, field

_MOST_AT_A_TIME = 100
_MOST_ITEMS = 100_000


class ForEachConfig(Config):
    items: list[Any] = field(
        title="The list",
        help="Each entry goes through the steps inside, as “item”; “index” counts from 0.",
        widget="json",
        expression=True,
        placeholder="{{ trigger.body.lines }}",
        order=1,
    )
    at_a_time: int = field(
        1,
        title="At a time",
        help="With 1 they are done one after another, in the order of the list.",
        widget="number",
        order=2,
        ge=1,
        le=_MOST_AT_A_TIME,
    )
    stop: Literal["first", "number", "percent", "never"] = field(
        "first",
        title="If some of them fail",
        help="Those that are under way are always done to their end.",
        widget="choice",
        options=(
            ("first", "Stop at the first one"),
            ("number", "Stop when too many have failed"),
            ("percent", "Stop when too large a part has failed"),
            ("never", "Do all of them anyway"),
        ),
        order=3,
    )
    may_fail: int = field(
        10,
        title="So many may fail",
        widget="number",
        show_if={"stop": ["number"]},
        order=4,
        ge=1,
        le=_MOST_ITEMS,
    )
    percent: int = field(
        5,
        title="So many in a hundred may fail",
        widget="number",
        show_if={"stop": ["percent"]},
        order=5,
        ge=1,
        le=99,
    )
    collect: bool = field(
        True,
        title="Collect the results",
        help="What the last step inside gave, in the order of the list. Switch it off for long lists.",
        widget="toggle",
        order=6,
    )
    label: str = field(
        "",
        title="What people call one of them",
        placeholder="{{ item.number }}",
        help="Shown with each item, and what people search it by.",
        deferred=True,
        advanced=True,
        order=7,
        max_length=2000,
    )
    most_items: int = field(
        10_000,
        title="At most",
        help="A longer list is refused before the first one is begun.",
        widget="number",
        advanced=True,
        order=8,
        ge=1,
        le=_MOST_ITEMS,
    )


def run(config: ForEachConfig, step_input: JSON, context: Context) -> OwnRuns:
    count = len(config.items)
    if count > config.most_items:
        raise PermanentError(
            "The list is too long",
            f"It has {count:,} entries, and this step takes at most {config.most_items:,}. Allow more, or split it.",
            "too_many_items",
        )
    return OwnRuns(
        "items",
        items=tuple(config.items),
        at_a_time=config.at_a_time,
        may_fail=_may_fail(config, count),
        collect=config.collect,
    )


def _may_fail(config: ForEachConfig, count: int) -> int | None:
    match config.stop:
        case "first":
            return 0
        case "number":
            return config.may_fail
        case "percent":
            return count * config.percent // 100
        case "never":
            return None


def summary(config: Mapping[str, Any], words: Words) -> str:
    items = config.get("items")
    if not items:
        return ""
    at_a_time = config.get("at_a_time", 1)
    together = "" if at_a_time == 1 else f", {at_a_time} at a time"
    what = f"{len(items)} entries" if isinstance(items, list) else words.value(items)
    return f"{what}{together}"


NODE = NodeType(
    name="flow.for_each",
    version=1,
    category="loop",
    icon="repeat",
    title="For each",
    description="Does the steps inside once for every entry of a list. Each has its own tries, undo and place in the "
    "list of runs.",
    synonyms=("loop", "iterate", "items", "list", "every", "rows", "lines", "map", "schleife", "each"),
    config=ForEachConfig,
    run=run,
    effect=EffectClass.PURE,
    effect_note="The steps inside have their own.",
    summary=summary,
    inline=True,
    examples=(
        Example(
            title="Every line of an order",
            config={"items": "{{ trigger.body.lines }}"},
            context={"trigger": {"body": {"lines": [{"sku": "A-1", "quantity": 2}, {"sku": "B-7", "quantity": 1}]}}},
            output={"total": 2, "done": 2, "failed": 0, "results": [{"reserved": True}, {"reserved": True}]},
        ),
    ),
)
