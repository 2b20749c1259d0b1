from __future__ import annotations

from typing import Any

from runtime.sdk import EffectClass
from tests.nodes.tabling import TABLE, done, type_of

DELETE = "tables.delete@1"
KEY = [{"name": "Customer", "value": "{{ trigger.customer }}"}]


async def test_it_deletes_the_row_and_gives_what_it_was() -> None:
    output, asked, note = await done(DELETE, {"key": KEY}, customer="C-200")
    assert (output["deleted"], output["row"]["Limit"], note) == (True, 5000, "Row deleted")
    assert asked == [(TABLE, {"Customer": "C-200"}, False)]


async def test_a_row_that_is_not_there_is_fine_unless_it_has_to_be() -> None:
    output, asked, note = await done(DELETE, {"key": KEY, "if_missing": "fail"}, customer="C-1")
    assert (output, note) == ({"deleted": False, "row": None}, "There was no such row")
    assert asked == [(TABLE, {"Customer": "C-1"}, True)]


async def test_a_found_row_is_named_by_its_id() -> None:
    _, asked, _ = await done(DELETE, {"row": "{{ trigger.row }}"}, row={"_id": "r1", "Customer": "C-1"})
    assert asked == [(TABLE, {"_id": "r1"}, False)]


def test_it_is_one_change_and_wants_to_know_which_row() -> None:
    node_type = type_of(DELETE)
    assert node_type.effect_of({}) is EffectClass.KEYED
    found: Any = node_type.problems({"table": TABLE})
    assert [(path, code) for path, code, _ in found] == [("key", "required")]
