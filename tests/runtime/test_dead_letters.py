"""Runs that failed for good: kept with their end, grouped by what they failed of, and decided by people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import DeadLetterGroup, RuntimeRefused
from runtime.engine.ids import uuid7
from runtime.store.models import DeadLetter
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, post, step, unsafe_post

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}


def groups(**choices: Any) -> list[DeadLetterGroup]:
    return api.dead_letter_groups(workspace_id=WORKSPACE, **choices)


def letters(cause: str, **choices: Any) -> list[UUID]:
    return [one.run.id for one in api.dead_letters(workspace_id=WORKSPACE, cause=cause, **choices).items]


def failing(message: str = "Invoice {{ trigger.number }} is closed.") -> dict[str, Any]:
    return flow("start -> stop", step("stop", "flow.fail@1", {"message": message}))


def test_runs_that_fail_alike_form_one_group(machine: Machine) -> None:
    closed, unknown = machine.publish(failing()), machine.publish(failing("Nobody knows {{ trigger.number }}."))
    runs = [machine.finish(machine.begin_again(closed, {"number": f"R-{number}"})).id for number in range(3)]
    machine.finish(machine.begin_again(unknown, {"number": "R-1"}))
    newest, oldest = groups()
    assert (newest.count, newest.workflow_id) == (1, unknown)
    assert (oldest.count, oldest.workflow_id, oldest.node) == (3, closed, "stop")
    assert oldest.pattern == "Invoice … is closed."
    assert letters(oldest.cause) == runs[::-1]
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 4
    assert [group.cause for group in groups(workflow_id=closed)] == [oldest.cause]
    assert api.dead_letter_groups(workspace_id=uuid7()) == []


def test_a_group_is_read_page_by_page(machine: Machine) -> None:
    closed = machine.publish(failing())
    runs = [machine.finish(machine.begin_again(closed, {"number": number})).id for number in range(3)]
    (group,) = groups()
    first = api.dead_letters(workspace_id=WORKSPACE, cause=group.cause, limit=2)
    assert [one.message for one in first.items] == ["Invoice 2 is closed.", "Invoice 1 is closed."]
    assert letters(group.cause, after=first.next_cursor) == runs[:1]


def test_a_test_that_fails_is_nobodys_to_decide(machine: Machine) -> None:
    started = api.start_test(workspace_id=WORKSPACE, workflow_id=uuid7(), graph=failing())
    assert machine.finish(started.run_id).status == "dead_lettered"
    assert groups() == []


def test_a_run_that_is_gone_on_with_leaves_its_group_and_comes_back_when_it_fails_again(
    machine: Machine, world: World
) -> None:
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/with/fail=422/invoices", INVOICE)))
    (group,) = groups()
    outcome = api.retry_each(workspace_id=WORKSPACE, run_ids=[run.id], by=uuid7())
    assert [one.outcome for one in outcome] == ["retried"]
    assert machine.finish(run.id).generation == 2
    (again,) = groups()
    assert (again.cause, again.count) == (group.cause, 1)
    first, second = DeadLetter.objects.filter(run_id=run.id).order_by("generation")
    assert (first.solution, second.solution) == ("retried", None)


def test_several_are_gone_on_with_but_for_those_that_need_somebodys_word(machine: Machine, world: World) -> None:
    broken = machine.run(flow("start -> shape", fields("shape", total="{{ number('x') }}")))
    doubtful = machine.run(flow("start -> pay", unsafe_post("pay", f"{world.url}/with/drop/invoices", INVOICE)))
    done = machine.run(flow("start -> a"))
    nobodys = uuid7()
    runs = [broken.id, doubtful.id, done.id, nobodys, broken.id]
    found = api.retry_each(workspace_id=WORKSPACE, run_ids=runs)
    assert [(one.run_id, one.outcome) for one in found] == [
        (broken.id, "retried"),
        (doubtful.id, "asks"),
        (done.id, "refused"),
        (nobodys, "refused"),
    ]
    machine.finish(broken.id)
    assert len(world.invoices(str(doubtful.id))) == 1
    with pytest.raises(RuntimeRefused):
        api.retry_each(workspace_id=WORKSPACE, run_ids=[uuid7() for _ in range(101)])


@pytest.mark.parametrize("solution", ["elsewhere", "discarded"])
def test_what_is_put_right_elsewhere_or_given_up_stays_on_record_with_the_reason(
    machine: Machine, solution: Any
) -> None:
    run, who = machine.run(failing(), {"number": 1}), uuid7()
    asked: dict[str, Any] = {"run_ids": [run.id], "solution": solution, "reason": "Paid by hand.", "by": who}
    assert api.solve_dead_letters(workspace_id=uuid7(), **asked) == 0, "it is another workspace's"
    assert api.solve_dead_letters(workspace_id=WORKSPACE, **asked) == 1
    assert api.solve_dead_letters(workspace_id=WORKSPACE, **asked) == 0, "that was said before"
    assert groups() == []
    row = DeadLetter.objects.get(run_id=run.id)
    assert (row.solution, row.reason, row.solved_by) == (solution, "Paid by hand.", f"user:{who}")
    assert row.solved_at is not None
    told = look(run.id).solved
    assert told is not None
    assert (told.how, told.by, told.reason, told.at) == (solution, f"user:{who}", "Paid by hand.", row.solved_at)


def test_what_was_said_of_a_failure_is_not_said_of_the_run_that_went_on(machine: Machine) -> None:
    run = machine.run(failing(), {"number": 1})
    assert run.solved is None
    assert api.solve_dead_letters(
        workspace_id=WORKSPACE, run_ids=[run.id], solution="elsewhere", reason="Paid by hand."
    )
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, edits={})
    assert machine.finish(run.id).solved is None


def test_a_run_keeps_its_place_among_the_failed_through_a_crash(idle_machine: Machine) -> None:
    idle_machine.start()
    run = idle_machine.run(failing(), {"number": 1})
    idle_machine.crash()
    idle_machine.start()
    (group,) = groups()
    assert letters(group.cause) == [run.id]
