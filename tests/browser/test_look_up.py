"""The answer to a call is lost: somebody sets up how that is looked up, and reads in the run what was found."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import Editor, Opens, edit_fields, graph, new_editor, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
COMPANY = "http://practice-company"
PHONE = {"width": 390, "height": 844}


def order_to_invoice(behaviour: str, **more: Any) -> dict[str, Any]:
    """An order becomes an invoice, at a company that behaves so."""
    body = {"order": "{{ trigger.body.number }}", "customer": "C-200", "amount": "120.50"}
    config = {"method": "POST", "url": f"{COMPANY}/with/{behaviour}/invoices", "body_type": "json", "json_body": body}
    order = step("order", "trigger.webhook@1", "Order comes in", (0, 0))
    invoice = step("invoice", "http.request@1", "Create invoice", (0, 150), **config, **more)
    note = edit_fields("note", "Note the number", (0, 300), number="{{ steps.invoice.body.id }}")
    return graph([order, invoice, note], [("order", "invoice"), ("invoice", "note")])


def looked_up(at: str) -> dict[str, Any]:
    return {"in_doubt": "look_up", "look_up_url": COMPANY + at, "look_up_after": 0.2}


def fire(product: Product, path: str, number: str) -> str:
    posted = httpx2.post(product.url + path, json={"number": number}, timeout=60)
    run: str = posted.json()["run"]
    return run


def until(api: Api, run: str, *statuses: str) -> None:
    deadline = time.monotonic() + 120
    while api.call("GET", f"W/runs/{run}")["status"] not in statuses:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def invoices(product: Product, number: str) -> list[dict[str, Any]]:
    items = httpx2.get(f"{product.url}/invoices", headers={"Host": "practice-company"}, timeout=60).json()["items"]
    return [item for item in items if item["order_number"] == number]


def publish(editor: Editor) -> str:
    """Publish what was drawn; the path of its webhook."""
    editor.draft()
    path = f"W/workflows/{editor.workflow}"
    revision = editor.api.call("GET", f"{path}/draft")["revision"]
    editor.api.call("POST", f"{path}/publish", {"revision": revision, "note": "for a test"})
    (trigger,) = editor.api.call("GET", f"{path}/triggers")["items"]
    return "/hooks/" + str(trigger["url"]).split("/hooks/", 1)[1]


def test_an_invoice_whose_answer_is_lost_is_looked_up_and_not_made_again(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    editor = new_editor(signed_in, api, "Invoices that are looked up", order_to_invoice("drop;ignore"))
    editor.card("invoice").click()
    panel = editor.panel
    panel.get_by_label("If the answer is lost", exact=True).select_option("look_up")
    expect(panel.get_by_text("Before a repeat it asks whether it has been done already.")).to_be_visible()
    address = panel.get_by_test_id("field-look_up_url")
    expect(address).to_be_visible()
    expect(panel.get_by_role("group", name="It happened if")).to_be_visible()
    address.scroll_into_view_if_needed()
    shot(editor.page, "look-up-settings-empty")
    address.click()
    expect(editor.page.locator(".cm-content:focus")).to_be_visible()
    editor.page.keyboard.type(f"{COMPANY}/invoices/by-key/")
    flyout = editor.page.get_by_role("region", name="Insert data")
    expect(flyout.get_by_text("The look-up")).to_be_visible()
    shot(editor.page, "look-up-data")
    flyout.get_by_role("treeitem").filter(has_text="Key").first.click()
    editor.leave()
    editor.card("invoice").click()
    expect(panel.get_by_text("The look-up › Key").first).to_be_visible()
    shot(editor.page, "look-up-settings")
    assert editor.draft()["nodes"][1]["config"]["look_up_url"] == f"{COMPANY}/invoices/by-key/{{{{ look_up.key }}}}"
    run = fire(product, publish(editor), "LOOK-8101")
    until(api, run, "completed")
    (invoice,) = invoices(product, "LOOK-8101")

    page = editor.page
    page.goto(f"/runs/{run}?step=invoice")
    expect(page.get_by_text("Looked up: it happened").first).to_be_visible()
    page.get_by_role("tab", name="Attempts").click()
    expect(page.get_by_text("What the look-ups said")).to_be_visible()
    shot(page, "look-up-run")
    assert findings(page) == []
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_text(invoice["id"]).first).to_be_visible()


def test_nobody_can_tell_and_a_person_reads_why(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    drawn = order_to_invoice("drop*1;ignore", **looked_up("/with/fail=403/invoices/by-key/{{ look_up.key }}"))
    run = fire(product, api.publish("Invoices that nobody can look up", drawn).path, "LOOK-8102")
    until(api, run, "waiting_human")
    page = signed_in(f"/runs/{run}?step=invoice", dark=True)
    expect(page.get_by_text("Looked up: could not tell").first).to_be_visible()
    expect(page.get_by_text("Looked up once, which could not tell").first).to_be_visible()
    shot(page, "look-up-asks-dark")
    phone = signed_in(f"/runs/{run}?step=invoice", viewport=PHONE)
    expect(phone.get_by_text("Looked up: could not tell").first).to_be_visible()
    shot(phone, "look-up-asks-phone")
    assert len(invoices(product, "LOOK-8102")) == 1
    (task,) = api.call("GET", f"W/inbox?run={run}")["items"]
    api.call("POST", f"W/inbox/{task['id']}/decide", {"outcome": "happened", "output": {"body": {"id": "INV-1"}}})
    until(api, run, "completed")
    page.reload()
    expect(page.get_by_text("A person said: it happened").first).to_be_visible()
    assert len(invoices(product, "LOOK-8102")) == 1


def test_a_step_that_is_to_be_looked_up_says_so(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    settings = {**looked_up("/invoices/by-key/{{ look_up.key }}"), "look_up_after": 3600}
    run = fire(
        product, api.publish("Invoices that are looked up later", order_to_invoice("drop", **settings)).path, "LOOK-3"
    )
    until(api, run, "waiting_timer")
    page = signed_in(f"/runs/{run}?step=invoice")
    expect(page.locator("[data-step=invoice]").get_by_text("Checking whether it happened…")).to_be_visible()
    expect(page.get_by_text("Nobody knows yet whether this happened. It is looked up at")).to_be_visible()
    shot(page, "look-up-waits")
    api.call("POST", f"W/runs/{run}/cancel", {})
    until(api, run, "cancelled")
