"""Runs that failed for good: one is tried first, then the others; or they were put right elsewhere, or are given up."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import fits
from tests.browser.editing import graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_retrying import COMPANY, fire, order_to_payment, publish_anew, received
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]


def invoicing(address: str, name: str = "Create invoice") -> dict[str, Any]:
    """An order becomes an invoice at this address, which is tried once."""
    order = step("order", "trigger.webhook@1", "Order comes in", (0, 0), business_key="{{ trigger.body.number }}")
    body = {"order": "{{ trigger.body.number }}", "customer": "C-200", "amount": "{{ trigger.body.total }}"}
    config = {"method": "POST", "url": COMPANY + address, "body_type": "json", "json_body": body}
    invoice = step("invoice", "http.request@1", name, (0, 150), **config)
    invoice["settings"] = {"retry": {"attempts": 1}}
    return graph([order, invoice], [("order", "invoice")])


def fail(api: Api, product: Product, name: str, address: str, numbers: list[str]) -> list[str]:
    """Runs of a new workflow of this name, one for each number, that have failed at this address."""
    live = api.publish(name, invoicing(address))
    return [fire(api, product, live, number) for number in numbers]


def group(page: Page, workflow: str) -> Locator:
    """The runs of a workflow that failed alike."""
    return page.get_by_role("list", name="Dead letters by cause").locator(":scope > li").filter(has_text=workflow)


def leave_none(api: Api) -> None:
    """Let nothing of other tests stand in the list, or go on."""
    for one in api.call("GET", "W/dead-letters/bulk-retries")["items"]:
        if one["open"]:
            api.call("POST", f"W/dead-letters/bulk-retries/{one['id']}/stop")
    for one in api.call("GET", "W/dead-letters")["items"]:
        runs = [letter["run"]["id"] for letter in api.call("GET", f"W/dead-letters/{one['cause']}")["items"]]
        api.call("POST", "W/dead-letters/discard", {"runs": runs, "reason": "of another test"})


def test_one_is_tried_first_and_the_others_only_when_it_worked(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Down for a while", "/with/fail=503*1/invoices", ["SO-8001", "SO-8002", "SO-8003"])
    page = signed_in("/dead-letters")
    mine = group(page, "Down for a while")
    expect(mine).to_have_count(1)
    expect(mine).to_contain_text("3 runs")
    expect(page.get_by_role("link", name="Dead letters, 3 wait")).to_be_visible()
    shot(page, "dead-letters-closed")

    fold = mine.get_by_role("button", expanded=False).first
    fold.focus()
    page.keyboard.press("Enter")
    expect(mine.get_by_role("link", name=re.compile("^SO-800"))).to_have_text(["SO-8003", "SO-8002", "SO-8001"])

    mine.get_by_role("button", name="Try 1 first").click()
    expect(mine.get_by_role("status").filter(has_text="It worked. Retry the other 2?")).to_be_visible()
    expect(mine.get_by_role("link", name="Look at SO-8003")).to_be_visible()
    expect(mine).to_contain_text("2 runs")
    expect(mine.get_by_test_id(re.compile("^letter-"))).to_have_count(2)
    shot(page, "dead-letters-tried")

    mine.get_by_role("button", name="Retry the other 2…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("How many")).to_be_focused()
    expect(dialog).to_contain_text("Retry 2 runs from their failed step. 2 safe to repeat.")
    shot(page, "dead-letters-retry")
    dialog.get_by_role("button", name="Retry 2 runs").click()
    expect(dialog.get_by_role("status")).to_have_text("All 2 worked.")
    shot(page, "dead-letters-retried")
    dialog.get_by_role("button", name="Close").last.click()

    expect(page.get_by_role("heading", name="No dead letters.")).to_be_visible()
    expect(page.get_by_role("link", name="Dead letters", exact=True)).to_be_visible()
    assert len([one for n in (1, 2, 3) for one in received(product, "/invoices", f"SO-800{n}")]) == 3


def test_the_focus_goes_back_to_what_opened_a_dialog(signed_in: Opens, api: Api, product: Product) -> None:
    leave_none(api)
    fail(api, product, "Down for the keyboard", "/with/fail=503/invoices", ["SO-8011", "SO-8012"])
    page = signed_in("/dead-letters")
    mine = group(page, "Down for the keyboard")
    many, more = mine.get_by_role("button", name="Retry…"), mine.get_by_role("button", name="More actions")
    inside = page.get_by_role("dialog").locator(":focus")
    # One right after another: what the first has still to do must not meddle with the next.
    for _ in range(4):
        many.focus()
        page.keyboard.press("Enter")
        expect(inside).to_have_count(1)
        page.keyboard.press("Escape")
        expect(many).to_be_focused()
        more.focus()
        page.keyboard.press("Enter")
        page.get_by_role("menuitem").first.press("Enter")
        expect(inside).to_have_count(1)
        page.keyboard.press("Escape")
        expect(more).to_be_focused()
    leave_none(api)


def test_what_came_of_the_only_run_is_told_when_its_group_is_gone(signed_in: Opens, api: Api, product: Product) -> None:
    leave_none(api)
    [run] = fail(api, product, "Down for one", "/with/fail=503*1/invoices", ["SO-8005"])
    page = signed_in("/dead-letters")
    mine = group(page, "Down for one")
    mine.get_by_role("button", name="Retry 1 run").click()
    expect(mine.get_by_role("status")).to_have_text("It worked.")
    expect(mine.get_by_role("link", name="Look at SO-8005")).to_have_attribute("href", f"/runs/{run}")
    expect(page.get_by_role("heading", name="No dead letters.")).to_be_visible()
    assert api.call("GET", f"W/runs/{run}")["generation"] == 2
    mine.get_by_role("button", name="Close").click()
    expect(mine).to_have_count(0)


def test_a_run_in_doubt_is_left_to_a_person(signed_in: Opens, api: Api, product: Product) -> None:
    leave_none(api)
    live = api.publish("In doubt", order_to_payment("/with/drop/payments", send_key=False))
    run = fire(api, product, live, "SO-8006")
    page = signed_in("/dead-letters")
    mine = group(page, "In doubt")
    mine.get_by_role("button", name="Retry 1 run").click()
    expect(mine.get_by_role("status")).to_have_text("Somebody has to look at the plan of this run first.")
    expect(mine).to_contain_text("1 run")
    mine.get_by_role("link", name="Look at SO-8006").click()
    page.wait_for_url(f"**/runs/{run}")
    assert api.call("GET", f"W/runs/{run}")["generation"] == 1


def test_the_plan_says_what_would_be_done_a_second_time_on_the_version_that_is_chosen(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    live = api.publish("Asked otherwise", invoicing("/with/drop/invoices"))
    for number in ("SO-8601", "SO-8602"):
        fire(api, product, live, number)
    publish_anew(api, live, invoicing("/invoices?again=1"))
    page = signed_in("/dead-letters")
    group(page, "Asked otherwise").get_by_role("button", name="Retry…", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Retry 2 runs from their failed step. 2 safe to repeat.")
    dialog.get_by_role("radio", name="The published version").check()
    asks = "2 will ask, 2 of those would do something outside a second time. They are left for you to open and decide."
    expect(dialog).to_contain_text(f"Retry 2 runs from their failed step. {asks}")
    shot(page, "dead-letters-again-light")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    shot(page, "dead-letters-again-phone-dark")
    dialog.get_by_label("How many").fill("1")
    expect(dialog).to_contain_text("Retry 1 run from its failed step. 1 will ask, 1 of those")
    dialog.get_by_role("button", name="Retry 1 run").click()
    expect(dialog.get_by_role("status")).to_have_text("0 of 1 retried run worked.")
    assert len(received(product, "/invoices", "SO-8602")) == 1, "nothing was sent before somebody has decided"


def test_when_the_first_fails_again_nothing_else_is_retried(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    runs = fail(api, product, "Wrong for good", "/invoicez", ["SO-8011", "SO-8012"])
    page = signed_in("/dead-letters")
    mine = group(page, "Wrong for good")
    mine.get_by_role("button", name="Try 1 first").click()
    told = mine.get_by_role("status").filter(has_text="It failed again")
    expect(told).to_contain_text("Nothing else was retried.")
    expect(mine).to_contain_text("2 runs")
    shot(page, "dead-letters-failed-again")
    assert [api.call("GET", f"W/runs/{run}")["generation"] for run in runs] == [1, 2]


def test_of_many_that_fail_again_the_rest_is_left_alone(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Wrong for many", "/invoicez", [f"SO-802{number}" for number in range(7)])
    page = signed_in("/dead-letters")
    group(page, "Wrong for many").get_by_role("button", name="Retry…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("How many").fill("8")
    dialog.get_by_role("button", name=re.compile("^Retry ")).click()
    expect(dialog.get_by_text("Type a number from 1 to 7.")).to_be_visible()
    dialog.get_by_label("How many").fill("7")
    dialog.get_by_role("button", name="Retry 7 runs").click()
    expect(dialog.get_by_role("status")).to_contain_text("2 runs were left as they are.")
    expect(dialog.get_by_role("status")).to_contain_text("Stopped, because 5 runs failed again or need a person.")
    expect(dialog.get_by_role("link", name=re.compile("^SO-802"))).to_have_count(5)
    shot(page, "dead-letters-stopped")


def test_a_bulk_retry_goes_on_when_the_page_is_left_and_is_found_and_stopped_there_again(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    # So many that it goes on for longer than a slow machine takes to leave the page, open it again and stop it there.
    numbers = [f"SO-807{number}" for number in range(9)]
    fail(api, product, "Down and left", "/with/fail=503*1/invoices", numbers)
    page = signed_in("/dead-letters")
    group(page, "Down and left").get_by_role("button", name="Retry…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="10 a minute").check()
    dialog.get_by_label("Reason (optional)").fill("The ERP is back.")
    shot(page, "dead-letters-bulk")
    dialog.get_by_role("button", name="Retry 9 runs").click()
    expect(dialog.get_by_text(re.compile("[1-8] of 9 runs"))).to_be_visible()
    shot(page, "dead-letters-bulk-under-way")
    page.goto("about:blank")
    (bulk,) = [one for one in api.call("GET", "W/dead-letters/bulk-retries")["items"] if one["open"]]
    assert (bulk["status"], bulk["per_minute"], bulk["reason"]) == ("running", 10, "The ERP is back.")

    again = signed_in("/dead-letters")
    line = again.get_by_role("list", name="Bulk retries").get_by_role("listitem")
    expect(line).to_contain_text("Bulk retry under way:")
    # The next begins six seconds after the first.
    expect(line).to_contain_text(re.compile("[2-8] of 9 runs, 0 failed again."))
    shot(again, "dead-letters-bulk-found")
    line.get_by_role("button", name="Show…").click()
    expect(again.get_by_role("dialog").get_by_role("progressbar")).to_have_attribute("aria-valuemax", "9")
    again.keyboard.press("Escape")
    expect(again.get_by_role("dialog")).to_have_count(0)
    line.get_by_role("button", name="Stop").click()
    expect(line).to_contain_text("Bulk retry stopped:")
    expect(line.get_by_role("button", name="Stop")).to_have_count(0)
    deadline = time.monotonic() + 120
    while (ended := api.call("GET", f"W/dead-letters/bulk-retries/{bulk['id']}"))["under_way"]:
        assert time.monotonic() < deadline, "what was begun goes on to its end"
        time.sleep(0.1)
    assert (ended["status"], ended["left"] + ended["begun"]) == ("cancelled", 9)
    assert ended["left"] > 0
    assert len([one for number in numbers for one in received(product, "/invoices", number)]) == ended["done"]
    leave_none(api)


def test_in_bulk_too_the_others_wait_until_somebody_has_seen_the_first(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Down once more", "/with/fail=503*1/invoices", ["SO-8081", "SO-8082", "SO-8083"])
    (one,) = api.call("GET", "W/dead-letters")["items"]
    api.call("POST", f"W/workflows/{one['workflow']['id']}/hold", {"reason": "The ERP is down."})
    page = signed_in("/dead-letters")
    group(page, "Down once more").get_by_role("button", name="Retry…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("These runs go on at once all the same.")).to_be_visible()
    dialog.get_by_role("checkbox", name="Try 1 first").check()
    dialog.get_by_role("button", name="Retry 3 runs").click()
    expect(dialog.get_by_role("status")).to_have_text("The first one worked.")
    expect(dialog.get_by_role("link", name="SO-8083")).to_be_visible()
    shot(page, "dead-letters-bulk-waits")
    dialog.get_by_role("button", name="Close").last.click()
    line = page.get_by_role("list", name="Bulk retries").get_by_role("listitem")
    expect(line).to_contain_text("the others wait for your word")
    line.get_by_role("button", name="Retry the other 2").click()
    expect(line).to_contain_text("3 of 3 runs, 0 failed again.")
    expect(line).to_contain_text("Bulk retry done:")
    shot(page, "dead-letters-bulk-done")
    expect(page.get_by_role("heading", name="No dead letters.")).to_be_visible()


def test_putting_right_elsewhere_needs_a_reason(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    runs = fail(api, product, "Booked by hand", "/invoicez", ["SO-8031", "SO-8032"])
    page = signed_in("/dead-letters")
    mine = group(page, "Booked by hand")
    mine.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Put right elsewhere…").click()
    dialog = page.get_by_role("dialog", name="Put right outside of Millrace")
    dialog.get_by_role("button", name="Mark 2 runs as put right").click()
    expect(dialog.get_by_text("Say why.")).to_be_visible()
    reason = dialog.get_by_label("Reason")
    expect(reason).to_be_focused()
    shot(page, "dead-letters-reason")
    reason.fill("Booked by Ines in the ERP.")
    dialog.get_by_role("button", name="Mark 2 runs as put right").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="No dead letters.")).to_be_visible()
    assert api.call("GET", "W/dead-letters")["count"] == 0
    page.goto(f"/runs/{runs[0]}")
    overview = page.get_by_role("region", name="About this run")
    expect(overview.get_by_role("heading", name="The run failed, and was settled by hand")).to_be_visible()
    expect(overview).to_contain_text("Put right elsewhere by Alice")
    expect(overview).to_contain_text("Booked by Ines in the ERP.")
    expect(page.get_by_test_id("run-facts")).to_contain_text("Settled by hand")
    shot(page, "run-settled")


def test_what_was_chosen_is_discarded_by_whoever_types_how_many(signed_in: Opens, api: Api, product: Product) -> None:
    leave_none(api)
    runs = fail(api, product, "Given up", "/invoicez", ["SO-8041", "SO-8042", "SO-8043"])
    page = signed_in("/dead-letters")
    mine = group(page, "Given up")
    mine.get_by_role("button", expanded=False).first.click()
    mine.get_by_role("checkbox", name="Choose SO-8041").check()
    mine.get_by_role("checkbox", name="Choose SO-8043").check()
    expect(mine.get_by_role("button", name="Retry 2 chosen…")).to_be_visible()
    mine.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Discard…").click()
    dialog = page.get_by_role("dialog", name="Discard 2 runs?")
    dialog.get_by_label("Reason").fill("Ordered by mistake.")
    dialog.get_by_role("button", name="Discard 2 runs").click()
    expect(dialog.get_by_text("Type 2, the number of runs.")).to_be_visible()
    dialog.get_by_label("Type 2 to confirm").fill("2")
    dialog.get_by_role("button", name="Discard 2 runs").click()
    expect(mine.get_by_test_id(re.compile("^letter-"))).to_have_count(1)
    expect(mine.get_by_test_id(f"letter-{runs[1]}")).to_be_visible()
    expect(mine).to_contain_text("1 run")


@pytest.mark.parametrize("size", SIZES)
def test_the_list_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    fail(api, product, "Supplier invoices", "/invoicez", [f"SO-805{number}" for number in range(4)])
    fail(api, product, "Order to cash again", "/with/fail=422/invoices", ["SO-8061", "SO-8062", "SO-8063"])
    (one, _) = api.call("GET", "W/dead-letters")["items"]
    bulk = api.call("POST", "W/dead-letters/bulk-retries", {"cause": one["cause"], "trial": True})
    page = signed_in("/dead-letters", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    mine = group(page, "Supplier invoices")
    mine.get_by_role("button", expanded=False).first.click()
    mine.get_by_role("checkbox", name="Choose SO-8052").check()
    line = page.get_by_role("list", name="Bulk retries").get_by_role("listitem")
    expect(line).to_contain_text("the others wait for your word")
    readable(page, size, "dead-letters", shot)
    line.get_by_role("button", name="Show…").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("The first one failed again")
    readable(page, size, "dead-letters-bulk-one", shot)
    api.call("POST", f"W/dead-letters/bulk-retries/{bulk['id']}/stop")


@pytest.mark.parametrize("size", SIZES)
def test_whoever_is_asked_to_go_on_with_the_others_is_told_that_another_version_is_live_by_now(
    size: str, signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    leave_none(api)
    live = api.publish(f"Published meanwhile {size}", invoicing("/invoicez"))
    for number in range(3):
        fire(api, product, live, f"SO-807{number}")
    publish_anew(api, live, invoicing("/invoices"))
    (one,) = api.call("GET", "W/dead-letters")["items"]
    asked = {"cause": one["cause"], "trial": True, "version": "published"}
    api.call("POST", "W/dead-letters/bulk-retries", asked)
    page = signed_in("/dead-letters", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    line = page.get_by_role("list", name="Bulk retries").get_by_role("listitem")
    expect(line.get_by_role("button", name="Retry the other 2")).to_be_visible()
    expect(line).not_to_contain_text("is live by now")
    publish_anew(api, live, invoicing("/invoices", "Create another invoice"))
    page.reload()
    said = f"v3 of “Published meanwhile {size}” is live by now. This goes on with v2"
    expect(line.get_by_role("status")).to_contain_text(said)
    readable(page, size, "bulk-held", shot)
    line.get_by_role("button", name="Stop").click()
