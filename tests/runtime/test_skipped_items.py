"""A person leaves out an item of a list one of whose steps failed: the list goes on, and says who it was and why."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, ItemCounts, NotRetryable, RunFilters, TaskRefused, TaskView
from runtime.engine.containers import SKIP_NEEDS_ENGINE
from runtime.engine.jsonprofile import loads_stored
from runtime.store import retention_runs
from runtime.store.models import Attempt, DeadLetter, HumanTask, Run
from runtime.store.statements import HELD
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    detail,
    fields,
    flow,
    look,
    statuses,
    step,
    unsafe_post,
    wait_until,
)
from tests.runtime.test_batches import batch, lines_of, statements
from tests.runtime.test_own_runs import call, callee, children, each, inside, made, mark_of_this_test
from tests.runtime.test_people import INES, OMAR, asked, decide
from tests.runtime.test_undoing import planned, undo

__all__ = ["mark_of_this_test"]

WHY = "A double of invoice 17."


def share(key: str = "share", **settings: Any) -> dict[str, Any]:
    """Fails for the entry 0, and people are asked."""
    return fields(key, settings={"on_failure": "person", **settings}, of="{{ 100 / item }}")


def question(run_id: UUID, node: str = "each", at: int = 0) -> TaskView:
    """What is asked about this item."""
    wait_until(lambda: len(children(run_id, node)) > at)
    return asked(children(run_id, node)[at].id)


def skip(task: TaskView, **said: Any) -> TaskView:
    return decide(task, "skip", **{"comment": WHY, **said})


def ids(task: TaskView) -> list[str]:
    return [one["id"] for one in task.spec["choices"]]


def counted(run_id: UUID, node: str = "each") -> ItemCounts:
    steps = api.snapshot(workspace_id=WORKSPACE, run_id=run_id).steps
    found = next(one.items for one in steps if one.node == node)
    assert found is not None
    return found


def numbers(run_id: UUID, status: str) -> list[int]:
    return [one.index for one in api.items(workspace_id=WORKSPACE, run_id=run_id, node="each", status=status).items]


@pytest.mark.parametrize("reloads", [False, True])
@pytest.mark.parametrize("stop", ["first", "never"])
def test_an_item_that_is_skipped_stops_no_list_and_is_named_with_who_and_why(
    idle_machine: Machine, stop: str, reloads: bool
) -> None:
    idle_machine.start(reloads=reloads)
    behind = fields("behind", of="{{ steps.share.of }}")
    run_id = idle_machine.begin(
        flow("start -> each -> after, share -> behind", each(stop=stop, label="L{{ item }}"),
             *inside("each", share(), behind), fields("after", left="{{ steps.each.left_out }}")),
        {"lines": [1, 0, 2]},
    )  # fmt: skip
    task = question(run_id, at=1)
    assert ids(task) == ["retry", "value", "skip", "give_up"]
    kept: Any = loads_stored(HumanTask.objects.get(pk=task.id).spec)
    assert [one["id"] for one in kept["choices"]] == ["retry", "value", "give_up"], "an earlier door takes no such word"
    with pytest.raises(TaskRefused) as caught:
        skip(task, comment="  ")
    assert set(caught.value.fields) == {"comment"}, "it is said why"
    decided = skip(task)
    assert (decided.outcome, [(one.outcome, one.comment) for one in decided.votes]) == ("skip", [("skip", WHY)])
    assert idle_machine.finish(run_id).status == "completed"
    assert look(run_id).outcome == "done"
    output: Any = detail(run_id, "each").output
    (named,) = output.pop("left_out_items")
    assert output == {
        "total": 3, "done": 2, "failed": 0, "left_out": 1, "results": [{"of": 100}, None, {"of": 50}]
    }  # fmt: skip
    assert (named["number"], named["key"], named["by"], named["reason"]) == (2, "L0", "Ines Kaya", WHY)
    assert detail(run_id, "after").output == {"left": 1}
    item = children(run_id)[1]
    assert (item.status, item.outcome) == ("completed", "skipped")
    found = statuses(item.id)
    assert (found["share"], found.get("behind")) == ("failed", None)
    assert not DeadLetter.objects.filter(run_id=item.id).exists(), "nothing is left to decide"
    stands = counted(run_id)
    assert (stands.total, stands.done, stands.failed, stands.left_out) == (3, 2, 0, 1)
    assert (numbers(run_id, "skipped"), numbers(run_id, "done"), numbers(run_id, "failed")) == ([1], [0, 2], [])
    told = api.items(workspace_id=WORKSPACE, run_id=run_id, node="each").items[1].solved
    assert told is not None
    assert (told.how, told.by, told.reason, told.at) == ("skipped", f"user:{INES.id}", WHY, decided.closed_at)
    assert look(item.id).solved == told
    assert (look(run_id).failed_items, look(run_id).solved) == (0, None)
    assert api.orphans() == []


def test_the_first_word_counts_and_the_others_are_told(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> each", each(), *inside("each", share())), {"lines": [0]})
    task = question(run_id)
    skip(task)
    with pytest.raises(AlreadyDecided) as late:
        decide(task, "retry", OMAR)
    assert late.value.params["outcome"] == "skip"
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "each").output
    assert (output["done"], output["left_out"]) == (0, 1)


def test_only_an_item_of_a_list_can_be_skipped(machine: Machine) -> None:
    again = step("again", "flow.repeat@1", {"until": "{{ index >= 1 }}"})
    failing = fields("share", settings={"on_failure": "person"}, of="{{ 1 / 0 }}")
    other = callee(machine, failing, links="start -> share")
    called = step("called", "flow.run_workflow@1", {"workflow": other, "input": {}})
    for graph, node in (
        (flow("start -> share", failing), None),
        (flow("start -> again", again, *inside("again", failing)), "again"),
        (flow("start -> called", called), "called"),
    ):
        run_id = machine.begin(graph)
        task = asked(run_id) if node is None else question(run_id, node)
        assert ids(task) == ["retry", "value", "give_up"]
        with pytest.raises(TaskRefused) as caught:
            skip(task)
        assert set(caught.value.fields) == {"outcome"}
        decide(task, "give_up")
        assert machine.finish(run_id).status == "dead_lettered"


def test_of_a_list_in_a_list_the_innermost_item_is_skipped(machine: Machine) -> None:
    inner = {**each("{{ item.lines }}", "inner"), "parent": "outer"}
    graph = flow("start -> outer", each("{{ trigger.orders }}", "outer"), inner, *inside("inner", share()))
    run_id = machine.begin(graph, {"orders": [{"lines": [1, 0, 2]}, {"lines": [4]}]})
    wait_until(lambda: len(children(run_id, "outer")) == 1)
    first = children(run_id, "outer")[0].id
    skip(question(first, "inner", 1))
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "outer").output
    assert (output["total"], output["done"], output.get("left_out")) == (2, 2, None)
    assert [(one["done"], one.get("left_out")) for one in output["results"]] == [(2, 1), (1, None)]


def test_what_failed_within_an_item_that_is_skipped_is_settled_with_it(machine: Machine) -> None:
    """The list inside stops for what failed there, and the item around it is skipped."""
    inner = {**each("{{ item.lines }}", "inner", settings={"on_failure": "person"}), "parent": "outer"}
    line = fields("line", share="{{ 100 / item }}")
    graph = flow("start -> outer", each("{{ trigger.orders }}", "outer"), inner, *inside("inner", line))
    run_id = machine.begin(graph, {"orders": [{"lines": [0]}, {"lines": [4]}]})
    task = question(run_id, "outer")
    (inside_it,) = children(task.run.id, "inner")
    skip(task)
    assert machine.finish(run_id).status == "completed"
    assert (look(run_id).failed_items, counted(run_id, "outer").failed_inside) == (0, 0)
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 0
    with pytest.raises(NotRetryable) as caught:
        api.retry_plan(workspace_id=WORKSPACE, run_id=inside_it.id)
    assert caught.value.code == "around_skipped"
    # Nobody can decide about it any more: nothing counts it as waiting, nor is the run kept for it for ever.
    assert DeadLetter.objects.filter(run_id=inside_it.id, solved_at__isnull=True).exists()
    assert import_module("runtime.api.metrics").metrics().letters.get(WORKSPACE, 0) == 0
    workflow = look(run_id).workflow_id
    assert sum(one.failed for one in api.standing_at(workspace_id=WORKSPACE, workflow_id=workflow)) == 0
    assert not api.runs(workspace_id=WORKSPACE, filters=RunFilters(workflow_id=workflow, stands="failed")).items
    assert retention_runs.facts([run_id], retention_runs.Held())[run_id].kept != "letter"


def paying(world: World, **settings: Any) -> dict[str, Any]:
    """Each item makes out an invoice, then fails for the entry 0."""
    return flow(
        "start -> each, make -> share, make:undo -> void", each(**settings),
        *inside("each", call("make", world), share(), call("void", world)),
    )  # fmt: skip


def test_what_was_done_for_an_item_before_it_was_skipped_stands_and_is_undone_with_the_run(
    machine: Machine, world: World
) -> None:
    run_id = machine.begin(paying(world), {"lines": [0, 5]})
    skip(question(run_id))
    assert machine.finish(run_id).status == "completed"
    assert made(world) == ["make/0", "make/5"], "skipping undoes nothing by itself"
    plan = planned(run_id)
    assert [(line.key, line.fate) for line in plan.lines] == [("each", "undo")]
    undo(run_id)
    assert machine.finish(run_id).status == "compensated"
    assert made(world) == ["make/0", "make/5", "void/5", "void/0"]
    assert [one.status for one in children(run_id)] == ["compensated", "compensated"]


@pytest.mark.parametrize("undone", [False, True])
def test_of_a_call_of_which_nobody_knows_the_doubt_stays_when_its_item_is_skipped(
    machine: Machine, world: World, undone: bool
) -> None:
    order = {"order": "{{ run.id }}/pay", "customer": "C-200", "amount": 10, "currency": "EUR"}
    pay = unsafe_post("pay", f"{world.url}/with/drop*1/invoices", order, on_failure="person", retry={"attempts": 1})
    graph = flow("start -> each, pay:undo -> void", each(), *inside("each", pay, call("void", world)))
    run_id = machine.begin(graph, {"lines": ["a"]})
    task = question(run_id)
    assert ids(task) == ["happened", "send_again", "skip", "give_up"]
    assert skip(task).outcome == "skip"
    assert machine.finish(run_id).status == "completed"
    item = children(run_id)[0]
    assert [one.status for one in Attempt.objects.filter(run_id=item.id)] == ["in_doubt"], "nobody said what it was"
    if undone:
        undo(run_id)
        assert machine.finish(run_id).status == "compensated"
        assert made(world) == ["void/a"], "it may have arrived, so it is undone too"


def test_a_run_that_is_gone_on_with_leaves_alone_what_was_skipped(machine: Machine, world: World) -> None:
    refused = call("refused", world, "fail=422", order="last")
    links = "start -> each -> refused"
    run_id = machine.begin(flow(links, each(), *inside("each", share()), refused), {"lines": [0, 5]})
    skip(question(run_id))
    assert machine.finish(run_id).status == "dead_lettered"
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    (line,) = [one for one in plan.steps if one.key == "each"]
    assert line.items is not None
    assert (line.items.total, line.items.kept) == (2, 2)


def test_a_list_that_stops_for_another_item_keeps_what_was_skipped_when_it_is_tried_again(
    machine: Machine, world: World
) -> None:
    way = fields("way", settings={"on_failure": "person"}, of="{{ 100 / (item - 1) }}")
    refused = call("refused", world, "fail=503*1", order="{{ item }}")
    graph = flow("start -> each, way -> refused", each(), *inside("each", way, refused))
    run_id = machine.begin(graph, {"lines": [1, 2]})
    skip(question(run_id))
    assert machine.finish(run_id).status == "dead_lettered"
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id)
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "each").output
    assert (output["done"], output["failed"], output["left_out"]) == (1, 0, 1)
    assert [(one.generation, one.outcome) for one in children(run_id)] == [(1, "skipped"), (2, "done")]


def test_of_the_first_ones_that_are_tried_a_skipped_one_has_not_failed(machine: Machine) -> None:
    graph = flow("start -> each", each(stop="never", try_first=1), *inside("each", share()))
    run_id = machine.begin(graph, {"lines": [0, 4, 5]})
    skip(question(run_id))
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "each").output
    assert (output["done"], output["left_out"]) == (2, 1)


def test_a_batch_adds_up_and_its_manifest_says_who_skipped_an_item_and_why(machine: Machine) -> None:
    people = [{"number": "S-1", "amount": 10.10, "currency": "EUR"}, {"number": "S-2", "amount": 0, "currency": "EUR"}]
    people.append({"number": "S-3", "amount": 2, "currency": "EUR"})
    way = fields("way", settings={"on_failure": "person"}, of="{{ 100 / item.amount }}")
    list_of = statements(people, posted="{{ item.amount + 1 }}", item_key="{{ item.number }}", on_done_before="skip")
    graph = flow("start -> each", list_of, *inside("each", way))
    run_id = machine.begin(graph)
    task = question(run_id, at=1)
    wait_until(lambda: sum(one.status == "completed" for one in children(run_id)) == 2)
    assert (batch(look(run_id)).done, batch(look(run_id)).left_out) == (2, 0)
    decided = skip(task)
    run = machine.finish(run_id)
    view = batch(run)
    assert (view.total, view.done, view.failed, view.skipped, view.left_out) == (3, 2, 0, 0, 1)
    (euro,) = view.totals
    assert (euro.received.count, euro.done.count, euro.failed.count, euro.left_out.count) == (3, 2, 0, 1)
    assert (str(euro.done.amount), str(euro.left_out.amount)) == ("12.10", "0.00")
    assert euro.posted is not None
    assert (euro.posted.count, str(euro.posted.amount)) == (2, "14.10"), "what was skipped has posted nothing"
    _, *entries, end = lines_of(run)
    assert [(one["key"], one["status"]) for one in entries] == [("S-1", "done"), ("S-2", "skipped"), ("S-3", "done")]
    assert entries[1]["skipped"] == {"by": "Ines Kaya", "reason": WHY, "at": decided.closed_at}
    assert (entries[1]["result_sha256"], "skipped" in entries[0]) == (None, False)
    assert (end["items"], end["done"], end["failed"], end["skipped"], end["open"]) == (3, 2, 0, 1, 0)


def test_what_was_skipped_is_not_done_for_a_later_run_that_asks_what_was(machine: Machine) -> None:
    settings = {"item_key": "{{ item }}", "on_done_before": "skip"}
    graph = flow("start -> each", each("{{ trigger.lines }}", **settings), *inside("each", share()))
    run_id = machine.begin(graph, {"lines": [0, 5]})
    skip(question(run_id))
    machine.finish(run_id)
    again = machine.begin_again(look(run_id).workflow_id, {"lines": [0, 5]})
    skip(question(again), comment="Still not.")
    machine.finish(again)
    output: Any = detail(again, "each").output
    assert (output["total"], output["done"], output["left_out"], output["skipped"]) == (1, 0, 1, 1)


def test_a_word_that_comes_while_the_run_is_paused_counts_when_it_goes_on(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> each", each(), *inside("each", share())), {"lines": [0, 4]})
    task = question(run_id)
    wait_until(lambda: look(run_id).status == "waiting_event")
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    item = task.run.id
    wait_until(lambda: Run.objects.get(pk=item).min_engine >= HELD)
    skip(task)
    assert Run.objects.get(pk=item).min_engine == HELD + SKIP_NEEDS_ENGINE, "it is paused as before"
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "completed"
    row = Run.objects.get(pk=item)
    assert (row.outcome, row.min_engine) == ("skipped", SKIP_NEEDS_ENGINE), "an older worker would not understand it"


def test_a_run_that_is_cancelled_behind_such_a_word_is_cancelled_all_the_same(idle_machine: Machine) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(flow("start -> each", each(), *inside("each", share())), {"lines": [0, 4]})
    task = question(run_id)
    idle_machine.stop()
    skip(task)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "cancelled"
    assert [one.outcome for one in children(run_id)] == ["skipped"], "and no other was begun"


def test_a_branch_beside_what_failed_is_done_to_its_end_and_its_question_needs_no_answer(machine: Machine) -> None:
    graph = flow("start -> each", each(), *inside("each", share(), share("other")))
    run_id = machine.begin(graph, {"lines": [0]})
    wait_until(lambda: HumanTask.objects.filter(status="open").count() == 2)
    first, second = api.tasks(workspace_id=WORKSPACE, run_id=children(run_id)[0].id).items
    skip(first)
    assert machine.finish(run_id).status == "completed"
    assert HumanTask.objects.get(pk=second.id).status == "cancelled"


def test_while_a_list_is_under_way_what_was_skipped_is_told_apart_from_what_is_done(machine: Machine) -> None:
    ask = step("ask", "people.approval@1", {"title": "Pay {{ item }}?"})
    graph = flow("start -> each, share -> ask", each(at_a_time=3), *inside("each", share(), ask))
    run_id = machine.begin(graph, {"lines": [0, 5, 4]})
    skip(question(run_id))
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id, outcome="skipped").exists())
    wait_until(lambda: HumanTask.objects.filter(status="open").count() == 2)
    found = counted(run_id)
    assert (found.done, found.failed, found.left_out, found.waiting + found.running) == (0, 0, 1, 2)
    assert statuses(run_id)["each"] == "waiting"
