"""A run takes back what it did, by itself or because somebody wants it to, while somebody looks on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice.example import PAYMENT_RUN
from tests.browser.axe import findings
from tests.product import Api, Product, Published

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
COMPANY = {"Host": "practice-company"}
Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def live(api: Api) -> Published:
    """The example as it came with the product."""
    [workflow] = [
        one["id"] for one in api.call("GET", "W/workflows?limit=200")["items"] if one["name"] == PAYMENT_RUN.name
    ]
    [trigger] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    return Published(workflow, "/hooks/" + trigger["url"].split("/hooks/", 1)[1])


@pytest.fixture(autouse=True)
def well_behaved(product: Product) -> Iterator[None]:
    """The company forgets afterwards what a test told it to do."""
    yield
    httpx2.delete(f"{product.url}/behaviour", headers=COMPANY, timeout=60).raise_for_status()


def post(product: Product, live: Published, number: str, **change: object) -> httpx2.Response:
    return httpx2.post(product.url + live.path, json={**PAYMENT_RUN.sample, "number": number, **change}, timeout=60)


def take_time(product: Product, path: str, milliseconds: int) -> None:
    """Tell the company to answer late to writes at this path."""
    behave(product, path, f"slow={milliseconds}")


def behave(product: Product, path: str, behaviour: str) -> None:
    """Tell the company what to do with writes at this path."""
    said = {"path": path, "method": "POST", "behaviour": behaviour}
    httpx2.post(f"{product.url}/behaviour", json=said, headers=COMPANY, timeout=60).raise_for_status()


def standing(product: Product, path: str, run: str) -> dict[str, Any]:
    """What stands in the company's books for a run."""
    items = httpx2.get(product.url + path, headers=COMPANY, timeout=60).json()["items"]
    [found] = [item for item in items if item["reference"] == run]
    return dict(found)


def expect_undone(page: Page, *nodes: str) -> None:
    """The run says that it was undone, the undo steps that they were carried out, and the actions that they are."""
    expect(page.locator('[data-testid="run-facts"][data-status="compensated"]')).to_be_visible()
    expect(page.get_by_test_id("run-facts")).to_contain_text("Undone")
    expect(page.get_by_role("heading", name="The run was undone")).to_be_visible()
    for node in nodes:
        expect(page.locator(f'[data-step="{node}"][data-status="succeeded"]')).to_be_visible()


def test_an_undo_is_watched_running_backwards(
    signed_in: Opens, api: Api, product: Product, live: Published, shot: Callable[[Page, str], None]
) -> None:
    # So long that the page is open, on a slow machine too, while the first thing is undone.
    take_time(product, "/deliveries", 5_000)
    take_time(product, "/payments/", 10_000)
    page = signed_in("/runs")
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, product, live, "SO-9001", quantity=150)
        row = page.get_by_role("link", name="SO-9001")
        news = page.get_by_role("button", name=re.compile(r"^\d+ new$"))
        expect(row.or_(news).first).to_be_visible()
        if row.count() == 0:
            news.click()
        row.click()
        expect(page.locator('[data-step="refund"]')).to_be_visible()
        page.evaluate("() => { window.loaded = 'once' }")

        expect(page.get_by_test_id("run-facts")).to_contain_text("Undoing")
        expect(page.get_by_role("heading", name="The run is being undone")).to_be_visible()
        expect(page.locator('[data-step="refund"][data-status="running"]')).to_be_visible()
        expect(page.locator('[data-step="delivery"][data-status="failed"]')).to_be_visible()
        expect(page.locator('[data-step="cancel"]')).not_to_have_attribute("data-status", "succeeded")
        # The last thing done goes first: the invoice still stands while the payment is on its way back.
        run = page.url.split("/runs/")[1].split("?")[0]
        assert standing(product, "/invoices", run)["status"] != "void"
        shot(page, "undoing")
        expect_undone(page, "refund", "void")
        assert answer.result(timeout=30).json()["run_status"] == "compensated"
    assert page.evaluate("() => window.loaded") == "once"
    shot(page, "undone")
    assert (standing(product, "/invoices", run)["status"], standing(product, "/payments", run)["status"]) == (
        "void",
        "refunded",
    )
    assert findings(page) == []


