"""Stopping runs that have others do something: their parts stop with them, and nothing else does (I28, I41, I43)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.state import RunState, RunStatus
from runtime.interpreter.units import _unless
from runtime.store.commits import commit
from runtime.store.models import Attempt, DeadLetter, Hold, Run
from runtime.store.records import ChildWrite
from runtime.store.statements import UNLESS_CANCELLED
from runtime.store.units import CancelPending
from runtime.store.writer import Writer
from runtime.worker.breaker import Breaker
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, cut_short, fields, flow, pause, rung_and_swept, step, wait_until
from tests.runtime.rows import a_version, a_write
from tests.runtime.test_own_runs import call, callee, children, each, inside, made, mark_of_this_test
from tests.runtime.test_writer_promises import leased_run
from tests.runtime.test_writer_promises import run as written

__all__ = ["mark_of_this_test"]


def run_other(other: str, key: str = "runs", **config: Any) -> dict[str, Any]:
    return step(key, "flow.run_workflow@1", {"workflow": other, **config})


def cancel(run_id: UUID) -> None:
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)


def under(run_id: UUID) -> list[Run]:
    """All that this run has begun, and what that has begun."""
    found = list(Run.objects.filter(parent_run_id=run_id).order_by("id"))
    return found + [one for own in found for one in under(own.id)]


def test_behind_a_cancel_no_item_begins_an_effect(idle_machine: Machine, world: World) -> None:
    machine = idle_machine
    machine.start()
    graph = flow(
        "start -> each, nap -> make", each(at_a_time=20), *inside("each", pause("nap", 600), call("make", world))
    )
    run_id = machine.begin(graph, {"lines": list(range(20))})
    wait_until(lambda: [one.status for one in children(run_id)] == ["waiting_timer"] * 20)
    machine.stop()
    cancel(run_id)
    asked = Run.objects.get(pk=run_id).cancel_requested_at
    assert {(one.cancel_requested_at, one.cancelled_by, one.cancel_undo) for one in children(run_id)} == {
        (asked, "run", False)
    }
    # The pauses are over by the time that anybody looks.
    for one in children(run_id):
        cut_short(one.id)
    machine.start()
    assert machine.finish(run_id).status == "cancelled"
    assert {one.status for one in children(run_id)} == {"cancelled"}
    assert not Attempt.objects.filter(run_id__in=[one.id for one in children(run_id)], node_id="make").exists()
    assert made(world) == []


def test_a_cancel_reaches_all_that_is_waited_for_however_deep_and_nothing_else(idle_machine: Machine) -> None:
    machine = idle_machine
    machine.start()
    apart = callee(machine, pause("work", 60))
    other = callee(machine, pause("work", 60))
    graph = flow(
        "start -> each",
        each(at_a_time=2),
        *inside("each", run_other(other), run_other(apart, "apart", wait=False)),
    )
    run_id = machine.begin(graph, {"lines": ["a", "b"]})
    wait_until(
        lambda: sorted(one.status for one in under(run_id) if one.status == "waiting_timer") == ["waiting_timer"] * 4
    )
    machine.stop()
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    asked = {one.id for one in under(run_id) if one.cancel_requested_at is not None}
    waited_for = {one.id for one in under(run_id) if str(one.workflow_id) != apart}
    assert asked == waited_for
    assert len(under(run_id)) == 6
    assert len(asked) == 4
    machine.start()
    assert machine.finish(run_id).status == "cancelled"
    assert {one.status for one in under(run_id) if one.id in waited_for} == {"cancelled"}
    assert {one.status for one in under(run_id) if one.id not in waited_for} == {"waiting_timer"}
    assert api.orphans() == []


def test_a_pause_stops_what_is_waited_for_and_nothing_else(machine: Machine) -> None:
    apart, other = callee(machine, pause("work", 60)), callee(machine, pause("work", 60))
    run_id = machine.begin(
        flow("start -> runs, start -> apart", run_other(other), run_other(apart, "apart", wait=False))
    )
    wait_until(lambda: [one.status for one in under(run_id)] == ["waiting_timer"] * 2)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    assert [one.paused_by for one in children(run_id, "runs")] == ["run"]
    assert [one.paused_by for one in children(run_id, "apart")] == [None]
    cancel(run_id)
    assert machine.finish(run_id).status == "cancelled"
    assert [(one.status, one.paused_at) for one in children(run_id, "runs")] == [("cancelled", None)]
    (going,) = children(run_id, "apart")
    assert (going.status, going.paused_at, going.cancel_requested_at) == ("waiting_timer", None, None)
    assert going.wake_at is not None


def test_a_workflow_that_is_paused_pauses_those_of_its_runs_that_nobody_waits_for(machine: Machine) -> None:
    other = callee(machine, pause("work", 60))
    run_id = machine.begin(flow("start -> runs", run_other(other, wait=False)))
    machine.finish(run_id)
    wait_until(lambda: [one.status for one in children(run_id, "runs")] == ["waiting_timer"])
    api.hold_workflow(workspace_id=WORKSPACE, workflow_id=UUID(other), open_runs="hold")
    assert [one.paused_by for one in children(run_id, "runs")] == ["workflow"]
    api.let_go(workspace_id=WORKSPACE, workflow_id=UUID(other))
    assert [one.paused_by for one in children(run_id, "runs")] == [None]


def test_an_item_that_is_being_undone_and_was_paused_with_its_run_goes_on_when_that_is_cancelled(
    idle_machine: Machine,
) -> None:
    machine = idle_machine
    machine.start()
    graph = flow("start -> each", each(at_a_time=3), *inside("each", pause("nap", 60)))
    run_id = machine.begin(graph, {"lines": ["a", "b", "c"]})
    wait_until(lambda: [one.status for one in children(run_id)] == ["waiting_timer"] * 3)
    machine.stop()
    undone, by_hand, _ = children(run_id)
    with commit("run.cancel"):
        Run.objects.filter(pk__in=[undone.id, by_hand.id]).update(status="compensating")
    api.pause_run(workspace_id=WORKSPACE, run_id=by_hand.id)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    cancel(run_id)
    assert [(one.paused_by, one.cancel_requested_at is None) for one in children(run_id)] == [
        (None, True),
        ("api", True),
        (None, False),
    ]


def test_a_run_that_waits_for_an_item_that_somebody_paused_says_which(machine: Machine) -> None:
    graph = flow("start -> each", each(at_a_time=3), *inside("each", pause("nap", 60)))
    run_id = machine.begin(graph, {"lines": [1, 2, 3]})
    wait_until(lambda: [one.status for one in children(run_id)] == ["waiting_timer"] * 3)
    waits = machine.until(run_id, lambda run: run.waiting is not None).waiting or {}
    assert (waits["kind"], "paused_item" in waits) == ("children", False)
    api.pause_run(workspace_id=WORKSPACE, run_id=children(run_id)[1].id)
    waits = api.run(workspace_id=WORKSPACE, run_id=run_id).waiting or {}
    assert (waits["kind"], waits["paused_item"]) == ("children", 1)
    assert waits["text"].endswith("; item 2 is paused")
    api.resume_run(workspace_id=WORKSPACE, run_id=children(run_id)[1].id)
    assert "paused_item" not in (api.run(workspace_id=WORKSPACE, run_id=run_id).waiting or {})


def test_a_run_that_waits_for_an_item_that_waits_for_a_person_says_which(machine: Machine) -> None:
    asks = step("ask", "people.approval@1", {"title": "{{ item }}"})
    graph = flow("start -> each", each(at_a_time=2), *inside("each", asks))
    run_id = machine.begin(graph, {"lines": ["a"]})
    wait_until(lambda: [one.status for one in children(run_id)] == ["waiting_human"])
    waits = machine.until(run_id, lambda run: "asking_item" in (run.waiting or {})).waiting or {}
    assert (waits["kind"], waits["asking_item"]) == ("children", 0)
    assert waits["text"].endswith("; item 1 waits for a person")


def test_no_run_is_begun_behind_a_cancel(writer: Writer) -> None:
    version = a_version()
    run_id = leased_run(writer, version.id)
    own = ChildWrite(uuid7(), version.workflow_id, version.id, "each", "live", 1, "each", 0, "null")
    apart = own._replace(id=uuid7(), item_index=1, detached=True)
    written(writer.write(a_write(run_id, 1, children=(own, apart), unless=UNLESS_CANCELLED)))
    assert [(one.id, one.detached) for one in children(run_id)] == [(own.id, False), (apart.id, True)]
    Run.objects.filter(pk=run_id).update(cancel_requested_at=77)
    late = own._replace(id=uuid7(), item_index=2)
    with pytest.raises(CancelPending):
        written(writer.write(a_write(run_id, 1, children=(late,), unless=UNLESS_CANCELLED)))
    assert len(children(run_id)) == 2


@pytest.mark.parametrize("begins", [True, False])
def test_what_begins_runs_is_written_unless_a_cancel_came_first(begins: bool) -> None:
    driver: Any = SimpleNamespace(state=(state := RunState(status=RunStatus.RUNNING)), base=state, parent=None)
    heeds = bool(_unless(driver, intent=False, begins=begins, tries=False, release=False) & UNLESS_CANCELLED)
    assert heeds is begins


FAILING = step("work", "flow.fail@1", {"message": "No {{ item }}"})


def paused_by_itself(machine: Machine, graph: dict[str, Any], runs: int, **limit: int) -> Hold | None:
    """What the breaker makes of so many runs of this, each with twelve items."""
    workflow_id = machine.publish(graph)
    limits = {"failures": 0, "percent": 0, "minutes": 15, **limit}
    api.set_breaker(workspace_id=WORKSPACE, workflow_id=workflow_id, **limits)
    machine.start(kind="worker", sweep_seconds=0.1)
    for _ in range(runs):
        machine.finish(machine.begin_again(workflow_id, {"lines": list(range(12))}))
    Breaker().look()
    return Hold.objects.filter(pk=workflow_id).first()


@pytest.mark.parametrize("limit", [{"failures": 3}, {"percent": 50}])
def test_items_that_fail_are_no_failures_of_the_workflow(idle_machine: Machine, limit: dict[str, int]) -> None:
    graph = flow("start -> each", each(stop="never", at_a_time=12), *inside("each", FAILING))
    assert paused_by_itself(idle_machine, graph, 1, **limit) is None
    assert DeadLetter.objects.count() == 12


@pytest.mark.parametrize(("limit", "runs"), [({"failures": 3}, 3), ({"percent": 50}, 10)])
def test_items_that_do_well_hide_no_failures_of_the_workflow(
    idle_machine: Machine, limit: dict[str, int], runs: int
) -> None:
    graph = flow(
        "start -> each -> last",
        each(at_a_time=12),
        *inside("each", fields("name")),
        step("last", "flow.fail@1", {"message": "Enough"}),
    )
    hold = paused_by_itself(idle_machine, graph, runs, **limit)
    assert hold is not None
    facts: Any = loads_stored(hold.facts)
    assert facts["failures"] == runs


@pytest.mark.parametrize("how", ["retry", "undo"])
def test_an_item_that_is_gone_on_with_while_its_run_is_paused_waits_for_that(
    machine: Machine, world: World, how: str
) -> None:
    first = call("make", world, '{{ when(item == "b", "fail=503*1", "slow=0") }}')
    nap = step(
        "nap", "flow.wait@1", {"mode": "for", "amount": '{{ when(item == "c", "600", "0") }}', "unit": "seconds"}
    )
    graph = flow(
        "start -> each, nap -> make, make:undo -> unmake",
        each(stop="never"),
        *inside("each", nap, first, call("unmake", world)),
    )
    run_id = machine.begin(graph, {"lines": ["a", "b", "c"]})
    wait_until(lambda: [one.status for one in children(run_id)] == ["completed", "dead_lettered", "waiting_timer"])
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id, reason="Stocktaking")
    item = children(run_id)[1 if how == "retry" else 0].id
    if how == "retry":
        plan = api.retry_plan(workspace_id=WORKSPACE, run_id=item)
        assert plan.paused_around
        found = api.retry(workspace_id=WORKSPACE, run_id=item, plan=plan.id)
    else:
        undo = api.undo_plan(workspace_id=WORKSPACE, run_id=item)
        found = api.undo(workspace_id=WORKSPACE, run_id=item, plan=undo.id, reason="Wrong")
    assert found.paused
    assert found.waiting is not None
    assert (found.waiting["by"], found.waiting["reason"]) == ("run", "Stocktaking")
    before = made(world)
    rung_and_swept(machine, item)
    assert made(world) == before, "nothing of it begins"
    assert api.orphans() == []
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(item).status == ("completed" if how == "retry" else "compensated")
    assert [one for one in made(world) if one not in before] == ["make/b" if how == "retry" else "unmake/a"]
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
