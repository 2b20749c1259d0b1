"""Runs that failed alike and are given other values in a table: one first, then all that were changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_dead_letters import fail, group, leave_none
from tests.browser.test_retrying import received
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]

PASTE = """(input, text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def opened(page: Page, workflow: str) -> Locator:
    group(page, workflow).get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Change and retry…").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Change and retry"))
    expect(dialog.get_by_role("table")).to_be_visible()
    return dialog


def show(dialog: Locator, *columns: str) -> None:
    """Have these as columns too."""
    page = dialog.page
    dialog.get_by_role("button", name="Columns").click()
    for name in columns:
        page.get_by_role("dialog", name="Columns").get_by_role("checkbox", name=name, exact=True).check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Columns")).to_have_count(0)


def invoices(product: Product, numbers: list[str]) -> dict[str, Any]:
    return {number: [one["customer"] for one in received(product, "/invoices", number)] for number in numbers}


def test_a_column_is_pasted_one_is_tried_first_and_the_others_go_with_the_changes(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    numbers = ["SO-8501", "SO-8502", "SO-8503", "SO-8504"]
    runs = fail(api, product, "Wrong customers", "/invoicez", numbers)
    page = signed_in("/dead-letters")
    dialog = opened(page, "Wrong customers")
    expect(dialog.get_by_role("columnheader", name="customer")).to_be_visible()
    expect(dialog.get_by_role("button", name="Retry with my changes")).to_be_disabled()
    show(dialog, "Address")

    # The newest stands first. One column of a spreadsheet, for all but the last row.
    first = dialog.get_by_label("customer, SO-8504")
    first.focus()
    first.evaluate(PASTE, "C-4\nC-3\nC-2\n")
    expect(dialog.get_by_label("customer, SO-8502")).to_have_value("C-2")
    expect(dialog.get_by_label("customer, SO-8501")).to_have_value("C-200")
    expect(dialog.get_by_text("was C-200")).to_have_count(3)

    address = dialog.get_by_label("Address, SO-8504")
    address.fill("http://practice-company/invoices")
    address.press("Control+d")
    expect(dialog.get_by_label("Address, SO-8501")).to_have_value("http://practice-company/invoices")
    # What was typed in one cell is taken back there, and the table stays.
    last = dialog.get_by_label("Address, SO-8501")
    last.press("Escape")
    expect(last).to_have_value("http://practice-company/invoicez")
    expect(dialog.get_by_role("status")).to_have_text("3 rows changed. 1 without a change stays as it is.")
    dialog.get_by_label("Reason (optional)").fill("The supplier has moved.")
    shot(page, "dead-letter-edits-typed")

    dialog.get_by_role("button", name="Try 1 first").click()
    expect(dialog.get_by_role("status")).to_have_text("The first one worked.")
    assert invoices(product, numbers) == {"SO-8501": [], "SO-8502": [], "SO-8503": [], "SO-8504": ["C-4"]}
    shot(page, "dead-letter-edits-tried")
    dialog.get_by_role("button", name="Retry the other 2").click()
    expect(dialog.get_by_role("status")).to_have_text("All 3 worked.")
    assert invoices(product, numbers) == {"SO-8501": [], "SO-8502": ["C-2"], "SO-8503": ["C-3"], "SO-8504": ["C-4"]}
    dialog.get_by_role("button", name="Close").last.click()
    expect(group(page, "Wrong customers")).to_contain_text("1 run")

    (retried,) = api.call("GET", f"W/runs/{runs[3]}/retries")["items"]
    (changed,) = retried["edits"].values()
    assert (changed["before"]["json_body"]["customer"], changed["after"]["json_body"]["customer"]) == ("C-200", "C-4")
    leave_none(api)


def test_the_table_is_used_by_keys_alone_and_says_what_is_wrong(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "By keys", "/invoicez", ["SO-8511", "SO-8512"])
    page = signed_in("/dead-letters")
    dialog = opened(page, "By keys")
    cells = {
        (name, number): dialog.get_by_label(f"{name}, {number}")
        for name in ("order", "customer", "amount")
        for number in ("SO-8512", "SO-8511")
    }
    cells["customer", "SO-8512"].focus()
    page.keyboard.press("Enter")
    expect(cells["customer", "SO-8511"]).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(cells["customer", "SO-8512"]).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cells["amount", "SO-8512"]).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(cells["customer", "SO-8512"]).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("ten")
    row = dialog.get_by_test_id("edit-SO-8512")
    expect(row.get_by_text("This has to be a number.")).to_be_visible()
    expect(cells["amount", "SO-8512"]).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_role("status")).to_have_text("1 cell needs another look.")
    expect(dialog.get_by_role("button", name="Retry 1 with my changes")).to_be_disabled()
    shot(page, "dead-letter-edits-wrong")

    # It is not closed over what was typed.
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("alert")).to_have_text("Your changes are not sent. Close without them?")
    dialog.get_by_role("button", name="Go on editing").click()
    dialog.get_by_role("button", name="Undo all changes").click()
    expect(dialog.get_by_role("status")).to_have_text("Nothing is changed so far.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    leave_none(api)


def test_what_the_server_refuses_stands_in_its_row_and_nothing_goes(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    runs = fail(api, product, "Refused rows", "/invoicez", ["SO-8521", "SO-8522"])
    page = signed_in("/dead-letters")
    dialog = opened(page, "Refused rows")
    for number in ("SO-8521", "SO-8522"):
        dialog.get_by_label(f"customer, {number}").fill("C-9")
    # Somebody else is quicker with one of them.
    api.call("POST", "W/dead-letters/retry", {"runs": [runs[0]]})
    dialog.get_by_role("button", name="Retry 2 with my changes").click()
    expect(dialog.get_by_test_id("edit-SO-8521")).to_contain_text("since these rows were read")
    expect(dialog.get_by_test_id("edit-SO-8522")).not_to_contain_text("since these rows were read")
    shot(page, "dead-letter-edits-refused")
    assert api.call("GET", f"W/runs/{runs[1]}")["generation"] == 1
    leave_none(api)


@pytest.mark.parametrize("size", SIZES)
def test_the_table_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Forty-three invoices", "/invoicez", [f"SO-853{number}" for number in range(6)])
    page = signed_in("/dead-letters", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    dialog = opened(page, "Forty-three invoices")
    dialog.get_by_label("customer, SO-8535").fill("C-7")
    dialog.get_by_label("amount, SO-8534").fill("ten")
    expect(dialog.get_by_role("status")).to_have_text("1 cell needs another look.")
    readable(page, size, "dead-letter-edits", shot)
    leave_none(api)
