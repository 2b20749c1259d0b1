from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.sdk import EffectClass, PermanentError
from tests.nodes.tabling import TABLE, done, type_of

SAVE = "tables.save@1"


@pytest.mark.parametrize(
    ("how", "must_be_there", "if_there"),
    [("upsert", False, "change"), ("insert", False, "fail"), ("insert_new", False, "keep"), ("update", True, "change")],
)
async def test_it_says_what_becomes_of_a_row_that_is_there(how: str, must_be_there: bool, if_there: str) -> None:
    values = [{"name": "Customer", "value": "C-9"}, {"name": "Limit", "value": "{{ trigger.limit }}"}]
    output, asked, _ = await done(SAVE, {"how": how, "values": values}, limit=Decimal("0.10"))
    assert asked == [(TABLE, {"Customer": "C-9", "Limit": Decimal("0.10")}, must_be_there, if_there)]
    assert (output["what"], output["before"], output["row"]["Limit"]) == ("added", None, Decimal("0.10"))


async def test_an_object_gives_several_columns_and_single_values_count_more() -> None:
    config = {"whole": "{{ trigger.row }}", "values": [{"name": "Limit", "value": 7}]}
    _, ((_, values, *_),), note = await done(SAVE, config, row={"Customer": "C-200", "Limit": 1, "_id": "x"})
    assert values == {"Customer": "C-200", "Limit": 7, "_id": "x"}
    assert note == "Row changed"
    with pytest.raises(PermanentError, match="must be an object"):
        await done(SAVE, {"whole": "{{ trigger.row }}"}, row=[1])


def test_it_is_one_change_however_often_it_is_asked_for() -> None:
    node_type = type_of(SAVE)
    assert node_type.effect_of({"table": TABLE}) is EffectClass.KEYED
    assert node_type.is_action, "it can be undone"


def test_it_wants_values() -> None:
    found: Any = type_of(SAVE).problems({"table": TABLE})
    assert [(path, code) for path, code, _ in found] == [("values", "required")]
