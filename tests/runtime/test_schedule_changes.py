"""Schedules go by what people decided about their times, whatever died meanwhile, and by nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from runtime import api
from runtime.contracts import NotFound, RuntimeRefused
from runtime.contracts.schedules import ScheduleView, StartPassed
from runtime.engine.jsonprofile import loads
from runtime.store.dialect import database_now
from runtime.store.models import Event, Run, ScheduleChange, Trigger
from runtime.worker import schedules as ticking
from tests.runtime.machine import WORKSPACE, Machine, flow, step, wait_until

DAY = 86_400_000
HOUR = 3_600_000
#: Seconds in which also a machine that others keep busy decides about a start that is to come.
TO_DECIDE = 10


def daily(**config: object) -> dict[str, object]:
    return flow("start -> a", step("start", "trigger.schedule@1", {"every": 1, "unit": "days", **config}))


def published(machine: Machine, **config: object) -> tuple[UUID, Trigger]:
    workflow_id = machine.publish(daily(**config))
    return workflow_id, Trigger.objects.get(workflow_id=workflow_id)


def view(row: Trigger) -> ScheduleView:
    (found,) = api.schedules(workspace_id=WORKSPACE, schedule_id=row.pk)
    return found


def due(row: Trigger) -> int | None:
    return Trigger.objects.get(pk=row.pk).next_fire_at


def skip(row: Trigger, instant: int) -> None:
    api.skip_start(workspace_id=WORKSPACE, schedule_id=row.pk, instant=instant, by=None)


def move(row: Trigger, instant: int, to: int) -> None:
    api.move_start(workspace_id=WORKSPACE, schedule_id=row.pk, instant=instant, to=to, by=None)


def brought_near(row: Trigger, seconds: int = 3) -> int:
    """Make a time of the schedule that comes in a moment, whatever the hour; the instant."""
    at = (database_now() // 1000 + seconds) * 1000
    moment = datetime.fromtimestamp(at / 1000, UTC)
    cron = f"{moment.second} {moment.minute} {moment.hour} * * *"
    row.config = row.config.replace('"repeat":"every"', '"repeat":"cron"').replace('"cron":""', f'"cron":"{cron}"')
    assert cron in row.config
    row.next_fire_at = at
    row.save(update_fields=["config", "next_fire_at"])
    return at


def events(workflow_id: UUID) -> list[tuple[int, str]]:
    found = Event.objects.filter(workflow_id=workflow_id, source="schedule").order_by("id")
    return [(int(event.dedupe_key or 0), event.verdict) for event in found]


def test_a_start_that_is_left_out_starts_nothing_and_says_so_and_the_next_one_comes(machine: Machine) -> None:
    workflow_id, row = published(machine)
    instant = brought_near(row, TO_DECIDE)
    skip(row, instant)
    wait_until(lambda: bool(events(workflow_id)))
    assert events(workflow_id) == [(instant, "skipped")]
    assert Event.objects.get(workflow_id=workflow_id).reason == "Somebody left this start out."
    assert not Run.objects.filter(workflow_id=workflow_id).exists()
    wait_until(lambda: due(row) == instant + DAY)
    assert view(row).next[0].fate == "start"


def test_a_start_comes_at_the_moment_to_which_it_was_moved_as_the_start_of_its_time(machine: Machine) -> None:
    workflow_id, row = published(machine)
    (first, *_) = view(row).next
    to = database_now() + TO_DECIDE * 1000
    move(row, first.instant, to)
    assert due(row) == to
    wait_until(lambda: Run.objects.filter(workflow_id=workflow_id, status="completed").exists())
    assert events(workflow_id) == [(first.instant, "accepted")]
    body = loads(bytes(Event.objects.get(workflow_id=workflow_id).body or b""))
    assert isinstance(body, dict)
    assert datetime.fromisoformat(str(body["scheduled_at"])).timestamp() * 1000 == first.instant
    # Its own time starts nothing more.
    wait_until(lambda: due(row) == first.instant + DAY)


def test_a_start_that_is_moved_back_behind_the_next_one_keeps_its_place_in_neither(idle_machine: Machine) -> None:
    _, row = published(idle_machine)
    first, second, _ = view(row).next
    move(row, first.instant, second.at + HOUR)
    assert [one.instant for one in view(row).next[:2]] == [second.instant, first.instant]
    assert due(row) == second.at
    api.put_start_back(workspace_id=WORKSPACE, schedule_id=row.pk, instant=first.instant)
    assert [one.instant for one in view(row).next[:2]] == [first.instant, second.instant]
    assert (due(row), ScheduleChange.objects.count()) == (first.at, 0)


def test_a_pause_starts_nothing_says_so_once_and_ends_by_itself(machine: Machine) -> None:
    workflow_id, row = published(machine)
    instant = brought_near(row, TO_DECIDE)
    api.pause_schedule(workspace_id=WORKSPACE, schedule_id=row.pk, until=instant + 2 * DAY, by=None)
    wait_until(lambda: due(row) == instant + 2 * DAY)
    assert events(workflow_id) == [(instant, "skipped")]
    assert "paused" in str(Event.objects.get(workflow_id=workflow_id).reason)
    assert [one.at for one in view(row).next] == [instant + number * DAY for number in (2, 3, 4)]
    api.resume_schedule(workspace_id=WORKSPACE, schedule_id=row.pk)
    assert due(row) == instant + DAY
    assert view(row).paused_until is None


def test_a_pause_outlives_a_publish_and_being_switched_off(idle_machine: Machine) -> None:
    workflow_id, row = published(idle_machine)
    until = database_now() + 10 * DAY
    api.pause_schedule(workspace_id=WORKSPACE, schedule_id=row.pk, until=until, by=None)
    api.disable(workspace_id=WORKSPACE, workflow_id=workflow_id)
    api.enable(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert (due(row) or 0) >= until
    idle_machine.publish(daily(at="11:00"), workflow_id=workflow_id)
    assert (due(row) or 0) >= until
    (trigger,) = api.triggers(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert trigger.next_fires[0] >= until


def test_a_change_of_a_time_that_a_later_version_no_longer_has_is_void(idle_machine: Machine) -> None:
    workflow_id, row = published(idle_machine, at="09:00")
    first = view(row).next[0]
    move(row, first.instant, first.instant + HOUR)
    idle_machine.publish(daily(at="17:30"), workflow_id=workflow_id)
    assert all(not one.moved for one in view(row).next)
    assert (due(row) or 0) % DAY == 17 * HOUR + HOUR // 2


def test_schedules_that_are_spread_start_evenly_behind_their_time_and_lose_no_start(machine: Machine) -> None:
    rows = [published(machine)[1] for _ in range(3)]
    ids = [row.pk for row in rows]
    api.spread_schedules(workspace_id=WORKSPACE, schedule_ids=ids, minutes=9)
    nexts = [view(row).next[0] for row in rows]
    assert [one.at - one.instant for one in nexts] == [0, 180_000, 360_000]
    assert [due(row) for row in rows] == [one.at for one in nexts]
    # One that waits for its later moment is not lost where it shall come at its time again, which is past.
    late = Trigger.objects.get(pk=rows[2].pk)
    instant = brought_near(late)
    wait_until(lambda: database_now() > instant)
    Trigger.objects.filter(pk=late.pk).update(next_fire_at=instant + 360_000)
    api.spread_schedules(workspace_id=WORKSPACE, schedule_ids=[late.pk], minutes=0)
    first = view(late).next[0]
    assert (first.instant, first.at, first.moved) == (instant, instant + 360_000, True)


def test_what_is_asked_for_too_late_or_makes_no_sense_is_refused(idle_machine: Machine) -> None:
    _, row = published(idle_machine)
    first = view(row).next[0]
    with pytest.raises(StartPassed):
        skip(row, first.instant - DAY)
    with pytest.raises(StartPassed):
        skip(row, first.instant + 1_000)
    with pytest.raises(RuntimeRefused, match="time to come"):
        move(row, first.instant, database_now() - 1)
    with pytest.raises(RuntimeRefused, match="time to come"):
        api.pause_schedule(workspace_id=WORKSPACE, schedule_id=row.pk, until=database_now() - 1, by=None)
    with pytest.raises(NotFound):
        api.skip_start(workspace_id=uuid4(), schedule_id=row.pk, instant=first.instant, by=None)
    often = Trigger.objects.get(workflow_id=idle_machine.publish(daily(unit="minutes")))
    with pytest.raises(RuntimeRefused, match="so often"):
        api.spread_schedules(workspace_id=WORKSPACE, schedule_ids=[row.pk, often.pk], minutes=60)


def test_a_decision_made_while_the_tick_is_at_work_is_seen_by_it(idle_machine: Machine) -> None:
    _, row = published(idle_machine)
    at = database_now() - 1_000
    Trigger.objects.filter(pk=row.pk).update(next_fire_at=at)
    (tick,) = ticking.due()
    first = view(row).next[0]
    to = database_now() + HOUR // 60
    move(row, first.instant, to)
    assert due(row) == at, "what is due at this moment stays the tick's"
    ticking.set_next(tick)
    assert due(row) == to


def test_the_calendar_shows_what_came_with_its_runs_and_what_comes_as_the_ticker_will(machine: Machine) -> None:
    workflow_id, row = published(machine)
    instant = brought_near(row)
    wait_until(lambda: Run.objects.filter(workflow_id=workflow_id, status="completed").exists())
    wait_until(lambda: due(row) == instant + DAY)
    skip(row, instant + DAY)
    move(row, instant + 2 * DAY, instant + 2 * DAY + HOUR)
    found = api.schedule_calendar(
        workspace_id=WORKSPACE, begin=instant - DAY, end=instant + 3 * DAY, time_zone="Europe/Berlin"
    )
    assert [(one.instant, one.status, one.verdict) for one in found.past] == [(instant, "completed", "accepted")]
    assert [(one.at, one.fate, one.moved) for _, one in found.planned] == [
        (instant + DAY, "skip", False),
        (instant + 2 * DAY + HOUR, "start", True),
        (instant + 3 * DAY, "start", False),
    ]
    assert found.days == []


def test_a_schedule_that_starts_often_is_told_of_by_day(idle_machine: Machine) -> None:
    _, row = published(idle_machine, unit="minutes", every=30)
    begin = database_now() // DAY * DAY
    found = api.schedule_calendar(workspace_id=WORKSPACE, begin=begin + DAY, end=begin + 4 * DAY - 1, time_zone="UTC")
    assert found.planned == []
    assert [one.planned for one in found.days] == [48, 48, 48]
    before = begin - 2 * DAY
    instants = [before + number * HOUR // 2 for number in range(48)]
    Event.objects.bulk_create(
        Event(
            workspace_id=WORKSPACE, workflow_id=row.workflow_id, trigger_id=row.pk, source="schedule", received_at=at,
            body=b"{}", body_sha256="", dedupe_key=str(at), verdict="skipped",
        )
        for at in instants
    )  # fmt: skip
    past = api.schedule_calendar(workspace_id=WORKSPACE, begin=before, end=before + DAY - 1, time_zone="UTC")
    day = datetime.fromtimestamp(before / 1000, UTC).date()
    assert [(one.day, one.left_out, one.by_status) for one in past.days] == [(day, 48, {})]


def test_schedules_that_meet_in_one_minute_are_named(idle_machine: Machine) -> None:
    ids = {published(idle_machine, at="18:00")[1].pk for _ in range(5)}
    published(idle_machine, at="18:01")
    (found,) = api.collisions(workspace_id=WORKSPACE)
    assert (set(found.schedules), found.times, found.at % DAY) == (ids, 7, 18 * HOUR)
    api.spread_schedules(workspace_id=WORKSPACE, schedule_ids=sorted(ids), minutes=10)
    assert api.collisions(workspace_id=WORKSPACE) == []


def test_clock_changes_of_the_coming_year_are_told(idle_machine: Machine) -> None:
    _, row = published(idle_machine, at="02:30", timezone="Europe/Berlin")
    forward, back = sorted(view(row).clock_changes, key=lambda one: one.asked is None)
    assert (forward.asked, forward.starts) == ("02:30", "03:00")
    assert (back.asked, back.starts, back.both) == (None, "02:30", False)
    assert {forward.day.month, back.day.month} == {3, 10}
    assert isinstance(forward.day, date)


def test_the_holidays_of_calendars_in_use_are_shown(idle_machine: Machine) -> None:
    published(idle_machine, calendar="DE", region="BY", off_days="skip", free_days=["12-24"])
    begin = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)
    found = api.schedule_calendar(workspace_id=WORKSPACE, begin=begin, end=begin + 31 * DAY, time_zone="UTC")
    days = {one.day: (one.name, one.calendar) for one in found.free_days}
    assert set(days) >= {date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26)}
    assert days[date(2026, 12, 25)][1] == "DE-BY"
    assert days[date(2026, 12, 25)][0]
