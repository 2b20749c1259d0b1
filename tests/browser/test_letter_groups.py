"""What people say about dead letters that failed alike: a note, a ticket, a mute; what is suggested; and the file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_dead_letters import fail, group, leave_none
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
TICKET = "https://tickets.example.org/browse/ERP-4711"


def cause_of(api: Api, workflow: str) -> str:
    (one,) = [one for one in api.call("GET", "W/dead-letters")["items"] if one["workflow"]["name"] == workflow]
    found: str = one["cause"]
    return found


def choose(page: Page, mine: Locator, name: str) -> None:
    mine.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name=name).click()


def shut(page: Page) -> None:
    """Close the menu that is open: it hears keys once it has the focus."""
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)


def opened_note(page: Page, mine: Locator) -> Locator:
    choose(page, mine, "Note and ticket…")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Note", exact=True)).to_be_focused()
    return dialog


def test_a_note_stands_on_the_group_at_once_and_what_is_not_taken_is_not_typed_twice(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Known to the team", "/invoicez", ["SO-8101", "SO-8102"])
    page = signed_in("/dead-letters")
    mine = group(page, "Known to the team")
    dialog = opened_note(page, mine)
    dialog.get_by_label("Note", exact=True).fill("The ERP team knows.\nBack on Monday.")
    dialog.get_by_label("Ticket").fill("tickets.example.org/4711")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Ticket")).to_be_focused()
    expect(dialog.get_by_text("The address of a ticket begins with https:// and has no spaces.")).to_be_visible()
    dialog.get_by_label("Ticket").fill(TICKET)

    def lost(route: Route) -> None:
        # It stands there before the server has said anything.
        expect(mine).to_contain_text("Back on Monday.")
        route.abort()

    pattern = re.compile(r"/dead-letters/\w+/note$")
    page.route(pattern, lost)
    dialog.get_by_role("button", name="Save").click()
    again = page.get_by_role("dialog")
    expect(again).to_contain_text("The note could not be saved. What you typed is here still.")
    expect(again.get_by_label("Note", exact=True)).to_have_value("The ERP team knows.\nBack on Monday.")
    expect(again.get_by_label("Ticket")).to_have_value(TICKET)
    expect(mine).not_to_contain_text("Back on Monday.")
    shot(page, "letter-groups-note-lost")
    page.unroute(pattern)
    with page.expect_response(pattern) as told:
        again.get_by_role("button", name="Save").click()
    assert told.value.status == 200
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(mine).to_contain_text("Back on Monday.")
    ticket = mine.get_by_role("link", name=re.compile("^tickets.example.org · ERP-4711"))
    expect(ticket).to_have_attribute("href", TICKET)
    expect(ticket).to_have_attribute("rel", "noopener noreferrer")
    page.reload()
    expect(mine).to_contain_text("Back on Monday.")


def test_whoever_was_slower_sees_what_the_other_one_wrote_beside_their_own(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Written by two", "/invoicez", ["SO-8111"])
    page = signed_in("/dead-letters")
    mine = group(page, "Written by two")
    dialog = opened_note(page, mine)
    dialog.get_by_label("Note", exact=True).fill("Mine.")
    theirs = {"note": "Theirs: ask the bank.", "ticket": "", "revision": 0}
    api.call("PUT", f"W/dead-letters/{cause_of(api, 'Written by two')}/note", theirs)
    dialog.get_by_role("button", name="Save").click()
    again = page.get_by_role("dialog")
    expect(again.get_by_role("alert")).to_contain_text("was quicker. Now it says:")
    expect(again).to_contain_text("Theirs: ask the bank.")
    expect(again.get_by_label("Note", exact=True)).to_have_value("Mine.")
    shot(page, "letter-groups-note-beaten")
    again.get_by_role("button", name="Save mine instead").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(mine).to_contain_text("Mine.")
    page.reload()
    expect(mine).to_contain_text("Mine.")
    expect(mine).not_to_contain_text("Theirs")


def test_a_muted_group_is_in_the_list_as_ever_and_says_so(signed_in: Opens, api: Api, product: Product) -> None:
    leave_none(api)
    fail(api, product, "Noisy", "/invoicez", ["SO-8121", "SO-8122"])
    page = signed_in("/dead-letters")
    mine = group(page, "Noisy")
    choose(page, mine, "Mute for 7 days")
    expect(mine).to_contain_text(re.compile(r"Muted until .+ by .+\. Alerts do not count these\."))
    expect(mine).to_contain_text("2 runs")
    expect(page.get_by_role("link", name="Dead letters, 2 wait")).to_be_visible()
    choose(page, mine, "Mute until somebody unmutes")
    expect(mine).to_contain_text(re.compile(r"Muted by .+ until somebody unmutes\."))
    page.reload()
    mine.get_by_role("button", name="Unmute").click()
    expect(mine).not_to_contain_text("Muted")
    page.reload()
    expect(mine).to_contain_text("2 runs")
    expect(mine).not_to_contain_text("Muted")


def test_a_group_a_choice_or_all_that_is_shown_is_taken_along_as_a_file(
    signed_in: Opens, api: Api, product: Product
) -> None:
    leave_none(api)
    runs = fail(api, product, "Taken along", "/invoicez", ["SO-8131", "SO-8132", "SO-8133"])
    others = fail(api, product, "Left here", "/with/fail=422/invoices", ["SO-8141"])
    page = signed_in("/dead-letters")
    mine = group(page, "Taken along")

    def taken(name: str, opener: Locator) -> Path:
        opener.click()
        with page.expect_download() as coming:
            page.get_by_role("menuitem", name=name, exact=True).click()
        # One that fades still has lines that are called the same.
        expect(page.get_by_role("menu")).to_have_count(0)
        return Path(coming.value.path())

    more = mine.get_by_role("button", name="More actions")
    text = taken("CSV", more).read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    assert [row["Run"] for row in rows] == runs[::-1]
    assert [row["Business key"] for row in rows] == ["SO-8133", "SO-8132", "SO-8131"]
    assert json.loads(rows[0]["Given to the step"])["json_body"]["order"] == "SO-8133"

    mine.get_by_role("button", expanded=False).first.click()
    mine.get_by_role("checkbox", name="Choose SO-8132").check()
    more.click()
    expect(page.get_by_role("menu")).to_contain_text("Export what is chosen")
    shut(page)
    found = json.loads(taken("JSON", more).read_bytes())
    assert [one["run"] for one in found["items"]] == [runs[1]]

    everything = page.get_by_role("button", name="Export", exact=True)
    found = json.loads(taken("JSON", everything).read_bytes())
    assert [one["run"] for one in found["items"]] == [*others, *runs[::-1]]
    page.get_by_label("Workflow", exact=True).select_option(label="Left here")
    expect(group(page, "Taken along")).to_have_count(0)
    found = json.loads(taken("JSON", everything).read_bytes())
    assert [one["run"] for one in found["items"]] == others


def test_what_usually_helps_is_said_with_the_button_that_it_names(signed_in: Opens, api: Api, product: Product) -> None:
    leave_none(api)
    fail(api, product, "Too much at once", "/with/fail=429/invoices", ["SO-8151", "SO-8152"])
    fail(api, product, "Said no", "/invoicez", ["SO-8161"])
    page = signed_in("/dead-letters")
    busy = group(page, "Too much at once")
    expect(busy).to_contain_text("The other system had too much at once.")
    busy.get_by_role("button", name="Retry slowly…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="10 a minute")).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Try 1 first")).to_be_checked()
    dialog.get_by_role("button", name="Cancel").click()
    refused = group(page, "Said no")
    expect(refused).to_contain_text("The other side has said no for good")
    refused.get_by_role("button", name="Put right elsewhere…").click()
    expect(page.get_by_role("dialog", name="Put right outside of Millrace")).to_be_visible()


def test_whoever_may_only_look_reads_what_was_said_and_may_take_it_along(
    signed_in: Opens, as_viewer: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Looked at", "/invoicez", ["SO-8171"])
    path = f"W/dead-letters/{cause_of(api, 'Looked at')}"
    api.call("PUT", f"{path}/note", {"note": "The ERP team knows.", "ticket": TICKET, "revision": 0})
    api.call("POST", f"{path}/mute", {"days": None})
    page = as_viewer("/dead-letters")
    mine = group(page, "Looked at")
    expect(mine).to_contain_text("The ERP team knows.")
    expect(mine).to_contain_text(re.compile(r"Muted by .+ until somebody unmutes\."))
    expect(mine).to_contain_text("The other side has said no for good")
    expect(mine.get_by_role("button", name=re.compile("Retry|Unmute|Change|Put right"))).to_have_count(0)
    mine.get_by_role("button", name="More actions").click()
    expect(page.get_by_role("menuitem")).to_have_text(
        ["CSV", "CSV with semicolons and decimal commas", "JSON", "History…"]
    )
    shot(page, "letter-groups-viewer")


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    name = f"Supplier invoices {size}"
    fail(api, product, name, "/with/fail=429/invoices", [f"SO-82{number}" for number in range(3)])
    fail(api, product, f"Order to cash {size}", "/invoicez", ["SO-8301"])
    cause = cause_of(api, name)
    note = {"note": "The ERP team knows.\nBack on Monday, says Ines.", "ticket": TICKET, "revision": 0}
    api.call("PUT", f"W/dead-letters/{cause}/note", note)
    api.call("POST", f"W/dead-letters/{cause}/mute", {"days": 7})
    page = signed_in("/dead-letters", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    mine = group(page, name)
    expect(mine).to_contain_text("Back on Monday")
    readable(page, size, "letter-groups", shot)
    mine.get_by_role("button", name="More actions").click()
    expect(page.get_by_role("menuitem", name="Mute until somebody unmutes")).to_be_visible()
    shot(page, f"letter-groups-menu-{size}")
    shut(page)
    opened_note(page, mine)
    readable(page, size, "letter-groups-note", shot)
