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
from tests.browser.test_retrying import publish_anew, wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
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
