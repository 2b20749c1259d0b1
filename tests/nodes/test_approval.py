from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.sdk import PermanentError, Wait
from runtime.sdk.testing import NOW_MS
from tests.nodes.steps import step


async def asked(config: dict[str, Any], context: dict[str, Any] | None = None) -> Wait:
    outcome = await step("people.approval@1", {"title": "Pay?", **config}, context or {})
    assert isinstance(outcome, Wait)
    assert outcome.task is not None
    return outcome


async def test_the_question_says_what_there_is_to_decide_by() -> None:
    outcome = await asked(
        {
            "title": "Pay {{ trigger.number }}?",
            "facts": [{"name": "Order", "value": "{{ trigger.order }}"}],
            "amount": "{{ trigger.total }}",
            "currency": "EUR",
        },
        {"trigger": {"number": "R-1", "order": "PO-7", "total": Decimal("12.50")}},
    )
    task = outcome.task
    assert task is not None
    assert (task.title, task.amount, task.currency) == ("Pay R-1?", "12.50", "EUR")
    assert task.facts == (("Order", "PO-7"),)
    assert outcome.due_at_ms is None
    assert outcome.ports == ("late",)


@pytest.mark.parametrize(
    ("config", "needs"),
    [
        ({}, 1),
        ({"rule": "number", "number": 3}, 3),
        ({"rule": "all", "people": "a@example.com; B@example.com,a@example.com"}, 2),
    ],
)
async def test_it_knows_how_many_have_to_approve(config: dict[str, Any], needs: int) -> None:
    outcome = await asked(config)
    assert outcome.task is not None
    assert outcome.task.needs == needs


async def test_people_are_named_once_and_in_small_letters() -> None:
    outcome = await asked({"people": "Ines@Example.com, omar@example.com, ines@example.com"})
    assert outcome.task is not None
    assert outcome.task.people == ("ines@example.com", "omar@example.com")


@pytest.mark.parametrize(
    "config",
    [
        {"rule": "all"},
        {"rule": "number", "number": 3, "people": "a@example.com"},
        {"people": "somebody"},
        {"limit": 9999, "unit": "weeks"},
    ],
)
async def test_a_question_that_cannot_be_asked_fails_in_words(config: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        await asked(config)


async def test_it_is_too_late_when_the_time_is_over() -> None:
    outcome = await asked({"limit": "1.5", "unit": "hours"})
    assert outcome.due_at_ms == NOW_MS + 5_400_000


@pytest.mark.parametrize(
    ("rule", "needed"), [("never", (False, False)), ("reject", (False, True)), ("always", (True, True))]
)
async def test_a_comment_is_asked_for_where_it_is_wanted(rule: str, needed: tuple[bool, bool]) -> None:
    outcome = await asked({"comment": rule})
    assert outcome.task is not None
    assert tuple(choice.comment for choice in outcome.task.choices) == needed
