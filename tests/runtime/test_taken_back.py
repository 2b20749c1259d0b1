"""What is taken back at the first or the last moment: before a retry has begun, before a run has ended (I24, I28)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from runtime import api
from runtime.contracts import RunView
from runtime.interpreter import units
from runtime.store.models import Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, step
from tests.runtime.test_own_runs import inside
from tests.runtime.test_undoing import call, fates, made, planned, undo
from tests.runtime.test_undoing_again import ONE, go_on

BACK = ["cancel", "cancel while paused", "cancel, then undo"]


def taken_back(machine: Machine, run_id: UUID, how: str) -> RunView:
    """Gone on with while no worker is there, and taken back before one comes."""
    machine.stop()
    go_on(run_id)
    if how == "cancel while paused":
        api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, undo=how != "cancel, then undo")
    machine.start()
    ended = machine.finish(run_id)
    if how != "cancel, then undo":
        return ended
    assert ended.status == "cancelled"
    undo(run_id)
    return machine.finish(run_id)


@pytest.mark.parametrize("how", BACK)
def test_a_call_whose_answer_was_lost_is_undone(machine: Machine, world: World, how: str) -> None:
    lost = flow("start -> one, one:undo -> undo_one", call("one", world, "drop*1"), call("undo_one", world))
    run = machine.run(lost)
    assert run.status == "dead_lettered"
    ended = taken_back(machine, run.id, how)
    assert ended.status == "compensated"
    assert made(world, run.id) == ["one", "undo_one"]
    assert fates(planned(run.id)) == [("one", "undone", None)]


def test_an_undo_step_reads_what_the_action_gave_before_the_retry(machine: Machine, world: World) -> None:
    back = call("undo_one", world)
    back["config"]["json_body"]["memo"] = "{{ steps.one.body.id }}/{{ steps.one.status }}"
    run = machine.run(flow(ONE, call("one", world), call("three", world, "fail=422"), back))
    assert run.status == "dead_lettered"
    machine.stop()
    go_on(run.id, start=["one"], repeats=["one"])
    open_plan = planned(run.id)
    assert [line for line in fates(open_plan) if line[0] == "one"] == [("one", "undo", None)]
    api.cancel(workspace_id=WORKSPACE, run_id=run.id, undo=True)
    machine.start()
    ended = machine.finish(run.id)
    assert ended.status == "compensated", ended.error
    assert made(world, run.id) == ["one", "undo_one"]


def test_an_undo_step_never_takes_the_result_of_an_earlier_call_for_that_of_the_last(
    machine: Machine, world: World
) -> None:
    back = call("undo_one", world)
    back["config"]["json_body"]["memo"] = "{{ steps.one.body.id }}"
    run = machine.run(flow(ONE, call("one", world, on_failure="undo"), call("three", world, "fail=422"), back))
    assert run.status == "dead_lettered"
    lost = {"path": "/invoices", "method": "POST", "behaviour": "drop", "times": 1}
    world.ask("POST", "/behaviour", lost)
    go_on(run.id, start=["one"], repeats=["one"])
    ended = machine.finish(run.id)
    assert ended.status == "dead_lettered"
    assert "undo_one" not in made(world, run.id)
    assert ended.error is not None
    assert "“one”" in ended.error["message"]
    assert "Undone" not in ended.error["message"]


def test_a_call_that_nothing_undoes_is_named(machine: Machine, world: World) -> None:
    run = machine.run(flow(ONE, call("one", world), call("three", world, "drop"), call("undo_one", world)))
    assert run.status == "dead_lettered"
    ended = taken_back(machine, run.id, "cancel")
    assert ended.error is not None
    assert ended.error["code"] == "undo_incomplete"
    assert "“three”" in ended.error["message"]
    assert made(world, run.id) == ["one", "three", "undo_one"]


@pytest.mark.parametrize("how", BACK)
def test_what_the_items_of_a_list_did_is_undone(machine: Machine, world: World, how: str) -> None:
    each = step("each", "flow.for_each@1", {"items": [1, 2]})
    parts: list[Any] = inside("each", call("one", world), call("undo_one", world), call("three", world, "fail=422"))
    run = machine.run(flow("start -> each, one -> three, one:undo -> undo_one", each, *parts))
    assert run.status == "dead_lettered"
    ended = taken_back(machine, run.id, how)
    assert ended.status == "compensated"
    (first,) = Run.objects.filter(parent_run_id=run.id)
    assert made(world, first.pk) + made(world, run.id) == ["one", "undo_one"]


@pytest.mark.parametrize("undo_it", [True, False])
@pytest.mark.parametrize("last", ["one", "note"])
def test_a_cancel_that_comes_before_the_last_commit_counts(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch, undo_it: bool, last: str
) -> None:
    real, cancelled = units.run_write, threading.Event()

    def run_write(driver: Any, **how: Any) -> Any:
        if driver.state.status.is_terminal and not cancelled.is_set():
            cancelled.set()
            with ThreadPoolExecutor(1) as other:
                run_id = driver.claimed.run_id
                other.submit(api.cancel, workspace_id=WORKSPACE, run_id=run_id, undo=undo_it).result(20)
                other.submit(connections.close_all).result(20)
        return real(driver, **how)

    monkeypatch.setattr(units, "run_write", run_write)
    links = "start -> one, one:undo -> undo_one" + ("" if last == "one" else ", one -> note")
    more = [] if last == "one" else [fields("note", said="done")]
    run = machine.run(flow(links, call("one", world), call("undo_one", world), *more))
    assert cancelled.is_set()
    assert run.status == ("compensated" if undo_it else "cancelled")
    assert made(world, run.id) == (["one", "undo_one"] if undo_it else ["one"])
