"""Who may advance a run, and what becomes of it when the worker dies, pauses or is asked to stop."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api, queue
from runtime.engine.ids import uuid7
from runtime.store import failpoints
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Process, Run, StepRun
from runtime.store.records import RunWrite
from runtime.store.units import Fenced
from runtime.store.writer import Writer
from runtime.worker.pump import Pump
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, get, look, pause, post, statuses, wait_until

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}


def test_a_restart_takes_over_at_once(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    graph = flow("start -> call -> a", get("call", f"{world.url}/with/slow=2000/customers"))
    run_ids = [idle_machine.begin(graph) for _ in range(5)]
    wait_until(lambda: StepRun.objects.filter(node_id="call", status="running").count() == 5)
    idle_machine.crash()
    # At once: nobody waits here until these run out.
    Run.objects.filter(pk__in=run_ids).update(lease_expires_at=2**50, wake_at=2**50)
    idle_machine.start()
    for run_id in run_ids:
        assert idle_machine.finish(run_id).status == "completed"


def test_a_worker_that_lost_its_lease_records_nothing_and_starts_nothing(machine: Machine, world: World) -> None:
    run_id = machine.begin(
        flow(
            "start -> pay -> again",
            post("pay", f"{world.url}/with/slow=3000/invoices", INVOICE),
            post("again", f"{world.url}/invoices", INVOICE),
        )
    )
    wait_until(lambda: Attempt.objects.filter(run_id=run_id).exists())
    # Somebody else has taken the run over: the token in its row rose.
    row = Run.objects.get(pk=run_id)
    Run.objects.filter(pk=run_id).update(
        lease_token=row.lease_token + 1, lease_owner="somebody", lease_expires_at=2**50, wake_at=2**50
    )
    assert machine.runtime is not None
    pump = machine.runtime.pump
    assert pump is not None
    wait_until(lambda: pump.running == 0)
    assert [attempt.status for attempt in Attempt.objects.filter(run_id=run_id)] == ["intent"]
    assert statuses(run_id)["pay"] == "running"
    assert len(world.invoices(str(run_id))) == 1
    assert pump.lost == 1


def test_a_stop_hands_runs_back_at_once_and_loses_no_result(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    short, long = (
        idle_machine.begin(flow("start -> pay -> a", post("pay", f"{world.url}/with/slow={slow}*1/invoices", INVOICE)))
        for slow in (1_500, 30_000)
    )
    wait_until(lambda: Attempt.objects.count() == 2)
    idle_machine.stop(grace_seconds=10.0)
    assert Run.objects.filter(lease_owner__isnull=False).count() == 0
    assert Attempt.objects.get(run_id=short).status == "succeeded", "what ended within the grace is recorded"
    assert Attempt.objects.get(run_id=long).status == "intent"
    assert not StepRun.objects.filter(run_id=short, node_id="a").exists(), "nothing new begins while stopping"
    assert {process.stopped_at is not None for process in Process.objects.all()} == {True}
    idle_machine.start()
    assert idle_machine.finish(short).status == "completed"
    assert idle_machine.finish(long).status == "completed"
    assert len(world.invoices(str(short))) == len(world.invoices(str(long))) == 1
    assert Attempt.objects.get(run_id=long).attempt == 1, "a stop costs no try"


def test_a_stop_hands_back_what_a_claim_brings_at_that_moment(
    idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
    # Found by the sweep, it is claimed on the writer's thread, and the loop hears of the stop before the answer.
    monkeypatch.setattr(Pump, "rung", lambda *_: None)
    idle_machine.begin(flow("start -> a", fields("a", x=1)))
    # The claim is committed, and its answer is still on the way: for nearly as long as anybody waits for it.
    failpoints.arm("run.claim:after=sleep(2000)")
    idle_machine.start("worker")
    wait_until(lambda: Run.objects.filter(lease_owner__isnull=False).exists())
    idle_machine.stop(grace_seconds=1.0)
    row = Run.objects.get()
    assert (row.status, row.lease_owner) == ("accepted", None)
    assert row.wake_at is not None
    assert row.wake_at <= database_now(), "it is due at once, not when a lease runs out"


def test_leases_are_renewed_while_a_step_takes_its_time(
    idle_machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.worker.pump.HEARTBEAT_SECONDS", 0.2)
    idle_machine.start()
    run_id = idle_machine.begin(flow("start -> call", get("call", f"{world.url}/with/slow=4000/customers")))
    wait_until(lambda: StepRun.objects.filter(run_id=run_id, node_id="call").exists())
    first = Run.objects.get(pk=run_id).lease_expires_at
    assert first is not None
    wait_until(Run.objects.filter(pk=run_id, lease_expires_at__gt=first).exists)
    assert idle_machine.finish(run_id).status == "completed"


class Held(dict[Any, Any]):
    """What a pump drives, and how much that was at most."""

    most = 0

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.most = max(self.most, len(self))


def test_no_more_runs_are_held_than_there_is_room_for(idle_machine: Machine, world: World) -> None:
    idle_machine.start(most_runs=3)
    graph = flow("start -> call", get("call", f"{world.url}/with/slow=200/customers"))
    workflow_id = idle_machine.publish(graph)
    assert idle_machine.runtime is not None
    pump = idle_machine.runtime.pump
    assert pump is not None
    pump._driving = held = Held()
    run_ids = [idle_machine.begin_again(workflow_id) for _ in range(9)]
    assert {idle_machine.finish(run_id).status for run_id in run_ids} == {"completed"}
    assert held.most == 3


def test_the_sweep_finds_every_run_when_the_doorbell_is_off(
    idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_BROKER", "off")
    idle_machine.start(sweep_seconds=0.1)
    run_ids = [idle_machine.begin(flow("start -> a -> pause -> b", pause("pause", 0.2))) for _ in range(3)]
    for run_id in run_ids:
        assert idle_machine.finish(run_id).status == "completed"


def test_runs_are_the_same_when_every_step_begins_from_the_rows(idle_machine: Machine, world: World) -> None:
    def record(run_id: UUID) -> list[tuple[Any, ...]]:
        rows = StepRun.objects.filter(run_id=run_id).order_by("node_id")
        return [(row.node_id, row.status, row.attempt, row.ports, row.note, row.output, row.commit_seq) for row in rows]

    rules = {"match": "all", "rules": [{"left": "{{ trigger.total }}", "op": "gt", "right": 100}]}
    graph = flow(
        "start -> a -> big, big:yes -> pay -> end, big:no -> b -> end, a -> pause -> end, c:error -> d -> end, a -> c",
        fields("a", total="{{ trigger.total * 2 }}"),
        {**fields("big"), "type": "flow.decision@1", "config": {"conditions": rules}},
        get("pay", f"{world.url}/customers/C-200/credit"),
        pause("pause", 0.05),
        fields("c", settings={"on_failure": "error_port"}, value="{{ trigger.total / 0 }}"),
        fields("d", code="{{ error.code }}"),
        fields("end", total="{{ steps.a.total }}"),
    )
    records = []
    for reloads in (False, True):
        idle_machine.start(reloads=reloads, sweep_seconds=0.1)
        run = idle_machine.run(graph, {"total": 500})
        assert run.status == "completed", run.error
        pauses = ("pause", "pay")  # what they give depends on the hour
        records.append([row[:5] if row[0] in pauses else row[:6] for row in record(run.id)])
        idle_machine.stop()
    assert records[0] == records[1]


def test_a_message_that_makes_no_sense_does_nothing() -> None:
    run_id = uuid7()
    assert queue.ids_of([str(run_id)]) == [run_id]
    nonsense: Any
    for nonsense in (None, 7, "x", {"a": 1}, [1, None, {}, "x" * 10_000, "not-an-id"], [str(run_id)] * 5_000):
        assert queue.ids_of(nonsense) == []


def test_ringing_for_a_run_that_is_not_there_does_nothing(machine: Machine) -> None:
    queue.ring([uuid7(), uuid7()])
    assert machine.run(flow("start -> a")).status == "completed"


def test_a_foreign_start_writes_through_its_own_writer(idle_machine: Machine) -> None:
    run_id = idle_machine.begin(flow("start -> a"))
    assert look(run_id).status == "accepted"
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "completed"


def test_a_process_shows_that_it_is_alive(machine: Machine) -> None:
    wait_until(lambda: Process.objects.filter(stopped_at__isnull=True).exists())
    assert {item.id: item.ok for item in api.system_health()} == {
        "database": True, "clock": True, "workers": True, "orphans": True, "disk": True,
        **({"broker": True} if any(item.id == "broker" for item in api.system_health()) else {}),
    }  # fmt: skip


def test_a_run_that_nothing_will_move_is_found(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause", pause("pause", 3600)))
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    assert api.orphans() == []
    Run.objects.filter(pk=run_id).update(wake_at=None)
    assert api.orphans() == [run_id]
    assert not next(item for item in api.system_health() if item.id == "orphans").ok


def test_an_old_token_is_fenced_in_every_write(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause", pause("pause", 3600)))
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    row = Run.objects.get(pk=run_id)
    late = RunWrite(
        run_id=run_id,
        workspace_id=WORKSPACE,
        workflow_id=row.workflow_id,
        token=row.lease_token - 1,
        names=("step.result",),
        status="completed",
    )
    assert machine.runtime is not None
    writer = machine.runtime.writer
    assert isinstance(writer, Writer)
    with pytest.raises(Fenced):
        writer.write_sync(late)
    assert look(run_id).status == "waiting_timer"
