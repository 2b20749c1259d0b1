from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.sdk import PermanentError, Wait
from runtime.sdk.testing import NOW_MS
from tests.nodes.steps import step


async def waits(config: dict[str, Any], context: dict[str, Any] | None = None) -> Wait:
    outcome = await step("flow.wait_event@1", {"name": "order.shipped", "key": "PO-7", **config}, context or {})
    assert isinstance(outcome, Wait)
    return outcome


@pytest.mark.parametrize(
    ("number", "key"), [(4711, "4711"), (Decimal("12.50"), "12.50"), (" PO-7 ", "PO-7"), (True, "true")]
)
async def test_the_key_is_text_whatever_the_formula_gives(number: Any, key: str) -> None:
    outcome = await waits({"key": "{{ trigger.number }}"}, {"trigger": {"number": number}})
    assert outcome.signal is not None
    assert (outcome.signal.kind, outcome.signal.name, outcome.signal.key) == ("event", "order.shipped", key)
    assert outcome.output == {"data": None, "at": None, "by": None, "name": "order.shipped", "key": key}
    assert outcome.ports == ("timeout",)


@pytest.mark.parametrize(
    ("config", "early_ms"),
    [({}, None), ({"early": "never"}, 0), ({"early": "minutes", "minutes": "1.5"}, 90_000), ({"early": "run"}, None)],
)
async def test_it_says_from_when_on_events_count(config: dict[str, Any], early_ms: int | None) -> None:
    outcome = await waits(config)
    assert outcome.signal is not None
    assert outcome.signal.early_ms == early_ms


@pytest.mark.parametrize("config", [{"key": "{{ trigger.missing }}"}, {"name": "{{ trigger.missing }}"}, {"key": " "}])
async def test_a_key_that_says_nothing_would_fit_anything(config: dict[str, Any]) -> None:
    with pytest.raises(PermanentError) as caught:
        await waits(config, {"trigger": {"missing": None}})
    setting = "Event" if "name" in config else "Key"
    assert setting in caught.value.message
    assert "default(…" in caught.value.message, "it says what to do"


async def test_it_is_too_late_when_the_time_is_over() -> None:
    assert (await waits({"limit": 2, "unit": "days"})).due_at_ms == NOW_MS + 2 * 86_400_000
