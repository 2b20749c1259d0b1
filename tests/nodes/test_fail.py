from __future__ import annotations

import pytest

from runtime.sdk import PermanentError
from tests.nodes.steps import step


async def test_a_failure_on_purpose_carries_its_message_and_code() -> None:
    config = {"message": "Order {{ trigger.id }} has no customer\nAsk sales.", "code": "no_customer"}
    with pytest.raises(PermanentError) as error:
        await step("flow.fail@1", config, {"trigger": {"id": 7}})
    assert error.value.title == "Order 7 has no customer"
    assert error.value.message.endswith("Ask sales.")
    assert (error.value.code, error.value.retryable) == ("no_customer", False)


async def test_a_message_that_turns_out_empty_is_still_a_failure() -> None:
    with pytest.raises(PermanentError, match="needs a value"):
        await step("flow.fail@1", {"message": "{{ trigger.note }}"}, {"trigger": {"note": None}})
