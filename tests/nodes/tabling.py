"""What tests of steps with data tables share."""

from __future__ import annotations

from typing import Any

from runtime.catalog import CATALOG
from runtime.sdk import NodeType, Result
from runtime.sdk.testing import StepTestContext, run_step

TABLE = "0199a7f0-0000-7000-8000-0000000000d1"


def type_of(name: str) -> NodeType[Any]:
    found = CATALOG.get(name)
    assert found is not None
    return found


async def done(name: str, config: dict[str, Any], **data: Any) -> tuple[Any, list[tuple[Any, ...]], str]:
    """What the step gave, what it asked of the tables, and its note."""
    context = StepTestContext()
    outcome = await run_step(type_of(name), {"table": TABLE, **config}, data={"trigger": data}, context=context)
    assert isinstance(outcome, Result)
    return outcome.output, context.tables.asked, outcome.note or ""
