"""*Settings › Data*: what a rule would remove is told while it is typed, and afterwards what was removed and why the
rest was kept; a hold keeps things; a run whose data is gone says so. Runs, tables and members have their history."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import Opens
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.product import Api, Product
from tests.runtime.machine import fields, flow

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]
DAY = 24 * 3_600_000


@pytest.fixture(scope="module")
def runs(api: Api, product: Product) -> list[str]:
    """Four runs that ended well, two of them a hundred days ago."""
    workflow = api.publish("Month-end run", flow("start -> note", fields("note", month="2026-10"))).workflow
    started = [api.call("POST", f"W/workflows/{workflow}/runs", {})["id"] for _ in range(4)]
    for run in started:
        while api.call("GET", f"W/runs/{run}")["finished_at"] is None:
            time.sleep(0.1)
    grow_old(product, started[:2])
    return [str(run) for run in started]


def grow_old(product: Product, runs: Sequence[str]) -> None:
    with sqlite3.connect(product.directory / "millrace.sqlite3", timeout=30) as database:
        for run in runs:
            database.execute(
                "UPDATE store_run SET finished_at = finished_at - ?, accepted_at = accepted_at - ? WHERE id = ?",
                (100 * DAY, 100 * DAY, str(run).replace("-", "")),
            )


def test_a_rule_is_typed_looked_at_saved_and_carried_out(
    signed_in: Opens, api: Api, product: Product, runs: list[str], shot: Shot
) -> None:
    page = signed_in("/settings/data")
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    days = page.get_by_role("textbox", name="Data of steps days")
    days.fill("0")
    expect(page.get_by_text("A whole number from 1 to 36,500, or nothing.")).to_be_visible()
    days.fill("30")
    told = page.get_by_role("status").filter(has_text="With these rules would go now")
    expect(told).to_contain_text("data of 2 runs")
    shot(page, "retention-typed")
    page.get_by_role("button", name="Save rules").press("Enter")
    expect(page.get_by_text("Rules saved")).to_be_visible()
    # The first sweep under new rules comes by itself; the next one is asked for.
    deadline = time.monotonic() + 120
    while (last := api.call("GET", "W/retention")["last"]) is None or last["ended_at"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    page.reload()
    expect(page.get_by_text("Removed: data of 2 runs.")).to_be_visible()
    grow_old(product, runs[3:])
    page.get_by_role("button", name="Remove now").press("Enter")
    dialog = page.get_by_role("dialog", name="Remove what the rules let go")
    confirm = dialog.get_by_role("button", name="Remove for good")
    expect(confirm).to_be_disabled()
    dialog.get_by_label("Type remove to confirm").fill("remove")
    confirm.press("Enter")
    expect(page.get_by_text("Removed: data of 1 run.")).to_be_visible(timeout=120_000)
    page.goto("/settings/audit")
    expect(page.get_by_role("table", name="Audit log")).to_contain_text("Old data was removed")
    expect(page.get_by_role("table", name="Audit log")).to_contain_text("Changed how long data is kept")


def test_a_run_whose_data_expired_says_so_and_has_its_history(signed_in: Opens, runs: list[str], shot: Shot) -> None:
    page = signed_in(f"/runs/{runs[0]}")
    bar = page.get_by_test_id("expired-bar")
    expect(bar).to_contain_text("The data of this run expired on")
    shot(page, "run-expired")
    page.get_by_role("button", name="Record").first.click()
    page.get_by_role("button", name="What people did").click()
    expect(page.get_by_role("table", name="History")).to_contain_text(re.compile("Started"))
    page.goto(f"/runs/{runs[2]}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("expired-bar")).to_have_count(0)


def test_something_is_held_and_let_go_again(signed_in: Opens, runs: list[str], shot: Shot) -> None:
    page = signed_in("/settings/data")
    page.get_by_role("button", name="Hold something").press("Enter")
    dialog = page.get_by_role("dialog", name="Hold something")
    dialog.get_by_label("All runs with a business key").check()
    dialog.get_by_label("Business key", exact=True).fill("R-2026-0417")
    dialog.get_by_label("Why").fill("Case 7 O 17/26")
    shot(page, "retention-hold")
    dialog.get_by_role("button", name="Hold", exact=True).press("Enter")
    row = page.get_by_role("row", name=re.compile("R-2026-0417"))
    expect(row).to_contain_text("Case 7 O 17/26")
    row.get_by_role("button", name="Lift the hold of R-2026-0417").press("Enter")
    expect(page.get_by_text("Nothing is held")).to_be_visible()


def test_a_table_and_a_member_have_their_history(signed_in: Opens, api: Api) -> None:
    table = api.call("POST", "W/tables", {"name": "Suppliers", "columns": [{"name": "Name", "type": "text"}]})["id"]
    page = signed_in(f"/tables/{table}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="History").click()
    expect(page.get_by_role("dialog", name="History of Suppliers")).to_contain_text("Created")
    page.goto("/settings/members")
    page.get_by_role("button", name=re.compile("^More for ")).first.press("Enter")
    page.get_by_role("menuitem", name="History").click()
    expect(page.get_by_role("dialog", name=re.compile("^History of "))).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_the_page_is_readable(signed_in: Opens, runs: list[str], size: str, shot: Shot) -> None:
    page = signed_in("/settings/data", dark=THEMES[size][0] == "dark", viewport=SIZES[size])
    expect(page.get_by_role("heading", name="Legal holds")).to_be_visible()
    expect(page.get_by_text("Counting what would go")).to_have_count(0)
    readable(page, size, "retention", shot)
