"""Past instants of a schedule are started once each, in order; and a start that waits gets its turn (I33)."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from runtime import api
from runtime.contracts import BackfillView, NotFound, NotStartable, RuntimeRefused
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads
from runtime.store import queued as queue
from runtime.store.models import Backfill, Event, Run, Trigger
from runtime.worker import queued
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, look, pause, step, wait_until
from tests.runtime.test_ticker_schedules import HOUR, due_since, tick

DAILY = {"repeat": "every", "every": 1, "unit": "days", "at": "09:00", "timezone": "Europe/Berlin"}
BY = UUID("01890a5d-ac96-774b-bcce-b302099a8059")
#: The first days of November 2026, at nine o'clock in Berlin.
NINE = [int(datetime(2026, 11, day, 8, tzinfo=UTC).timestamp() * 1000) for day in range(1, 8)]


def published(machine: Machine, links: str = "start -> a", *steps: dict[str, Any], **config: Any) -> Trigger:
    workflow = machine.publish(flow(links, step("start", "trigger.schedule@1", {**DAILY, **config}), *steps))
    return Trigger.objects.get(workflow_id=workflow)


def asked(trigger: Trigger, first: Any = date(2026, 11, 1), last: Any = date(2026, 11, 5)) -> dict[str, Any]:
    return {
        "workspace_id": WORKSPACE, "workflow_id": trigger.workflow_id, "trigger_id": trigger.pk,
        "range_from": first, "range_to": last,
    }  # fmt: skip


def begin(trigger: Trigger, *, together: bool = False, **range_of: Any) -> BackfillView:
    return api.backfill(**asked(trigger, **range_of), together=together, by=BY)


def instants(trigger: Trigger) -> list[int]:
    """Of the runs, in the order in which they were made."""
    runs = Run.objects.filter(workflow_id=trigger.workflow_id).order_by("id")
    return [int(key or 0) for key in runs.values_list("event__dedupe_key", flat=True)]


def ended(trigger: Trigger, count: int) -> bool:
    return Run.objects.filter(workflow_id=trigger.workflow_id, status="completed").count() == count


class TestPlan:
    def test_days_are_whole_days_of_the_schedules_zone_and_nothing_is_started(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine)
        plan = api.backfill_plan(**asked(trigger))
        assert [instant.at for instant in plan.instants] == NINE[:5]
        assert (plan.starts, plan.too_many) == (5, False)
        assert not Event.objects.exists()

    def test_moments_are_included_and_the_future_is_not(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine)
        plan = api.backfill_plan(**asked(trigger, NINE[1], NINE[3]))
        assert [instant.at for instant in plan.instants] == NINE[1:4]
        assert api.backfill_plan(**asked(trigger, date(2999, 1, 1), date(2999, 2, 1))).instants == []

    def test_more_than_a_thousand_are_listed_in_part_and_not_started(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine, unit="minutes")
        plan = api.backfill_plan(**asked(trigger))
        assert (len(plan.instants), plan.too_many) == (1_000, True)
        with pytest.raises(RuntimeRefused) as refused:
            begin(trigger)
        assert refused.value.code == "too_many"
        assert not Event.objects.exists()

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (date(2026, 11, 5), date(2026, 11, 1)),
            (date(1, 1, 1), date(1, 1, 2)),
            (date(9999, 12, 30), date(9999, 12, 31)),
            (-(2**62), 2**62),
        ],
    )
    def test_a_range_that_is_none_is_refused(self, idle_machine: Machine, first: Any, last: Any) -> None:
        trigger = published(idle_machine)
        with pytest.raises(RuntimeRefused) as refused:
            api.backfill_plan(**asked(trigger, first, last))
        assert refused.value.code in ("bad_range", "schedule")

    def test_another_start_and_another_workspace_have_none(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine)
        with pytest.raises(NotFound):
            api.backfill_plan(**{**asked(trigger), "workspace_id": uuid7()})
        with pytest.raises(NotFound):
            api.backfill_plan(**{**asked(trigger), "trigger_id": uuid7()})


class TestStarting:
    def test_each_instant_gets_one_run_in_order_by_whoever_asked(self, machine: Machine) -> None:
        trigger = published(machine)
        made = begin(trigger, together=True)
        assert (made.starts, made.known, made.by) == (5, 0, BY)
        wait_until(lambda: ended(trigger, 5))
        assert instants(trigger) == NINE[:5]
        first = Run.objects.filter(workflow_id=trigger.workflow_id).earliest("id")
        assert look(first.pk).started_by == f"user:{BY}"
        output: Any = detail(first.pk, "start").output
        assert (output["scheduled_at"], output["date"], output["time"]) == (
            "2026-11-01T08:00:00.000Z", "2026-11-01", "09:00",
        )  # fmt: skip
        (listed,) = api.backfills(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        assert (listed.id, listed.waiting) == (made.id, 0)

    def test_what_has_run_is_not_started_again(self, machine: Machine) -> None:
        trigger = published(machine)
        begin(trigger, together=True)
        wait_until(lambda: ended(trigger, 5))
        again = begin(trigger, together=True, first=date(2026, 11, 3), last=date(2026, 11, 7))
        assert (again.starts, again.known) == (2, 3)
        wait_until(lambda: ended(trigger, 7))
        assert instants(trigger) == NINE
        with pytest.raises(RuntimeRefused) as refused:
            begin(trigger, together=True)
        assert refused.value.code == "nothing_to_start"
        assert Event.objects.count() == 7

    def test_what_was_left_out_in_its_time_gets_its_turn_in_the_same_event(self, machine: Machine) -> None:
        trigger = published(machine)
        left_out = Event.objects.create(
            workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, trigger_id=trigger.pk, source="schedule",
            received_at=1, body=b'{"scheduled_at":"2026-11-03T08:00:00.000Z"}', body_sha256="0" * 64,
            content_type="application/json", dedupe_key=str(NINE[2]), verdict="skipped", reason="Busy.",
        )  # fmt: skip
        begin(trigger)
        wait_until(lambda: ended(trigger, 5))
        assert instants(trigger) == NINE[:5]
        left_out.refresh_from_db()
        assert (left_out.verdict, left_out.reason, left_out.run_id is not None) == ("accepted", None, True)

    def test_one_after_another_waits_for_the_one_before(self, machine: Machine) -> None:
        trigger = published(machine, "start -> nap", pause("nap", 600))
        made = begin(trigger, last=date(2026, 11, 3))
        for number in range(3):
            wait_until(lambda number=number: Run.objects.count() == number + 1)  # type: ignore[misc]
            run = Run.objects.latest("id")
            machine.until(run.pk, lambda found: found.status == "waiting_timer")
            queued.release()
            assert Run.objects.count() == number + 1, "an earlier one still runs"
            (listed,) = api.backfills(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
            assert listed.waiting == made.starts - number - 1
            api.cancel(workspace_id=WORKSPACE, run_id=run.pk, by=BY)
        assert instants(trigger) == NINE[:3]

    def test_two_people_at_once_start_each_instant_once(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine)
        ready = threading.Barrier(2)
        outcomes: list[int | str] = []

        def ask() -> None:
            ready.wait()
            try:
                outcomes.append(begin(trigger).starts)
            except RuntimeRefused as refused:
                outcomes.append(refused.code)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, outcomes)) == ["5", "nothing_to_start"]
        assert (Event.objects.count(), Backfill.objects.count()) == (5, 1)

    def test_what_is_stopped_starts_no_more(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine)
        made = begin(trigger)
        stopped = api.stop_backfill(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, backfill_id=made.id)
        assert stopped.waiting == 0
        queued.release()
        assert not Run.objects.exists()
        assert api.backfill_plan(**asked(trigger)).starts == 5, "it may be asked for again"

    def test_nothing_starts_while_the_workflow_is_off(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine)
        begin(trigger)
        api.disable(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        with pytest.raises(NotStartable):
            begin(trigger, first=date(2026, 11, 6), last=date(2026, 11, 7))
        queued.release()
        assert not Run.objects.exists()
        assert set(Event.objects.values_list("verdict", flat=True)) == {"skipped"}

    def test_the_next_tick_does_not_take_a_past_start_for_the_one_before_it(self, machine: Machine) -> None:
        trigger = published(machine, every=1, unit="hours")
        first = due_since(trigger.workflow_id, 0)
        wait_until(lambda: ended(trigger, 1))
        begin(trigger, first=NINE[0], last=NINE[0] + HOUR, together=True)
        wait_until(lambda: ended(trigger, 3))
        Trigger.objects.update(next_fire_at=first + HOUR)
        Event.objects.filter(dedupe_key=str(first)).update(dedupe_key=str(first - HOUR))
        Trigger.objects.update(next_fire_at=first)
        wait_until(lambda: Event.objects.filter(dedupe_key=str(first)).exists())
        body: Any = loads(bytes(Event.objects.get(dedupe_key=str(first)).body or b""))
        assert body["previous"] == datetime.fromtimestamp((first - HOUR) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class TestOneWaits:
    def test_one_start_waits_until_the_earlier_run_has_ended_and_further_ones_are_left_out(
        self, machine: Machine
    ) -> None:
        trigger = published(machine, "start -> nap", pause("nap", 600), overlap="queue")
        first, second, _ = (tick(trigger.workflow_id) for _ in range(3))
        shown = Event.objects.order_by("dedupe_key").values_list("verdict", flat=True)
        assert list(shown) == ["accepted", "queued", "skipped"]
        run = Run.objects.get()
        machine.until(run.pk, lambda found: found.status == "waiting_timer")
        queued.release()
        assert Run.objects.count() == 1
        api.cancel(workspace_id=WORKSPACE, run_id=run.pk, by=BY)
        wait_until(lambda: Run.objects.count() == 2)
        assert instants(trigger) == [first, second]
        later = Run.objects.latest("id")
        assert look(later.pk).started_by == "schedule"
        assert Event.objects.get(run_id=later.pk).reason is None

    def test_two_tickers_at_once_start_what_waits_once(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine)
        begin(trigger, together=True)
        threads = [threading.Thread(target=release_and_close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert instants(trigger) == NINE[:5]


def test_what_waits_is_found_by_the_index_that_holds_nothing_else(transactional_db: None) -> None:
    waiting = queue.queued().filter(trigger_id__isnull=False)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # With three rows the planner reads the table whole; only its choice where it has one counts.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
        for found in (waiting.values_list("trigger_id").order_by().distinct(), waiting.filter(trigger_id=uuid7())):
            assert "event_queued" in found.explain()


def release_and_close() -> None:
    try:
        queued.release()
    finally:
        connections.close_all()


def test_a_schedule_of_seconds_starts_at_each_of_its_instants(machine: Machine) -> None:
    trigger = published(machine, repeat="every", every=5, unit="seconds")
    wait_until(lambda: ended(trigger, 2))
    found = instants(trigger)
    assert found[1] - found[0] == 5_000
    assert all(at % 5_000 == 0 for at in found)


def test_after_a_long_time_off_the_newest_are_made_up_for(idle_machine: Machine) -> None:
    trigger = published(idle_machine, repeat="every", every=5, unit="seconds", missed="all")
    day = 86_400_000
    now = int(datetime.now(UTC).timestamp() * 1000)
    Trigger.objects.update(next_fire_at=(now - 3 * day) // 5_000 * 5_000)
    idle_machine.start()
    wait_until(lambda: Event.objects.count() >= 100)
    found = sorted(int(key or 0) for key in Event.objects.values_list("dedupe_key", flat=True))
    assert found[0] > now - 11 * 60_000, "the newest hundred, not the oldest"
    assert trigger.pk == Event.objects.all()[0].trigger_id
