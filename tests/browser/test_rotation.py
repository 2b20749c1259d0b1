"""Secrets are replaced without a gap, and all that expires stands in one list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import Opens
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_webhooks_secret_is_replaced_both_are_accepted_and_the_old_one_is_ended(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    body = {"kind": "webhook_secret", "name": "Shop orders", "fields": {"secret": "the old shared secret"}}
    made = api.call("POST", "W/connections", body)["id"]
    page = signed_in("/connections")
    row = page.get_by_role("row").filter(has_text="Shop orders")
    row.get_by_role("button", name="Replace the secret of Shop orders").click()
    dialog = page.get_by_role("dialog", name="Replace the secret of “Shop orders”")
    expect(dialog.get_by_label("Accept the present secret for")).to_have_value("24")
    shot(page, "rotate-incoming")
    assert findings(page) == []
    dialog.get_by_role("button", name="Replace secret").click()
    shown = page.get_by_role("dialog", name="New secret of “Shop orders”")
    expect(shown.get_by_text(re.compile("whsec_"))).to_be_visible()
    assert findings(page) == []
    shown.get_by_role("button", name="I have stored it").click()
    expect(row).to_contain_text("The previous secret is accepted until")
    expect(row).to_contain_text("New last used: not yet")
    shot(page, "rotate-both")
    assert findings(page) == []
    row.get_by_role("button", name="End it now").click()
    asked = page.get_by_role("dialog", name="End the previous secret of “Shop orders”?")
    expect(asked).to_contain_text("Nobody has used the new secret yet.")
    asked.get_by_role("button", name="End it now").click()
    expect(asked).to_be_hidden()
    expect(row).not_to_contain_text("The previous secret")
    assert api.call("GET", f"W/connections/{made}")["secrets_set"] == ["secret"]
    api.call("DELETE", f"W/connections/{made}")


def test_new_values_that_the_other_system_does_not_take_change_nothing(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    fields = {"token": "a long enough secret", "base_url": "https://bank.example"}
    made = api.call("POST", "W/connections", {"kind": "http_bearer", "name": "Rotating bank", "fields": fields})
    page = signed_in("/connections")

    def refuse(route: Route) -> None:
        """As the API answers: no bank can be reached from here."""
        told = {"switched": False, "message": "bank.example refused these credentials (status 401).", "confirm": None}
        told |= {"secret": None, "connection": made}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(told))

    page.route(re.compile(r"/connections/[^/]+/rotate$"), refuse)
    page.get_by_role("button", name="Replace the secret of Rotating bank").click()
    dialog = page.get_by_role("dialog", name="Replace the secret of “Rotating bank”")
    expect(dialog.get_by_role("button", name="Test and replace")).to_be_disabled()
    dialog.get_by_label("Token", exact=True).fill("a new long enough secret")
    dialog.get_by_role("button", name="Test and replace").click()
    expect(dialog.get_by_role("status")).to_contain_text("Nothing was changed. bank.example refused")
    shot(page, "rotate-outgoing")
    assert findings(page) == []
    api.call("DELETE", f"W/connections/{made['id']}")


def test_what_expires_stands_in_one_list_and_a_token_is_replaced(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    fields = {"token": "a long enough secret", "base_url": "https://bank.example"}
    body = {"kind": "http_bearer", "name": "Expired bank", "fields": fields, "expires_on": "2020-01-31"}
    made = api.call("POST", "W/connections", body)["id"]
    api.call("POST", "W/tokens", {"name": "Stock keeping", "scopes": ["read"], "expires_days": 7})
    page = signed_in("/settings/tokens")
    row = page.get_by_role("row").filter(has_text="Stock keeping")
    row.get_by_role("button", name="Replace Stock keeping").click()
    dialog = page.get_by_role("dialog", name="Replace Stock keeping")
    dialog.get_by_label("Accept the present token for").select_option(label="3 days")
    shot(page, "rotate-token")
    assert findings(page) == []
    dialog.get_by_role("button", name="Create token").click()
    page.get_by_role("dialog").get_by_role("button", name="I have stored it").click()
    expect(page.get_by_text("Replaced; accepted until then")).to_be_visible()
    page.get_by_role("link", name="What expires").click()
    expired = page.get_by_role("row").filter(has_text="Expired bank")
    expect(expired).to_contain_text(re.compile(r"Expired [\d,.]+ days ago"))
    expect(page.get_by_role("row").filter(has_text="Replaced already")).to_contain_text("Stock keeping")
    shot(page, "expiry")
    assert findings(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    expect(expired).to_be_visible()
    fits(page)
    api.call("DELETE", f"W/connections/{made}")
