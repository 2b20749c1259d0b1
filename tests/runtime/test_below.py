"""What a run says of those that it has others do, at whatever depth: what failed there, and whom they ask (I41)."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import api
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, statuses, step, wait_until
from tests.runtime.test_own_runs import callee, each, inside
from tests.runtime.test_own_runs_control import run_other


def test_a_step_that_is_done_says_how_many_items_failed_within_its_items(machine: Machine) -> None:
    inner = {**each("{{ item.lines }}", "inner", stop="never"), "parent": "outer"}
    line = fields("line", share="{{ 100 / item }}")
    graph = flow("start -> outer", each("{{ trigger.orders }}", "outer"), inner, *inside("inner", line))
    orders: list[Any] = [{"lines": [1, 0]}, {"lines": [2]}, {"lines": [0, 0]}]
    run = machine.run(graph, {"orders": orders})
    (outer,) = [one.items for one in api.snapshot(workspace_id=WORKSPACE, run_id=run.id).steps if one.items]
    assert outer is not None
    assert (outer.done, outer.failed, outer.failed_inside, outer.failed_calls) == (3, 0, 3, 0)
    (first, *_) = api.items(workspace_id=WORKSPACE, run_id=run.id, node="outer").items
    (within,) = [one.items for one in api.snapshot(workspace_id=WORKSPACE, run_id=first.run_id).steps if one.items]
    assert within is not None
    assert (within.done, within.failed, within.failed_inside) == (1, 1, 0)


def test_what_a_called_workflow_asks_people_is_found_by_the_run_around_it(machine: Machine) -> None:
    ask = step("ask", "people.approval@1", {"title": "May it?"})
    other = callee(machine, ask, links="start -> ask")
    runs = {**run_other(other), "parent": "each"}
    run_id = machine.begin(flow("start -> each", each(), runs), {"lines": ["a"]})
    elsewhere = machine.begin(flow("start -> ask", ask))
    wait_until(lambda: len(api.tasks(workspace_id=WORKSPACE).items) == 2)
    (task,) = api.tasks(workspace_id=WORKSPACE, around=run_id).items
    assert api.tasks(workspace_id=WORKSPACE, run_id=run_id).items == []
    assert task.run.id not in (run_id, elsewhere)
    (own,) = api.tasks(workspace_id=WORKSPACE, around=elsewhere).items
    assert own.run.id == elsewhere


@pytest.mark.parametrize(
    ("kind", "said"), [("items", "item 1"), ("turns", "turn 1"), ("call", "the run that it began")]
)
def test_what_a_run_waits_for_is_called_by_its_own_name(machine: Machine, kind: str, said: str) -> None:
    ask = step("ask", "people.approval@1", {"title": "May it?"})
    if kind == "call":
        graph = flow("start -> runs", run_other(callee(machine, ask, links="start -> ask")))
    elif kind == "turns":
        again = step("again", "flow.repeat@1", {"until": "{{ true }}"})
        graph = flow("start -> again", again, *inside("again", ask))
    else:
        graph = flow("start -> each", each(), *inside("each", ask))
    run_id = machine.begin(graph, {"lines": ["a"]})
    waits = machine.until(run_id, lambda run: "asking_item" in (run.waiting or {})).waiting or {}
    assert waits["text"].endswith(f"; {said} waits for a person")
    assert waits.get("of", "items") == kind


def test_the_turn_that_failed_is_named(machine: Machine) -> None:
    again = step("again", "flow.repeat@1", {"until": "{{ false }}", "most_turns": 5})
    share = fields("share", share="{{ 10 / (1 - index) }}")
    run = machine.run(flow("start -> again", again, *inside("again", share)), {})
    assert run.error is not None
    assert (run.error["code"], run.error["title"]) == ("own_run_failed", "Turn 2 failed")


def test_a_branch_that_is_not_taken_is_not_waited_for_where_so_many_are_to_come(machine: Machine) -> None:
    join = step("join", "flow.together@1", {"wait_for": "number", "number": 2})
    rules = {"match": "all", "rules": [{"left": "{{ trigger.go }}", "op": "eq", "right": "yes"}]}
    graph = flow(
        "start -> a -> join, start -> c, c:yes -> join, join -> after",
        step("c", "flow.decision@1", {"conditions": rules}),
        join,
    )
    run = machine.run(graph, {"go": "no"})
    assert run.status == "completed", run
    assert statuses(run.id)["after"] == "succeeded"
