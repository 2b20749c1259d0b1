"""I39: a database that is behind what was seen of it is a restored backup; nothing goes on before somebody says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from runtime import api
from runtime.engine.ids import uuid7
from runtime.store import restores
from runtime.store.brake import BRAKE
from runtime.store.models import Event, Instance, Run, Trigger
from runtime.store.records import RunWrite
from runtime.store.units import Fenced
from runtime.worker import schedules
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    flow,
    look,
    pause,
    post,
    rung_and_swept,
    step,
    unsafe_post,
    wait_until,
)

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}


@pytest.fixture(autouse=True)
def file_of_its_own() -> Iterator[None]:
    restores.beat_path().unlink(missing_ok=True)
    yield
    restores.beat_path().unlink(missing_ok=True)
    BRAKE.held = False


def held() -> bool:
    """Whether this process begins nothing."""
    return BRAKE.held


def go_back(beats: int = 1) -> None:
    """The database as it was so many beats ago."""
    for _ in range(beats + 1):
        restores.beat()
    Instance.objects.update(beat=Instance.objects.get().beat - beats)


def waiting_run(machine: Machine, world: World) -> Run:
    """A run that waits, and then calls twice; no process is left."""
    calls = (post("pay", f"{world.url}/invoices", INVOICE), unsafe_post("mail", f"{world.url}/invoices", INVOICE))
    machine.start()
    run_id = machine.begin(flow("start -> pause -> pay -> mail", pause("pause", 3600), *calls))
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    machine.stop()
    # By the time of the restore the wait is over.
    Run.objects.filter(pk=run_id).update(wake_at=0)
    return Run.objects.get(pk=run_id)


@pytest.mark.parametrize("kind", ["embedded", "worker"])
def test_a_process_that_starts_on_a_backup_begins_nothing_until_it_is_confirmed(
    kind: str, idle_machine: Machine, world: World
) -> None:
    run = waiting_run(idle_machine, world)
    go_back()
    idle_machine.start(kind, sweep_seconds=0.05)  # type: ignore[arg-type]
    assert held()
    hold = api.restored()
    assert hold is not None
    assert (hold.epoch, hold.runs) == (2, 1)
    later = idle_machine.begin(flow("start -> a"))
    tokens = set(Run.objects.values_list("id", "lease_token"))
    for _ in range(3):
        rung_and_swept(idle_machine, run.id)
    assert set(Run.objects.values_list("id", "lease_token")) == tokens, "nothing is claimed"
    assert (look(run.id).status, look(later).status) == ("waiting_timer", "accepted")
    assert world.invoices(str(run.id)) == []
    assert api.orphans() == []
    assert not next(item for item in api.system_health() if item.id == "restored").ok
    assert api.confirm_restored()
    assert idle_machine.finish(later).status == "completed"
    wait_until(lambda: Run.objects.get(pk=run.id).lease_token > run.lease_token + 1_000_000)
    assert api.restored() is None
    assert [item.id for item in api.system_health() if item.id == "restored"] == []


def test_what_may_have_been_sent_since_the_backup_is_listed(idle_machine: Machine, world: World) -> None:
    run = waiting_run(idle_machine, world)
    api.hold_restored()
    (found,) = api.held_runs()
    assert (found.id, found.workspace_id, found.status) == (run.id, WORKSPACE, "waiting_timer")
    assert [(one.node, one.effect, one.begun) for one in found.steps] == [
        ("pay", "keyed", False),
        ("mail", "unsafe", False),
    ]


def test_an_intent_without_a_result_says_that_it_was_begun(idle_machine: Machine, world: World) -> None:
    slow = unsafe_post("pay", f"{world.url}/invoices", INVOICE)
    slow["config"]["headers"] = [{"name": "X-Practice-Behaviour", "value": "slow=3000"}]
    idle_machine.start()
    run_id = idle_machine.begin(flow("start -> pay -> b", slow))
    idle_machine.until(run_id, lambda run: run.status == "running")
    wait_until(lambda: Run.objects.get(pk=run_id).seq >= 1)
    idle_machine.crash()
    api.hold_restored()
    (found,) = api.held_runs()
    assert [(one.node, one.begun) for one in found.steps] == [("pay", True)]
    words = StringIO()
    call_command("restored", stdout=words)
    assert "begun, and how it ended is not known; when you confirm, it stays in doubt" in words.getvalue()


def test_the_epoch_rises_once_for_a_restore(idle_machine: Machine, world: World) -> None:
    waiting_run(idle_machine, world)
    go_back()
    for _ in range(2):
        idle_machine.start()
        restores.beat()
        idle_machine.stop()
    assert Instance.objects.get().epoch == 2
    assert held()
    assert restores.release()
    restores.look()
    assert not held()
    go_back(3)
    restores.look()
    assert Instance.objects.get().epoch == 3


def test_a_restore_under_a_running_process_is_noticed_with_the_next_beat(machine: Machine) -> None:
    go_back(2)
    restores.look(beats=True)
    assert held()
    assert Instance.objects.get().epoch == 2


def test_one_lost_beat_is_enough(machine: Machine) -> None:
    go_back(1)
    restores.beat()
    assert held()


def test_whoever_outlived_the_restore_writes_nothing(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause", pause("pause", 3600)))
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    row = Run.objects.get(pk=run_id)
    api.hold_restored()
    late = RunWrite(
        run_id=run_id,
        workspace_id=WORKSPACE,
        workflow_id=row.workflow_id,
        token=row.lease_token,
        names=("step.result",),
        status="completed",
    )
    writer = machine.runtime and machine.runtime.writer
    assert writer
    with pytest.raises(Fenced):
        writer.write_sync(late)
    assert look(run_id).status == "waiting_timer"


def test_a_file_that_speaks_of_another_database_says_nothing(machine: Machine) -> None:
    restores.beat_path().write_text(f"{uuid7().hex} 99999\n")
    restores.look()
    assert not held()
    restores.beat_path().write_text("nonsense")
    restores.look()
    assert not held()
    restores.beat()
    assert restores.beat_path().read_text().split()[1] == str(Instance.objects.get().beat)


def test_a_file_that_cannot_be_written_stops_nothing(machine: Machine, settings: object) -> None:
    settings.BEAT_FILE = "/nowhere/at/all"  # type: ignore[attr-defined]
    restores.beat()
    restores.look()
    assert not held()


@pytest.mark.parametrize(("schedules", "runs"), [("skip", 0), ("run", 1)])
def test_a_start_that_may_have_taken_place_is_skipped_unless_it_is_asked_for(
    schedules: str, runs: int, machine: Machine
) -> None:
    start = step("start", "trigger.schedule@1", {"repeat": "every", "every": 1, "unit": "days", "at": "09:00"})
    workflow_id = machine.publish(flow("start -> a", start))
    api.hold_restored()
    BRAKE.held = True
    before = 86_400_000
    Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=before)
    ticker = machine.runtime and machine.runtime.ticker
    assert ticker
    machine.on_loop(ticker._tick())
    assert Event.objects.count() == 0
    hold = api.restored()
    assert hold is not None
    assert hold.schedules == 1
    call_command("restored", "--confirm", "--schedules", schedules, stdout=StringIO())
    wait_until(lambda: Trigger.objects.get().next_fire_at != before)
    machine.on_loop(ticker._tick())
    wait_until(lambda: Run.objects.filter(status="completed").count() == runs)
    assert Event.objects.count() == runs


def test_a_start_that_was_seen_to_be_due_before_a_hold_is_not_begun_after_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = step("start", "trigger.schedule@1", {"repeat": "every", "every": 1, "unit": "days", "at": "09:00"})
    workflow_id = machine.publish(flow("start -> a", start))
    ticker = machine.runtime and machine.runtime.ticker
    assert ticker
    look = schedules.due
    turn = threading.Lock()
    held: list[schedules.Tick] = []

    def held_in_between() -> list[schedules.Tick]:
        with turn:
            if held:
                return look()
            # Due only from here on: a tick of the runtime's own that saw it before would begin it by right.
            Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=86_400_000)
            held.extend(look())
            api.hold_restored()
            assert api.confirm_restored(schedules="skip")
            return list(held)

    monkeypatch.setattr(schedules, "due", held_in_between)
    machine.on_loop(ticker._tick())
    machine.on_loop(ticker._tick())
    assert held
    assert Event.objects.count() == 0


def test_nothing_is_skipped_where_nothing_waits_to_be_confirmed(idle_machine: Machine) -> None:
    """Somebody who says it twice, or on an installation that is at work, takes no start from it."""
    start = step("start", "trigger.schedule@1", {"repeat": "every", "every": 1, "unit": "days", "at": "09:00"})
    workflow_id = idle_machine.publish(flow("start -> a", start))
    Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=86_400_000)
    waits = Event.objects.create(
        workspace_id=WORKSPACE, workflow_id=workflow_id, source="schedule", verdict="queued", received_at=1,
        body_sha256="",
    )  # fmt: skip
    assert not api.confirm_restored()
    assert Trigger.objects.get(workflow_id=workflow_id).next_fire_at == 86_400_000
    assert Event.objects.get(pk=waits.pk).verdict == "queued"


def test_the_command_says_what_it_does(machine: Machine) -> None:
    words = StringIO()
    call_command("restored", stdout=words)
    assert "not known to be a restored backup" in words.getvalue()
    with pytest.raises(CommandError, match="Nothing waits"):
        call_command("restored", "--confirm", stdout=words)
    with pytest.raises(CommandError, match="Choose one"):
        call_command("restored", "--confirm", "--hold", stdout=words)
    call_command("restored", "--hold", stdout=words)
    assert "epoch 2" in words.getvalue()
    assert held()
    call_command("restored", "--confirm", stdout=words)
    assert not held()
