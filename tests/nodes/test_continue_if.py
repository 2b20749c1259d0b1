from __future__ import annotations

from runtime.sdk import StopRun
from tests.nodes.steps import rule, step


async def test_continue_only_if_ends_the_run_quietly() -> None:
    outcome = await step("flow.continue_if@1", {"conditions": {"rules": [rule(1, "eq", 2)]}})
    assert isinstance(outcome, StopRun)
    assert outcome.outcome == "filtered"
