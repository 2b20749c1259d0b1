"""A run that is to end: its own runs do nothing more from that moment on, whichever branch made it end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime.store import children as rows_of
from runtime.store.models import HumanTask, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import Machine, cut_short, fields, flow, pause, statuses, step, wait_until
from tests.runtime.test_own_runs import call, callee, children, each, inside, made, mark_of_this_test
from tests.runtime.test_own_runs_control import run_other, under
from tests.runtime.test_people import approval

__all__ = ["mark_of_this_test"]


def comes_to_its_end(run_id: UUID, below: list[str]) -> None:
    """Once all that it has begun stands so, its own pause is over."""
    wait_until(lambda: sorted(one.status for one in under(run_id)) == below)
    wait_until(lambda: statuses(run_id).get("soon") == "waiting")
    cut_short(run_id)


STOP = step("end", "flow.stop@1", {})


def refused(world: World, **settings: Any) -> dict[str, Any]:
    """A step that fails for good."""
    return call("end", world, "fail=400", order="never", **settings)


@pytest.mark.parametrize("way", ["stop", "failure", "undo"])
def test_a_called_run_does_nothing_more(machine: Machine, world: World, way: str) -> None:
    other = callee(machine, pause("nap", 600), call("make", world, order="late"), links="start -> nap -> make")
    ends = {"stop": STOP, "failure": refused(world), "undo": refused(world, on_failure="undo")}
    graph = flow(
        "start -> runs -> book, start -> soon -> end", run_other(other), fields("book"), pause("soon", 600), ends[way]
    )
    run_id = machine.begin(graph)
    comes_to_its_end(run_id, ["waiting_timer"])
    machine.finish(run_id)
    assert made(world) == []
    assert [one.status for one in children(run_id, "runs")] == ["cancelled"]


def test_no_item_does_anything_more_however_far_inside(machine: Machine, world: World) -> None:
    innermost = inside("inner", pause("nap", 600), call("make", world))
    graph = flow(
        "start -> each, nap -> make, start -> soon -> end",
        each(["a", "b"], at_a_time=2),
        *inside("each", each("{{ [item, item] }}", "inner", at_a_time=2)),
        *innermost,
        pause("soon", 600),
        STOP,
    )
    run_id = machine.begin(graph)
    comes_to_its_end(run_id, ["waiting_event"] * 2 + ["waiting_timer"] * 4)
    machine.finish(run_id)
    assert made(world) == []
    assert {one.status for one in under(run_id)} == {"cancelled"}


def test_a_question_of_a_called_run_is_open_no_longer(machine: Machine) -> None:
    other = callee(machine, approval("ask", title="Pay?"), links="start -> ask")
    run_id = machine.begin(flow("start -> runs, start -> soon -> end", run_other(other), pause("soon", 600), STOP))
    comes_to_its_end(run_id, ["waiting_human"])
    machine.finish(run_id)
    own = children(run_id, "runs")[0].id
    assert list(HumanTask.objects.filter(run_id=own).values_list("status", flat=True)) == ["cancelled"]


def test_they_end_only_once_what_made_it_end_is_stored(idle_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it lost in a crash, they would have ended for nothing."""
    machine = idle_machine
    stored: list[bool] = []
    asks = rows_of.ask_to_end

    def asked(run_id: UUID, node: str) -> list[UUID]:
        stored.append(Run.objects.filter(pk=run_id, outcome="stopped").exists())
        return asks(run_id, node)

    monkeypatch.setattr(rows_of, "ask_to_end", asked)
    other = callee(machine, pause("nap", 60), links="start -> nap")
    run_id = machine.begin(flow("start -> runs, start -> soon -> end", run_other(other), pause("soon", 600), STOP))
    machine.start()
    comes_to_its_end(run_id, ["waiting_timer"])
    machine.finish(run_id)
    assert stored == [True]
