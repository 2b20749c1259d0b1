"""A run waits for the supplier's word or for an event, and goes on when it comes; whoever watches sees it go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import expect_done, start
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]


def order_confirmed() -> dict[str, Any]:
    """An order goes out with a link in it; the supplier confirms, or is chased after two days."""
    return graph(
        [
            step("start", "trigger.manual@1", "Order is placed", (0, 0)),
            edit_fields("mail", "Write to the supplier", (0, 150), text="Please confirm: {{ run.links.confirmed }}"),
            step(
                "confirmed", "flow.wait_signal@1", "Supplier confirms", (0, 300),
                title="Confirm order {{ trigger.order }}", limit="2", unit="days",
            ),
            edit_fields("book", "Book the delivery", (-150, 450), booked="yes"),
            edit_fields("chase", "Chase the supplier", (150, 450), chased="yes"),
        ],
        [
            ("start", "mail"), ("mail", "confirmed"), ("confirmed", "out", "book"), ("confirmed", "timeout", "chase"),
        ],
    )  # fmt: skip


def order_shipped() -> dict[str, Any]:
    """An order is closed when the warehouse says that it was shipped."""
    event = {"name": "order.shipped", "key": "{{ trigger.order }}"}
    return graph(
        [
            step("start", "trigger.manual@1", "Order is packed", (0, 0)),
            {**step("shipped", "flow.wait_event@1", "Warehouse ships it", (0, 150)), "config": event},
            edit_fields("close", "Close the order", (0, 300), parcel="{{ steps.shipped.data.parcel }}"),
        ],
        [("start", "shipped"), ("shipped", "close")],
    )  # fmt: skip


def look_at(page: Page, node: str) -> None:
    """Choose a step that waits."""
    card = page.locator(f'[data-step="{node}"][data-status="waiting"]')
    expect(card).to_be_visible()
    card.click()


def test_the_supplier_opens_the_link_and_the_run_goes_on_before_our_eyes(
    signed_in: Opens, new_page: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    run = start(api, "Confirm an order", order_confirmed(), order="PO-771")
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_test_id("run-facts")).to_contain_text("Waiting for a signal or event")
    overview = page.get_by_role("region", name="About this run")
    expect(overview.get_by_role("heading", name="The run waits for a signal or an event")).to_be_visible()
    look_at(page, "confirmed")
    panel = page.get_by_role("region", name="Supplier confirms")
    expect(panel.get_by_text("Waits for its link to be used")).to_be_visible()
    expect(panel.get_by_text("Confirm order PO-771")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.get_by_role("button", name="Copy the resume link").click()
    expect(page.get_by_text("The link is copied")).to_be_visible()
    link: str = page.evaluate("navigator.clipboard.readText()")
    assert re.search(rf"/hooks/resume/{run}/confirmed/1/[0-9a-f]{{40}}$", link)
    shot(page, "wait-link")

    supplier = new_page()
    supplier.goto(link)
    expect(supplier.get_by_role("heading", name="Confirm order PO-771")).to_be_visible()
    assert findings(supplier) == []
    shot(supplier, "resume-page")
    expect(page.locator('[data-step="confirmed"][data-status="waiting"]')).to_be_visible()
    supplier.get_by_role("button", name="Confirm").click()
    expect(supplier.get_by_text("Thank you. It goes on.")).to_be_visible()

    expect_done(page, confirmed="succeeded", book="succeeded", chase="skipped")
    expect(panel.get_by_text("Its link was used")).to_be_visible()
    expect(panel.get_by_text("Went on with: Signal came")).to_be_visible()
    supplier.goto(link)
    expect(supplier.get_by_text("This was confirmed already.")).to_be_visible()
    expect(supplier.get_by_role("button")).to_have_count(0)


def test_an_event_by_the_api_moves_on_the_run_with_its_key(signed_in: Opens, api: Api) -> None:
    run = start(api, "Close an order", order_shipped(), order="PO-772")
    page = signed_in(f"/runs/{run}")
    look_at(page, "shipped")
    panel = page.get_by_role("region", name="Warehouse ships it")
    expect(panel.get_by_text("Waits for the event “order.shipped” with the key “PO-772”")).to_be_visible()
    expect(panel.get_by_role("button", name="Copy the resume link")).to_have_count(0)
    other = {"name": "order.shipped", "key": "PO-773", "data": {"parcel": "00"}}
    assert api.call("POST", "W/sent-events", other)["moved_on"] == 0
    sent = {"name": "order.shipped", "key": "PO-772", "data": {"parcel": "0034"}}
    assert api.call("POST", "W/sent-events", sent)["moved_on"] == 1
    expect_done(page, shipped="succeeded", close="succeeded")
    expect(panel.get_by_text("Came from Alice")).to_be_visible()
    assert api.call("GET", f"W/runs/{run}/steps/close")["output"] == {"parcel": "0034"}


def test_a_person_lets_a_run_go_on_with_what_was_told_by_phone(signed_in: Opens, api: Api) -> None:
    run = start(api, "Close an order by hand", order_shipped(), order="PO-774")
    page = signed_in(f"/runs/{run}")
    look_at(page, "shipped")
    page.get_by_role("button", name="Go on now…").click()
    dialog = page.get_by_role("dialog", name="Let “Warehouse ships it” go on now?")
    value = dialog.get_by_label("Data to go on with")
    value.fill('{"parcel": ')
    expect(dialog.get_by_role("button", name="Go on now")).to_be_disabled()
    value.fill('{"parcel": "by phone"}')
    assert findings(page) == []
    dialog.get_by_role("button", name="Go on now").click()
    expect_done(page, shipped="succeeded", close="succeeded")
    expect(page.get_by_text("Came from Alice")).to_be_visible()
    assert api.call("GET", f"W/runs/{run}/steps/close")["output"] == {"parcel": "by phone"}
    [wait] = api.call("GET", f"W/runs/{run}/waits")["items"]
    assert (wait["status"], wait["by"]) == ("resumed", "Alice")


@pytest.mark.parametrize("size", SIZES)
def test_a_wait_is_shown_to_everybody(signed_in: Opens, api: Api, size: str, shot: Callable[[Page, str], None]) -> None:
    run = start(api, f"Confirm an order {size}", order_confirmed(), order="PO-775")
    page = signed_in(f"/runs/{run}?step=confirmed", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(page.get_by_text("Waits for its link to be used")).to_be_visible()
    readable(page, size, "wait", shot)
    api.call("POST", f"W/runs/{run}/cancel")
