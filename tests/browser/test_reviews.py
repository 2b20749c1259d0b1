"""A list is reviewed by one person and released by another, on the screens that they see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice.example import SUPPLIER_PAYMENTS
from tests.browser.axe import findings
from tests.browser.conftest import fits, sign_in
from tests.browser.editing import Opens
from tests.browser.test_inbox import question_of
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
#: A product of its own: here the example has to be as the first start published it.
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def omar(product: Product, api: Api) -> Iterator[Api]:
    """A second person."""
    link = api.call("POST", "W/members", {"email": "omar@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Omar Diaz", "password": "a careful releaser 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    yield joined
    joined.close()


def paid(product: Product) -> int:
    answer = httpx2.get(product.url + "/transfers", headers={"Host": "practice-company"}, timeout=30)
    return int(answer.json()["total"])


def begin(api: Api, **answers: object) -> tuple[str, str]:
    listed = api.call("GET", "W/workflows")["items"]
    [workflow] = [one["id"] for one in listed if one["name"] == SUPPLIER_PAYMENTS.name]
    [start] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    body = {"input": {**SUPPLIER_PAYMENTS.sample, **answers}, "trigger": start["node"]}
    run: str = api.call("POST", f"W/workflows/{workflow}/runs", body)["id"]
    return run, question_of(api, run)


@pytest.fixture
def omars_page(new_page: Opens, omar: Api) -> Callable[..., Page]:
    """Opens a page as Omar."""

    def open_(path: str, **options: Any) -> Page:
        page = new_page(**options)
        sign_in(page, omar)
        page.goto(path)
        return page

    return open_


def test_a_payment_run_is_mended_handed_over_and_released_by_somebody_else(
    signed_in: Opens, omars_page: Opens, product: Product, api: Api, shot: Shot
) -> None:
    before = paid(product)
    run, task = begin(api)
    page = signed_in("/inbox")
    page.get_by_test_id(f"task-{task}").click()
    expect(page.get_by_text("24 rows").first).to_be_visible()
    shot(page, "review-inbox")
    page.get_by_role("link", name="Open the list").click()
    expect(page.get_by_test_id("agrees")).to_have_text("They agree")
    hand_over = page.get_by_role("button", name=re.compile("^Hand over for release"))
    expect(hand_over).to_be_disabled()
    shot(page, "review-todo")
    assert findings(page) == []

    # No bank account is on file, and another one was changed; a third supplier is blocked.
    page.get_by_label("IBAN, row 11").fill("IE29 PRAC 9311 5212 34")
    page.get_by_role("button", name="Save 1 row").click()
    expect(page.get_by_test_id("row-11")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Reject row 17")).click()
    page.get_by_role("dialog").get_by_label("Why").fill("Blocked since October")
    shot(page, "review-reject")
    page.get_by_role("dialog").get_by_role("button", name="Reject 1 row").click()
    expect(page.get_by_test_id("row-17")).to_have_count(0)
    page.get_by_label("Select all of these rows").click()
    expect(page.get_by_text("2 rows are selected")).to_be_visible()
    shot(page, "review-selected")
    page.get_by_role("button", name="Accept", exact=True).click()
    expect(page.get_by_text("Nothing is left to decide.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^All")).click()
    expect(page.get_by_test_id("row-17")).to_contain_text("Blocked since October")
    shot(page, "review-ready")
    hand_over.click()
    page.get_by_role("dialog").get_by_label("Comment").fill("Looked at every invoice above 5,000.")
    shot(page, "review-hand-over")
    page.get_by_role("dialog").get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Somebody else has to release this.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Release"))).to_have_count(0)
    page.get_by_role("button", name="What was done to the list").click()
    expect(page.get_by_text("rejected row 17")).to_be_visible()
    shot(page, "review-handed-over")
    assert findings(page) == []
    assert paid(product) == before

    second = omars_page(f"/reviews/{task}")
    expect(second.get_by_text("Looked at every invoice above 5,000.")).to_be_visible()
    shot(second, "review-release")
    second.get_by_role("button", name=re.compile("^Release")).click()
    shot(second, "review-release-dialog")
    second.get_by_role("dialog").get_by_role("button", name="Release", exact=True).click()
    expect(second.get_by_text("Released", exact=True).first).to_be_visible()
    shot(second, "review-released")
    page.goto(f"/batches/{run}/pay?tab=totals")
    expect(page.get_by_test_id("total-EUR")).to_contain_text("Adds up", timeout=120_000)
    expect(page.get_by_text("23 of 23").first).to_be_visible(timeout=120_000)
    assert paid(product) == before + 23


def test_who_changes_a_row_that_somebody_else_has_changed_is_told_and_keeps_what_they_typed(
    signed_in: Opens, api: Api, omar: Api, shot: Shot
) -> None:
    _, task = begin(api, date="2026-12-01")
    page = signed_in(f"/reviews/{task}")
    page.get_by_role("button", name=re.compile("^All")).click()
    amount = page.get_by_label("Amount, row 2", exact=True)
    amount.fill("100.25")
    changes = [{"number": 2, "version": 0, "values": {"amount": 77}}]
    assert omar.call("POST", f"W/inbox/{task}/review/rows", {"changes": changes})["items"][0]["outcome"] == "changed"
    page.get_by_role("button", name="Save 1 row").click()
    expect(page.get_by_test_id("row-2").get_by_role("alert")).to_contain_text(
        "Omar Diaz changed this row meanwhile. Now: Amount 77.00."
    )
    expect(amount).to_have_value("100.25")
    shot(page, "review-conflict")
    page.get_by_role("button", name="Save 1 row").click()
    expect(page.get_by_test_id("row-2").get_by_role("alert")).to_have_count(0)
    expect(page.get_by_test_id("row-2")).to_contain_text("Changed by Alice")
    expect(amount).to_have_value("100.25")
    expect(page.get_by_test_id("agrees")).to_have_text("They differ")
    shot(page, "review-differs")
    assert findings(page) == []


def test_cells_are_pasted_from_a_spreadsheet_and_one_that_is_no_amount_is_not_sent(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    _, task = begin(api, date="2026-12-02")
    page = signed_in(f"/reviews/{task}")
    page.get_by_role("button", name=re.compile("^All")).click()
    page.get_by_label("IBAN, row 1", exact=True).evaluate(
        """(cell, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        "IE01 PRAC 1111 22\t10.50\nIE02 PRAC 1111 33\tmuch",
    )
    expect(page.get_by_label("IBAN, row 2", exact=True)).to_have_value("IE02 PRAC 1111 33")
    expect(page.get_by_text("1 cell cannot be read")).to_be_visible()
    expect(page.get_by_role("button", name="Save 2 rows")).to_be_disabled()
    shot(page, "review-pasted")
    page.get_by_label("Amount, row 2", exact=True).fill("1,200.75")
    page.get_by_role("button", name="Save 2 rows").click()
    expect(page.get_by_test_id("row-1")).to_contain_text("Changed by Alice")
    expect(page.get_by_label("Amount, row 2", exact=True)).to_have_value("1,200.75")
    seen = api.call("GET", f"W/inbox/{task}/review/rows")["rows"]
    assert [(row["data"]["iban"], row["data"]["amount"]) for row in seen[:2]] == [
        ("IE01 PRAC 1111 22", 10.5), ("IE02 PRAC 1111 33", 1200.75),
    ]  # fmt: skip


