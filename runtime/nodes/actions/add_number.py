"""Add to a number: in the row of a data table with this key, which begins at 0 where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, Number, Result, Words, field
from runtime.sdk.datatables import Cell, plain_number, values_of


class AddNumberConfig(Config):
    table: str = field(title="Table", widget="data-table", order=1, min_length=1, max_length=64)
    key: list[Cell] = field(
        default_factory=list,
        title="Which row",
        help="The key columns of the table. Where there is no such row, one is added.",
        widget="list",
        hints={"add": "Add a key column"},
        required=True,
        order=2,
        max_length=10,
    )
    column: str = field(title="Column", widget="table-column", order=3, min_length=1, max_length=100)
    amount: Number = field(
        1,
        title="Add",
        help="With a minus sign before it, so much is taken away.",
        widget="number",
        expression=True,
        order=4,
    )


async def run(config: AddNumberConfig, step_input: JSON, context: Context) -> Result:
    key = values_of(config.key, None, "Which row")
    amount = plain_number(config.amount)
    added = await context.tables.add(config.table, key, config.column, amount)
    return Result(
        {"before": added.before_value, "after": added.after_value, **_row(added.as_json())},
        note=f"{added.before_value} → {added.after_value}",
        request={"table": config.table, "key": key, "column": config.column, "amount": amount},
    )


def _row(told: Mapping[str, JSON]) -> dict[str, JSON]:
    return {"what": told["what"], "row": told["row"]}


def summary(config: Mapping[str, Any], words: Words) -> str:
    if not config.get("column"):
        return ""
    key = ", ".join(words.brief(one.get("value", "")) for one in config.get("key") or [])
    return f"{config['column']} of {key}: + {words.brief(config['amount'])}"


NODE = NodeType(
    name="tables.add",
    version=1,
    category="app",
    icon="calculator",
    title="Add to a number",
    description="Adds to a number in a data table, exactly, also when many runs do so at the same moment.",
    synonyms=("data table", "increment", "counter", "count", "sum", "total", "balance", "plus", "zählen"),
    config=AddNumberConfig,
    run=run,
    effect=EffectClass.KEYED,
    summary=summary,
    effect_note="What was added is kept together with its key: after a crash it is still added once.",
    examples=(
        Example(
            title="What a customer owes",
            config={
                "table": "0199a7f0-0000-7000-8000-0000000000d1",
                "key": [{"name": "Customer", "value": "{{ trigger.customer }}"}],
                "column": "Limit",
                "amount": "{{ trigger.amount }}",
            },
            context={"trigger": {"customer": "C-200", "amount": 250}},
            output={
                "before": 5000,
                "after": 5250,
                "what": "changed",
                "row": {"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 5250},
            },
        ),
    ),
)
