from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError
from tests.nodes.steps import rule, step


async def test_a_switch_takes_the_first_way_that_fits_or_all_or_otherwise() -> None:
    cases = [{"id": "a", "name": "A", "value": 1}, {"id": "b", "name": "B", "value": "{{ trigger.n }}"}]
    for extra, number, ports in (({}, 1, ("a",)), ({"every_match": True}, 1, ("a", "b")), ({}, 2, ("b",))):
        outcome = await step(
            "flow.switch@1", {"value": "{{ trigger.n }}", "cases": cases, **extra}, {"trigger": {"n": number}}
        )
        assert outcome.ports == ports
    outcome = await step("flow.switch@1", {"value": "x", "cases": cases}, {"trigger": {"n": 2}})
    assert outcome.ports == ("otherwise",)
    rules = [{"id": "big", "name": "Big", "conditions": {"rules": [rule("{{ trigger.n }}", "gt", 5)]}}]
    outcome = await step("flow.switch@1", {"mode": "rules", "cases": rules}, {"trigger": {"n": 7}})
    assert outcome.ports == ("big",)


def way(name: str, **parts: Any) -> dict[str, Any]:
    return {"id": name, "name": name, **parts}


async def test_a_way_after_the_one_taken_needs_nothing() -> None:
    late = rule("{{ trigger.absent }}", "gt", 5)
    cases = [way("first", conditions={"rules": [rule(1, "eq", 1)]}), way("later", conditions={"rules": [late]})]
    outcome = await step("flow.switch@1", {"mode": "rules", "cases": cases}, {"trigger": {}})
    assert outcome.ports == ("first",)
    with pytest.raises(PermanentError, match="no field “absent”"):
        await step("flow.switch@1", {"mode": "rules", "cases": cases[::-1]}, {"trigger": {}})
    by_value = [way("first", value="x"), way("later", value="{{ trigger.absent }}")]
    outcome = await step("flow.switch@1", {"value": "x", "cases": by_value}, {"trigger": {}})
    assert outcome.ports == ("first",)


@pytest.mark.parametrize(
    ("value", "named", "fits"),
    [
        (Decimal("100.00"), "100", True),
        (100, "100.00", True),
        ("100.00", 100, True),
        ("100.00", "100", False),
        (100, "DE", False),
        (True, "yes", True),
        (False, "false", True),
        (True, 1, False),
        ("DE", "de", False),
    ],
)
async def test_a_switch_knows_a_number_however_it_is_written(value: Any, named: Any, fits: bool) -> None:
    config = {"value": "{{ trigger.v }}", "cases": [way("it", value=named)]}
    outcome = await step("flow.switch@1", config, {"trigger": {"v": value}})
    assert outcome.ports == (("it",) if fits else ("otherwise",))


async def test_a_switch_cannot_choose_by_a_list() -> None:
    config = {"value": "{{ trigger.v }}", "cases": [way("it", value="x")]}
    with pytest.raises(PermanentError, match="here is a list"):
        await step("flow.switch@1", config, {"trigger": {"v": ["x"]}})


async def test_what_is_left_over_from_the_other_mode_does_not_matter() -> None:
    broken = {"rules": [rule("{{ uper( }}", "sounds_like", 5)]}
    outcome = await step("flow.switch@1", {"value": "x", "cases": [way("it", value="x", conditions=broken)]})
    assert outcome.ports == ("it",)
    cases = [way("it", value="{{ uper( }}", conditions={"rules": [rule(1, "eq", 1)]})]
    config = {"mode": "rules", "value": "{{ trigger.absent }}", "cases": cases}
    outcome = await step("flow.switch@1", config, {"trigger": {}})
    assert outcome.ports == ("it",)
    node = CATALOG.get("flow.switch@1")
    assert node is not None
    assert node.prepare(config).raw["cases"] == [way("it", conditions={"rules": [rule(1, "eq", 1)]})]
    assert config["cases"] == cases
