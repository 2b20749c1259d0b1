"""The second step of a sign-in: set up with an app, asked for, lost, and taken off by an admin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.members import WORDS, joined, menu_of
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.factories import totp
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
CODE = re.compile(r"^[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){2}$")


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def nina(size: str, product: Product, api: Api) -> Iterator[Api]:
    """A reviewer; another one for each size of the window."""
    person = joined(product, api, f"Nina{size} Berg", "reviewer")
    yield person
    person.close()


def at_profile(new_page: Opens, person: Api, size: str) -> Page:
    page = new_page(viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    sign_in(page, person)
    page.goto("/settings/profile")
    return page


def fill_code(page: Page, code: str) -> None:
    page.get_by_label("Code of your authenticator app").fill(code)


def set_up(page: Page, size: str, shot: Shot) -> tuple[str, list[str]]:
    """Set it up as a person does, also with a mistake on the way; the key and the recovery codes."""
    page.get_by_role("button", name="Set up…").click()
    dialog = page.get_by_role("dialog", name="Set up the second step")
    expect(dialog.get_by_role("img", name="The key as a QR code")).to_be_visible()
    expect(page.get_by_label("Code of your authenticator app")).to_be_focused()
    key = dialog.locator("code").inner_text()
    readable(page, size, "factor-set-up", shot)
    fill_code(page, totp(key, datetime.now(UTC)))
    dialog.get_by_label("Your password").fill("not my password")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("This is not your present password.")
    dialog.get_by_label("Your password").fill(WORDS)
    fill_code(page, totp(key, datetime.now(UTC)))
    page.keyboard.press("Enter")
    kept = page.get_by_role("dialog", name="Keep these recovery codes")
    expect(kept.get_by_role("listitem")).to_have_count(10)
    codes = kept.get_by_role("listitem").all_inner_texts()
    assert all(CODE.match(code) for code in codes), codes
    readable(page, size, "factor-codes", shot)
    page.keyboard.press("Escape")
    expect(kept).to_be_visible()
    with page.expect_download() as saved:
        kept.get_by_role("button", name="Download as text").click()
    assert saved.value.path().read_text().split() == codes
    kept.get_by_role("button", name="I have kept them").click()
    expect(kept).to_have_count(0)
    expect(page.get_by_text(re.compile(r"^On since .* 10 recovery codes are left\."))).to_be_visible()
    return key, codes


def test_a_person_sets_it_up_and_signs_in_with_it(
    size: str, nina: Api, api: Api, new_page: Opens, signed_in: Opens, shot: Shot
) -> None:
    page = at_profile(new_page, nina, size)
    key, codes = set_up(page, size, shot)
    email = page.get_by_label("E-mail").input_value()

    # A new browser: password, then the code; a wrong one says so, and its field is empty again.
    other = new_page(viewport=SIZES[size])
    other.emulate_media(color_scheme=THEMES[size][0])
    other.goto("/sign-in")
    other.get_by_label("E-mail").fill(email)
    other.get_by_label("Password", exact=True).fill(WORDS)
    other.get_by_role("button", name="Sign in").click()
    field = other.get_by_label("Code of your authenticator app")
    expect(field).to_be_focused()
    readable(other, size, "factor-sign-in", shot)
    field.fill("no such code")
    other.keyboard.press("Enter")
    expect(other.get_by_text("This code is wrong, or was used already.")).to_be_visible()
    expect(field).to_have_value("")
    field.fill(totp(key, datetime.now(UTC) + timedelta(seconds=30)))
    other.keyboard.press("Enter")
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    expect(other).not_to_have_url(re.compile("sign-in"))

    # The session ends over an open page: a recovery code goes on in place.
    other.goto("/settings/profile")
    expect(other.get_by_text(re.compile("^On since"))).to_be_visible()
    other.context.clear_cookies()
    other.get_by_label("Your name").fill("Nina the Reviewer")
    other.keyboard.press("Enter")
    again = other.get_by_role("dialog", name="You were signed out")
    again.get_by_label("Password", exact=True).fill(WORDS)
    other.keyboard.press("Enter")
    expect(again.get_by_label("Code of your authenticator app")).to_be_focused()
    readable(other, size, "factor-signed-out", shot)
    again.get_by_label("Code of your authenticator app").fill(codes[0])
    other.keyboard.press("Enter")
    expect(again).to_have_count(0)
    expect(other.get_by_label("Your name")).to_have_value("Nina the Reviewer")

    # Lost: the admin sees who has it, and takes it off.
    admin = signed_in("/settings/members", viewport=SIZES[size])
    admin.emulate_media(color_scheme=THEMES[size][0])
    name = f"Nina{size} Berg"
    row = admin.get_by_role("row", name=re.compile(name))
    expect(row.get_by_text("Two steps")).to_be_visible()
    menu_of(admin, name, "Take off the second step…")
    asked = admin.get_by_role("dialog", name=f"Take the second step off {name}’s sign-in?")
    expect(asked).to_be_visible()
    readable(admin, size, "factor-take-off", shot)
    asked.get_by_role("button", name="Take it off").click()
    expect(admin.get_by_text(f"{name} signs in with the password alone now")).to_be_visible()
    expect(row.get_by_text("Two steps")).to_have_count(0)
    last = new_page(viewport=SIZES[size])
    last.goto("/sign-in")
    last.get_by_label("E-mail").fill(email)
    last.get_by_label("Password", exact=True).fill(WORDS)
    last.get_by_role("button", name="Sign in").click()
    expect(last).not_to_have_url(re.compile("sign-in"))


def test_it_is_turned_off_and_its_recovery_codes_are_made_anew(
    product: Product, api: Api, new_page: Opens, shot: Shot
) -> None:
    person = joined(product, api, "Olga Berg", "viewer")
    page = at_profile(new_page, person, "desk")
    _, codes = set_up(page, "desk", shot)
    page.get_by_role("button", name="New recovery codes…").click()
    dialog = page.get_by_role("dialog", name="New recovery codes")
    dialog.get_by_label("Your password").fill(WORDS)
    fill_code(page, codes[0])
    readable(page, "desk", "factor-new-codes", shot)
    dialog.get_by_role("button", name="Make new codes").click()
    kept = page.get_by_role("dialog", name="Keep these recovery codes")
    expect(kept.get_by_role("listitem")).to_have_count(10)
    new = kept.get_by_role("listitem").all_inner_texts()
    assert not set(new) & set(codes)
    kept.get_by_role("button", name="I have kept them").click()
    page.get_by_role("button", name="Turn off…").click()
    off = page.get_by_role("dialog", name="Turn off the second step")
    off.get_by_label("Your password").fill(WORDS)
    fill_code(page, codes[1])
    off.get_by_role("button", name="Turn off").click()
    expect(off).to_contain_text("This code is wrong, or was used already.")
    fill_code(page, new[1])
    off.get_by_role("button", name="Turn off").click()
    expect(off).to_have_count(0)
    expect(page.get_by_text("Off: your password alone lets you in.")).to_be_visible()
    person.close()
