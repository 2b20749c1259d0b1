"""A workflow that keeps failing is paused by itself, and accepts all the same; a run is paused and resumed by hand."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import expect_done, start
from tests.browser.test_retrying import order_to_payment, publish_anew, received, wait_for_end
from tests.browser.test_waits import order_shipped
from tests.product import Api, Product, Published

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
BREAKER = {"failures": 3, "percent": 0, "minutes": 15}


def orders(**payment: object) -> dict[str, Any]:
    """An order becomes an invoice and a payment; what is refused once has failed."""
    document = order_to_payment("/payments", **payment)
    for node in document["nodes"]:
        if node["type"] == "http.request@1":
            node["settings"] = {"retry": {"attempts": 1}}
    return document


def company(product: Product, method: str, order: dict[str, object] | None = None) -> None:
    """Give the practice company a standing order, or let it behave again."""
    url, host = f"{product.url}/behaviour", {"Host": "practice-company"}
    httpx2.request(method, url, headers=host, json=order, timeout=60).raise_for_status()


@pytest.fixture
def no_payments(product: Product) -> Iterator[None]:
    """The company takes no payments."""
    company(product, "POST", {"path": "/payments", "method": "POST", "behaviour": "fail=503"})
    yield
    company(product, "DELETE")


def post(product: Product, live: Published, number: str) -> str:
    """Post an order, which is accepted; the id of its run."""
    answer = httpx2.post(product.url + live.path, json={"number": number, "total": 120.5}, timeout=60)
    assert answer.is_success, answer.text
    run: str = answer.json()["run"]
    return run


def hold_of(api: Api, live: Published) -> dict[str, Any] | None:
    found: dict[str, Any] | None = api.call("GET", f"W/workflows/{live.workflow}")["hold"]
    return found


def paused_by_failures(api: Api, product: Product, name: str, document: dict[str, Any]) -> Published:
    """A workflow of which three runs failed in a row, so that it is paused."""
    live = api.publish(name, document)
    api.call("PUT", f"W/workflows/{live.workflow}/breaker", BREAKER)
    for number in range(1, 4):
        wait_for_end(api, post(product, live, f"{name}-{number}"))
    deadline = time.monotonic() + 120
    while hold_of(api, live) is None:
        assert time.monotonic() < deadline, "it was not paused"
        time.sleep(0.1)
    return live


def ended_in_order(api: Api, runs: list[str]) -> None:
    """All are done, and each began after the one before had ended."""
    views = [api.call("GET", f"W/runs/{run}") for run in runs]
    assert [view["status"] for view in views] == ["completed"] * len(runs)
    for before, after in pairwise(views):
        assert before["finished_at"] <= after["started_at"], (before, after)


def test_a_workflow_that_keeps_failing_pauses_itself_and_its_orders_wait_until_it_is_mended(
    signed_in: Opens, api: Api, product: Product, no_payments: None, shot: Shot
) -> None:
    live = paused_by_failures(api, product, "Orders in trouble", orders())
    waiting = [post(product, live, f"SO-81{number:02}") for number in range(4)]

    page = signed_in("/")
    row = page.get_by_role("link", name=re.compile("Orders in trouble")).filter(has_text="Paused by itself")
    expect(row).to_contain_text("4 runs held")
    row.click()
    banner = page.get_by_test_id("hold-banner")
    expect(banner).to_contain_text("Paused by itself, still accepting: it failed 3 times in a row.")
    expect(banner).to_contain_text("4 runs are held.")
    expect(banner).to_contain_text("Last failure:")
    expect(page.get_by_test_id("held-chip")).to_have_text("Paused · 4 held")
    shot(page, "control-held")

    # What it is about is known when it has begun.
    page.locator(f"a[href*='{waiting[3]}']").first.click()
    stopped = page.get_by_test_id("stopped-bar")
    expect(stopped).to_contain_text("Held: the workflow failed 3 times in a row")
    expect(page.get_by_test_id("run-facts")).to_contain_text("Held")
    expect(page.get_by_role("heading", name="The run is held")).to_be_visible()
    shot(page, "control-held-run")
    stopped.get_by_role("link", name="See the workflow").click()
    expect(banner).to_contain_text("4 runs are held.")

    # Nothing is mended yet: the first one fails, the others have not begun.
    banner.get_by_role("button", name="Try one first").click()
    expect(banner.get_by_test_id("trial")).to_contain_text("did not end well")
    expect(banner).to_contain_text("3 runs are held.")
    assert api.call("GET", f"W/runs/{waiting[0]}")["status"] == "dead_lettered"

    company(product, "DELETE")
    late = post(product, live, "SO-8104")
    expect(banner).to_contain_text("4 runs are held.")
    banner.get_by_role("button", name="Try one first").click()
    expect(banner.get_by_test_id("trial")).to_contain_text("ended well")
    expect(banner).to_contain_text("3 runs are held.")
    shot(page, "control-tried")
    assert api.call("GET", f"W/runs/{waiting[1]}")["status"] == "completed"

    banner.get_by_role("button", name="Resume…").click()
    dialog = page.get_by_role("dialog", name="Resume Orders in trouble")
    expect(dialog).to_contain_text("3 held runs go first")
    dialog.get_by_label("So many at a time").check()
    dialog.get_by_label("Runs at a time").fill("0")
    expect(dialog.get_by_role("button", name="Resume")).to_be_disabled()
    dialog.get_by_label("Runs at a time").fill("1")
    shot(page, "control-let-go")
    dialog.get_by_role("button", name="Resume").click()
    expect(dialog).to_have_count(0)
    expect(banner).to_have_count(0)
    expect(page.get_by_test_id("held-chip")).to_have_count(0)

    # Nothing is held any more as soon as the last one has begun.
    wait_for_end(api, late)
    ended_in_order(api, [*waiting[1:], late])
    for number in range(1, 5):
        [invoice] = received(product, "/invoices", f"SO-810{number}")
        assert len(received(product, "/payments", invoice["id"])) == 1
    wait_for_end(api, run := post(product, live, "SO-8105"))
    assert api.call("GET", f"W/runs/{run}")["status"] == "completed", "it runs as before"


def test_a_mended_version_is_tried_with_the_orders_that_came_after_it(
    signed_in: Opens, api: Api, product: Product
) -> None:
    live = paused_by_failures(api, product, "Orders to nowhere", order_to_payment("/paymets"))
    publish_anew(api, live, orders())
    page = signed_in(f"/workflows/{live.workflow}/build")
    banner = page.get_by_test_id("hold-banner")
    expect(banner).to_contain_text("Nothing is held yet.")
    expect(banner.get_by_role("button", name="Try one first")).to_have_count(0)
    runs = [post(product, live, f"SO-82{number:02}") for number in range(3)]
    expect(banner).to_contain_text("3 runs are held.")
    banner.get_by_role("button", name="Try one first").click()
    expect(banner.get_by_test_id("trial")).to_contain_text("ended well")
    banner.get_by_role("link", name="See that run").click()
    expect_done(page, payment="succeeded")
    page.go_back()
    banner.get_by_role("button", name="Resume…").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(banner).to_have_count(0)
    for run in runs:
        wait_for_end(api, run)
    assert [api.call("GET", f"W/runs/{run}")["status"] for run in runs] == ["completed"] * 3


def test_somebody_pauses_a_workflow_and_says_when_it_does_so_itself(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    live = api.publish("Orders by hand", orders())
    page = signed_in(f"/workflows/{live.workflow}/settings")
    in_a_row = page.get_by_label("Failures in a row")
    expect(in_a_row).to_have_value("10")
    in_a_row.fill("many")
    expect(in_a_row).to_have_accessible_description(re.compile("A whole number from 0 to 10,000."))
    in_a_row.fill("5")
    form = page.locator("form").filter(has=in_a_row)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("status")).to_have_text("Saved")
    assert api.call("GET", f"W/workflows/{live.workflow}")["breaker"]["failures"] == 5

    page.get_by_role("button", name="Pause, still accepting…").click()
    dialog = page.get_by_role("dialog", name="Pause Orders by hand?")
    dialog.get_by_label("Why? (optional)").fill("The shop moves house")
    shot(page, "control-pause")
    dialog.get_by_role("button", name="Pause").click()
    banner = page.get_by_test_id("hold-banner")
    expect(banner).to_contain_text("Paused by Alice, still accepting.")
    expect(banner).to_contain_text("The shop moves house")
    run = post(product, live, "SO-8301")
    expect(banner).to_contain_text("1 run is held.")
    assert api.call("GET", f"W/runs/{run}")["started_at"] is None
    banner.get_by_role("button", name="Resume…").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(banner).to_have_count(0)
    wait_for_end(api, run)


def test_a_run_that_waits_is_paused_and_goes_on_when_it_is_resumed(signed_in: Opens, api: Api, shot: Shot) -> None:
    run = start(api, "Close a paused order", order_shipped(), order="PO-781")
    page = signed_in(f"/runs/{run}")
    expect(page.locator('[data-step="shipped"][data-status="waiting"]')).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why? (optional)").fill("The warehouse counts its stock")
    dialog.get_by_role("button", name="Pause").click()
    stopped = page.get_by_test_id("stopped-bar")
    expect(stopped).to_contain_text("Paused by Alice")
    expect(stopped).to_contain_text("The warehouse counts its stock")
    shot(page, "control-paused-run")

    sent = {"name": "order.shipped", "key": "PO-781", "data": {"parcel": "0035"}}
    assert api.call("POST", "W/sent-events", sent)["moved_on"] == 1
    # It has come, and nothing begins by it: that is looked at when the run goes on, at the latest.
    view = api.call("GET", f"W/runs/{run}")
    assert (view["status"] == "completed", view["paused"]) == (False, True)
    expect(stopped).to_be_visible()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(stopped).to_have_count(0)
    expect_done(page, shipped="succeeded", close="succeeded")
    assert api.call("GET", f"W/runs/{run}/steps/close")["output"] == {"parcel": "0035"}
    expect(page.get_by_role("button", name="Pause", exact=True)).to_have_count(0)


@pytest.fixture(scope="module")
def stopped(api: Api, product: Product) -> Iterator[dict[str, str]]:
    """A workflow that paused itself, with two runs held; another one's run that is paused."""
    live = paused_by_failures(api, product, "Orders looked at", order_to_payment("/paymets"))
    held = [post(product, live, f"SO-84{number:02}") for number in range(2)]
    paused = start(api, "Close an order looked at", order_shipped(), order="PO-784")
    api.call("POST", f"W/runs/{paused}/pause", {"reason": "The warehouse counts its stock"})
    workflow = f"/workflows/{live.workflow}"
    yield {
        "runs": f"{workflow}/runs",
        "settings": f"{workflow}/settings",
        "editor": f"{workflow}/build",
        "list": "/workflows",
        "held-run": f"/runs/{held[0]}",
        "paused-run": f"/runs/{paused}",
    }
    for run in (*held, paused):
        api.call("POST", f"W/runs/{run}/cancel", {})
    api.call("DELETE", f"W/workflows/{live.workflow}")


