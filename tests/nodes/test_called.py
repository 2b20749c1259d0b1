from __future__ import annotations

from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import EventView, PermanentError
from runtime.sdk.testing import StepTestContext, run_step

AMOUNT = {"name": "amount", "label": "Amount", "type": "number", "required": True}


def started(config: dict[str, Any], given: Any) -> Any:
    node = CATALOG.get("trigger.called@1")
    assert node is not None
    context = StepTestContext(event=EventView("workflow", 1_795_167_667_123, has_input=True, input=given))
    return run_step(node, config, context=context)


async def test_what_it_is_given_is_handed_on() -> None:
    assert (await started({}, {"supplier": "B"})).output == {"supplier": "B"}
    assert (await started({}, [1, 2])).output == [1, 2]


async def test_what_it_has_to_be_given_is_checked() -> None:
    assert (await started({"fields": [AMOUNT]}, {"amount": 7})).output == {"amount": 7}
    with pytest.raises(PermanentError, match="Amount"):
        await started({"fields": [AMOUNT]}, {})
