"""A list is reviewed by one person and released by another, on the screens that they see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice.example import SUPPLIER_PAYMENTS
from tests.browser.axe import findings
from tests.browser.conftest import sign_in
from tests.browser.editing import Opens
from tests.browser.test_inbox import question_of
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
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


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_payment_run_is_mended_handed_over_and_released_by_somebody_else(
    signed_in: Opens, new_page: Opens, product: Product, api: Api, omar: Api, shot: Shot
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

    second = new_page()
    sign_in(second, omar)
    second.goto(f"/reviews/{task}")
    expect(second.get_by_text("Looked at every invoice above 5,000.")).to_be_visible()
    shot(second, "review-release")
    second.get_by_role("button", name=re.compile("^Release")).click()
    shot(second, "review-release-dialog")
    second.get_by_role("dialog").get_by_role("button", name="Release", exact=True).click()
    expect(second.get_by_text("Released", exact=True).first).to_be_visible()
    shot(second, "review-released")
    page.goto(f"/batches/{run}/pay?tab=totals")
    expect(page.get_by_test_id("total-EUR")).to_contain_text("Adds up", timeout=60_000)
    expect(page.get_by_text("23 of 23").first).to_be_visible(timeout=60_000)
    assert paid(product) == before + 23
