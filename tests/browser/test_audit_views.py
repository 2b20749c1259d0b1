"""Saved searches of the audit log: saved, shared, renamed, opened first, taken away; and a decision of a stand-in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import sign_in
from tests.browser.members import joined, member_of
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_people import asking, runs
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def ada(product: Product, api: Api) -> Iterator[Api]:
    """Another admin."""
    person = joined(product, api, "Ada Novak", "admin")
    yield person
    person.close()


@pytest.fixture(autouse=True)
def _nothing_is_saved(api: Api, ada: Api) -> Iterator[None]:
    yield
    for person in (api, ada):
        for one in person.call("GET", "W/audit/views")["items"]:
            person.call("DELETE", f"W/audit/views/{one['id']}")


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Audit log").locator("tr[data-verb]")


def views(page: Page) -> Locator:
    return page.get_by_role("group", name="Saved searches")


def from_menu(page: Page, view: str, item: str) -> None:
    page.get_by_role("button", name=f"More for “{view}”").click()
    page.get_by_role("menuitem", name=item).click()


@pytest.mark.parametrize("size", SIZES)
def test_a_search_is_saved_shared_and_found_by_its_address(
    size: str, signed_in: Opens, new_page: Opens, api: Api, ada: Api, shot: Shot
) -> None:
    page = signed_in("/settings/audit", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(views(page).get_by_role("button", name="Everything")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("To what", exact=True).select_option(label="Member")
    page.get_by_label("When", exact=True).select_option(label="Last 7 days")
    expect(page).to_have_url(re.compile(r"kind=member.*since=7d"))
    page.get_by_role("button", name="Save this search").click()
    dialog = page.get_by_role("dialog", name="Save this search")
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Who came")
    dialog.get_by_role("checkbox", name=re.compile("Offer it to everybody here")).check()
    shot(page, f"audit-view-save-{size}")
    dialog.get_by_role("button", name="Save", exact=True).click()
    mine = views(page).get_by_role("button", name=re.compile("^Who came"))
    expect(mine).to_have_attribute("aria-pressed", "true")
    readable(page, size, "audit-views", shot)
    views(page).get_by_role("button", name="Everything").click()
    expect(page).to_have_url(re.compile("/settings/audit$"))
    mine.click()
    expect(page).to_have_url(re.compile(r"/settings/audit\?view=[0-9a-f-]+$"))
    expect(page.get_by_label("To what", exact=True)).to_have_value("member")
    expect(rows(page).filter(has_text="Ada Novak").first).to_be_visible()
    # The address is enough for another admin.
    hers = new_page()
    sign_in(hers, ada)
    hers.goto(page.url)
    expect(hers.get_by_label("When", exact=True)).to_have_value("7d")
    expect(rows(hers).first).to_be_visible()
    assert {row.get_attribute("data-verb") for row in rows(hers).all()} <= {"member.invited", "member.joined"}


def test_a_search_is_renamed_opened_first_and_taken_away(signed_in: Opens, api: Api, ada: Api, shot: Shot) -> None:
    api.call("POST", "W/audit/views", {"name": "Comings", "search": {"verb": ["member.joined"]}})
    page = signed_in("/settings/audit")
    views(page).get_by_role("button", name="Comings").click()
    from_menu(page, "Comings", "Rename…")
    dialog = page.get_by_role("dialog", name="Rename “Comings”")
    dialog.get_by_label("Name").fill("Joined")
    dialog.get_by_role("button", name="Save").click()
    chip = views(page).get_by_role("button", name=re.compile("^Joined"))
    expect(chip).to_be_visible()
    from_menu(page, "Joined", "Open the list with this")
    expect(chip).to_have_accessible_name("Joined opened first")
    page.goto("/settings/audit")
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("What", exact=True)).to_have_value("member.joined")
    shot(page, "audit-view-first")
    assert findings(page) == []
    # Everything has an address of its own then, and so has what is changed of it.
    views(page).get_by_role("button", name="Everything").click()
    expect(page).to_have_url(re.compile(r"view=all$"))
    expect(page.get_by_label("What", exact=True)).to_have_value("")
    page.reload()
    expect(views(page).get_by_role("button", name="Everything")).to_have_attribute("aria-pressed", "true")
    chip.click()
    from_menu(page, "Joined", "Take it away")
    expect(chip).to_have_count(0)
    expect(page).to_have_url(re.compile("/settings/audit(\\?view=all)?$"))
    page.get_by_role("button", name="Undo").click()
    expect(chip).to_be_visible()


def test_an_address_of_what_is_not_here_any_more_says_so(signed_in: Opens) -> None:
    page = signed_in("/settings/audit?view=01890a5d-ac96-774b-bcce-b302099a8057")
    expect(page.get_by_text("This saved search is not here any more")).to_be_visible()
    expect(rows(page).first).to_be_visible()


def test_only_what_was_done_to_one_thing_is_shown(signed_in: Opens, api: Api) -> None:
    flow = api.call("POST", "W/workflows", {"name": "Rent"})["id"]
    api.call("PATCH", f"W/workflows/{flow}", {"name": "Rent and heating"})
    api.call("POST", "W/workflows", {"name": "Another"})
    page = signed_in("/settings/audit?kind=workflow")
    row = rows(page).filter(has_text="Renamed")
    row.get_by_role("button", name=re.compile("^Show details")).click()
    page.get_by_role("button", name="Show only what was done to this").click()
    expect(page).to_have_url(re.compile(f"object={flow}"))
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name=re.compile("^Only Rent")).click()
    expect(rows(page).filter(has_text="Another")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_who_decided_for_whom_stands_in_the_log(
    size: str, signed_in: Opens, product: Product, api: Api, shot: Shot
) -> None:
    ben = joined(product, api, f"Ben{size} Okafor", "reviewer")
    me = api.call("GET", "/me")
    first = (date.today() - timedelta(days=1)).isoformat()
    stand_in = member_of(api, f"Ben{size} Okafor")
    api.call("POST", "W/absences/mine", {"first_day": first, "stand_in": stand_in})
    [task] = runs(api, f"Rent {size}", asking(people=me["email"]), {"number": f"RENT-{size}"})
    ben.call("POST", f"W/inbox/{task}/decide", {"outcome": "approved"})
    api.call("DELETE", "W/absences/mine")
    page = signed_in(f"/settings/audit?kind=task&q=RENT-{size}", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    row = rows(page).filter(has_text="Decided")
    expect(row).to_contain_text(f"Ben{size} Okafor for {me['name']}")
    row.get_by_role("button", name=re.compile("^Show details")).click()
    expect(page.locator("tr[data-open] + tr")).to_contain_text("In place of")
    readable(page, size, "audit-stand-in", shot)
    ben.close()
