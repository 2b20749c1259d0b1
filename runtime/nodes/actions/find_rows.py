"""Find rows: those of a data table that fulfil conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, Number, Result, Words, field
from runtime.sdk.datatables import RowCondition, filters_of, row_json

#: So many rows stand in one result; more are for *For each*, page by page.
MOST_ROWS: Final = 10_000


class FindRowsConfig(Config):
    table: str = field(title="Table", widget="data-table", order=1, min_length=1, max_length=64)
    match: Literal["all", "any"] = field(
        "all",
        title="Rows for which",
        widget="choice",
        options=(("all", "all of these hold"), ("any", "any of these holds")),
        order=2,
    )
    conditions: list[RowCondition] = field(
        default_factory=list,
        title="Conditions",
        help="None: all rows.",
        widget="list",
        hints={"add": "Add a condition"},
        order=3,
        max_length=20,
    )
    sort: str = field(
        "",
        title="Sort by",
        help="Empty: in the order in which they were added.",
        widget="table-column",
        order=4,
        max_length=100,
    )
    descending: bool = field(False, title="The largest or newest first", widget="toggle", order=5)
    most: Number = field(
        100,
        title="At most so many rows",
        help="“more” says whether there are others. For long tables, let For each go through the rows.",
        order=6,
        ge=1,
        le=MOST_ROWS,
    )


async def run(config: FindRowsConfig, step_input: JSON, context: Context) -> Result:
    filters = filters_of(
        config.conditions, any_of=config.match == "any", sort=config.sort, descending=config.descending
    )
    found = await context.tables.find(config.table, filters, most=int(config.most))
    rows: list[JSON] = [row_json(row) for row in found.rows]
    count = len(rows)
    more = " and more" if found.more else ""
    return Result(
        {"rows": rows, "first": rows[0] if rows else None, "count": count, "more": found.more},
        note=f"{count} {'row' if count == 1 else 'rows'}{more}",
    )


def summary(config: Mapping[str, Any], words: Words) -> str:
    if not config.get("table"):
        return ""
    conditions = config.get("conditions") or []
    if not conditions:
        return "All rows"
    told = [f"{one['column']} {_WORDS[one['operator']]} {_value(one, words)}".strip() for one in conditions]
    return (" or " if config.get("match") == "any" else " and ").join(told)


_WORDS: Final = {
    "eq": "is", "ne": "is not", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "contains": "contains",
    "starts": "begins with", "in": "is one of", "empty": "is empty", "filled": "is filled in",
}  # fmt: skip


def _value(condition: Mapping[str, Any], words: Words) -> str:
    return "" if condition["operator"] in ("empty", "filled") else words.value(condition.get("value", ""))


NODE = NodeType(
    name="tables.find",
    version=1,
    category="data",
    icon="list-filter",
    title="Find rows",
    description="Finds rows of a data table: all, or those for which conditions hold.",
    synonyms=("data table", "lookup", "search", "query", "get", "select", "database", "list", "exists", "nachschlagen"),
    config=FindRowsConfig,
    run=run,
    effect=EffectClass.READ,
    summary=summary,
    effect_note="Only reads a table of this workspace. It can be repeated at any time.",
    examples=(
        Example(
            title="Customers with a high limit",
            config={
                "table": "0199a7f0-0000-7000-8000-0000000000d1",
                "conditions": [{"column": "Limit", "operator": "gte", "value": "{{ trigger.amount }}"}],
            },
            context={"trigger": {"amount": 1000}},
            output={
                "rows": [{"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 5000}],
                "first": {"_id": "0199a7f0-0000-7000-8000-0000000000e1", "Customer": "C-200", "Limit": 5000},
                "count": 1,
                "more": False,
            },
        ),
    ),
)
