"""The example *Month-end statements* as a clerk meets it: started, watched, added up and proven."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from builder.practice.example import MONTH_END
from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import Opens
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
#: A product of its own: here the example has to be as the first start published it.
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}


def test_a_clerk_closes_the_month_for_sixty_students_and_proves_that_none_is_missing(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    page = signed_in("/workflows")
    row = page.get_by_role("row").filter(has_text=MONTH_END.name)
    expect(row).to_contain_text("Asks for Month, Students")
    shot(page, "month-end-list")
    row.get_by_role("link", name=MONTH_END.name).click()
    page.get_by_test_id("run-button").click()
    # The canvas, whose steps say "Students" as well, is there until the form is.
    expect(page.get_by_test_id("start-run")).to_be_visible()
    expect(page.get_by_label("Students")).to_have_value("200")
    page.get_by_label("Students").fill("60")
    assert findings(page) == []
    shot(page, "month-end-form")
    page.get_by_test_id("start-run").click()

    page.wait_for_url("**/runs/*")
    page.locator('[data-step="each"]').get_by_role("button").first.click()
    page.get_by_role("tab", name=re.compile("^Items")).click()
    shot(page, "month-end-run")
    page.get_by_role("link", name=re.compile("^Open as a batch")).click()
    expect(page.get_by_role("heading", level=1, name="For each student")).to_be_visible()
    expect(page.get_by_text("60 of 60").first).to_be_visible(timeout=90_000)
    shot(page, "month-end-batch")
    page.get_by_role("tab", name="Control totals").click()
    expect(page.get_by_test_id("total-EUR")).to_contain_text("Adds up")
    expect(page.get_by_text("60 were expected, and 60 came.")).to_be_visible()
    shot(page, "month-end-totals")
    page.get_by_role("tab", name="Files and proof").click()
    page.get_by_role("button", name="Verify checksums").click()
    check = page.get_by_test_id("check").first
    expect(check).to_contain_text("60 of 60 match")
    expect(check).to_contain_text("signature is genuine")
    assert findings(page) == []
    shot(page, "month-end-proof")

    phone = signed_in(page.url, dark=True, viewport=PHONE)
    expect(phone.get_by_test_id("check").first).to_contain_text("60 of 60 match")
    fits(phone)
    assert findings(phone) == []
    shot(phone, "month-end-proof-phone-dark")


def test_a_copy_of_the_example_has_its_steps_where_they_can_be_read(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/workflows")
    page.get_by_role("button", name="New workflow").first.click()
    dialog = page.get_by_role("dialog", name="New workflow")
    dialog.get_by_label("Name").fill("Our month-end")
    dialog.get_by_role("radio", name="A copy of the example “Month-end statements”").check()
    shot(page, "month-end-new")
    dialog.get_by_role("button", name="Create workflow").click()
    expect(page.get_by_role("group", name="For each student, 2 steps inside")).to_be_visible()
    expect(page.locator('[data-step="post"]')).to_be_visible()
    shot(page, "month-end-canvas")
