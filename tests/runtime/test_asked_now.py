"""Before somebody has a step sent again, the other system is asked whether it happened; nothing is changed by that."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import Decision, NotRetryable, RetryRefused, Voter
from runtime.contracts.asking_now import AskedNow
from runtime.engine.ids import uuid7
from runtime.interpreter.asked_now import ASKER
from runtime.store.models import Attempt, BudgetTurn, Run, StepRun
from runtime.worker import asked_now
from tests.runtime.budgeting import URL, Target, key, limit, target
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, post
from tests.runtime.test_look_ups import by_key, looked_up, lookups, sent

__all__ = ["key", "target"]

SOMEBODY = Voter(uuid7(), "Ada", "ada@example.com", (), "admin", True)
REFUSED = "/with/fail=422*1;ignore/invoices"


def ask(run_id: UUID, node: str = "pay", **more: Any) -> AskedNow:
    return api.ask_now(workspace_id=WORKSPACE, run_id=run_id, node=node, **more)


def asks(run_id: UUID, node: str = "pay") -> str | None:
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    return next(step.asks for step in plan.steps if step.node == node)


def given_up(machine: Machine, world: World, at: str) -> UUID:
    """A run that has stopped with a call of which nobody could tell what became of it, though it happened."""
    pay = looked_up("pay", f"{world.url}/with/drop*1;ignore/invoices", at)
    run_id = machine.begin(flow("start -> pay -> after", pay))
    machine.until(run_id, lambda run: run.status == "waiting_human")
    (task,) = api.tasks(workspace_id=WORKSPACE, run_id=run_id).items
    api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome="give_up", voter=SOMEBODY)
    assert machine.finish(run_id).status == "dead_lettered"
    return run_id


def rows(run_id: UUID) -> list[Any]:
    return [
        *Run.objects.filter(pk=run_id).values_list("status", "generation", "seq"),
        *StepRun.objects.filter(run_id=run_id).order_by("node_id", "generation").values_list(),
        *Attempt.objects.filter(run_id=run_id).order_by("node_id", "attempt").values_list(),
    ]


def test_what_was_refused_is_not_there_and_may_be_sent_again(any_machine: Machine, world: World) -> None:
    run = any_machine.run(flow("start -> pay", looked_up("pay", world.url + REFUSED, by_key(world))))
    assert run.status == "dead_lettered"
    assert asks(run.id) == "practice-company"
    before = rows(run.id)
    told = ask(run.id)
    assert (told.found, told.system, told.takes, told.output) == ("did_not_happen", "practice-company", False, None)
    assert lookups(world, run.id) == 1
    assert len(sent(world, run.id)) == 1, "nothing was sent again"
    assert rows(run.id) == before, "nothing is written down at the run"


def test_what_happened_is_taken_over_in_the_place_of_sending_it_twice(any_machine: Machine, world: World) -> None:
    run_id = given_up(any_machine, world, by_key(world, "/with/fail=403*1"))
    told = ask(run_id)
    assert (told.found, told.takes) == ("happened", True), told
    (invoice,) = world.invoices(str(run_id))
    output: Any = told.output
    assert output["body"]["id"] == invoice["id"]
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, decisions={"pay": Decision(True, told.output)})
    assert any_machine.finish(run_id).status == "completed"
    assert len(sent(world, run_id)) == 1
    given: Any = detail(run_id, "pay").output
    assert given["body"]["id"] == invoice["id"]


def test_a_look_up_that_cannot_tell_says_why(machine: Machine, world: World) -> None:
    run_id = given_up(machine, world, by_key(world, "/with/fail=403"))
    told = ask(run_id)
    assert (told.found, told.code) == ("could_not_tell", "look_up_403")
    assert "403" in told.message


def test_a_look_up_that_takes_too_long_is_given_up(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_now, "LOOK_SECONDS", 0.5)
    pay = looked_up("pay", world.url + REFUSED, by_key(world, "/with/slow=20000"))
    run = machine.run(flow("start -> pay", pay))
    began = time.monotonic()
    told = ask(run.id)
    assert told.found == "could_not_tell"
    assert time.monotonic() - began < 10, "twenty seconds were not waited for"


def test_other_settings_are_what_is_asked_about(machine: Machine, world: World) -> None:
    run_id = given_up(machine, world, by_key(world, "/with/fail=403"))
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    given: Any = next(step.input for step in plan.steps if step.node == "pay")
    told = ask(run_id, settings={**given, "look_up_url": by_key(world)})
    assert (told.found, told.takes) == ("happened", False), "with other settings it is another call"
    elsewhere = ask(run_id, settings={**given, "look_up_url": f"{world.url}/invoices/by-key/none"})
    assert elsewhere.found == "did_not_happen"
    with pytest.raises(RetryRefused):
        ask(run_id, settings={**given, "method": "NOTHING"})


def test_only_a_step_that_was_sent_and_has_a_look_up_is_asked_about(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> pay -> after", post("pay", world.url + REFUSED, {"order": "x"})))
    assert run.status == "dead_lettered"
    assert asks(run.id) is None
    for node in ("pay", "after", "start", "nothing"):
        with pytest.raises(NotRetryable) as refused:
            ask(run.id, node)
        assert refused.value.code == "no_look_up"


def test_a_process_that_only_answers_people_asks_too(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    run = idle_machine.run(flow("start -> pay", looked_up("pay", world.url + REFUSED, by_key(world))))
    idle_machine.stop()
    assert ASKER.ask is None
    assert (ask(run.id).found, ask(run.id).code) == ("could_not_tell", "nobody")
    idle_machine.start("web")
    assert ask(run.id).found == "did_not_happen"


def test_a_look_up_counts_for_the_connection_and_says_when_there_is_no_turn(
    any_machine: Machine, target: Target, key: UUID
) -> None:
    pay = looked_up("pay", f"{URL}/pay", f"{URL}/look", retry={"attempts": 1})
    pay["config"]["connection"] = str(key)
    target.refuse = 1
    run = any_machine.run(flow("start -> pay", pay))
    assert run.status == "dead_lettered"
    limit(key, 1, machines=(any_machine,), period="hour")
    first = ask(run.id)
    assert first.found in ("happened", "did_not_happen"), first
    assert not BudgetTurn.objects.exists()
    second = ask(run.id)
    assert second.found == "no_turn"
    assert second.until is not None
    assert second.until > second.at
    assert len(target.calls("/look")) == 1
