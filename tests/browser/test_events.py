"""The page of start events: what started nothing is found with its reason, and is started after all."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import edit_fields, graph, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def workflow(api: Api, product: Product) -> str:
    """One that took a delivery, and turned another away."""
    start = step("start", "trigger.webhook@1", "Orders", (0, 0), methods=["POST"], auth="none", dedupe="none")
    keep = edit_fields("keep", "Keep", (0, 150), order="{{ trigger.body.order }}")
    live = api.publish("Knocked", graph([start, keep], [("start", "keep")]))
    url, secret, json_type = product.url + live.path, {"X-Api-Key": "open sesame"}, {"Content-Type": "application/json"}
    assert httpx2.post(url, json={"order": "PO-7"}, headers=secret, timeout=60).status_code == 202
    assert httpx2.post(url, content=b"{broken", headers=json_type, timeout=60).status_code == 400
    return live.workflow


def test_why_nothing_happened_also_tells_of_what_came_again_and_of_what_came_while_it_was_off(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    start = step("start", "trigger.webhook@1", "Orders", (0, 0), auth="none", dedupe="header", dedupe_header="X-Id")
    live = api.publish("Came again", graph([start, edit_fields("keep", "Keep", (0, 150), a="1")], [("start", "keep")]))
    url, why = product.url + live.path, f"/workflows/{live.workflow}/events?why=true"
    assert httpx2.post(url, json={"order": 1}, headers={"X-Id": "7"}, timeout=60).status_code == 202
    page = signed_in(why)
    expect(page.get_by_text("Nothing is kept here that started nothing.")).to_be_visible()
    assert httpx2.post(url, json={"order": 1}, headers={"X-Id": "7"}, timeout=60).status_code == 200
    assert httpx2.post(url, json={"order": 2}, headers={"X-Id": "7"}, timeout=60).status_code == 409
    api.call("POST", f"W/workflows/{live.workflow}/disable")
    assert httpx2.post(url, json={"order": 3}, headers={"X-Id": "8"}, timeout=60).status_code == 404
    again = page.get_by_role("list", name="Came again").get_by_role("listitem")
    expect(again).to_have_count(2)
    expect(again.first).to_contain_text("Its key had come before with another body")
    expect(again.last).to_contain_text("Its key had come before with the same body")
    rows = page.get_by_role("list", name="Start events").get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("The workflow was switched off. · Answered 404")
    expect(page.get_by_text("Nothing is kept here that started nothing.")).to_have_count(0)
    assert findings(page) == []
    shot(page, "events-why")


def test_why_nothing_happened_is_told_and_what_did_is_shown_whole(signed_in: Opens, workflow: str, shot: Shot) -> None:
    page = signed_in(f"/workflows/{workflow}/events")
    rows = page.get_by_role("list", name="Start events").get_by_role("listitem")
    expect(rows).to_have_count(2)
    shot(page, "events")
    page.get_by_role("button", name="Why did nothing happen?").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("The body cannot be read.")
    expect(rows.first).to_contain_text("Answered 400")
    page.get_by_role("button", name="All", exact=True).click()
    expect(rows).to_have_count(2)
    rows.last.get_by_role("button").first.click()
    dialog = page.get_by_role("dialog", name="Start event: Webhook")
    expect(dialog).to_contain_text("PO-7")
    dialog.get_by_text(re.compile(r"\d+ headers")).click()
    expect(dialog).to_contain_text("x-api-key")
    expect(dialog).not_to_contain_text("open sesame")
    shot(page, "events-detail")
    assert findings(page) == []


def test_a_run_leads_to_its_event_and_hands_it_to_the_test(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    start = step("start", "trigger.webhook@1", "Orders", (0, 0), auth="none", dedupe="none")
    live = api.publish("Sampled", graph([start, edit_fields("keep", "Keep", (0, 150), a="1")], [("start", "keep")]))
    assert httpx2.post(product.url + live.path, json={"order": "PO-1881"}, timeout=60).status_code == 202
    page = signed_in(f"/workflows/{live.workflow}/runs")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="More actions").click()
    shot(page, "run-more")
    page.get_by_role("menuitem", name="Show its start event").click()
    expect(page.get_by_role("dialog", name="Start event: Webhook")).to_contain_text("PO-1881")
    page.go_back()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Copy as sample").click()
    page.wait_for_url("**/build*")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("PO-1881")).to_be_visible()


def test_an_event_is_replayed_as_a_run(signed_in: Opens, workflow: str) -> None:
    page = signed_in(f"/workflows/{workflow}/events")
    page.get_by_role("list", name="Start events").get_by_role("listitem").last.get_by_role("button").first.click()
    page.get_by_role("button", name="Replay as run…").click()
    page.get_by_role("dialog", name="Start a run from this event?").get_by_role("button", name="Start the run").click()
    expect(page).to_have_url(re.compile("/runs/"))


def test_it_is_free_of_barriers_on_a_phone_in_the_dark(signed_in: Opens, workflow: str, shot: Shot) -> None:
    page = signed_in(f"/workflows/{workflow}/events", viewport=PHONE, dark=True)
    expect(page.get_by_role("list", name="Start events").get_by_role("listitem").first).to_be_visible()
    shot(page, "events-phone-dark")
    fits(page)
    assert findings(page) == []


def test_german_says_why_nothing_happened(signed_in: Opens, workflow: str) -> None:
    page = signed_in("/")
    page.evaluate("localStorage.setItem('millrace.language', 'de')")
    page.goto(f"/workflows/{workflow}/events")
    expect(page.get_by_text("Der Inhalt ist nicht lesbar. ·")).to_be_visible()
    page.goto("/connections")
    page.get_by_role("button", name="Neue Verbindung").click()
    expect(page.get_by_role("menuitem", name="Mailserver (SMTP)")).to_be_visible()
