"""An entry that comes again: in the same list, or after an earlier run has done it. Passed over, refused, or done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import RunView
from runtime.contracts.batches import BatchView, PassedOverView
from runtime.store.models import ItemKey, PassedOver
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, post
from tests.runtime.test_own_runs import children, each, inside, mark_of_this_test

__all__ = ["mark_of_this_test"]

KEY = "{{ item.number }}"


def numbers(*given: object) -> list[Any]:
    return [{"number": number} for number in given]


def view(run: RunView) -> BatchView:
    return api.batch(workspace_id=WORKSPACE, run_id=run.id, node="each")


def passed(run: RunView) -> list[PassedOverView]:
    return list(api.batch_passed_over(workspace_id=WORKSPACE, run_id=run.id, node="each", limit=100).items)


def again(machine: Machine, workflow: UUID, *given: object) -> RunView:
    return machine.finish(machine.begin_again(workflow, {"lines": numbers(*given)}))


def keeps(machine: Machine, **settings: Any) -> UUID:
    """A workflow that does something for each of its lines, known by their number."""
    body = inside("each", fields("keep", number=KEY))
    return machine.publish(flow("start -> each", each("{{ trigger.lines }}", item_key=KEY, **settings), *body))


def adds_up(run: RunView) -> bool:
    of = view(run)
    return of.total == of.started and of.done + of.failed + of.running + of.waiting == of.started


def test_one_that_comes_twice_in_a_list_is_passed_over_and_named(any_machine: Machine) -> None:
    run = again(any_machine, keeps(any_machine), "A", "B", "A", "C", "B", "A")
    assert run.status == "completed", run
    assert len(children(run.id)) == 3
    assert (view(run).done, view(run).skipped, view(run).total) == (3, 3, 3)
    assert [(one.place, one.key, one.done_by) for one in passed(run)] == [
        ("number 3", "A", None),
        ("number 5", "B", None),
        ("number 6", "A", None),
    ]
    assert adds_up(run)


def test_one_that_comes_twice_is_done_twice_where_that_is_said(machine: Machine) -> None:
    run = again(machine, keeps(machine, on_twice="do"), "A", "B", "A")
    assert (view(run).done, view(run).skipped) == (3, 0)
    assert passed(run) == []


def test_one_that_comes_twice_fails_the_list_where_that_is_said(machine: Machine) -> None:
    run = again(machine, keeps(machine, on_twice="fail"), "A", "B", "A")
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["message"] == "Number 3 has come before. What came until then is done."


def test_what_an_earlier_run_has_done_is_passed_over_and_says_by_which(any_machine: Machine) -> None:
    workflow = keeps(any_machine, on_done_before="skip")
    first = again(any_machine, workflow, "A", "B")
    second = again(any_machine, workflow, "B", "C", "A", "C")
    assert second.status == "completed"
    assert (view(second).done, view(second).skipped) == (1, 3)
    by = {one.key: one.done_by for one in passed(second)}
    assert by["C"] is None
    assert {by["A"], by["B"]} == {child.id for child in children(first.id)}
    third = again(any_machine, workflow, "C", "D")
    assert (view(third).done, view(third).skipped) == (1, 1)
    assert passed(third)[0].done_by == children(second.id)[0].id
    assert adds_up(third)


def test_another_workflow_and_another_key_are_nobody_elses_business(machine: Machine) -> None:
    again(machine, keeps(machine, on_done_before="skip"), "A")
    run = again(machine, keeps(machine, on_done_before="skip"), "A")
    assert (view(run).done, view(run).skipped) == (1, 0)


def test_what_failed_in_an_earlier_run_is_done(machine: Machine, world: World) -> None:
    refused = post("pay", f"{world.url}/with/fail=422/invoices", {"order": KEY}, retry={"attempts": 1})
    lines = each("{{ trigger.lines }}", item_key=KEY, on_done_before="skip", stop="never")
    workflow = machine.publish(flow("start -> each", lines, *inside("each", refused)))
    first = again(machine, workflow, "A", "B")
    assert view(first).failed == 2
    second = again(machine, workflow, "A", "B")
    assert (view(second).failed, view(second).skipped) == (2, 0)


def test_what_an_earlier_run_has_done_fails_the_list_where_that_is_said(machine: Machine) -> None:
    workflow = keeps(machine, on_done_before="fail")
    first = again(machine, workflow, "A")
    second = again(machine, workflow, "B", "A")
    assert second.status == "dead_lettered"
    assert second.error is not None
    assert second.error["message"].startswith("Number 2 (A) was done by an earlier run: ")
    assert str(children(first.id)[0].id) in second.error["message"]


@pytest.mark.parametrize("count", [1_203])
def test_a_long_list_is_compared_a_page_at_a_time(machine: Machine, count: int) -> None:
    workflow = keeps(machine, on_done_before="skip", at_a_time=100, collect=False)
    assert view(again(machine, workflow, *range(count))).done == count
    second = again(machine, workflow, *range(count - 1, -2, -1))
    assert (view(second).done, view(second).skipped) == (1, count)
    assert PassedOver.objects.filter(run_id=second.id).count() == count
    assert ItemKey.objects.filter(run_id=second.id).get().item_index == 0
    here: dict[str, Any] = {"workspace_id": WORKSPACE, "run_id": second.id, "node": "each", "limit": 200}
    page = api.batch_passed_over(**here)
    rest = api.batch_passed_over(**here, after=page.next_cursor)
    assert (len(page.items), len(rest.items), page.items[0].place, rest.items[0].number) == (200, 200, "number 1", 200)
