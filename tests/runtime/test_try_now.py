"""A step that is tried again later is tried at once, because somebody does not want to wait."""

from __future__ import annotations

from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, AlreadyFinished, NotFound, NotStartable, RunView
from runtime.store.models import Attempt, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, pause, post, wait_until

LATER = {"attempts": 3, "strategy": "fixed", "first_seconds": 3_600, "jitter": 0}
INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 1, "currency": "EUR"}


def tried(run_id: UUID, attempt: int = 1, node: str = "pay") -> RunView:
    return api.try_now(workspace_id=WORKSPACE, run_id=run_id, node_id=node, attempt=attempt)


def waits(run_id: UUID, attempt: int = 1) -> bool:
    return StepRun.objects.filter(run_id=run_id, node_id="pay", status="retrying", attempt=attempt).exists()


def failing(world: World, links: str, *steps: object, times: int = 1) -> dict[str, object]:
    pay = post("pay", f"{world.url}/with/fail=503*{times}/invoices", INVOICE, retry=LATER)
    return flow(links, pay, *steps)  # type: ignore[arg-type]


def test_a_try_of_the_next_hour_is_made_at_once(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "start -> pay"))
    wait_until(lambda: waits(run_id))
    tried(run_id)
    assert machine.finish(run_id).status == "completed"
    tries = Attempt.objects.filter(run_id=run_id, node_id="pay").order_by("attempt")
    assert [one.status for one in tries] == ["failed", "succeeded"]
    assert len({one.effect_key for one in tries}) == 1
    assert api.trail_faults(workspace_id=WORKSPACE, run_id=run_id) == []
    told = [one for one in api.trail(workspace_id=WORKSPACE, run_id=run_id).items if one.kind == "try_now"]
    assert [one.by for one in told] == ["api"]


def test_it_is_made_at_once_while_another_branch_is_at_work(machine: Machine, world: World) -> None:
    slow = post("slow", f"{world.url}/with/slow=20000/invoices", INVOICE)
    run_id = machine.begin(failing(world, "start -> pay, start -> slow", slow))
    wait_until(lambda: waits(run_id))
    tried(run_id)
    wait_until(lambda: StepRun.objects.filter(run_id=run_id, node_id="pay", status="succeeded").exists())
    assert StepRun.objects.get(run_id=run_id, node_id="slow").status == "running"


def test_only_the_wait_for_that_very_try_ends(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "start -> pay", times=2))
    wait_until(lambda: waits(run_id))
    tried(run_id)
    wait_until(lambda: waits(run_id, attempt=2))
    with pytest.raises(AlreadyDecided) as caught:
        tried(run_id)
    assert caught.value.code == "already_trying"
    assert waits(run_id, attempt=2)


def test_asked_twice_it_is_tried_once(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "start -> pay, start -> later", pause("later", 3_600)))
    wait_until(lambda: waits(run_id))
    machine.stop()
    tried(run_id)
    tried(run_id)
    told = [one for one in api.trail(workspace_id=WORKSPACE, run_id=run_id).items if one.kind == "try_now"]
    assert len(told) == 1
    machine.start()
    wait_until(lambda: StepRun.objects.filter(run_id=run_id, node_id="pay", status="succeeded").exists())
    assert Attempt.objects.filter(run_id=run_id, node_id="pay").count() == 2


def test_a_paused_run_is_not_hurried_and_one_that_ended_has_nothing_to_try(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "start -> pay"))
    wait_until(lambda: waits(run_id))
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    with pytest.raises(NotStartable, match="Resume it first"):
        tried(run_id)
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    with pytest.raises(NotFound):
        tried(run_id, node="nobody")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    with pytest.raises(AlreadyFinished):
        tried(run_id)
