"""Ways round a question: a no that is turned round, a result given by hand, a failure that leads past it."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import api
from runtime.contracts import RetryRefused, TaskRefused
from runtime.store.models import HumanTask
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, look, post, step, wait_until
from tests.runtime.test_four_eyes import other, refused
from tests.runtime.test_people import INES, approval, asked, decide
from tests.runtime.test_retrying import go_on


def invoice(amount: Any) -> dict[str, Any]:
    return {"order": "{{ run.id }}", "amount": amount, "currency": "EUR", "customer": "C-1"}


def failing(world: World, name: str, **settings: Any) -> dict[str, Any]:
    return post(name, f"{world.url}/with/fail=422/invoices", {}, retry={"attempts": 1}, **settings)


def test_a_no_is_not_turned_round_by_a_step_behind_it(machine: Machine, world: World) -> None:
    rule = {"left": "{{ steps.ask.outcome }}", "op": "eq", "right": "approved", "type": "text"}
    links = "start -> ask, ask:approved -> ok, ask:rejected -> ok, ok:yes -> pay, ok:no -> tell"
    chooses = step("ok", "flow.decision@1", {"conditions": {"match": "all", "rules": [rule]}})
    pay = post("pay", f"{world.url}/invoices", invoice(10))
    run_id = machine.begin(flow(links, approval(), chooses, failing(world, "tell"), pay), {"amount": 10})
    decide(asked(run_id), "rejected", comment="No")
    machine.finish(run_id)
    yes = {"conditions": {"match": "all", "rules": [{**rule, "left": "approved"}]}}
    assert "“ask” was decided" in refused(run_id, "ok", yes, start=["ok"])
    assert not world.invoices(str(run_id))


def test_what_is_done_behind_a_no_alone_may_be_put_right(machine: Machine, world: World) -> None:
    links = "start -> ask, ask:approved -> pay, ask:rejected -> tell"
    pay = post("pay", f"{world.url}/invoices", invoice(10))
    run_id = machine.begin(flow(links, approval(), failing(world, "tell"), pay), {"amount": 10})
    decide(asked(run_id), "rejected", comment="No")
    machine.finish(run_id)
    elsewhere = other(run_id, "tell", url=f"{world.url}/invoices", json_body=invoice(1))
    go_on(run_id, edits={"tell": elsewhere})
    assert machine.finish(run_id).status == "completed"


def test_no_result_is_given_by_hand_by_which_something_approved_is_done(machine: Machine, world: World) -> None:
    rate = failing(world, "rate", on_failure="person")
    pay = post("pay", f"{world.url}/invoices", invoice("{{ steps.rate.amount }}"))
    graph = flow("start -> ask, ask:approved -> rate -> pay", approval(), rate, pay)
    run_id = machine.begin(graph, {"amount": 10})
    decide(asked(run_id), "approved")
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, kind="exception").exists())
    with pytest.raises(TaskRefused) as caught:
        decide(asked(run_id), "value", INES, output={"amount": 99_999})
    assert "“ask” was decided" in caught.value.fields["output"]
    assert not world.invoices(str(run_id))


def test_one_by_which_nothing_goes_is(machine: Machine, world: World) -> None:
    tell = failing(world, "tell", on_failure="person")
    pay = post("pay", f"{world.url}/invoices", invoice(10))
    graph = flow("start -> ask, ask:approved -> tell -> pay", approval(), tell, pay)
    run_id = machine.begin(graph, {"amount": 10})
    decide(asked(run_id), "approved")
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, kind="exception").exists())
    decide(asked(run_id), "value", INES, output={"told": True})
    assert machine.finish(run_id).status == "completed"


def test_no_step_is_made_to_fail_to_get_past_the_question(machine: Machine, world: World) -> None:
    links = "start -> rate -> ask, ask:approved -> pay, rate:error -> pay"
    rate = post("rate", f"{world.url}/invoices", invoice(10), retry={"attempts": 1}, on_failure="error_port")
    pay = post("pay", f"{world.url}/invoices", invoice(20))
    run_id = machine.begin(flow(links, rate, approval(), pay), {"amount": 10})
    asked(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    fails = other(run_id, "rate", url=f"{world.url}/with/fail=422/invoices")
    with pytest.raises(RetryRefused) as caught:
        go_on(run_id, start=["rate"], repeats=["rate"], edits={"rate": fails})
    assert "who decides" in caught.value.fields["rate"]
    assert look(run_id).generation == 1


def test_a_failure_that_leads_to_nothing_behind_the_question_does_not_bar_its_step(
    machine: Machine, world: World
) -> None:
    links = "start -> rate -> ask, ask:approved -> pay, rate:error -> tell"
    rate = failing(world, "rate", on_failure="error_port")
    tell = failing(world, "tell")
    pay = post("pay", f"{world.url}/invoices", invoice(20))
    run_id = machine.begin(flow(links, rate, approval(), pay, tell), {"amount": 10})
    machine.finish(run_id)
    mended = other(run_id, "rate", url=f"{world.url}/invoices", json_body=invoice(10))
    go_on(run_id, start=["rate"], edits={"rate": mended})
    assert asked(run_id).status == "open"
