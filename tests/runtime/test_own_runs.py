"""Steps that have things done by runs of their own: For each, Repeat until, Run another workflow (I6 to I8, I10)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import JSON, RunFilters, RunView, TaskView, Voter
from runtime.engine.ids import uuid7
from runtime.store.models import DeadLetter, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    cut_short,
    detail,
    fields,
    flow,
    look,
    pause,
    post,
    statuses,
    step,
    wait_until,
)

ONCE = {"attempts": 1}


def inside(container: str, *steps: dict[str, Any]) -> list[dict[str, Any]]:
    """These steps in the body of this one."""
    return [{**made, "parent": container} for made in steps]


def each(items: Any = "{{ trigger.lines }}", key: str = "each", **config: Any) -> dict[str, Any]:
    settings = config.pop("settings", {})
    return step(key, "flow.for_each@1", {"items": items, **config}, **settings)


INES = Voter(uuid7(), "Ines Kaya", "ines@example.com")


def open_tasks() -> list[TaskView]:
    return list(api.tasks(workspace_id=WORKSPACE).items)


def children(run_id: UUID, node: str = "each") -> list[Run]:
    return list(Run.objects.filter(parent_run_id=run_id, parent_node=node).order_by("item_index"))


def call(key: str, world: World, behaviour: str = "", order: str = "{{ item }}", **settings: Any) -> dict[str, Any]:
    """A call that makes out an invoice for `<key>/<item>`."""
    path = f"/with/{behaviour}/invoices" if behaviour else "/invoices"
    body = {"order": f"{_mark[0]}:{key}/{order}", "customer": "C-200", "amount": 10, "currency": "EUR"}
    return post(key, f"{world.url}{path}", body, **{"retry": ONCE, **settings})


#: The company keeps the books of all tests: what belongs to one is told by this.
_mark = [""]


def listed(run_id: UUID) -> RunView:
    """The run as it stands in the list of runs."""
    return next(one for one in api.runs(workspace_id=WORKSPACE).items if one.id == run_id)


@pytest.fixture(autouse=True)
def mark_of_this_test() -> None:
    _mark[0] = uuid7().hex[-8:]


def made(world: World) -> list[str]:
    """What the calls of this test did, in that order."""
    orders = [str(one["order_number"]) for one in reversed(world.ask("GET", "/invoices?limit=1000")["items"])]
    return [order.partition(":")[2] for order in orders if order.startswith(f"{_mark[0]}:")]


def test_the_steps_inside_are_done_once_for_each_entry_in_order(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> each -> after, make -> name",
        each(),
        *inside(
            "each",
            call("make", world, "slow=1500"),
            fields("name", number="{{ index }}", of="{{ item }}", called="{{ trigger.name }}"),
        ),
        fields("after", count="{{ steps.each.done }}", third="{{ steps.each.results[2].of }}"),
    )
    run = machine.run(graph, {"lines": ["a", "b", "c"], "name": "Brink"})
    assert run.status == "completed", run
    assert made(world) == ["make/a", "make/b", "make/c"]
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"], output["failed"]) == (3, 3, 0)
    assert output["results"] == [{"number": n, "of": of, "called": "Brink"} for n, of in enumerate("abc")]
    assert detail(run.id, "after").output == {"count": 3, "third": "c"}
    runs = children(run.id)
    assert [(one.item_index, one.status) for one in runs] == [(0, "completed"), (1, "completed"), (2, "completed")]
    begun = [one.started_at or 0 for one in runs]
    ended = [one.finished_at or 0 for one in runs]
    # A process reckons the database's clock between two commits, so that it may be a moment off where others keep it
    # busy: two calls at the same time would be fifteen hundred milliseconds.
    assert all(end - 1_200 <= start for end, start in zip(ended, begun[1:], strict=False)), "one after another"
    assert api.orphans() == []


def test_an_empty_list_is_done_at_once(machine: Machine) -> None:
    run = machine.run(flow("start -> each", each(), *inside("each", fields("name"))), {"lines": []})
    assert run.status == "completed", run
    assert detail(run.id, "each").output == {"total": 0, "done": 0, "failed": 0, "results": []}


def test_many_entries_many_at_a_time(machine: Machine) -> None:
    graph = flow("start -> each", each(at_a_time=50), *inside("each", fields("name", of="{{ item }}")))
    run = machine.run(graph, {"lines": list(range(450))})
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert [one["of"] for one in output["results"]] == list(range(450))


def test_the_first_failure_stops_it_and_a_retry_keeps_what_is_done(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> each -> after",
        each(),
        *inside("each", call("make", world, '{{ when(item == "b", "fail=503*1", "slow=0") }}')),
        fields("after"),
    )
    run = machine.run(graph, {"lines": ["a", "b", "c"]})
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert (run.error["code"], run.error["node"]) == ("items_failed", "each")
    assert [one.status for one in children(run.id)] == ["completed", "dead_lettered"]
    assert made(world) == ["make/a"]
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    run = machine.finish(run.id)
    assert run.status == "completed", run
    assert made(world) == ["make/a", "make/b", "make/c"]
    assert [(one.status, one.generation) for one in children(run.id)] == [
        ("completed", 1), ("completed", 2), ("completed", 1)]  # fmt: skip


def test_all_of_them_are_done_although_some_fail_where_it_says_so(machine: Machine, world: World) -> None:
    failing = call("make", world, '{{ when(item == "b", "fail=422", "slow=0") }}')
    run = machine.run(flow("start -> each", each(stop="never"), *inside("each", failing)), {"lines": ["a", "b", "c"]})
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert (output["done"], output["failed"]) == (2, 1)
    assert output["results"][1] is None
    assert made(world) == ["make/a", "make/c"]
    assert run.failed_items == 1, "who looks at the run alone learns of it"


def test_containers_stand_in_each_other(machine: Machine) -> None:
    outer = each("{{ trigger.orders }}", "outer")
    inner = {**each("{{ item.lines }}", "inner"), "parent": "outer"}
    graph = flow(
        "start -> outer, first -> inner",
        outer,
        *inside("outer", fields("first", order="{{ item.number }}")),
        inner,
        *inside("inner", fields("line", of="{{ steps.first.order }}", what="{{ item }}")),
    )
    orders: list[Any] = [{"number": 1, "lines": ["a", "b"]}, {"number": 2, "lines": ["c"]}]
    run = machine.run(graph, {"orders": orders})
    assert run.status == "completed", run
    output: Any = detail(run.id, "outer").output
    assert [one["results"] for one in output["results"]] == [
        [{"of": 1, "what": "a"}, {"of": 1, "what": "b"}], [{"of": 2, "what": "c"}]]  # fmt: skip


def test_it_is_repeated_until_it_holds(machine: Machine) -> None:
    repeat = step("again", "flow.repeat@1", {"until": "{{ item.count >= 3 }}", "most_turns": 9})
    graph = flow(
        "start -> again -> after",
        repeat,
        *inside("again", fields("count", count="{{ index + 1 }}")),
        fields("after", turns="{{ steps.again.turns }}"),
    )
    run = machine.run(graph, {})
    assert run.status == "completed", run
    assert detail(run.id, "again").output == {"turns": 3, "result": {"count": 3}}


def test_what_never_comes_to_hold_fails_after_the_last_turn(machine: Machine) -> None:
    repeat = step("again", "flow.repeat@1", {"until": "{{ false }}", "most_turns": 2})
    run = machine.run(flow("start -> again", repeat, *inside("again", fields("count"))), {})
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert run.error["code"] == "not_reached"
    assert len(children(run.id, "again")) == 2


def callee(machine: Machine, *steps: dict[str, Any], links: str = "start -> work") -> str:
    return str(machine.publish(flow(links, *steps, start="trigger.called@1")))


def test_another_workflow_is_run_and_waited_for(machine: Machine) -> None:
    other = callee(machine, fields("work", doubled="{{ trigger.amount * 2 }}"))
    runs = step("runs", "flow.run_workflow@1", {"workflow": other, "input": {"amount": "{{ trigger.amount }}"}})
    run = machine.run(
        flow("start -> runs -> after", runs, fields("after", got="{{ steps.runs.result.doubled }}")), {"amount": 21}
    )
    assert run.status == "completed", run
    assert detail(run.id, "after").output == {"got": 42}
    (child,) = children(run.id, "runs")
    assert str(child.workflow_id) == other


def test_its_failure_is_always_the_failure_of_the_step(machine: Machine) -> None:
    other = callee(machine, step("work", "flow.fail@1", {"message": "No such supplier"}))
    run = machine.run(flow("start -> runs", step("runs", "flow.run_workflow@1", {"workflow": other})), {})
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert "No such supplier" in run.error["message"]


def test_what_is_not_waited_for_goes_on_by_itself(machine: Machine) -> None:
    other = callee(machine, pause("work", 60))
    runs = step("runs", "flow.run_workflow@1", {"workflow": other, "wait": False})
    run = machine.run(flow("start -> runs", runs), {})
    assert run.status == "completed", run
    (child,) = children(run.id, "runs")
    wait_until(lambda: look(child.id).status == "waiting_timer")


@pytest.mark.parametrize("case", ["missing", "off", "no start", "itself"])
def test_a_workflow_that_cannot_be_run_says_why(machine: Machine, case: str) -> None:
    workflow = machine.publish(
        flow("start -> work", fields("work"), start="trigger.called@1" if case != "no start" else "trigger.manual@1")
    )
    if case == "off":
        api.disable(workspace_id=WORKSPACE, workflow_id=workflow)
    if case == "itself":
        graph = flow(
            "start -> runs", step("runs", "flow.run_workflow@1", {"workflow": str(workflow)}), start="trigger.called@1"
        )
        machine.publish(graph, workflow)
    named = str(UUID(int=7)) if case == "missing" else str(workflow)
    run = machine.run(flow("start -> runs", step("runs", "flow.run_workflow@1", {"workflow": named})), {})
    assert run.status == "dead_lettered", run
    assert run.error is not None
    expected = {"missing": "not_live", "off": "switched_off", "no start": "not_callable", "itself": "own_run_failed"}
    assert run.error["code"] == expected[case]
    assert Run.objects.count() < 20


def test_a_cancel_ends_its_runs_first(machine: Machine) -> None:
    graph = flow("start -> each -> after", each(at_a_time=2), *inside("each", pause("nap", 60)), fields("after"))
    run_id = machine.begin(graph, {"lines": ["a", "b", "c"]})
    wait_until(lambda: [one.status for one in children(run_id)] == ["waiting_timer"] * 2)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    run = machine.finish(run_id)
    assert run.status == "cancelled", run
    assert [one.status for one in children(run_id)] == ["cancelled"] * 2
    assert statuses(run_id)["each"] == "cancelled"


def test_an_undo_goes_over_its_runs_the_last_one_first(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> each -> last, make:undo -> unmake",
        each(),
        *inside("each", call("make", world), call("unmake", world)),
        step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo"),
    )
    run = machine.run(graph, {"lines": ["a", "b", "c"]})
    assert run.status == "compensated", run
    assert made(world) == ["make/a", "make/b", "make/c", "unmake/c", "unmake/b", "unmake/a"]
    assert [one.status for one in children(run.id)] == ["compensated"] * 3
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    assert plan.id


def test_a_called_workflow_is_undone_as_a_block(machine: Machine, world: World) -> None:
    other = callee(
        machine,
        call("one", world, order="x"),
        call("two", world, order="x"),
        call("unone", world, order="x"),
        call("untwo", world, order="x"),
        links="start -> one -> two, one:undo -> unone, two:undo -> untwo",
    )
    runs = step("runs", "flow.run_workflow@1", {"workflow": other})
    fails = step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo")
    run = machine.run(flow("start -> runs -> last", runs, fails), {})
    assert run.status == "compensated", run
    assert made(world) == ["one/x", "two/x", "untwo/x", "unone/x"]


def test_what_stays_done_inside_a_block_is_named_before_and_after_the_undo(machine: Machine, world: World) -> None:
    keys = ("one", "two", "three", "unone", "untwo")
    links = "start -> one -> two -> three, one:undo -> unone, two:undo -> untwo"
    other = callee(machine, *[call(key, world, order="x") for key in keys], links=links)
    runs = step("runs", "flow.run_workflow@1", {"workflow": other})
    run = machine.run(flow("start -> runs", runs), {})
    plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run.id)
    (planned,) = [line.items for line in plan.lines if line.items is not None]
    assert (planned.undo, planned.stays, planned.left) == (0, 1, ["three"])
    api.undo(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, reason="Wrong order")
    ended = machine.finish(run.id)
    assert ended.status == "dead_lettered", ended
    assert ended.error is not None
    assert "Still done in it: three. Undone in it: two, one." in ended.error["message"]


def test_an_undo_inside_that_fails_is_named_and_stops_none_of_the_others(machine: Machine, world: World) -> None:
    unmake = call("unmake", world, '{{ when(item == "b", "fail=422", "slow=0") }}')
    graph = flow(
        "start -> each -> last, make:undo -> unmake",
        each(),
        *inside("each", call("make", world), unmake),
        step("last", "flow.fail@1", {"message": "Enough"}, on_failure="undo"),
    )
    run = machine.run(graph, {"lines": ["a", "b", "c"]})
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert run.error["code"] == "undo_incomplete"
    assert made(world)[3:] == ["unmake/c", "unmake/a"]


@pytest.mark.parametrize("wait_for", ["first", "number"])
def test_branches_are_brought_together_as_soon_as_enough_have_come(machine: Machine, wait_for: str) -> None:
    join = step("join", "flow.together@1", {"wait_for": wait_for, "number": 2})
    graph = flow(
        "start -> a -> join -> after, start -> b -> join, start -> slow -> join",
        fields("a"),
        fields("b"),
        pause("slow", 600),
        join,
        fields("after"),
    )
    run_id = machine.begin(graph, {})
    wait_until(lambda: statuses(run_id).get("after") == "succeeded")
    assert statuses(run_id)["slow"] == "waiting"
    cut_short(run_id)
    assert machine.finish(run_id).status == "completed"


def test_a_crash_in_the_middle_loses_and_doubles_nothing(machine: Machine, world: World) -> None:
    graph = flow("start -> each", each(at_a_time=3), *inside("each", call("make", world)))
    run_id = machine.begin(graph, {"lines": list(range(40))})
    for count in (5, 15, 25):
        wait_until(lambda count=count: Run.objects.filter(parent_run_id=run_id, status="completed").count() >= count)  # type: ignore[misc]
        machine.crash()
        machine.start()
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert sorted(made(world)) == sorted(f"make/{n}" for n in range(40))


def nested_graph() -> dict[str, Any]:
    repeat = {**step("again", "flow.repeat@1", {"until": "{{ index >= 1 }}"}), "parent": "each"}
    return flow(
        "start -> each",
        each(at_a_time=3),
        *inside("each", fields("name", of="{{ item }}")),
        repeat,
        *inside("again", fields("turn", number="{{ index }}")),
    )


@pytest.mark.parametrize("how", ["worker", "reloads"])
def test_it_is_the_same_for_a_worker_among_others_and_for_one_that_remembers_nothing(
    idle_machine: Machine, how: str
) -> None:
    if how == "worker":
        idle_machine.start("worker", sweep_seconds=0.2)
    else:
        idle_machine.start(reloads=True)
    run = idle_machine.run(nested_graph(), {"lines": ["a", "b", "c", "d"]})
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert [one["name"]["of"] for one in output["results"]] == ["a", "b", "c", "d"]
    assert [one["again"]["turns"] for one in output["results"]] == [2, 2, 2, 2]
    assert Run.objects.filter(finished_at__isnull=True).count() == 0


def test_a_step_inside_that_asks_a_person_holds_up_only_its_item(machine: Machine) -> None:
    ask = step("ask", "people.approval@1", {"title": "Pay {{ item }}?", "comment": "never"})
    graph = flow("start -> each", each(at_a_time=2, label="{{ item }}"), *inside("each", ask))
    run_id = machine.begin(graph, {"lines": ["a", "b"]})
    wait_until(lambda: len(open_tasks()) == 2)
    assert look(run_id).status == "waiting_event"
    assert api.orphans() == []
    for task in open_tasks():
        api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome="approved", voter=INES)
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert [one.business_key for one in children(run_id)] == ["a", "b"]


def test_the_runs_of_a_step_are_listed_by_their_number_and_kept_out_of_the_list_of_runs(
    machine: Machine, world: World
) -> None:
    failing = call("make", world, '{{ when(item == "b", "fail=422", "slow=0") }}')
    graph = flow("start -> each", each(stop="never", label="{{ item }}"), *inside("each", failing))
    run = machine.run(graph, {"lines": ["a", "b", "c"]})
    page = api.items(workspace_id=WORKSPACE, run_id=run.id, node="each", limit=2)
    assert [(one.index, one.label, one.status) for one in page.items] == [
        (0, "a", "completed"),
        (1, "b", "dead_lettered"),
    ]
    rest = api.items(workspace_id=WORKSPACE, run_id=run.id, node="each", after=page.next_cursor)
    assert [one.index for one in rest.items] == [2]
    assert rest.next_cursor is None
    (failed,) = api.items(workspace_id=WORKSPACE, run_id=run.id, node="each", status="failed").items
    assert failed.error is not None
    assert [one.id for one in api.runs(workspace_id=WORKSPACE).items if one.id == run.id or one.parent] == [run.id]
    assert failed.run_id in [one.id for one in api.runs(workspace_id=WORKSPACE, filters=RunFilters(query="b")).items]
    parent = look(failed.run_id).parent
    assert parent is not None
    assert (parent.run_id, parent.node, parent.index, parent.is_item) == (run.id, "each", 1, True)
    (counted,) = [one.items for one in api.snapshot(workspace_id=WORKSPACE, run_id=run.id).steps if one.items]
    assert counted is not None
    assert (counted.started, counted.done, counted.failed) == (3, 2, 1)


def test_an_item_that_failed_is_a_dead_letter_of_its_own_and_goes_on_by_itself(machine: Machine, world: World) -> None:
    failing = call("make", world, '{{ when(item == "b", "fail=503*1", "slow=0") }}')
    run = machine.run(flow("start -> each", each(stop="never"), *inside("each", failing)), {"lines": ["a", "b"]})
    assert run.status == "completed", run
    (letter,) = DeadLetter.objects.filter(solved_at__isnull=True)
    assert listed(run.id).failed_items == 1
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=letter.run_id)
    api.retry(workspace_id=WORKSPACE, run_id=letter.run_id, plan=plan.id)
    assert machine.finish(letter.run_id).status == "completed"
    assert made(world) == ["make/a", "make/b"]
    assert listed(run.id).failed_items == 0, "it has been put right"


def test_a_list_of_runs_counts_the_failed_items_of_each_up_to_a_hundred(machine: Machine) -> None:
    divided = fields("make", share="{{ 100 / item }}")
    graph = flow("start -> each", each(stop="never", at_a_time=25), *inside("each", divided))
    lists: list[list[JSON]] = [[0] * 130, [1, 0], [1, 2]]
    many, one, none = (machine.run(graph, {"lines": lines}) for lines in lists)
    assert [listed(run.id).failed_items for run in (many, one, none)] == [100, 1, 0]


def test_a_failed_item_of_an_item_is_told_at_every_run_around_it(machine: Machine) -> None:
    inner = {**each("{{ item.lines }}", "inner", stop="never"), "parent": "outer"}
    graph = flow(
        "start -> outer",
        each("{{ trigger.orders }}", "outer"),
        inner,
        *inside("inner", fields("line", share="{{ 100 / item }}")),
    )
    orders: list[Any] = [{"lines": [1, 0]}, {"lines": [2]}, {"lines": [0, 0]}]
    run = machine.run(graph, {"orders": orders})
    assert run.status == "completed", run
    items = api.items(workspace_id=WORKSPACE, run_id=run.id, node="outer").items
    assert [one.failed_items for one in items] == [1, 0, 2]
    assert listed(run.id).failed_items == run.failed_items == 3
    other = callee(
        machine,
        each("{{ trigger.lines }}", "work", stop="never"),
        *inside("work", fields("line", share="{{ 100 / item }}")),
    )
    runs = step("runs", "flow.run_workflow@1", {"workflow": other, "input": {"lines": "{{ trigger.lines }}"}})
    assert machine.run(flow("start -> runs", runs), {"lines": [1, 0]}).failed_items == 1, (
        "of a workflow that was called"
    )


def test_a_draft_is_tested_with_its_containers(machine: Machine) -> None:
    graph = flow("start -> each", each(), *inside("each", fields("name", of="{{ item }}")))
    started = api.start_test(workspace_id=WORKSPACE, workflow_id=uuid7(), graph=graph, input={"lines": [1, 2]}, by=None)
    run = machine.finish(started.run_id)
    assert run.status == "completed", run
    assert {one.mode for one in children(run.id)} == {"test"}


def test_large_items_are_put_aside_and_come_back_whole(machine: Machine) -> None:
    large = "x" * 70_000
    graph = flow("start -> each", each(), *inside("each", fields("size", of="{{ length(item) }}")))
    run = machine.run(graph, {"lines": [large, "b"]})
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert [one["of"] for one in output["results"]] == [70_000, 1]
    assert children(run.id)[0].item is not None
    assert len(children(run.id)[0].item or "") < 200
