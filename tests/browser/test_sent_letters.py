"""Dead letters that are sent to somebody's inbox: sent, told, looked at, done with, sent on, and taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.members import joined, member_of
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_dead_letters import fail, group, leave_none
from tests.browser.test_letter_groups import cause_of, choose
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    person = joined(product, api, "Ines Lange", "reviewer")
    omar = joined(product, api, "Omar Haddad", "reviewer")
    api.call("POST", "W/groups", {"name": "Finance", "members": [member_of(api, "Ines Lange")]})
    yield person
    omar.close()
    person.close()


@pytest.fixture
def hers(ines: Api, new_page: Callable[..., Page]) -> Opens:
    """Opens a page with the session of Ines."""

    def open_(path: str, *, viewport: dict[str, int] | None = None) -> Page:
        page = new_page(viewport=viewport)
        sign_in(page, ines)
        page.goto(path)
        return page

    return open_


def opened(page: Page, mine: Locator) -> Locator:
    choose(page, mine, "Send to inbox of…")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("To the inbox of")).to_be_focused()
    return dialog


def send(api: Api, cause: str, to: str, note: str = "") -> str:
    body = {"cause": cause, "to": to, "note": note}
    found: str = api.call("POST", "W/dead-letters/send", body)["id"]
    return found


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Failed runs that were sent here").get_by_role("link")


def test_a_group_goes_to_somebody_who_finds_exactly_these_and_says_done(
    signed_in: Opens, hers: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Post invoice", "/invoicez", ["SO-9001", "SO-9002", "SO-9003"])
    fail(api, product, "Not hers", "/invoicez", ["SO-9011"])
    page = signed_in("/dead-letters")
    mine = group(page, "Post invoice")
    dialog = opened(page, mine)
    dialog.get_by_role("button", name="Send 3").click()
    expect(dialog.get_by_text("Choose to whom they go.")).to_be_visible()
    expect(dialog.get_by_label("To the inbox of")).to_be_focused()
    dialog.get_by_label("To the inbox of").select_option("Ines Lange")
    expect(dialog).to_contain_text("Ines Lange gets one row in the inbox with these 3 runs")
    dialog.get_by_label("Note").fill("The period is closed: open it first.")
    shot(page, "sent-letters-dialog")
    dialog.get_by_role("button", name="Send 3").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("3 failed runs are with Ines Lange now.")).to_be_visible()
    expect(mine).to_contain_text(re.compile(r"With Ines Lange since \d+:\d\d"))
    expect(group(page, "Not hers")).not_to_contain_text("With ")
    shot(page, "sent-letters-with")

    inbox = hers("/inbox")
    expect(inbox.get_by_role("link", name=re.compile("^Inbox, 1 .*1 unread"))).to_be_visible()
    row = rows(inbox)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("3 failed runs: Create invoice")
    expect(row).to_contain_text("The period is closed: open it first.")
    expect(row).to_contain_text("3 of 3 still open")
    expect(row).to_contain_text("Unread")
    shot(inbox, "sent-letters-inbox")
    row.click()
    banner = inbox.get_by_role("region", name="Sent to an inbox")
    expect(banner).to_contain_text(re.compile(r"sent these to you \(.+\)\."))
    expect(banner).to_contain_text("The period is closed: open it first.")
    expect(group(inbox, "Post invoice")).to_contain_text("3 runs")
    expect(group(inbox, "Not hers")).to_have_count(0)
    expect(inbox.get_by_role("link", name=re.compile("^Inbox, 1 .*unread"))).to_have_count(0)
    shot(inbox, "sent-letters-narrowed")
    banner.get_by_role("button", name="Done").click()
    expect(banner).to_contain_text("Done, said Ines Lange (")
    expect(inbox.get_by_text("None of these waits for a decision any more.")).to_be_visible()
    inbox.get_by_role("link", name=re.compile("^Inbox")).first.click()
    expect(inbox.get_by_text("Nothing waits.", exact=True)).to_be_visible()
    inbox.get_by_role("radio", name="Closed").click()
    expect(rows(inbox)).to_contain_text("Done")
    page.reload()
    expect(mine).to_contain_text("3 runs")
    expect(mine).not_to_contain_text("With ")


def test_a_choice_is_sent_on_and_the_row_goes_by_itself_when_nothing_is_left(
    signed_in: Opens, hers: Opens, api: Api, product: Product
) -> None:
    leave_none(api)
    runs = fail(api, product, "Chosen ones", "/invoicez", ["SO-9101", "SO-9102", "SO-9103"])
    page = signed_in("/dead-letters")
    mine = group(page, "Chosen ones")
    mine.get_by_role("button", expanded=False).first.click()
    for number in ("SO-9101", "SO-9102"):
        mine.get_by_role("checkbox", name=f"Choose {number}").check()
    dialog = opened(page, mine)
    dialog.get_by_label("To the inbox of").select_option(label="Finance (Group of 1)")
    expect(dialog).to_contain_text("Each person of Finance")
    dialog.get_by_role("button", name="Send 2").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(mine).to_contain_text(re.compile(r"2 of them with Finance since"))
    expect(mine.get_by_test_id(f"letter-{runs[0]}")).to_contain_text("With Finance since")
    expect(mine.get_by_test_id(f"letter-{runs[2]}")).not_to_contain_text("With Finance")

    theirs = hers("/inbox")
    rows(theirs).click()
    theirs.get_by_role("button", name="Send on…").click()
    passing = theirs.get_by_role("dialog")
    expect(passing.get_by_label("To the inbox of")).to_be_focused()
    expect(passing.get_by_role("option", name="Finance (Group of 1)")).to_have_count(0)
    passing.get_by_label("To the inbox of").select_option("Ines Lange")
    passing.get_by_role("button", name="Send 2").click()
    expect(theirs.get_by_role("region", name="Sent to an inbox")).to_contain_text("Sent on by Ines Lange")
    theirs.goto("/inbox")
    expect(rows(theirs)).to_contain_text("2 of 2 still open")
    api.call("POST", "W/dead-letters/solve", {"runs": runs[:1], "reason": "Paid by hand."})
    expect(rows(theirs)).to_contain_text("1 of 2 still open", timeout=30_000)
    api.call("POST", "W/dead-letters/solve", {"runs": runs[:2], "reason": "Paid by hand."})
    expect(rows(theirs)).to_have_count(0, timeout=30_000)


def test_what_was_sent_is_taken_back_and_only_these_are_retried(
    signed_in: Opens, api: Api, product: Product, ines: Api
) -> None:
    leave_none(api)
    runs = fail(api, product, "Taken back", "/with/fail=503*1/invoices", ["SO-9201", "SO-9202", "SO-9203"])
    made = api.call("POST", "W/dead-letters/send", {"runs": runs[:2], "to": "ines@example.com"})["id"]
    page = signed_in(f"/dead-letters?sent={made}")
    mine = group(page, "Taken back")
    expect(mine).to_contain_text("2 runs")
    mine.get_by_role("button", name="Retry…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Retry 2").click()
    expect(dialog.get_by_role("status").filter(has_text=re.compile("2"))).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_text("None of these waits for a decision any more.")).to_be_visible(timeout=30_000)
    left = api.call("GET", f"W/dead-letters/{cause_of(api, 'Taken back')}")["items"]
    assert [one["run"]["id"] for one in left] == runs[2:]

    other = send(api, cause_of(api, "Taken back"), "ines@example.com")
    page.goto(f"/dead-letters?sent={other}")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("region", name="Sent to an inbox")).to_contain_text("Taken back by")
    assert ines.call("GET", "W/inbox/letters")["items"] == []
    page.get_by_role("button", name="Show all dead letters").first.click()
    expect(mine).to_contain_text("1 run")


def test_it_is_said_in_german(hers: Opens, api: Api, product: Product) -> None:
    leave_none(api)
    fail(api, product, "Auf Deutsch", "/invoicez", ["SO-9301"])
    send(api, cause_of(api, "Auf Deutsch"), "ines@example.com", "Bitte ansehen.")
    page = hers("/inbox")
    page.evaluate("localStorage.setItem('millrace.language', 'de')")
    page.reload()
    row = page.get_by_role("list", name="Gescheiterte Läufe, die hierher geschickt wurden").get_by_role("link")
    expect(row).to_contain_text("Ein gescheiterter Lauf: Create invoice")
    expect(row).to_contain_text("1 von 1 noch offen")
    row.click()
    banner = page.get_by_role("region", name="In einen Eingang geschickt")
    expect(banner).to_contain_text("hat sie Ihnen geschickt")
    expect(banner.get_by_role("button")).to_have_text(
        ["Erledigt", "Weiterschicken …", "Alle gescheiterten Läufe zeigen"]
    )


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, hers: Opens, api: Api, product: Product, ines: Api, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    name = f"Supplier invoices {size}"
    fail(api, product, name, "/invoicez", [f"SO-94{number:02}" for number in range(3)])
    note = "The period is closed, says the ERP team.\nOpen it first, then retry all of them."
    made = send(api, cause_of(api, name), "ines@example.com", note)
    page = hers("/inbox", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(rows(page)).to_contain_text("3 of 3 still open")
    readable(page, size, "sent-letters-inbox", shot)
    page.goto(f"/dead-letters?sent={made}")
    expect(group(page, name)).to_contain_text("3 runs")
    expect(page.get_by_role("region", name="Sent to an inbox")).to_contain_text("Open it first")
    readable(page, size, "sent-letters-narrowed", shot)
    page.goto("/dead-letters")
    mine = group(page, name)
    expect(mine).to_contain_text("With you since")
    mine.get_by_role("button", expanded=False).first.click()
    expect(mine.get_by_test_id(re.compile("^letter-")).first).to_contain_text("With you since")
    readable(page, size, "sent-letters-list", shot)
    opened(page, mine)
    readable(page, size, "sent-letters-dialog", shot)
