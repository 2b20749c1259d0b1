"""Connections: a server of files is shown, compared and confirmed by a click."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import findings
from tests.browser.editing import Opens
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
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
