from __future__ import annotations

import pytest

from runtime.catalog import CATALOG
from runtime.engine.check import check
from runtime.engine.containers import arrivals_needed
from tests.nodes.steps import step
from tests.runtime.machine import flow
from tests.runtime.machine import step as drawn_step


async def test_what_came_first_is_handed_on() -> None:
    node = CATALOG.get("flow.together@1")
    assert node is not None
    from runtime.sdk.testing import run_step

    outcome = await run_step(node, {"wait_for": "first"}, step_input={"price": 12})
    assert outcome.output == {"price": 12}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("config", "needed"),
    [({}, 0), ({"wait_for": "all"}, 0), ({"wait_for": "first"}, 1), ({"wait_for": "number", "number": 3}, 3),
     ({"wait_for": "number", "number": "three"}, 1)],
)  # fmt: skip
def test_it_says_how_many_branches_have_to_come(config: dict[str, object], needed: int) -> None:
    assert arrivals_needed("flow.together@1", config) == needed
    assert arrivals_needed("flow.wait@1", config) == 0


async def test_a_number_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(Exception, match="How many"):
        await step("flow.together@1", {"wait_for": "number", "number": 0})


@pytest.mark.parametrize(("number", "warned"), [(2, False), (5, True)])
def test_more_branches_than_lead_to_it_are_warned_of(number: int, warned: bool) -> None:
    join = drawn_step("join", "flow.together@1", {"wait_for": "number", "number": number})
    found = check(flow("start -> a -> join -> after, start -> b -> join", join), CATALOG)
    assert [one.severity for one in found if one.code == "node.too_few_branches"] == ["warning"] * warned
    assert not [one for one in found if one.severity == "error"]
