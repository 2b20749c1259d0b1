from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import EffectClass, PermanentError, Result
from runtime.sdk.testing import StepTestContext, run_step

EVENT = {"name": "order.shipped", "key": "{{ trigger.order }}"}


async def sent(config: dict[str, Any], step_input: Any = None) -> tuple[str, str, Any]:
    node_type = CATALOG.get("flow.send_event@1")
    assert node_type is not None
    context = StepTestContext()
    data = {"trigger": {"order": 4711, "total": Decimal("12.50"), "note": "{}"}}
    outcome = await run_step(node_type, {**EVENT, **config}, data=data, step_input=step_input, context=context)
    assert isinstance(outcome, Result)
    (found,) = context.sent
    assert outcome.output == {"id": "0199a7f0-0000-7000-8000-00000000000d", "name": found[0], "key": found[1]}
    return found


@pytest.mark.parametrize(
    ("data", "carried"),
    [
        (None, {"came": "in"}),
        ("", {"came": "in"}),
        ({"total": "{{ trigger.total }}"}, {"total": Decimal("12.50")}),
        ('{"total": {{ trigger.total }}}', {"total": Decimal("12.50")}),
        ("{{ trigger.total }}", Decimal("12.50")),
        ("{{ trigger.note }}", "{}"),
        ('"plain"', "plain"),
        (False, False),
        (0, 0),
    ],
)
async def test_it_carries_its_data_or_what_came_into_it(data: Any, carried: Any) -> None:
    assert await sent({"data": data}, {"came": "in"}) == ("order.shipped", "4711", carried)


async def test_an_event_without_a_key_is_not_sent() -> None:
    with pytest.raises(PermanentError):
        await sent({"key": "{{ trigger.nothing or '' }}"})


def test_it_is_one_event_however_often_it_is_sent() -> None:
    node_type = CATALOG.get("flow.send_event@1")
    assert node_type is not None
    assert node_type.effect_of(EVENT) is EffectClass.KEYED


@pytest.mark.parametrize("data", ["{", "plain words", '{"a": }'])
def test_data_that_is_no_json_is_a_problem(data: str) -> None:
    node_type = CATALOG.get("flow.send_event@1")
    assert node_type is not None
    assert [path for path, _, _ in node_type.problems({**EVENT, "data": data})] == ["data"]
