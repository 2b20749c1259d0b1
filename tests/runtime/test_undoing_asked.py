"""A run that is undone from the failure that it asks people about, in the place of an answer (I13, I24, I28)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import (
    AlreadyDecided,
    NotAsked,
    NotUndoable,
    PlanOutdated,
    TaskRefused,
    TaskView,
    UndoPlan,
    Voter,
    WhyNoUndo,
)
from runtime.ports import PORTS
from runtime.store import failpoints
from runtime.store.models import HumanTask, HumanVote, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, unsafe_post, wait_until
from tests.runtime.test_own_runs import each, inside, mark_of_this_test
from tests.runtime.test_people import INES, OMAR, asked, decide, failing
from tests.runtime.test_people_failures import leave
from tests.runtime.test_skipped_items import question, share, skip
from tests.runtime.test_undoing import CHAIN, call, fates, made, planned, saga
from tests.runtime.town import town

__all__ = ["mark_of_this_test"]


def asking(world: World) -> dict[str, Any]:
    """Two calls with their undo steps, and a third that is refused, about which people are asked."""
    return saga(world, call("three", world, "fail=422", on_failure="person"))


def plan_of(task: TaskView) -> tuple[UndoPlan, WhyNoUndo | None]:
    return api.asked_undo_plan(workspace_id=WORKSPACE, task_id=task.id)


def undo(
    task: TaskView, voter: Voter = INES, *, plan: str | None = None, reason: str = "The customer left"
) -> TaskView:
    return api.undo_from_question(
        workspace_id=WORKSPACE, task_id=task.id, plan=plan or plan_of(task)[0].id, reason=reason, voter=voter
    )


def test_the_question_is_over_at_once_and_what_was_done_is_undone_the_last_first(
    machine: Machine, world: World
) -> None:
    run_id = machine.begin(asking(world))
    task = asked(run_id)
    plan, why = plan_of(task)
    assert (fates(plan), why) == ([("two", "undo", None), ("one", "undo", None)], None)
    said = undo(task)
    assert (said.status, said.outcome, said.closed_at is not None) == ("cancelled", "undo_run", True)
    assert [(one.name, one.outcome, one.comment) for one in said.votes] == [
        ("Ines Kaya", "undo_run", "The customer left")
    ]
    run = machine.finish(run_id)
    assert run.status == "compensated", run
    assert made(world, run_id) == ["one", "two", "undo_two", "undo_one"]
    (cancel,) = [one for one in api.trail(workspace_id=WORKSPACE, run_id=run_id).items if one.kind == "cancel"]
    assert (cancel.by, cancel.detail["undo"], cancel.detail["reason"]) == (
        f"user:{INES.id}",
        True,
        "The customer left",
    )
    with pytest.raises(AlreadyDecided) as late:
        decide(task, "retry", OMAR)
    assert "Ines Kaya has decided this already" in late.value.message
    assert api.tasks(workspace_id=WORKSPACE, voter=INES, closed=True).items[0].outcome == "undo_run"


def test_nothing_is_undone_without_a_reason_by_somebody_who_is_not_asked_or_by_an_old_plan(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folk = town()
    monkeypatch.setattr(PORTS, "people", folk)
    run_id = machine.begin(asking(world))
    task = asked(run_id)
    with pytest.raises(TaskRefused) as silent:
        undo(task, folk.as_("ines"), reason="  ")
    assert set(silent.value.fields) == {"reason"}
    with pytest.raises(PlanOutdated):
        undo(task, folk.as_("ines"), plan="another")
    old = plan_of(task)[0].id
    leave(task.id, folk.as_("ines"))
    with pytest.raises(NotAsked):
        undo(task, folk.as_("ines"))
    assert HumanTask.objects.get(pk=task.id).status == "open"
    decide(task, "retry", folk.as_("ada"))
    again = asked_anew(run_id, task.id)
    with pytest.raises(AlreadyDecided):
        undo(task, folk.as_("ada"), plan=old)
    with pytest.raises(PlanOutdated):
        undo(again, folk.as_("ada"), plan=old)
    assert Run.objects.get(pk=run_id).cancel_requested_at is None
    undo(again, folk.as_("ada"))
    assert machine.finish(run_id).status == "compensated"


@pytest.mark.parametrize(("third", "planned_too"), [("fail=422", False), ("fail=500", True)])
def test_a_plan_leaves_out_what_was_refused_and_keeps_what_may_have_happened_wherever_it_is_shown(
    machine: Machine, world: World, third: str, planned_too: bool
) -> None:
    three, undo_three = call("three", world, third, on_failure="person"), call("undo_three", world)
    run_id = machine.begin(saga(world, three, undo_three, links=f"{CHAIN}, three:undo -> undo_three"))
    task = asked(run_id)
    first = [("three", "undo", None)] if planned_too else []
    expected = [*first, ("two", "undo", None), ("one", "undo", None)]
    assert fates(planned(run_id)) == expected, "before a cancel with undo"
    assert fates(plan_of(task)[0]) == expected, "from the question"
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, undo=True)
    assert machine.finish(run_id).status == "compensated"
    undone = [key for key in made(world, run_id) if key.startswith("undo")]
    assert undone == [f"undo_{key}" for key, _fate, _why in expected], "as it was planned"


def test_a_refused_step_that_nothing_undoes_is_not_said_to_stay_done(machine: Machine, world: World) -> None:
    run_id = machine.begin(asking(world))
    task = asked(run_id)
    assert fates(planned(run_id)) == [("two", "undo", None), ("one", "undo", None)]
    assert planned(run_id).id == plan_of(task)[0].id, "one plan, wherever it is shown"
    undo(task)
    assert machine.finish(run_id).status == "compensated"


def asked_anew(run_id: UUID, before: UUID) -> TaskView:
    still = HumanTask.objects.filter(run_id=run_id, status="open").exclude(pk=before)
    wait_until(still.exists)
    return asked(run_id)


def test_a_run_that_did_nothing_to_undo_and_a_step_in_doubt_are_refused_with_why(
    machine: Machine, world: World
) -> None:
    task = asked(machine.begin(failing(world, "fail=422")))
    assert plan_of(task)[1] == "nothing"
    with pytest.raises(NotUndoable):
        undo(task)
    decide(task, "give_up")
    assert plan_of(task)[1] == "over"
    once = {"attempts": 1}
    unsure = unsafe_post("two", f"{world.url}/with/drop/invoices", {"amount": 1}, retry=once, on_failure="person")
    links = "start -> one -> two, one:undo -> undo_one"
    doubt = asked(machine.begin(flow(links, call("one", world), unsure, call("undo_one", world))))
    assert plan_of(doubt)[1] == "doubt"
    with pytest.raises(NotUndoable):
        undo(doubt)
    assert HumanTask.objects.get(pk=doubt.id).status == "open"
    decide(doubt, "give_up")


def test_an_item_of_a_list_says_that_it_is_a_part_of_another_run(machine: Machine) -> None:
    run_id = machine.begin(
        flow("start -> each, share", each(), *inside("each", share())),
        {"lines": [1, 0]},
    )
    task = question(run_id, at=1)
    assert plan_of(task)[1] == "below"
    with pytest.raises(NotUndoable) as refused:
        undo(task)
    assert "part of another one" in refused.value.message
    skip(task)
    assert machine.finish(run_id).status == "completed"


@pytest.mark.parametrize("point", ["run.cancel:before", "run.cancel:after"])
def test_what_breaks_off_leaves_the_question_open_or_the_run_being_undone(
    idle_machine: Machine, world: World, point: str
) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(asking(world))
    task = asked(run_id)
    idle_machine.stop()
    failpoints.arm(f"{point}=raise@nth(1)")
    with pytest.raises(failpoints.FailpointReached):
        undo(task)
    failpoints.disarm()
    if point.endswith("before"):
        assert HumanTask.objects.get(pk=task.id).status == "open"
        assert Run.objects.get(pk=run_id).cancel_requested_at is None
        assert not HumanVote.objects.filter(task_id=task.id).exists()
        undo(task)
    else:
        with pytest.raises(AlreadyDecided):
            undo(task)
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "compensated"
    assert made(world, run_id) == ["one", "two", "undo_two", "undo_one"]
