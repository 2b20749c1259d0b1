"""What a formula could not give is no value when the step is tried once more: its text is never gone on with."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import api
from runtime.store.models import StepRun
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, step
from tests.runtime.test_people import approval, asked
from tests.runtime.test_retrying import go_on

#: Nothing can be worked out of it while `price` gives 0.
SHARE = "{{ 10 / steps.price.amount }}"
CASES = [{"id": "two", "name": "Two", "value": SHARE}]
RULE = {"left": SHARE, "op": "eq", "right": "2", "type": "text"}
SWITCH = step("way", "flow.switch@1", {"mode": "value", "value": 2, "cases": CASES})
DECISION = step("way", "flow.decision@1", {"conditions": {"match": "all", "rules": [RULE]}})


def asking(kind: str, warns: str = "{{ true }}") -> dict[str, Any]:
    """A step that asks people, and says what share it is."""
    warnings = [{"text": f"{SHARE} of ten", "when": warns}]
    if kind == "people.approval@1":
        return approval(warnings=warnings)
    return step("ask", kind, {"title": "Which?", "fields": [{"name": "a", "label": "A"}], "warnings": warnings})


def begun(machine: Machine, links: str, one: dict[str, Any], amount: int = 0) -> Any:
    price = fields("price", amount="{{ trigger.amount }}")
    return machine.begin(flow(f"start -> price -> {links}", price, one), {"amount": amount})


def given(amount: int) -> dict[str, Any]:
    made: dict[str, Any] = fields("any", amount=amount)["config"]
    return made


@pytest.mark.parametrize("one", [SWITCH, DECISION], ids=["switch", "decision"])
def test_a_run_whose_way_could_not_be_chosen_takes_none_by_the_words_of_a_formula(
    machine: Machine, one: dict[str, Any]
) -> None:
    ways = "way:two -> a, way:otherwise -> b" if one is SWITCH else "way:yes -> a, way:no -> b"
    run_id = begun(machine, f"way, {ways}", one)
    for generation in (1, 2):
        assert machine.finish(run_id).status == "dead_lettered", generation
        assert detail(run_id, "way").input == one["config"]
        assert not StepRun.objects.filter(run_id=run_id, node_id__in=("a", "b")).exists()
        go_on(run_id, **({} if generation == 1 else {"start": ["price"], "edits": {"price": given(5)}}))
    assert machine.finish(run_id).status == "completed"
    assert StepRun.objects.get(run_id=run_id, node_id="a").status == "succeeded"


@pytest.mark.parametrize("kind", ["people.approval@1", "people.ask@1"])
def test_nobody_is_warned_by_the_words_of_a_formula(machine: Machine, kind: str) -> None:
    run_id = begun(machine, "ask", asking(kind))
    assert machine.finish(run_id).status == "dead_lettered"
    go_on(run_id)
    assert machine.finish(run_id).status == "dead_lettered"
    before: Any = detail(run_id, "ask").input
    go_on(run_id, edits={"ask": {**before, "due": 2}})
    assert machine.finish(run_id).status == "dead_lettered"
    go_on(run_id, start=["price"], edits={"price": given(5)})
    assert asked(run_id).spec["warnings"] == ["2 of ten"]


def test_what_is_changed_for_one_run_stays_where_a_formula_has_no_value_and_needs_none(machine: Machine) -> None:
    run_id = begun(machine, "ask", asking("people.approval@1", "{{ steps.price.amount > 0 }}"))
    asked(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    before: Any = detail(run_id, "ask").input
    go_on(run_id, edits={"ask": {**before, "text": "Asked once more."}})
    spec = asked(run_id).spec
    assert (spec["text"], "warnings" in spec) == ("Asked once more.", False)
    assert detail(run_id, "ask").input == {**before, "text": "Asked once more."}


def test_what_could_not_be_worked_out_is_known_where_a_rule_before_it_was_taken_out_for_one_run(
    machine: Machine,
) -> None:
    other = {"left": "1", "op": "eq", "right": "2", "type": "text"}
    rules = {"conditions": {"match": "any", "rules": [other, RULE]}}
    run_id = begun(machine, "way, way:yes -> a, way:no -> b", step("way", "flow.decision@1", rules))
    assert machine.finish(run_id).status == "dead_lettered"
    before: Any = detail(run_id, "way").input
    left = {"conditions": {**before["conditions"], "rules": before["conditions"]["rules"][1:]}}
    go_on(run_id, edits={"way": left})
    assert machine.finish(run_id).status == "dead_lettered"
    assert not StepRun.objects.filter(run_id=run_id, node_id__in=("a", "b")).exists()
