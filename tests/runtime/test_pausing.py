"""Pausing one run: nothing begins, nothing is lost, nothing happens twice (I41)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyFinished, NotPaused, RunView
from runtime.store import failpoints
from runtime.store.models import Attempt, Run, StepRun, Timer
from runtime.store.statements import ENGINE, HELD, UNLESS_CANCELLED, UNLESS_PAUSED
from runtime.store.units import PausePending
from runtime.store.writer import Writer
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    cut_short,
    flow,
    look,
    pause,
    post,
    rung_and_swept,
    statuses,
    unsafe_post,
    wait_until,
)
from tests.runtime.rows import a_step, a_version, a_write
from tests.runtime.test_people import approval, asked, decide
from tests.runtime.test_writer_promises import leased_run, run

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 1, "currency": "EUR"}


def stop(run_id: UUID, **options: Any) -> RunView:
    return api.pause_run(workspace_id=WORKSPACE, run_id=run_id, **options)


def go_on(run_id: UUID) -> RunView:
    return api.resume_run(workspace_id=WORKSPACE, run_id=run_id)


def is_free(run_id: UUID) -> bool:
    """Whether nobody holds the run, and nothing will wake it."""
    return Run.objects.filter(pk=run_id, lease_owner=None, lease_expires_at=None, wake_at=None).exists()


def test_a_started_effect_ends_and_no_other_begins(machine: Machine, world: World) -> None:
    run_id = machine.begin(
        flow(
            "start -> pay -> again -> end",
            unsafe_post("pay", f"{world.url}/with/slow=3000/invoices", INVOICE),
            unsafe_post("again", f"{world.url}/invoices", INVOICE),
        )
    )
    wait_until(lambda: Attempt.objects.filter(run_id=run_id).exists())
    view = stop(run_id, reason="The ERP is being moved")
    assert view.paused
    wait_until(lambda: statuses(run_id)["pay"] == "succeeded" and is_free(run_id))
    assert [(row.node_id, row.status) for row in Attempt.objects.filter(run_id=run_id)] == [("pay", "succeeded")]
    view = look(run_id)
    assert view.waiting is not None
    assert (view.waiting["kind"], view.waiting["reason"]) == ("paused", "The ERP is being moved")
    assert view.status == "running"
    assert api.orphans() == []
    assert go_on(run_id).paused is False
    assert machine.finish(run_id).status == "completed"
    tries = Attempt.objects.filter(run_id=run_id).order_by("node_id").values_list("node_id", "status")
    assert list(tries) == [("again", "succeeded"), ("pay", "succeeded")]
    assert len(world.invoices(str(run_id))) == 2


def test_a_run_paused_before_it_began_begins_when_it_is_resumed(idle_machine: Machine) -> None:
    run_id = idle_machine.begin(flow("start -> a"))
    stop(run_id)
    idle_machine.start()
    assert run_id not in idle_machine.claimable()
    assert (look(run_id).status, statuses(run_id)) == ("accepted", {})
    go_on(run_id)
    assert idle_machine.finish(run_id).status == "completed"


def test_an_intent_behind_a_pause_is_refused_and_what_led_to_it_is_kept(idle_machine: Machine, world: World) -> None:
    """The pause is committed after the driver decided to begin the effect, and before it could say so."""
    idle_machine.start()
    failpoints.arm("step.intent:before=sleep(400)@nth(1)")
    run_id = idle_machine.begin(flow("start -> a -> pay -> b", post("pay", f"{world.url}/invoices", INVOICE)))
    wait_until(lambda: Run.objects.filter(pk=run_id).exists())
    stop(run_id)
    wait_until(lambda: is_free(run_id))
    failpoints.disarm()
    intents = Attempt.objects.filter(run_id=run_id)
    # Whichever of the two came first: an effect that may have begun has ended, one that had not does not.
    assert all(row.status == "succeeded" for row in intents)
    assert len(world.invoices(str(run_id))) == intents.count()
    go_on(run_id)
    assert idle_machine.finish(run_id).status == "completed"
    assert len(world.invoices(str(run_id))) == 1
    assert set(statuses(run_id).values()) == {"succeeded"}


def test_a_timer_that_falls_due_meanwhile_fires_once_when_the_run_is_resumed(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 600)))
    machine.until(run_id, lambda found: found.status == "waiting_timer")
    stop(run_id)
    cut_short(run_id)
    rung_and_swept(machine, run_id)
    assert statuses(run_id) == {"start": "succeeded", "pause": "waiting"}
    assert Timer.objects.filter(run_id=run_id).exists()
    assert api.orphans() == []
    go_on(run_id)
    assert machine.finish(run_id).status == "completed"
    assert not Timer.objects.filter(run_id=run_id).exists()


def test_a_timer_that_is_not_due_yet_is_waited_for_after_the_pause(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 600)))
    machine.until(run_id, lambda found: found.status == "waiting_timer")
    (timer,) = Timer.objects.filter(run_id=run_id)
    stop(run_id)
    wait_until(lambda: is_free(run_id))
    go_on(run_id)
    wait_until(lambda: Run.objects.filter(pk=run_id, wake_at=timer.due_at, lease_owner=None).exists())
    assert statuses(run_id) == {"start": "succeeded", "pause": "waiting"}
    cut_short(run_id)
    assert machine.finish(run_id).status == "completed"


def test_people_may_answer_meanwhile_and_the_run_hears_of_it_afterwards(machine: Machine) -> None:
    run_id = machine.begin(
        flow("start -> ask, ask:approved -> yes, ask:rejected -> no, ask:late -> no", approval(title="Pay?"))
    )
    task = asked(run_id)
    wait_until(lambda: look(run_id).status == "waiting_human")
    stop(run_id)
    decide(task, "approved")
    assert run_id not in machine.claimable()
    assert statuses(run_id)["ask"] == "waiting"
    assert is_free(run_id)
    go_on(run_id)
    assert machine.finish(run_id).status == "completed"
    assert statuses(run_id)["yes"] == "succeeded"


def test_a_paused_run_can_be_cancelled(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 3600)))
    machine.until(run_id, lambda found: found.status == "waiting_timer")
    stop(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "cancelled"
    assert Run.objects.get(pk=run_id).min_engine < HELD


def test_what_is_over_is_not_paused_and_what_is_not_paused_is_not_resumed(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> a"))
    machine.finish(run_id)
    with pytest.raises(AlreadyFinished):
        stop(run_id)
    with pytest.raises(NotPaused):
        go_on(run_id)


def test_paused_twice_is_paused_once(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 3600)))
    machine.until(run_id, lambda found: found.status == "waiting_timer")
    first = stop(run_id, reason="first")
    again = stop(run_id, reason="second")
    assert again.waiting == first.waiting
    assert Run.objects.get(pk=run_id).min_engine == HELD + 1
    go_on(run_id)
    assert Run.objects.get(pk=run_id).min_engine == 1


def test_a_worker_that_died_over_a_paused_run_is_taken_over_when_it_is_resumed(
    idle_machine: Machine, world: World
) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(flow("start -> pay -> b", post("pay", f"{world.url}/with/slow=3000/invoices", INVOICE)))
    wait_until(lambda: Attempt.objects.filter(run_id=run_id).exists())
    stop(run_id)
    idle_machine.crash()
    idle_machine.start()
    assert run_id not in idle_machine.claimable()
    assert [row.status for row in Attempt.objects.filter(run_id=run_id)] == ["intent"]
    assert look(run_id).waiting is not None
    assert api.orphans() == []
    Run.objects.filter(pk=run_id).update(lease_expires_at=1)
    go_on(run_id)
    assert idle_machine.finish(run_id).status == "completed"
    # The same key and bytes again (I11): one invoice.
    assert len(world.invoices(str(run_id))) == 1


def test_no_worker_whatever_it_knows_claims_a_paused_run(machine: Machine) -> None:
    """What an older one looks at is the row's own `min_engine`, and it is told that nobody is new enough."""
    run_id = machine.begin(flow("start -> pause -> a", pause("pause", 3600)))
    machine.until(run_id, lambda found: found.status == "waiting_timer")
    stop(run_id)
    # As an older web process does when somebody answers a question.
    Run.objects.filter(pk=run_id).update(wake_at=0, claims=0)
    assert run_id not in machine.claimable()
    row = Run.objects.get(pk=run_id)
    assert row.min_engine > 1_000 * ENGINE
    assert (row.lease_owner, row.claims) == (None, 0)


def test_no_intent_is_written_after_a_pause(writer: Writer) -> None:
    run_id = leased_run(writer, a_version().id)
    Run.objects.filter(pk=run_id).update(paused_at=77)
    with pytest.raises(PausePending):
        run(writer.write(a_write(run_id, 1, a_step("intent"), unless=UNLESS_CANCELLED + UNLESS_PAUSED)))
    assert StepRun.objects.count() == 0
    assert run(writer.write(a_write(run_id, 1, a_step("result"), unless=UNLESS_CANCELLED))).paused_at == 77
    # It is looked at again when somebody resumes it.
    run(writer.write(a_write(run_id, 1, release=True, wake_at=5)))
    assert (Run.objects.get().wake_at, Run.objects.get().lease_owner) == (None, None)
