"""Values of sensitive fields are dots until somebody asks for one, and dots again as soon as they look away."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import chain
from tests.browser.test_retrying import wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
IBAN = "DE89370400440532013000"


def test_a_value_is_hidden_by_its_name_shown_on_request_and_told_in_the_record(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in("/settings/workspace")
    page.get_by_label("Sensitive fields").fill("iban\nsalary")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    assert findings(page) == []
    live = api.publish("Payments", chain())
    posted = httpx2.post(product.url + live.path, json={"total": 3, "IBAN": IBAN, "payee": "Brinkmann"}, timeout=60)
    run = posted.json()["run"]
    wait_for_end(api, run)
    page.goto(f"/runs/{run}?step=orders&tab=output")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_text("Brinkmann")).to_be_visible()
    expect(panel.get_by_text("••••")).to_be_visible()
    assert IBAN not in page.content()
    assert findings(page) == []
    shot(page, "sensitive")
    panel.get_by_role("radio", name="JSON").click()
    expect(panel.locator("pre")).to_contain_text('"IBAN": "••••"')
    panel.get_by_role("radio", name="JSON").press("Shift+Tab")
    panel.get_by_role("radio").first.click()
    panel.get_by_role("button", name="Show — is logged").click()
    expect(panel.get_by_text(IBAN)).to_be_visible()
    shot(page, "sensitive-shown")
    page.get_by_role("tab", name="Input").click()
    page.get_by_role("tab", name="Output").click()
    expect(panel.get_by_text("••••")).to_be_visible()
    assert IBAN not in page.content(), "what was seen is kept nowhere"
    page.goto("/settings/audit")
    expect(page.get_by_role("table").get_by_text("Looked at a sensitive value in")).to_be_visible()
    assert IBAN not in page.content()
