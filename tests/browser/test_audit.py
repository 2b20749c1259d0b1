"""The audit log on its page, and the history of a workflow and of a connection: found, opened, verified, taken away."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.editing import Opens, chain
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.product import ROOT, Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]
CANARY = "CANARY-5f4e3d2c1b0a-secret"


@pytest.fixture(scope="module")
def things(api: Api) -> dict[str, str]:
    """What somebody did: a workflow published, renamed and paused, a connection made and given another secret."""
    workflow = api.publish("Month-end run", chain()).workflow
    api.call("PATCH", f"W/workflows/{workflow}", {"name": "Month-end run 2027", "description": "For all branches"})
    api.call("POST", f"W/workflows/{workflow}/hold", {"reason": "The ERP is being updated until Monday."})
    api.call("PUT", f"W/workflows/{workflow}/breaker", {"failures": 7, "percent": 0, "minutes": 15})
    fields = {"token": CANARY, "base_url": "https://bank.example"}
    bank = api.call("POST", "W/connections", {"kind": "http_bearer", "name": "House bank", "fields": fields})["id"]
    api.call("PATCH", f"W/connections/{bank}", {"fields": {"token": f"{CANARY}-2"}})
    api.call("POST", "W/members", {"email": "ines.kaya@example.org", "role": "reviewer"})
    return {"workflow": str(workflow), "bank": str(bank)}


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Audit log").locator("tr[data-verb]")


def verbs(page: Page) -> list[str]:
    return [str(row.get_attribute("data-verb")) for row in rows(page).all()]


def test_the_log_is_found_opened_and_filtered_with_the_keyboard_alone(
    signed_in: Opens, things: dict[str, str], shot: Shot
) -> None:
    page = signed_in("/settings/audit")
    expect(rows(page).first).to_contain_text("Invited ines.kaya@example.org")
    page.keyboard.press("/")
    expect(page.get_by_label("Search names, reasons, addresses")).to_be_focused()
    page.keyboard.type("month-end 2027")
    expect(page).to_have_url(re.compile(r"q=month-end"))
    expect(rows(page)).to_have_count(3)
    assert verbs(page) == ["workflow.breaker_changed", "workflow.held", "workflow.renamed"]
    held = page.get_by_role("button", name="Show details: Paused workflow, still accepting Month-end run 2027")
    held.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Hide details: Paused workflow")).to_have_attribute("aria-expanded", "true")
    detail = page.locator("tr[data-open] + tr")
    expect(detail).to_contain_text("The ERP is being updated until Monday.")
    differences = detail.get_by_role("table", name="What was different before and after")
    expect(differences.get_by_role("row").nth(1)).to_contain_text("Paused")
    expect(detail).to_contain_text("127.0.0.1")
    shot(page, "audit-open")
    page.get_by_label("What", exact=True).select_option(label="Renamed or described workflow")
    expect(rows(page)).to_have_count(1)
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.get_by_label("When", exact=True).select_option(label="From day to day")
    page.get_by_label("Until", exact=True).fill("2020-01-01")
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    shot(page, "audit-none")
    page.get_by_role("button", name="Clear filters").press("Enter")
    expect(page.get_by_label("Search names, reasons, addresses")).to_have_value("")
    expect(page).to_have_url(re.compile("/settings/audit$"))
    expect(rows(page).nth(5)).to_be_visible()
    assert CANARY not in page.content()


def test_an_export_is_taken_and_verified_without_millrace_and_is_on_record(
    signed_in: Opens, things: dict[str, str], tmp_path: Path
) -> None:
    page = signed_in("/settings/audit")
    expect(rows(page).first).to_be_visible()
    page.get_by_role("button", name="Export").press("Enter")
    with page.expect_download() as taken:
        page.get_by_role("menuitem", name="JSON lines, to verify").press("Enter")
    path = tmp_path / "audit.jsonl"
    taken.value.save_as(path)
    script = [sys.executable, str(ROOT / "docs/check_audit.py"), str(path)]
    said = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    lines = path.read_text().splitlines()
    assert said.startswith(f"{len(lines) - 1} rows, as they were written.")
    assert json.loads(lines[-1])["verb"] == "audit.exported"
    assert CANARY not in path.read_text()
    page.reload()
    expect(rows(page).first).to_contain_text("Exported the audit log")


def test_the_log_is_verified_and_the_row_that_somebody_changed_is_named(
    signed_in: Opens, things: dict[str, str], product: Product, shot: Shot
) -> None:
    page = signed_in("/settings/audit")
    page.get_by_role("button", name="Verify").press("Enter")
    expect(page.get_by_role("status").filter(has_text="all as they were written")).to_be_visible()
    shot(page, "audit-verified")
    tamper(product, 3, "Mallory")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status").filter(has_text="Row 3 is wrong.")).to_contain_text("not what was written")
    shot(page, "audit-wrong")
    assert "row 3 is wrong" in manage(product, "verify_audit")


def test_a_workflow_and_a_connection_have_their_history(signed_in: Opens, things: dict[str, str], shot: Shot) -> None:
    page = signed_in(f"/workflows/{things['workflow']}/build")
    page.get_by_role("link", name="History", exact=True).click()
    table = page.get_by_role("table", name="History")
    expect(table.locator("tr[data-verb]").first).to_contain_text("Changed when it is paused by itself")
    expect(table).to_contain_text("Published workflow")
    table.get_by_role("button", name="Show details: Renamed").press("Enter")
    expect(table).to_contain_text("Month-end run 2027")
    expect(table).not_to_contain_text("127.0.0.1")
    shot(page, "history-workflow")
    page.goto("/connections")
    page.get_by_role("button", name="History of House bank").press("Enter")
    dialog = page.get_by_role("dialog", name="History of House bank")
    expect(dialog).to_contain_text("Created connection")
    dialog.get_by_role("button", name="Show details: Changed connection").press("Enter")
    expect(dialog).to_contain_text("Secrets entered")
    expect(page).to_have_url(re.compile(r"history="))
    shot(page, "history-connection")
    assert CANARY not in page.content()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_what_belongs_to_no_workspace_is_apart(signed_in: Opens, product: Product, api: Api, shot: Shot) -> None:
    manage(product, "rotate_keys", "--keep-old")
    page = signed_in("/settings/audit?scope=installation")
    expect(rows(page).first).to_contain_text("Rotated the connection keys")
    expect(page.get_by_role("link", name="Installation")).to_have_attribute("aria-current", "page")
    shot(page, "audit-installation")
    page.get_by_role("link", name="This workspace").click()
    expect(rows(page).first).not_to_contain_text("Rotated the connection keys")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_serious_in_either_theme(signed_in: Opens, size: Any, things: dict[str, str], shot: Shot) -> None:
    page = signed_in("/settings/audit", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    page.get_by_role("button", name=re.compile("^Show details: Changed connection")).click()
    readable(page, size, "audit", shot)
    page.emulate_media(color_scheme=THEMES[size][0])
    page.goto(f"/workflows/{things['workflow']}/history")
    page.get_by_role("button", name=re.compile("^Show details: Paused workflow")).click()
    readable(page, size, "history", shot)
    page.emulate_media(color_scheme=THEMES[size][0])
    page.goto(f"/connections?history={things['bank']}")
    expect(page.get_by_role("dialog").get_by_text("Created connection")).to_be_visible()
    readable(page, size, "history-dialog", shot)


def tamper(product: Product, sequence: int, name: str) -> None:
    """What somebody does who can write to the file."""
    (file,) = Path(product.directory).glob("*.sqlite3")
    database = sqlite3.connect(file, timeout=20)
    with database:
        (statement,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_row_unchanged'").fetchone()
        database.execute("DROP TRIGGER audit_row_unchanged")
        changed = "UPDATE audit_row SET actor_name = ? WHERE sequence = ? AND chain <> 'installation'"
        database.execute(changed, (name, sequence))
        database.execute(statement)
    database.close()


def manage(product: Product, *arguments: str) -> str:
    """A command beside the running product: what it says, whatever it answers."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=product.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
