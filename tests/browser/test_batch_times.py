"""A batch whose items may begin at some times only, and one that passes over what was done before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import Opens, graph, step
from tests.browser.test_containers import each, inside
from tests.browser.test_retrying import wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}


def drawn(**settings: Any) -> dict[str, Any]:
    start = step("start", "trigger.webhook@1", "Start", (0, 0))
    batch = each("each", "For each customer", (-24, 128), "{{ trigger.body.customers }}", **settings)
    keep = step("keep", "data.edit_fields@1", "Keep", (0, 0), fields=[{"name": "number", "value": "{{ item.number }}"}])
    return graph([start, batch, *inside("each", keep)], [("start", "each")])


def begin(product: Product, path: str, *numbers: str) -> str:
    body = {"customers": [{"number": number} for number in numbers]}
    run: str = httpx2.post(product.url + path, json=body, timeout=60).json()["run"]
    return run


def node_of(api: Api, run: str) -> str:
    nodes = api.call("GET", f"W/runs/{run}/snapshot")["graph"]["nodes"]
    return next(str(node["id"]) for node in nodes if node["key"] == "each")


def test_what_came_twice_or_was_done_before_is_counted_and_named(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    live = api.publish("Letters", drawn(item_key="{{ item.number }}", label="{{ item.number }}", on_done_before="skip"))
    first = begin(product, live.path, "C-1", "C-2")
    wait_for_end(api, first)
    second = begin(product, live.path, "C-2", "C-3", "C-3", "C-1")
    wait_for_end(api, second)
    page = signed_in(f"/batches/{second}/{node_of(api, second)}?tab=items")
    expect(page.get_by_text("Passed over 3")).to_be_visible()
    page.get_by_role("button", name="Passed over").click()
    rows = page.get_by_role("table", name="Passed over")
    expect(rows.get_by_role("row")).to_have_count(4)
    expect(page.get_by_test_id("passed-over-2")).to_contain_text("It came twice in this list")
    expect(page.get_by_test_id("passed-over-1")).to_contain_text("An earlier run had done it")
    assert findings(page) == []
    shot(page, "passed-over")
    page.get_by_test_id("passed-over-1").get_by_role("link").click()
    expect(page.get_by_text("2 of 2").first).to_be_visible()


def test_a_batch_outside_its_times_says_when_it_goes_on(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    begins = datetime.now(UTC) + timedelta(hours=3)
    times = {"window_from": f"{begins:%H}:00", "window_until": f"{begins:%H}:59", "window_zone": "UTC"}
    live = api.publish("By night", drawn(window="only", **times))
    run = begin(product, live.path, "C-1", "C-2")
    node = node_of(api, run)
    page = signed_in(f"/batches/{run}/{node}")
    expect(page.get_by_text("No further item begins before that.")).to_be_visible()
    assert findings(page) == []
    shot(page, "goes-on")
    phone = signed_in(f"/batches/{run}/{node}", dark=True, viewport=PHONE)
    expect(phone.get_by_text("No further item begins before that.")).to_be_visible()
    shot(phone, "goes-on-390-dark")
    overview = signed_in(f"/runs/{run}")
    expect(overview.get_by_text("“For each customer” goes on at").first).to_be_visible()
    editor = signed_in(f"/workflows/{live.workflow}")
    editor.get_by_text("For each customer").first.click()
    editor.get_by_text("Only at some times", exact=True).last.scroll_into_view_if_needed()
    shot(editor, "times-form")
    api.call("POST", f"W/runs/{run}/cancel", {})
