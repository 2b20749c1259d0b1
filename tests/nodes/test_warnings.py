"""What people are warned of before they decide: worked out by the workflow, and never passed over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import NodeType, PermanentError, Task, Wait
from runtime.sdk.testing import StepTestContext, run_step
from runtime.sdk.warned import warning_line
from runtime.worker.mail_words import body

KINDS = ("people.approval@1", "people.ask@1")
USUAL = {
    "text": "{{ round((trigger.total / trigger.usual - 1) * 100) }} % above the usual",
    "when": "{{ trigger.usual > 0 and trigger.total > trigger.usual * 1.3 }}",
}


def kind_of(name: str) -> NodeType[Any]:
    found = CATALOG.get(name)
    assert found is not None
    return found


async def asked(warnings: list[dict[str, Any]], kind: str = KINDS[0], **data: Any) -> Task:
    config: dict[str, Any] = {"title": "Pay?", "warnings": warnings}
    if kind == "people.ask@1":
        config["fields"] = [{"name": "centre", "label": "Cost centre"}]
    outcome = await run_step(kind_of(kind), config, data={"trigger": data}, context=StepTestContext())
    assert isinstance(outcome, Wait)
    assert outcome.task is not None
    return outcome.task


@pytest.mark.parametrize("kind", KINDS)
async def test_a_warning_is_kept_with_the_question_where_its_condition_holds(kind: str) -> None:
    task = await asked([USUAL], kind, total=Decimal(138), usual=Decimal(100))
    assert task.warnings == ("38 % above the usual",)
    assert task.document()["warnings"] == ["38 % above the usual"]
    assert "warnings" not in (await asked([USUAL], kind, total=Decimal(120), usual=Decimal(100))).document()
    assert "warnings" not in (await asked([], kind)).document()


async def test_a_text_that_cannot_be_worked_out_matters_only_where_it_is_to_be_shown() -> None:
    assert (await asked([USUAL], total=Decimal(5), usual=Decimal(0))).warnings == ()
    with pytest.raises(PermanentError, match="What is said"):
        await asked([{**USUAL, "when": "{{ true }}"}], total=Decimal(5), usual=Decimal(0))


async def test_a_condition_that_cannot_be_worked_out_asks_nobody_without_a_warning() -> None:
    with pytest.raises(PermanentError):
        await asked([USUAL], total=Decimal(5))


@pytest.mark.parametrize(
    ("given", "holds"),
    [(True, True), (False, False), (None, False), ("", False), ("yes", True), ("False", False)],
)
async def test_a_condition_says_yes_or_no(given: object, holds: bool) -> None:
    task = await asked([{"text": "New bank account", "when": "{{ trigger.is_new }}"}], is_new=given)
    assert task.warnings == (("New bank account",) if holds else ())


@pytest.mark.parametrize("given", [3, "perhaps", [True]])
async def test_what_is_neither_yes_nor_no_is_refused(given: object) -> None:
    with pytest.raises(PermanentError, match="yes or no"):
        await asked([{"text": "New bank account", "when": "{{ trigger.is_new }}"}], is_new=given)


async def test_each_warning_is_said_once_and_an_empty_one_not_at_all() -> None:
    texts = ("{{ trigger.a }}", "{{ trigger.b }}", "Twice", "Twice")
    entries = [{"text": text, "when": "{{ true }}"} for text in texts]
    assert (await asked(entries, a="", b="One\n line")).document()["warnings"] == ["One line", "Twice"]
    # What is alike once it is one line is said once, too.
    assert (await asked(entries, a="Twice ", b=" ")).document()["warnings"] == ["Twice"]


def test_a_long_warning_is_kept_without_its_end() -> None:
    line = warning_line("x" * 400)
    assert (len(line), line[-1]) == (300, "…")


@pytest.mark.parametrize("kind", KINDS)
def test_a_warning_without_words_or_a_condition_is_a_problem(kind: str) -> None:
    def found(*entries: dict[str, str]) -> list[tuple[str, str]]:
        told = kind_of(kind).problems({"title": "x", "warnings": list(entries)})
        return [(path, code) for path, code, _ in told if path.startswith("warnings")]

    assert found(USUAL) == []
    assert found({"text": "New", "when": "total > 5"}) == [("warnings[0].when", "invalid")]
    assert found({"text": "", "when": " "}) == [("warnings[0].text", "required"), ("warnings[0].when", "required")]
    assert found({"text": "New"}) == [("warnings[0].when", "required")]


def test_a_mail_says_what_is_warned_of_before_the_facts() -> None:
    spec = {"warnings": ["38 % above the usual"], "facts": [{"label": "Order", "value": "PO-7"}]}
    told = [
        body(title="Pay?", spec=spec, due_at=None, ends_at=None, link="https://x", language=language, time_zone="UTC")
        for language in ("en", "de")
    ]
    assert "Warning: 38 % above the usual\n\nOrder: PO-7\n" in told[0]
    assert "Warnung: 38 % above the usual\n" in told[1]
