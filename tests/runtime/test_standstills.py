"""Time in which nothing could be tried uses up no tries: a pause, or nobody being there (I19)."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from runtime import api, queue
from runtime.store.models import Attempt, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, get, look, statuses, wait_until
from tests.runtime.test_own_runs import inside
from tests.runtime.test_pages import numbers, pages
from tests.runtime.test_undoing import call

#: As the settings of a step have it, only shorter: a standstill takes longer than all tries may. Waits take 3 seconds
#: of the time; the rest is for the tries on a machine that others keep busy.
AGAIN = {"attempts": 4, "strategy": "fixed", "first_seconds": 1.0, "jitter": 0, "total_seconds": 9}
LONGER_SECONDS = 9.5


def stands_still(machine: Machine, run_id: UUID, how: str) -> None:
    """Nothing can be tried for longer than the total time."""
    if how == "paused":
        api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
        time.sleep(LONGER_SECONDS)
        api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    else:
        machine.crash()
        time.sleep(LONGER_SECONDS)
        machine.start()


def retrying(run_id: UUID, node: str, attempt: int) -> bool:
    """Whether it waits for its next try, after so many, or more where others kept the machine busy."""
    waits = StepRun.objects.filter(run_id=run_id, node_id=node, status="retrying", attempt__gte=attempt)
    return waits.exists()


def has_ended(run_id: UUID) -> bool:
    return look(run_id).finished_at is not None


@pytest.mark.parametrize("how", ["paused", "dead"])
def test_a_standstill_between_two_tries_costs_none_of_those_that_are_left(
    machine: Machine, world: World, how: str
) -> None:
    run_id = machine.begin(flow("start -> pay", call("pay", world, "fail=503*3", retry=AGAIN)))
    for attempt in (1, 2):
        wait_until(lambda attempt=attempt: retrying(run_id, "pay", attempt) or has_ended(run_id))  # type: ignore[misc]
        assert not has_ended(run_id), detail(run_id, "pay")
        stands_still(machine, run_id, how)
    run = machine.finish(run_id)
    assert (run.status, len(detail(run_id, "pay").attempts)) == ("completed", 4)


def test_a_pause_of_which_the_worker_hears_when_the_next_try_is_due_costs_none_of_those_that_are_left(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = machine.begin(flow("start -> pay", call("pay", world, "fail=503*3", retry={**AGAIN, "total_seconds": 6})))
    wait_until(lambda: retrying(run_id, "pay", 1))
    with monkeypatch.context() as unheard:
        unheard.setattr(queue, "ring", lambda run_ids: None)
        api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    time.sleep(LONGER_SECONDS)
    assert len(detail(run_id, "pay").attempts) < 4
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    run = machine.finish(run_id)
    assert (run.status, len(detail(run_id, "pay").attempts)) == ("completed", 4)


def test_a_pause_of_which_the_worker_hears_late_costs_a_step_that_only_reads_no_try(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = get("look_up", f"{world.url}/shipments", retry={**AGAIN, "total_seconds": 6})
    world.ask("POST", "/behaviour", {"path": "/shipments", "behaviour": "fail=503", "times": 3})
    run_id = machine.begin(flow("start -> look_up", look_up))
    wait_until(lambda: retrying(run_id, "look_up", 1))
    with monkeypatch.context() as unheard:
        unheard.setattr(queue, "ring", lambda run_ids: None)
        api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    time.sleep(LONGER_SECONDS)
    assert len(detail(run_id, "look_up").attempts) < 4, "nothing is tried behind a pause"
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    run = machine.finish(run_id)
    assert (run.status, len(detail(run_id, "look_up").attempts)) == ("completed", 4)


def test_a_death_in_the_middle_of_a_try_costs_a_step_that_only_reads_none_of_those_that_are_left(
    machine: Machine, world: World
) -> None:
    behaviour = {"path": "/shipments", "behaviour": "slow=900", "times": 9}
    world.ask("POST", "/behaviour", behaviour)
    world.ask("POST", "/behaviour", {**behaviour, "behaviour": "fail=503", "times": 3})
    run_id = machine.begin(flow("start -> look_up", get("look_up", f"{world.url}/shipments", retry=AGAIN)))
    wait_until(lambda: retrying(run_id, "look_up", 1))
    wait_until(lambda: statuses(run_id)["look_up"] == "running")
    stands_still(machine, run_id, "dead")
    run = machine.finish(run_id)
    assert run.status == "completed", run


def test_a_standstill_in_the_middle_of_a_try_costs_none_of_those_that_are_left(machine: Machine, world: World) -> None:
    behaviour = {"path": "/invoices", "behaviour": "slow=1500", "times": 1}
    world.ask("POST", "/behaviour", behaviour)
    world.ask("POST", "/behaviour", {**behaviour, "behaviour": "fail=503", "times": 2})
    run_id = machine.begin(flow("start -> pay", call("pay", world, retry=AGAIN)))
    wait_until(lambda: Attempt.objects.filter(run_id=run_id, status="intent").exists())
    stands_still(machine, run_id, "dead")
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert [one.status for one in detail(run_id, "pay").attempts][-1] == "succeeded"


def test_a_standstill_costs_an_undo_step_no_try(machine: Machine, world: World) -> None:
    links = "start -> one -> three, one:undo -> undo_one"
    undo = call("undo_one", world, "fail=503*2", retry=AGAIN)
    run_id = machine.begin(flow(links, call("one", world), undo, call("three", world, "fail=422", on_failure="undo")))
    wait_until(lambda: retrying(run_id, "undo_one", 1))
    stands_still(machine, run_id, "paused")
    run = machine.finish(run_id)
    assert (run.status, len(detail(run_id, "undo_one").attempts)) == ("compensated", 3)


def test_a_standstill_costs_a_page_that_is_read_no_try(machine: Machine, world: World) -> None:
    world.ask("POST", "/behaviour", {"path": "/shipments", "behaviour": "fail=503", "times": 2})
    each = pages(world, settings={"retry": AGAIN}, at_a_time=4)
    run_id = machine.begin(flow("start -> each", each, *inside("each", fields("name", of="{{ item.number }}"))))
    wait_until(lambda: look(run_id).status in ("waiting_timer", "waiting_event"))
    wait_until(lambda: world.ask("GET", "/behaviour")["items"][0]["remaining"] == 1)
    stands_still(machine, run_id, "paused")
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert numbers(run_id) == list(range(1, 26))


def test_the_total_time_ends_a_step_that_keeps_failing(machine: Machine, world: World) -> None:
    again = {**AGAIN, "attempts": 9, "total_seconds": 2}
    run = machine.run(flow("start -> pay", call("pay", world, "fail=503", retry=again)))
    assert (run.status, len(detail(run.id, "pay").attempts)) == ("dead_lettered", 2)
    assert detail(run.id, "pay").step.wait is None