def test_a_list_is_sent_back_from_a_phone_in_the_dark(
    signed_in: Opens, omars_page: Opens, api: Api, shot: Shot
) -> None:
    _, task = begin(api, date="2026-12-03", suppliers=6)
    phone = signed_in(f"/reviews/{task}", viewport=PHONE)
    expect(phone.get_by_test_id("row-1")).to_be_visible()
    shot(phone, "review-phone")
    fits(phone)
    assert findings(phone) == []
    phone.get_by_role("button", name=re.compile("^Hand over")).click()
    shot(phone, "review-phone-dialog")
    phone.get_by_role("dialog").get_by_role("button", name="Hand over").click()
    expect(phone.get_by_text("Somebody else has to release this.")).to_be_visible()
    dark = omars_page(f"/reviews/{task}", dark=True, viewport=PHONE)
    expect(dark.get_by_test_id("row-1")).to_be_visible()
    shot(dark, "review-phone-dark")
    fits(dark)
    assert findings(dark) == []
    dark.get_by_role("button", name=re.compile("^Send back")).click()
    dark.get_by_role("dialog").get_by_label("Why").fill("Row 1 is paid already")
    dark.get_by_role("dialog").get_by_role("button", name="Send back").click()
    expect(phone.get_by_text("Omar Diaz sent it back:")).to_be_visible()
    expect(phone.get_by_text("Row 1 is paid already").first).to_be_visible()
    desk = omars_page(f"/reviews/{task}", dark=True)
    expect(desk.get_by_test_id("row-1")).to_be_visible()
    shot(desk, "review-dark")
    assert findings(desk) == []


def test_thousands_of_rows_scroll_like_a_dozen(signed_in: Opens, api: Api, shot: Shot) -> None:
    _, task = begin(api, date="2026-12-04", suppliers=5_000)
    page = signed_in(f"/reviews/{task}")
    page.get_by_role("button", name=re.compile("^All")).click()
    expect(page.get_by_test_id("row-1")).to_be_visible()
    page.get_by_test_id("review-grid").evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(page.get_by_test_id("row-5000")).to_be_visible()
    assert page.locator("[data-testid^=row-]").count() < 100, "only what is seen is drawn"
    page.get_by_role("textbox", name="Search the rows").fill("v-4321")
    expect(page.get_by_test_id("row-4321")).to_be_visible()
    shot(page, "review-search")
