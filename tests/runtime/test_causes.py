"""Every open run has exactly one stated cause, with an owner and the next time (I17)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.api.causes import RESTS, cause_of
from runtime.contracts import Because
from runtime.engine.state import RANK, RunStatus
from runtime.interpreter.waiting import OWNERS
from runtime.store.models import Run, StepRun
from runtime.store.statements import HELD
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, pause, post, statuses, step, wait_until
from tests.runtime.test_own_runs import inside

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}
ROW: dict[str, Any] = {
    "id": None, "waiting": None, "lease_owner": None, "lease_expires_at": None, "wake_at": None, "accepted_at": 1,
    "started_at": None, "paused_at": None, "paused_by": None, "min_engine": 1,
}  # fmt: skip


def cause(run_id: UUID) -> Because | None:
    return api.because(workspace_id=WORKSPACE, run_id=run_id)


def stated(run_id: UUID, status: str, machine: Machine) -> Because:
    machine.until(run_id, lambda run: run.status == status)
    wait_until(lambda: Run.objects.get(pk=run_id).lease_owner is None)
    found = cause(run_id)
    assert found is not None
    assert api.orphans() == []
    return found


def test_a_wait_is_the_clocks_affair(machine: Machine) -> None:
    found = stated(machine.begin(flow("start -> rest", pause("rest", 600))), "waiting_timer", machine)
    assert (found.kind, found.owner, found.node) == ("timer", "clock", "rest")
    assert found.next_at is not None


def test_a_retry_is_the_clocks_affair(machine: Machine, world: World) -> None:
    later = {"attempts": 3, "strategy": "fixed", "first_seconds": 600, "jitter": 0}
    pay = post("pay", f"{world.url}/with/fail=503/invoices", INVOICE, retry=later)
    found = stated(machine.begin(flow("start -> pay", pay)), "waiting_timer", machine)
    assert (found.kind, found.owner, found.node) == ("retry", "clock", "pay")


def test_a_list_says_since_when_its_items_are_waited_for_however_often_it_is_looked_at(machine: Machine) -> None:
    each = step("each", "flow.for_each@1", {"items": [1, 2]})
    run_id = machine.begin(flow("start -> each", each, *inside("each", pause("rest", 600))))
    machine.until(run_id, lambda run: (run.waiting or {}).get("kind") == "children")
    wait_until(lambda: Run.objects.get(pk=run_id).lease_owner is None)
    first = cause(run_id)
    assert first is not None
    assert (first.kind, first.node) == ("children", "each")
    assert first.since == StepRun.objects.get(run_id=run_id, node_id="each").started_at
    token = Run.objects.get(pk=run_id).lease_token
    Run.objects.filter(pk=run_id).update(wake_at=0)
    wait_until(lambda: (row := Run.objects.get(pk=run_id)).lease_token > token and row.lease_owner is None)
    again = cause(run_id)
    assert again is not None
    assert (again.kind, again.since) == ("children", first.since)


def test_a_question_is_the_affair_of_those_who_are_asked(machine: Machine) -> None:
    ask = step("ask", "people.approval@1", {"title": "May it?", "people": "ines@example.com, omar@example.com"})
    graph = flow("start -> ask, ask:approved -> yes, ask:rejected -> no", ask)
    found = stated(machine.begin(graph), "waiting_human", machine)
    assert (found.kind, found.owner) == ("human", "people")
    assert list(found.names) == ["ines@example.com", "omar@example.com"]


def test_a_step_at_work_is_the_workers_affair(machine: Machine, world: World) -> None:
    run_id = machine.begin(flow("start -> pay", post("pay", f"{world.url}/with/slow=3000/invoices", INVOICE)))
    wait_until(lambda: statuses(run_id).get("pay") == "running")
    found = cause(run_id)
    assert found is not None
    assert (found.kind, found.owner) == ("working", "worker")
    assert machine.runtime is not None
    assert list(found.names) == [machine.runtime.boot_id]
    machine.finish(run_id)
    assert cause(run_id) is None


@pytest.mark.parametrize("status", [status.value for status in RunStatus if RANK[status] < 4])
@pytest.mark.parametrize("kind", sorted(OWNERS))
def test_every_state_has_one_cause(status: str, kind: str) -> None:
    waiting = f'{{"kind":"{kind}","since":1,"until":null,"node":"a"}}'
    leased = {**ROW, "status": status, "waiting": waiting, "lease_owner": "w", "lease_expires_at": 9, "wake_at": 9}
    assert (cause_of(leased, 5) or leased) == Because("working", "worker", ["w"], 1, 9, None)
    if OWNERS[kind] != "people":
        rests = cause_of({**ROW, "status": status, "waiting": waiting}, 5)
        assert rests is not None
        assert rests.owner == OWNERS[kind]
    here = {**ROW, "status": status, "waiting": waiting}
    stopped = cause_of({**here, "paused_at": 3, "paused_by": "api", "min_engine": HELD}, 5)
    assert stopped == Because("paused", "operator", ["api"], 3, None, None)
    held = cause_of({**ROW, "status": status, "waiting": waiting, "min_engine": HELD + 4}, 5)
    assert held == Because("held", "workflow", [], 1, None, None)
    due = cause_of({**ROW, "status": status, "wake_at": 4}, 5)
    assert (due is None) == (status in RESTS), "a state that rests says what for"


@pytest.mark.parametrize("waiting", [None, '{"kind":"godot","since":1,"until":null}'])
@pytest.mark.parametrize("status", sorted(RESTS))
def test_a_run_that_does_not_say_what_it_waits_for_is_found(machine: Machine, status: str, waiting: str | None) -> None:
    run_id = machine.begin(flow("start -> rest", pause("rest", 600)))
    stated(run_id, "waiting_timer", machine)
    Run.objects.filter(pk=run_id).update(status=status, waiting=waiting)
    assert api.orphans() == [run_id]
    assert cause(run_id) is None
    health = {item.id: item for item in api.system_health()}
    assert not health["orphans"].ok
    Run.objects.filter(pk=run_id).delete()
