"""A run that was opened from a narrowed list has that list's runs as its neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.test_looking_back import orders
from tests.browser.test_retrying import fire
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
WIDE = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def listed(api: Api, product: Product) -> list[str]:
    """Failed runs of two workflows, with one between that is of no interest."""
    first = api.publish("Orders here", orders("/with/fail=422/payments"))
    other = api.publish("Orders there", orders("/with/fail=422/payments"))
    kept = [fire(api, product, live, f"PO-{number}", total=500) for number, live in enumerate((first, other, first))]
    for run in kept:
        api.call("POST", f"W/runs/{run}/tags", {"add": ["quarter-end"]})
    fire(api, product, first, "PO-9", total=500)
    return kept


def test_the_neighbours_of_a_run_are_those_of_the_list_it_was_opened_from(
    signed_in: Opens, listed: list[str], shot: Callable[[Page, str], None]
) -> None:
    page = signed_in("/runs?q=tag:quarter-end", viewport=WIDE)
    rows = page.locator("tbody").get_by_role("row")
    expect(rows).to_have_count(3)
    rows.nth(0).get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"/runs/{listed[2]}.*list="))
    rail = page.get_by_role("complementary", name="Runs of this workflow")
    page.get_by_role("button", name="Show the other runs").click()
    expect(rail.get_by_text("As the list: tag:quarter-end")).to_be_visible()
    expect(rail.locator("a[aria-current]")).to_have_count(1)
    expect(rail.get_by_role("button", name="Previous run (K)")).to_have_attribute("aria-disabled", "true")
    assert findings(page) == []
    shot(page, "rail-carried")
    rail.get_by_role("button", name="Next run (J)").click()
    expect(page).to_have_url(re.compile(f"/runs/{listed[1]}.*list="))
    expect(page.get_by_role("link", name="Orders there").first).to_be_visible()
    expect(rail.locator(f"a[aria-current][href*='{listed[1]}']")).to_be_visible()
    rail.get_by_role("button", name="Next run (J)").click()
    expect(page).to_have_url(re.compile(f"/runs/{listed[0]}.*list="))
    expect(rail.get_by_role("button", name="Next run (J)")).to_have_attribute("aria-disabled", "true")
    rail.get_by_role("button", name="Show all runs of this workflow").click()
    expect(page).not_to_have_url(re.compile("list="))
    expect(rail.get_by_role("link", name="See all")).to_be_visible()


def test_from_a_list_of_everything_nothing_is_carried(signed_in: Opens, listed: list[str]) -> None:
    page = signed_in("/runs?view=all", viewport=WIDE)
    page.get_by_test_id(f"run-{listed[0]}").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(rf"/runs/{listed[0]}$"))
