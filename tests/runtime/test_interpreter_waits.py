"""Waiting holds no worker, survives everything, and is never early."""

from __future__ import annotations

import contextlib
import itertools
import time
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyFinished
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Run, Timer
from runtime.worker.pump import Pump
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    cut_short,
    detail,
    fields,
    flow,
    get,
    look,
    pause,
    post,
    rung_and_swept,
    statuses,
    unsafe_post,
    wait_until,
)


def in_a_pause(machine: Machine, seconds: float) -> tuple[UUID, int]:
    """A run that waits so shortly, and until when. On a busy machine one may be over before anybody has seen it wait:
    then another."""
    workflow_id = machine.publish(flow("start -> pause -> a", pause("pause", seconds)))
    for _ in range(20):
        run_id = machine.begin_again(workflow_id)
        machine.until(run_id, lambda run: run.status == "waiting_timer" or run.finished_at is not None)
        due = Timer.objects.filter(run_id=run_id).values_list("due_at", flat=True).first()
        if due is not None:
            return run_id, due
    raise AssertionError("nobody has seen one of so many wait")


def waited_ms(run_id: object) -> int:
    found = detail(run_id, "pause").step  # type: ignore[arg-type]
    assert found.started_at is not None
    assert found.finished_at is not None
    return found.finished_at - found.started_at


def test_a_wait_lets_the_lease_go_and_says_what_it_waits_for(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 3600)))
    run = machine.until(run_id, lambda found: found.status == "waiting_timer")
    row = Run.objects.get(pk=run_id)
    assert row.lease_owner is None
    assert row.wake_at is not None
    assert Timer.objects.get(run_id=run_id).due_at == row.wake_at
    assert run.waiting is not None
    assert (run.waiting["kind"], run.waiting["until"], run.waiting["node"]) == ("timer", row.wake_at, "pause")
    assert run.current_node == "pause"
    assert row.wake_at - (detail(run_id, "pause").step.started_at or 0) == 3_600_000
    cut_short(run_id)
    run = machine.finish(run_id)
    assert run.status == "completed"
    assert run.waiting is None
    assert not Timer.objects.filter(run_id=run_id).exists()


@pytest.mark.parametrize("seconds", [0.3, 2])
def test_a_wait_is_not_early(machine: Machine, seconds: float) -> None:
    run = machine.run(flow("start -> pause -> a", pause("pause", seconds)))
    assert waited_ms(run.id) >= seconds * 1000


class WrongClock:
    """The time module of a machine whose clock is wrong."""

    def __init__(self, hours: float) -> None:
        self._wrong = int(hours * 3_600_000_000_000)

    def time_ns(self) -> int:
        return time.time_ns() + self._wrong

    def time(self) -> float:
        return self.time_ns() / 1e9

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)


@pytest.mark.parametrize("hours", [1, -1, 24, -24])
def test_a_wait_goes_by_the_databases_clock_whatever_the_workers_says(
    hours: float, idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle_machine.start()
    assert idle_machine.run(flow("start -> a")).status == "completed"
    monkeypatch.setattr("runtime.store.writer.time", WrongClock(hours))
    began = database_now()
    run_id = idle_machine.begin(flow("start -> pause -> a", pause("pause", 600)))
    waiting = idle_machine.until(run_id, lambda run: run.status == "waiting_timer")
    assert waiting.waiting is not None
    assert began + 600_000 <= waiting.waiting["until"] <= database_now() + 600_000
    rung_and_swept(idle_machine, run_id)
    assert look(run_id).status == "waiting_timer", "it is not over by the worker's clock"
    cut_short(run_id)
    assert idle_machine.finish(run_id).status == "completed"


def test_a_wait_counts_from_the_moment_by_which_it_was_reckoned(
    idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms, asked = Pump.now_ms, itertools.count(step=7)
    # A busy machine: between any two looks at the clock some time has passed.
    monkeypatch.setattr(Pump, "now_ms", lambda pump: now_ms(pump) + next(asked))
    idle_machine.start()
    run_id = idle_machine.begin(flow("start -> pause", pause("pause", 600)))
    idle_machine.until(run_id, lambda found: found.status == "waiting_timer")
    started_at = detail(run_id, "pause").step.started_at
    assert started_at is not None
    assert Timer.objects.get(run_id=run_id).due_at - started_at == 600_000


@pytest.mark.parametrize("seconds", [0.6, 2])
def test_a_wait_survives_a_crash_and_is_not_over_before_its_moment(idle_machine: Machine, seconds: float) -> None:
    idle_machine.start()
    run_id, due = in_a_pause(idle_machine, seconds)
    idle_machine.crash()
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "completed"
    finished = detail(run_id, "pause").step.finished_at
    assert finished is not None
    assert finished >= due
    assert not Timer.objects.filter(run_id=run_id).exists()


def test_an_early_nudge_changes_nothing(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 600)))
    machine.until(run_id, lambda found: found.status == "waiting_timer")
    seq = look(run_id).seq
    Run.objects.filter(pk=run_id).update(wake_at=1)  # somebody knocks long before the time
    assert machine.runtime is not None
    pump = machine.runtime.pump
    assert pump is not None
    machine.on_loop(pump.admit([run_id]))
    wait_until(lambda: (Run.objects.get(pk=run_id).wake_at or 0) > 1 and Run.objects.get(pk=run_id).lease_owner is None)
    assert look(run_id).status == "waiting_timer"
    assert look(run_id).seq <= seq + 1
    cut_short(run_id)
    assert machine.finish(run_id).status == "completed"


