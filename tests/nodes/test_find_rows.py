from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.sdk import EffectClass, Words
from runtime.sdk.datatables import Condition
from tests.nodes.tabling import TABLE, done, type_of

FIND = "tables.find@1"


async def test_it_asks_for_what_its_conditions_say() -> None:
    config = {
        "match": "any",
        "conditions": [
            {"column": "Limit", "operator": "gt", "value": "{{ trigger.limit }}"},
            {"column": "Customer", "operator": "in", "value": "C-1, C-2"},
            {"column": "Since", "operator": "empty", "value": "left over"},
        ],
        "sort": "Limit", "descending": True, "most": 5,
    }  # fmt: skip
    output, ((table, filters, most, after),), note = await done(FIND, config, limit=Decimal("12.50"))
    assert (table, most, after, note) == (TABLE, 5, None, "1 row")
    assert filters.conditions == (
        Condition("Limit", "gt", Decimal("12.50")), Condition("Customer", "in", ["C-1", "C-2"]),
        Condition("Since", "empty", None),
    )  # fmt: skip
    assert (filters.any_of, filters.sort, filters.descending) == (True, "Limit", True)
    assert output["first"] == output["rows"][0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "All rows"),
        ({"conditions": [{"column": "Limit", "operator": "gte", "value": 5}]}, "Limit ≥ 5"),
        (
            {"conditions": [{"column": "A", "operator": "empty"}, {"column": "B", "operator": "eq", "value": "x"}]},
            "A is empty and B is x",
        ),
    ],
)
def test_its_card_says_which_rows(config: dict[str, Any], words: str) -> None:
    assert type_of(FIND).summarise({"table": TABLE, **config}, Words()) == words


def test_it_only_reads_and_wants_a_table() -> None:
    node_type = type_of(FIND)
    assert node_type.effect_of({"table": TABLE}) is EffectClass.READ
    assert [path for path, *_ in node_type.problems({})] == ["table"]
    assert [path for path, *_ in node_type.problems({"table": TABLE, "most": 20_000})] == ["most"]
