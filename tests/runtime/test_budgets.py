"""A connection takes so many calls and no more, whoever calls; who has to wait does so as a due time."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from runtime import api
from runtime.contracts.budgets import BudgetView
from runtime.ports import PORTS
from runtime.store import budgets
from runtime.store.models import Attempt, Budget, BudgetTurn, Run, StepRun
from runtime.worker import egress
from tests.runtime.budgeting import URL, Target, call, key, limit, target
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, statuses, wait_until
from tests.runtime.test_own_runs import children, each, inside, mark_of_this_test

__all__ = ["key", "mark_of_this_test", "target"]


def tries(run: UUID) -> int:
    return StepRun.objects.get(run_id=run, node_id="ask").attempt


def view(key: UUID) -> BudgetView:
    return api.budgets(workspace_id=WORKSPACE)[key]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_more_calls_arrive_within_any_second_than_the_budget_says(
    any_machine: Machine, target: Target, key: UUID, method: str
) -> None:
    limit(key, 5, machines=(any_machine,))
    workflow = any_machine.publish(flow("start -> ask", call("ask", key, method=method)))
    runs = [any_machine.begin_again(workflow) for _ in range(18)]
    for run in runs:
        done = any_machine.finish(run)
        assert done.status == "completed", done
        assert tries(run) == 1
    assert len(target.arrived) == 18
    assert target.most_within(1.0) <= 5
    assert not api.orphans()
    assert not Attempt.objects.exclude(status="succeeded").exists()


def test_a_call_counts_from_when_it_is_sent_however_long_its_step_gets_ready(
    machine: Machine, target: Target, key: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(key, 2, machines=(machine,))
    opened, vault = itertools.count(), PORTS.vault

    class Slow:
        def open(self, *, workspace_id: UUID, connection_id: UUID) -> Any:
            if next(opened) < 2:
                time.sleep(0.9)
            return vault.open(workspace_id=workspace_id, connection_id=connection_id)

    monkeypatch.setattr(PORTS, "vault", Slow())
    workflow = machine.publish(flow("start -> ask", call("ask", key)))
    for run in [machine.begin_again(workflow) for _ in range(6)]:
        assert machine.finish(run).status == "completed"
    assert target.most_within(1.0) <= 2


def test_a_call_counts_from_when_it_leaves_however_long_its_connection_takes(
    machine: Machine, target: Target, key: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it counted as arrived while its connection was being made, and others arrived beside it."""
    limit(key, 2, machines=(machine,))
    connect, settle = egress._connect, budgets.settle
    connected: list[float] = []
    told: list[budgets.End] = []

    async def slow(*where: Any) -> Any:
        await asyncio.sleep(0.9)
        connected.append(time.time() * 1000)
        return await connect(*where)

    def settled(asks: Any, ends: Any = (), looks: Any = ()) -> Any:
        told.extend(ends)
        return settle(asks, ends, looks)

    monkeypatch.setattr(egress, "_connect", slow)
    monkeypatch.setattr(budgets, "settle", settled)
    run = machine.run(flow("start -> ask", call("ask", key, method="GET")))
    assert run.status == "completed", run
    wait_until(lambda: bool(told))
    assert told[0].sent_at is not None
    assert told[0].sent_at >= connected[0] - 100


def test_two_workflows_have_one_budget_and_their_turns_alternate(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, 2, machines=(machine,))
    many = machine.publish(flow("start -> ask", call("ask", key, "/many")))
    few = machine.publish(flow("start -> ask", call("ask", key, "/few")))
    crowd = [machine.begin_again(many) for _ in range(40)]
    wait_until(lambda: BudgetTurn.objects.filter(state="waits").count() >= 11)
    others = [machine.begin_again(few) for _ in range(2)]
    gone = len(target.calls("/many"))
    for run in others:
        machine.finish(run)
    # A few of the crowd were ahead, and one goes between these two.
    assert len(target.calls("/many")) - gone <= 12, "not behind all forty"
    assert target.most_within(1.0) <= 2
    api.set_budget(workspace_id=WORKSPACE, connection_id=key, name="ERP production", limits=None)
    for run in crowd:
        machine.finish(run)