def test_a_waiting_run_is_cancelled_at_once(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 3600)))
    machine.until(run_id, lambda found: found.status == "waiting_timer")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    run = machine.finish(run_id)
    assert run.status == "cancelled"
    assert statuses(run_id) == {"start": "succeeded", "pause": "cancelled"}
    assert not Timer.objects.filter(run_id=run_id).exists()
    with pytest.raises(AlreadyFinished):
        api.cancel(workspace_id=WORKSPACE, run_id=run_id)


def test_a_short_wait_is_cancelled_too(machine: Machine) -> None:
    for _ in range(20):
        run_id, _ = in_a_pause(machine, 0.9)
        with contextlib.suppress(AlreadyFinished):  # where it took as long to cancel it
            api.cancel(workspace_id=WORKSPACE, run_id=run_id)
        if machine.finish(run_id).status == "cancelled":
            return
    raise AssertionError("none of so many was cancelled while it waited")


def test_a_cancel_lets_the_started_effect_end_and_starts_no_other(machine: Machine, world: World) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 1, "currency": "EUR"}
    run_id = machine.begin(
        flow("start -> pay -> again", post("pay", f"{world.url}/with/slow=3000/invoices", body),
             post("again", f"{world.url}/invoices", body))
    )  # fmt: skip
    wait_until(lambda: Attempt.objects.filter(run_id=run_id).exists())
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    run = machine.finish(run_id)
    assert run.status == "cancelled"
    assert statuses(run_id)["pay"] == "succeeded"
    assert [(row.node_id, row.status) for row in Attempt.objects.filter(run_id=run_id)] == [("pay", "succeeded")]
    assert len(world.invoices(str(run_id))) == 1


def test_a_run_cancelled_before_anybody_took_it_starts_nothing(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(flow("start -> a"))
    run_id = idle_machine.begin_again(workflow_id)
    assert api.cancel(workspace_id=WORKSPACE, run_id=run_id).cancel_requested
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "cancelled"
    assert "a" not in statuses(run_id)


def test_a_cancel_while_the_worker_is_dead_is_honoured_by_the_next(idle_machine: Machine, world: World) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 1, "currency": "EUR"}
    idle_machine.start()
    run_id = idle_machine.begin(
        flow("start -> pay -> b", unsafe_post("pay", f"{world.url}/with/slow=3000/invoices", body))
    )
    wait_until(lambda: Attempt.objects.filter(run_id=run_id).exists())
    idle_machine.crash()
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    idle_machine.start()
    run = idle_machine.finish(run_id)
    assert run.status == "cancelled"
    assert [row.status for row in Attempt.objects.filter(run_id=run_id)] == ["in_doubt"]


def test_cancel_and_completion_racing_give_exactly_one_end(machine: Machine) -> None:
    workflow_id = machine.publish(flow("start -> a -> b -> c -> d -> e -> f"))
    ends = set()
    for delay in range(12):
        run_id = machine.begin_again(workflow_id)
        time.sleep(delay / 1000)
        try:
            api.cancel(workspace_id=WORKSPACE, run_id=run_id)
            asked = True
        except AlreadyFinished:
            asked = False
        run = machine.finish(run_id)
        ends.add(run.status)
        assert run.status in ("completed", "cancelled")
        if not asked:
            assert run.status == "completed"
    assert ends


def test_parallel_branches_wait_and_work_independently(machine: Machine, world: World) -> None:
    run = machine.run(
        flow(
            "start -> pause -> end, start -> call -> end",
            pause("pause", 1.2),
            get("call", f"{world.url}/with/slow=300/customers"),
            fields("end", x=1),
        )
    )
    assert run.status == "completed"
    assert waited_ms(run.id) >= 1200
