from __future__ import annotations

import pytest

from runtime.catalog import CATALOG
from runtime.engine.jsonprofile import dumps, loads
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


async def test_a_rule_after_the_one_that_decides_needs_nothing() -> None:
    for match, first, port in (("any", rule(1, "eq", 1), "yes"), ("all", rule(1, "eq", 2), "no")):
        for later in (rule("{{ trigger.absent }}", "gt", 5), rule(5, "between", [1, "{{ trigger.absent }}"])):
            config = {"conditions": {"match": match, "rules": [first, {"match": "all", "rules": [later]}]}}
            outcome = await step("flow.decision@1", config, {"trigger": {}})
            assert outcome.ports == (port,)
            with pytest.raises(PermanentError, match="no field “absent”"):
                await step(
                    "flow.decision@1", {"conditions": {"match": match, "rules": [later, first]}}, {"trigger": {}}
                )


def test_what_a_rule_received_is_shown_as_values_and_what_failed_as_its_formula() -> None:
    node = CATALOG.get("flow.decision@1")
    assert node is not None
    rules = [rule("{{ trigger.n }}", "eq", 1), rule("{{ trigger.absent }}", "is_empty")]
    received = node.prepare({"conditions": {"rules": rules}}).resolved({"trigger": {"n": 7}})
    assert loads(dumps(received)) == {
        "conditions": {"rules": [rule(7, "eq", 1), rule("{{ trigger.absent }}", "is_empty")]}
    }