def test_a_run_that_waits_for_its_turn_says_at_which_connection_and_holds_no_lease(
    machine: Machine, target: Target, key: UUID
) -> None:
    limit(key, 1, "minute", machines=(machine,))
    workflow = machine.publish(flow("start -> ask -> after", call("ask", key, method="POST")))
    machine.finish(machine.begin_again(workflow))
    waits = machine.begin_again(workflow)
    run = machine.until(waits, lambda run: run.waiting is not None)
    assert run.status == "waiting_timer"
    assert run.waiting is not None
    assert run.waiting["kind"] == "turn"
    assert run.waiting["connection"] == str(key)
    assert run.waiting["text"] == "Waits for its turn: “ERP production” takes 1 call a minute"
    assert 20_000 < run.waiting["until"] - machine.now_ms() <= 62_000
    wait_until(lambda: Run.objects.get(pk=waits).lease_owner is None)
    assert not Attempt.objects.filter(run_id=waits).exists()
    because = api.because(workspace_id=WORKSPACE, run_id=waits)
    assert because is not None
    assert (because.kind, because.node) == ("turn", "ask")
    assert (view(key).used, view(key).waiting) == (1, 1)
    assert not api.orphans()
    # Without a limit it goes at once.
    api.set_budget(workspace_id=WORKSPACE, connection_id=key, name="ERP production", limits=None)
    assert machine.finish(waits).status == "completed"
    assert tries(waits) == 1


def test_so_many_are_under_way_and_no_more(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, at_once=2, machines=(machine,))
    target.slow = 0.1
    workflow = machine.publish(flow("start -> ask", call("ask", key)))
    runs = [machine.begin_again(workflow) for _ in range(10)]
    for run in runs:
        assert machine.finish(run).status == "completed"
    assert target.most_under_way == 2


def test_a_retry_after_holds_back_every_workflow_of_the_connection(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, 100, machines=(machine,))
    target.refuse, target.retry_after = 1, 8
    retry = {"attempts": 3, "strategy": "fixed", "first_seconds": 0.1, "jitter": 0}
    first = machine.begin(flow("start -> ask", call("ask", key, "/first", retry=retry)))
    wait_until(lambda: view(key).paused_until is not None)
    (refused_at,) = target.calls("/first")
    second = machine.begin(flow("start -> ask", call("ask", key, "/second")))
    run = machine.until(second, lambda run: run.waiting is not None)
    assert run.waiting is not None
    assert "asked for a pause until" in run.waiting["text"]
    assert machine.finish(first).status == machine.finish(second).status == "completed"
    assert target.calls("/second")[0] >= refused_at + 7.0
    assert tries(second) == 1


def test_a_pause_can_be_ended_before_its_time(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, 100, machines=(machine,))
    target.refuse, target.retry_after = 1, 3_000
    machine.begin(flow("start -> ask", call("ask", key)))
    wait_until(lambda: view(key).paused_until is not None)
    waits = machine.begin(flow("start -> ask", call("ask", key, "/second")))
    machine.until(waits, lambda run: run.waiting is not None)
    assert api.end_pause(workspace_id=WORKSPACE, connection_id=key)
    assert machine.finish(waits).status == "completed"
    assert not api.end_pause(workspace_id=WORKSPACE, connection_id=key)


