"""Save a row: add it to a data table, or change the one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, Result, Words, field
from runtime.sdk.datatables import Cell, IfThere, values_of


class SaveRowConfig(Config):
    table: str = field(title="Table", widget="data-table", order=1, min_length=1, max_length=64)
    how: Literal["upsert", "insert", "insert_new", "update"] = field(
        "upsert",
        title="What to do",
        help="Rows are told apart by the key columns of the table.",
        widget="choice",
        options=(
            ("upsert", "Add the row, or change the one with this key"),
            ("insert", "Add the row, and fail if there is one with this key"),
            ("insert_new", "Add the row, and leave one with this key as it is"),
            ("update", "Change the row with this key, and fail if there is none"),
        ),
        order=2,
    )
    values: list[Cell] = field(
        default_factory=list,
        title="Values",
        help="Columns that are not named here stay as they are. An empty value empties the column.",
        widget="list",
        hints={"add": "Add a value"},
        order=3,
        max_length=60,
    )
    whole: Any = field(
        None,
        title="Several columns at once",
        help="An object with the names of the columns, as a found row or an entry of a list is one. Values above count "
        "more.",
        widget="object",
        expression=True,
        placeholder="{{ item }}",
        advanced=True,
        order=4,
    )


async def run(config: SaveRowConfig, step_input: JSON, context: Context) -> Result:
    values = values_of(config.values, config.whole, "Several columns at once")
    if_there: IfThere = _IF_THERE[config.how]
    saved = await context.tables.save(config.table, values, must_be_there=config.how == "update", if_there=if_there)
    return Result(saved.as_json(), note=_NOTES[saved.what], request={"table": config.table, "values": values})


_IF_THERE: Final[Mapping[str, IfThere]] = {
    "upsert": "change", "insert": "fail", "insert_new": "keep", "update": "change",
}  # fmt: skip
_NOTES: Final = {
    "added": "Row added", "changed": "Row changed", "unchanged": "Row was so already", "kept": "Row left as it is",
}  # fmt: skip


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if not config.get("values") and config.get("whole") in (None, ""):
        return [("values", "required", "Say which values the row has.")]
    return []


def summary(config: Mapping[str, Any], words: Words) -> str:
    if not config.get("table"):
        return ""
    values = config.get("values") or []
    if not values:
        return words.value(config["whole"]) if config.get("whole") else ""
    return ", ".join(f"{one['name']}: {words.brief(one.get('value', ''))}" for one in values)


NODE = NodeType(
    name="tables.save",
    version=1,
    category="app",
    icon="pencil-line",
    title="Save a row",
    description="Adds a row to a data table, or changes the row with this key.",
    synonyms=(
        "data table",
        "insert",
        "update",
        "upsert",
        "write",
        "store",
        "database",
        "record",
        "remember",
        "speichern",
    ),
    config=SaveRowConfig,
    run=run,
    effect=EffectClass.KEYED,
    summary=summary,
    extra_problems=problems,
    effect_note="The change is kept together with its key: after a crash it is still one change.",
    examples=(
        Example(
            title="A customer and their limit",
            config={
                "table": "0199a7f0-0000-7000-8000-0000000000d1",
                "values": [
                    {"name": "Customer", "value": "{{ trigger.customer }}"},
                    {"name": "Limit", "value": "{{ trigger.limit }}"},
                ],
            },
            context={"trigger": {"customer": "C-200", "limit": 7500}},
            output={
                "what": "changed",
                "row": {"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 7500},
                "before": {"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 5000},
            },
        ),
    ),
)
