"""Delete a row of a data table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, Result, Words, field
from runtime.sdk.datatables import ROW_ID, Cell, values_of


class DeleteRowConfig(Config):
    table: str = field(title="Table", widget="data-table", order=1, min_length=1, max_length=64)
    key: list[Cell] = field(
        default_factory=list,
        title="Which row",
        help="The key columns of the table.",
        widget="list",
        hints={"add": "Add a key column"},
        order=2,
        max_length=10,
    )
    row: Any = field(
        "",
        title="Or this row",
        help="A row as “Find rows” gives it, where the table has no key columns.",
        widget="object",
        expression=True,
        placeholder="{{ steps.find.first }}",
        advanced=True,
        order=3,
    )
    if_missing: Literal["go_on", "fail"] = field(
        "go_on",
        title="If there is no such row",
        widget="choice",
        options=(("go_on", "Go on"), ("fail", "Fail")),
        order=4,
    )


async def run(config: DeleteRowConfig, step_input: JSON, context: Context) -> Result:
    key = values_of(config.key, None, "Which row")
    if config.row not in (None, ""):
        row = values_of((), config.row, "Or this row")
        key = {**key, ROW_ID: row.get(ROW_ID)}
    deleted = await context.tables.delete(config.table, key, must_be_there=config.if_missing == "fail")
    gone = deleted.what == "deleted"
    return Result(
        {"deleted": gone, "row": deleted.as_json()["before"]},
        note="Row deleted" if gone else "There was no such row",
        request={"table": config.table, "key": key},
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if not config.get("key") and config.get("row") in (None, ""):
        return [("key", "required", "Say which row is to be deleted.")]
    return []


def summary(config: Mapping[str, Any], words: Words) -> str:
    key = config.get("key") or []
    if not key:
        return words.value(config["row"]) if config.get("row") else ""
    return ", ".join(f"{one['name']} {words.brief(one.get('value', ''))}" for one in key)


NODE = NodeType(
    name="tables.delete",
    version=1,
    category="app",
    icon="circle-x",
    title="Delete a row",
    description="Deletes the row of a data table with this key.",
    synonyms=("data table", "remove", "erase", "database", "löschen"),
    config=DeleteRowConfig,
    run=run,
    effect=EffectClass.KEYED,
    summary=summary,
    extra_problems=problems,
    effect_note="The change is kept together with its key: after a crash it is still one change.",
    examples=(
        Example(
            title="A customer who left",
            config={
                "table": "0199a7f0-0000-7000-8000-0000000000d1",
                "key": [{"name": "Customer", "value": "{{ trigger.customer }}"}],
            },
            context={"trigger": {"customer": "C-200"}},
            output={
                "deleted": True,
                "row": {"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 5000},
            },
        ),
    ),
)
