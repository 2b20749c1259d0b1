"""Undo what the runs of a step did. Drawn by nobody: the engine puts it where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, OwnRuns, Words


class UndoItemsConfig(Config):
    pass


def run(config: UndoItemsConfig, step_input: JSON, context: Context) -> OwnRuns:
    return OwnRuns("undo", may_fail=None, collect=False)


def summary(config: Mapping[str, Any], words: Words) -> str:
    return "The last one first"


NODE = NodeType(
    name="flow.undo_items",
    version=1,
    category="loop",
    icon="undo-2",
    title="Undo its runs",
    description="Undoes what each of the runs did, the last one first.",
    config=UndoItemsConfig,
    run=run,
    effect=EffectClass.PURE,
    effect_note="The undo steps inside have their own.",
    summary=summary,
    inline=True,
    hidden=True,
    examples=(Example(title="Three items", config={}, output={"total": 2, "undone": 2, "nothing_to_undo": 0}),),
)
