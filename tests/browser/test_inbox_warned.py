"""What a question says besides its words: warnings, lists as tables, and buttons by names of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, readable
from tests.browser.test_inbox import answer, pick, question_of, takes_effect
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
LINES = [{"item": f"Chair {at}", "total": 100 + at, "for": {"cost_centre": "4711"}} for at in range(1, 33)]


def payment() -> dict[str, Any]:
    ask = step(
        "ask",
        "people.approval@1",
        "Release the payment",
        (0, 150),
        title="Invoice {{ trigger.number }}",
        facts=[{"name": "Lines", "value": "{{ trigger.lines }}"}, {"name": "Order", "value": "PO-771"}],
        warnings=[
            {
                "text": "{{ round((trigger.total / trigger.usual - 1) * 100) }} % above the usual",
                "when": "{{ trigger.usual > 0 and trigger.total > trigger.usual * 1.3 }}",
            }
        ],
        approve_label="Release it",
        reject_label="Send it back",
        amount="{{ trigger.total }}",
        currency="EUR",
    )
    return graph(
        [
            step("start", "trigger.manual@1", "Invoice comes in", (0, 0)),
            ask,
            edit_fields("pay", "Pay it", (0, 300), paid="yes"),
        ],
        [("start", "ask"), ("ask", "approved", "pay")],
    )


@pytest.fixture(scope="module")
def questions(api: Api) -> tuple[str, str, str]:
    """One with a warning and two without, of one step; and the run of the first."""
    live = api.publish("Payments", payment()).workflow
    given = [("R-1", 138, 100), ("R-2", 100, 0)]
    runs = [
        api.call(
            "POST",
            f"W/workflows/{live}/runs",
            {"input": {"number": number, "total": total, "usual": usual, "lines": LINES}},
        )["id"]
        for number, total, usual in given
    ]
    return question_of(api, runs[0]), question_of(api, runs[1]), runs[0]


def test_a_question_says_what_is_unusual_and_shows_a_list_as_a_table(
    signed_in: Opens, questions: tuple[str, str, str], shot: Shot
) -> None:
    warned, plain, _ = questions
    page = signed_in("/inbox")
    expect(page.get_by_test_id(f"task-{warned}").get_by_text("Warning", exact=True)).to_be_visible()
    expect(page.get_by_test_id(f"task-{plain}")).to_be_visible()
    expect(page.get_by_test_id(f"task-{plain}").get_by_text("Warning", exact=True)).to_have_count(0)
    question = pick(page, warned)
    expect(question.get_by_role("listitem").filter(has_text="38 % above the usual")).to_be_visible()
    table = question.get_by_role("table", name="Lines")
    expect(table.get_by_role("columnheader")).to_have_text(["item", "total", "for"])
    expect(table.get_by_role("row")).to_have_count(21)
    expect(table.get_by_role("row").nth(1).get_by_role("cell")).to_have_text(["Chair 1", "101", "cost_centre: 4711"])
    expect(question.get_by_text("and 12 more")).to_be_visible()
    expect(question.get_by_role("button", name="Release it")).to_be_visible()
    expect(question.get_by_role("button", name="Send it back")).to_be_visible()
    shot(page, "inbox-warned")


@pytest.mark.parametrize("size", SIZES)
def test_it_reads_well_on_every_screen(
    new_page: Callable[..., Page], api: Api, questions: tuple[str, str, str], shot: Shot, size: str
) -> None:
    page = new_page(viewport=SIZES[size])
    sign_in(page, api)
    page.goto(f"/inbox?task={questions[0]}")
    question = page.get_by_role("article")
    expect(question.get_by_text("38 % above the usual")).to_be_visible()
    expect(question.get_by_text("and 12 more")).to_be_attached()
    if size == "phone":
        expect(question.get_by_role("list", name="Lines").get_by_role("listitem")).to_have_count(20)
    readable(page, size, "inbox-warned", shot)


def test_whoever_approves_several_is_told_which_have_warnings_and_the_run_says_what_was_pressed(
    signed_in: Opens, api: Api, questions: tuple[str, str, str], shot: Shot
) -> None:
    warned, plain, run = questions
    page = signed_in("/inbox")
    page.get_by_role("button", name="Select several").click()
    for task in (warned, plain):
        page.locator("li").filter(has=page.get_by_test_id(f"task-{task}")).get_by_role("checkbox").check()
    expect(page.get_by_text("1 with a warning")).to_be_visible()
    page.get_by_role("button", name="Release it: 2 · €238.00").click()
    dialog = page.get_by_role("dialog", name="“Release it” for 2 questions?")
    expect(dialog.get_by_text("1 of these has a warning")).to_be_visible()
    expect(dialog.get_by_text("Invoice R-1: 38 % above the usual")).to_be_visible()
    shot(page, "inbox-warned-bulk")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)

    page.goto(f"/inbox?task={warned}")
    answer(page.get_by_role("article"), "approved")
    expect(page.get_by_role("status").filter(has_text="Release it").first).to_be_visible()
    takes_effect(api, warned)
    page.goto(f"/inbox?task={warned}&state=closed&who=anybody")
    question = page.get_by_role("article")
    expect(question.get_by_role("status").filter(has_text="Release it")).to_be_visible()
    # What was warned of when it was decided is said later, too.
    expect(question.get_by_text("38 % above the usual")).to_be_visible()
    page.goto(f"/runs/{run}?step=ask")
    expect(page.get_by_role("listitem").filter(has_text="Alice").filter(has_text="Release it").first).to_be_visible()
