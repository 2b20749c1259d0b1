"""Put a row back: undoes what another step changed in a data table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, Result, Words


class PutRowBackConfig(Config):
    pass


async def run(config: PutRowBackConfig, step_input: JSON, context: Context) -> Result:
    back = await context.tables.put_back()
    return Result(back.as_json(), note=_NOTES[back.what == "put_back"])


_NOTES: Final = {True: "Put back", False: "There was nothing to put back"}


def summary(config: Mapping[str, Any], words: Words) -> str:
    return "As it was before the step that this one undoes"


NODE = NodeType(
    name="tables.put_back",
    version=1,
    category="app",
    icon="undo-2",
    title="Put a row back",
    description="Undoes what a step changed in a data table: the row becomes what it was, or goes again. Draw it at "
    "the Undo way out of that step.",
    synonyms=("data table", "undo", "restore", "revert", "compensate", "rollback", "rückgängig"),
    config=PutRowBackConfig,
    run=run,
    effect=EffectClass.KEYED,
    summary=summary,
    effect_note="The change is kept together with its key: after a crash it is still one change. A row that somebody "
    "else changed since stays as it is, and the step says so.",
    examples=(
        Example(
            title="The limit as it was",
            config={},
            output={
                "what": "put_back",
                "row": {"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 5000},
                "before": {"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 7500},
            },
        ),
    ),
)
