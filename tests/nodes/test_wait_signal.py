from __future__ import annotations

from typing import Any

import pytest

from runtime.sdk import PermanentError, Signal, Wait
from runtime.sdk.testing import NOW_MS
from tests.nodes.steps import step


async def waits(config: dict[str, Any], context: dict[str, Any] | None = None) -> Wait:
    outcome = await step("flow.wait_signal@1", config, context or {})
    assert isinstance(outcome, Wait)
    return outcome


async def test_it_waits_for_its_link_however_long_that_takes() -> None:
    outcome = await waits({"title": "Confirm {{ trigger.order }} "}, {"trigger": {"order": "PO-7"}})
    assert (outcome.kind, outcome.due_at_ms, outcome.ports) == ("event", None, ("timeout",))
    assert outcome.signal == Signal("link", title="Confirm PO-7")
    assert outcome.output == {"data": None, "at": None, "by": None}


async def test_it_is_too_late_when_the_time_is_over() -> None:
    assert (await waits({"limit": "1.5", "unit": "hours"})).due_at_ms == NOW_MS + 5_400_000


async def test_nothing_waits_longer_than_five_years() -> None:
    with pytest.raises(PermanentError):
        await waits({"limit": 300, "unit": "weeks"})
