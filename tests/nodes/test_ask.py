from __future__ import annotations

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Wait
from runtime.sdk.testing import NOW_MS
from tests.nodes.steps import step

QUESTIONS = [{"name": "centre", "label": "Cost centre", "required": True}]


async def test_the_form_is_asked_of_those_who_are_named() -> None:
    outcome = await step(
        "people.ask@1",
        {"title": "Which?", "fields": QUESTIONS, "people": "ines@example.com", "limit": 2, "unit": "days"},
        {},
    )
    assert isinstance(outcome, Wait)
    assert outcome.task is not None
    assert outcome.task.kind == "form"
    assert outcome.task.people == ("ines@example.com",)
    assert [one["name"] for one in outcome.task.fields] == ["centre"]
    assert outcome.due_at_ms == NOW_MS + 2 * 86_400_000


async def test_a_form_without_questions_is_refused() -> None:
    with pytest.raises(PermanentError):
        await step("people.ask@1", {"title": "Which?", "fields": []}, {})


def test_two_questions_of_one_name_are_pointed_out_before_publishing() -> None:
    node_type = CATALOG.get("people.ask@1")
    assert node_type is not None
    found = node_type.problems({"title": "Which?", "fields": [*QUESTIONS, *QUESTIONS]})
    assert [code for _, code, _ in found] == ["duplicate"]
