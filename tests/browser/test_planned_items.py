"""The plan of a retry says what becomes of the items, and the dialog of held runs with which version they go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_containers import PHONE, each, inside
from tests.browser.test_retrying import COMPANY, publish_anew, wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


def lines(made: str) -> dict[str, Any]:
    """Order › For each line (Number), of which one that is no number fails."""
    each_ = each(
        "lines", "For each line", (-24, 128), "{{ trigger.body.lines }}", stop="number", may_fail=1, label="{{ item }}"
    )
    start = step("order", "trigger.webhook@1", "Order", (0, 0), business_key="{{ trigger.body.number }}")
    return graph(
        [start, each_, *inside("lines", edit_fields("number", "Number", (0, 0), of=made))], [("order", "lines")]
    )


@pytest.fixture
def failed(api: Api, product: Product) -> str:
    """A run of which two items failed."""
    live = api.publish("Lines", lines("{{ number(item) }}"))
    answer = httpx2.post(product.url + live.path, json={"number": "PO-7", "lines": ["1", "x", "2", "y", "3"]})
    run: str = answer.json()["run"]
    wait_for_end(api, run)
    return run


def test_the_plan_of_a_retry_says_what_becomes_of_the_items(signed_in: Opens, failed: str, shot: Shot) -> None:
    for dark, viewport in ((False, None), (True, PHONE)):
        page = signed_in(f"/runs/{failed}", dark=dark, viewport=viewport)
        page.get_by_role("button", name="Retry…").first.click()
        items = page.get_by_test_id("plan-items-lines")
        expect(items).to_contain_text("5 items · 2 kept · 2 run again · 1 comes next")
        items.get_by_role("button", name="Which run again").click()
        expect(items.get_by_role("listitem")).to_have_count(2)
        expect(items.get_by_role("listitem").first).to_contain_text("2 · x")
        assert findings(page) == []
        shot(page, f"planned-items-{'dark' if dark else 'light'}")


def test_held_runs_go_with_the_version_published_now_or_their_own(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    live = api.publish("Held lines", lines("{{ number(item) }}"))
    api.call("POST", f"W/workflows/{live.workflow}/hold", {})
    answer = httpx2.post(product.url + live.path, json={"number": "PO-8", "lines": ["1"]})
    run = answer.json()["run"]
    publish_anew(api, live, lines("{{ item }}"))
    page = signed_in(f"/workflows/{live.workflow}/runs")
    expect(page.get_by_test_id(f"run-{run}")).to_contain_text("PO-8")
    page.get_by_test_id("hold-banner").get_by_role("button", name="Resume…").click()
    dialog = page.get_by_role("dialog", name="Resume Held lines")
    expect(dialog.get_by_label("The one published now (v2)")).to_be_checked()
    dialog.get_by_label("The one each came under (v1)").check()
    assert findings(page) == []
    shot(page, "held-versions")
    dialog.get_by_role("button", name="Resume").click()
    wait_for_end(api, run)
    assert api.call("GET", f"W/runs/{run}")["version"] == 1
    page.goto(f"{product.url}/runs/{run}")
    page.get_by_test_id("record-button").click()
    expect(page.get_by_role("dialog", name="What is on record")).to_contain_text("Let go")
    shot(page, "held-record")


def test_a_failed_item_is_gone_on_with_from_the_list_it_stands_in(signed_in: Opens, api: Api, product: Product) -> None:
    """What it needs is there again meanwhile: the company answers 503 once."""
    post = step("post", "http.request@1", "Post", (0, 0), method="POST", url=COMPANY + "/with/fail=503*1/invoices")
    post["config"] |= {
        "body_type": "json",
        "json_body": {"order": "{{ trigger.body.number }}", "customer": "C-200", "amount": 5},
    }
    post["settings"] = {"retry": {"attempts": 1}}
    each_ = each("lines", "For each line", (-24, 128), "{{ trigger.body.lines }}", stop="never", label="{{ item }}")
    start = step("order", "trigger.webhook@1", "Order", (0, 0), business_key="{{ trigger.body.number }}")
    live = api.publish("Posted lines", graph([start, each_, *inside("lines", post)], [("order", "lines")]))
    run = httpx2.post(product.url + live.path, json={"number": "PO-17", "lines": ["paper"]}).json()["run"]
    wait_for_end(api, run)
    page = signed_in(f"/runs/{run}")
    about = page.get_by_role("region", name="About this run")
    expect(about).to_contain_text("1 item failed")
    about.get_by_role("button", name="See the failed items of “For each line”").click()
    row = page.get_by_test_id("item-1")
    opener = row.get_by_role("button", name="Retry item 1…")
    opener.click()
    dialog = page.get_by_role("dialog", name="Retry item 1 · paper")
    expect(dialog.get_by_role("button", name="Retry — 1 step runs again")).to_be_enabled()
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.click()
    dialog.get_by_role("button", name="Retry — 1 step runs again").click()
    expect(page.get_by_test_id("run-facts")).not_to_contain_text("item failed")
    expect(page.locator('[data-step="lines"]')).to_contain_text("1 of 1 done")


def test_a_container_shows_that_items_failed_within_its_items(signed_in: Opens, api: Api, product: Product) -> None:
    outer = each("orders", "For each order", (-24, 128), "{{ trigger.body.orders }}", stop="never")
    inner = each("lines", "For each line", (0, 0), "{{ item.lines }}", stop="never")
    start = step("order", "trigger.webhook@1", "Orders", (0, 0))
    number = edit_fields("number", "Number", (0, 0), of="{{ number(item) }}")
    document = graph([start, outer, *inside("orders", inner), *inside("lines", number)], [("order", "orders")])
    live = api.publish("Nested lines", document)
    given = {"orders": [{"lines": ["1", "x"]}, {"lines": ["2"]}]}
    run = httpx2.post(product.url + live.path, json=given).json()["run"]
    wait_for_end(api, run)
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_test_id("run-facts")).to_contain_text("Done, 1 item failed")
    frame = page.locator('[data-step="orders"]')
    expect(frame.get_by_role("button").first).to_contain_text("2 of 2 done · 1 failed inside")
    expect(frame.locator('[data-status="done_with_failures"]').first).to_be_visible()
