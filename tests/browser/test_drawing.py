"""A person draws webhook → decision → HTTP request on an empty canvas, publishes, posts, and sees the run end."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.benchmarks import graphs
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True


def write(page: Page, name: str, text: str) -> None:
    """Write into a field that takes formulas, as a person does: click, then type."""
    box = page.get_by_role("textbox", name=name, exact=True)
    box.click()
    expect(page.locator(".cm-content:focus")).to_be_visible()
    page.keyboard.type(text, delay=15)
    page.keyboard.press("Escape")


def add(page: Page, button: str, search: str, name: str) -> None:
    """Add a step with a "+", by search and Enter."""
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("combobox", name="What should happen?")).to_be_focused()
    page.keyboard.type(search, delay=15)
    chosen = page.get_by_role("listbox").get_by_role("option", selected=True)
    expect(chosen).to_have_text(re.compile(f"^{name}"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Name of the step")).to_have_value(name)


def test_a_workflow_is_drawn_published_fired_and_seen_to_end(
    signed_in: Callable[..., Page], product: Product, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in("/workflows")
    page.get_by_role("button", name=re.compile("New workflow")).first.click()
    asked = page.get_by_role("dialog")
    asked.get_by_label("Name", exact=True).fill("Big orders")
    asked.get_by_role("button", name="Create workflow").click()
    expect(page.get_by_role("heading", name="What starts it?")).to_be_visible()
    page.get_by_role("option", name=re.compile("^Webhook")).click()

    add(page, "Add a step after Webhook", "decision", "Decision")
    write(page, "Value to look at", "{{ trigger.body.total }}")
    page.get_by_label("How to compare").select_option(label="is more than")
    write(page, "Value to compare with", "100")

    add(page, "Add a step on Yes of Decision", "http", "HTTP request")
    page.get_by_label("Method", exact=True).select_option("POST")
    write(page, "Address", "http://practice-company/invoices")
    page.get_by_label("Body", exact=True).select_option(label="Data (JSON)")
    write(page, "Data", '{"order": "{{ trigger.body.id }}", "customer": "C-200", "amount": "{{ trigger.body.total }}"}')

    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("problem"))).to_have_count(0)
    shot(page, "drawn")
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("What is new")).fill("Makes an invoice for big orders")
    dialog.get_by_role("button", name="Publish v1").click()
    expect(page.get_by_text("Live · v1")).to_be_visible()

    page.get_by_role("button", name=re.compile("Step 1 of 3, Webhook")).click()
    panel = page.get_by_role("complementary")
    address = panel.get_by_text(re.compile(r"^http://127\.0\.0\.1:\d+/hooks/\S+$"))
    expect(address).to_be_visible()
    posted = re.search(r"/hooks/[\w-]+", address.inner_text())
    assert posted is not None
    answer = httpx2.post(product.url + posted[0], json={"id": "A-1", "total": 150.25})
    assert answer.status_code == 202

    page.get_by_role("navigation", name="Workflow").get_by_role("link", name="Runs").click()
    # The word by itself: the last column's heading says what can be "done".
    done = page.get_by_role("row").filter(has=page.get_by_text("Done", exact=True)).first
    done.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    http = page.get_by_role("button", name=re.compile(r"^Step 3 of 3, HTTP request\. 201 · INV-\d+\. Done"))
    expect(http).to_be_visible()
    http.click()
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_text("INV-1001").first).to_be_visible()
    shot(page, "drawn-run")


def test_the_way_not_taken_is_shown_as_skipped(signed_in: Callable[..., Page], api: Api, product: Product) -> None:
    live = api.publish("Big orders only", graphs.flow())
    run = httpx2.post(product.url + live.path, json={"id": "A-2", "total": 99.99}).json()["run"]
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    for step in ("Step 4 of 5, second", "Step 5 of 5, pay"):
        expect(page.get_by_role("button", name=re.compile(rf"^{step}\b.*Skipped"))).to_be_visible()
