"""Schedules by the API: what comes and came, who may decide about it, and that a repeat decides nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builder.audit.models import AuditRow
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.dialect import database_now
from runtime.store.models import ScheduleChange, ScheduleSetting, Trigger
from runtime.worker.schedules import due, set_next
from tests.builder.conftest import World
from tests.builder.test_backfills import scheduled


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_next_starts_are_listed_and_one_is_left_out_once(world: World) -> None:
    scheduled(world, timezone="Europe/Berlin", at="02:30")
    (one,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    assert (one["words"], one["time_zone"], one["workflow_name"]) == (
        "Every day at 02:30",
        "Europe/Berlin",
        "Order to cash",
    )
    assert one["step_name"] not in {"", one["step"]}
    assert [change["asked"] for change in one["clock_changes"]].count("02:30") == 1
    first = one["next"][0]["instant"]
    here = f"{world.here}/schedules/{one['id']}"
    for _ in range(2):
        answer = world.as_bo.post(f"{here}/skip", {"instant": first}, headers={"Idempotency-Key": "once"})
        assert (answer.status, answer.body["next"][0]["fate"]) == (200, "skip")
    assert world.as_bo.post(f"{here}/skip", {"instant": first}).status == 200
    assert ScheduleChange.objects.count() == 1
    assert AuditRow.objects.filter(verb="schedule.start_left_out").count() == 1
    back = world.as_bo.post(f"{here}/put-back", {"instant": first})
    assert back.body["next"][0]["fate"] == "start"
    assert world.as_bo.post(f"{here}/skip", {"instant": in_days(-1)}).code == "start_passed"


def test_a_calendar_shows_days_of_the_zone_that_is_asked_for(world: World) -> None:
    scheduled(world)
    (one,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    here, first = f"{world.here}/schedules/{one['id']}", one["next"][0]["instant"]
    moved = (datetime.fromisoformat(first) + timedelta(hours=5)).isoformat()
    assert world.as_bo.post(f"{here}/move", {"instant": first, "to": moved}).body["next"][0]["moved"]
    query = f"begin={in_days(0)}&end={in_days(4)}&time_zone=Asia/Tokyo"
    found = world.as_vera.get(f"{world.here}/schedules/calendar?{query}").body
    assert found["time_zone"] == "Asia/Tokyo"
    assert (found["planned"][0]["moved"], found["planned"][0]["instant"]) == (True, first)
    assert found["planned"][0]["workflow_id"] == one["workflow_id"]
    for wrong, code in ((f"begin={in_days(4)}&end={in_days(0)}", "bad_range"), (f"{query}x", "bad_zone")):
        assert world.as_vera.get(f"{world.here}/schedules/calendar?{wrong}").code == code


def test_the_ends_of_the_calendar_are_no_times_of_a_schedule(world: World) -> None:
    scheduled(world)
    (one,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    last = {"instant": "9999-12-31T23:59:59Z"}
    assert world.as_bo.post(f"{world.here}/schedules/{one['id']}/skip", last).code == "start_passed"
    paused = world.as_bo.post(f"{world.here}/schedules/{one['id']}/pause", {"until": last["instant"]})
    assert paused.code == "pause_too_far"
    for begin, end, place in (
        ("0001-01-01T00:00:00Z", "0001-01-05T00:00:00Z", "America/New_York"),
        ("9999-12-28T00:00:00Z", "9999-12-31T23:59:59Z", "Asia/Tokyo"),
    ):
        query = f"begin={begin}&end={end}&time_zone={place}"
        assert world.as_vera.get(f"{world.here}/schedules/calendar?{query}").code == "bad_range"


def test_a_pause_to_the_end_of_the_calendar_stops_no_other_schedule(world: World) -> None:
    scheduled(world, timezone="Asia/Tokyo")
    row = Trigger.objects.get(type__startswith="trigger.schedule@")
    ScheduleSetting.objects.create(trigger_id=row.pk, workspace_id=row.workspace_id, paused_until=253_402_300_799_000)
    Trigger.objects.filter(pk=row.pk).update(next_fire_at=database_now() - 1)
    (tick,) = due()
    set_next(tick)
    assert Trigger.objects.get(pk=row.pk).next_fire_at is None


def test_one_schedule_of_an_unknown_zone_hides_no_other_one(world: World) -> None:
    scheduled(world)
    scheduled(world)
    broken = Trigger.objects.filter(type__startswith="trigger.schedule@").order_by("id")[0]
    config: Any = loads_stored(broken.config)
    Trigger.objects.filter(pk=broken.pk).update(config=dumps({**config, "timezone": "Mars/Olympus"}), next_fire_at=1)
    found = world.as_vera.get(f"{world.here}/schedules").body
    assert sorted(len(one["next"]) for one in found["items"]) == [0, 3]
    query = f"begin={in_days(0)}&end={in_days(4)}"
    planned = world.as_vera.get(f"{world.here}/schedules/calendar?{query}").body["planned"]
    assert planned
    assert str(broken.pk) not in {one["schedule_id"] for one in planned}
    other = Trigger.objects.filter(type__startswith="trigger.schedule@").order_by("id")[1]
    Trigger.objects.filter(pk=other.pk).update(next_fire_at=2)
    assert [tick.trigger.pk for tick in due()] == [other.pk], "nor does it keep it from starting"


def test_a_pause_says_who_paused_until_when(world: World) -> None:
    scheduled(world)
    (one,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    paused = world.as_bo.post(f"{world.here}/schedules/{one['id']}/pause", {"until": in_days(10)}).body
    assert paused["paused_by"] == "Bo"
    assert paused["next"][0]["at"] >= paused["paused_until"]
    assert world.as_rosa.post(f"{world.here}/schedules/{one['id']}/resume").status == 403
    assert world.as_bo.post(f"{world.here}/schedules/{one['id']}/resume").body["paused_until"] is None


@pytest.mark.parametrize("minutes", [61, -1])
def test_what_cannot_be_spread_is_refused(world: World, minutes: int) -> None:
    scheduled(world)
    (one,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    body = {"schedules": [one["id"]], "minutes": minutes}
    assert world.as_bo.post(f"{world.here}/schedules/spread", body).status == 422


def test_schedules_of_another_workspace_are_not_there(world: World) -> None:
    scheduled(world)
    (one,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    elsewhere = world.here.replace(str(world.northwind.id), str(world.southwind.id))
    assert world.as_mallory.post(f"{elsewhere}/schedules/{one['id']}/resume").status == 404
