"""Calls of workflows that are paused and still accept, and calls whose end nobody waits for (I25, I41, I42)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import NotPaused
from runtime.store.models import Hold, Run
from runtime.store.statements import HELD
from runtime.worker.breaker import Breaker
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, pause, step, wait_until
from tests.runtime.test_own_runs import call, callee, children, each, inside, listed, made, mark_of_this_test
from tests.runtime.test_own_runs_control import cancel, run_other

__all__ = ["mark_of_this_test"]


def hold(workflow: str, **how: Any) -> None:
    api.hold_workflow(workspace_id=WORKSPACE, workflow_id=UUID(workflow), **how)


def let_go(workflow: str) -> None:
    api.let_go(workspace_id=WORKSPACE, workflow_id=UUID(workflow))


@pytest.mark.parametrize("waits", [True, False])
def test_a_call_of_a_paused_workflow_is_held_and_goes_when_that_is_let_go(machine: Machine, waits: bool) -> None:
    other = callee(machine, fields("work"))
    hold(other, reason="The ERP is being moved")
    run_id = machine.begin(flow("start -> runs", run_other(other, wait=waits)))
    if waits:
        cause = machine.until(run_id, lambda run: "held_workflow" in (run.waiting or {})).waiting or {}
        assert (cause["kind"], cause["held_workflow"]) == ("children", other)
        assert cause["text"].endswith("the workflow that it runs is paused")
    else:
        assert machine.finish(run_id).status == "completed"
    (child,) = children(run_id, "runs")
    assert (child.status, child.held, child.wake_at, child.min_engine >= HELD) == ("accepted", 1, None, True)
    told = look(child.id).waiting or {}
    assert (told["kind"], told["text"]) == ("held", "Held: the workflow is paused: The ERP is being moved")
    assert machine.claimable() == set()
    assert api.orphans() == []
    let_go(other)
    assert machine.finish(child.id).status == "completed"
    assert machine.finish(run_id).status == "completed"


def test_the_items_of_a_run_that_is_under_way_go_on_while_its_workflow_is_paused(machine: Machine) -> None:
    graph = flow("start -> each", each(), *inside("each", pause("nap", 0.4), fields("work")))
    run_id = machine.begin(graph, {"lines": ["a", "b", "c"]})
    wait_until(lambda: bool(children(run_id)))
    hold(str(Run.objects.get(pk=run_id).workflow_id))
    assert machine.finish(run_id).status == "completed"
    assert [one.held for one in children(run_id)] == [None] * 3


def test_a_call_that_strayed_past_the_hold_is_not_claimed_and_gathered(machine: Machine) -> None:
    other = callee(machine, fields("work"))
    hold(other)
    run_id = machine.begin(flow("start -> runs", run_other(other)))
    wait_until(lambda: bool(children(run_id, "runs")))
    (child,) = children(run_id, "runs")
    Run.objects.filter(pk=child.id).update(held=None, wake_at=1, min_engine=1)
    assert child.id not in machine.claimable()
    wait_until(lambda: Run.objects.filter(pk=child.id, held=1, wake_at=None, min_engine=HELD + 1).exists())
    cancel(run_id)
    assert machine.finish(run_id).status == "cancelled"
    assert [one.status for one in children(run_id, "runs")] == ["cancelled"]


def test_a_workflow_that_is_paused_with_its_open_runs_pauses_those_that_were_called(machine: Machine) -> None:
    other = callee(machine, pause("work", 60))
    run_id = machine.begin(flow("start -> runs", run_other(other)))
    wait_until(lambda: [one.status for one in children(run_id, "runs")] == ["waiting_timer"])
    hold(other, open_runs="hold")
    assert [one.paused_by for one in children(run_id, "runs")] == ["workflow"]
    cause = machine.until(run_id, lambda run: "paused_item" in (run.waiting or {})).waiting or {}
    assert cause["paused_item"] == 0
    let_go(other)
    assert [one.paused_by for one in children(run_id, "runs")] == [None]
    cancel(run_id)
    machine.finish(run_id)


def test_a_called_workflow_that_keeps_failing_is_paused_by_itself_and_holds_further_calls(machine: Machine) -> None:
    other = callee(machine, step("work", "flow.fail@1", {"message": "No such supplier"}))
    api.set_breaker(workspace_id=WORKSPACE, workflow_id=UUID(other), failures=3, percent=0, minutes=60)
    for _ in range(3):
        assert machine.run(flow("start -> runs", run_other(other))).status == "dead_lettered"
    Breaker().look()
    # By this look, or by one of the process's own just before.
    assert Hold.objects.filter(pk=UUID(other)).exists()
    run_id = machine.begin(flow("start -> runs", run_other(other)))
    machine.until(run_id, lambda run: "held_workflow" in (run.waiting or {}))
    (child,) = children(run_id, "runs")
    told = look(child.id).waiting or {}
    assert (told["cause"], told["failures"]) == ("failures", 3)


def test_an_item_that_was_paused_with_its_run_is_resumed_with_that_and_not_by_itself(machine: Machine) -> None:
    graph = flow("start -> each", each(at_a_time=2), *inside("each", pause("nap", 60)))
    run_id = machine.begin(graph, {"lines": ["a", "b"]})
    wait_until(lambda: [one.status for one in children(run_id)] == ["waiting_timer"] * 2)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    with pytest.raises(NotPaused, match="together with the run around it"):
        api.resume_run(workspace_id=WORKSPACE, run_id=children(run_id)[0].id)
    assert [one.paused_by for one in children(run_id)] == ["run"] * 2
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    assert [one.paused_by for one in children(run_id)] == [None] * 2
    # One that somebody paused by itself is resumed by itself.
    api.pause_run(workspace_id=WORKSPACE, run_id=children(run_id)[1].id)
    api.resume_run(workspace_id=WORKSPACE, run_id=children(run_id)[1].id)
    assert [one.paused_by for one in children(run_id)] == [None] * 2


def test_the_failure_of_a_call_that_nobody_waits_for_is_told_at_every_run_around_it(machine: Machine) -> None:
    other = callee(machine, step("work", "flow.fail@1", {"message": "No such supplier"}))
    between = callee(machine, run_other(other, "work", wait=False))
    run_id = machine.begin(
        flow("start -> each, start -> calls", each(), *inside("each", run_other(other, wait=False)),
             run_other(between, "calls")),
        {"lines": ["a", "b"]},
    )  # fmt: skip
    assert machine.finish(run_id).status == "completed"
    wait_until(lambda: listed(run_id).failed_calls == 3)
    assert listed(run_id).failed_items == 0
    (called,) = children(run_id, "calls")
    assert look(called.id).failed_calls == 1
    items = api.items(workspace_id=WORKSPACE, run_id=run_id, node="each").items
    assert [one.failed_calls for one in items] == [1, 1]


def test_a_plan_to_undo_names_the_calls_that_go_their_own_way(machine: Machine, world: World) -> None:
    other = callee(machine, fields("work"))
    graph = flow(
        "start -> make -> runs, make:undo -> unmake",
        call("make", world, order="x"),
        call("unmake", world, order="x"),
        run_other(other, wait=False),
    )
    run_id = machine.begin(graph)
    assert machine.finish(run_id).status == "completed"
    plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)
    assert [(line.node, line.fate) for line in plan.lines] == [("make", "undo"), ("runs", "apart")]
    (apart,) = children(run_id, "runs")
    machine.finish(apart.id)
    api.undo(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, reason="Wrong")
    assert machine.finish(run_id).status == "compensated"
    assert look(apart.id).status == "completed"
    assert made(world) == ["make/x", "unmake/x"]


def test_what_stays_done_in_a_block_inside_a_block_is_named_before_the_undo(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> outer, first -> inner, make -> keep, make:undo -> unmake",
        each("{{ trigger.lines }}", "outer"),
        *inside("outer", fields("first")),
        {**each("{{ [1] }}", "inner"), "parent": "outer"},
        *inside("inner", call("make", world), call("keep", world), call("unmake", world)),
    )
    run_id = machine.begin(graph, {"lines": ["a", "b"]})
    assert machine.finish(run_id).status == "completed"
    plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)
    (planned,) = [line.items for line in plan.lines if line.items is not None]
    assert (planned.stays, planned.undo, planned.left) == (2, 0, ["keep"])
    api.undo(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, reason="Wrong")
    error = machine.finish(run_id).error or {}
    assert error["code"] == "undo_incomplete"


def test_what_holds_up_a_run_far_inside_is_told_at_the_outermost(machine: Machine) -> None:
    asks = step("ask", "people.approval@1", {"title": "{{ item }}"})
    other = callee(machine, fields("work"))
    between = callee(machine, run_other(other, "work"))
    hold(other)
    graph = flow(
        "start -> outer",
        each("{{ trigger.lines }}", "outer", at_a_time=2),
        *inside("outer", run_other(between)),
    )
    run_id = machine.begin(graph, {"lines": ["a", "b"]})
    cause = machine.until(run_id, lambda run: "held_workflow" in (run.waiting or {})).waiting or {}
    assert cause["held_workflow"] == other
    cancel(run_id)
    machine.finish(run_id)
    graph = flow(
        "start -> outer",
        each("{{ trigger.lines }}", "outer"),
        {**each("{{ [1] }}", "inner"), "parent": "outer"},
        *inside("inner", asks),
    )
    run_id = machine.begin(graph, {"lines": ["a"]})
    cause = machine.until(run_id, lambda run: "asking_item" in (run.waiting or {})).waiting or {}
    assert cause["text"].endswith("; item 1 waits for a person")
    (outer,) = children(run_id, "outer")
    (inner,) = children(outer.id, "inner")
    api.pause_run(workspace_id=WORKSPACE, run_id=inner.id)
    cause = look(run_id).waiting or {}
    assert (cause["paused_item"], "asking_item" in cause) == (0, False)
