"""Before somebody has a step sent again, the other system is asked whether it happened, and the dialog says so."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import Opens
from tests.browser.test_look_up import COMPANY, PHONE, fire, invoices, looked_up, order_to_invoice, until
from tests.browser.test_retrying import fire as send_order
from tests.browser.test_retrying import order_to_payment, publish_anew, row
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
BY_KEY = "/invoices/by-key/{{ look_up.key }}"


def given_up(api: Api, product: Product, name: str, number: str) -> str:
    """A run that stopped with an invoice of which nobody could tell that it was made."""
    drawn = order_to_invoice("drop*1;ignore", **looked_up(f"/with/fail=403*1{BY_KEY}"))
    run = fire(product, api.publish(name, drawn).path, number)
    until(api, run, "waiting_human")
    (task,) = api.call("GET", f"W/inbox?run={run}")["items"]
    api.call("POST", f"W/inbox/{task['id']}/decide", {"outcome": "give_up"})
    until(api, run, "dead_lettered")
    return run


def test_the_other_system_says_that_it_is_safe_to_send_it_again(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    drawn = order_to_invoice("fail=422*1;ignore", **looked_up(BY_KEY))
    run = fire(product, api.publish("Invoices asked about", drawn).path, "ASK-8201")
    until(api, run, "dead_lettered")
    page = signed_in(f"/runs/{run}?step=invoice")
    # A page that is merely looked at asks nobody.
    ask = page.get_by_role("button", name="Ask the other system whether it happened")
    ask.click()
    panel = page.get_by_role("region", name="Create invoice")
    expect(panel.get_by_role("group", name="Safe to repeat")).to_contain_text("practice-company was asked at")
    shot(page, "asked-panel")
    assert findings(page) == []
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog", name=re.compile("^Retry run"))
    said = row(dialog, "invoice").get_by_role("group", name="Safe to repeat")
    expect(said).to_contain_text("it is not there yet. It is safe to send it again.")
    shot(page, "asked-safe")
    row(dialog, "invoice").get_by_role("button", name="Edit…").click()
    dialog.get_by_text("More settings").click()
    dialog.get_by_label("Address", exact=True).fill(f"{COMPANY}/invoices")
    dialog.get_by_label("Look up at").fill(f"{COMPANY}/orders")
    expect(row(dialog, "invoice").get_by_text("Values were changed since.")).to_be_visible()
    row(dialog, "invoice").get_by_role("button", name="Ask again with the changed values").click()
    expect(row(dialog, "invoice").get_by_role("group", name="It happened already")).to_be_visible()
    expect(row(dialog, "invoice").get_by_label("Send it again all the same")).to_be_visible()
    dialog.get_by_label("Look up at").fill(COMPANY + BY_KEY)
    row(dialog, "invoice").get_by_role("button", name="Ask again with the changed values").click()
    expect(said).to_be_visible()
    dialog.get_by_role("button", name="Retry — 1 step runs again").click()
    expect(dialog).to_have_count(0)
    until(api, run, "completed")
    assert len(invoices(product, "ASK-8201")) == 1
    page.get_by_role("tab", name="Events").click()
    page.get_by_role("button", name="People", exact=True).click()
    expect(
        page.get_by_role("cell", name=re.compile("The other system was asked about Create invoice")).first
    ).to_be_visible()


def test_what_is_there_already_is_taken_over_and_not_sent_twice(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    run = given_up(api, product, "Invoices that are there already", "ASK-8202")
    (invoice,) = invoices(product, "ASK-8202")
    phone = signed_in(f"/runs/{run}", viewport=PHONE, dark=True)
    phone.get_by_role("button", name="Retry…", exact=True).click()
    dialog = phone.get_by_role("dialog", name=re.compile("^Retry run"))
    expect(row(dialog, "invoice").get_by_role("group", name="It happened already")).to_contain_text(invoice["id"])
    shot(phone, "asked-twice-phone-dark")
    phone.close()

    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog", name=re.compile("^Retry run"))
    line = row(dialog, "invoice")
    expect(line.get_by_role("group", name="It happened already")).to_contain_text(f"there already ({invoice['id']})")
    line.get_by_label("Send it again").check()
    dialog.get_by_role("button", name=re.compile("^Retry — ")).click()
    expect(line.get_by_role("alert")).to_contain_text("the other system has it already")
    shot(page, "asked-twice")
    assert findings(page) == []
    line.get_by_role("button", name="Take over what was found").click()
    expect(line).to_contain_text("It happened: not sent again")
    shot(page, "asked-taken")
    dialog.get_by_role("button", name=re.compile("^Retry — ")).click()
    expect(dialog).to_have_count(0)
    until(api, run, "completed")
    assert len(invoices(product, "ASK-8202")) == 1


def test_trying_one_of_many_sends_nothing_that_is_there_already(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    run = given_up(api, product, "Invoices tried one first", "ASK-8203")
    (invoice,) = invoices(product, "ASK-8203")
    workflow = api.call("GET", f"W/runs/{run}")["workflow"]["id"]
    page = signed_in(f"/dead-letters?workflow={workflow}", dark=True)
    page.get_by_role("button", name="Retry 1 run").click()
    expect(page.get_by_text("Nothing was sent.")).to_contain_text(invoice["id"])
    shot(page, "asked-trial-dark")
    assert findings(page) == []
    assert api.call("GET", f"W/runs/{run}")["generation"] == 1
    assert len(invoices(product, "ASK-8203")) == 1


def test_the_dialog_says_what_the_live_version_has_otherwise(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    live = api.publish("Payments with another address", order_to_payment("/paymets"))
    run = send_order(api, product, live, "SO-8301")
    other = order_to_payment("/payments")
    other["nodes"][2]["settings"] = {"timeout_seconds": 20}
    publish_anew(api, live, other)
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog", name="Retry run SO-8301")
    expect(dialog.get_by_text("Changed from v1 to v2:")).to_be_visible()
    changed = dialog.get_by_role("listitem").filter(has_text="Step “Take payment”")
    expect(changed).to_have_text("Step “Take payment”: Address, what happens if it fails")
    expect(row(dialog, "payment")).not_to_contain_text("Changed since v1")
    dialog.get_by_label("v2, which is live now").check()
    expect(row(dialog, "payment")).to_contain_text("Changed since v1: Address, what happens if it fails")
    expect(row(dialog, "receipt")).not_to_contain_text("Changed since")
    shot(page, "plan-changes")
    assert findings(page) == []
    phone = signed_in(f"/runs/{run}", viewport=PHONE, dark=True)
    phone.get_by_role("button", name="Retry…", exact=True).click()
    expect(phone.get_by_role("dialog").get_by_text("Changed from v1 to v2:")).to_be_visible()
    shot(phone, "plan-changes-phone-dark")
