"""How a workflow is started: a schedule of two rules, starts for past times, deliveries that came again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import edit_fields, graph, new_editor, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PHONE = {"width": 390, "height": 844}
Opens = Callable[..., Page]


def scheduled(**config: Any) -> dict[str, Any]:
    """A schedule, and a step behind it."""
    steps = [
        {**step("start", "trigger.schedule@1", "Month end", (0, 0)), "config": config},
        edit_fields("keep", "Keep", (0, 150), day="{{ trigger.date }}"),
    ]
    return graph(steps, [("start", "keep")])


def test_two_rules_are_set_up_and_their_next_times_seen(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    editor = new_editor(signed_in, api, "Month end", scheduled())
    editor.card("start").get_by_role("button").first.click()
    panel = editor.panel
    panel.get_by_label("Repeat", exact=True).select_option("monthly")
    panel.get_by_label("Day", exact=True).select_option("last_workday")
    panel.get_by_label("At", exact=True).fill("18:00")

    panel.get_by_role("button", name="Add a rule").click()
    rule = panel.get_by_role("group", name="Starts also")
    rule.get_by_label("Repeat", exact=True).select_option("weekdays")
    for day in ("Tuesday", "Wednesday", "Thursday", "Friday"):
        rule.get_by_role("button", name=day).click()
    rule.get_by_label("At", exact=True).fill("08:00")

    preview = panel.get_by_role("region", name="Next ten starts")
    expect(preview).to_contain_text("On the last working day of the month at 18:00 and every Monday at 08:00")
    expect(preview.get_by_role("listitem")).to_have_count(10)
    expect(preview.get_by_role("listitem").filter(has_text=", 6:00 PM").first).to_be_visible()
    shown = [
        datetime.fromisoformat(str(one.get_attribute("datetime")))
        for one in preview.get_by_role("listitem").locator("time").all()
    ]
    assert {(at.hour, at.weekday() == 0) for at in shown if at.hour == 8} == {(8, True)}
    assert any(at.hour == 18 for at in shown)
    assert shown == sorted(shown)
    preview.scroll_into_view_if_needed()
    shot(editor.page, "schedule-two-rules")
    config = next(node for node in editor.draft()["nodes"] if node["id"] == "start")["config"]
    assert config["also"][0]["weekdays"] == ["mon"]


def test_past_times_are_looked_at_and_then_started_once(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    live = api.publish("Daily report", scheduled(repeat="every", every=1, unit="days", at="09:00"))
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=days) for days in (5, 4, 3)]
    page = signed_in(f"/workflows/{live.workflow}/starts")
    expect(page.get_by_role("link", name="Starts", exact=True)).to_have_attribute("aria-current", "page")
    # In the schedule's own zone, which is not that of the workspace.
    schedule = page.get_by_role("region", name="start", exact=True)
    expect(schedule).to_contain_text("UTC")
    expect(schedule.get_by_role("listitem").first).to_contain_text(", 9:00 AM")
    page.get_by_role("button", name="Start past times…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="See what would start").click()
    expect(dialog.get_by_text("Choose a day.")).to_have_count(2)
    dialog.get_by_label("From").fill(days[0].isoformat())
    dialog.get_by_label("Until").fill(days[-1].isoformat())
    dialog.get_by_role("button", name="See what would start").click()
    expect(dialog.get_by_role("status")).to_contain_text("3 runs would be started.")
    expect(dialog.get_by_role("list", name="Times").get_by_role("listitem")).to_have_count(3)
    assert api.call("GET", f"W/runs?workflow={live.workflow}")["items"] == []
    shot(page, "backfill-plan")
    dialog.get_by_role("button", name="Start 3 runs").click()
    expect(dialog).to_have_count(0)
    rows = page.get_by_role("list", name="Starts for past times").get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("3 starts")
    runs = wait_for_runs(api, live.workflow, 3)
    expect(rows).not_to_contain_text("wait for their turn")
    said = [api.call("GET", f"W/runs/{run['id']}/steps/start")["output"]["date"] for run in reversed(runs)]
    assert said == [day.isoformat() for day in days]
    shot(page, "starts-page")

    # The same days again: nothing is left to start.
    page.get_by_role("button", name="Start past times…").click()
    dialog.get_by_label("From").fill(days[0].isoformat())
    dialog.get_by_label("Until").fill(days[-1].isoformat())
    dialog.get_by_role("button", name="See what would start").click()
    expect(dialog.get_by_role("status")).to_contain_text("3 times have their run and are left alone.")
    expect(dialog.get_by_role("button", name=re.compile("^Start .* run"))).to_have_count(0)
    assert findings(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    shot(page, "backfill-plan-phone")


def test_deliveries_that_came_again_are_counted_and_listed(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    steps = [
        step("orders", "trigger.webhook@1", "Orders", (0, 0), dedupe="header"),
        edit_fields("keep", "Keep", (0, 150), total="{{ trigger.body.total }}"),
    ]
    live = api.publish("Orders that repeat", graph(steps, [("orders", "keep")]))
    answers = [post(product, live.path, "order-2041", total) for total in (10, 10, 10, 12)]
    assert answers == [202, 200, 200, 409]
    page = signed_in(f"/workflows/{live.workflow}/starts")
    for name, value in (("received", "4"), ("duplicates", "2"), ("conflicts", "1"), ("rate", re.compile("^75.?%$"))):
        expect(page.get_by_test_id(f"figure-{name}").locator("dd")).to_have_text(value)
    listed = page.get_by_role("list", name="Deliveries that came again").get_by_role("listitem")
    expect(listed).to_have_count(3)
    expect(listed.first).to_contain_text("Other content")
    expect(listed.first).to_contain_text("order-2041")
    page.get_by_role("button", name="Other content").click()
    expect(listed).to_have_count(1)
    assert findings(page) == []
    shot(page, "repeats")
    listed.get_by_role("link", name="See the first run").click()
    page.wait_for_url("**/runs/*")

    phone = signed_in(f"/workflows/{live.workflow}/starts", dark=True, viewport=PHONE)
    expect(phone.get_by_test_id("figure-received")).to_be_visible()
    fits(phone)
    assert findings(phone) == []
    shot(phone, "repeats-phone-dark")


def post(product: Product, path: str, key: str, total: int) -> int:
    return httpx2.post(
        product.url + path, json={"total": total}, headers={"Idempotency-Key": key}, timeout=60
    ).status_code


def wait_for_runs(api: Api, workflow: str, count: int) -> list[dict[str, Any]]:
    """The runs of a workflow once so many have ended, newest first."""
    deadline = time.monotonic() + 60
    while True:
        runs: list[dict[str, Any]] = api.call("GET", f"W/runs?workflow={workflow}")["items"]
        if sum(run["finished_at"] is not None for run in runs) >= count:
            return runs
        assert time.monotonic() < deadline
        time.sleep(0.1)
