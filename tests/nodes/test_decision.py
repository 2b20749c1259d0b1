from __future__ import annotations

import pytest

from runtime.sdk import PermanentError, Result
from tests.nodes.steps import rule, step


async def test_a_decision_takes_one_way_and_a_misfit_fails_it() -> None:
    config = {"conditions": {"match": "all", "rules": [rule("{{ trigger.n }}", "gt", 5)]}}
    for number, port in ((6, "yes"), (5, "no")):
        outcome = await step("flow.decision@1", config, {"trigger": {"n": number}})
        assert isinstance(outcome, Result)
        assert outcome.ports == (port,)
    with pytest.raises(PermanentError, match="compares numbers"):
        await step("flow.decision@1", config, {"trigger": {"n": "six"}})
