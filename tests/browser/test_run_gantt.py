"""The timeline of a run: containers are opened and closed, many items are a strip, and names are as wide as wanted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_containers import each, inside
from tests.browser.test_looking_back import SIZES
from tests.browser.test_retrying import wait_for_end, write
from tests.product import Api, Product, Published

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
LINES = 260
BAD = (4, 130)


def order(*body: dict[str, Any], links: tuple[tuple[str, str], ...] = (), **config: Any) -> dict[str, Any]:
    """Order › Take payment › For each line (the body) › Done."""
    asked = {"order": "{{ run.id }}", "customer": "C-200", "amount": 5, "currency": "EUR"}
    pay = write("payment", "Take payment", (0, 128), "/with/fail=503*1/invoices", asked)
    pay["settings"] = {"retry": {"attempts": 3, "strategy": "fixed", "first_seconds": 0.2, "jitter": 0}}
    return graph(
        [
            step("order", "trigger.webhook@1", "Order", (0, 0)),
            pay,
            each("lines", "For each line of the order", (-24, 256), "{{ trigger.body.lines }}", stop="never", **config),
            *({"parent": "lines", **one} for one in body),
            edit_fields("done", "Done", (0, 900), count="{{ steps.lines.total }}"),
        ],
        [("order", "payment"), ("payment", "lines"), ("lines", "done"), *links],
    )


def begin(product: Product, live: Published, count: int, bad: tuple[int, ...] = ()) -> str:
    lines = [{"sku": f"SKU-{number:03}", "share": 0 if number in bad else 4} for number in range(1, count + 1)]
    answer = httpx2.post(product.url + live.path, json={"lines": lines}, timeout=60)
    run: str = answer.json()["run"]
    return run


@pytest.fixture(scope="module")
def many(api: Api, product: Product) -> str:
    """A run whose payment was tried twice, with many items, of which two failed; each has a container of its own."""
    parts = each("parts", "For each part", (0, 128), "{{ [1, 2] }}")
    live = api.publish(
        "Timeline of many lines",
        order(
            edit_fields("price", "Price of a line", (0, 0), price="{{ 100 / item.share }}"),
            parts,
            *inside("parts", edit_fields("part", "One part", (0, 0), number="{{ item }}")),
            links=(("price", "parts"),),
            label="{{ item.sku }}",
            at_a_time=8,
        ),
    )
    run = begin(product, live, LINES, BAD)
    wait_for_end(api, run)
    return run


@pytest.fixture
def waiting(api: Api, product: Product) -> Iterator[str]:
    """A run whose fourteen items all wait for a signal."""
    live = api.publish(
        "Timeline under way",
        order(
            step("wait", "flow.wait_signal@1", "Supplier confirms", (0, 0), limit="2", unit="days"),
            at_a_time=20,
        ),
    )
    run = begin(product, live, 14)
    deadline = time.monotonic() + 120
    while waits(api, run) < 14:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield run
    if api.call("GET", f"W/runs/{run}")["finished_at"] is None:
        api.call("POST", f"W/runs/{run}/cancel", {})


def waits(api: Api, run: str) -> int:
    """How many of its items wait for their signal."""
    items = api.call("GET", f"W/runs/{run}/items?node=lines")["items"]
    return sum(item["status"] == "waiting_event" for item in items)


def timeline(page: Page) -> Locator:
    return page.get_by_role("tree", name="Steps in time")


def line(page: Page, name: str) -> Locator:
    return timeline(page).get_by_role("treeitem", name=re.compile(rf"^{name}\b"))


def shown(signed_in: Opens, run: str, size: str = "desktop", **look: Any) -> Page:
    page = signed_in(f"/runs/{run}", viewport=SIZES[size], **look)
    if size == "phone":
        page.get_by_role("radio", name="Timeline").click()
    expect(line(page, "For each line")).to_be_visible()
    return page


def hold(page: Page, path: str) -> Callable[[], None]:
    """Lets no such request through until what is returned is called."""
    held: list[Route] = []
    free: list[bool] = []

    def keep(route: Route) -> None:
        if free:
            route.continue_()
        else:
            held.append(route)

    def let_go() -> None:
        free.append(True)
        for route in held:
            route.continue_()

    page.route(re.compile(path), keep)
    return let_go


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_many_items_are_a_strip_and_a_click_opens_them(
    signed_in: Opens, many: str, shot: Shot, size: str, dark: bool
) -> None:
    page = shown(signed_in, many, size, dark=dark)
    look = f"{size}-{'dark' if dark else 'light'}"
    container = line(page, "For each line")
    expect(container).to_have_attribute("aria-expanded", "false")
    expect(container.get_by_test_id("density")).to_be_visible()
    expect(container).to_contain_text("at work, at")
    expect(line(page, "Take payment").get_by_test_id("tick")).to_have_count(2)
    expect(line(page, "Take payment").get_by_test_id("tick").last).to_have_attribute(
        "title", re.compile("^Try 2 .* after: ")
    )
    assert findings(page) == []
    shot(page, f"gantt-closed-{look}")
    page.get_by_test_id("open-lines").click()
    expect(container).to_have_attribute("aria-expanded", "true")
    fourth = line(page, "4 · SKU-004")
    expect(fourth).to_contain_text("Failed")
    expect(fourth).to_have_attribute("aria-setsize", str(LINES))
    page.get_by_test_id("open-lines-3").click()
    expect(line(page, "Price of a line")).to_contain_text("ms")
    tops = timeline(page).get_by_role("treeitem").evaluate_all("rows => rows.map((row) => row.offsetTop)")
    assert tops == sorted(tops), "they are read in the order in which they are seen"
    expect(page.get_by_test_id("axis")).to_be_in_viewport(ratio=1)
    assert findings(page) == []
    shot(page, f"gantt-opened-{look}")
    line(page, "Price of a line").click()
    expect(page).to_have_url(re.compile("step=price"))
    expect(line(page, "Price of a line")).to_have_attribute("aria-selected", "true")


def test_the_tree_is_gone_through_by_keys_alone_and_holds_no_more_rows_than_are_seen(
    signed_in: Opens, many: str
) -> None:
    page = shown(signed_in, many)
    container = line(page, "For each line")
    line(page, "Order").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(container).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(container).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    expect(line(page, "1 · SKU-001")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(line(page, "1 · SKU-001")).to_have_attribute("aria-expanded", "true")
    expect(line(page, "Price of a line")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(line(page, "Price of a line")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(line(page, "For each part")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(line(page, "For each part")).to_have_attribute("aria-level", "3")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(line(page, "One part")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(line(page, "One part")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("step=part"))
    for name in ("Item 1", "For each part"):
        page.keyboard.press("ArrowLeft")
        expect(line(page, name)).to_be_focused()
        if name == "Item 1":
            page.keyboard.press("ArrowLeft")
            expect(line(page, name)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("End")
    expect(line(page, "Done")).to_be_focused()
    page.keyboard.press("ArrowUp")
    last = line(page, f"{LINES} · SKU-{LINES}")
    expect(last).to_be_focused()
    expect(last).to_have_attribute("aria-posinset", str(LINES))
    assert timeline(page).get_by_role("treeitem").count() < 60
    page.keyboard.press("ArrowLeft")
    expect(container).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(container).to_have_attribute("aria-expanded", "false")
    expect(timeline(page).get_by_role("treeitem")).to_have_count(4)


def test_whoever_goes_on_by_keys_while_an_item_is_read_stands_at_its_first_step_then(
    signed_in: Opens, many: str
) -> None:
    page = shown(signed_in, many)
    line(page, "For each line").focus()
    page.keyboard.press("ArrowRight")
    first = line(page, "1 · SKU-001")
    expect(first).to_contain_text("ms")
    let_go = hold(page, "/snapshot$")
    page.keyboard.press("ArrowRight")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(first).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    reading = line(page, "Reading what happened in it")
    expect(reading).to_be_focused()
    let_go()
    expect(line(page, "Price of a line")).to_be_focused()
    expect(reading).to_have_count(0)


def test_an_item_that_is_not_read_yet_is_opened_as_soon_as_it_is(signed_in: Opens, many: str) -> None:
    page = shown(signed_in, many)
    line(page, "For each line").focus()
    let_go = hold(page, r"/items\?")
    page.keyboard.press("ArrowRight")
    expect(line(page, "For each line")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    expect(line(page, "Item 1")).to_be_focused()
    page.keyboard.press("ArrowRight")
    let_go()
    expect(line(page, "1 · SKU-001")).to_have_attribute("aria-expanded", "true")
    expect(line(page, "1 · SKU-001")).to_be_focused()
    expect(line(page, "Price of a line")).to_be_visible()


def test_names_are_made_wider_by_pointer_and_by_keys_and_stay_so(signed_in: Opens, many: str, shot: Shot) -> None:
    page = shown(signed_in, many)
    edge = page.get_by_role("separator", name="Width of the names")
    expect(edge).to_have_attribute("aria-valuenow", re.compile(r"^\d+$"))
    usual = int(edge.get_attribute("aria-valuenow") or 0)
    edge.focus()
    page.keyboard.press("ArrowRight")
    expect(edge).to_have_attribute("aria-valuenow", str(usual + 16))
    box = edge.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=4)
    page.mouse.up()
    expect(edge).to_have_attribute("aria-valuenow", str(usual + 116))
    expect(page.get_by_test_id("brush")).to_have_count(0)
    shot(page, "gantt-names-wide")
    page.reload()
    expect(edge).to_have_attribute("aria-valuenow", str(usual + 116))
    edge.focus()
    page.keyboard.press("Home")
    expect(edge).to_have_attribute("aria-valuenow", "80")
    page.keyboard.press("Enter")
    expect(edge).to_have_attribute("aria-valuenow", str(usual))


def test_what_is_shown_follows_a_run_that_is_under_way(signed_in: Opens, api: Api, waiting: str) -> None:
    page = shown(signed_in, waiting)
    container = line(page, "For each line")
    expect(container.get_by_test_id("density")).to_be_visible()
    page.get_by_test_id("open-lines").click()
    expect(line(page, "Item 14")).to_contain_text("Waiting")
    page.get_by_test_id("open-lines-0").click()
    expect(line(page, "Supplier confirms")).to_contain_text("Waiting")
    api.call("POST", f"W/runs/{waiting}/cancel", {})
    expect(container).not_to_contain_text("Running")
    expect(line(page, "Supplier confirms")).not_to_contain_text("Waiting")
    expect(line(page, "Item 14")).not_to_contain_text("Waiting")
