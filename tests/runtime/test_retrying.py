"""Going on with a run that failed or was cancelled (I22), and what it owes to the outside (I10, I11)."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import Decision, NotFound, NotRetryable, PlanOutdated, RetryPlan, RetryRefused, RunView
from runtime.engine.ids import uuid7
from runtime.store.models import Attempt, Replay, Run, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    cut_short,
    detail,
    fields,
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

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}
ONCE = {"attempts": 1}


def planned(run_id: UUID, **choices: Any) -> RetryPlan:
    return api.retry_plan(workspace_id=WORKSPACE, run_id=run_id, **choices)


def fates(plan: RetryPlan) -> dict[str, str]:
    return {step.key: step.fate for step in plan.steps}


def go_on(run_id: UUID, **choices: Any) -> RunView:
    """Retry by the plan of this moment."""
    asked = {name: choices[name] for name in ("start", "version") if name in choices}
    return api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=planned(run_id, **asked).id, **choices)


def attempts(run_id: UUID, node_id: str) -> list[Attempt]:
    return list(Attempt.objects.filter(run_id=run_id, node_id=node_id).order_by("generation", "attempt"))


def two_posts(world: World, second: str, retry: dict[str, Any] = ONCE) -> dict[str, Any]:
    return flow(
        "start -> first -> second -> after",
        post("first", f"{world.url}/invoices", INVOICE),
        post("second", f"{world.url}{second}", {**INVOICE, "memo": "{{ now() }}"}, retry=retry),
        fields("after", paid="{{ steps.second.status }}"),
    )


def refused(machine: Machine, world: World) -> RunView:
    run = machine.run(two_posts(world, "/with/fail=422/invoices"))
    assert run.status == "dead_lettered", run
    return run


def mended(run_id: UUID, world: World) -> dict[str, Any]:
    """The settings of the second post, with an address at which it works."""
    before: Any = detail(run_id, "second").input
    return {**before, "url": f"{world.url}/invoices"}


def test_a_dead_letter_goes_on_from_its_failed_step_with_other_settings(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    plan = planned(run.id)
    assert fates(plan) == {"start": "kept", "first": "kept", "second": "again", "after": "next"}
    assert [step.why for step in plan.steps if step.key == "second"] == ["refused"]
    view = go_on(run.id, edits={"second": mended(run.id, world)})
    assert (view.status, view.generation, view.finished_at) == ("running", 2, None)
    ended = machine.finish(run.id)
    assert (ended.status, ended.outcome, ended.error) == ("completed", "done", None)
    assert Run.objects.get(pk=run.id).min_engine == 2, "a worker of an earlier build leaves it alone"
    assert detail(run.id, "after").output == {"paid": 201}
    assert len(attempts(run.id, "first")) == 1, "what was done is not done again"
    assert detail(run.id, "first").step.status == "succeeded"
    assert len(world.invoices(str(run.id))) == 2


def test_a_retry_is_on_record_with_who_and_what_was_changed(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    who = uuid7()
    after = mended(run.id, world)
    go_on(run.id, edits={"second": after}, by=who)
    machine.finish(run.id)
    (kept,) = api.retries(workspace_id=WORKSPACE, run_id=run.id)
    assert (kept.generation, kept.by) == (2, f"user:{who}")
    assert kept.edits["second"]["after"] == after
    assert kept.edits["second"]["before"]["url"].endswith("/with/fail=422/invoices")
    assert {line["node"]: line["fate"] for line in kept.plan}["first"] == "kept"
    original: Any = StepRun.objects.get(run_id=run.id, node_id="second", generation=1)
    assert "fail=422" in original.input, "what was there first stays on record"


def test_after_a_refusal_the_next_go_has_a_key_of_its_own(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    go_on(run.id, edits={"second": mended(run.id, world)})
    machine.finish(run.id)
    first, second = attempts(run.id, "second")
    assert (first.status, second.status) == ("failed", "succeeded")
    assert first.effect_key != second.effect_key


def test_after_a_lost_answer_the_next_go_asks_with_the_same_key_and_the_same_bytes(
    machine: Machine, world: World
) -> None:
    run = machine.run(two_posts(world, "/with/drop*1/invoices"))
    assert run.status == "dead_lettered", run
    plan = planned(run.id)
    assert [(step.fate, step.why) for step in plan.steps if step.key == "second"] == [("again", "same_key")]
    go_on(run.id)
    assert machine.finish(run.id).status == "completed"
    first, second = attempts(run.id, "second")
    assert (first.effect_key, first.request_digest) == (second.effect_key, second.request_digest)
    assert first.generation == 1
    assert second.generation == 2
    assert len(world.invoices(str(run.id))) == 2, "the lost one and the first: nothing twice"


def test_other_settings_after_a_lost_answer_need_consent_and_get_another_key(machine: Machine, world: World) -> None:
    run = machine.run(two_posts(world, "/with/fail=503/invoices"))
    edits = {"second": mended(run.id, world)}
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, edits=edits)
    assert set(caught.value.fields) == {"second"}
    assert look(run.id).generation == 1
    go_on(run.id, edits=edits, repeats=["second"])
    assert machine.finish(run.id).status == "completed"
    first, second = attempts(run.id, "second")
    assert first.effect_key != second.effect_key


def test_what_was_answered_in_an_unexpected_way_may_have_happened(machine: Machine, world: World) -> None:
    pay = unsafe_post("pay", f"{world.url}/invoices", INVOICE)
    pay["config"]["success_codes"] = "299"
    run = machine.run(flow("start -> pay", pay))
    assert [attempt.status for attempt in attempts(run.id, "pay")] == ["failed"]
    assert fates(planned(run.id))["pay"] == "asks"
    with pytest.raises(RetryRefused):
        go_on(run.id)
    assert len(world.invoices(str(run.id))) == 1


def test_a_refusal_after_a_lost_answer_does_not_make_it_forgotten(machine: Machine, world: World) -> None:
    # The first call counted and its answer was lost; the second, with the same key, met an expired sign-in.
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/with/drop*1/invoices", INVOICE, retry=ONCE)))
    world.ask("POST", "/behaviour", {"path": "/invoices", "method": "POST", "behaviour": "fail=401", "times": 1})
    go_on(run.id)
    assert machine.finish(run.id).status == "dead_lettered"
    assert [attempt.status for attempt in attempts(run.id, "pay")] == ["failed", "failed"]
    assert [(step.fate, step.why) for step in planned(run.id).steps if step.key == "pay"] == [("again", "same_key")]
    (outcome,) = api.retry_each(workspace_id=WORKSPACE, run_ids=[run.id])
    assert outcome.outcome == "retried"
    assert machine.finish(run.id).status == "completed"
    assert len({attempt.effect_key for attempt in attempts(run.id, "pay")}) == 1
    assert len(world.invoices(str(run.id))) == 1, "it was recognised"


def test_a_key_is_kept_over_several_goes_as_long_as_nobody_knows(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/with/drop*3/invoices", INVOICE, retry=ONCE)))
    for _ in range(3):
        go_on(run.id)
        machine.finish(run.id)
    tries = attempts(run.id, "pay")
    assert [one.generation for one in tries] == [1, 2, 3, 4]
    assert len({(one.effect_key, one.request_digest) for one in tries}) == 1
    assert len(world.invoices(str(run.id))) == 1


def test_an_edit_cannot_make_another_sort_of_step(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> look", get("look", f"{world.url}/with/fail=404/invoices")))
    before: Any = detail(run.id, "look").input
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, edits={"look": {**before, "method": "POST", "url": f"{world.url}/invoices"}})
    assert "another sort" in caught.value.fields["look"]
    assert not world.invoices(str(run.id))


def test_a_step_that_a_newer_version_guards_is_not_begun_before_its_guard(machine: Machine, world: World) -> None:
    pay = post("pay", f"{world.url}/with/drop*1/invoices", INVOICE, retry=ONCE)
    workflow = machine.publish(flow("start -> pay", pay))
    run = machine.finish(machine.begin_again(workflow))
    machine.publish(flow("start -> guard -> pay", pay, pause("guard", 600)), workflow)
    plan = planned(run.id, version=2)
    assert fates(plan) == {"start": "kept", "guard": "next", "pay": "repeats"}
    go_on(run.id, version=2, repeats=["pay"])
    machine.until(run.id, lambda one: one.status == "waiting_timer")
    assert len(attempts(run.id, "pay")) == 1


def test_a_version_without_the_runs_start_is_refused(machine: Machine, world: World) -> None:
    workflow = machine.publish(two_posts(world, "/with/fail=422/invoices"))
    run = machine.finish(machine.begin_again(workflow))
    machine.publish(flow("begin -> a", step("begin", "trigger.manual@1")), workflow)
    with pytest.raises(NotRetryable) as caught:
        planned(run.id, version=2)
    assert caught.value.code == "no_such_start"


def test_it_happened_outlasts_a_cancel_that_comes_at_once(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    graph = flow("start -> pay -> nap", unsafe_post("pay", f"{world.url}/with/drop/invoices", INVOICE), pause("nap", 1))
    run = idle_machine.run(graph)
    idle_machine.crash()
    go_on(run.id, decisions={"pay": Decision(True, {"number": 1})})
    api.cancel(workspace_id=WORKSPACE, run_id=run.id)
    idle_machine.start()
    assert idle_machine.finish(run.id).status == "cancelled"
    assert fates(planned(run.id))["pay"] == "kept"
    go_on(run.id)
    assert idle_machine.finish(run.id).status == "completed"
    assert len(world.invoices(str(run.id))) == 1


def test_an_edit_outlasts_a_cancel_that_comes_at_once(idle_machine: Machine) -> None:
    idle_machine.start()
    run = idle_machine.run(flow("start -> shape", fields("shape", a="{{ number('x') }}")))
    idle_machine.crash()
    go_on(run.id, edits={"shape": {"fields": [{"name": "a", "value": 2}]}})
    api.cancel(workspace_id=WORKSPACE, run_id=run.id)
    idle_machine.start()
    idle_machine.finish(run.id)
    shown = [step.input for step in planned(run.id).steps if step.key == "shape"]
    assert shown == [{"fields": [{"name": "a", "value": 2}]}]
    go_on(run.id)
    idle_machine.finish(run.id)
    assert detail(run.id, "shape").output == {"a": 2}


def test_going_on_from_an_earlier_step_repeats_outside_only_what_was_agreed_to(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    assert fates(planned(run.id, start=["first"]))["first"] == "repeats"
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, start=["first"])
    assert set(caught.value.fields) == {"first"}
    go_on(run.id, start=["first"], repeats=["first"])
    assert machine.finish(run.id).status == "dead_lettered", "its second post is refused as before"
    one, other = attempts(run.id, "first")
    assert one.effect_key != other.effect_key
    assert len(world.invoices(str(run.id))) == 2


def test_two_people_at_once_open_one_generation(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    plan, edits = planned(run.id).id, {"second": mended(run.id, world)}
    together, told = threading.Barrier(4), []

    def press() -> None:
        from django.db import connections

        together.wait()
        try:
            api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan, edits=edits)
            told.append("opened")
        except (PlanOutdated, NotRetryable) as error:
            told.append(type(error).__name__)
        finally:
            connections.close_all()

    people = [threading.Thread(target=press) for _ in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert told.count("opened") == 1, told
    assert machine.finish(run.id).generation == 2
    assert Replay.objects.filter(run_id=run.id).count() == 1
    assert len(attempts(run.id, "second")) == 2


def test_a_plan_that_is_no_longer_true_is_refused(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    plan = planned(run.id).id
    go_on(run.id)
    machine.finish(run.id)
    with pytest.raises(PlanOutdated):
        api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan)
    assert look(run.id).generation == 2


def test_a_run_that_is_done_or_under_way_is_not_gone_on_with(machine: Machine, world: World) -> None:
    done = machine.run(flow("start -> a"))
    with pytest.raises(NotRetryable) as caught:
        planned(done.id)
    assert caught.value.code == "already_done"
    under_way = machine.begin(flow("start -> nap", pause("nap", 600)))
    with pytest.raises(NotRetryable) as caught:
        planned(under_way)
    assert caught.value.code == "still_open"
    with pytest.raises(NotFound):
        api.retry_plan(workspace_id=uuid7(), run_id=done.id)


def test_a_cancelled_run_goes_on_where_it_was(machine: Machine, world: World) -> None:
    graph = flow("start -> pay -> nap -> after", post("pay", f"{world.url}/invoices", INVOICE), pause("nap", 600))
    run_id = machine.begin(graph)
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "cancelled"
    assert fates(planned(run_id)) == {"start": "kept", "pay": "kept", "nap": "again", "after": "next"}
    go_on(run_id)
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    cut_short(run_id)
    ended = machine.finish(run_id)
    assert (ended.status, ended.cancel_requested) == ("completed", False)
    assert len(world.invoices(str(run_id))) == 1


def test_a_repaired_workflow_takes_over_where_the_old_version_failed(machine: Machine, world: World) -> None:
    workflow = machine.publish(two_posts(world, "/with/fail=422/invoices"))
    run = machine.finish(machine.begin_again(workflow))
    machine.publish(two_posts(world, "/invoices"), workflow)
    assert planned(run.id).versions == [1, 2]
    go_on(run.id, version=2)
    ended = machine.finish(run.id)
    assert (ended.status, ended.version) == ("completed", 2)
    assert len(attempts(run.id, "first")) == 1
    assert len(world.invoices(str(run.id))) == 2


def test_a_version_that_lacks_a_step_in_doubt_is_refused(machine: Machine, world: World) -> None:
    lost = post("pay", f"{world.url}/with/drop/invoices", INVOICE, retry={"attempts": 1})
    lost["config"]["send_key"] = False
    workflow = machine.publish(flow("start -> pay", lost))
    run = machine.finish(machine.begin_again(workflow))
    machine.publish(flow("start -> anew", post("anew", f"{world.url}/invoices", INVOICE)), workflow)
    assert planned(run.id, version=1).dropped == []
    assert planned(run.id, version=2).dropped == ["pay"]
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, version=2)
    assert "nobody knows whether it happened" in caught.value.fields["pay"]
    assert len(world.invoices(str(run.id))) == 1, "nothing was sent a second time"


def test_a_version_that_lacks_a_step_past_which_the_run_went_on_is_taken(machine: Machine, world: World) -> None:
    lost = post("pay", f"{world.url}/with/drop/invoices", INVOICE, retry={"attempts": 1}, on_failure="continue")
    stop = step("stop", "flow.fail@1", {"message": "Enough"})
    workflow = machine.publish(flow("start -> pay -> stop", lost, stop))
    run = machine.finish(machine.begin_again(workflow))
    assert statuses(run.id)["pay"] == "failed"
    machine.publish(flow("start -> name", fields("name", of="x")), workflow)
    assert planned(run.id, version=2).dropped == []
    assert go_on(run.id, version=2).generation == 2


def test_a_version_that_comes_to_a_kept_step_another_way_is_refused(machine: Machine, world: World) -> None:
    workflow = machine.publish(two_posts(world, "/with/fail=422/invoices"))
    run = machine.finish(machine.begin_again(workflow))
    other = two_posts(world, "/invoices")
    machine.publish(
        flow("start -> between -> first -> second -> after", *[one for one in other["nodes"] if one["key"] != "start"]),
        workflow,
    )
    assert planned(run.id, version=2).incompatible == ["first"]
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, version=2)
    assert "another way" in caught.value.fields["first"]
    assert look(run.id).version == 1


def test_settings_that_do_not_fit_are_refused_before_anything_happens(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, edits={"second": {"method": "BREW", "url": "x"}, "first": {}})
    assert set(caught.value.fields) == {"first", "second"}
    assert look(run.id).generation == 1


def test_a_crash_right_after_the_retry_loses_neither_the_edit_nor_the_kept_steps(
    idle_machine: Machine, world: World
) -> None:
    idle_machine.start()
    run = refused(idle_machine, world)
    idle_machine.crash()
    slow = {**mended(run.id, world), "url": f"{world.url}/with/slow=6000*1/invoices"}
    go_on(run.id, edits={"second": slow})
    idle_machine.start()
    wait_until(lambda: len(attempts(run.id, "second")) == 2)
    idle_machine.crash()
    idle_machine.start()
    assert idle_machine.finish(run.id).status == "completed"
    assert len(attempts(run.id, "first")) == 1
    first, second = attempts(run.id, "second")
    assert second.effect_key != first.effect_key
    assert len(world.invoices(str(run.id))) == 2


def test_a_retried_run_that_is_read_anew_after_every_commit_ends_the_same(idle_machine: Machine, world: World) -> None:
    idle_machine.start(reloads=True)
    run = refused(idle_machine, world)
    go_on(run.id, edits={"second": mended(run.id, world)})
    assert idle_machine.finish(run.id).status == "completed"
    assert len(attempts(run.id, "first")) == 1
    assert detail(run.id, "after").output == {"paid": 201}


def test_an_edited_step_that_only_computes_keeps_its_edit_too(machine: Machine) -> None:
    broken = fields("shape", total="{{ number(trigger.text) }}")
    run = machine.run(
        flow("start -> shape -> after", broken, fields("after", total="{{ steps.shape.total }}")), {"text": "x"}
    )
    assert run.status == "dead_lettered", run
    edited: Any = {"fields": [{"name": "total", "value": 12}]}
    go_on(run.id, edits={"shape": edited})
    assert machine.finish(run.id).status == "completed"
    assert detail(run.id, "after").output == {"total": 12}


def test_every_go_stays_on_record_and_the_newest_is_shown(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    go_on(run.id)
    machine.finish(run.id)
    go_on(run.id, edits={"second": mended(run.id, world)})
    assert machine.finish(run.id).generation == 3
    shown = detail(run.id, "second")
    assert [(one.generation, one.status) for one in shown.attempts] == [(1, "failed"), (2, "failed"), (3, "succeeded")]
    assert shown.step.generation == 3
    kept = detail(run.id, "first")
    assert kept.step.generation == 3
    assert [one.status for one in kept.attempts] == ["succeeded"]
    assert not api.orphans()


def test_a_run_is_started_anew_from_the_same_event(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/invoices", INVOICE)), {"n": 7})
    again = api.replay_as_new(workspace_id=WORKSPACE, run_id=run.id)
    assert (again.replay_of, again.event_id, again.generation) == (run.id, run.event_id, 1)
    ended = machine.finish(again.id)
    assert ended.status == "completed"
    assert detail(again.id, "start").output == detail(run.id, "start").output
    assert len(world.invoices(str(again.id))) == 1
    assert run.event_id is not None
    assert Run.objects.filter(event_id=run.event_id).count() == 2
