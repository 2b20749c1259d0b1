"""A run failed: somebody looks at what a retry would do, mends what was wrong, and watches it end."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.product import Api, Product, Published

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
COMPANY = "http://practice-company"
Opens = Callable[..., Page]


def write(key: str, name: str, at: tuple[int, int], address: str, body: object, **more: object) -> dict[str, Any]:
    """A step that posts JSON to the practice company."""
    config = {"method": "POST", "url": COMPANY + address, "body_type": "json", "json_body": body, **more}
    return step(key, "http.request@1", name, at, **config)


def order_to_payment(payments: str, **payment: object) -> dict[str, Any]:
    """An order becomes an invoice, its payment is taken at this address, and the receipt is noted."""
    order = step("order", "trigger.webhook@1", "Order comes in", (0, 0), business_key="{{ trigger.body.number }}")
    asked = {"order": "{{ trigger.body.number }}", "customer": "C-200", "amount": "{{ trigger.body.total }}"}
    invoice = write("invoice", "Create invoice", (0, 150), "/invoices", asked)
    paid = {"invoice": "{{ steps.invoice.body.id }}", "amount": "{{ steps.invoice.body.amount }}", "method": "card"}
    take = write("payment", "Take payment", (0, 300), payments, paid, **payment)
    note = edit_fields("receipt", "Note the receipt", (0, 450), receipt="{{ default(steps.payment.body.id, '') }}")
    return graph([order, invoice, take, note], [("order", "invoice"), ("invoice", "payment"), ("payment", "receipt")])


def fire(api: Api, product: Product, live: Published, number: str, total: float = 120.5) -> str:
    """Post an order; the id of its run, once that has ended."""
    posted = httpx2.post(product.url + live.path, json={"number": number, "total": total}, timeout=60)
    run: str = posted.json()["run"]
    wait_for_end(api, run)
    return run


def wait_for_end(api: Api, run: str) -> None:
    deadline = time.monotonic() + 120
    while api.call("GET", f"W/runs/{run}")["finished_at"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def publish_anew(api: Api, live: Published, document: dict[str, Any]) -> None:
    """Publish another drawing of a workflow."""
    path = f"W/workflows/{live.workflow}"
    revision = api.call("GET", f"{path}/draft")["revision"]
    api.call("PUT", f"{path}/draft", {"graph": document}, headers={"If-Match": f'"{revision}"'})
    api.call("POST", f"{path}/publish", {"revision": revision + 1, "note": "mended"})


def received(product: Product, path: str, word: str) -> list[dict[str, Any]]:
    """The invoices or payments in the company's books in which this word stands."""
    items = httpx2.get(product.url + path, headers={"Host": "practice-company"}, timeout=60).json()["items"]
    return [item for item in items if word in item.values()]


def row(dialog: Locator, node: str) -> Locator:
    """A step's line in the plan."""
    return dialog.locator(f'[data-plan-step="{node}"]')


