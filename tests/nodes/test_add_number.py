from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.sdk import EffectClass, PermanentError
from tests.nodes.tabling import TABLE, done, type_of

ADD = "tables.add@1"
KEY = [{"name": "Customer", "value": "C-200"}]


@pytest.mark.parametrize(
    ("amount", "after"), [(None, 5001), (-1, 4999), ("0.10", Decimal("5000.10")), ("{{ trigger.amount }}", 5002)]
)
async def test_it_adds_and_gives_what_was_and_what_is(amount: Any, after: Any) -> None:
    config = {"key": KEY, "column": "Limit"} | ({} if amount is None else {"amount": amount})
    output, ((table, key, column, _),), note = await done(ADD, config, amount=2)
    assert (table, key, column) == (TABLE, {"Customer": "C-200"}, "Limit")
    assert (output["before"], output["after"], output["row"]["Limit"]) == (5000, after, after)
    assert note == f"5000 → {after}"


async def test_what_is_no_number_is_not_added() -> None:
    with pytest.raises(PermanentError):
        await done(ADD, {"key": KEY, "column": "Limit", "amount": "{{ trigger.amount }}"}, amount="much")


def test_it_is_one_change_and_wants_a_row_and_a_column() -> None:
    node_type = type_of(ADD)
    assert node_type.effect_of({}) is EffectClass.KEYED
    assert {path for path, *_ in node_type.problems({"table": TABLE})} == {"key", "column"}
