"""What a question says besides its words: warnings, lists as tables, and buttons by names of their own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import fits, sign_in
from tests.browser.editing import edit_fields, graph, new_editor, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import answer, pick, question_of, takes_effect
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
LINES = [{"item": f"Chair {at}", "total": 100 + at, "for": {"cost_centre": "4711"}} for at in range(1, 33)]


GERMAN = "localStorage.setItem('millrace.language', 'de')"
LANGUAGES = ("en", "de")


def payment(**config: Any) -> dict[str, Any]:
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
        **config,
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_it_reads_well_on_every_screen(
    new_page: Callable[..., Page], api: Api, questions: tuple[str, str, str], shot: Shot, size: str, language: str
) -> None:
    page = new_page(viewport=SIZES[size])
    sign_in(page, api)
    if language == "de":
        page.add_init_script(GERMAN)
    page.goto(f"/inbox?task={questions[0]}")
    question = page.get_by_role("article")
    expect(question.get_by_text("38 % above the usual")).to_be_visible()
    expect(question.get_by_text("and 12 more" if language == "en" else "und 12 weitere")).to_be_attached()
    expect(question.get_by_role("button", name="Release it")).to_be_visible()
    if size == "phone":
        expect(question.get_by_role("list", name="Lines").get_by_role("listitem")).to_have_count(20)
    readable(page, size, f"inbox-warned-{language}", shot)


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_warnings_and_names_of_buttons_are_set_in_the_editor(
    signed_in: Opens, api: Api, shot: Shot, size: str, language: str
) -> None:
    editor = new_editor(signed_in, api, f"Payments {size} {language}", payment(), viewport=SIZES[size])
    page, panel = editor.page, editor.panel
    german = language == "de"
    if german:
        page.add_init_script(GERMAN)
        page.reload()
    if size == "phone":
        page.get_by_test_id("outline-ask").click()
    else:
        editor.card("ask").get_by_role("button").first.click()
    warnings = panel.get_by_text("Warnungen" if german else "Warnings", exact=True)
    expect(warnings.first).to_be_visible()
    expect(panel.get_by_text("Gesagt wird es, wenn" if german else "It is said when").first).to_be_attached()
    expect(panel.get_by_role("button", name="Warnung 1" if german else "Warning 1", exact=True)).to_be_attached()
    warnings.first.scroll_into_view_if_needed()
    readable(page, size, f"editor-warnings-{language}", shot)
    named = panel.get_by_role(
        "textbox", name="Name der Schaltfläche zum Ablehnen" if german else "Name of the button to reject"
    )
    expect(named).to_have_value("Send it back")
    named.fill("Release it")
    named.scroll_into_view_if_needed()
    same = "Beide Schaltflächen heißen gleich" if german else "Both buttons have the same name"
    expect(panel.get_by_text(same).first).to_be_visible()
    readable(page, size, f"editor-labels-{language}", shot)


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    """A second person, who reviews, and reads German."""
    link = api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Ines Kaya", "password": "a careful reviewer 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    joined.call("PATCH", "/me", {"language": "de"})
    yield joined
    joined.close()


def mail_about(product: Product, title: str) -> str:
    deadline = time.monotonic() + 120
    while True:
        mails = httpx2.get(product.url + "/mails", headers={"Host": "practice-company"}, timeout=30).json()["items"]
        for one in mails:
            if title in one["subject"]:
                text: str = one["text"]
                return text
        assert time.monotonic() < deadline, mails


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_mail_says_all_of_it_on_a_phone(
    new_page: Callable[..., Page], product: Product, api: Api, ines: Api, shot: Shot, language: str
) -> None:
    [connection] = [one["id"] for one in api.call("GET", "W/connections")["items"] if one["kind"] == "smtp"]
    german = language == "de"
    number = f"M-{language}"
    whom = "ines@example.com" if german else "role:admin"
    live = api.publish(f"By mail {language}", payment(people=whom, mail=connection, link="open")).workflow
    given = {"number": number, "total": 138, "usual": 100, "lines": LINES}
    question_of(api, api.call("POST", f"W/workflows/{live}/runs", {"input": given})["id"])
    text = mail_about(product, number)
    assert f"{'Warnung' if german else 'Warning'}: 38 % above the usual" in text
    assert "- item: Chair 1; total: 101; for: cost_centre: 4711" in text
    assert f"{'Antworten' if german else 'Answers'}: Release it · Send it back" in text
    link = re.search(r"/d/[\w-]{43}", text)
    assert link is not None
    for theme in THEMES["phone"]:
        page = new_page(dark=theme == "dark", viewport=SIZES["phone"])
        page.goto(link[0])
        expect(page.get_by_role("heading", name=f"Invoice {number}")).to_be_visible()
        expect(page.get_by_text("Warnung" if german else "Warning", exact=True)).to_be_visible()
        expect(page.get_by_role("cell", name="Chair 20")).to_be_visible()
        expect(page.get_by_text("und 12 weitere" if german else "and 12 more")).to_be_visible()
        shot(page, f"link-warned-{language}-{theme}")
        assert findings(page) == []
        fits(page)
    page.get_by_role("button", name="Release it").click()
    expect(page.get_by_text(f"{'Ines Kaya' if german else 'Alice'}: Release it")).to_be_visible()
