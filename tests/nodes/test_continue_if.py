from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.sdk import PermanentError, Result, StopRun
from tests.generated import ROOT
from tests.nodes.steps import rule, step

ORDER = {"number": "SO-1042", "customer": "C-1007", "total": 118}


async def test_continue_only_if_ends_the_run_quietly() -> None:
    outcome = await step("flow.continue_if@1", {"conditions": {"rules": [rule(1, "eq", 2)]}})
    assert isinstance(outcome, StopRun)
    assert outcome.outcome == "filtered"


@pytest.mark.parametrize("absent", [{}, {"note": None}, {"note": ""}, {"note": []}])
async def test_a_field_that_is_not_there_is_empty(absent: dict[str, Any]) -> None:
    for op, goes_on in (("is_empty", True), ("is_not_empty", False)):
        for left in ("{{ trigger.note }}", "{{ steps.earlier.note }}", "{{ upper(trigger.note.text) }}"):
            data = {"trigger": absent, "steps": {}}
            if absent and left.startswith("{{ upper"):
                continue
            outcome = await step("flow.continue_if@1", {"conditions": {"rules": [rule(left, op)]}}, data)
            assert isinstance(outcome, Result) is goes_on


async def test_every_other_comparison_of_a_field_that_is_not_there_fails_with_its_name() -> None:
    for op, right in (("eq", "x"), ("gt", 5), ("contains", "x"), ("is_true", None), ("in", ["x"])):
        with pytest.raises(PermanentError, match="trigger has no field “note”"):
            await step(
                "flow.continue_if@1",
                {"conditions": {"rules": [rule("{{ trigger.note }}", op, right)]}},
                {"trigger": {}},
            )
    with pytest.raises(PermanentError, match="cannot read a number"):
        await step(
            "flow.continue_if@1",
            {"conditions": {"rules": [rule("{{ number(trigger.n) }}", "is_empty")]}},
            {"trigger": {"n": "x"}},
        )


@pytest.mark.parametrize("missing", [None, *ORDER])
async def test_the_example_filters_an_order_that_lacks_something(missing: str | None) -> None:
    drawn = json.loads((ROOT / "builder" / "practice" / "order_to_cash.json").read_text())
    config = next(node["config"] for node in drawn["nodes"] if node["id"] == "check")
    body = {name: value for name, value in ORDER.items() if name != missing}
    outcome = await step("flow.continue_if@1", config, {"trigger": {"body": body}})
    assert isinstance(outcome, Result if missing is None else StopRun)
