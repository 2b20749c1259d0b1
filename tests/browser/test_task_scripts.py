"""What reviewers do every day, within so many clicks: a press of the pointer, of Enter or of the space bar."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import Opens, edit_fields, graph, step
from tests.browser.test_containers import each, inside
from tests.browser.test_dead_letters import group, invoicing, leave_none
from tests.browser.test_retrying import fire, received, wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
#: Counts over reloads of its tab. A key that presses a button is a click of it; elsewhere, Enter is one of its own.
COUNTER = """
const add = () => sessionStorage.setItem("clicks", String(Number(sessionStorage.getItem("clicks") ?? 0) + 1));
addEventListener("click", (event) => event.isTrusted && add(), true);
addEventListener("keydown", (event) => event.key === "Enter" && event.target.matches("input") && add(), true);
"""


@pytest.fixture
def counted(signed_in: Opens) -> Callable[[str], Page]:
    """Opens a page that counts clicks."""

    def open_(path: str) -> Page:
        page = signed_in("/setup")
        page.add_init_script(COUNTER)
        page.goto(path)
        return page

    return open_


def clicks(page: Page) -> int:
    return int(page.evaluate('sessionStorage.getItem("clicks")') or 0)


def booking() -> dict[str, Any]:
    """An invoice whose lines are booked one by one; a day that is none stops its line."""
    start = step("invoice", "trigger.webhook@1", "Invoice comes in", (0, 0))
    lines = each(
        "lines", "For each line", (-24, 128), "{{ trigger.body.lines }}", label="Line {{ item.line }}", stop="never"
    )
    book = edit_fields("book", "Book the line", (0, 0), period="{{ period(item.booked) }}")
    made = graph([start, lines, *inside("lines", book)], [("invoice", "lines")])
    return {**made, "naming": {"key": "{{ trigger.body.number }}", "fields": []}}


@pytest.fixture
def invoice(api: Api, product: Product) -> str:
    """The run of R-2026-0417, whose fourth line has a day that is none."""
    live = api.publish("Supplier invoices", booking())
    lines = [{"line": at, "booked": "2026-02-30" if at == 4 else "2026-02-28"} for at in range(1, 6)]
    for number in ("R-2026-0416", "R-2026-0417", "R-2026-0418"):
        body = {"number": number, "lines": lines if number.endswith("17") else lines[:3]}
        run: str = httpx2.post(product.url + live.path, json=body, timeout=60).json()["run"]
        wait_for_end(api, run)
        if number.endswith("17"):
            wanted = run
    return wanted


def test_an_invoice_is_found_from_anywhere_and_its_line_mended_alone(
    counted: Callable[[str], Page], api: Api, invoice: str
) -> None:
    page = counted("/connections")
    expect(page.get_by_text("Practice company mail")).to_be_visible()
    page.get_by_role("button", name="Go to", exact=True).click()
    expect(page.get_by_role("dialog", name="Go to").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("R-2026-0417")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{invoice}**")
    expect(page.get_by_role("heading", name="R-2026-0417")).to_be_visible()
    assert clicks(page) <= 2

    shown = api.call("GET", f"W/runs/{invoice}/snapshot")["graph"]
    node = next(node["id"] for node in shown["nodes"] if node["key"] == "lines")
    before = clicks(page)
    page.get_by_text("See the failed items of “For each line”").click()
    expect(page.get_by_text("A formula could not be worked out").first).to_be_visible()
    page.get_by_role("link", name=re.compile("^Open as a batch")).click()
    day = page.get_by_label("booked, Line 4")
    day.click()
    day.fill("2026-02-28")
    page.get_by_role("button", name="Retry the changed one").click()
    expect(page.get_by_text("Nothing failed")).to_be_visible()
    assert clicks(page) - before <= 4
    # The others were left alone.
    deadline = time.monotonic() + 120
    while True:
        found = api.call("GET", f"W/runs/{invoice}/items?node={node}")["items"]
        if {item["status"] for item in found} == {"completed"}:
            break
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    assert [item["corrected"] for item in found] == [False, False, False, True, False]


def test_forty_three_dead_letters_of_one_cause_go_on_safely(
    counted: Callable[[str], Page], api: Api, product: Product
) -> None:
    leave_none(api)
    numbers = [f"SO-{number}" for number in range(9000, 9043)]
    live = api.publish("ERP was away", invoicing("/with/fail=503*1/invoices"))
    # It would be paused after ten of them.
    never = {"failures": 0, "percent": 0, "minutes": 1}
    api.call("PUT", f"W/workflows/{live.workflow}/breaker", never)
    for number in numbers:
        fire(api, product, live, number)
    page = counted("/")
    page.get_by_role("link", name="Dead letters, 43 wait").click()
    mine = group(page, "ERP was away")
    mine.get_by_role("button", name="Try 1 first").click()
    expect(mine.get_by_role("status").filter(has_text="It worked. Retry the other 42?")).to_be_visible()
    mine.get_by_role("button", name="Retry the other 42…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Retry 42 runs").click()
    expect(dialog.get_by_role("status")).to_have_text("All 42 worked.", timeout=120_000)
    assert clicks(page) <= 4
    assert all(len(received(product, "/invoices", number)) == 1 for number in numbers)
