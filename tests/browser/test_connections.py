"""Connections: a server of files is shown, compared and confirmed by a click."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import sign_in
from tests.browser.editing import Opens, graph, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SHOWN = "ssh-ed25519 SHA256:" + "Ab3" * 14 + "x"


def test_the_key_of_a_server_is_confirmed_and_kept(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in("/connections")

    def answer(route: Route) -> None:
        """As the API answers: no server can be reached from here."""
        (made,) = [one for one in api.call("GET", "W/connections")["items"] if one["kind"] == "sftp"]
        known = made["public"].get("host_key") == SHOWN
        told: dict[str, Any] = {"ok": known, "message": "It accepted the sign-in.", "confirm": None}
        if not known:
            says = f"files.example.com shows the key {SHOWN}. Compare it with what its operator tells you."
            told |= {"message": says, "confirm": {"field": "host_key", "value": SHOWN}}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(told))

    page.route(re.compile(r"/connections/[^/]+/test$"), answer)
    page.get_by_role("button", name="New connection").first.click()
    page.get_by_role("menuitem", name="SFTP server").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Server", exact=True).fill("files.example.com")
    dialog.get_by_role("textbox", name="User name").fill("millrace")
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\nBBBB\n-----END OPENSSH PRIVATE KEY-----"
    dialog.get_by_role("textbox", name="Private key").fill(key)
    dialog.get_by_role("button", name="Save and test").click()
    confirm = dialog.get_by_role("button", name="I compared it: this is the server")
    expect(confirm).to_be_visible()
    assert findings(page) == []
    shot(page, "sftp-confirm")
    confirm.click()
    expect(dialog.get_by_role("status")).to_contain_text("accepted the sign-in")
    expect(dialog.get_by_role("textbox", name="Key of the server")).to_have_value(SHOWN)
    expect(confirm).to_have_count(0)
    (made,) = [one for one in api.call("GET", "W/connections")["items"] if one["kind"] == "sftp"]
    assert (made["public"]["host_key"], made["secrets_set"]) == (SHOWN, ["private_key"])
    api.call("DELETE", f"W/connections/{made['id']}")


def test_one_is_replaced_everywhere_and_warns_before_it_expires(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    soon = (datetime.now(UTC) + timedelta(days=6)).date().isoformat()
    fields = {"token": "a long enough secret", "base_url": "https://bank.example"}
    ids = []
    for name, environment, until in (("Old bank", "production", soon), ("New bank", "test", None)):
        body = {"kind": "http_bearer", "name": name, "fields": fields, "environment": environment, "expires_on": until}
        ids.append(api.call("POST", "W/connections", body)["id"])
    call = step("call", "http.request@1", "Ask the bank", (0, 150), url="https://bank.example/a", connection=ids[0])
    start = step("start", "trigger.manual@1", "Button", (0, 0))
    body = {"name": "Bank balance", "graph": graph([start, call], [("start", "call")])}
    workflow = api.call("POST", "W/workflows", body)["id"]
    page = signed_in("/connections")
    row = page.get_by_role("row").filter(has_text="Old bank")
    expect(row).to_contain_text("Production")
    expect(row).to_contain_text(re.compile("Expires in [5-7] days"))
    shot(page, "connections-life")
    assert findings(page) == []
    row.get_by_role("button", name="1 workflow: Where Old bank is used").click()
    dialog = page.get_by_role("dialog", name="Where Old bank is used")
    expect(dialog.get_by_role("listitem")).to_contain_text("Ask the bank")
    dialog.get_by_label("Use another one everywhere instead").select_option(label="New bank")
    shot(page, "connections-replace")
    assert findings(page) == []
    dialog.get_by_role("button", name="Replace in 1 step").click()
    expect(dialog).to_be_hidden()
    (node,) = [one for one in api.call("GET", f"W/workflows/{workflow}/draft")["graph"]["nodes"] if one["id"] == "call"]
    assert node["config"]["connection"] == ids[1]
    row.get_by_role("button", name="Edit Old bank").click()
    edit = page.get_by_role("dialog", name="Edit “Old bank”")
    edit.get_by_label("Runs wait until it is repaired").check()
    shot(page, "connections-edit")
    assert findings(page) == []
    edit.get_by_role("button", name="Save", exact=True).click()
    expect(edit).to_be_hidden()
    assert api.call("GET", f"W/connections/{ids[0]}")["if_broken"] == "wait"


def test_whoever_may_not_see_them_is_told_who_can_let_them(
    product: Product, api: Api, new_page: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    link = api.call("POST", "W/members", {"email": "vera.looks@example.com", "role": "viewer"})["link"]
    vera = Api(product.url)
    token = link.split("token=")[1]
    vera.call("POST", "/invitations/accept", {"token": token, "name": "Vera", "password": "a quiet observer 77"})
    vera.read_session()
    (admin,) = [one for one in vera.call("GET", "W/people")["people"] if one["admin"]]
    page = new_page()
    sign_in(page, vera)
    page.goto("/connections")
    expect(page.get_by_role("heading", name="Connections are for builders and admins")).to_be_visible()
    expect(page.get_by_text(f"Admin: {admin['name']}.")).to_be_visible()
    ask = page.get_by_role("link", name="Ask for access")
    expect(ask).to_have_attribute("href", re.compile(rf"^mailto:{admin['email'].replace('@', '%40')}\?subject="))
    expect(page.get_by_role("alert")).to_have_count(0)
    assert findings(page) == []
    shot(page, "connections-not-for-you")
    vera.close()
