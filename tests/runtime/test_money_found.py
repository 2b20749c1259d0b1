"""What `test_money.py` has found, each as short as it can be told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import Decision, NotRetryable, RunView
from runtime.store.models import StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, get, look, pause, post, step, wait_until
from tests.runtime.test_own_runs import INES, call, callee, children, each, inside, made, mark_of_this_test, open_tasks
from tests.runtime.test_undoing import fates, planned, undo
from tests.runtime.test_undoing_again import go_on

__all__ = ["mark_of_this_test"]


def undoable(machine: Machine, world: World) -> dict[str, Any]:
    """A call of another workflow that does something and can undo it."""
    links = "start -> one, one:undo -> unone"
    other = callee(machine, call("one", world, order="x"), call("unone", world, order="x"), links=links)
    return step("runs", "flow.run_workflow@1", {"workflow": other})


def message(run: RunView) -> str:
    return "" if run.error is None else str(run.error["message"])


def test_what_the_items_did_is_named_where_only_a_called_workflow_can_be_undone(machine: Machine, world: World) -> None:
    graph = flow("start -> runs -> each", undoable(machine, world), each([1]), *inside("each", call("make", world)))
    run = machine.run(graph)
    assert run.status == "completed", run
    assert "each" in [line.key for line in planned(run.id).lines]
    undo(run.id)
    ended = machine.finish(run.id)
    assert made(world) == ["one/x", "make/1", "unone/x"]
    assert ended.status == "dead_lettered", "what the item made stands"
    assert "make" in message(ended)


def test_what_the_items_of_a_called_workflow_did_is_named_though_nothing_in_it_can_be_undone(
    machine: Machine, world: World
) -> None:
    other = callee(machine, each([1]), *inside("each", call("make", world)), links="start -> each")
    runs = step("runs", "flow.run_workflow@1", {"workflow": other})
    graph = flow(
        "start -> one -> runs, one:undo -> unone", call("one", world, order="x"), call("unone", world, order="x"), runs
    )
    run = machine.run(graph)
    undo(run.id)
    ended = machine.finish(run.id)
    assert ended.status == "dead_lettered", "what the item made stands"
    assert "runs" in message(ended)


def test_a_workflow_that_is_called_for_each_of_a_list_is_undone(machine: Machine, world: World) -> None:
    graph = flow("start -> each", each([1]), *inside("each", undoable(machine, world)))
    run = machine.run(graph)
    assert fates(planned(run.id)) == [("each", "undo", None)]
    undo(run.id)
    assert machine.finish(run.id).status == "compensated"
    assert made(world) == ["one/x", "unone/x"]


def test_a_cancel_undoes_what_a_workflow_did_that_is_called_for_each_of_a_list(machine: Machine, world: World) -> None:
    last = pause("nap", 60)
    run_id = machine.begin(flow("start -> each -> nap", each([1]), *inside("each", undoable(machine, world)), last))
    wait_until(lambda: look(run_id).status == "waiting_timer")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, undo=True)
    assert machine.finish(run_id).status == "compensated"
    assert made(world) == ["one/x", "unone/x"]


@pytest.mark.parametrize("lost", ["drop*1", "fail=500*1"])
def test_somebody_can_say_what_became_of_a_call_in_an_item_of_a_list_that_is_undone_when_it_fails(
    machine: Machine, world: World, lost: str
) -> None:
    """The run says: open the item, and retry it there. The item says: retry the run. Neither goes on."""
    make = call("make", world, lost)
    make["config"]["send_key"] = False
    back = post("back", f"{world.url}/invoices/{{{{ steps.make.body.id }}}}/void", {}, retry={"attempts": 1})
    around = each([1], settings={"on_failure": "undo"})
    run = machine.run(flow("start -> each, make:undo -> back", around, *inside("each", make, back)))
    assert run.status == "dead_lettered", run
    (item,) = children(run.id)
    go_on(run.id)
    assert machine.finish(run.id).status == "dead_lettered", "it says that somebody has to decide first"
    decided(machine, item.id)
    go_on(run.id)
    assert machine.finish(run.id).status == "completed"


@pytest.mark.parametrize("where", ["in a run", "in an item"])
def test_a_call_that_was_lost_and_then_refused_is_tried_again_under_the_same_key(
    machine: Machine, world: World, where: str
) -> None:
    """The refusal says nothing of the first call, which may have been done."""
    make = call("make", world, order="x", on_failure="person")
    alone = where == "in a run"
    graph = flow("start -> make", make) if alone else flow("start -> each", each([1]), *inside("each", make))
    next_meets(world, "drop")
    run_id = machine.begin(graph)
    wait_until(lambda: len(open_tasks()) == 1)
    next_meets(world, "fail=422")
    (lost,) = open_tasks()
    api.decide(workspace_id=WORKSPACE, task_id=lost.id, outcome="retry", voter=INES)
    wait_until(lambda: [one.id for one in open_tasks()] not in ([], [lost.id]))
    (refused,) = open_tasks()
    api.decide(workspace_id=WORKSPACE, task_id=refused.id, outcome="retry", voter=INES)
    assert machine.finish(run_id).status == "completed"
    assert made(world) == ["make/x"]


def next_meets(world: World, fault: str, path: str = "/invoices", times: int = 1) -> None:
    """What the next calls there meet."""
    world.ask("POST", "/behaviour", {"path": path, "method": "POST", "behaviour": fault, "times": times})


def test_what_is_undone_in_the_end_is_not_called_still_done(machine: Machine, world: World) -> None:
    """The items, whose undo was refused at first, are gone on with behind a step that is done anew, and undone."""
    first, unfirst = call("first", world, order="x"), call("unfirst", world, order="x")
    fails = step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo")
    unmake = call("unmake", world)
    graph = flow(
        "start -> first -> each -> last, first:undo -> unfirst, make:undo -> unmake",
        *(first, unfirst, each([1]), *inside("each", call("make", world), unmake), fails),
    )
    unmake["config"]["url"] = f"{world.url}/credit-notes"
    unmake["config"]["json_body"]["reason"] = "x"
    next_meets(world, "fail=422", "/credit-notes")
    run = machine.run(graph)
    assert run.status == "dead_lettered", run
    go_on(run.id)
    ended = machine.finish(run.id)
    (item,) = children(run.id)
    assert item.status == "compensated"
    assert ended.status == "compensated", message(ended)


@pytest.mark.parametrize("undo_it", [True, False])
def test_a_retry_that_keeps_everything_is_cancelled_before_a_worker_takes_it(
    machine: Machine, world: World, undo_it: bool
) -> None:
    """Its worker turned round and round, and did nothing for any run any more."""
    one, unone = call("one", world, order="x"), call("unone", world, "fail=422", order="x")
    run = machine.run(flow("start -> one, one:undo -> unone", one, unone))
    undo(run.id)
    assert machine.finish(run.id).status == "dead_lettered"
    machine.stop()
    try:
        go_on(run.id)
    except NotRetryable:
        machine.start()
        return
    api.cancel(workspace_id=WORKSPACE, run_id=run.id, undo=undo_it)
    machine.start()
    machine.finish(run.id, 5)


def test_of_an_earlier_call_whose_undo_was_lost_nobody_is_told_that_it_is_still_done(
    machine: Machine, world: World
) -> None:
    steps = call("make", world, order="x"), call("last", world, "fail=422", order="x"), call("unmake", world, order="x")
    run = machine.run(flow("start -> make -> last, make:undo -> unmake", *steps))
    next_meets(world, "drop", "/invoices", 3)
    undo(run.id)
    machine.finish(run.id)
    world.ask("DELETE", "/behaviour")
    go_on(run.id, start=["make"], repeats=["make"])
    machine.finish(run.id)
    undo(run.id)
    ended = machine.finish(run.id)
    assert "Still done" not in message(ended)
    assert message(ended).startswith("Nobody knows whether undone, for no answer came: “make”. Undone: “make”.")


def test_a_called_workflow_that_did_for_a_list_what_needs_no_undo_is_no_hindrance(
    machine: Machine, world: World
) -> None:
    make = call("make", world)
    make["settings"]["undo"] = "nothing"
    other = callee(machine, each([1]), *inside("each", make), links="start -> each")
    runs = step("runs", "flow.run_workflow@1", {"workflow": other})
    graph = flow(
        "start -> one -> runs, one:undo -> unone", call("one", world, order="x"), call("unone", world, order="x"), runs
    )
    run = machine.run(graph)
    undo(run.id)
    ended = machine.finish(run.id)
    assert ended.status == "compensated", message(ended)


@pytest.mark.parametrize("kind", ["a list", "a called workflow"])
def test_runs_that_a_retry_from_further_back_does_not_come_to_are_undone(
    machine: Machine, world: World, kind: str
) -> None:
    first, unfirst, last = (call(key, world, order="x") for key in ("first", "unfirst", "last"))
    links = "start -> first -> runs -> last, first:undo -> unfirst"
    runs = [undoable(machine, world)]
    if kind == "a list":
        runs = [each([1], "runs"), *inside("runs", call("one", world, order="x"), call("unone", world, order="x"))]
        links += ", one:undo -> unone"
    last["config"]["url"] = f"{world.url}/nowhere"
    run = machine.run(flow(links, first, unfirst, *runs, last))
    assert run.status == "dead_lettered", run
    next_meets(world, "fail=422")
    go_on(run.id, start=["first"], repeats=["first", "runs"])
    machine.finish(run.id)
    assert fates(planned(run.id)) == [("runs", "undo", None), ("first", "undo", None)]
    undo(run.id)
    ended = machine.finish(run.id)
    assert made(world) == ["first/x", "one/x", "unone/x", "unfirst/x"]
    assert ended.status == "compensated", message(ended)


@pytest.mark.parametrize("comes_to_it", [True, False])
def test_the_undo_of_an_item_reads_what_the_steps_before_its_list_gave_when_it_was_done(
    machine: Machine, world: World, comes_to_it: bool
) -> None:
    """Not what they gave when the run was gone on with from there."""
    first, make, unmake, last = (call(key, world) for key in ("first", "make", "unmake", "last"))
    for step_of_run in (first, last):
        step_of_run["config"]["json_body"]["order"] = "x"
    unmake["config"]["json_body"]["order"] = "unmake/{{ steps.first.body.id }}"
    last["config"]["url"] = f"{world.url}/nowhere"
    mid = get("mid", f"{world.url}/customers", retry={"attempts": 1})
    links = "start -> first -> mid -> each -> last, make:undo -> unmake"
    run = machine.run(flow(links, first, mid, each([1]), *inside("each", make, unmake), last))
    assert run.status == "dead_lettered", run
    before = next(one["id"] for one in world.ask("GET", "/invoices")["items"] if one["order_number"] == "x")
    if not comes_to_it:
        world.ask("POST", "/behaviour", {"path": "/customers", "method": "GET", "behaviour": "fail=422", "times": 1})
    go_on(run.id, start=["first"], repeats=["first", "each"])
    machine.finish(run.id)
    undo(run.id)
    machine.finish(run.id)
    asked = [one["order_number"] for one in world.ask("GET", "/invoices")["items"]]
    assert next(one for one in asked if one.startswith("unmake/")) == f"unmake/{before}"


@pytest.mark.parametrize("undone", [True, False])
def test_an_item_that_is_gone_on_with_is_given_what_the_steps_before_its_list_gave_this_time(
    machine: Machine, world: World, undone: bool
) -> None:
    """It was given what they had given the last time, though that was undone, or done anew."""
    first, unfirst, unmake = (call(key, world, order="x") for key in ("first", "unfirst", "unmake"))
    make, last = call("make", world, "" if undone else "fail=422*1"), call("last", world, order="x")
    make["config"]["json_body"]["order"] = "{{ run.id }} made for {{ steps.first.body.id }}"
    first["config"]["json_body"]["order"] = "first"
    last["config"]["url"] = f"{world.url}/nowhere"
    links = "start -> first -> each -> last, first:undo -> unfirst, make:undo -> unmake"
    run = machine.run(flow(links, first, unfirst, each([1]), *inside("each", make, unmake), last))
    assert run.status == "dead_lettered", run
    if undone:
        undo(run.id)
        assert machine.finish(run.id).status == "compensated"
    (item,) = children(run.id)
    go_on(run.id, start=["first"], repeats=["first"])
    machine.finish(run.id)
    asked = [(one["id"], one["order_number"]) for one in world.ask("GET", "/invoices")["items"]]
    before = next(number for number, order in asked if order == "first")
    row = StepRun.objects.filter(run_id=item.id, node_id="make").latest("generation")
    assert f"made for {before}" in str(row.input)


def decided(machine: Machine, item: UUID) -> None:
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=item)
    said = {"make": Decision(True, {"status": 201, "body": {"id": "INV-1"}})}
    api.retry(workspace_id=WORKSPACE, run_id=item, plan=plan.id, decisions=said)
    machine.finish(item)


@pytest.mark.parametrize("deep", [1, 2])
@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_undo_within_is_never_called_still_done(machine: Machine, world: World, deep: int, times: int) -> None:
    unmake = call("unmake", world, "drop*1")
    unmake["config"]["send_key"] = False
    parts = inside("inner", call("make", world), unmake)
    links = "start -> outer, make:undo -> unmake"
    if deep == 2:
        run = machine.run(flow(links, each([1], "outer"), *inside("outer", each([1], "inner")), *parts))
    else:
        run = machine.run(flow(links.replace("outer", "inner"), each([1], "inner"), *parts))
    assert run.status == "completed", run
    for _ in range(times):
        undo(run.id)
        run = machine.finish(run.id)
    assert run.status == "dead_lettered", run
    assert made(world) == ["make/1", "unmake/1"]
    assert "Still done" not in message(run)
    assert "Nobody knows" in message(run)


def test_what_nobody_knows_of_in_a_run_that_was_undone_is_settled_by_hand(machine: Machine, world: World) -> None:
    """The run, retried, says: decide about the item first. The item said: retry the run."""
    make = call("make", world, "fail=500*9")
    make["config"]["send_key"] = False
    make["settings"] = {**make.get("settings", {}), "undo": "nothing", "retry": {"attempts": 1}}
    around = each([1], settings={"on_failure": "undo"})
    run = machine.run(flow("start -> each", around, *inside("each", make)))
    assert run.status == "compensated", run
    (item,) = children(run.id)
    with pytest.raises(NotRetryable) as refused:
        api.retry_plan(workspace_id=WORKSPACE, run_id=item.id)
    assert refused.value.code == "around_undone"
    assert "start the run anew" in str(refused.value)
    api.solve_dead_letters(workspace_id=WORKSPACE, run_ids=[item.id], solution="elsewhere", reason="looked it up")
    api.replay_as_new(workspace_id=WORKSPACE, run_id=run.id)
