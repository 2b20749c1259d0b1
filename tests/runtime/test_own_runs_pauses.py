"""Pauses upon pauses: of a run, of what it has begun, and of a workflow; each holds until it is lifted (I41, I42)."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import NotPaused
from runtime.store.dialect import database_now
from runtime.store.models import Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, pause, step, wait_until
from tests.runtime.test_own_runs import call, callee, children, each, inside, made, mark_of_this_test
from tests.runtime.test_own_runs_control import cancel, run_other
from tests.runtime.test_own_runs_held import hold, let_go

__all__ = ["mark_of_this_test"]


def pause_run(run_id: UUID) -> None:
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)


def resume(run_id: UUID) -> None:
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)


def paused_by(*run_ids: UUID) -> list[str | None]:
    return [Run.objects.get(pk=run_id).paused_by for run_id in run_ids]


def called_by(machine: Machine, world: World) -> tuple[str, UUID, UUID]:
    """A workflow, a run that waits for a run of it, and that run, which waits for a minute before it does something."""
    other = callee(machine, pause("nap", 60), call("work", world, order="x"), links="start -> nap -> work")
    run_id = machine.begin(flow("start -> runs", run_other(other)))
    wait_until(lambda: [one.status for one in children(run_id, "runs")] == ["waiting_timer"])
    return other, run_id, children(run_id, "runs")[0].id


def test_a_workflow_that_is_let_go_takes_along_no_run_whose_caller_is_paused(machine: Machine, world: World) -> None:
    other, run_id, called = called_by(machine, world)
    hold(other, open_runs="hold")
    pause_run(run_id)
    assert paused_by(called) == ["workflow"]
    let_go(other)
    assert paused_by(called) == ["run"], "its caller is paused"
    resume(run_id)
    assert paused_by(run_id, called) == [None, None]
    cancel(run_id)
    machine.finish(run_id)


def test_a_run_that_is_resumed_takes_along_no_call_of_a_workflow_that_is_paused_with_its_open_runs(
    machine: Machine, world: World
) -> None:
    other, run_id, called = called_by(machine, world)
    pause_run(run_id)
    hold(other, open_runs="hold")
    resume(run_id)
    assert paused_by(run_id, called) == [None, "workflow"]
    let_go(other)
    assert paused_by(called) == [None]
    cancel(run_id)
    machine.finish(run_id)


def test_an_item_that_somebody_paused_is_not_resumed_while_its_run_is_paused(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> each", each(), *inside("each", pause("nap", 60))), {"lines": ["a"]})
    wait_until(lambda: [one.status for one in children(run_id)] == ["waiting_timer"])
    (item,) = children(run_id)
    pause_run(item.id)
    pause_run(run_id)
    with pytest.raises(NotPaused, match="Resume that one first"):
        resume(item.id)
    resume(run_id)
    assert paused_by(run_id, item.id)[1] not in (None, "run"), "who paused it by itself resumes it by itself"
    resume(item.id)
    cancel(run_id)
    machine.finish(run_id)


def nested(world: World) -> dict[str, object]:
    slow = '{{ when(item == "b", "60", "0") }}'
    first = step("first", "flow.wait@1", {"mode": "for", "amount": slow, "unit": "seconds"})
    return flow(
        "start -> outer, first -> inner, make -> keep",
        each("{{ trigger.lines }}", "outer", stop="never", at_a_time=2),
        *inside("outer", first),
        {**each("{{ [1] }}", "inner"), "parent": "outer"},
        *inside("inner", call("make", world, "fail=503*1"), fields("keep")),
    )


def test_a_pause_reaches_what_is_gone_on_with_inside_of_something_that_has_ended(
    machine: Machine, world: World
) -> None:
    run_id = machine.begin(nested(world), {"lines": ["a", "b"]})
    wait_until(lambda: [one.status for one in children(run_id, "outer")] == ["dead_lettered", "waiting_timer"])
    (inner,) = children(children(run_id, "outer")[0].id, "inner")
    pause_run(run_id)
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=inner.id)
    assert plan.paused_around
    api.retry(workspace_id=WORKSPACE, run_id=inner.id, plan=plan.id)
    assert paused_by(inner.id) == ["run"]
    time.sleep(0.5)
    assert made(world) == []
    resume(run_id)
    assert machine.finish(inner.id).status == "completed"
    assert made(world) == ["make/1"]
    cancel(run_id)
    machine.finish(run_id)


def test_an_item_that_goes_on_by_itself_is_paused_with_its_workflow(machine: Machine, world: World) -> None:
    steps = inside("each", call("make", world, "fail=503*1"), pause("nap", 60))
    run_id = machine.begin(flow("start -> each, make -> nap", each(), *steps), {"lines": ["a"]})
    run = machine.finish(run_id)
    assert run.status == "dead_lettered", run
    (item,) = children(run_id)
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=item.id)
    api.retry(workspace_id=WORKSPACE, run_id=item.id, plan=plan.id)
    wait_until(lambda: look(item.id).status == "waiting_timer")
    hold(str(run.workflow_id), open_runs="hold")
    assert paused_by(item.id) == ["workflow"]
    let_go(str(run.workflow_id))
    assert paused_by(item.id) == [None]
    cancel(item.id)
    machine.finish(item.id)


@pytest.mark.parametrize("which", ["the run", "the turn"])
def test_the_time_between_two_turns_is_waited_for_through_a_pause(machine: Machine, which: str) -> None:
    config = {"until": "{{ index >= 1 }}", "pause": 60, "unit": "seconds", "most_turns": 5}
    run_id = machine.begin(flow("start -> rep", step("rep", "flow.repeat@1", config), *inside("rep", fields("work"))))
    wait_until(lambda: len(children(run_id, "rep")) == 2)
    turn = children(run_id, "rep")[1]
    due = turn.wake_at or 0
    assert due > database_now() + 50_000
    paused = run_id if which == "the run" else turn.id
    pause_run(paused)
    resume(paused)
    assert Run.objects.get(pk=turn.id).wake_at == due
    cancel(run_id)
    machine.finish(run_id)


def test_a_run_that_was_paused_before_it_began_is_held_when_its_workflow_is_paused(idle_machine: Machine) -> None:
    machine = idle_machine
    workflow_id = machine.publish(flow("start -> a", fields("a")))
    run_id = machine.begin_again(workflow_id)
    pause_run(run_id)
    hold(str(workflow_id))
    resume(run_id)
    machine.start()
    wait_until(lambda: Run.objects.filter(pk=run_id, held=1).exists())
    assert look(run_id).status == "accepted"
    let_go(str(workflow_id))
    assert machine.finish(run_id).status == "completed"