def test_a_refused_payment_is_mended_and_the_invoice_is_not_made_again(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    run = fire(api, product, api.publish("Wrong address", order_to_payment("/paymets")), "SO-7001")
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_role("heading", name="The run failed")).to_be_visible()

    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog", name="Retry run SO-7001")
    expect(row(dialog, "invoice")).to_contain_text("Kept")
    expect(row(dialog, "payment")).to_contain_text("Runs again — it was refused, so nothing happened")
    expect(row(dialog, "receipt")).to_contain_text("Comes next")
    shot(page, "retry-plan")

    row(dialog, "payment").get_by_role("button", name="Edit…").click()
    dialog.get_by_label("Address").fill("")
    dialog.get_by_role("button", name="Retry — 1 step runs again").click()
    expect(row(dialog, "payment").get_by_role("alert")).to_contain_text("Address")
    expect(dialog.get_by_label("Method")).to_be_focused()
    shot(page, "retry-refused")
    dialog.get_by_label("Address").fill(f"{COMPANY}/payments")
    expect(dialog.get_by_text(f"was {COMPANY}/paymets")).to_be_visible()
    shot(page, "retry-edit")
    dialog.get_by_role("button", name="Retry — 1 step runs again").click()

    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    expect(page.locator('[data-step="receipt"][data-status="succeeded"]')).to_be_visible()
    [invoice] = received(product, "/invoices", "SO-7001")
    assert len(received(product, "/payments", invoice["id"])) == 1

    page.get_by_role("button", name="Retried once").click()
    expect(page.get_by_role("list", name="Retries of this run")).to_contain_text("Edited: Take payment")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("cell", name="Retried with edited data, by Alice")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Step 3 of 4, Take payment")).click()
    page.get_by_role("tab", name="Attempts").click()
    expect(page.get_by_role("heading", name="Retry 1")).to_be_visible()
    expect(page.get_by_role("heading", name="First go")).to_be_visible()
    expect(page.get_by_text(re.compile("^By worker "))).to_have_count(2)
    page.get_by_text("What was different from: First go · Try 1").click()
    sent = page.get_by_role("table", name="What was sent").get_by_role("row")
    expect(sent.filter(has_text="paymets")).to_have_count(1)
    expect(page.get_by_role("table", name="What it failed of")).to_be_visible()
    assert findings(page) == []
    shot(page, "retried")


def test_what_nobody_knows_is_asked_before_it_is_sent_a_second_time(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    live = api.publish("Lost answer", order_to_payment("/with/drop/payments", send_key=False))
    run = fire(api, product, live, "SO-7002")
    [invoice] = received(product, "/invoices", "SO-7002")
    page = signed_in(f"/runs/{run}?step=payment")

    page.get_by_role("button", name="Fix and retry…").click()
    dialog = page.get_by_role("dialog")
    payment = row(dialog, "payment")
    expect(payment).to_contain_text("Nobody knows whether this happened")
    expect(payment.get_by_text(f"{COMPANY}/with/drop/payments").first).to_be_visible()

    happened = payment.get_by_role("radio", name="It happened")
    expect(happened).to_be_focused()
    dialog.get_by_role("button", name=re.compile("^Retry — ")).click()
    expect(payment.get_by_text("Say whether this happened.")).to_be_visible()
    expect(happened).to_be_focused()
    page.keyboard.press("Space")
    payment.get_by_label("Its result, as JSON").fill('{"body": {"id": "PAY-BY-HAND"}}')
    shot(page, "retry-doubt")
    dialog.get_by_role("button", name="Retry — 1 step comes next").click()

    expect(page.get_by_role("heading", name="Take payment")).to_be_visible()
    expect(page.locator('[data-testid="run-facts"][data-status="completed"]')).to_be_visible()
    page.get_by_role("button", name=re.compile("^Step 4 of 4, Note the receipt")).click()
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_text("PAY-BY-HAND")).to_be_visible()
    assert len(received(product, "/payments", invoice["id"])) == 1


def test_going_on_from_a_step_that_is_done_needs_a_yes_to_what_happens_twice(
    signed_in: Opens, api: Api, product: Product
) -> None:
    run = fire(api, product, api.publish("Wrong address too", order_to_payment("/paymets")), "SO-7003")
    page = signed_in(f"/runs/{run}?step=payment")
    page.get_by_role("button", name="Fix and retry…").click()
    expect(page.get_by_role("dialog").get_by_label("Method")).to_be_focused()
    page.wait_for_function("() => document.getAnimations().length === 0")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Fix and retry…")).to_be_focused()
    page.get_by_role("button", name=re.compile("^Step 2 of 4, Create invoice")).click()
    page.get_by_role("button", name="More ways to go on").click()
    page.get_by_role("menuitem", name="Retry from here…").click()
    dialog = page.get_by_role("dialog")
    invoice = row(dialog, "invoice")
    expect(invoice).to_contain_text("Happens a second time")

    dialog.get_by_role("button", name="Retry — 2 steps run again").click()
    expect(invoice.get_by_text("Say that it may happen a second time.")).to_be_visible()
    expect(invoice.get_by_role("checkbox")).to_be_focused()
    assert len(received(product, "/invoices", "SO-7003")) == 1
    page.keyboard.press("Space")
    dialog.get_by_role("button", name="Retry — 2 steps run again").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Retried once")).to_be_visible()
    expect(page.locator('[data-testid="run-facts"][data-status="dead_lettered"]')).to_be_visible()
    assert len(received(product, "/invoices", "SO-7003")) == 2


