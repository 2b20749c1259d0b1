"""Undo steps of which nobody knows whether they did it, and steps that were done more than once (I12, I24)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import NotRetryable, RetryRefused, RunView
from runtime.store.models import Attempt, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, post, step
from tests.runtime.test_own_runs import inside
from tests.runtime.test_undoing import ONCE, call, fates, made, planned, undo
from tests.runtime.test_undoing_again import ONE, go_on, planned_retry, words
from tests.runtime.trails import broken_trails

ITEMS = "start -> each -> three, one:undo -> undo_one"


def behave(world: World, behaviour: str, times: int | None = 1, path: str = "/invoices") -> None:
    world.ask("POST", "/behaviour", {"path": path, "method": "POST", "behaviour": behaviour, "times": times})


def order(key: str, world: World) -> dict[str, Any]:
    """A call that answers for another path than `call`, so that only it fails."""
    body = {"number": f"{{{{ run.id }}}}/{key}", "customer": "C-200", "total": 1, "currency": "EUR", "lines": []}
    return post(key, f"{world.url}/orders", body, retry=ONCE)


def list_of(world: World, machine: Machine, *, items: int = 1) -> RunView:
    """Did what it does for each item, and failed after that."""
    each = step("each", "flow.for_each@1", {"items": [*range(1, items + 1)]})
    parts: list[Any] = inside("each", call("one", world), call("undo_one", world))
    behave(world, "fail=422", path="/orders")
    run = machine.run(flow(ITEMS, each, *parts, order("three", world)))
    assert run.status == "dead_lettered", run
    return run


def items_of(run_id: UUID) -> list[Run]:
    return list(Run.objects.filter(parent_run_id=run_id).order_by("item_index"))


def message(run: RunView) -> str:
    assert run.error is not None
    return str(run.error["message"])


# --- done more than once ------------------------------------------------------------------------------------------


def test_an_undo_takes_back_the_last_of_two_calls_and_the_earlier_one_is_named(machine: Machine, world: World) -> None:
    run = machine.run(flow(ONE, call("one", world), call("three", world, "fail=422"), call("undo_one", world)))
    go_on(run.id, start=["one"], repeats=["one"])
    machine.finish(run.id)
    undo(run.id)
    ended = machine.finish(run.id)
    assert made(world, run.id) == ["one", "one", "undo_one"]
    assert ended.status == "dead_lettered", "the first call stands"
    assert "Still done: “one”." in message(ended)
    assert "Undone: “one”." in message(ended)
    assert fates(planned(run.id)) == [("one", "undo", None)]
    assert ("one", "repeats", "happened") in words(planned_retry(run.id))


def test_one_undo_after_the_other_takes_back_all_calls_each_by_what_it_gave(machine: Machine, world: World) -> None:
    run = machine.run(flow(ONE, call("one", world), call("three", world, "fail=422"), by_id(world)))
    ids = [output_of(run.id)]
    for _ in range(2):
        go_on(run.id, start=["one"], repeats=["one"])
        machine.finish(run.id)
        ids.append(output_of(run.id))
    said = []
    for _ in range(3):
        undo(run.id)
        said.append(machine.finish(run.id).status)
    assert said == ["dead_lettered", "dead_lettered", "compensated"]
    assert made(world, run.id) == ["one"] * 3 + [f"undo_one {number}" for number in reversed(ids)]
    assert fates(planned(run.id)) == [("one", "undone", None)]
    assert broken_trails() == []


def test_an_undo_reads_what_the_steps_before_its_action_gave_when_that_was_done(machine: Machine, world: World) -> None:
    """Not what they gave when the run was begun anew, and did not come to the action."""
    begun = call("first", world)
    one = call("one", world)
    one["config"]["json_body"]["order"] += " {{ steps.first.body.id }}"
    back = call("undo_one", world)
    back["config"]["json_body"]["order"] += " {{ steps.first.body.id }}"
    links = "start -> first -> order -> one -> three, one:undo -> undo_one"
    run = machine.run(flow(links, begun, order("order", world), one, call("three", world, "fail=422"), back))
    first = output_of(run.id, "first")
    behave(world, "fail=422", path="/orders")
    go_on(run.id, start=["first"], repeats=["first", "order", "one"])
    machine.finish(run.id)
    assert output_of(run.id, "first") != first
    undo(run.id)
    machine.finish(run.id)
    assert made(world, run.id)[-2:] == ["first", f"undo_one {first}"]


def test_a_retry_taken_back_before_it_began_undoes_the_earlier_call_by_what_that_gave(
    machine: Machine, world: World
) -> None:
    run = machine.run(flow(ONE, call("one", world), call("three", world, "fail=422"), by_id(world)))
    first = output_of(run.id)
    go_on(run.id, start=["one"], repeats=["one"])
    machine.finish(run.id)
    second = output_of(run.id)
    undo(run.id)
    machine.finish(run.id)
    machine.stop()
    go_on(run.id, repeats=["one"])
    api.cancel(workspace_id=WORKSPACE, run_id=run.id, undo=True)
    machine.start()
    ended = machine.finish(run.id)
    assert ended.status == "compensated", ended.error
    assert made(world, run.id) == ["one", "one", f"undo_one {second}", f"undo_one {first}"]


def test_of_two_calls_that_stand_a_cancelled_retry_undoes_one_and_names_the_other(
    machine: Machine, world: World
) -> None:
    run = machine.run(flow(ONE, call("one", world), call("three", world, "fail=422"), call("undo_one", world)))
    go_on(run.id, start=["one"], repeats=["one"])
    machine.finish(run.id)
    machine.stop()
    go_on(run.id, start=["one"], repeats=["one"])
    api.cancel(workspace_id=WORKSPACE, run_id=run.id, undo=True)
    machine.start()
    ended = machine.finish(run.id)
    assert made(world, run.id) == ["one", "one", "undo_one"]
    assert ended.status == "dead_lettered"
    assert "Still done: “one”. Undone: “one”." in message(ended)


def by_id(world: World) -> dict[str, Any]:
    """Undoes exactly what the call gave."""
    back = call("undo_one", world)
    back["config"]["json_body"]["order"] += " {{ steps.one.body.id }}"
    return back


def output_of(run_id: UUID, node: str = "one") -> Any:
    return api.step(workspace_id=WORKSPACE, run_id=run_id, node_id=node).output["body"]["id"]  # type: ignore[index, call-overload]


def test_of_two_calls_the_earlier_one_stands_for_certain_whatever_became_of_the_later_ones_undo(
    machine: Machine, world: World
) -> None:
    run = machine.run(
        flow(ONE, call("one", world), call("three", world, "fail=422"), call("undo_one", world, "drop*1"))
    )
    go_on(run.id, start=["one"], repeats=["one"])
    machine.finish(run.id)
    undo(run.id)
    ended = machine.finish(run.id)
    assert "Still done: “one”. Nobody knows whether undone, for no answer came: “one”." in message(ended)


# --- nobody knows whether it was undone -----------------------------------------------------------------------------


def lost(world: World, machine: Machine) -> RunView:
    """Undone by hand, and the answer lost; sent again, it was refused."""
    behave(world, "fail=422", path="/orders")
    run = machine.run(flow(ONE, call("one", world), order("three", world), call("undo_one", world)))
    for behaviour in ("drop", "fail=422"):
        behave(world, behaviour)
        undo(run.id)
        run = machine.finish(run.id)
    return run


def test_a_refusal_does_not_say_that_a_lost_undo_did_nothing(machine: Machine, world: World) -> None:
    run = lost(world, machine)
    assert run.status == "dead_lettered"
    assert "Nobody knows whether undone, for no answer came: “one”." in message(run)
    assert "Still done" not in message(run)
    assert fates(planned(run.id)) == [("one", "again", "same_key")]
    with pytest.raises(NotRetryable, match="Nobody knows whether “one” was undone"):
        planned_retry(run.id)


def test_a_person_says_that_it_was_undone(machine: Machine, world: World) -> None:
    run = lost(world, machine)
    undo(run.id, decisions={"undo_one": "undone"})
    ended = machine.finish(run.id)
    assert made(world, run.id) == ["one", "undo_one"], "nothing was sent"
    assert ended.status == "compensated"
    assert fates(planned(run.id)) == [("one", "undone", None)]
    tries = Attempt.objects.filter(run_id=run.id, node_id="undo_one").order_by("generation")
    assert [one.status for one in tries] == ["succeeded", "failed"]
    assert broken_trails() == []
    go_on(run.id)
    machine.finish(run.id)
    assert made(world, run.id) == ["one", "undo_one", "one"]


def test_a_person_says_that_it_is_still_done(machine: Machine, world: World) -> None:
    run = lost(world, machine)
    undo(run.id, decisions={"undo_one": "still_done"})
    ended = machine.finish(run.id)
    assert ended.status == "dead_lettered"
    assert "Still done: “one”." in message(ended)
    assert broken_trails() == []
    assert "Nobody knows" not in message(ended)
    assert ("one", "kept", None) in words(planned_retry(run.id))
    go_on(run.id)
    assert machine.finish(run.id).status == "completed"
    assert made(world, run.id) == ["one", "undo_one"]


def test_what_is_known_is_not_decided(machine: Machine, world: World) -> None:
    run = machine.run(flow(ONE, call("one", world), call("three", world), call("undo_one", world)))
    with pytest.raises(RetryRefused):
        undo(run.id, decisions={"undo_one": "undone"})


# --- within items and called workflows ------------------------------------------------------------------------------


def test_a_run_does_not_go_on_while_nobody_knows_what_of_its_items_was_undone(machine: Machine, world: World) -> None:
    run = list_of(world, machine, items=2)
    behave(world, "drop", times=2)
    undo(run.id)
    ended = machine.finish(run.id)
    assert "Nobody knows whether undone in it: one." in message(ended)
    assert "Still done" not in message(ended)
    with pytest.raises(NotRetryable, match="Nobody knows whether “one” was undone in number 1 of “each”"):
        planned_retry(run.id)
    for item in items_of(run.id):
        undo(item.pk, decisions={"undo_one": "undone"})
        assert machine.finish(item.pk).status == "compensated"
    assert words(planned_retry(run.id))[0] == ("each", "again", "harmless")
    go_on(run.id)
    assert machine.finish(run.id).status == "completed"
    again = [key for item in items_of(run.id) for key in made(world, item.pk)]
    assert again == ["one", "undo_one", "one"] * 2


def test_one_of_many_items_of_which_nobody_knows_whether_it_was_undone_is_never_forgotten(
    machine: Machine, world: World
) -> None:
    run = list_of(world, machine, items=12)
    last = items_of(run.id)[-1]
    for behaviour, times, whose in (("fail=422", 12, run.id), ("drop", 1, last.pk), ("fail=422", 12, run.id)):
        behave(world, behaviour, times=times)
        undo(whose)
        machine.finish(whose)
        told = message(api.run(workspace_id=WORKSPACE, run_id=run.id))
    assert "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more" in told
    assert "Still done in it: one. Nobody knows whether undone in it: one." in told


def test_a_run_some_of_whose_items_were_undone_does_these_again_and_keeps_the_others(
    machine: Machine, world: World
) -> None:
    run = list_of(world, machine, items=2)
    behave(world, "fail=422")
    undo(run.id)
    ended = machine.finish(run.id)
    assert ended.status == "dead_lettered"
    assert [one.status for one in items_of(run.id)] == ["compensated", "dead_lettered"]
    go_on(run.id)
    assert machine.finish(run.id).status == "completed"
    assert [made(world, item.pk) for item in items_of(run.id)] == [["one", "undo_one", "one"], ["one"]]
    assert [one.status for one in items_of(run.id)] == ["completed", "completed"]


def test_a_run_none_of_whose_items_could_be_undone_keeps_them(machine: Machine, world: World) -> None:
    run = list_of(world, machine, items=2)
    behave(world, "fail=422", times=2)
    undo(run.id)
    machine.finish(run.id)
    assert words(planned_retry(run.id))[0] == ("each", "again", "harmless")
    go_on(run.id)
    assert machine.finish(run.id).status == "completed"
    assert [made(world, item.pk) for item in items_of(run.id)] == [["one"], ["one"]]
    assert [one.status for one in items_of(run.id)] == ["completed", "completed"]
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 0


def test_a_run_of_which_nothing_could_be_undone_is_done_once_somebody_says_so(machine: Machine, world: World) -> None:
    run = machine.run(flow(ONE, call("one", world), call("three", world), call("undo_one", world, "fail=422")))
    assert run.status == "completed"
    undo(run.id)
    assert machine.finish(run.id).status == "dead_lettered"
    assert {fate for _, fate, _ in words(planned_retry(run.id))} == {"kept"}
    go_on(run.id)
    assert machine.finish(run.id).status == "completed"
    assert made(world, run.id) == ["one", "three"]
