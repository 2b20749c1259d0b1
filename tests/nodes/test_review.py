"""Review a list: what is set down, what makes a row a problem, and what the settings refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Result, Wait
from runtime.sdk.review_pages import review_pages
from runtime.sdk.reviews import Judge, ReviewColumn
from runtime.sdk.testing import MemoryReviews, StepTestContext, run_step

COLUMNS: list[dict[str, Any]] = [
    {"name": "supplier", "required": True},
    {"name": "amount", "label": "Amount", "type": "amount", "editable": True, "total": True},
    {"name": "due", "type": "date"},
]
ROWS: list[dict[str, Any]] = [
    {"supplier": "Brinkmann", "amount": Decimal("120.50"), "currency": "EUR", "due": "2026-11-30"},
    {"supplier": "Süd", "amount": 9000, "currency": "EUR", "due": "2026-11-30"},
]
GROUPS = {"Payables": ("ines@example.com",), "Treasury": ("omar@example.com",), "Empty": ()}


def config(**more: Any) -> dict[str, Any]:
    made = {"title": "Payments", "items": ROWS, "columns": COLUMNS, "currency": "currency"}
    return {**made, **more}


async def asked(context: StepTestContext | None = None, **more: Any) -> Wait:
    node = CATALOG.get("people.review@1")
    assert node is not None
    outcome = await run_step(node, config(**more), context=context or StepTestContext(groups=GROUPS))
    assert isinstance(outcome, Wait)
    assert outcome.task is not None
    return outcome


def problems(**more: Any) -> set[tuple[str, str]]:
    node = CATALOG.get("people.review@1")
    assert node is not None
    return {(path, code) for path, code, _ in node.problems(config(**more))}


def looked(row: dict[str, Any], **rule: Any) -> list[tuple[str, str, str]]:
    """What is found out about this row: (level, text, column)."""
    columns = tuple(ReviewColumn.model_validate(one) for one in COLUMNS)
    rules = ((rule["name"], rule["when"], rule.get("level", "warning")),) if rule else ()
    found = Judge(columns, rules, "currency").look(row, 4)
    return [(one.level, one.text, one.column) for one in found.problems]


async def test_the_rows_are_set_down_and_their_sum_stands_in_the_question() -> None:
    context = StepTestContext(groups=GROUPS)
    outcome = await asked(context, people="Payables", releasers="Treasury", expected_count=2)
    task = outcome.task
    assert task is not None
    assert (task.kind, task.amount, task.currency) == ("review", "9120.50", "EUR")
    assert task.people == ("group:payables",)
    assert task.review == str(MemoryReviews.LIST)
    [spec] = context.reviews.specs
    assert (spec["releasers"], spec["reviewers"]) == (["group:treasury"], ["group:payables"])
    assert (spec["four_eyes"], spec["expected_count"]) == (True, 2)
    assert context.reviews.kept == ROWS


async def test_rows_of_two_currencies_have_no_sum() -> None:
    outcome = await asked(items=[*ROWS, {"supplier": "Dvořák", "amount": 10, "currency": "CZK"}])
    assert outcome.task is not None
    assert (outcome.task.amount, outcome.task.currency) == (None, "")


async def test_an_empty_list_asks_nobody() -> None:
    node = CATALOG.get("people.review@1")
    assert node is not None
    outcome = await run_step(node, config(items=[]))
    assert isinstance(outcome, Result)
    assert outcome.ports == ("empty",)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"most_rows": 1}, "too_many_rows"),
        ({"people": "Empty"}, "people"),
        ({"people": "Nobody"}, "people_unknown"),
        ({"releasers": "Nobody"}, "people_unknown"),
        ({"not_requester": True}, "requester_unknown"),
    ],
)
async def test_what_cannot_be_held_to_is_refused_before_anybody_is_asked(more: dict[str, Any], code: str) -> None:
    with pytest.raises(PermanentError) as caught:
        await asked(**more)
    assert caught.value.code == code


async def test_the_rows_of_a_file_are_read_a_page_at_a_time() -> None:
    context = StepTestContext(groups=GROUPS)
    lines = ["supplier;amount", *(f"S-{number};{number},50" for number in range(1, 1_201))]
    file = await context.files.save("due.csv", "text/csv", [("\n".join(lines)).encode()])
    outcome = await asked(context, source="file", file=file.as_json(), currency="EUR")
    assert outcome.task is not None
    assert (len(context.reviews.kept), outcome.task.amount) == (1_200, "721200.00")


def test_cells_that_are_empty_or_no_amount_have_to_be_mended() -> None:
    assert looked({"supplier": " ", "amount": "much", "due": "30.2.2026"}) == [
        ("blocking", "supplier may not be empty.", "supplier"),
        ("blocking", "Amount is no number.", "amount"),
        ("blocking", "due is no date.", "due"),
    ]
    assert looked({"supplier": "S", "amount": {"amount": 5, "currency": "CZK"}}) == []


def test_a_rule_says_yes_or_gives_a_text_of_its_own() -> None:
    row = {"supplier": "S", "amount": 6000}
    assert looked(row, name="Large", when="{{ item.amount > 5000 }}") == [("warning", "Large", "")]
    assert looked(row, name="Large", when="{{ item.amount > 9000 }}") == []
    said = looked(row, name="Large", when='{{ "Row " ~ (index + 1) }}', level="blocking")
    assert said == [("blocking", "Row 5", "")]


def test_a_rule_that_fails_blocks_the_row_unless_a_cell_says_why() -> None:
    [(level, text, _)] = looked({"supplier": "S", "amount": 5}, name="Odd", when="{{ item.amount + item.supplier }}")
    assert (level, text.startswith("Odd: this cannot be worked out.")) == ("blocking", True)
    found = looked({"supplier": "S", "amount": "x"}, name="Large", when="{{ item.amount > 5 }}")
    assert found == [("blocking", "Amount is no number.", "amount")]


def test_the_amount_and_its_currency_are_those_of_the_row() -> None:
    columns = tuple(ReviewColumn.model_validate(one) for one in COLUMNS)
    by_column, fixed = Judge(columns, (), "currency"), Judge(columns, (), "EUR")
    assert (by_column.look(ROWS[0], 0).amount, by_column.look(ROWS[0], 0).currency) == (Decimal("120.50"), "EUR")
    assert fixed.look({"supplier": "S", "amount": 1}, 0).currency == "EUR"
    assert fixed.look({"supplier": "S", "amount": {"amount": 2, "currency": "czk"}}, 0).currency == "CZK"
    assert fixed.look({"supplier": "S"}, 0).amount is None
    assert Judge.again(fixed.document()) == fixed


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"columns": [*COLUMNS, {"name": "due"}]}, ("columns[3].name", "twice")),
        ({"columns": [*COLUMNS, {"name": "vat", "type": "number", "total": True}]}, ("columns[3].total", "two_totals")),
        ({"columns": [{"name": "a", "total": True}]}, ("columns[0].total", "no_amount")),
        ({"rules": [{"name": "x", "when": "5"}]}, ("rules[0].when", "no_formula")),
        ({"rules": [{"name": "x", "when": "{{ trigger.limit > 5 }}"}]}, ("rules[0].when", "row_alone")),
    ],
)
def test_settings_that_cannot_work_are_named(more: dict[str, Any], found: tuple[str, str]) -> None:
    assert found in problems(**more)


def test_settings_that_work_have_no_problem() -> None:
    assert problems(rules=[{"name": "x", "when": "{{ item.amount > index }}"}]) == set()


@pytest.mark.parametrize(
    ("more", "code"),
    [({"four_eyes": False}, "one_person"), ({"columns": COLUMNS[:1], "expected_amount": 5}, "no_total")],
)
def test_what_is_unwise_is_said(more: dict[str, Any], code: str) -> None:
    node = CATALOG.get("people.review@1")
    assert node is not None
    assert code in {found for _, found, _ in node.warnings(config(**more))}


async def test_a_for_each_reads_the_rows_that_were_released_page_by_page() -> None:
    context = StepTestContext()
    context.reviews.kept = [{"number": number} for number in range(1_200)]
    pages = review_pages({"review": str(MemoryReviews.LIST), "rows_of": "accepted"}, most=2_000)
    sizes, cursor = [], None
    while True:
        page = await pages.read_page(cursor, context)
        sizes.append((len(page.items), page.total))
        cursor = page.next
        if cursor is None:
            break
    assert sizes == [(500, 1_200), (500, 1_200), (200, 1_200)]
    with pytest.raises(PermanentError, match="at most 100"):
        await review_pages({"review": str(MemoryReviews.LIST), "rows_of": "accepted"}, most=100).read_page(
            None, context
        )


@pytest.mark.parametrize("given", [None, "rows", {"review": "no", "rows_of": "accepted"}, {"rows_of": "all"}])
def test_what_is_no_reviewed_list_is_refused(given: Any) -> None:
    with pytest.raises(PermanentError) as caught:
        review_pages(given, most=5)
    assert caught.value.code == "not_reviewed"


def test_what_stands_in_no_total_has_to_be_mended_or_rejected() -> None:
    for amount in (Decimal("0.00001"), 10**15):
        [(level, text, column)] = looked({"supplier": "Brinkmann", "amount": amount})
        assert (level, column) == ("blocking", "amount")
        assert "it is in no total" in text
    assert looked({"supplier": "Brinkmann", "amount": Decimal("0.0001")}) == []