def test_a_version_that_was_mended_in_the_meantime_takes_over_what_fits_it(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    live = api.publish("Mended", order_to_payment("/paymets"))
    run = fire(api, product, live, "SO-7006")
    publish_anew(api, live, order_to_payment("/payments"))
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="v1, as this run had it")).to_be_checked()
    dialog.get_by_role("radio", name="v2, which is live now").check()
    shot(page, "retry-version")
    dialog.get_by_role("button", name="Retry — 1 step runs again").click()
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    expect(page.get_by_test_id("run-facts")).to_contain_text("Version v2")
    assert len(received(product, "/invoices", "SO-7006")) == 1


def test_a_version_that_is_drawn_otherwise_cannot_be_chosen(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    live = api.publish("Redrawn", order_to_payment("/paymets"))
    run = fire(api, product, live, "SO-7007")
    drawn = order_to_payment("/payments")
    drawn["nodes"].append(edit_fields("check", "Check the order", (0, 75), ok="yes"))
    drawn["edges"][0]["target"] = "check"
    drawn["edges"].append({**drawn["edges"][0], "id": "more", "source": "check", "target": "invoice"})
    publish_anew(api, live, drawn)
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="v2, which is live now").check()
    expect(dialog.get_by_text("v2 does not fit this run")).to_contain_text("“Create invoice”")
    expect(dialog.get_by_role("button", name=re.compile("^Retry — "))).to_be_disabled()
    shot(page, "retry-incompatible")
    dialog.get_by_role("radio", name="v1, as this run had it").check()
    expect(dialog.get_by_role("button", name="Retry — 1 step runs again")).to_be_enabled()


def test_a_cancelled_run_goes_on_where_it_was_cancelled(signed_in: Opens, api: Api, product: Product) -> None:
    order = step("order", "trigger.webhook@1", "Order comes in", (0, 0), business_key="{{ trigger.body.number }}")
    event = {"name": "goods.came", "key": "{{ trigger.body.number }}"}
    pause = {**step("pause", "flow.wait_event@1", "Wait for the goods", (0, 150)), "config": event}
    note = edit_fields("note", "Note it", (0, 300), ok="yes")
    live = api.publish("Waits", graph([order, pause, note], [("order", "pause"), ("pause", "note")]))
    run = httpx2.post(product.url + live.path, json={"number": "SO-7009"}, timeout=60).json()["run"]
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Cancel run…").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Keep running")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Cancel this run").click()
    expect(page.get_by_role("heading", name="The run was cancelled")).to_be_visible()
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog", name="Retry run SO-7009")
    dialog.get_by_role("button", name=re.compile("^Retry — ")).click()
    expect(page.locator('[data-step="pause"][data-status="waiting"]')).to_be_visible()
    api.call("POST", "W/sent-events", {"name": "goods.came", "key": "SO-7009"})
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()


