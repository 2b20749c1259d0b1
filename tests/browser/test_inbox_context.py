"""Beside a question, where there is room: its run, what happened before, and what was decided about its key earlier."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import THEMES, readable
from tests.browser.test_inbox import pick, question_of
from tests.browser.test_retrying import wait_for_end
from tests.product import Api, Product, Published

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


def invoices(api: Api, name: str) -> Published:
    """Invoices are looked up and then approved; each is known by its number."""
    document = graph(
        [
            step("start", "trigger.webhook@1", "Invoice comes in", (0, 0), business_key="{{ trigger.body.number }}"),
            edit_fields("look", "Look the supplier up", (0, 150), supplier="Brinkmann Papier"),
            step("ask", "people.approval@1", "Approve the invoice", (0, 300), title="{{ trigger.body.number }}?"),
        ],
        [("start", "look"), ("look", "ask")],
    )
    return api.publish(name, document)


def post(product: Product, live: Published, number: str, note: str) -> str:
    answer = httpx2.post(product.url + live.path, json={"number": number, "note": note}, timeout=60)
    return str(answer.json()["run"])


def test_the_context_shows_the_run_what_was_before_and_earlier_decisions_about_the_key(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    live = invoices(api, "Invoices with a past")
    first = post(product, live, "INV-1042", "first")
    said = {"outcome": "rejected", "comment": "The prices are not ours."}
    api.call("POST", f"W/inbox/{question_of(api, first)}/decide", said)
    wait_for_end(api, first)
    second = post(product, live, "INV-1042", "second")
    task = question_of(api, second)

    page = signed_in("/inbox")
    pick(page, task)
    aside = page.get_by_role("complementary", name="About the run")
    expect(aside.get_by_role("definition").filter(has_text="Invoices with a past · v1")).to_be_visible()
    expect(aside.get_by_role("link", name="Look the supplier up")).to_be_visible()
    expect(aside.get_by_text("Rejected")).to_be_visible()
    expect(aside.get_by_text("The prices are not ours.")).to_be_visible()
    picture = aside.get_by_test_id("run-picture")
    expect(picture).to_have_accessible_name(
        re.compile(r"“Approve the invoice” of Invoices with a past asks\..* 2 of 3 steps are done\.")
    )
    expect(aside.locator('[data-step="ask"][data-status="waiting"]')).to_be_visible()
    expect(aside.locator('[data-step="look"][data-status="succeeded"]')).to_be_visible()
    expect(aside.locator(".react-flow__node.selected")).to_have_count(1)
    shot(page, "inbox-context")
    picture.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/runs/{second}\?step=ask"))
    page.go_back()
    expect(picture).to_be_visible()

    page.set_viewport_size({"width": 1279, "height": 900})
    expect(aside).to_have_count(0)
    expect(page.get_by_role("article")).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    aside.get_by_role("link", name="All of INV-1042").click()
    expect(page).to_have_url(product.url + "/keys/INV-1042")


def test_the_inbox_with_its_context_can_be_read(signed_in: Opens, api: Api, product: Product, shot: Shot) -> None:
    live = invoices(api, "Invoices to read")
    task = question_of(api, post(product, live, "INV-7", "only"))
    page = signed_in(f"/inbox?task={task}", viewport={"width": 1440, "height": 900})
    page.emulate_media(color_scheme=THEMES["desk"][0])
    expect(page.get_by_role("complementary").get_by_text("No other run had this key.")).to_be_visible()
    expect(page.get_by_test_id("run-picture")).to_be_visible()
    readable(page, "desk", "inbox-context", shot)


def test_the_list_is_narrowed_by_its_address_and_goes_to_the_question_of_its_address(
    signed_in: Opens, api: Api, product: Product
) -> None:
    live = api.publish(
        "Unnamed",
        graph(
            [
                step("start", "trigger.webhook@1", "Comes in", (0, 0)),
                step("ask", "people.approval@1", "Approve", (0, 150), title="{{ trigger.body.number }}?"),
            ],
            [("start", "ask")],
        ),
    )
    runs = [post(product, live, f"N-{number:02}", "") for number in range(30)]
    tasks = [question_of(api, run) for run in runs]
    # The newest stand first.
    far = tasks[0]
    page = signed_in(f"/inbox?task={far}")
    row = page.get_by_test_id(f"task-{far}")
    expect(row).to_be_in_viewport()
    expect(row).to_have_attribute("aria-current", "page")
    aside = page.get_by_role("complementary", name="About the run")
    expect(aside.get_by_role("term").filter(has_text="Key")).to_have_count(0)
    expect(aside.get_by_role("term").first).to_have_text("Run")

    page.goto("/inbox?who=all&due=late")
    expect(page.get_by_label("Due", exact=True)).to_have_value("late")
    expect(page.get_by_text("No questions match these filters.").first).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_label("Type", exact=True).select_option("approval")
    expect(page.get_by_test_id(f"task-{tasks[-1]}")).to_be_visible()
    assert "kind=approval" in page.url
    assert "who=anybody" in page.url
