"""Who did what to a thing is asked where the thing stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_accessibility import SIZES, readable
from tests.browser.test_dead_letters import fail, group, leave_none
from tests.browser.test_letter_groups import cause_of, choose
from tests.browser.test_schedules import scheduled
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def things(api: Api) -> None:
    """One of each, and something done to it."""
    finance = api.call("POST", "W/groups", {"name": "Finance"})["id"]
    api.call("PATCH", f"W/groups/{finance}", {"name": "Accounting"})
    api.call("POST", "W/tokens", {"name": "Web shop", "scopes": ["read"]})
    api.call("POST", "W/calendars", {"name": "Warehouse"})
    hook = {"address": "https://hooks.slack.com/services/T0/B0/secret"}
    chat = api.call("POST", "W/connections", {"kind": "alert_hook", "name": "Chat", "fields": hook})["id"]
    ops = api.call("POST", "W/alerts/channels", {"name": "Ops", "hook_id": chat})["id"]
    api.call("POST", "W/alerts/rules", {"channels": [ops], "kind": "failed_runs", "limit": 5})
    api.publish("Bank statement", scheduled())
    (made,) = api.call("GET", "W/schedules")["items"]
    until = datetime.now(UTC) + timedelta(days=30)
    api.call("POST", f"W/schedules/{made['id']}/pause", {"until": until.isoformat()})


def told(page: Page, name: str, *said: str) -> Locator:
    """The history opened by its button, with these deeds; the dialog is closed by a key and leaves the focus there."""
    button = page.get_by_role("button", name=f"History of {name}", exact=True)
    button.press("Enter")
    dialog = page.get_by_role("dialog", name=f"History of {name}", exact=True)
    for one in said:
        expect(dialog).to_contain_text(one)
    expect(dialog).to_contain_text("Alice")
    expect(dialog).not_to_contain_text("127.0.0.1")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    return button


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("/settings/members", "Accounting", ("Created group", "Changed group")),
        ("/settings/tokens", "Web shop", ("Created API key",)),
        ("/settings/calendars", "Warehouse", ("Created calendar",)),
        ("/monitor/alerts?tab=channels", "Ops", ("Created alert channel",)),
        ("/monitor/alerts", "this rule", ("Created alert rule",)),
        ("/schedules", "Clock", ("Paused schedule",)),
    ],
)
def test_a_thing_tells_its_history_where_it_stands(
    path: str, name: str, said: tuple[str, ...], signed_in: Opens, things: None
) -> None:
    told(signed_in(path), name, *said)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_said_of_dead_letters_is_read_in_their_history(
    size: str, signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    leave_none(api)
    fail(api, product, "Known to the team", f"/invoicez-{size}", [f"SO-84-{size}"])
    cause = cause_of(api, "Known to the team")
    api.call("PUT", f"W/dead-letters/{cause}/note", {"note": "The ERP team knows.", "revision": 0})
    api.call("POST", f"W/dead-letters/{cause}/mute", {"days": 1})
    page = signed_in("/dead-letters", viewport=SIZES[size])
    choose(page, group(page, "Known to the team"), "History…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Wrote a note on failed runs")
    expect(dialog).to_contain_text("Muted failed runs")
    readable(page, size, "history-letters", shot)
