"""Where the other system no longer takes a connection's credentials, runs wait until somebody has repaired it: nothing
fails, no try is used up, and nothing is sent twice."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runtime import api
from runtime.api import broken
from runtime.contracts.budgets import ConnectionState
from runtime.store import budgets
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Budget, BudgetTurn, Run, StepRun
from tests.runtime.budgeting import Target, call, key, target
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, wait_until

__all__ = ["key", "target"]


def refusing(target: Target, monkeypatch: pytest.MonkeyPatch, status: int) -> Target:
    """Answers so while `refuse` is above 0."""
    answer = target._answer

    def refused(handler: Any) -> None:
        send = handler.send_response
        handler.send_response = lambda given: send(status if given == 429 else given)
        answer(handler)

    monkeypatch.setattr(target, "_answer", refused)
    return target


@pytest.fixture
def refuses(target: Target, monkeypatch: pytest.MonkeyPatch) -> Target:
    return refusing(target, monkeypatch, 401)


def pausing(key: UUID, *machines: Machine) -> None:
    api.pause_if_broken(workspace_id=WORKSPACE, connection_id=key, name="ERP production", pauses=True)
    for machine in machines:
        assert machine.runtime is not None
        budgets = machine.runtime._budgets
        assert budgets is not None
        wait_until(lambda budgets=budgets: key in budgets.known)  # type: ignore[misc]


def state(key: UUID) -> ConnectionState:
    return api.connection_states(workspace_id=WORKSPACE)[key]


def waits(key: UUID, count: int) -> None:
    wait_until(lambda: BudgetTurn.objects.filter(connection_id=key, state="waits").count() == count)


def repair(key: UUID) -> None:
    assert api.connection_repaired(workspace_id=WORKSPACE, connection_id=key)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_run_waits_for_a_broken_connection_and_goes_on_when_it_is_repaired(
    machine: Machine, refuses: Target, key: UUID, method: str
) -> None:
    pausing(key, machine)
    refuses.refuse = 1_000
    workflow = machine.publish(flow("start -> ask -> after", call("ask", key, method=method), fields("after")))
    run = machine.begin_again(workflow)
    waits(key, 1)
    machine.until(run, lambda one: one.status == "waiting_timer")
    assert Run.objects.get(pk=run).lease_owner is None
    because = api.because(workspace_id=WORKSPACE, run_id=run)
    assert because is not None
    assert "Waits for the connection “ERP production”, which is broken" in str(look(run).waiting)
    found = state(key)
    assert (found.pauses, found.waiting, found.broken_at is not None) == (True, 1, True)
    assert "401" in str(found.broken_reason)
    assert [one.waiting for one in api.broken_for(workspace_id=WORKSPACE, workflow_id=workflow)] == [1]
    (stuck,) = api.standing(workspace_id=WORKSPACE).stuck
    assert (stuck.reason, stuck.count, stuck.runs) == ("connection_broken", 1, [(run, workflow)])
    assert str(stuck.text).startswith("“ERP production”: ")
    # What begins now is not sent at all.
    other = machine.begin_again(workflow)
    waits(key, 2)
    assert len(refuses.arrived) == 1
    refuses.refuse = 0
    repair(key)
    for one in (run, other):
        assert machine.finish(one).status == "completed"
    assert StepRun.objects.filter(run_id__in=[run, other], node_id="ask", attempt=1).count() == 2
    assert len(refuses.arrived) == 3
    assert state(key).repaired_at is not None
    assert not api.orphans()


def test_an_unsafe_call_that_was_refused_is_not_in_doubt_whatever_dies_while_it_waits(
    idle_machine: Machine, refuses: Target, key: UUID
) -> None:
    idle_machine.start()
    pausing(key, idle_machine)
    refuses.refuse = 1_000
    ask = call("ask", key, method="POST")
    ask["config"]["send_key"] = False
    run = idle_machine.begin(flow("start -> ask", ask))
    waits(key, 1)
    wait_until(Attempt.objects.filter(run_id=run, node_id="ask", status="failed", attempt=1).exists)
    idle_machine.stop()
    refuses.refuse = 0
    repair(key)
    idle_machine.start()
    assert idle_machine.finish(run).status == "completed"
    assert Attempt.objects.get(run_id=run, node_id="ask").status == "succeeded"
    assert len(refuses.arrived) == 2


def test_without_the_policy_it_fails_as_ever(machine: Machine, refuses: Target, key: UUID) -> None:
    refuses.refuse = 1_000
    run = machine.begin(flow("start -> ask", call("ask", key)))
    assert machine.finish(run).status == "dead_lettered"
    assert not Budget.objects.exists()


def test_what_is_no_refusal_of_the_credentials_fails_as_ever(
    machine: Machine, target: Target, key: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    pausing(key, machine)
    refusing(target, monkeypatch, 403).refuse = 1_000
    run = machine.begin(flow("start -> ask", call("ask", key)))
    assert machine.finish(run).status == "dead_lettered"
    assert state(key).broken_at is None


def test_a_late_refusal_of_the_old_credentials_does_not_break_what_was_repaired(
    machine: Machine, refuses: Target, key: UUID
) -> None:
    pausing(key, machine)
    refuses.refuse, refuses.slow = 1, 1.5
    run = machine.begin(flow("start -> ask", call("ask", key)))
    wait_until(lambda: len(refuses.arrived) == 1)
    # Somebody repairs it while the call with the old ones is still under way.
    Budget.objects.update(broken_at=1, broken_reason="before")
    repair(key)
    refuses.slow = 0
    assert machine.finish(run).status == "completed"
    assert state(key).broken_at is None


def test_whoever_waits_goes_on_and_fails_where_the_policy_is_taken_back(
    machine: Machine, refuses: Target, key: UUID
) -> None:
    pausing(key, machine)
    refuses.refuse = 1_000
    run = machine.begin(flow("start -> ask", call("ask", key)))
    waits(key, 1)
    api.pause_if_broken(workspace_id=WORKSPACE, connection_id=key, name="ERP production", pauses=False)
    assert machine.finish(run).status == "dead_lettered"


def test_a_cancelled_run_waits_no_longer(machine: Machine, refuses: Target, key: UUID) -> None:
    pausing(key, machine)
    refuses.refuse = 1_000
    run = machine.begin(flow("start -> ask", call("ask", key)))
    waits(key, 1)
    api.cancel(workspace_id=WORKSPACE, run_id=run, by=None)
    assert machine.finish(run).status == "cancelled"


def test_steps_ask_nobody_while_their_connection_works(machine: Machine, refuses: Target, key: UUID) -> None:
    pausing(key, machine)
    workflow = machine.publish(flow("start -> ask", call("ask", key)))
    for run in [machine.begin_again(workflow) for _ in range(3)]:
        assert machine.finish(run).status == "completed"
    assert not BudgetTurn.objects.exists()
    with CaptureQueriesContext(connection) as asked:
        time.sleep(0.1)
    assert not [one for one in asked.captured_queries if "budgetturn" in one["sql"]]
    assert Run.objects.filter(status="completed").count() == 3


def test_a_limit_that_somebody_sets_at_the_same_moment_stays(
    transactional_db: None, key: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_meanwhile() -> int:
        now = database_now()
        given = {"workspace_id": WORKSPACE, "changed_at": now, "calls": 5, "period_ms": 60_000}
        Budget.objects.get_or_create(connection_id=key, defaults=given)
        return now

    for module in (broken, budgets):
        monkeypatch.setattr(module, "database_now", set_meanwhile)
    assert api.pause_if_broken(workspace_id=WORKSPACE, connection_id=key, name="ERP production", pauses=True)
    row = Budget.objects.get(pk=key)
    assert (row.pauses, row.calls) == (True, 5)
