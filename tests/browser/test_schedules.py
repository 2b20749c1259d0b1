"""The page of schedules: what comes and what came, and what people decide about one start or all of a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import THEMED, findings
from tests.browser.conftest import fits
from tests.browser.editing import edit_fields, graph, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
PHONE = {"width": 390, "height": 844}
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


def scheduled(**config: Any) -> dict[str, Any]:
    config = {"repeat": "every", "every": 1, "unit": "days", "at": "18:00", "timezone": "Europe/Berlin", **config}
    steps = [
        {**step("start", "trigger.schedule@1", "Clock", (0, 0)), "config": config},
        edit_fields("keep", "Keep", (0, 150), day="{{ trigger.date }}"),
    ]
    return graph(steps, [("start", "keep")])


@pytest.fixture(scope="module", autouse=True)
def flows(api: Api) -> None:
    """Six that start daily, five of them in the same minute; and one that starts every few minutes."""
    for name in ("Bank statement", "Dunning letters", "Exchange rates", "Stock report", "Payment run"):
        api.publish(name, scheduled())
    api.publish("Nightly backup", scheduled(at="02:30", calendar="DE", region="BY"))
    api.publish("Price watch", scheduled(unit="minutes", every=20))


def card(page: Page, name: str) -> Locator:
    return page.get_by_test_id("schedule").filter(has=page.get_by_role("link", name=name, exact=True))


def upcoming(page: Page, name: str) -> Locator:
    return card(page, name).get_by_role("list", name=f"Next starts of {name}").get_by_role("listitem")


def test_the_next_start_is_left_out_and_put_back(signed_in: Opens, api: Api, shot: Shot) -> None:
    page = signed_in("/schedules?view=month")
    rows = upcoming(page, "Bank statement")
    expect(rows).to_have_count(3)
    card(page, "Bank statement").get_by_role("button", name="Skip next").click()
    undo = page.get_by_role("button", name="Undo")
    # It goes by itself, but not from under a pointer.
    undo.hover()
    expect(rows.first).to_contain_text("Will be left out")
    shot(page, "schedules-month")
    (found,) = [one for one in api.call("GET", "W/schedules")["items"] if one["workflow_name"] == "Bank statement"]
    assert [one["fate"] for one in found["next"]] == ["skip", "start", "start"]
    undo.click()
    expect(rows.first).not_to_contain_text("Will be left out")
    expect(card(page, "Nightly backup")).to_contain_text("02:30 does not exist: starts at 03:00")
    expect(card(page, "Nightly backup")).to_contain_text("02:30 comes twice")


def test_one_start_is_moved_by_the_dialog_and_comes_back(signed_in: Opens, api: Api, shot: Shot) -> None:
    page = signed_in("/schedules?view=agenda")
    expect(upcoming(page, "Dunning letters")).to_have_count(3)
    # The last of a week: it is days away, whatever the hour.
    page.locator("button", has_text="Dunning letters").last.click()
    page.get_by_role("menuitem", name="Move this start…").click()
    dialog = page.get_by_role("dialog", name="Move one start of Dunning letters")
    field = dialog.get_by_label("Starts instead at")
    day = field.input_value()[:10]
    field.fill("2001-01-01T00:00")
    dialog.get_by_role("button", name="Move this start").click()
    expect(dialog).to_contain_text("This is past.")
    field.fill(f"{day}T21:15")
    shot(page, "schedules-move")
    dialog.get_by_role("button", name="Move this start").click()
    expect(dialog).to_be_hidden()
    moved = page.locator("button", has_text="Moved from")
    expect(moved).to_have_count(1)
    moved.click()
    page.get_by_role("menuitem", name="Back to").click()
    expect(moved).to_have_count(0)


def test_a_schedule_is_paused_until_a_day_and_resumed(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/schedules?view=agenda")
    one = card(page, "Stock report")
    one.get_by_role("button", name="Pause until…").click()
    dialog = page.get_by_role("dialog", name="Pause Stock report")
    dialog.get_by_label("In a week").check()
    shot(page, "schedules-pause")
    dialog.get_by_role("button", name="Pause", exact=True).click()
    expect(one).to_contain_text("Paused until")
    one.get_by_role("button", name="Resume").click()
    expect(one).not_to_contain_text("Paused until")


def test_a_schedule_is_started_now_and_its_run_is_open_to_see(signed_in: Opens) -> None:
    page = signed_in("/schedules")
    card(page, "Exchange rates").get_by_role("button", name="Run now").click()
    page.get_by_role("button", name="Open the run").click()
    expect(page).to_have_url(re.compile("/runs/"))
    expect(page.get_by_text("Exchange rates").first).to_be_visible()


def test_five_that_meet_are_spread_and_say_so(signed_in: Opens, shot: Shot) -> None:
    # Of this week, little may be left.
    next_week = datetime.now(UTC).date() + timedelta(days=7)
    page = signed_in(f"/schedules?view=week&day={next_week}")
    shot(page, "schedules-week")
    page.get_by_role("button", name="Spread by up to 10 min").click()
    undo = page.get_by_role("button", name="Undo")
    undo.hover()
    expect(page.get_by_test_id("schedule").filter(has_text="behind its time")).to_have_count(4)
    expect(page.get_by_role("button", name="Spread by up to 10 min")).to_have_count(0)
    undo.click()
    expect(page.get_by_test_id("schedule").filter(has_text="behind its time")).to_have_count(0)


@pytest.mark.parametrize("view", ["agenda", "week", "month"])
def test_every_view_is_free_of_barriers(signed_in: Opens, view: str) -> None:
    page = signed_in(f"/schedules?view={view}")
    expect(page.get_by_test_id("schedule")).to_have_count(7)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert findings(page) == []


def test_a_phone_shows_a_list_of_days(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/schedules", viewport=PHONE, dark=True)
    expect(page.get_by_role("button", name="Agenda")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("schedule")).to_have_count(7)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    shot(page, "schedules-phone-dark")
    fits(page)
    page.get_by_role("button", name="Month", exact=True).click()
    sunday = page.get_by_role("columnheader").last
    expect(sunday).to_be_visible()
    place = sunday.bounding_box()
    assert place is not None
    assert place["x"] + place["width"] <= PHONE["width"]
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    shot(page, "schedules-phone-month-dark")
    fits(page)
    assert findings(page) == []


def test_dark_and_german_read_as_well(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/", dark=True)
    page.evaluate("localStorage.setItem('millrace.language', 'de')")
    page.goto("/schedules?view=month")
    expect(page.get_by_test_id("schedule")).to_have_count(7)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    expect(page.get_by_test_id("schedule").filter(has_text="Jeden Tag um 18:00").first).to_be_visible()
    shot(page, "schedules-month-dark")
    assert findings(page, only=THEMED) == []
