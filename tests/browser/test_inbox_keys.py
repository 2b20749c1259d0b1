"""Beside a decision: putting off, asking, handing over and taking by key, and what was decided before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import approval, pick, question_of, takes_effect, votes
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    link = api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Ines Kaya", "password": "a careful reviewer 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    yield joined
    joined.close()


@pytest.fixture(scope="module")
def live(api: Api) -> str:
    return api.publish("Pay invoices", approval("Invoice R-{{ trigger.number }}")).workflow


def asked(api: Api, live: str, *numbers: str) -> list[str]:
    given = [{"number": number, "amount": "601.70", "order": "PO-1"} for number in numbers]
    return [question_of(api, api.call("POST", f"W/workflows/{live}/runs", {"input": one})["id"]) for one in given]


def test_the_inbox_is_worked_through_without_a_mouse(
    signed_in: Opens, new_page: Callable[..., Page], api: Api, ines: Api, live: str, shot: Shot
) -> None:
    [task] = asked(api, live, "K-1")
    page = signed_in(f"/inbox?task={task}")
    question = page.get_by_role("article")
    expect(question.get_by_role("button", name="Take it")).to_be_visible()
    page.keyboard.press("e")
    expect(question.get_by_text("You have taken this: you see to it alone.")).to_be_visible()
    page.keyboard.press("e")
    expect(question.get_by_role("button", name="Take it")).to_be_visible()
    expect(question.get_by_role("button", name="Ask or say something…")).to_be_visible()
    page.keyboard.press("q")
    said = question.get_by_label("To everybody who sees this question")
    expect(said).to_be_focused()
    page.keyboard.type("Which order is this for?")
    shot(page, "inbox-ask")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(question.get_by_text("Which order is this for?")).to_be_visible()
    expect(question.get_by_role("button", name="Ask or say something…")).to_be_visible()
    hers = new_page()
    sign_in(hers, ines)
    hers.goto(f"/inbox?task={task}")
    expect(hers.get_by_role("article").get_by_text("Alice wrote")).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_role("dialog").get_by_label("To whom")).to_be_visible()
    expect(page.get_by_role("dialog").locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.get_by_text(re.compile(r"^Takes effect in \d+ s$"))).to_be_visible()
    expect(hers.get_by_role("article").get_by_role("status")).to_contain_text("Alice")
    takes_effect(api, task)
    assert votes(api, task) == [("Alice", "approved")]


@pytest.mark.parametrize("size", SIZES)
def test_a_question_is_put_off_and_fetched_back(size: str, signed_in: Opens, api: Api, live: str, shot: Shot) -> None:
    [task] = asked(api, live, f"L-{size}")
    page = signed_in("/inbox", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    question = pick(page, task)
    question.get_by_role("button", name="Later…").click()
    shot(page, f"inbox-later-menu-{size}")
    page.get_by_role("menuitem", name="In an hour").click()
    expect(page.get_by_text("Out of your list until", exact=False)).to_be_visible()
    page.goto("/inbox")
    expect(page.get_by_role("radio", name="Later")).to_be_visible()
    expect(page.get_by_test_id(f"task-{task}")).to_have_count(0)
    page.get_by_role("radio", name="Later").click()
    expect(page.get_by_test_id(f"task-{task}")).to_contain_text("put off until")
    readable(page, size, "inbox-later", shot)
    question = pick(page, task)
    question.get_by_role("button", name="Back into my list").click()
    expect(question.get_by_role("button", name="Later…")).to_be_visible()
    page.goto("/inbox")
    expect(page.get_by_test_id(f"task-{task}")).to_be_visible()


def test_what_was_decided_before_stands_beside_the_question(
    signed_in: Opens, api: Api, ines: Api, live: str, shot: Shot
) -> None:
    first, second = asked(api, live, "P-1", "P-2")
    ines.call("POST", f"W/inbox/{first}/decide", {"outcome": "rejected", "comment": "Billed twice."})
    page = signed_in(f"/inbox?task={second}")
    before = page.get_by_role("article").get_by_role("listitem").filter(has_text="Invoice R-P-1")
    expect(before).to_contain_text("Rejected · Ines Kaya")
    expect(before).to_contain_text("€601.70")
    shot(page, "inbox-alike")
    before.get_by_role("link").click()
    expect(page.get_by_role("article").get_by_text("Billed twice.")).to_be_visible()
