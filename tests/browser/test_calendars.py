"""Business calendars in the settings: made, filled from a file, looked at, used by a schedule, and not removed then."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import THEMED, findings
from tests.browser.conftest import fits
from tests.browser.editing import edit_fields, graph, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
PHONE = {"width": 390, "height": 844}
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]

OFFICE = {
    "name": "Head office",
    "country": "DE",
    "region": "BY",
    "days": [
        {"day": "12-24", "until": "12-31", "name": "Closed"},
        {"day": "2027-06-11", "name": "Company day"},
        {"day": "2027-10-03", "name": "Stocktaking", "works": True},
    ],
    "close": "last_workday",
}
ICS = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Works council day\r\nDTSTART;VALUE=DATE:20270708\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nSUMMARY:Founders' day\r\nDTSTART;VALUE=DATE:20200301\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nSUMMARY:Meeting\r\nDTSTART:20270611T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture(scope="module", autouse=True)
def office(api: Api) -> None:
    """A calendar, and a schedule that goes by it."""
    api.call("POST", "W/calendars", OFFICE)
    config: dict[str, Any] = {
        "repeat": "weekdays",
        "at": "18:00",
        "timezone": "Europe/Berlin",
        "off_days": "before",
        "calendar": "@head-office",
    }
    steps = [
        {**step("start", "trigger.schedule@1", "Clock", (0, 0)), "config": config},
        edit_fields("keep", "Keep", (0, 150), day="{{ trigger.date }}"),
    ]
    api.publish("Bank statement", graph(steps, [("start", "keep")]))


def in_2027(page: Page) -> None:
    """Turn to that year, whichever this one is."""
    heading = page.get_by_role("heading", level=3)
    expect(heading).to_contain_text("in 20")
    for _ in range(60):
        year = int(heading.inner_text()[-4:])
        if year == 2027:
            return
        page.get_by_role("button", name="Next year" if year < 2027 else "Year before").click()
        expect(heading).not_to_contain_text(str(year))


def test_a_year_is_a_list_first_and_twelve_months_on_request(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/settings/calendars")
    in_2027(page)
    expect(page.get_by_role("row", name="Company day")).to_contain_text("Day off")
    expect(page.get_by_role("row", name="Heilige Drei Könige")).to_contain_text("Public holiday")
    expect(page.get_by_role("row", name="Stocktaking")).to_contain_text("Worked")
    shot(page, "calendars-list")
    assert findings(page) == []
    page.get_by_role("button", name="Months").click()
    june = page.get_by_role("table", name="June 2027")
    expect(june).to_contain_text("21 working days")
    expect(june.get_by_role("cell", name="11 Day off: Company day")).to_be_visible()
    shot(page, "calendars-months")
    page.reload()
    expect(page.get_by_role("table", name="June 2027")).to_be_visible()
    assert findings(page) == []


def test_a_calendar_is_added_with_a_day_of_its_own_and_changed(signed_in: Opens, api: Api, shot: Shot) -> None:
    page = signed_in("/settings/calendars")
    page.get_by_role("button", name="Add calendar").click()
    dialog = page.get_by_role("dialog", name="Add calendar")
    expect(dialog.get_by_label("Name", exact=True).first).to_be_focused()
    dialog.get_by_label("Name", exact=True).first.fill("Warehouse")
    dialog.get_by_label("Saturday").check()
    dialog.get_by_label("Public holidays of").select_option("AT")
    dialog.get_by_label("Region").select_option("9")
    dialog.get_by_role("button", name="Add a day").click()
    day = dialog.get_by_role("group", name="Day 1")
    expect(day.get_by_label("Day, or the first one")).to_be_focused()
    day.get_by_label("Day, or the first one").fill("2027-03-05")
    day.get_by_label("Until (several days)").fill("2027-03-01")
    day.get_by_label("What it is").fill("Stocktaking")
    dialog.get_by_role("button", name="Save calendar").click()
    expect(day.get_by_role("alert")).to_contain_text("an end that is not before the beginning")
    # What is said of a day stays with it when the one before it goes, and with nobody when it goes itself.
    dialog.get_by_role("button", name="Add a day").click()
    second = dialog.get_by_role("group", name="Day 2")
    expect(second.get_by_label("Day, or the first one")).to_be_focused()
    second.get_by_label("Day, or the first one").fill("2027-04-05")
    second.get_by_label("Until (several days)").fill("2027-04-01")
    day.get_by_label("Until (several days)").fill("2027-03-06")
    dialog.get_by_role("button", name="Save calendar").click()
    expect(second.get_by_role("alert")).to_be_visible()
    day.get_by_role("button", name="Remove Stocktaking").click()
    expect(second).to_have_count(0)
    expect(day.get_by_role("alert")).to_be_visible()
    # Of every year, and longer than one.
    day.get_by_label("Until (several days)").fill("2028-04-06")
    day.get_by_label("Every year").check()
    dialog.get_by_role("button", name="Save calendar").click()
    expect(day.get_by_label("Until (several days)")).to_be_focused()
    expect(day).to_contain_text("Days of every year last at most a year.")
    day.get_by_role("button", name="Remove 2027-04-05").click()
    dialog.get_by_role("button", name="Add a day").click()
    expect(day.get_by_label("Day, or the first one")).to_be_focused()
    expect(day.get_by_role("alert")).to_have_count(0)
    # Nobody would ever work.
    day.get_by_label("Day, or the first one").fill("2027-01-01")
    day.get_by_label("Until (several days)").fill("2027-12-31")
    day.get_by_label("Every year").check()
    dialog.get_by_role("button", name="Save calendar").click()
    days = dialog.get_by_role("group", name="Days of its own")
    expect(days.get_by_role("alert")).to_contain_text("Nobody works")
    expect(days).to_have_accessible_description(re.compile("Nobody works"))
    shot(page, "calendars-refused")
    assert findings(page) == []
    day.get_by_label("Every year").uncheck()
    day.get_by_label("Day, or the first one").fill("2027-03-05")
    day.get_by_label("Until (several days)").fill("2027-03-06")
    day.get_by_label("What it is").fill("Stocktaking")
    # None of the week is none to work on.
    for name in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"):
        dialog.get_by_label(name).uncheck()
    dialog.get_by_role("button", name="Save calendar").click()
    week = dialog.get_by_role("group", name="Days on which people work")
    expect(week.get_by_role("alert")).to_contain_text("at least one day")
    expect(week).to_have_accessible_description(re.compile("at least one day"))
    for name in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"):
        dialog.get_by_label(name).check()
    shot(page, "calendars-dialog")
    assert findings(page) == []
    dialog.get_by_role("button", name="Save calendar").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("heading", level=3)).to_contain_text("Warehouse in")
    (made,) = [one for one in api.call("GET", "W/calendars")["items"] if one["name"] == "Warehouse"]
    assert (made["country"], made["region"], made["weekdays"]) == ("AT", "9", [0, 1, 2, 3, 4, 5])
    assert made["days"] == [{"day": "2027-03-05", "until": "2027-03-06", "name": "Stocktaking", "works": False}]
    page.get_by_role("button", name="Remove Warehouse").click()
    gone = page.get_by_role("dialog", name="Remove Warehouse?")
    expect(gone).to_contain_text("Nothing goes by it.")
    gone.get_by_role("button", name="Remove calendar").click()
    expect(page.get_by_role("button", name="Warehouse", exact=True)).to_have_count(0)


def test_a_file_is_looked_at_before_its_days_are_added(signed_in: Opens, api: Api, shot: Shot) -> None:
    page = signed_in("/settings/calendars")
    page.get_by_role("button", name="Import days into Head office").click()
    dialog = page.get_by_role("dialog", name="Import days into Head office")
    chosen = dialog.get_by_test_id("calendar-file")
    chosen.set_input_files({"name": "bad.ics", "mimeType": "text/calendar", "buffer": b"%PDF-1.7"})
    expect(dialog).to_contain_text("This is no calendar file")
    chosen.set_input_files({"name": "large.ics", "mimeType": "text/calendar", "buffer": b"x" * 200_001})
    expect(dialog).to_contain_text("at most 200 KB")
    chosen.set_input_files({"name": "days.ics", "mimeType": "text/calendar", "buffer": ICS.encode()})
    expect(dialog).to_contain_text("It adds 2 entries")
    expect(dialog.get_by_role("row", name="Founders' day")).to_contain_text("March 1, every year")
    dialog.get_by_text("1 event is left out").click()
    expect(dialog).to_contain_text("Meeting: is no whole day")
    shot(page, "calendars-import")
    assert findings(page) == []
    before = api.call("GET", "W/calendars")["items"][0]
    assert len(before["days"]) == 3
    dialog.get_by_role("button", name="Add 2 entries").click()
    expect(dialog).to_be_hidden()
    assert len(api.call("GET", "W/calendars")["items"][0]["days"]) == 5


def test_a_calendar_that_is_used_says_by_what_and_stays(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/settings/calendars")
    page.get_by_role("button", name="Remove Head office").click()
    dialog = page.get_by_role("dialog", name="Remove Head office?")
    expect(dialog.get_by_role("listitem")).to_contain_text("Bank statement: Clock")
    expect(dialog.get_by_role("button", name="Remove calendar")).to_be_disabled()
    shot(page, "calendars-used")
    assert findings(page) == []


def test_the_page_of_schedules_shows_its_days_and_names_it(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/schedules?view=month&day=2027-06-01")
    expect(page.get_by_test_id("schedule")).to_contain_text("(calendar “Head office”)")
    expect(page.get_by_text("Company day (Head office)")).to_be_visible()
    expect(page.get_by_text("Period close (Head office)").last).to_be_visible()
    shot(page, "calendars-schedules")
    assert findings(page) == []


def test_a_schedule_chooses_a_calendar_of_the_workspace(signed_in: Opens, api: Api, shot: Shot) -> None:
    (workflow,) = [one for one in api.call("GET", "W/workflows")["items"] if one["name"] == "Bank statement"]
    page = signed_in(f"/workflows/{workflow['id']}")
    page.get_by_text("Clock", exact=True).first.click()
    choice = page.get_by_label("Working days", exact=True)
    expect(choice).to_have_value("@head-office")
    expect(page.get_by_text("(calendar “Head office”)").first).to_be_visible()
    choice.select_option(label="The workspace’s calendar: Head office")
    expect(choice).to_have_value("@default")
    shot(page, "calendars-picker")


def test_an_alert_expects_something_on_the_working_days_of_a_calendar(signed_in: Opens, api: Api, shot: Shot) -> None:
    fields = {"address": "https://hooks.slack.com/services/T0/B0/secret"}
    hook = api.call("POST", "W/connections", {"kind": "alert_hook", "name": "Ops chat", "fields": fields})
    channel = api.call("POST", "W/alerts/channels", {"name": "Ops", "hook_id": hook["id"]})
    (workflow,) = [one for one in api.call("GET", "W/workflows")["items"] if one["name"] == "Bank statement"]
    arrival = {"by": "09:00", "country": "@head-office"}
    rule = {"kind": "arrival", "channels": [channel["id"]], "workflow_id": workflow["id"], "arrival": arrival}
    made = api.call("POST", "W/alerts/rules", rule)
    page = signed_in("/monitor/alerts")
    expect(page.get_by_text("a business day of Head office").first).to_be_visible()
    page.get_by_role("button", name="Edit rule").click()
    dialog = page.get_by_role("dialog", name="Edit rule")
    choice = dialog.get_by_label("Without the holidays of")
    expect(choice).to_have_value("@head-office")
    expect(dialog.get_by_label("Region")).to_have_count(0)
    choice.select_option(label="The workspace’s calendar: Head office")
    expect(dialog).to_contain_text("Next expected:")
    shot(page, "calendars-alert")
    dialog.get_by_role("button", name="Save rule").click()
    expect(dialog).to_be_hidden()
    (saved,) = [one for one in api.call("GET", "W/alerts")["rules"] if one["id"] == made["id"]]
    assert (saved["what"]["arrival"]["country"], saved["what"]["arrival"]["calendar"]) == ("@default", "Head office")


def test_a_phone_and_the_dark_and_german_read_as_well(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/", dark=True, viewport=PHONE)
    page.evaluate("localStorage.setItem('millrace.language', 'de')")
    page.goto("/settings/calendars")
    expect(page.get_by_role("heading", name="Arbeitskalender")).to_be_visible()
    expect(page.get_by_role("table")).to_be_visible()
    fits(page)
    shot(page, "calendars-phone-dark")
    page.get_by_role("button", name="Monate").click()
    expect(page.get_by_role("table")).to_have_count(12)
    fits(page)
    assert findings(page, only=THEMED) == []
    shot(page, "calendars-phone-months-dark")
    page.get_by_role("button", name="Head office ändern").click()
    expect(page.get_by_role("dialog", name="Head office ändern").get_by_label("Name", exact=True).first).to_be_focused()
    shot(page, "calendars-phone-dialog-dark")
    assert findings(page, only=THEMED) == []
