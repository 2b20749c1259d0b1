"""What is on record of a run, and the plug that is pulled on a workflow, in the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.editing import chain
from tests.browser.test_inbox import approval, start
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]


def test_a_run_shows_what_is_on_record_and_is_exported(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    workflow = api.call("POST", "W/workflows", {"name": "Recorded", "graph": chain()})["id"]
    run = api.call("POST", f"W/workflows/{workflow}/test", {"input": {"total": 3}})["id"]
    page = signed_in(f"/runs/{run}")
    page.get_by_test_id("record-button").click()
    record = page.get_by_role("dialog", name="What is on record")
    events = record.get_by_role("list", name="Events, the oldest first").get_by_role("listitem")
    expect(events.first).to_contain_text("Accepted")
    expect(events.last).to_contain_text("done")
    assert findings(page) == []
    shot(page, "record")
    record.get_by_role("button", name="Workers").click()
    expect(record.get_by_text("No event of this kind on this page.")).to_be_visible()
    with page.expect_download() as kept:
        record.get_by_role("link", name="Export as JSON").click()
    found = json.loads(kept.value.path().read_text(encoding="utf-8"))
    assert (found["format"], found["run"]["id"], found["state_differs"]) == ("millrace.run", run, [])


def test_on_a_phone_the_record_is_below_the_steps(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    workflow = api.call("POST", "W/workflows", {"name": "Recorded on a phone", "graph": chain()})["id"]
    run = api.call("POST", f"W/workflows/{workflow}/test", {"input": {"total": 3}})["id"]
    page = signed_in(f"/runs/{run}", dark=True, viewport={"width": 390, "height": 844})
    # Nothing else on a phone says of which workflow this is a run, and leads back.
    expect(page.get_by_role("link", name="Recorded on a phone")).to_be_visible()
    page.get_by_test_id("record-button").click()
    events = page.get_by_role("list", name="Events, the oldest first").get_by_role("listitem")
    expect(events.first).to_contain_text("Accepted")
    assert findings(page) == []
    shot(page, "record-phone")


def test_a_run_says_who_cancelled_it_when_and_why(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    run = start(api, "Cancelled with a reason", approval("Approve the invoice"), order="PO-1", amount=12)
    page = signed_in(f"/runs/{run}")
    page.get_by_role("button", name="Cancel run…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why? (optional)").fill("ordered twice")
    dialog.get_by_role("button", name="Cancel this run").click()
    about = page.get_by_role("region", name="About this run")
    expect(about).to_contain_text("Cancelled by Alice")
    expect(about).to_contain_text("Because: ordered twice")
    expect(page.get_by_test_id("run-facts")).to_contain_text("Cancelled by Alice")
    assert findings(page) == []
    shot(page, "cancelled")
    page.get_by_test_id("record-button").click()
    events = page.get_by_role("list", name="Events, the oldest first").get_by_role("listitem")
    expect(events.filter(has_text="Cancel asked for · Alice")).to_contain_text("Because: ordered twice")


def test_the_focus_goes_back_to_the_button_that_opened_the_record(signed_in: Opens, api: Api) -> None:
    workflow = api.call("POST", "W/workflows", {"name": "Recorded by keyboard", "graph": chain()})["id"]
    run = api.call("POST", f"W/workflows/{workflow}/test", {"input": {"total": 3}})["id"]
    page = signed_in(f"/runs/{run}")
    opener = page.get_by_test_id("record-button")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="What is on record").locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_the_plug_is_pulled_from_the_test_dialog(signed_in: Opens, api: Api, shot: Callable[[Page, str], None]) -> None:
    workflow = api.call("POST", "W/workflows", {"name": "Drilled", "graph": chain()})["id"]
    page = signed_in(f"/workflows/{workflow}/build")
    page.get_by_test_id("test-button").click()
    page.get_by_test_id("drill-button").click()
    page.get_by_test_id("drill-start").click()
    result = page.get_by_test_id("drill-result")
    expect(result).to_have_text(re.compile(r"^finished (\d+) of \1, duplicates 0, nothing to undo$"), timeout=200_000)
    assert findings(page) == []
    shot(page, "drill")
