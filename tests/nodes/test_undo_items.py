from __future__ import annotations

from runtime.catalog import CATALOG
from runtime.sdk import OwnRuns
from tests.nodes.steps import step


async def test_it_goes_over_the_runs_of_the_step_it_undoes() -> None:
    assert await step("flow.undo_items@1", {}) == OwnRuns("undo", may_fail=None, collect=False)


def test_nobody_finds_it_among_the_steps_to_draw() -> None:
    assert CATALOG.get("flow.undo_items@1") is not None
    assert "flow.undo_items@1" not in {spec["type"] for spec in CATALOG.specs()}
