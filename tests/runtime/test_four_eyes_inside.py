"""The same of lists, whose entries people approve one by one or all at once, and of workflows that others call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import RetryRefused, RunView, TaskRefused, TaskView
from runtime.contracts.reviews import FourEyes
from runtime.engine.ids import uuid7
from runtime.interpreter.guards import Guards
from runtime.interpreter.versions import parsed
from runtime.store.models import HumanTask, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, get, look, post, step, wait_until
from tests.runtime.test_four_eyes import BY, fields_of, other, refused
from tests.runtime.test_own_runs import callee, children, each, inside
from tests.runtime.test_people import INES, OMAR, approval, decide
from tests.runtime.test_retrying import go_on
from tests.runtime.test_reviews import EVA, hand_over, release

ITEMS: list[dict[str, Any]] = [{"way": "/with/fail=422", "amount": 10}]


def pay(world: World, way: str = "{{ item.way }}", **more: Any) -> dict[str, Any]:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR", **more}
    return post("pay", f"{world.url}{way}/invoices", body, retry={"attempts": 1})


def open_task(run_id: UUID) -> TaskView:
    """The open question of this run, or of one below it."""
    found: list[TaskView] = []

    def is_there() -> bool:
        found[:] = api.tasks(workspace_id=WORKSPACE, around=run_id).items
        return bool(found)

    wait_until(is_there)
    return found[0]


def approved_each(machine: Machine, world: World, ask: dict[str, Any], **items: Any) -> RunView:
    """A list whose one entry was approved, and could not be paid."""
    graph = flow("start -> each, ask:approved -> pay", each([{**ITEMS[0], **items}]), *inside("each", ask, pay(world)))
    run_id = machine.begin(graph, {})
    decide(open_task(run_id), "approved")
    return machine.finish(run_id)


def entry(run_id: UUID) -> Any:
    (found,) = api.failed_entries(workspace_id=WORKSPACE, run_id=run_id, node="each").items
    return found


def correct(run_id: UUID, item: Any, by: UUID | None = None) -> Any:
    (became,) = api.correct_entries(workspace_id=WORKSPACE, run_id=run_id, node="each", items={0: item}, by=by)
    return became


# --- entries that are approved one by one -----------------------------------------------------------------------


def test_an_entry_that_is_put_right_is_approved_anew_and_by_somebody_else(machine: Machine, world: World) -> None:
    run = approved_each(machine, world, approval(title="Pay {{ item.amount }}?", not_requester=True, requester=BY))
    failed = entry(run.id)
    assert failed.fixed is None
    assert correct(run.id, {"way": "", "amount": 99_999}, INES.id).outcome == "begun"
    task = open_task(failed.run_id)
    assert (task.title, task.votes, task.barred) == ("Pay 99999?", [], [BY, f"user:{INES.id}"])
    assert not world.invoices(str(failed.run_id))
    decide(task, "rejected", comment="No.", voter=type(INES)(uuid7(), "Eva", "eva@example.com"))
    machine.finish(failed.run_id)
    assert not world.invoices(str(failed.run_id))


def test_who_put_another_entry_right_may_still_approve_this_one(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> each, bad -> ask, ask:approved -> pay",
        each([*ITEMS, {"way": "", "amount": 1}], stop="never"),
        *inside(
            "each",
            {**pay(world), "id": "bad", "key": "bad"},
            approval(title="Pay?", not_requester=True, requester=BY),
            fields("pay"),
        ),
    )
    run_id = machine.begin(graph, {})
    wait_until(lambda: any(one.status == "dead_lettered" for one in children(run_id)))
    first = children(run_id)[0]
    assert correct(run_id, {"way": "", "amount": 1}, INES.id).outcome == "begun"
    machine.until(first.id, lambda run: run.status == "waiting_human")
    barred = {one.run_id: one.barred for one in HumanTask.objects.filter(status="open")}
    assert sorted(barred.values()) == [f",{BY},", f",{BY},user:{INES.id},"]


@pytest.mark.parametrize("ask", [{"people": "{{ item.who }}"}, {"not_requester": True, "requester": "{{ item.who }}"}])
def test_an_entry_that_says_who_approves_it_is_given_nothing_else(
    machine: Machine, world: World, ask: dict[str, Any]
) -> None:
    run = approved_each(machine, world, approval(title="x", **ask), who=INES.email if "people" in ask else BY)
    assert entry(run.id).fixed == "decides"
    became = correct(run.id, {"way": "", "amount": 10, "who": "eva@example.com"})
    assert (became.outcome, "says who decides in “ask”" in became.message) == ("refused", True)


def test_a_list_whose_entries_are_approved_is_not_done_otherwise(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> rows -> each, ask:approved -> pay",
        fields("rows", way="/with/fail=422", amount=10),
        each(["one"]),
        *inside("each", approval(title="x"), pay(world, "{{ steps.rows.way }}", amount="{{ steps.rows.amount }}")),
    )
    run_id = machine.begin(graph, {})
    decide(open_task(run_id), "approved")
    machine.finish(run_id)
    assert "In “each” people are asked" in refused(run_id, "each", other(run_id, "each", stop="never"))
    why = refused(run_id, "rows", fields_of(way="", amount=99_999), start=["rows"])
    assert "people have decided already" in why


def bill(world: World) -> None:
    world.ask("POST", "/invoices", {"order": uuid7().hex, "customer": "C-200", "amount": 1, "currency": "EUR"})


def test_what_the_steps_around_give_now_is_approved_anew_in_an_entry(machine: Machine, world: World) -> None:
    graph = flow(
        "start -> rows -> each, ask:approved -> pay",
        get("rows", f"{world.url}/invoices?limit=1"),
        each(["one"]),
        *inside("each", approval(title="Behind {{ steps.rows.body.items[0].id }}?"), pay(world, "/with/fail=422")),
    )
    bill(world)
    run_id = machine.begin(graph, {})
    first = open_task(run_id)
    decide(first, "approved")
    machine.finish(run_id)
    go_on(run_id, start=["rows"])
    machine.finish(run_id)
    assert HumanTask.objects.count() == 1, "by the same data the word stands"
    bill(world)
    go_on(run_id, start=["rows"])
    second = open_task(run_id)
    assert second.title != first.title


def test_nobody_says_by_hand_what_entries_came_to_that_were_not_approved(machine: Machine) -> None:
    rejected = step("no", "flow.fail@1", {"message": "Rejected"})
    graph = flow(
        "start -> each -> after, ask:rejected -> no",
        each(["one"], settings={"on_failure": "person"}),
        *inside("each", approval(title="x"), rejected),
    )
    run_id = machine.begin(graph, {})
    decide(open_task(run_id), "rejected", comment="No.")
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exists())
    with pytest.raises(TaskRefused) as caught:
        decide(open_task(run_id), "value", OMAR, output={"done": 1})
    assert "In “each” people are asked" in caught.value.fields["output"]


# --- lists that are approved as a whole -------------------------------------------------------------------------


def test_an_entry_of_a_list_that_was_approved_is_done_as_it_is(machine: Machine, world: World) -> None:
    graph = flow("start -> ask, ask:approved -> each", approval(title="All?"), each(ITEMS), *inside("each", pay(world)))
    run_id = machine.begin(graph, {})
    decide(open_task(run_id), "approved")
    machine.finish(run_id)
    failed = entry(run_id)
    assert failed.fixed == "approved"
    became = correct(run_id, {"way": "", "amount": 99_999})
    assert (became.outcome, "“ask” was decided" in became.message) == ("refused", True)
    assert "“ask” was decided" in refused(failed.run_id, "pay", other(failed.run_id, "pay", url=world.url))
    (retried,) = api.retry_each(workspace_id=WORKSPACE, run_ids=[failed.run_id])
    assert retried.outcome == "retried", "as it was approved it may be tried again"


def test_nor_while_the_list_is_to_be_approved_once_more(machine: Machine, world: World) -> None:
    graph = flow("start -> ask, ask:approved -> each", approval(title="All?"), each(ITEMS), *inside("each", pay(world)))
    run_id = machine.begin(graph, {})
    decide(open_task(run_id), "approved")
    machine.finish(run_id)
    failed = entry(run_id)
    go_on(run_id, start=["ask"])
    assert open_task(run_id).status == "open"
    elsewhere = other(failed.run_id, "pay", url=f"{world.url}/invoices")
    assert "“ask” was decided" in refused(failed.run_id, "pay", elsewhere)
    assert correct(run_id, {"way": "", "amount": 99_999}).outcome == "refused"
    assert not world.invoices(str(failed.run_id))


# --- workflows that others call ---------------------------------------------------------------------------------


def called(run_id: UUID) -> Run:
    return children(run_id, "runs")[-1]


def calling(workflow: str, **input: Any) -> dict[str, Any]:
    return step("runs", "flow.run_workflow@1", {"workflow": workflow, "input": input})


def cancelled(machine: Machine, graph: dict[str, Any], **started: Any) -> UUID:
    workflow = machine.publish(graph)
    run_id = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow, input={}, **started).run_id
    open_task(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    return run_id


def test_a_workflow_in_which_people_are_asked_is_called_and_waited_for(machine: Machine) -> None:
    asks = callee(machine, approval(title="Pay {{ trigger.amount }}?"), links="start -> ask")
    plain = callee(machine, fields("go"), links="start -> go")
    run_id = cancelled(machine, flow("start -> runs -> pay", calling(asks, amount=10), fields("pay")))
    for settings in ({"workflow": plain}, {"wait": False}):
        assert "In “runs” people are asked" in refused(run_id, "runs", other(run_id, "runs", **settings))
    go_on(run_id, edits={"runs": other(run_id, "runs", input={"amount": 20})})
    assert open_task(run_id).title == "Pay 20?"


def test_what_a_called_workflow_is_given_does_not_say_who_decides_in_it(machine: Machine) -> None:
    asks = callee(machine, approval(title="x", people="{{ trigger.who }}"), links="start -> ask")
    graph = flow("start -> found -> runs", fields("found", who=INES.email), calling(asks, who="{{ steps.found.who }}"))
    run_id = cancelled(machine, graph)
    assert "says who decides in “runs”" in refused(run_id, "runs", other(run_id, "runs", input={"who": BY}))
    assert "says who decides in “runs”" in refused(run_id, "found", fields_of(who=BY), start=["found"])


def test_what_a_called_workflow_does_behind_an_approval_around_it_is_not_changed(
    machine: Machine, world: World
) -> None:
    pays = callee(machine, pay(world, "/with/fail=422"), links="start -> pay")
    graph = flow("start -> ask, ask:approved -> runs", approval(title="x"), calling(pays))
    run_id = machine.begin(graph, {})
    decide(open_task(run_id), "approved")
    machine.finish(run_id)
    inner = called(run_id).id
    assert "“ask” was decided" in refused(inner, "pay", other(inner, "pay", url=f"{world.url}/invoices"))


def test_what_a_called_workflow_comes_to_does_not_say_by_a_retry_who_decides_around_it(
    machine: Machine, world: World
) -> None:
    finds = callee(machine, pay(world, "/with/fail=422"), fields("who", of=INES.email), links="start -> pay -> who")
    graph = flow("start -> runs -> ask", calling(finds), approval(title="x", people="{{ steps.runs.result.of }}"))
    run = machine.run(graph, {})
    inner = called(run.id).id
    assert "says who decides in “ask”" in refused(inner, "pay", other(inner, "pay", url=f"{world.url}/invoices"))


def test_who_started_the_run_around_does_not_decide_in_a_called_workflow(machine: Machine) -> None:
    asks = callee(machine, approval(title="x", not_requester=True), links="start -> ask")
    graph = flow("start -> runs", calling(asks))
    workflow = machine.publish(graph)
    run_id = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow, input={}, by=OMAR.id).run_id
    assert open_task(run_id).barred == [f"user:{OMAR.id}"]


def test_what_is_paid_behind_a_called_workflow_that_approved_it_is_not_changed(machine: Machine, world: World) -> None:
    asks = callee(machine, approval(title="x"), links="start -> ask")
    run_id = machine.begin(flow("start -> runs -> pay", calling(asks), pay(world, "/with/fail=422")), {})
    decide(open_task(run_id), "approved")
    machine.finish(run_id)
    with pytest.raises(RetryRefused) as caught:
        go_on(run_id, edits={"pay": other(run_id, "pay", url=f"{world.url}/invoices")})
    assert "“runs” was decided" in caught.value.fields["pay"]
    assert look(run_id).generation == 1


# --- who had a hand in it ---------------------------------------------------------------------------------------


def test_who_changed_what_an_entry_did_does_not_approve_what_the_list_came_to(machine: Machine, world: World) -> None:
    ask = approval(title="x", not_requester=True, requester=BY)
    graph = flow("start -> each -> ask", each(ITEMS), *inside("each", pay(world)), ask)
    run = machine.run(graph, {})
    one = children(run.id)[0].id
    go_on(one, edits={"pay": other(one, "pay", url=f"{world.url}/invoices")}, by=INES.id)
    machine.finish(one)
    go_on(run.id)
    assert open_task(run.id).barred == [BY, f"user:{INES.id}"]


def test_who_gave_a_run_other_rows_does_not_release_them(machine: Machine) -> None:
    graph = flow(
        "start -> rows -> list",
        fields("rows", all="{{ trigger.rows }}"),
        step("list", "people.review@1", {
            "title": "x", "items": "{{ steps.rows.all }}", "columns": [{"name": "supplier"}],
        }),
    )  # fmt: skip
    workflow = machine.publish(graph)
    given: Any = {"rows": [{"supplier": "Brinkmann"}]}
    run_id = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow, input=given).run_id
    open_task(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    go_on(run_id, start=["rows"], edits={"rows": fields_of(all=[{"supplier": "Mine"}])}, by=INES.id)
    task = open_task(run_id)
    hand_over(task, OMAR)
    with pytest.raises(FourEyes):
        release(task, INES)
    release(task, EVA)


# --- lists of which it hangs how often people are asked -----------------------------------------------------------


def test_nobody_is_spared_by_a_list_without_entries(machine: Machine, world: World) -> None:
    links = "start -> rows -> each -> pay"
    graph = flow(links, fields("rows", all=["a"]), each("{{ steps.rows.all }}"), pay(world, ""))
    graph["nodes"] += inside("each", approval(title="x"))
    run_id = cancelled(machine, graph)
    assert "whether anybody is asked" in refused(run_id, "rows", fields_of(all=[]), start=["rows"])


def test_a_list_is_put_right_before_its_entries_are_approved(machine: Machine, world: World) -> None:
    rows, body = fields("rows", all=["a"]), inside("each", approval(title="Pay {{ item }}?"), pay(world, ""))
    graph = flow("start -> rows -> each, ask:approved -> pay", rows, each("{{ steps.rows.all }}"), *body)
    run_id = cancelled(machine, graph)
    # What had begun was begun with what it was given; so a list is put right before its first entry is.
    go_on(run_id, start=["rows"], edits={"rows": fields_of(all=["a", "b"])})
    assert open_task(run_id).title == "Pay a?"


def test_what_a_turn_comes_to_does_not_say_who_decides_in_the_next(machine: Machine, world: World) -> None:
    repeat = step("again", "flow.repeat@1", {"until": "{{ false }}", "most_turns": 2})
    links = "start -> again, ask:approved -> pay -> found"
    ask = approval(title="x", people="{{ default(item.who, 'ines@example.com') }}")
    graph = flow(links, repeat, *inside("again", ask, pay(world, "/with/fail=422"), fields("found", who=INES.email)))
    run_id = machine.begin(graph, {})
    task = open_task(run_id)
    decide(task, "approved")
    machine.finish(run_id)
    turn = children(run_id, "again")[0].id
    assert "“ask” was decided" in refused(turn, "pay", other(turn, "pay", url=f"{world.url}/invoices"))
    assert Guards(parsed(children(run_id, "again")[0].version_id).of_run("again").graph, {}).hangs().keys() >= {"found"}
