"""Whoever goes on with a run says by that neither who approves it, nor what was approved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import Decision, NotAsked, RetryRefused, TaskRefused, Voter
from runtime.store.models import Attempt, HumanTask
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, look, post, step, unsafe_post, wait_until
from tests.runtime.test_people import INES, LINKS, OMAR, approval, asked, decide
from tests.runtime.test_retrying import go_on

BY = "omar@example.com"
#: What comes before the question, the question, and what is done by it.
PRICED = "start -> price -> ask, ask:approved -> pay, ask:rejected -> no, ask:late -> late"


def priced(**config: Any) -> dict[str, Any]:
    """Someone has to approve what a step before gives."""
    ask = approval(**{"title": "Pay {{ steps.price.amount }}?", "not_requester": True, "requester": BY, **config})
    price = fields("price", amount="{{ trigger.amount }}", manager=INES.email)
    return flow(PRICED, price, ask)


def cancelled(machine: Machine, graph: dict[str, Any], given: Any = None) -> UUID:
    """A run that was cancelled while it asked."""
    run_id = machine.begin(graph, {"amount": 10, "by": BY} if given is None else given)
    asked(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    return run_id


def other(run_id: UUID, node: str = "ask", **settings: Any) -> dict[str, Any]:
    """The settings that a step was last given, with these in place of its own."""
    before: Any = detail(run_id, node).input
    return {**before, **settings}


def fields_of(**values: Any) -> dict[str, Any]:
    made: dict[str, Any] = fields("any", **values)["config"]
    return made


def refused(run_id: UUID, node: str, settings: Any, **choices: Any) -> str:
    """Why a step cannot have these settings."""
    with pytest.raises(RetryRefused) as caught:
        go_on(run_id, edits={node: settings}, **choices)
    return caught.value.fields[node]


# --- the question itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"not_requester": False},
        {"requester": "nobody@example.com"},
        {"people": "omar@example.com"},
        {"people": ""},
        {"rule": "any"},
        {"number": 1},
        {"admins": True},
        {"escalate_to": "omar@example.com"},
        {"link": "open"},
        {"limit": 1, "unit": "minutes"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_who_decides_is_not_changed_for_one_run(machine: Machine, settings: dict[str, Any]) -> None:
    people = "ines@example.com, eva@example.com, omar@example.com"
    run_id = cancelled(machine, priced(people=people, rule="number", number=2, limit=3))
    why = refused(run_id, "ask", other(run_id, **settings))
    assert "changed in the workflow" in why
    assert "Publish a version" in why
    assert look(run_id).generation == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"title": "Pay 1?"},
        {"amount": "1"},
        {"facts": [{"name": "Order", "value": "x"}]},
        {"warnings": []},
        {"approve_label": "No"},
    ],
)
def test_what_people_decide_by_is_not_written_anew_for_one_run(machine: Machine, settings: dict[str, Any]) -> None:
    warnings = [{"text": "Above 5", "when": "{{ steps.price.amount > 5 }}"}]
    facts = [{"name": "Order", "value": "PO-7"}]
    run_id = cancelled(machine, priced(amount="{{ steps.price.amount }}", facts=facts, warnings=warnings))
    assert "decide by" in refused(run_id, "ask", other(run_id, **settings))


def test_how_people_are_reminded_and_what_else_they_should_know_is(machine: Machine) -> None:
    run_id = cancelled(machine, priced())
    go_on(run_id, edits={"ask": other(run_id, text="Asked once more.", due=2, remind_before=4, comment="never")})
    task = asked(run_id)
    assert (task.title, task.spec["text"], task.barred) == ("Pay 10?", "Asked once more.", [BY])


def test_settings_that_only_look_changed_are_none(machine: Machine) -> None:
    run_id = cancelled(machine, priced())
    go_on(run_id, edits={"ask": other(run_id, rule="any", admins=False, number=2, people="")})
    assert asked(run_id).barred == [BY]


def test_a_version_that_asks_more_strictly_is_not_loosened_to_what_the_run_had(machine: Machine) -> None:
    workflow = machine.publish(priced(not_requester=False, people=INES.email))
    run_id = machine.begin_again(workflow, {"amount": 10, "by": BY})
    asked(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    machine.publish(priced(people="{{ steps.price.manager }}"), workflow)
    assert "changed in the workflow" in refused(run_id, "ask", other(run_id), version=2)
    now = other(run_id, not_requester=True, requester=BY)
    assert "worked out" in refused(run_id, "ask", now, version=2), "and so are those who decide, by another formula"
    go_on(run_id, version=2)
    assert (asked(run_id).people, asked(run_id).barred) == ([INES.email], [BY])


# --- what comes before it ---------------------------------------------------------------------------------------


def test_what_is_put_right_before_a_question_is_asked_anew_and_not_decided_by_who_did_it(machine: Machine) -> None:
    run_id = cancelled(machine, priced())
    edits: dict[str, Any] = {"price": fields_of(amount=99_999, manager=INES.email)}
    go_on(run_id, start=["price"], edits=edits, by=INES.id)
    task = asked(run_id)
    assert (task.title, task.barred) == ("Pay 99999?", [BY, f"user:{INES.id}"])
    with pytest.raises(NotAsked):
        decide(task, "approved", INES)
    decide(task, "approved", Voter(HumanTask.objects.get(pk=task.id).workflow_id, "Eva", "eva@example.com"))
    assert machine.finish(run_id).status == "completed"


def test_an_approval_of_before_counts_for_nothing_where_what_comes_before_it_is_done_anew(
    machine: Machine, world: World
) -> None:
    graph = priced()
    graph["nodes"] = [node for node in graph["nodes"] if node["id"] != "pay"]
    body = {"order": "{{ run.id }}", "amount": "{{ steps.price.amount }}"}
    graph["nodes"].append(post("pay", f"{world.url}/with/fail=422/invoices", body))
    run_id = machine.begin(graph, {"amount": 10})
    decide(asked(run_id), "approved")
    assert machine.finish(run_id).status == "dead_lettered"
    go_on(run_id, start=["price"], edits={"price": fields_of(amount=500, manager=INES.email)})
    task = asked(run_id)
    assert (task.title, task.votes) == ("Pay 500?", [])
    assert {one.generation for one in Attempt.objects.filter(run_id=run_id, node_id="pay")} == {1}


@pytest.mark.parametrize("setting", ["people", "requester", "escalate_to"])
def test_what_a_formula_that_names_people_reads_is_not_changed(machine: Machine, setting: str) -> None:
    named: dict[str, Any] = {"not_requester": True, "requester": BY, setting: "{{ steps.found.who }}", "due": 1}
    ask = approval(**named)
    graph = flow(
        f"start -> base -> found -> side -> {LINKS.removeprefix('start -> ')}",
        fields("base", manager=INES.email, amount=3),
        fields("found", who="{{ steps.base.manager }}"),
        fields("side", note="x"),
        ask,
    )
    run_id = cancelled(machine, graph)
    for node in ("base", "found"):
        why = refused(run_id, node, fields_of(who=BY, manager=BY, amount=3), start=[node])
        assert "says who decides in “ask”" in why
        assert "start anew" in why
    go_on(run_id, start=["side"], edits={"side": fields_of(note="y")})
    assert asked(run_id).status == "open"


def test_a_way_around_the_question_is_not_chosen_for_one_run(machine: Machine) -> None:
    rule = {"left": "{{ steps.price.amount }}", "op": "gt", "right": "5", "type": "number"}
    rules: Any = {"match": "all", "rules": [rule]}
    links = "start -> price -> big, start -> memo -> big, big:yes -> ask, ask:approved -> pay, big:no -> pay"
    graph = flow(
        links,
        fields("price", amount="{{ trigger.amount }}"),
        step("big", "flow.decision@1", {"conditions": rules}),
        approval(text="{{ steps.memo.words }}"),
        fields("memo", words="x"),
    )
    run_id = cancelled(machine, graph)
    small = {"conditions": {"match": "all", "rules": [{**rule, "left": 1}]}}
    assert "whether anybody is asked" in refused(run_id, "big", small, start=["big"])
    assert "whether anybody is asked" in refused(run_id, "price", fields_of(amount=1), start=["price"])
    go_on(run_id, start=["memo"], edits={"memo": fields_of(words="y")})
    assert asked(run_id).spec["text"] == "y"


# --- what comes behind it ---------------------------------------------------------------------------------------


def failed(machine: Machine, world: World, links: str = LINKS, *more: dict[str, Any]) -> tuple[UUID, UUID]:
    """A run that was approved, and of which what was to be done failed; and its workflow."""
    body = {"order": "{{ run.id }}", "customer": "C-1", "amount": 10, "currency": "EUR"}
    bad = post("yes", f"{world.url}/with/fail=422/invoices", body)
    workflow = machine.publish(flow(links, approval(), bad, *more))
    run_id = machine.begin_again(workflow, {"amount": 10})
    decide(asked(run_id), "approved")
    assert machine.finish(run_id).status == "dead_lettered"
    good = post("yes", f"{world.url}/invoices", body)
    machine.publish(flow(links, approval(), good, *more), workflow)
    return run_id, workflow


def test_what_was_approved_is_done_as_it_is_or_as_a_published_version_says(machine: Machine, world: World) -> None:
    run_id, _ = failed(machine, world)
    why = refused(run_id, "yes", other(run_id, "yes", url=f"{world.url}/invoices", json_body={"amount": 99_999}))
    assert "“ask” was decided" in why
    go_on(run_id)
    assert machine.finish(run_id).status == "dead_lettered", "as it is it may be tried again"
    go_on(run_id, version=2)
    assert machine.finish(run_id).status == "completed"
    assert [one["amount"] for one in world.invoices(str(run_id))] == [10]


def test_what_only_stands_beside_a_question_is_changed_where_nothing_behind_it_goes_by_that(
    machine: Machine, world: World
) -> None:
    links = f"{LINKS}, start -> rate -> yes, start -> note -> tell, yes -> tell"
    body = {"order": "{{ run.id }}", "amount": "{{ steps.rate.now }}", "currency": "EUR", "customer": "C-1"}
    bad = post("yes", f"{world.url}/with/fail=422/invoices", body)
    graph = flow(links, approval(), bad, fields("rate", now=10), fields("note", words="x"))
    run_id = machine.begin(graph, {"amount": 10})
    decide(asked(run_id), "approved")
    machine.finish(run_id)
    why = refused(run_id, "rate", fields_of(now=99_999), start=["rate"])
    assert "Go on from “ask” as well" in why
    go_on(run_id, start=["note"], edits={"note": fields_of(words="y")})
    machine.finish(run_id)
    go_on(run_id, start=["rate", "ask"], edits={"rate": fields_of(now=20)})
    assert asked(run_id).status == "open"


# --- what is said by hand ---------------------------------------------------------------------------------------


def finder(world: World, **settings: Any) -> dict[str, Any]:
    """Who decides is what a call gave, whose answer was lost."""
    once = {"attempts": 1}
    find = unsafe_post("find", f"{world.url}/with/drop/invoices", {"amount": 1}, retry=once, **settings)
    ask = approval(people="{{ steps.find.body.who }}")
    return flow(f"start -> find -> {LINKS.removeprefix('start -> ')}", find, ask)


def test_nobody_says_by_hand_what_says_who_decides(machine: Machine, world: World) -> None:
    run_id = machine.begin(finder(world, on_failure="person"), {"amount": 10})
    task = asked(run_id)
    with pytest.raises(TaskRefused) as caught:
        decide(task, "happened", OMAR, output={"body": {"who": BY}})
    assert "says who decides in “ask”" in caught.value.fields["output"]
    decide(task, "give_up", OMAR)
    machine.finish(run_id)


def test_nor_with_a_retry(machine: Machine, world: World) -> None:
    run = machine.run(finder(world), {"amount": 10})
    happened = {"find": Decision(True, {"body": {"who": BY}})}
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, decisions=happened)
    assert "says who decides in “ask”" in caught.value.fields["find"]
    go_on(run.id, decisions={"find": Decision(False)})


def test_who_gave_a_value_by_hand_does_not_approve_it(machine: Machine, world: World) -> None:
    bad = post("price", f"{world.url}/with/fail=422/invoices", {}, on_failure="person", retry={"attempts": 1})
    links = f"start -> price -> {LINKS.removeprefix('start -> ')}"
    ask = approval(title="Pay {{ steps.price.amount }}?", not_requester=True, requester=BY)
    run_id = machine.begin(flow(links, bad, ask), {"amount": 10})
    decide(asked(run_id), "value", INES, output={"amount": 99_999})
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, kind="approval").exists())
    task = asked(run_id)
    assert (task.title, task.barred) == ("Pay 99999?", [BY, f"user:{INES.id}"])


def test_who_started_a_run_does_not_approve_it_when_a_colleague_starts_it_anew(machine: Machine) -> None:
    graph = flow(LINKS, approval(not_requester=True))
    workflow = machine.publish(graph)
    run_id = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow, input={"amount": 1}, by=OMAR.id).run_id
    asked(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    anew = api.replay_as_new(workspace_id=WORKSPACE, run_id=run_id, by=INES.id)
    assert asked(anew.id).barred == [f"user:{INES.id}", f"user:{OMAR.id}"]


def test_a_second_question_is_reminded_of_otherwise_behind_the_first(machine: Machine) -> None:
    second = approval("again", not_requester=True, requester=BY)
    run_id = machine.begin(flow(f"{LINKS}, yes -> again", approval(), second), {"amount": 10})
    decide(asked(run_id), "approved")
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, node_id="again").exists())
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    assert "changed in the workflow" in refused(run_id, "again", other(run_id, "again", not_requester=False))
    go_on(run_id, edits={"again": other(run_id, "again", text="Please.")})
    assert asked(run_id).spec["text"] == "Please."
