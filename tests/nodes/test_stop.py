from __future__ import annotations

from runtime.catalog import CATALOG
from runtime.sdk import StopRun
from tests.nodes.steps import step


async def test_a_stop_ends_the_run_well_and_says_why() -> None:
    outcome = await step("flow.stop@1", {"reason": "Order {{ trigger.id }} is old"}, {"trigger": {"id": 7}})
    assert isinstance(outcome, StopRun)
    assert (outcome.outcome, outcome.output, outcome.note) == (
        "stopped",
        {"reason": "Order 7 is old"},
        "Order 7 is old",
    )


def test_nothing_comes_after_a_stop() -> None:
    node = CATALOG.get("flow.stop@1")
    assert node is not None
    assert node.ports({}) == ()
    assert not node.has_error_port