def test_a_cancelled_wait_gives_its_place_away(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, 1, "hour", machines=(machine,))
    workflow = machine.publish(flow("start -> ask", call("ask", key)))
    runs = [machine.begin_again(workflow) for _ in range(5)]
    wait_until(lambda: BudgetTurn.objects.filter(state="waits").count() == 4)
    waits = machine.until(runs[3], lambda run: run.waiting is not None or run.finished_at is not None)
    chosen = runs[3] if waits.finished_at is None else runs[4]
    api.cancel(workspace_id=WORKSPACE, run_id=chosen, by=None)
    assert machine.finish(chosen).status == "cancelled"
    limit(key, 1, machines=(machine,))
    for run in runs:
        assert machine.finish(run).status == ("cancelled" if run == chosen else "completed")
    assert len(target.arrived) == 4


def test_a_paused_run_lets_the_others_pass_and_has_its_turn_when_it_goes_on(
    machine: Machine, target: Target, key: UUID
) -> None:
    limit(key, 1, "hour", machines=(machine,))
    workflow = machine.publish(flow("start -> ask", call("ask", key)))
    machine.finish(machine.begin_again(workflow))
    first = machine.begin_again(workflow)
    machine.until(first, lambda run: statuses(first).get("ask") == "waiting")
    api.pause_run(workspace_id=WORKSPACE, run_id=first)
    second = machine.begin_again(workflow)
    machine.until(second, lambda run: statuses(second).get("ask") == "waiting")
    limit(key, 1, machines=(machine,))
    assert machine.finish(second).status == "completed"
    assert look(first).finished_at is None
    api.resume_run(workspace_id=WORKSPACE, run_id=first)
    assert machine.finish(first).status == "completed"


def test_a_crash_among_the_waits_loses_none_and_counts_what_was_under_way(
    idle_machine: Machine, target: Target, key: UUID
) -> None:
    idle_machine.start()
    limit(key, 4, machines=(idle_machine,))
    target.slow = 0.3
    workflow = idle_machine.publish(flow("start -> ask", call("ask", key, method="POST")))
    runs = [idle_machine.begin_again(workflow) for _ in range(12)]
    wait_until(lambda: len(target.arrived) >= 6)
    idle_machine.crash()
    idle_machine.start()
    for run in runs:
        assert idle_machine.finish(run).status == "completed"
        assert tries(run) == 1
    assert target.most_within(1.0) <= 4
    assert not BudgetTurn.objects.filter(state="waits").exists()


def test_each_page_of_a_step_that_reads_pages_has_its_turn(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, 2, machines=(machine,))
    read = each([], source="pages", url=f"{URL}/rows", connection=str(key), list_path="rows", next_by="page")
    run = machine.run(flow("start -> each", read, *inside("each", fields("keep"))))
    assert run.status == "completed", run
    assert len(children(run.id)) == 8
    assert len(target.arrived) == 5
    assert target.most_within(1.0) <= 2


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="several processes need PostgreSQL")
def test_two_processes_together_let_through_what_one_would(idle_machine: Machine, target: Target, key: UUID) -> None:
    assert connection.vendor == "postgresql"
    other = Machine()
    idle_machine.start(kind="worker", sweep_seconds=0.2)
    other.start(kind="worker", sweep_seconds=0.2)
    try:
        limit(key, 10, machines=(idle_machine, other))
        flows = [idle_machine.publish(flow("start -> ask", call("ask", key, f"/{name}"))) for name in "ab"]
        runs = [idle_machine.begin_again(flows[number % 2]) for number in range(60)]
        owners = set[str | None]()
        for run in runs:
            assert idle_machine.finish(run).status == "completed"
            owners |= set(BudgetTurn.objects.values_list("owner", flat=True))
        assert target.most_within(1.0) <= 10
        assert len(target.arrived) == 60
    finally:
        other.stop()
    assert Budget.objects.get(pk=key).next_at is None


def test_without_a_budget_nothing_is_asked_for(machine: Machine, target: Target, key: UUID) -> None:
    machine.run(flow("start -> ask", call("ask", key)))
    assert not BudgetTurn.objects.exists()
    assert not Budget.objects.exists()
    assert api.budgets(workspace_id=WORKSPACE) == {}