@pytest.mark.parametrize("size", SIZES)
def test_what_is_paused_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, stopped: dict[str, str], shot: Shot
) -> None:
    page = signed_in(viewport=SIZES[size])
    for name, address in stopped.items():
        page.emulate_media(color_scheme=THEMES[size][0])
        page.goto(address)
        marks = {"list": "held-chip", "held-run": "stopped-bar", "paused-run": "stopped-bar"}
        expect(page.get_by_test_id(marks.get(name, "hold-banner")).first).to_be_visible()
        readable(page, size, f"control-{name}", shot)


def called(name: str, *, fails: bool = False) -> dict[str, Any]:
    """What another workflow runs."""
    does = (
        step("work", "flow.fail@1", "Refuse it", (0, 150), message="No such supplier")
        if fails
        else edit_fields("work", "Check the supplier", (0, 150), fine="yes")
    )
    return graph([step("start", "trigger.called@1", "Called", (0, 0)), does], [("start", "work")])


def caller(workflow: str, **how: Any) -> dict[str, Any]:
    """Orders that have something done by that workflow."""
    runs = step("runs", "flow.run_workflow@1", "Check the supplier", (0, 150), workflow=workflow, **how)
    return graph([step("start", "trigger.manual@1", "Order comes in", (0, 0)), runs], [("start", "runs")])