def test_somebody_who_was_quicker_is_not_overtaken(signed_in: Opens, api: Api, product: Product) -> None:
    run = fire(api, product, api.publish("Wrong address again", order_to_payment("/paymets")), "SO-7004")
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(row(dialog, "payment")).to_be_visible()

    plan = api.call("GET", f"W/runs/{run}/retry-plan")

    def be_quicker(route: Route) -> None:
        api.call("POST", f"W/runs/{run}/retry", {"plan": plan["id"]})
        wait_for_end(api, run)
        route.continue_()

    page.route("**/retry", be_quicker)
    again = dialog.get_by_role("button", name="Retry — 1 step runs again")
    again.click()
    expect(dialog.get_by_text("The run has changed. Look at the new plan.")).to_be_visible()
    page.unroute("**/retry")
    assert api.call("GET", f"W/runs/{run}")["generation"] == 2
    again.click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Retried 2 times")).to_be_visible()


def test_nothing_is_pressed_in_vain_while_the_plan_is_read_anew(signed_in: Opens, api: Api, product: Product) -> None:
    run = fire(api, product, api.publish("Wrong address once more", order_to_payment("/paymets")), "SO-7010")
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(row(dialog, "payment")).to_be_visible()
    outdated = json.dumps({"title": "Look at the new plan", "status": 409, "code": "plan_outdated", "detail": "Look."})
    page.route(
        "**/retry",
        lambda route: route.fulfill(status=409, content_type="application/problem+json", body=outdated),
    )
    plans: list[Route] = []
    page.route("**/retry-plan*", lambda route: plans.append(route))
    again = dialog.get_by_role("button", name="Retry — 1 step runs again")
    again.click()
    expect(dialog.get_by_text("The run has changed. Look at the new plan.")).to_be_visible()
    expect(again).to_be_disabled()
    page.unroute("**/retry")
    page.unroute("**/retry-plan*")
    for route in plans:
        with contextlib.suppress(Error):
            route.continue_()
    again.click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Retried once")).to_be_visible()


def test_whoever_looks_at_the_run_sees_it_go_on_without_loading_it_again(
    signed_in: Opens, api: Api, product: Product
) -> None:
    live = api.publish("Watched", order_to_payment("/paymets"))
    run = fire(api, product, live, "SO-7008")
    publish_anew(api, live, order_to_payment("/payments"))
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_role("heading", name="The run failed")).to_be_visible()
    plan = api.call("GET", f"W/runs/{run}/retry-plan?version=2")
    api.call("POST", f"W/runs/{run}/retry", {"plan": plan["id"], "version": 2})
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    expect(page.get_by_test_id("run-facts")).to_contain_text("Version v2")
    expect(page.get_by_role("button", name="Retried once")).to_be_visible()
    expect(page.get_by_role("button", name="Retry…", exact=True)).to_have_count(0)


def test_starting_anew_does_everything_a_second_time(signed_in: Opens, api: Api, product: Product) -> None:
    run = fire(api, product, api.publish("Wrong address at last", order_to_payment("/paymets")), "SO-7005")
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="More ways to go on").click()
    page.get_by_role("menuitem", name="Start anew…").click()
    dialog = page.get_by_role("dialog", name="Start SO-7005 anew?")
    expect(dialog).to_contain_text("Everything is done anew")
    dialog.get_by_role("button", name="Start another run").click()
    expect(page.get_by_text("Started anew from")).to_be_visible()
    expect(page.get_by_role("link", name=run[-8:])).to_have_attribute("href", f"/runs/{run}")
    expect(page.get_by_role("heading", name="The run failed")).to_be_visible()
    assert len(received(product, "/invoices", "SO-7005")) == 2


@pytest.mark.parametrize("size", SIZES)
def test_the_plan_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    live = api.publish(f"Lost {size}", order_to_payment("/with/drop/payments", send_key=False))
    run = fire(api, product, live, f"SO-{size}")
    page = signed_in(f"/runs/{run}", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    page.get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog")
    payment = row(dialog, "payment")
    payment.get_by_role("radio", name="Send it again").check()
    payment.get_by_role("button", name="Edit…").click()
    payment.get_by_label("Address").fill(f"{COMPANY}/payments")
    readable(page, size, "retry", shot)
