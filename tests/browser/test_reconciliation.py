"""The example *Bank statement reconciliation* as a clerk meets it: started, looked at, decided and booked."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice.bank import payer_of
from builder.practice.example import RECONCILIATION
from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import Opens
from tests.browser.test_inbox import answer, pick
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
#: A product of its own: here the example has to be as the first start published it.
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}


def test_a_clerk_reconciles_a_month_and_decides_about_what_does_not_match(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    page = signed_in("/workflows")
    row = page.get_by_role("row").filter(has_text=RECONCILIATION.name)
    row.get_by_role("link", name=RECONCILIATION.name).click()
    expect(page.locator('[data-step="compare"]')).to_be_visible()
    shot(page, "reconciliation-canvas")
    page.locator('[data-step="compare"]').click()
    expect(page.get_by_label("How many belong together", exact=True)).to_be_visible()
    shot(page, "reconciliation-settings")
    page.get_by_test_id("run-button").click()
    expect(page.get_by_test_id("start-run")).to_be_visible()
    page.get_by_label("Invoices").fill("100")
    shot(page, "reconciliation-form")
    page.get_by_test_id("start-run").click()

    page.wait_for_url("**/runs/*")
    run = page.url
    page.locator('[data-step="compare"]').get_by_role("button").first.click()
    page.get_by_role("link", name="Open the report: totals and all rows").click()
    expect(page.get_by_test_id("verdict")).to_contain_text("4 do not match. 96 match, of 99 rows of Bank statement")
    expect(page.get_by_test_id("total-EUR")).to_contain_text("The totals differ by")
    expect(page.get_by_role("tab", name="Differs 1")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_test_id("outcome")).to_contain_text("-10.00")
    page.get_by_role("button", name="R-2026-11-00023").click()
    expect(page.get_by_role("region", name="Bank statement")).to_contain_text("B-2026-11-")
    assert findings(page) == []
    shot(page, "reconciliation-report")
    page.get_by_role("tab", name="Matched 96").click()
    expect(page.get_by_test_id("outcome")).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_test_id("outcome")).to_have_count(96)
    page.get_by_label("Search these rows").fill("11-00091, ")
    expect(page.get_by_test_id("outcome")).to_have_count(1)
    expect(page.get_by_test_id("outcome")).to_contain_text("R-2026-11-00090, R-2026-11-00091, R-2026-11-00092")
    shot(page, "reconciliation-matched")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "Reconciliation 2026-11.csv"
    assert "R-2026-11-00023" in download.value.path().read_text(encoding="utf-8-sig")
    report = page.url.split("?")[0]

    phone = signed_in(report, dark=True, viewport=PHONE)
    expect(phone.get_by_test_id("outcome")).to_be_visible()
    fits(phone)
    assert findings(phone) == []
    shot(phone, "reconciliation-report-phone-dark")
    dark = signed_in(report, dark=True)
    expect(dark.get_by_test_id("outcome")).to_be_visible()
    assert findings(dark) == []
    shot(dark, "reconciliation-report-dark")

    decided = {
        f"{payer_of(23)} paid": "Book it as paid",
        f"{payer_of(59)} paid": "Leave it",
        "Nobody we know paid": "Keep the money for the payer",
    }
    tasks = api.call("GET", f"W/inbox?who=anybody&around={run.rsplit('/', 1)[1].split('?')[0]}")["items"]
    assert len(tasks) == 3
    page.goto("/inbox?who=anybody")
    for task in tasks:
        [what] = [what for title, what in decided.items() if task["title"].startswith(title)]
        question = pick(page, task["id"])
        expect(question.get_by_text("Line of the statement")).to_be_visible()
        question.get_by_label("What shall we do?").select_option(what)
        shot(page, f"reconciliation-{what.split()[0].lower()}")
        answer(question, "out")
        expect(page.get_by_test_id(f"task-{task['id']}")).to_have_count(0)
    page.get_by_role("navigation").get_by_role("link", name="Runs").click()
    page.goto(run)
    expect(page.locator('[data-testid="run-facts"][data-status="completed"]')).to_be_visible(timeout=120_000)
    booked = httpx2.get(product.url + "/receipts", headers={"Host": "practice-company"}, timeout=30).json()
    assert booked["total"] == 98
    shot(page, "reconciliation-done")
