"""In the values of a step something is looked for, and each row says how the editor writes it."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import chain
from tests.browser.test_looking_back import SIZES
from tests.browser.test_retrying import wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
IBAN = "DE89370400440532013000"
COPIED = "async (wanted) => (await navigator.clipboard.readText()) === wanted"


@pytest.fixture(scope="module")
def run(api: Api, product: Product) -> str:
    """A run that was given nested data with a sensitive value."""
    api.call("PATCH", f"/workspaces/{api.workspace}", {"sensitive_fields": ["iban"]})
    live = api.publish("Payments with values", chain())
    lines = [{"account no": "4930", "net": 5}, {"account no": "4980", "net": 7}]
    given = {"total": 3, "IBAN": IBAN, "payee": "Brinkmann", "lines": lines, "tags": ["a", "b"]}
    found: str = httpx2.post(product.url + live.path, json=given, timeout=60).json()["run"]
    wait_for_end(api, found)
    return found


@pytest.mark.parametrize("size", SIZES)
def test_values_are_searched_and_their_paths_are_copied(
    signed_in: Opens, run: str, shot: Callable[[Page, str], None], size: str
) -> None:
    page = signed_in(f"/runs/{run}?step=orders&tab=output", viewport=SIZES[size])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_text("Brinkmann")).to_be_visible()
    assert findings(page) == []
    copy = panel.get_by_role("button", name="Copy path: {{ trigger.body.payee }}")
    copy.focus()
    page.keyboard.press("Enter")
    # The button says so for a moment only, which may be over before anybody looks.
    page.wait_for_function(COPIED, arg="{{ trigger.body.payee }}")
    panel.get_by_role("button", name="Copy path: {{ trigger.body.lines[1] }}").click()
    page.wait_for_function(COPIED, arg="{{ trigger.body.lines[1] }}")
    shot(page, f"values-{size}")
    search = panel.get_by_label("Search in these values")
    search.fill("4980")
    expect(panel.get_by_text("1 hit", exact=True)).to_be_visible()
    expect(panel.get_by_text("Brinkmann")).to_have_count(0)
    expect(panel.get_by_role("row")).to_have_count(2)
    assert findings(page) == []
    shot(page, f"values-found-{size}")
    search.fill(IBAN[:8])
    expect(panel.get_by_text("Sensitive values are not looked into.")).to_be_visible()
    search.fill("iban")
    expect(panel.get_by_text("••••")).to_be_visible()
    assert IBAN not in page.content()
    search.fill("")
    expect(panel.get_by_text("Brinkmann")).to_be_visible()


def test_what_went_in_says_from_where_the_step_takes_it(signed_in: Opens, run: str) -> None:
    page = signed_in(f"/runs/{run}?step=finish&tab=input")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_label("Search in these values")).to_be_visible()
    expect(panel.get_by_role("button", name="Copy path: {{ steps.prepare.total }}")).to_be_visible()
    assert findings(page) == []
