"""Undo and retry of one run in turns: what earlier generations did is neither forgotten nor done twice (I11, I24)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import NotRetryable, RetryPlan, RunView
from runtime.interpreter import own_plans
from runtime.store.models import Attempt, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import RETRY_SOON, WORKSPACE, Machine, flow, look, pause, post, statuses, wait_until
from tests.runtime.test_undoing import CHAIN, ONCE, call, fates, made, planned, saga, undo

ONE = "start -> one -> three, one:undo -> undo_one"


def planned_retry(run_id: UUID, **choices: Any) -> RetryPlan:
    return api.retry_plan(workspace_id=WORKSPACE, run_id=run_id, **choices)


def words(plan: RetryPlan) -> list[tuple[str, str, str | None]]:
    return [(step.key, step.fate, step.why) for step in plan.steps if step.key != "start"]


def go_on(run_id: UUID, repeats: Collection[str] = (), **choices: Any) -> RunView:
    plan = planned_retry(run_id, **choices).id
    return api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan, repeats=repeats, **choices)


def keys(run_id: UUID, node: str) -> list[str | None]:
    tries = Attempt.objects.filter(run_id=run_id, node_id=node).order_by("generation", "attempt")
    return list(tries.values_list("effect_key", flat=True))


def refuse_once(world: World) -> None:
    world.ask("POST", "/behaviour", {"path": "/invoices", "method": "POST", "behaviour": "fail=422", "times": 1})


def test_every_try_of_a_lost_undo_goes_under_the_same_key(machine: Machine, world: World) -> None:
    twice = {**RETRY_SOON, "attempts": 2}
    run = machine.run(saga(world, call("undo_two", world, "drop*3", retry=twice)))
    assert run.status == "dead_lettered", run
    undo(run.id)
    assert machine.finish(run.id).status == "compensated"
    assert len(set(keys(run.id, "undo_two"))) == 1
    assert made(world, run.id).count("undo_two") == 1


def test_a_lost_undo_is_sent_again_as_it_was_whatever_its_formulas_say_now(machine: Machine, world: World) -> None:
    body = {"order": "{{ run.id }}/undo_two", "customer": "C-200", "amount": 10, "memo": "{{ run.now }}"}
    lost = post("undo_two", f"{world.url}/with/drop*1/invoices", body, retry=ONCE)
    run = machine.run(saga(world, lost))
    assert fates(planned(run.id))[0] == ("two", "again", "same_key")
    undo(run.id)
    assert machine.finish(run.id).status == "compensated"
    assert made(world, run.id).count("undo_two") == 1


def test_a_large_lost_undo_is_sent_again_as_it_was(machine: Machine, world: World) -> None:
    body = {"order": "{{ run.id }}/undo_two", "customer": "C-200", "amount": 10, "memo": "x" * 300_000}
    run = machine.run(saga(world, post("undo_two", f"{world.url}/with/drop*1/invoices", body, retry=ONCE)))
    undo(run.id)
    assert machine.finish(run.id).status == "compensated"
    assert len(set(keys(run.id, "undo_two"))) == 1
    assert made(world, run.id).count("undo_two") == 1


@pytest.mark.parametrize("action", ["drop*1", ""])
def test_what_may_have_been_undone_is_undone_before_the_run_goes_on(
    machine: Machine, world: World, action: str
) -> None:
    """Gone on with, it would be taken for done, and might be undone a second time."""
    three = call("three", world, "fail=422", on_failure="undo")
    one = call("one", world, action, on_failure="undo") if action else call("one", world)
    run = machine.run(flow(ONE, one, three, call("undo_one", world, "drop*1")))
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert "Nobody knows whether undone, for no answer came: “one”." in run.error["message"]
    assert "Still done" not in run.error["message"]
    for start in ((), ("one",)) if action else ((),):
        with pytest.raises(NotRetryable, match="Nobody knows whether “one” was undone"):
            planned_retry(run.id, start=start)
    (outcome,) = api.retry_each(workspace_id=WORKSPACE, run_ids=[run.id])
    assert outcome.outcome != "retried"
    undo(run.id)
    assert machine.finish(run.id).status == "compensated"
    assert made(world, run.id) == ["one", "undo_one"]
    assert len(set(keys(run.id, "undo_one"))) == 1
    go_on(run.id)
    machine.finish(run.id)
    assert made(world, run.id)[:3] == ["one", "undo_one", "one"]


def test_what_is_done_anew_is_undone_anew(machine: Machine, world: World) -> None:
    """The lost undo was of the first time; that of the second is another call."""
    three = call("three", world, "fail=422", on_failure="undo")
    run = machine.run(flow(ONE, call("one", world), three, call("undo_one", world, "drop*1")))
    assert run.status == "dead_lettered", run
    go_on(run.id, start=["one"], repeats=["one"])
    machine.finish(run.id)
    assert len(set(keys(run.id, "undo_one"))) == 2


def test_what_an_earlier_go_did_and_this_one_did_not_come_to_is_named_and_can_be_undone(
    idle_machine: Machine, world: World
) -> None:
    idle_machine.start()
    world.ask("POST", "/behaviour", {"path": "/orders", "method": "POST", "behaviour": "fail=422", "times": 1})
    body = {"number": "{{ run.id }}", "customer": "C-200", "total": 1, "currency": "EUR", "lines": []}
    run = idle_machine.run(saga(world, post("undo_two", f"{world.url}/orders", body, retry=ONCE)))
    assert run.status == "dead_lettered", run
    idle_machine.stop()
    go_on(run.id, repeats=["two"])
    api.cancel(workspace_id=WORKSPACE, run_id=run.id, undo=True)
    idle_machine.start()
    run = idle_machine.finish(run.id)
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert "Still done: “two”." in run.error["message"]
    assert fates(planned(run.id)) == [("two", "undo", None)]
    undo(run.id)
    run = idle_machine.finish(run.id)
    assert run.status == "compensated", run.error
    assert statuses(run.id)["undo_two"] == "succeeded"


def test_what_a_newer_version_left_out_is_named(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As it could be gone on with before such a version was refused.
    lacks = own_plans.lacks
    monkeypatch.setattr(own_plans, "lacks", lambda found: lacks(found)._replace(missing=()))
    links = "start -> one -> two -> three, one:undo -> undo_one, two:undo -> undo_two"
    steps = [call(key, world) for key in ("one", "two", "undo_one", "undo_two")]
    workflow = machine.publish(flow(links, *steps, call("three", world, "fail=422")))
    run_id = machine.begin_again(workflow)
    machine.finish(run_id)
    three = call("three", world, "fail=422", on_failure="undo")
    links = "start -> one, start -> three, one:undo -> undo_one"
    machine.publish(flow(links, call("one", world), call("undo_one", world), three), workflow)
    go_on(run_id, version=2)
    run = machine.finish(run_id)
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert "two" in run.error["message"]


def test_a_call_that_was_lost_in_one_go_and_refused_in_the_next_is_undone(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> one, one:undo -> undo_one", call("one", world, "drop*1"), call("undo_one", world)))
    assert run.status == "dead_lettered", run
    refuse_once(world)
    go_on(run.id)
    machine.finish(run.id)
    assert len(set(keys(run.id, "one"))) == 1
    assert fates(planned(run.id)) == [("one", "undo", None)]


def test_what_was_undone_is_done_anew_under_a_new_key_however_the_links_are_drawn_now(
    machine: Machine, world: World
) -> None:
    one = call("one", world, "drop", on_failure="undo")
    workflow = machine.publish(
        flow("start -> one -> two, one:undo -> undo_one", one, call("two", world), call("undo_one", world))
    )
    run_id = machine.begin_again(workflow)
    assert machine.finish(run_id).status == "compensated"
    machine.publish(
        flow("start -> one -> two, one:undo -> undo_two", one, call("two", world), call("undo_two", world)), workflow
    )
    assert words(planned_retry(run_id, version=2))[0] == ("one", "again", "undone")
    go_on(run_id, version=2)
    machine.finish(run_id)
    assert len(set(keys(run_id, "one"))) == 2


def test_undone_once_does_not_mean_undone_for_ever(machine: Machine, world: World) -> None:
    """Lost, undone, done again and lost again: the last one is sent again under its own key."""
    links = "start -> one -> two, one:undo -> undo_one"
    run = machine.run(flow(links, call("one", world, "drop"), call("two", world), call("undo_one", world)))
    undo(run.id)
    assert machine.finish(run.id).status == "compensated"
    go_on(run.id)
    assert machine.finish(run.id).status == "dead_lettered"
    assert words(planned_retry(run.id))[0] == ("one", "again", "same_key")
    go_on(run.id)
    machine.finish(run.id)
    first, second, third = keys(run.id, "one")
    assert first != second == third
    assert made(world, run.id) == ["one", "undo_one", "one"]


def test_a_plan_does_not_hold_against_a_step_what_was_undone(machine: Machine, world: World) -> None:
    three = call("three", world, "fail=422", on_failure="undo")
    run = machine.run(flow(ONE, call("one", world), three, call("undo_one", world)))
    assert run.status == "compensated", run
    refuse_once(world)
    go_on(run.id)
    machine.finish(run.id)
    assert ("one", "again", "refused") in words(planned_retry(run.id))


def test_a_worker_that_cannot_undo_never_takes_a_run_that_may_be_undone(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    workflow = idle_machine.publish(flow("start -> one", call("one", world, "fail=422")))
    run_id = idle_machine.begin_again(workflow)
    idle_machine.finish(run_id)
    links = "start -> one, one:undo -> undo_one"
    idle_machine.publish(flow(links, call("one", world, "fail=422"), call("undo_one", world)), workflow)
    idle_machine.stop()
    new = api.replay_as_new(workspace_id=WORKSPACE, run_id=run_id, version=2)
    go_on(run_id, version=2)
    assert list(Run.objects.filter(pk__in=[run_id, new.id]).values_list("min_engine", flat=True)) == [3, 3]


def test_who_cancels_a_second_time_and_asks_for_undo_gets_it(machine: Machine, world: World) -> None:
    links = f"{CHAIN}, three -> four"
    run_id = machine.begin(saga(world, call("three", world, "slow=3000"), pause("four", 60), links=links))
    wait_until(lambda: statuses(run_id).get("three") == "running")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, undo=True)
    machine.finish(run_id)
    assert made(world, run_id)[-2:] == ["undo_two", "undo_one"]


def test_undoing_that_was_set_aside_is_taken_up_again(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(saga(world, call("undo_two", world, "slow=6000*1")))
    wait_until(lambda: statuses(run_id).get("undo_two") == "running")
    idle_machine.crash()
    Run.objects.filter(pk=run_id).update(claims=50)
    idle_machine.start()
    wait_until(lambda: Run.objects.get(pk=run_id).wake_at is None)
    assert api.orphans() == [], "it has a stated reason to wait"
    aside = look(run_id)
    assert aside.status == "compensating"
    assert aside.waiting is not None
    assert aside.error is not None
    assert aside.error["node"] == "three", "what it was undone for is not forgotten"
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert idle_machine.finish(run_id).status == "compensated"
    assert made(world, run_id) == ["one", "two", "undo_two", "undo_one"]


def test_a_run_that_was_set_aside_before_it_could_be_undone_is_undone(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    links = "start -> one -> slow, one -> fast, one:undo -> undo_one"
    slow = call("slow", world, "slow=3000", undo="nothing")
    fast = call("fast", world, "fail=422", on_failure="undo")
    run_id = idle_machine.begin(flow(links, call("one", world), slow, fast, call("undo_one", world)))
    wait_until(lambda: statuses(run_id).get("fast") == "failed")
    idle_machine.crash()
    Run.objects.filter(pk=run_id).update(claims=50)
    idle_machine.start()
    wait_until(lambda: look(run_id).status == "parked")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert idle_machine.finish(run_id).status == "compensated"


def test_an_undo_step_may_read_the_failure_also_when_somebody_undoes_by_hand(machine: Machine, world: World) -> None:
    body = {"order": "{{ run.id }}/undo_two", "customer": "C-200", "amount": 10, "memo": "{{ error.title }}"}
    run = machine.run(saga(world, post("undo_two", f"{world.url}/invoices", body, retry=ONCE), third="slow=1"))
    assert run.status == "completed", run
    undo(run.id)
    machine.finish(run.id)
    assert statuses(run.id)["undo_two"] == "succeeded"
