from __future__ import annotations

from uuid import UUID

import pytest

from runtime.engine.containers import waits_for_call
from runtime.sdk import OwnRuns, PermanentError
from tests.nodes.steps import step

OTHER = "0197a1c2-0000-7000-8000-000000000001"


async def test_the_other_workflow_is_given_the_input_and_waited_for() -> None:
    config = {"workflow": OTHER, "input": {"amount": "{{ trigger.amount }}"}}
    outcome = await step("flow.run_workflow@1", config, {"trigger": {"amount": 7}})
    assert outcome == OwnRuns("call", items=({"amount": 7},), workflow_id=UUID(OTHER))


async def test_it_need_not_be_waited_for() -> None:
    outcome = await step("flow.run_workflow@1", {"workflow": OTHER, "wait": False})
    assert outcome.waits is False
    assert not waits_for_call("flow.run_workflow@1", {"wait": False})
    assert waits_for_call("flow.run_workflow@1", {})


async def test_what_is_no_workflow_is_refused() -> None:
    with pytest.raises(PermanentError, match="list"):
        await step("flow.run_workflow@1", {"workflow": "supplier check"})
