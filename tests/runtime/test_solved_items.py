"""An item whose dead letter somebody has settled by hand counts as failed no longer, however deep it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import ItemCounts, RunFilters
from runtime.engine.ids import uuid7
from runtime.store.models import DeadLetter
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, step, wait_until
from tests.runtime.test_own_runs import call, callee, each, inside, listed


def solve(*runs: UUID, solution: Any = "elsewhere", by: UUID | None = None) -> int:
    return api.solve_dead_letters(
        workspace_id=WORKSPACE, run_ids=list(runs), solution=solution, reason="Paid by hand.", by=by
    )


def letters() -> list[UUID]:
    return list(DeadLetter.objects.filter(solved_at__isnull=True).order_by("run_id").values_list("run_id", flat=True))


def counted(run_id: UUID) -> ItemCounts:
    (found,) = [one.items for one in api.snapshot(workspace_id=WORKSPACE, run_id=run_id).steps if one.items is not None]
    return found


@pytest.mark.parametrize("solution", ["elsewhere", "discarded"])
def test_an_item_that_is_settled_by_hand_counts_as_failed_no_longer(machine: Machine, solution: str) -> None:
    share = fields("make", share="{{ 100 / item }}")
    run = machine.run(flow("start -> each", each(stop="never"), *inside("each", share)), {"lines": [0, 1, 0]})
    first, second = letters()
    assert (listed(run.id).failed_items, counted(run.id).failed) == (2, 2)
    person = uuid7()
    solve(first, solution=solution, by=person)
    assert look(run.id).failed_items == listed(run.id).failed_items == 1
    (shown,) = api.runs(workspace_id=WORKSPACE, filters=RunFilters(workflow_id=run.workflow_id)).items
    assert shown.failed_items == 1
    found = counted(run.id)
    assert (found.done, found.failed, found.solved) == (1, 1, 1)

    def numbers(status: str) -> list[int]:
        page = api.items(workspace_id=WORKSPACE, run_id=run.id, node="each", status=status)
        return [one.index for one in page.items]

    assert (numbers("all"), numbers("failed"), numbers("solved"), numbers("done")) == ([0, 1, 2], [2], [0], [1])
    told = {one.index: one.solved for one in api.items(workspace_id=WORKSPACE, run_id=run.id, node="each").items}
    assert (told[1], told[2]) == (None, None)
    assert told[0] is not None
    assert (told[0].how, told[0].by, told[0].reason) == (solution, f"user:{person}", "Paid by hand.")
    solve(second)
    assert (look(run.id).failed_items, counted(run.id).failed) == (0, 0)


def test_an_item_that_is_settled_counts_no_longer_at_any_run_around_it(machine: Machine) -> None:
    inner = {**each("{{ item.lines }}", "inner", stop="never"), "parent": "outer"}
    line = fields("line", share="{{ 100 / item }}")
    graph = flow("start -> outer", each("{{ trigger.orders }}", "outer"), inner, *inside("inner", line))
    orders: list[Any] = [{"lines": [1, 0]}, {"lines": [2]}, {"lines": [0, 0]}]
    run = machine.run(graph, {"orders": orders})
    assert (listed(run.id).failed_items, counted(run.id).failed_inside) == (3, 3)
    solve(*letters()[:2])
    assert (listed(run.id).failed_items, counted(run.id).failed_inside) == (1, 1)
    solve(*letters())
    assert (listed(run.id).failed_items, counted(run.id).failed_inside) == (0, 0)


def test_a_call_that_nobody_waited_for_and_that_is_settled_counts_no_longer(machine: Machine) -> None:
    other = callee(machine, fields("line", share="{{ 100 / trigger.n }}"), links="start -> line")
    began = step("began", "flow.run_workflow@1", {"workflow": other, "wait": False, "input": {"n": 0}})
    run = machine.run(flow("start -> began", began))
    wait_until(lambda: listed(run.id).failed_calls == 1)
    solve(*letters())
    assert listed(run.id).failed_calls == 0


def test_an_item_that_was_settled_and_fails_again_counts_again(machine: Machine, world: World) -> None:
    failing = call("make", world, "fail=400")
    run = machine.run(flow("start -> each", each(stop="never"), *inside("each", failing)), {"lines": ["a"]})
    (item,) = letters()
    solve(item)
    assert listed(run.id).failed_items == 0
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=item)
    api.retry(workspace_id=WORKSPACE, run_id=item, plan=plan.id)
    assert machine.finish(item).status == "dead_lettered"
    assert listed(run.id).failed_items == 1
