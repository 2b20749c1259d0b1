"""Business calendars by the API: who sees and changes them, what goes by them, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from builder.audit.models import AuditRow
from runtime.store.models import BusinessCalendar
from tests.builder.audited_alerts import rule_body
from tests.builder.audited_calendars import OFFICE, calendar
from tests.builder.conftest import World
from tests.builder.test_backfills import scheduled

ICS = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Company day\nDTSTART;VALUE=DATE:20270611\nEND:VEVENT\n"
    "BEGIN:VEVENT\nSUMMARY:Meeting\nDTSTART:20270611T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
)


def test_everybody_sees_the_calendars_and_a_year_of_one(world: World) -> None:
    here = calendar(world)
    (one,) = world.as_vera.get(f"{world.here}/calendars").body["items"]
    assert (one["key"], one["name"], one["default"], one["revision"]) == ("head-office", "Head office", True, 1)
    assert one["weekdays"] == [0, 1, 2, 3, 4]
    assert one["changed_by"] == world.alice.name
    assert world.as_vera.get(here).body == one
    year = world.as_vera.get(f"{here}/year?year=2027").body
    days = {(day["day"], day["kind"]): day["name"] for day in year["days"]}
    assert days["2027-01-06", "holiday"] == "Heilige Drei Könige"
    assert days["2027-12-24", "off"] == "Closed"
    assert days["2027-12-23", "close"] == ""
    assert len(year["working_days"]) == 12
    germany = next(
        one for one in world.as_vera.get(f"{world.here}/calendars/countries").body["items"] if one["code"] == "DE"
    )
    assert "BY" in germany["regions"]


def test_a_calendar_of_another_workspace_is_not_here(world: World) -> None:
    made = calendar(world).rsplit("/", 1)[-1]
    assert world.as_mallory.get(f"{world.there}/calendars").body["items"] == []
    assert world.as_mallory.get(f"{world.there}/calendars/{made}").status == 404
    assert world.as_mallory.get(f"{world.there}/calendars/{made}/year?year=2027").status == 404


def test_a_repeat_makes_no_second_one_and_what_is_wrong_is_said_by_its_field(world: World) -> None:
    for _ in range(2):
        answer = world.as_alice.post(f"{world.here}/calendars", OFFICE, headers={"Idempotency-Key": "once"})
        assert answer.status == 201
    assert BusinessCalendar.objects.count() == 1
    assert AuditRow.objects.filter(verb="calendar.created").count() == 1
    again = world.as_alice.post(f"{world.here}/calendars", OFFICE)
    assert (again.status, set(again.body["fields"])) == (422, {"name"})
    wrong = {**OFFICE, "name": "Other", "days": [{"day": "2027-02-28"}, {"day": "2027-02-30"}]}
    refused = world.as_alice.post(f"{world.here}/calendars", wrong)
    assert (refused.status, set(refused.body["fields"])) == (422, {"days.1.day"})


def test_two_who_change_it_at_once_do_not_undo_each_other(world: World) -> None:
    here = calendar(world)
    body = {**OFFICE, "default": True, "revision": 1}
    assert world.as_alice.put(here, {**body, "close": ""}).body["revision"] == 2
    late = world.as_alice.put(here, {**body, "name": "Mine"})
    assert (late.status, late.code) == (409, "calendar_changed")


def test_who_knows_a_calendar_as_the_default_does_not_take_that_back_unseen(world: World) -> None:
    here = calendar(world)
    branch = {**OFFICE, "name": "Branch", "default": True}
    assert world.as_alice.post(f"{world.here}/calendars", branch).status == 201
    late = world.as_alice.put(here, {**OFFICE, "default": True, "revision": 1, "close": ""})
    assert (late.status, late.code) == (409, "calendar_changed")


def test_a_file_is_looked_at_and_nothing_is_kept(world: World) -> None:
    calendar(world)
    found = world.as_alice.post(f"{world.here}/calendars/import", {"text": ICS, "days": []}).body
    assert found["days"] == [{"day": "2027-06-11", "until": "", "name": "Company day", "works": False}]
    assert found["left_out"] == [{"name": "Meeting", "why": "time"}]
    bad = world.as_alice.post(f"{world.here}/calendars/import", {"text": "%PDF-1.7"})
    assert (bad.status, bad.code) == (422, "bad_ics")
    assert "no calendar file" in bad.body["title"]
    large = world.as_alice.post(f"{world.here}/calendars/import", {"text": "x" * 200_001})
    assert large.status == 422
    assert AuditRow.objects.filter(verb__startswith="calendar.").count() == 1


def test_a_calendar_that_is_used_is_not_removed_and_says_by_what(world: World) -> None:
    here = calendar(world)
    scheduled(world, off_days="skip", calendar="@head-office")
    (one,) = world.as_alice.get(f"{here}/uses").body["items"]
    assert (one["name"], one["steps"], one["live"], one["alert"]) == ("Order to cash", ["Start"], True, False)
    refused = world.as_alice.delete(here)
    assert (refused.status, refused.code) == (409, "calendar_used")
    assert "Order to cash (Start)" in refused.body["detail"]
    assert BusinessCalendar.objects.count() == 1


def test_the_default_calendar_is_used_by_whatever_names_the_default(world: World) -> None:
    here = calendar(world)
    other = calendar(world, name="Branch")
    workflow = world.workflow("Statements")
    arrival = {"by": "09:00", "days": "working", "country": "@default"}
    body = rule_body(world, kind="arrival", workflow_id=str(workflow.id), arrival=arrival)
    made = world.as_alice.post(f"{world.here}/alerts/rules", body)
    assert (made.status, made.body["what"]["arrival"]["calendar"]) == (201, "Head office")
    (one,) = world.as_alice.get(f"{here}/uses").body["items"]
    assert (one["name"], one["steps"], one["alert"]) == ("Statements", [], True)
    assert world.as_alice.get(f"{other}/uses").body["items"] == []
    assert world.as_alice.delete(here).code == "calendar_used"
    # With another default it is that one's.
    assert world.as_alice.put(other, {**OFFICE, "name": "Branch", "default": True, "revision": 1}).status == 200
    assert world.as_alice.delete(here).status == 204
    assert world.as_alice.delete(other).code == "calendar_used"


def test_an_alert_by_a_calendar_that_is_not_here_is_refused(world: World) -> None:
    arrival: dict[str, Any] = {"by": "09:00", "days": "working", "country": "@elsewhere"}
    body = rule_body(world, kind="arrival", workflow_id=str(world.workflow("Statements").id), arrival=arrival)
    refused = world.as_alice.post(f"{world.here}/alerts/rules", body)
    assert (refused.status, set(refused.body["fields"])) == (422, {"arrival.country"})


def test_the_schedules_page_shows_days_off_and_closes_and_the_next_times_respect_them(world: World) -> None:
    calendar(world)
    scheduled(world, off_days="skip", calendar="@default", timezone="UTC")
    (one,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    assert one["calendar"] == "Head office"
    assert "calendar “Head office”" in one["words"]
    year = datetime.now(UTC).year + 1
    query = f"begin={year}-12-01T00:00:00Z&end={year + 1}-01-08T00:00:00Z&time_zone=UTC"
    found = world.as_vera.get(f"{world.here}/schedules/calendar?{query}").body
    told = {(day["day"], day["kind"]): (day["name"], day["calendar"]) for day in found["free_days"]}
    assert told[f"{year}-12-24", "off"] == ("Closed", "Head office")
    assert [day for day, kind in told if kind == "close"]
    assert {start["at"][:10] for start in found["planned"]}.isdisjoint({f"{year}-12-24", f"{year}-12-31"})


def test_a_preview_counts_by_the_calendar_of_the_workspace(world: World) -> None:
    config = {"repeat": "weekdays", "at": "08:00", "off_days": "skip", "calendar": "@head-office"}
    before = world.as_bo.post(f"{world.here}/schedules/preview", {"config": config}).body
    assert "no calendar “head-office”" in before["notes"][0]
    calendar(world)
    after = world.as_bo.post(f"{world.here}/schedules/preview", {"config": config}).body
    assert after["words"].endswith("(calendar “Head office”)")
    assert after["notes"] == []
