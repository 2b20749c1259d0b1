from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.sdk import PermanentError, Wait
from runtime.sdk.testing import NOW_MS
from tests.nodes.steps import step


@pytest.mark.parametrize(
    ("config", "due"),
    [
        ({"mode": "for", "amount": "{{ trigger.n }}", "unit": "minutes"}, NOW_MS + 90_000),
        ({"mode": "for", "amount": 0}, NOW_MS),
        ({"mode": "until", "until": "2026-12-01", "timezone": "Europe/Berlin"}, 1796079600000),
        ({"mode": "until", "until": "2026-12-01T08:30:00Z"}, 1796113800000),
        ({"mode": "until", "until": "2020-01-01"}, 1577836800000),
        ({"mode": "until", "until": "0001-01-01T00:00+14:00"}, 0),
    ],
)
async def test_a_wait_knows_when_it_ends(config: dict[str, Any], due: int) -> None:
    outcome = await step("flow.wait@1", config, {"trigger": {"n": Decimal("1.5")}})
    assert isinstance(outcome, Wait)
    assert outcome.due_at_ms == due


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "until", "until": "{{ 'soon' }}"},
        {"amount": 300, "unit": "weeks"},
        {"mode": "until"},
        {"amount": "{{ -1 }}"},
    ],
)
async def test_a_wait_that_cannot_be_fails_in_words(config: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        await step("flow.wait@1", config)


@pytest.mark.parametrize(
    "number", ["1e999990", "1e9999999", "9" * 39, "NaN", "Infinity", "1e400", "1,5", "٣", Decimal("1e300")]
)
async def test_a_number_of_a_stranger_cannot_hold_up_a_wait(number: object) -> None:
    with pytest.raises(PermanentError) as error:
        await step(
            "flow.wait@1", {"amount": "{{ trigger.body.n }}", "unit": "weeks"}, {"trigger": {"body": {"n": number}}}
        )
    assert error.value.code in ("settings", "too_long")


async def test_a_plain_number_in_text_is_still_a_number() -> None:
    outcome = await step("flow.wait@1", {"amount": "{{ trigger.n }}", "unit": "seconds"}, {"trigger": {"n": " 2.5 "}})
    assert outcome.due_at_ms == NOW_MS + 2_500
