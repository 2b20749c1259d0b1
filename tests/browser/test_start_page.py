"""Where a person begins: after signing in, and by the logo."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.members import WORDS, joined, member_of
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def logo(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Millrace").click()


def home(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Home", exact=True).click()


def test_who_chose_the_inbox_begins_there_and_still_finds_home(
    new_page: Callable[..., Page], api: Api, product: Product
) -> None:
    joined(product, api, "Begonia Early", "reviewer").close()
    page = new_page()
    page.goto("/")
    page.get_by_label("E-mail").fill("begonia@example.com")
    page.get_by_label("Password", exact=True).fill(WORDS)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()

    page.goto("/settings/profile")
    choice = page.get_by_label("Start page")
    expect(choice).to_have_value("home")
    assert choice.locator("option").all_inner_texts() == ["Home", "Inbox", "Runs", "Workflows"]
    with page.expect_response("**/api/v1/me"):
        choice.select_option("inbox")
    expect(page.get_by_role("link", name="Millrace")).to_have_attribute("href", "/inbox")
    logo(page)
    expect(page).to_have_url(re.compile("/inbox"))
    home(page)
    expect(page).to_have_url(re.compile("/home$"))
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
    page.reload()
    expect(page).to_have_url(re.compile("/home$"))
    expect(page.get_by_role("link", name="Home", exact=True)).to_have_attribute("aria-current", "page")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()

    # Signed in anew, in whatever browser.
    page.context.clear_cookies()
    page.goto("/")
    page.get_by_label("E-mail").fill("begonia@example.com")
    page.get_by_label("Password", exact=True).fill(WORDS)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/inbox"))
    page.go_back()
    expect(page).not_to_have_url(re.compile("/$"))


def test_who_may_not_see_the_monitor_any_more_begins_at_home(
    new_page: Callable[..., Page], api: Api, product: Product
) -> None:
    person = joined(product, api, "Monika Figures", "admin")
    assert person.call("PATCH", "/me", {"start_page": "monitor"})["start_page"] == "monitor"
    page = new_page()
    sign_in(page, person)
    page.goto("/")
    expect(page).to_have_url(re.compile("/monitor"))
    api.call("PATCH", f"W/members/{member_of(api, 'Monika Figures')}", {"role": "builder"})
    page.goto("/")
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
    expect(page.get_by_role("link", name="Millrace")).to_have_attribute("href", "/")
    page.goto("/home")
    expect(page.get_by_role("link", name="Home", exact=True)).to_have_attribute("aria-current", "page")
    page.goto("/settings/profile")
    expect(page.get_by_label("Start page")).to_have_value("home")
    person.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_choice_of_the_start_page_is_readable(
    signed_in: Callable[..., Page], shot: Callable[[Page, str], None], size: str
) -> None:
    page = signed_in("/settings/profile", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    page.get_by_label("Start page").scroll_into_view_if_needed()
    expect(page.get_by_label("Start page").locator("option", has_text="Monitor")).to_have_count(1)
    readable(page, size, "start-page", shot)
