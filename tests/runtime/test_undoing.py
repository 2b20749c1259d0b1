"""Undoing what a run did (I24 to I26): when a step fails, on a cancel, and afterwards by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyFinished, NotUndoable, PlanOutdated, RetryRefused, RunView, UndoPlan
from runtime.engine.ids import uuid7
from runtime.store.models import Attempt, DeadLetter, Replay, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    RETRY_SOON,
    WORKSPACE,
    Machine,
    detail,
    flow,
    get,
    look,
    pause,
    post,
    statuses,
    step,
    unsafe_post,
    wait_until,
)

ONCE = {"attempts": 1}
CHAIN = "start -> one -> two -> three, one:undo -> undo_one, two:undo -> undo_two"


def call(key: str, world: World, behaviour: str = "", **settings: Any) -> dict[str, Any]:
    """A call that makes out an invoice for the order `<run>/<step>`: so the company knows who called, and in which
    order."""
    path = f"/with/{behaviour}/invoices" if behaviour else "/invoices"
    body = {"order": f"{{{{ run.id }}}}/{key}", "customer": "C-200", "amount": 10, "currency": "EUR"}
    return post(key, f"{world.url}{path}", body, **{"retry": ONCE, **settings})


def saga(world: World, *others: dict[str, Any], links: str = CHAIN, third: str = "fail=422") -> dict[str, Any]:
    """Two calls with their undo steps, and a third that fails and asks for undo."""
    given = {made["key"]: made for made in others}
    keys = ("one", "two", "undo_one", "undo_two")
    steps = [given.pop(key) if key in given else call(key, world) for key in keys]
    third_step = given.pop("three", None) or call("three", world, third, on_failure="undo")
    return flow(links, *steps, third_step, *given.values())


def made(world: World, run_id: UUID) -> list[str]:
    """The steps whose calls took effect, in that order."""
    orders = [str(one["order_number"]).partition("/") for one in world.ask("GET", "/invoices?limit=1000")["items"]]
    return [key for run, _, key in reversed(orders) if run == str(run_id)]


def planned(run_id: UUID) -> UndoPlan:
    return api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)


def fates(plan: UndoPlan) -> list[tuple[str, str, str | None]]:
    return [(line.key, line.fate, line.why) for line in plan.lines]


def undo(run_id: UUID, **choices: Any) -> RunView:
    return api.undo(
        workspace_id=WORKSPACE,
        run_id=run_id,
        plan=planned(run_id).id,
        reason="The customer left",
        **choices,
    )


def test_a_run_that_fails_undoes_what_it_did_the_last_step_first(machine: Machine, world: World) -> None:
    run = machine.run(saga(world))
    assert (run.status, run.outcome) == ("compensated", None), run
    assert made(world, run.id) == ["one", "two", "undo_two", "undo_one"]
    assert run.error is not None
    assert run.error["node"] == "three", "what it was undone for stays to be seen"
    found = statuses(run.id)
    assert (found["undo_one"], found["undo_two"], found["three"]) == ("succeeded", "succeeded", "failed")
    assert not DeadLetter.objects.filter(run_id=run.id).exists(), "nothing is left to decide"
    assert Run.objects.get(pk=run.id).min_engine == 3, "a worker that cannot undo leaves it alone"


def test_each_undo_has_a_key_and_tries_of_its_own(machine: Machine, world: World) -> None:
    flaky = call("undo_two", world, "fail=503*2", retry=RETRY_SOON)
    run = machine.run(saga(world, flaky))
    assert run.status == "compensated", run
    tries = list(Attempt.objects.filter(run_id=run.id, node_id="undo_two").order_by("attempt"))
    assert [one.status for one in tries] == ["failed", "failed", "succeeded"]
    assert len({one.effect_key for one in tries}) == 1
    keys = set(Attempt.objects.filter(run_id=run.id).values_list("node_id", "effect_key"))
    assert len({key for _, key in keys}) == len({node for node, _ in keys})


def test_an_undo_that_fails_for_good_stops_none_of_the_others_and_is_named(machine: Machine, world: World) -> None:
    run = machine.run(saga(world, call("undo_two", world, "fail=422")))
    assert run.status == "dead_lettered", run
    assert made(world, run.id) == ["one", "two", "undo_one"]
    assert run.error is not None
    assert run.error["code"] == "undo_incomplete"
    assert "Still done: “two”." in run.error["message"]
    assert "Undone: “one”." in run.error["message"]
    letter = DeadLetter.objects.get(run_id=run.id)
    assert (letter.code, letter.node_id) == ("undo_incomplete", "undo_two")


def test_a_run_that_was_not_undone_as_a_whole_is_never_started_forward_among_others(
    machine: Machine, world: World
) -> None:
    run = machine.run(saga(world, call("undo_two", world, "fail=422")))
    (outcome,) = api.retry_each(workspace_id=WORKSPACE, run_ids=[run.id])
    assert (outcome.outcome, "undo it again" in outcome.message) == ("refused", True)
    assert made(world, run.id) == ["one", "two", "undo_one"]
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 1


def test_a_call_whose_answer_was_lost_is_undone_too(machine: Machine, world: World) -> None:
    links = f"{CHAIN}, three:undo -> undo_three"
    run = machine.run(saga(world, call("undo_three", world), links=links, third="drop"))
    assert run.status == "compensated", run
    assert made(world, run.id) == ["one", "two", "three", "undo_three", "undo_two", "undo_one"]


def test_a_call_that_was_refused_is_not_undone(machine: Machine, world: World) -> None:
    links = f"{CHAIN}, three:undo -> undo_three"
    run = machine.run(saga(world, call("undo_three", world), links=links))
    assert run.status == "compensated", run
    assert made(world, run.id) == ["one", "two", "undo_two", "undo_one"]


def test_a_call_that_was_lost_and_then_refused_is_undone(machine: Machine, world: World) -> None:
    """A refusal says nothing of the lost answer before it."""
    links = f"{CHAIN}, three:undo -> undo_three"
    later = {**RETRY_SOON, "attempts": 2, "first_seconds": 2}
    three = call("three", world, "drop*1", on_failure="undo", retry=later)
    run_id = machine.begin(saga(world, three, call("undo_three", world), links=links))
    wait_until(lambda: statuses(run_id).get("three") == "retrying")
    world.ask("POST", "/behaviour", {"path": "/invoices", "method": "POST", "behaviour": "fail=422", "times": 1})
    run = machine.finish(run_id)
    assert run.status == "compensated", run
    assert statuses(run.id)["undo_three"] == "succeeded"


def test_an_action_without_an_undo_step_is_named_as_still_done(machine: Machine, world: World) -> None:
    run = machine.run(saga(world, links="start -> one -> two -> three, one:undo -> undo_one"))
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert "Still done: “two”." in run.error["message"]


def test_an_action_of_which_nothing_is_to_be_undone_stays_and_that_is_right(machine: Machine, world: World) -> None:
    said = call("two", world, undo="nothing")
    run = machine.run(saga(world, said, links="start -> one -> two -> three, one:undo -> undo_one"))
    assert run.status == "compensated", run
    assert made(world, run.id) == ["one", "two", "undo_one"]


def test_what_only_reads_needs_no_undo(machine: Machine, world: World) -> None:
    read = get("two", f"{world.url}/invoices")
    run = machine.run(saga(world, read, links="start -> one -> two -> three, one:undo -> undo_one"))
    assert run.status == "compensated", run


def test_an_undo_step_sees_what_its_action_gave_and_why_the_run_is_undone(machine: Machine, world: World) -> None:
    body = {
        "order": "{{ run.id }}/undo_one",
        "customer": "C-200",
        "amount": 10,
        "memo": "{{ steps.one.body.id }} {{ error.step }}",
    }
    run = machine.run(saga(world, post("undo_one", f"{world.url}/invoices", body, retry=ONCE)))
    assert run.status == "compensated", run
    given: Any = detail(run.id, "undo_one").input
    one: Any = detail(run.id, "one").output
    assert given["json_body"]["memo"] == f"{one['body']['id']} three"


def test_a_cancel_with_undo_undoes_what_was_done(machine: Machine, world: World) -> None:
    graph = saga(world, pause("three", 60))
    run_id = machine.begin(graph)
    wait_until(lambda: look(run_id).status == "waiting_timer")
    view = api.cancel(workspace_id=WORKSPACE, run_id=run_id, undo=True)
    assert view.cancel_requested
    run = machine.finish(run_id)
    assert (run.status, run.error) == ("compensated", None), run
    assert made(world, run.id) == ["one", "two", "undo_two", "undo_one"]


def test_a_cancel_without_undo_leaves_done_what_is_done(machine: Machine, world: World) -> None:
    run_id = machine.begin(saga(world, pause("three", 60)))
    wait_until(lambda: look(run_id).status == "waiting_timer")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "cancelled"
    assert made(world, run_id) == ["one", "two"]


def test_a_cancel_with_undo_needs_undo_steps(machine: Machine, world: World) -> None:
    run_id = machine.begin(flow("start -> three", pause("three", 60)))
    with pytest.raises(NotUndoable) as caught:
        api.cancel(workspace_id=WORKSPACE, run_id=run_id, undo=True)
    assert caught.value.code == "no_undo_steps"
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)


def test_undoing_cannot_be_cancelled_and_survives_a_crash(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    slow = call("undo_two", world, "slow=6000*1")
    run_id = idle_machine.begin(saga(world, slow))
    wait_until(lambda: statuses(run_id).get("undo_two") == "running")
    assert look(run_id).status == "compensating"
    with pytest.raises(AlreadyFinished) as caught:
        api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert caught.value.code == "undoing"
    idle_machine.crash()
    assert look(run_id).status == "compensating"
    idle_machine.start()
    run = idle_machine.finish(run_id)
    assert run.status == "compensated", run
    assert made(world, run_id) == ["one", "two", "undo_two", "undo_one"], "each took effect once"


def test_an_undo_in_doubt_after_a_crash_counts_as_not_undone(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    body = {"order": "{{ run.id }}/undo_two", "customer": "C-200", "amount": 10}
    doubtful = unsafe_post("undo_two", f"{world.url}/with/slow=3000/invoices", body, retry=ONCE)
    run_id = idle_machine.begin(saga(world, doubtful))
    wait_until(lambda: statuses(run_id).get("undo_two") == "running")
    idle_machine.crash()
    idle_machine.start()
    run = idle_machine.finish(run_id)
    assert run.status == "dead_lettered", run
    assert statuses(run_id)["undo_one"] == "succeeded"
    plan = planned(run_id)
    assert fates(plan) == [("two", "again", "in_doubt"), ("one", "undone", None)]
    with pytest.raises(RetryRefused) as caught:
        undo(run_id)
    assert set(caught.value.fields) == {"undo_two"}
    undo(run_id, repeats=["undo_two"])
    run = idle_machine.finish(run_id)
    assert run.status == "compensated", run
    assert statuses(run_id)["undo_one"] == "succeeded"
    keys = set(Attempt.objects.filter(run_id=run_id, node_id="undo_one").values_list("generation", flat=True))
    assert keys == {1}, "what was undone is not undone again"


def test_a_completed_run_is_undone_by_hand_by_a_plan_that_is_shown_first(machine: Machine, world: World) -> None:
    run = machine.run(saga(world, third="slow=1"))
    assert run.status == "completed", run
    plan = planned(run.id)
    assert plan.possible
    assert fates(plan) == [("three", "stays", "no_undo_step"), ("two", "undo", None), ("one", "undo", None)]
    who = uuid7()
    view = undo(run.id, by=who)
    assert (view.status, view.generation, view.finished_at) == ("compensating", 2, None)
    ended = machine.finish(run.id)
    assert made(world, run.id) == ["one", "two", "three", "undo_two", "undo_one"]
    assert ended.status == "dead_lettered", "the third stays done, and that is said"
    assert ended.error is not None
    assert "Still done: “three”." in ended.error["message"]
    (kept,) = api.retries(workspace_id=WORKSPACE, run_id=run.id)
    assert (kept.kind, kept.reason, kept.by) == ("undo", "The customer left", f"user:{who}")
    with pytest.raises(NotUndoable) as caught:
        undo(run.id)
    assert caught.value.code == "nothing_to_undo"


def test_an_open_run_is_not_undone_by_hand_and_its_plan_says_what_a_cancel_would_do(
    machine: Machine, world: World
) -> None:
    run_id = machine.begin(saga(world, pause("three", 60)))
    wait_until(lambda: look(run_id).status == "waiting_timer")
    plan = planned(run_id)
    assert not plan.possible
    assert fates(plan) == [("two", "undo", None), ("one", "undo", None)]
    with pytest.raises(NotUndoable) as caught:
        undo(run_id)
    assert caught.value.code == "still_open"
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)


def test_two_people_who_undo_at_once_open_one_generation(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    run = idle_machine.run(saga(world, third="slow=1"))
    idle_machine.stop()
    plan = planned(run.id).id
    api.undo(workspace_id=WORKSPACE, run_id=run.id, plan=plan, reason="first")
    with pytest.raises((PlanOutdated, NotUndoable)):
        api.undo(workspace_id=WORKSPACE, run_id=run.id, plan=plan, reason="second")
    assert Replay.objects.filter(run_id=run.id).count() == 1
    idle_machine.start()
    idle_machine.finish(run.id)
    assert made(world, run.id).count("undo_two") == 1


def test_a_lost_undo_is_sent_again_under_the_same_key(machine: Machine, world: World) -> None:
    """Also in a further generation: the first may have been the one that counted (I11)."""
    run = machine.run(saga(world, call("undo_two", world, "drop*1")))
    assert run.status == "dead_lettered", run
    assert fates(planned(run.id)) == [("two", "again", "same_key"), ("one", "undone", None)]
    undo(run.id)
    run = machine.finish(run.id)
    assert run.status == "compensated", run
    first, second = Attempt.objects.filter(run_id=run.id, node_id="undo_two").order_by("generation")
    assert (first.effect_key, first.request_digest) == (second.effect_key, second.request_digest)
    assert made(world, run.id).count("undo_two") == 1


def test_a_run_that_was_undone_is_done_anew_under_new_keys(machine: Machine, world: World) -> None:
    run = machine.run(saga(world))
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    assert [(line.key, line.fate, line.why) for line in plan.steps] == [
        ("start", "kept", None),
        ("one", "again", "undone"),
        ("two", "again", "undone"),
        ("three", "again", "refused"),
    ]
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    run = machine.finish(run.id)
    assert run.status == "compensated", "it fails again, and is undone again"
    assert made(world, run.id) == ["one", "two", "undo_two", "undo_one"] * 2
    for node in ("one", "two", "undo_one", "undo_two"):
        keys = Attempt.objects.filter(run_id=run.id, node_id=node).values_list("effect_key", flat=True)
        assert len(set(keys)) == 2, f"{node} had a key for each time"


def test_parallel_calls_are_undone_in_reverse_of_how_they_ended(machine: Machine, world: World) -> None:
    links = (
        "start -> one -> three, start -> two -> three, three -> four, one:undo -> undo_one, two:undo -> undo_two, "
        "three:undo -> undo_three"
    )
    graph = saga(
        world,
        call("one", world, "slow=3000"),
        call("three", world),
        call("undo_three", world),
        call("four", world, "fail=422", on_failure="undo"),
        links=links,
    )
    run = machine.run(graph)
    assert run.status == "compensated", run
    assert made(world, run.id)[-3:] == ["undo_three", "undo_one", "undo_two"], "the first answered last"


def test_a_fail_step_can_ask_for_undo(machine: Machine, world: World) -> None:
    fail = step("three", "flow.fail@1", {"message": "Out of stock"}, on_failure="undo")
    run = machine.run(saga(world, fail))
    assert run.status == "compensated", run
    assert made(world, run.id) == ["one", "two", "undo_two", "undo_one"]
