"""What came of a batch, as a table to take along; and what makes one slower, while it goes."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import findings
from tests.browser.editing import Opens
from tests.browser.test_batches import done_batch
from tests.browser.test_look_up import PHONE
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Shot = Callable[[Page, str], None]


def test_the_table_comes_back_with_what_came_of_each_row(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    run_id, node = done_batch(api, product, "Month end, taken along", bad=2)
    page = signed_in(f"/batches/{run_id}/{node}?tab=files")
    expect(page.get_by_role("button", name="Download results")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Download results").click()
    expect(page.get_by_role("menuitem", name="CSV with semicolons")).to_be_visible()
    shot(page, "batch-results")
    with page.expect_download() as loading:
        page.get_by_role("menuitem", name="CSV: 1250.5").click()
    assert loading.value.suggested_filename == "results.csv"
    rows = list(csv.DictReader(loading.value.path().read_text("utf-8-sig").splitlines()))
    assert list(rows[0])[:4] == ["number", "amount", "currency", "way"]
    assert [one["Status"] for one in rows] == ["failed"] * 2 + ["done"] * 10
    assert "422" in rows[0]["Message"]
    assert all(one["New id"] for one in rows[2:])


def test_a_batch_says_what_makes_it_slower(signed_in: Opens, api: Api, product: Product, shot: Shot) -> None:
    run_id, node = done_batch(api, product, "Month end, slower", bad=0)
    path = f"**/runs/{run_id}/batches/{node}"

    def slower(route: Route) -> None:
        answer = route.fetch()
        slowing = {"system": "ERP production", "step": "Post", "now_ms": 2400, "usual_ms": 800}
        still = {"finished_at": None, "per_minute": 118, "slowing": slowing}
        route.fulfill(response=answer, json={**answer.json(), **still})

    for name, look in (("batch-slowing", {}), ("batch-slowing-phone-dark", {"viewport": PHONE, "dark": True})):
        page = signed_in("/", **look)
        page.route(path, slower)
        page.goto(f"/batches/{run_id}/{node}")
        told = page.get_by_test_id("slowing")
        expect(told).to_have_text("Slowing down: ERP production answers in 2.4 sec, at the beginning in 800 ms")
        shot(page, name)
        assert findings(page) == []