def test_an_undo_that_is_incomplete_says_so_and_is_undone_again_not_retried(
    signed_in: Opens, api: Api, product: Product, live: Published, shot: Callable[[Page, str], None]
) -> None:
    behave(product, "/invoices/", "fail=422")
    run = post(product, live, "SO-9003", quantity=150).json()["run"]
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_role("heading", name="The undo is incomplete")).to_be_visible()
    expect(page.get_by_test_id("run-facts")).to_contain_text("Undo incomplete")
    lists = page.get_by_test_id("how-far-undone")
    expect(lists).to_contain_text(re.compile("Still done.*Create invoice.*Undone.*Take payment", re.DOTALL))
    expect(page.get_by_role("button", name="Retry…", exact=True)).to_have_count(0)
    shot(page, "undo-incomplete")
    for size in ({"width": 1440, "height": 900}, {"width": 390, "height": 844}):
        for theme in ("light", "dark"):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=theme)
            shot(page, f"undo-incomplete-{size['width']}-{theme}")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="More ways to go on").click()
    expect(page.get_by_role("menuitem", name="Retry…")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")

    page.goto("/runs")
    expect(page.locator("tr, li, a").filter(has_text="SO-9003").first).to_contain_text("Undo incomplete")
    page.goto("/dead-letters")
    group = page.get_by_role("listitem").filter(has_text="Not everything could be undone")
    expect(group.get_by_text("A retry would go forward")).to_be_visible()
    expect(group.get_by_role("button", name="Retry")).to_have_count(0)
    shot(page, "undo-incomplete-dead-letters")
    group.get_by_role("button", name="Show the runs").click()
    group.get_by_role("link", name="SO-9003").click()

    httpx2.delete(f"{product.url}/behaviour", headers=COMPANY, timeout=60).raise_for_status()
    page.get_by_role("button", name="Undo again…").click()
    dialog = page.get_by_role("dialog", name="Undo run SO-9003")
    dialog.get_by_label("Why is it undone?").fill("The bank works again.")
    dialog.get_by_role("button", name=re.compile("^Undo 1 step")).click()
    expect_undone(page, "refund", "void")
    assert standing(product, "/invoices", run)["status"] == "void"


def test_somebody_who_looked_says_what_became_of_an_undo_whose_answer_was_lost(
    signed_in: Opens, product: Product, live: Published, shot: Callable[[Page, str], None]
) -> None:
    behave(product, "/invoices/", "drop")
    run = post(product, live, "SO-9004", quantity=150).json()["run"]
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_role("heading", name="The undo is incomplete")).to_be_visible()
    lists = page.get_by_test_id("how-far-undone")
    expect(lists).to_contain_text(
        re.compile("Nobody knows whether undone.*Create invoice.*Undone.*Take payment", re.DOTALL)
    )
    expect(lists).not_to_contain_text("Still done")
    assert standing(product, "/invoices", run)["status"] == "void"
    page.get_by_role("button", name="Undo again…").click()
    dialog = page.get_by_role("dialog", name="Undo run SO-9004")
    became = dialog.get_by_role("group", name=re.compile("^What became of “Create invoice” of "))
    expect(became.get_by_role("radio", name="Send it once more")).to_be_checked()
    became.get_by_role("radio", name="It was undone").check()
    dialog.get_by_label("Why is it undone?").fill("I looked: it is void.")
    for width, height in ((1440, 900), (390, 844)):
        for theme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme)
            shot(page, f"undo-became-{width}-{theme}")
    assert findings(page) == []
    dialog.get_by_role("button", name="Keep this on record").click()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    expect_undone(page, "refund", "void")
    expect(page.get_by_text("I looked: it is void.").first).to_be_visible()


def test_a_run_that_is_done_is_undone_by_hand_with_a_reason(
    signed_in: Opens, product: Product, live: Published, shot: Callable[[Page, str], None]
) -> None:
    answer = post(product, live, "SO-9002")
    assert answer.status_code == 202, answer.text
    run = answer.json()["run"]
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    page.get_by_role("button", name="Undo run…").click()
    dialog = page.get_by_role("dialog", name="Undo run SO-9002")
    turns = dialog.locator("[data-undo-step]")
    expect(turns).to_have_count(3)
    for number, (name, undoes) in enumerate(
        (
            ("Cancel the delivery", "Book the delivery"),
            ("Refund the payment", "Take payment"),
            ("Void the invoice", "Create invoice"),
        )
    ):
        expect(turns.nth(number)).to_contain_text(name)
        expect(turns.nth(number)).to_contain_text(f"undoes “{undoes}”")
    expect(dialog.get_by_text("Nothing to undo: the workflow says so")).to_be_visible()

    dialog.get_by_role("button", name="Undo 3 steps").click()
    reason = dialog.get_by_label("Why is it undone?")
    expect(dialog.get_by_text("Say why.")).to_be_visible()
    expect(reason).to_be_focused()
    assert standing(product, "/invoices", run)["status"] == "paid"
    shot(page, "undo-plan")
    assert findings(page) == []
    reason.fill("The customer changed their mind.")
    dialog.get_by_role("button", name="Undo 3 steps").click()

    expect(dialog).to_have_count(0)
    expect_undone(page, "cancel", "refund", "void")
    expect(page.get_by_text("The customer changed their mind.").first).to_be_visible()
    expect(page.get_by_role("button", name="Undo run…")).to_have_count(0)
    for path, status in (("/deliveries", "cancelled"), ("/payments", "refunded"), ("/invoices", "void")):
        assert standing(product, path, run)["status"] == status
    shot(page, "undone-by-hand")


def test_a_copy_of_the_example_with_undo_is_drawn_with_its_undo_steps(signed_in: Opens) -> None:
    page = signed_in("/workflows")
    page.get_by_role("button", name="New workflow").first.click()
    dialog = page.get_by_role("dialog", name="New workflow")
    dialog.get_by_label("Name").fill("My payment run")
    dialog.get_by_role("radio", name="A copy of the example “Payment run with undo”").check()
    dialog.get_by_role("button", name="Create workflow").click()
    expect(page.locator('[data-step="void"]')).to_be_visible()
    expect(page.locator("[data-undoes]")).to_have_count(3)
