"""A connection that takes only so many calls: set where it is, and said wherever somebody waits for his turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import Opens, graph, step
from tests.browser.test_containers import each, inside
from tests.browser.test_retrying import COMPANY
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}


def ledger(connection: str) -> dict[str, Any]:
    """An invoice for each of six orders, by this connection."""
    start = step("start", "trigger.webhook@1", "Start", (0, 0))
    batch = each("each", "For each order", (-24, 128), "{{ [1, 2, 3, 4, 5, 6] }}", stop="never", at_a_time=6)
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": "{{ item }}"}
    post = step(
        "post", "http.request@1", "Post to ledger", (0, 0), method="POST", url=f"{COMPANY}/invoices",
        connection=connection, body_type="json", json_body=body,
    )  # fmt: skip
    return graph([start, batch, *inside("each", post)], [("start", "each")])


def test_a_budget_is_set_and_who_waits_for_his_turn_is_told_why(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    page = signed_in("/connections")
    page.get_by_role("button", name="New connection").first.click()
    page.get_by_role("menuitem", name="Bearer token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name", exact=True).fill("ERP production")
    dialog.get_by_role("textbox", name="Token").fill("a-token-of-this-test")
    dialog.get_by_role("textbox", name="Only for these hosts").fill("practice-company")
    dialog.get_by_text("Limit how much is called").click()
    dialog.get_by_role("textbox", name="Calls, at most").fill("2")
    # Longer than it takes to look at all the pages: of a minute the next two may go while they are opened.
    dialog.get_by_label("In", exact=True).select_option(label="one hour")
    assert findings(page) == []
    shot(page, "budget-dialog")
    dialog.get_by_role("button", name="Save", exact=True).click()
    line = page.get_by_test_id("budget")
    expect(line).to_contain_text("0 of 2 calls this hour")
    (made,) = [one for one in api.call("GET", "W/connections")["items"] if one["name"] == "ERP production"]

    live = api.publish("Invoices", ledger(made["id"]))
    run = httpx2.post(product.url + live.path, json={}, timeout=60).json()["run"]
    expect(line).to_contain_text("2 of 2 calls this hour")
    expect(line).to_contain_text("4 wait")
    shot(page, "budget-used")
    small = signed_in("/connections", viewport=PHONE)
    expect(small.get_by_test_id("budget")).to_contain_text("4 wait")
    shot(small, "budget-used-390")

    drawn = api.call("GET", f"W/runs/{run}/snapshot")["graph"]
    node = next(one["id"] for one in drawn["nodes"] if one["key"] == "each")
    batch = signed_in(f"/batches/{run}/{node}")
    expect(batch.get_by_text("4 items wait for their turn: “ERP production” takes 2 calls an hour")).to_be_visible()
    assert findings(batch) == []
    shot(batch, "budget-batch")
    phone = signed_in(f"/batches/{run}/{node}", dark=True, viewport=PHONE)
    expect(phone.get_by_text("4 items wait for their turn")).to_be_visible()
    shot(phone, "budget-batch-390-dark")
    items = api.call("GET", f"W/runs/{run}/items?node={node}")["items"]
    waits = next(one for one in items if one["waiting"] is not None)
    item = signed_in(f"/runs/{waits['run_id']}")
    expect(item.get_by_text("Waits for its turn: “ERP production” takes 2 calls an hour; about").first).to_be_visible()
    shot(item, "budget-run")
    api.call("PATCH", f"W/connections/{made['id']}", {"budget": None})
    api.call("POST", f"W/runs/{run}/cancel", {})