def test_a_call_of_a_paused_workflow_waits_for_that_and_says_so(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    other = api.publish("Supplier check", called("Supplier check")).workflow
    api.call("POST", f"W/workflows/{other}/hold", {"reason": "The register is being moved"})
    run = start(api, "Orders that check", caller(other))
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_text("the workflow it runs is paused").first).to_be_visible()
    shot(page, "control-call-held")
    api.call("POST", f"W/workflows/{other}/let-go", {})
    expect_done(page, runs="succeeded")


def test_the_failure_of_a_workflow_that_was_only_started_is_told_at_who_started_it(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    other = api.publish("Supplier check that fails", called("Supplier check", fails=True)).workflow
    live = api.publish("Orders that go on", caller(other, wait=False)).workflow
    run = api.call("POST", f"W/workflows/{live}/runs", {"input": {}})["id"]
    deadline = time.monotonic() + 120
    while not api.call("GET", f"W/runs/{run}")["failed_calls"]:
        assert time.monotonic() < deadline, "nobody was told"
        time.sleep(0.1)
    page = signed_in(f"/workflows/{live}/runs")
    expect(page.get_by_text("Done, a workflow it started failed").first).to_be_visible()
    shot(page, "control-call-failed-list")
    page.goto(f"/runs/{run}")
    expect(page.get_by_text("The run is done, a workflow that it started failed")).to_be_visible()
    shot(page, "control-call-failed")
