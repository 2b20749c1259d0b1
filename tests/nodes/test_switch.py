from __future__ import annotations

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
