"""Many people are invited out of a pasted list: it is told first what was understood, and then what came of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
COPIED = "async (wanted) => (await navigator.clipboard.readText()) === wanted"


def list_of(size: str) -> str:
    """A list as people have it: a heading, a row of a spreadsheet, addressees of a mail, some known already."""
    return "\n".join(
        [
            "E-mail",
            f"Mia Berg\tmia-{size}@example.com\tFinance",
            f'"Lind, Per" <PER-{size}@example.com>; open-{size}@example.com',
            "",
            f"per-{size}@example.com, ada@",
        ]
    )


def opened(page: Page) -> Locator:
    """The dialog, at the list; by keys alone."""
    page.get_by_role("button", name="Invite somebody").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("E-mail")).to_be_focused()
    dialog.get_by_role("button", name="Paste a list…").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("People")).to_be_focused()
    return dialog


def row(box: Locator, text: str) -> Locator:
    return box.get_by_role("listitem").filter(has_text=text)


@pytest.mark.parametrize("size", SIZES)
def test_a_pasted_list_is_looked_at_and_sent_and_each_link_can_be_copied(
    size: str, signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    me = api.call("GET", "/me")["email"]
    api.call("POST", "W/members", {"email": f"open-{size}@example.com", "role": "viewer"})
    page = signed_in("/settings/members", viewport=SIZES[size])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.emulate_media(color_scheme=THEMES[size][0])
    dialog = opened(page)
    page.keyboard.insert_text(f"{list_of(size)}\n{me}")
    dialog.get_by_label("Role").select_option("reviewer")
    readable(page, size, "invite-list", shot)
    dialog.get_by_role("button", name="Check list").click()
    told = dialog.get_by_text(
        "2 new people · 1 member already · 1 invited already · 1 stands there twice · 2 are no addresses"
    )
    expect(told).to_be_focused()
    expect(dialog).to_contain_text("Who is new will be invited as Reviewer. Nothing has been done yet.")
    understood = dialog.get_by_role("group", name="What was understood")
    expect(understood.get_by_role("listitem")).to_have_count(7)
    expect(row(understood, "Line 1")).to_contain_text("E-mail")
    expect(row(understood, "ada@")).to_contain_text("Line 5")
    expect(row(understood, "ada@")).to_contain_text("No e-mail address")
    expect(row(understood, f"open-{size}")).to_contain_text("Invited already: Viewer")
    expect(row(understood, me)).to_contain_text("Member already: Admin")
    expect(row(understood, f"mia-{size}")).to_contain_text("New")
    readable(page, size, "invite-list-understood", shot)
    dialog.get_by_role("button", name="Change list").click()
    expect(dialog.get_by_label("People")).to_have_value(f"{list_of(size)}\n{me}")
    dialog.get_by_role("button", name="Check list").click()
    expect(told).to_be_focused()
    dialog.get_by_label("Make new links").check()
    expect(dialog.get_by_role("button", name="Invite 3 people")).to_be_visible()
    dialog.get_by_label("Make new links").uncheck()
    dialog.get_by_role("button", name="Invite 2 people").click()
    report = dialog.get_by_role("group", name="What came of each")
    expect(dialog.get_by_text("2 people invited · 1 was invited already")).to_be_focused()
    expect(row(report, f"open-{size}")).to_contain_text("Invited before, left as it was")
    expect(row(report, f"mia-{size}")).to_contain_text("Invited: Reviewer")
    expect(report.get_by_role("button")).to_have_count(2)
    readable(page, size, "invite-list-report", shot)
    report.get_by_role("button", name=f"Copy link for per-{size}@example.com").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith(f"{product.url}/invitation#token=")
    dialog.get_by_role("button", name="Copy all links").click()
    expect(dialog.get_by_role("button", name="Copied").last).to_be_visible()
    every = page.evaluate("() => navigator.clipboard.readText()").split("\n")
    assert [line.split("\t")[0] for line in every] == [f"mia-{size}@example.com", f"per-{size}@example.com"]
    assert every[1].split("\t")[1] == copied
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text=f"mia-{size}@example.com")).to_contain_text("Invited")
    found = {one["email"]: one["role"] for one in api.call("GET", "W/members?limit=200")["items"]}
    assert (found[f"per-{size}@example.com"], found[f"open-{size}@example.com"]) == ("reviewer", "viewer")
    page.goto(copied.removeprefix(product.url))
    expect(page.get_by_label("Your name")).to_be_visible()


def test_a_list_that_is_none_is_told_so_in_words_and_can_be_changed(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/settings/members")
    dialog = opened(page)
    page.keyboard.insert_text("\n".join(f"p{number}@example.com" for number in range(201)))
    dialog.get_by_role("button", name="Check list").click()
    expect(dialog.get_by_role("alert")).to_contain_text("At most 200 people can be invited at a time; these are 201.")
    shot(page, "invite-list-too-many")
    dialog.get_by_label("People").fill("nobody here")
    dialog.get_by_role("button", name="Check list").click()
    expect(dialog).to_contain_text("Nobody of this list is to be invited.")
    expect(dialog.get_by_role("button", name="Invite 0 people")).to_be_disabled()
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Invite somebody")).to_be_focused()


def test_it_is_told_in_german_too(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/settings/profile", viewport=SIZES["phone"])
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Abwesenheit")).to_be_visible()
    page.goto("/settings/members")
    page.get_by_role("button", name="Jemanden einladen").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("E-Mail")).to_be_focused()
    shot(page, "invite-one-german")
    dialog.get_by_role("button", name="Liste einfügen…").click()
    dialog.get_by_label("Personen").fill("Adresse\njana@example.com")
    dialog.get_by_role("button", name="Liste prüfen").click()
    expect(dialog.get_by_text("1 neue Person · 1 keine Adresse")).to_be_visible()
    shot(page, "invite-list-german")
    dialog.get_by_role("button", name="1 Person einladen").click()
    expect(dialog.get_by_text("1 Person eingeladen · 1 ist keine Adresse")).to_be_visible()
    expect(dialog).to_contain_text("Die Links werden nur jetzt gezeigt.")
    dialog.get_by_role("button", name="Fertig").click()
    page.goto("/settings/profile")
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_role("heading", name="Out of office")).to_be_visible()
