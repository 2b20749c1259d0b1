"""Runs of runs over any number of goes: what a retry keeps, what an undo goes over (I10, I22, I25)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import Decision, NotRetryable, RetryRefused, RunView
from runtime.interpreter import again as going_on
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, look, pause, step, wait_until
from tests.runtime.test_own_runs import call, callee, children, each, inside, made, mark_of_this_test

__all__ = ["mark_of_this_test"]


def undone_then(machine: Machine, world: World, unmake: dict[str, Any]) -> RunView:
    graph = flow(
        "start -> each -> last, make:undo -> unmake",
        each(),
        *inside("each", call("make", world), unmake),
        step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo"),
    )
    return machine.run(graph, {"lines": ["a", "b", "c"]})


def again(machine: Machine, run_id: UUID, **choices: Any) -> RunView:
    version = choices.get("version")
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id, start=choices.get("start", ()), version=version)
    repeats = [line.node for line in plan.steps if line.fate == "repeats"]
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, repeats=repeats, **choices)
    return machine.finish(run_id)


def test_items_that_were_undone_are_done_again_in_their_order_when_the_run_is_retried(
    machine: Machine, world: World
) -> None:
    failing = call("unmake", world, '{{ when(item == "b", "fail=422", "slow=0") }}')
    run = undone_then(machine, world, failing)
    assert run.status == "dead_lettered", run
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    assert {line.node: line.fate for line in plan.steps}["each"] != "kept", "a and c are no longer done"
    before = len(made(world))
    again(machine, run.id)
    assert made(world)[before : before + 2] == ["make/a", "make/c"]


def test_what_items_did_in_an_earlier_go_is_not_forgotten_by_an_undo(machine: Machine, world: World) -> None:
    waits: dict[str, Any] = {"mode": "for", "amount": "0", "unit": "seconds"}
    graph = flow(
        "start -> first -> nap -> each -> last, first:undo -> unfirst, make:undo -> unmake",
        call("first", world, order="x"),
        call("unfirst", world, order="x"),
        step("nap", "flow.wait@1", waits),
        each(),
        *inside("each", call("make", world), call("unmake", world)),
        step("last", "flow.fail@1", {"message": "Enough"}),
    )
    run = machine.run(graph, {"lines": ["a"]})
    assert run.status == "dead_lettered", run
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id, start=["nap"])
    repeats = [line.node for line in plan.steps if line.fate == "repeats"]
    edits: dict[str, Any] = {"nap": {**waits, "amount": "60"}}
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, start=["nap"], edits=edits, repeats=repeats)
    wait_until(lambda: look(run.id).status == "waiting_timer")
    api.cancel(workspace_id=WORKSPACE, run_id=run.id, undo=True)
    run = machine.finish(run.id)
    assert run.error is not None
    assert run.error["code"] == "undo_incomplete"
    assert "“each”" in run.error["message"]


def test_what_nothing_undoes_is_named_also_where_items_did_it(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> first -> each -> last, first:undo -> unfirst",
        call("first", world, order="x"),
        call("unfirst", world, order="x"),
        each(),
        *inside("each", call("make", world)),
        step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo"),
    )
    run = machine.run(graph, {"lines": ["a"]})
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert run.error["code"] == "undo_incomplete"
    assert "“each”" in run.error["message"]
    assert made(world) == ["first/x", "make/a", "unfirst/x"]


def test_a_called_workflow_whose_deeds_nothing_undoes_is_named(machine: Machine, world: World) -> None:
    other = callee(machine, call("one", world, order="x"), links="start -> one")
    runs = step("runs", "flow.run_workflow@1", {"workflow": other})
    fails = step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo")
    run = machine.run(flow("start -> runs -> last", runs, fails), {})
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert run.error["code"] == "undo_incomplete"


def test_a_retry_heeds_how_many_at_a_time_and_how_many_may_fail(machine: Machine, world: World) -> None:
    run = undone_then(machine, world, call("unmake", world))
    assert run.status == "compensated", run
    run = again(machine, run.id)
    begun = [(one.started_at or 0, one.finished_at or 0) for one in children(run.id)]
    assert [one.generation for one in children(run.id)] == [4, 4, 4]
    assert made(world)[6:9] == ["make/a", "make/b", "make/c"]
    failing = call("make", world, "fail=422")
    graph = flow("start -> each", each(stop="number", may_fail=1), *inside("each", failing))
    run = machine.run(graph, {"lines": list("abcd")})
    assert [one.status for one in children(run.id)] == ["dead_lettered"] * 2
    run = again(machine, run.id)
    assert [one.generation for one in children(run.id)] == [2, 2], "with two that failed again no further one is begun"
    assert begun


def test_a_turn_that_is_done_again_is_given_what_the_turn_before_gives_now(machine: Machine, world: World) -> None:
    repeat = step("again", "flow.repeat@1", {"until": "{{ index >= 2 }}"})
    graph = flow(
        "start -> again -> last, make -> name, make:undo -> unmake",
        repeat,
        *inside(
            "again",
            call("make", world, order="{{ index }}"),
            call("unmake", world, order="{{ index }}"),
            fields("name", of="{{ run.id }}", before="{{ item.of | default(0) }}"),
        ),
        step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo"),
    )
    run = machine.run(graph, {})
    assert run.status == "compensated", run
    again(machine, run.id)
    assert made(world)[6:9] == ["make/0", "make/1", "make/2"], "one after another"


def test_items_that_failed_go_on_with_the_version_that_the_run_goes_on_with(machine: Machine) -> None:
    broken = fields("name", of="{{ number(item) }}")
    run = machine.run(flow("start -> each", each(), *inside("each", broken)), {"lines": ["1", "x"]})
    assert run.status == "dead_lettered", run
    mended = flow("start -> each", each(), *inside("each", fields("name", of="{{ item }}")))
    machine.publish(mended, run.workflow_id)
    run = again(machine, run.id, version=2)
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert [one["of"] for one in output["results"]] == [1, "x"]


def test_another_list_at_the_second_go_is_refused_before_anything_is_done(machine: Machine, world: World) -> None:
    failing = call("make", world, '{{ when(item == "b", "fail=503*1", "slow=0") }}')
    run = machine.run(flow("start -> each", each(), *inside("each", failing)), {"lines": ["a", "b"]})
    assert run.status == "dead_lettered", run
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    for other in (["z", "b"], ["a"]):
        edits: dict[str, Any] = {"each": {"items": other}}
        with pytest.raises(RetryRefused) as refused:
            api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, edits=edits)
        assert "was given something else when it was begun" in refused.value.fields["each"]
    assert made(world) == ["make/a"]
    # What a person adds behind those that were begun is new, and nothing of it was promised otherwise.
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, edits={"each": {"items": ["a", "b", "c"]}})
    assert machine.finish(run.id).status == "completed"
    assert made(world) == ["make/a", "make/b", "make/c"]


def test_a_version_that_gives_another_list_fails_before_anything_is_done(machine: Machine, world: World) -> None:
    failing = call("make", world, '{{ when(item == "b", "fail=503*1", "slow=0") }}')
    run = machine.run(flow("start -> each", each(), *inside("each", failing)), {"lines": ["a", "b"]})
    machine.publish(flow("start -> each", each("{{ ['z', 'b'] }}"), *inside("each", failing)), run.workflow_id)
    ended = again(machine, run.id, version=2)
    assert (ended.error or {})["code"] == "items_changed"
    assert made(world) == ["make/a"]


def test_results_are_read_by_the_version_that_each_item_was_done_on(machine: Machine) -> None:
    broken = fields("name", of="{{ number(item) }}")
    run = machine.run(flow("start -> each", each(), *inside("each", broken)), {"lines": ["1", "x"]})
    longer = flow(
        "start -> each, name -> more",
        each(),
        *inside("each", fields("name", of="{{ item }}"), fields("more", it="{{ item }}")),
    )
    machine.publish(longer, run.workflow_id)
    run = again(machine, run.id, version=2)
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert output["results"] == [{"of": 1}, {"it": "x"}]


def test_a_second_undo_tries_what_the_first_could_not_in_the_same_order(machine: Machine, world: World) -> None:
    failing = call("unmake", world, '{{ when(item == "a", "slow=0", "fail=422") }}')
    run = undone_then(machine, world, failing)
    assert run.status == "dead_lettered", run

    def order() -> list[int]:
        runs = sorted(children(run.id), key=lambda one: one.finished_at or 0)
        return [one.item_index or 0 for one in runs if one.status == "dead_lettered"]

    assert order() == [2, 1]
    for _ in range(2):
        plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run.id)
        api.undo(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, reason="Once more")
        machine.finish(run.id)
        assert order() == [2, 1]


def test_an_item_that_somebody_has_to_decide_about_is_not_sent_again_by_a_retry_of_the_run(
    machine: Machine, world: World
) -> None:
    lost = call("make", world, '{{ when(item == "b", "drop", "slow=0") }}')
    lost["config"]["send_key"] = False
    run = machine.run(flow("start -> each", each(), *inside("each", lost)), {"lines": ["a", "b", "c"]})
    assert run.status == "dead_lettered", run
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    run = machine.finish(run.id)
    assert run.error is not None
    assert run.error["code"] == "items_ask_first"
    assert made(world) == ["make/a", "make/b"]
    doubtful = children(run.id)[1]
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=doubtful.id)
    (asks,) = (line.node for line in plan.steps if line.fate == "asks")
    api.retry(
        workspace_id=WORKSPACE, run_id=doubtful.id, plan=plan.id, decisions={asks: Decision(happened=True, output=7)}
    )
    assert machine.finish(doubtful.id).status == "completed"
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=api.retry_plan(workspace_id=WORKSPACE, run_id=run.id).id)
    assert machine.finish(run.id).status == "completed"
    assert made(world) == ["make/a", "make/b", "make/c"]


@pytest.mark.parametrize("meanwhile", ["cancel", "pause"])
def test_no_item_is_gone_on_with_behind_a_cancel_or_a_pause_of_the_run(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    failing = call("make", world, '{{ when(item == "b", "fail=503*1", "slow=0") }}')
    run = machine.run(flow("start -> each", each(), *inside("each", failing)), {"lines": ["a", "b"]})
    assert run.status == "dead_lettered", run
    really = going_on.retry

    def retry_just_after(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(going_on, "retry", really)
        if meanwhile == "cancel":
            api.cancel(workspace_id=WORKSPACE, run_id=run.id)
        else:
            api.pause_run(workspace_id=WORKSPACE, run_id=run.id)
        return really(*given, **named)

    monkeypatch.setattr(going_on, "retry", retry_just_after)
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    if meanwhile == "cancel":
        assert machine.finish(run.id).status == "cancelled"
        assert made(world) == ["make/a"]
    else:
        machine.until(run.id, lambda found: found.paused)
        assert [one.generation for one in children(run.id)] == [1, 1]
        api.resume_run(workspace_id=WORKSPACE, run_id=run.id)
        assert machine.finish(run.id).status == "completed"
        assert made(world) == ["make/a", "make/b"]


@pytest.mark.parametrize("how", ["undone", "cancelled"])
def test_a_part_of_a_run_that_was_given_up_is_not_gone_on_with_by_itself(
    how: str, machine: Machine, world: World
) -> None:
    # After a plain no there is nothing that an undo could take back.
    fails = "fail=422" if how == "undone" else "fail=503*1"
    make = call("make", world, f'{{{{ when(item == "a", "{fails}", "slow=0") }}}}')
    unmake = call("unmake", world)
    parts = [each(stop="never"), *inside("each", make, unmake)]
    links = "start -> each, make:undo -> unmake"
    if how == "cancelled":
        parts.append(pause("nap", 600))
        links += ", each -> nap"
    graph = flow(links, *parts)
    run_id = machine.begin(graph, {"lines": ["a", "b"]})
    if how == "cancelled":
        machine.until(run_id, lambda run: run.status == "waiting_timer")
        api.cancel(workspace_id=WORKSPACE, run_id=run_id)
        assert machine.finish(run_id).status == "cancelled"
    else:
        assert machine.finish(run_id).status == "completed"
        plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)
        api.undo(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, reason="Wrong")
        machine.until(run_id, lambda run: run.status == "compensated")
    failed = children(run_id)[0]
    assert failed.status == "dead_lettered"
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 0
    with pytest.raises(NotRetryable, match=f"was {how}"):
        api.retry_plan(workspace_id=WORKSPACE, run_id=failed.id)
    (outcome,) = api.retry_each(workspace_id=WORKSPACE, run_ids=[failed.id])
    assert outcome.outcome == "refused"
    if how == "cancelled":
        again = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
        api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=again.id)
        machine.until(run_id, lambda run: run.status == "waiting_timer")
        assert api.dead_letter_count(workspace_id=WORKSPACE) == 1, "it goes on, and so may its parts"
        item = api.retry_plan(workspace_id=WORKSPACE, run_id=failed.id)
        api.retry(workspace_id=WORKSPACE, run_id=failed.id, plan=item.id)
        assert machine.finish(failed.id).status == "completed"


def test_a_part_of_a_run_whose_undo_is_incomplete_is_not_gone_on_with_by_itself(machine: Machine, world: World) -> None:
    make = call("make", world, '{{ when(item == "a", "fail=422", "slow=0") }}')
    unmake = call("unmake", world, '{{ when(item == "b", "fail=422", "slow=0") }}')
    graph = flow("start -> each, make:undo -> unmake", each(stop="never"), *inside("each", make, unmake))
    run = machine.run(graph, {"lines": ["a", "b", "c"]})
    assert run.status == "completed", run
    plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run.id)
    api.undo(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, reason="Wrong")
    run = machine.finish(run.id)
    assert run.error is not None
    assert run.error["code"] == "undo_incomplete"
    failed = children(run.id)[0]
    assert (failed.status, failed.generation) == ("dead_lettered", 1)
    groups = api.dead_letter_groups(workspace_id=WORKSPACE)
    letters = [one for group in groups for one in api.dead_letters(workspace_id=WORKSPACE, cause=group.cause).items]
    assert failed.id not in [one.run.id for one in letters]
    assert run.id in [one.run.id for one in letters], "the run itself is still to be put right"
    with pytest.raises(NotRetryable, match="was undone"):
        api.retry_plan(workspace_id=WORKSPACE, run_id=failed.id)


def test_a_part_of_a_part_of_a_run_that_was_cancelled_is_not_gone_on_with_by_itself(
    machine: Machine, world: World
) -> None:
    inner = each("{{ item }}", key="inner")
    graph = flow(
        "start -> each -> nap",
        each(stop="never"),
        *inside("each", inner),
        *inside("inner", call("make", world, "fail=503*1")),
        pause("nap", 600),
    )
    run_id = machine.begin(graph, {"lines": [["a"]]})
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 2
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "cancelled"
    (middle,) = children(run_id)
    (innermost,) = children(middle.id, "inner")
    assert (middle.status, innermost.status) == ("dead_lettered", "dead_lettered")
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 0
    with pytest.raises(NotRetryable, match="was cancelled"):
        api.retry_plan(workspace_id=WORKSPACE, run_id=innermost.id)


@pytest.mark.parametrize("taken_out", ["the container", "the step in it"])
def test_a_version_without_what_is_in_doubt_in_an_item_does_not_make_the_doubt_vanish(
    taken_out: str, machine: Machine, world: World
) -> None:
    lost = call("make", world, '{{ when(item == "b", "drop", "slow=0") }}')
    lost["config"]["send_key"] = False
    run = machine.run(flow("start -> each", each(), *inside("each", lost)), {"lines": ["a", "b"]})
    assert run.status == "dead_lettered", run
    key = "loop" if taken_out == "the container" else "each"
    other = flow(f"start -> {key}", each(key=key), *inside(key, call("other", world)))
    machine.publish(other, run.workflow_id)
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id, version=2)
    if taken_out == "the container":
        assert plan.dropped == ["each"]
        with pytest.raises(RetryRefused) as caught:
            api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, version=2)
        assert "nobody knows whether it happened" in caught.value.fields["each"]
    else:
        assert [line.items.asks for line in plan.steps if line.items is not None] == [1]
        run = again(machine, run.id, version=2)
        assert run.error is not None
        assert run.error["code"] == "items_ask_first"
    assert made(world) == ["make/a", "make/b"], "nothing was sent in place of it"


@pytest.mark.parametrize("taken_out", ["the container", "the call", "the step in it"])
def test_a_version_without_what_runs_of_its_own_did_is_refused_and_items_keep_theirs(
    taken_out: str, machine: Machine, world: World
) -> None:
    other = callee(machine, call("make", world, order="c"), links="start -> make")
    last = call("last", world, "fail=422", order="z")
    items = each(["a", "b"])
    broken = call("then", world, '{{ when(item == "b", "fail=422", "slow=0") }}', order="then")
    if taken_out == "the step in it":
        run = machine.run(flow("start -> each, make -> then", items, *inside("each", call("make", world), broken)))
        changed = flow("start -> each", items, *inside("each", call("anew", world)))
    elif taken_out == "the call":
        run = machine.run(flow("start -> runs -> last", step("runs", "flow.run_workflow@1", {"workflow": other}), last))
        changed = flow("start -> last", last)
    else:
        run = machine.run(flow("start -> each -> last", items, *inside("each", call("make", world)), last))
        changed = flow("start -> last", last)
    assert run.status == "dead_lettered", run
    before = made(world)
    machine.publish(changed, run.workflow_id)
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id, version=2)
    if taken_out == "the step in it":
        assert plan.missing == []
        again(machine, run.id, version=2)
        assert [child.version.number for child in children(run.id)] == [1, 1], (
            "each item goes on as it was drawn for it"
        )
        assert [one for one in made(world) if one.startswith("anew")] == []
        return
    assert plan.missing == ["each" if taken_out == "the container" else "runs"]
    with pytest.raises(RetryRefused) as caught:
        api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, version=2)
    assert "what it did outside stands" in caught.value.fields[plan.missing[0]]
    assert made(world) == before


def test_a_version_without_a_container_whose_items_plainly_failed_is_taken(machine: Machine, world: World) -> None:
    graph = flow("start -> each", each(), *inside("each", call("make", world, "fail=422")))
    run = machine.run(graph, {"lines": ["a"]})
    machine.publish(flow("start -> name", fields("name", of="x")), run.workflow_id)
    assert again(machine, run.id, version=2).status == "completed"
