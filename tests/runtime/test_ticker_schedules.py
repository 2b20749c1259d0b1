"""Schedules fire once for each instant, whatever died or was late."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from runtime import api
from runtime.engine.jsonprofile import loads
from runtime.store.dialect import database_now
from runtime.store.models import Event, Leadership, Process, Run, Trigger
from runtime.worker import overlap as overlaps
from runtime.worker import ticker
from tests.runtime.machine import PATIENCE, WORKSPACE, Machine, fields, flow, look, pause, step, wait_until

MINUTE = 60_000
HOUR = 60 * MINUTE


def scheduled(unit: str = "hours", **config: object) -> dict[str, object]:
    return flow("start -> a", step("start", "trigger.schedule@1", {"every": 1, "unit": unit, **config}))


def not_as_the_hour_turns() -> None:
    """Wait for the next hour where it is about to begin: a start of a schedule would come with it, before a test that
    others keep waiting is over."""
    left = HOUR - database_now() % HOUR
    if left < PATIENCE * 1000:
        time.sleep(left / 1000 + 0.1)


def due_since(workflow_id: UUID, units: int, unit: int = HOUR) -> int:
    """Make the schedule due as if nobody had looked for so long; the first missed instant."""
    not_as_the_hour_turns()
    first = (database_now() // unit - units) * unit
    Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=first)
    return first


def tick(workflow_id: UUID, node: str = "start") -> int:
    """Make the schedule due at this very moment, and wait until it has started what it starts; the instant."""
    not_as_the_hour_turns()
    at = database_now()
    mine = Trigger.objects.filter(workflow_id=workflow_id, node_id=node)
    mine.update(next_fire_at=at)
    wait_until(mine.filter(next_fire_at__gt=at).exists)
    return at


def ticks(workflow_id: UUID) -> list[int]:
    found = Event.objects.filter(workflow_id=workflow_id, source="schedule").order_by("received_at", "id")
    return [int(event.dedupe_key or 0) for event in found]


def test_publishing_arms_the_schedule_for_its_next_instant(idle_machine: Machine) -> None:
    not_as_the_hour_turns()
    workflow_id = idle_machine.publish(scheduled())
    now = database_now()
    trigger = Trigger.objects.get(workflow_id=workflow_id)
    assert trigger.next_fire_at is not None
    assert now < trigger.next_fire_at <= now + HOUR
    (view,) = api.triggers(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert view.next_fires[0] == trigger.next_fire_at
    assert len(view.next_fires) == 10
    assert view.path is None


def test_a_due_schedule_starts_one_run_with_its_instant(machine: Machine) -> None:
    workflow_id = machine.publish(scheduled())
    instant = due_since(workflow_id, 0)
    wait_until(lambda: Run.objects.filter(workflow_id=workflow_id, status="completed").exists())
    assert ticks(workflow_id) == [instant]
    event = Event.objects.get(workflow_id=workflow_id)
    assert event.body is not None
    body = loads(bytes(event.body))
    assert isinstance(body, dict)
    assert (body["missed"], body["previous"]) == (0, None)
    assert look(event.run_id or UUID(int=0)).started_by == "schedule"
    # A quick run has ended before the tick has written down the next instant.
    wait_until(lambda: (Trigger.objects.get(workflow_id=workflow_id).next_fire_at or 0) > instant)


def test_the_same_instant_twice_is_one_event(machine: Machine) -> None:
    workflow_id = machine.publish(scheduled())
    instant = due_since(workflow_id, 0)
    wait_until(lambda: len(ticks(workflow_id)) == 1)
    wait_until(lambda: (Trigger.objects.get(workflow_id=workflow_id).next_fire_at or 0) > instant)
    # The process died between the event and the new time: the instant is due again.
    Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=instant)
    wait_until(lambda: (Trigger.objects.get(workflow_id=workflow_id).next_fire_at or 0) > instant)
    assert ticks(workflow_id) == [instant]
    assert Run.objects.filter(workflow_id=workflow_id).count() == 1


def test_missed_instants_are_made_up_for_as_the_policy_says(idle_machine: Machine) -> None:
    expected = {"once": 1, "all": 6, "skip": 1}
    not_as_the_hour_turns()
    first = database_now() // MINUTE
    workflows = {policy: idle_machine.publish(scheduled("minutes", missed=policy)) for policy in expected}
    for workflow_id in workflows.values():
        due_since(workflow_id, 5, MINUTE)
    idle_machine.start()
    for policy, workflow_id in workflows.items():
        wait_until(lambda policy=policy, workflow_id=workflow_id: len(ticks(workflow_id)) >= expected[policy])  # type: ignore[misc]
    # Looked at once more, whoever was asked first.
    time.sleep(0.7)
    began = database_now() // MINUTE
    for policy, workflow_id in workflows.items():
        found = ticks(workflow_id)
        # Minutes may begin meanwhile.
        latest = max(found) // MINUTE
        assert expected[policy] <= len(found) <= expected[policy] + began - first, policy
        assert first <= latest <= began
        assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("overlap", "starts", "first"),
    [("allow", 2, "waiting_timer"), ("skip", 1, "waiting_timer"), ("cancel", 2, "cancelled")],
)
def test_a_start_meets_an_earlier_one_that_still_runs(machine: Machine, overlap: str, starts: int, first: str) -> None:
    config = {"every": 1, "unit": "days", "overlap": overlap}
    graph = flow("start -> nap", step("start", "trigger.schedule@1", config), pause("nap", 600))
    workflow_id = machine.publish(graph)
    tick(workflow_id)
    earlier = Run.objects.get(workflow_id=workflow_id)
    tick(workflow_id)
    assert len(ticks(workflow_id)) == 2
    assert Run.objects.filter(workflow_id=workflow_id).count() == starts
    machine.until(earlier.pk, lambda run: run.status == first)
    verdicts = Event.objects.filter(workflow_id=workflow_id).order_by("id").values_list("verdict", flat=True)
    assert list(verdicts) == ["accepted", "skipped" if overlap == "skip" else "accepted"]


@pytest.mark.parametrize(("overlap", "first"), [("skip", "waiting_timer"), ("cancel", "cancelled")])
def test_a_start_meets_an_earlier_one_however_much_else_has_begun_since(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, overlap: str, first: str
) -> None:
    monkeypatch.setattr(overlaps, "_NEWEST_RUNS", 4)
    config = {"every": 1, "unit": "days", "overlap": overlap}
    graph = flow(
        "start -> each -> nap, hand -> done",
        step("start", "trigger.schedule@1", config),
        step("hand", "trigger.manual@1"),
        step("each", "flow.for_each@1", {"items": list(range(6)), "at_a_time": 6}),
        {**fields("one"), "parent": "each"},
        pause("nap", 600),
        fields("done"),
    )
    workflow_id = machine.publish(graph)
    tick(workflow_id)
    wait_until(lambda: Run.objects.filter(workflow_id=workflow_id, status="waiting_timer").exists())
    earlier = Run.objects.filter(workflow_id=workflow_id, parent_run_id=None).earliest("id")
    for _ in range(6):
        api.start_run(workspace_id=WORKSPACE, workflow_id=workflow_id, trigger_node="hand", input=None)
    tick(workflow_id)
    machine.until(earlier.pk, lambda run: run.status == first)
    second = Event.objects.filter(workflow_id=workflow_id, source="schedule").order_by("id")[1]
    assert second.verdict == ("skipped" if overlap == "skip" else "accepted")


def test_an_instant_that_is_told_of_twice_does_not_cancel_its_own_run(machine: Machine) -> None:
    config = {"every": 1, "unit": "days", "overlap": "cancel"}
    graph = flow("start -> nap", step("start", "trigger.schedule@1", config), pause("nap", 600))
    workflow_id = machine.publish(graph)
    instant = tick(workflow_id)
    wait_until(lambda: Run.objects.filter(workflow_id=workflow_id, status="waiting_timer").count() == 1)
    Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=instant)
    wait_until(lambda: (Trigger.objects.get(workflow_id=workflow_id).next_fire_at or 0) > instant)
    run = Run.objects.get(workflow_id=workflow_id)
    assert (run.status, run.cancel_requested_at) == ("waiting_timer", None)


def test_a_switched_off_workflow_does_not_fire_and_begins_anew_when_switched_on(machine: Machine) -> None:
    workflow_id = machine.publish(scheduled())
    api.disable(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert Trigger.objects.get(workflow_id=workflow_id).next_fire_at is None
    first = due_since(workflow_id, 3)
    # The ticker has come upon it.
    wait_until(lambda: (Trigger.objects.get(workflow_id=workflow_id).next_fire_at or 0) > first)
    assert ticks(workflow_id) == []
    api.enable(workspace_id=WORKSPACE, workflow_id=workflow_id)
    trigger = Trigger.objects.get(workflow_id=workflow_id)
    assert trigger.next_fire_at is not None
    assert trigger.next_fire_at > time.time_ns() // 1_000_000


def test_due_runs_are_rung_for_until_somebody_takes_them(idle_machine: Machine) -> None:
    run_id = idle_machine.begin(flow("start -> a"))
    assert ticker.due_runs() == [run_id]
    Run.objects.filter(pk=run_id).update(lease_owner="x", lease_expires_at=2**50)
    assert ticker.due_runs() == []
    Run.objects.filter(pk=run_id).update(lease_expires_at=1)
    assert ticker.due_runs() == [run_id], "the lease of a dead worker runs out"


def test_only_one_ticker_leads_and_another_takes_over(transactional_db: None) -> None:
    first, second = Machine(), Machine()
    first.start("ticker")
    wait_until(lambda: Leadership.objects.count() == 1)
    second.start("ticker")
    assert first.runtime is not None
    assert second.runtime is not None
    time.sleep(0.8)
    assert Leadership.objects.get().owner == first.runtime.boot_id
    first.stop()
    wait_until(lambda: Leadership.objects.get().owner != "" and second.runtime is not None
               and Leadership.objects.get().owner == second.runtime.boot_id)  # fmt: skip
    second.stop()


def test_a_worker_knows_whether_a_door_stands_on_its_machine(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker, "SIGN_SECONDS", 0.05)

    def look_around() -> bool:
        machine = Machine()
        looking = machine.start("worker").ticker
        assert looking is not None
        # What it looks at last; it looks again and again.
        looking.workers = 0
        wait_until(lambda: looking.workers > 0)
        machine.stop()
        return looking.beside_door

    def door(host: str, seen_at: int) -> None:
        Process.objects.update_or_create(
            boot_id=f"web-{host}",
            defaults={"kind": "web", "host": host, "pid": 1, "started_at": 1, "seen_at": seen_at},
        )

    assert look_around(), "as long as nobody has seen a door, it may be here"
    door("elsewhere", database_now())
    assert not look_around()
    door(ticker.HOST, database_now())
    assert look_around()
    door(ticker.HOST, database_now() - ticker.GONE_MS - 1_000)
    assert not look_around(), "the one here is gone"
