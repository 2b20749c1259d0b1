"""What may have happened already is not simply tried again, and comes first among what people are asked (I12, I13)."""

from __future__ import annotations

import pytest

from runtime import api
from runtime.store.models import HumanTask
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, look, post, unsafe_post, wait_until
from tests.runtime.test_interpreter_effects import attempts
from tests.runtime.test_people import INES, LINKS, a_plain_retry_is_refused, approval, asked, decide, failing


@pytest.mark.parametrize(("said", "sent", "end"), [("happened", 1, "completed"), ("send_again", 2, "waiting_human")])
def test_a_step_without_a_key_that_was_answered_otherwise_than_expected_is_not_simply_tried_again(
    machine: Machine, world: World, said: str, sent: int, end: str
) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = unsafe_post("pay", f"{world.url}/invoices", body, on_failure="person")
    pay["config"] |= {"success_codes": "202"}
    run_id = machine.begin(flow("start -> pay", pay))
    task = asked(run_id)
    assert {one["id"] for one in task.spec["choices"]} == {"happened", "send_again", "give_up"}
    a_plain_retry_is_refused(run_id, task)
    decide(task, said, output={"status": 201})
    if end == "completed":
        assert machine.finish(run_id).status == end
    else:
        wait_until(lambda: len(world.invoices(str(run_id))) == sent)
        assert asked(run_id).id != task.id or look(run_id).status == end
    assert len(world.invoices(str(run_id))) == sent


@pytest.mark.parametrize("said", ["happened", "send_again"])
def test_a_refusal_of_what_was_sent_again_still_asks_for_the_first_call(
    machine: Machine, world: World, said: str
) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = unsafe_post("pay", f"{world.url}/with/drop*1/invoices", body, on_failure="person")
    run_id = machine.begin(flow("start -> pay", pay))
    doubt = asked(run_id)
    world.ask("POST", "/behaviour", {"path": "/invoices", "method": "POST", "behaviour": "fail=409", "times": 1})
    decide(doubt, "send_again")
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id).count() == 2)
    task = asked(run_id)
    assert "nobody knows whether that happened" in task.spec["text"]
    assert {one["id"] for one in task.spec["choices"]} == {"happened", "send_again", "give_up"}
    a_plain_retry_is_refused(run_id, task)
    decide(task, said, output={"status": 201})
    assert machine.finish(run_id).status == "completed"
    first, second, *third = attempts(run_id, "pay")
    assert second.status == "failed"
    assert (first.status, len(third)) == (("succeeded", 0) if said == "happened" else ("abandoned", 1))


def test_a_step_with_a_key_that_was_answered_otherwise_than_expected_is_tried_again_by_its_key(
    machine: Machine, world: World
) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = post("pay", f"{world.url}/invoices", body, on_failure="person")
    pay["config"] |= {"success_codes": "202"}
    run_id = machine.begin(flow("start -> pay", pay))
    task = asked(run_id)
    assert {one["id"] for one in task.spec["choices"]} == {"retry", "value", "give_up"}
    decide(task, "retry")
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exclude(pk=task.id).exists())
    assert len(world.invoices(str(run_id))) == 1


def test_what_nobody_knows_comes_before_what_is_due_later_and_the_list_goes_on_there(
    machine: Machine, world: World
) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = unsafe_post("pay", f"{world.url}/with/drop*1/invoices", body, on_failure="person")
    doubt = asked(machine.begin(flow("start -> pay", pay)))
    plain = asked(machine.begin(flow(LINKS, approval()), {"amount": 1}))
    due = asked(machine.begin(flow(LINKS, approval(due=1, due_unit="hours")), {"amount": 2}))
    failed = asked(machine.begin(failing(world, "fail=422")))
    whole = [one.id for one in api.tasks(workspace_id=WORKSPACE, voter=INES).items]
    assert whole == [doubt.id, due.id, failed.id, plain.id]
    assert api.task_count(workspace_id=WORKSPACE, voter=INES) == len(whole)
    paged, after = [], None
    for _ in whole:
        page = api.tasks(workspace_id=WORKSPACE, voter=INES, after=after, limit=1)
        paged += [one.id for one in page.items]
        after = page.next_cursor
    assert paged == whole
