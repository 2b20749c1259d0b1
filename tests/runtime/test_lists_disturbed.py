"""Lists while something is amiss: nothing begins twice, nobody looks without a pause, no turn is held for nobody."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from runtime import api
from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.interpreter import payloads
from runtime.interpreter.own_look import Look
from runtime.interpreter.payloads import Reference
from runtime.store.models import BudgetTurn, ItemKey, Run
from runtime.worker import loads
from tests.runtime.budgeting import Target, call, key, limit, target
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, wait_until
from tests.runtime.test_hours import times
from tests.runtime.test_own_runs import call as call_company
from tests.runtime.test_own_runs import children, each, inside, mark_of_this_test
from tests.runtime.test_table_pages import each as each_row
from tests.runtime.test_table_pages import kept, numbers

__all__ = ["key", "mark_of_this_test", "target"]

BODY = fields("name", of="{{ item.Number }}")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The runs whose lists were looked at, one entry a look."""
    seen: list[UUID] = []
    take = Look.take

    async def noted(look: Look) -> bool:
        seen.append(look.driver.claimed.run_id)
        return await take(look)

    monkeypatch.setattr(Look, "take", noted)
    return seen


def test_of_a_page_that_cannot_be_stored_nothing_begins_before_it_is(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    asked, put_aside = itertools.count(), payloads.put_aside

    def away(text: str, *, workspace_id: UUID, name: str) -> Reference:
        if "-page-1" in name and next(asked) < 2:
            assert not Run.objects.filter(parent_node="each").exists()
            raise StoreUnavailable("The database is away.")
        return put_aside(text, workspace_id=workspace_id, name=name)

    monkeypatch.setattr(loads, "put_aside", away)
    long = b"\r\n".join([b"Number;Text", *(b"%d;%s" % (number, b"x" * 5_000) for number in range(1, 41)), b""])
    graph = flow("start -> each", each_row(key_column="Number", at_a_time=2), *inside("each", BODY))
    run_id = machine.begin(graph, kept(long))
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id).exists())
    machine.crash()
    machine.start()
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert next(asked) >= 2
    assert numbers(run_id) == list(range(1, 41))
    assert ItemKey.objects.filter(run_id=run_id).count() == 40


def test_what_begins_in_one_commit_is_not_begun_once_more_before_it(machine: Machine) -> None:
    lines: list[Any] = list(range(60))
    graph = flow("start -> each", each(at_a_time=30, stop="never"), *inside("each", fields("name")))
    for _ in range(3):
        run = machine.run(graph, {"lines": lines})
        assert run.status == "completed", run
        assert [one.item_index for one in children(run.id)] == lines
    assert machine.runtime is not None
    assert machine.runtime.pump is not None
    assert machine.runtime.pump.lost == 0, "nobody was begun whose row is another's"


def test_a_list_that_is_cancelled_waits_for_what_is_under_way_without_asking_again_and_again(
    machine: Machine, world: World, looks: list[UUID]
) -> None:
    lines: list[Any] = list(range(40))
    body = inside("each", call_company("ask", world, "slow=2000"))
    run_id = machine.begin(flow("start -> each", each(at_a_time=40), *body), {"lines": lines})
    # No more have room at first than these; the list looks for more room a quarter of a second later.
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id, status="running").count() >= 10)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, by=None)
    before = len(looks)
    assert machine.finish(run_id).status == "cancelled"
    assert len(looks) - before < 100


def test_a_page_that_is_read_once_more_is_waited_for_and_not_looked_for(
    machine: Machine, target: Target, key: UUID, looks: list[UUID]
) -> None:
    target.refuse, target.retry_after, target.slow = 1, 1, 1.0
    once_more = {"retry": {"attempts": 3, "strategy": "fixed", "first_seconds": 0.1, "jitter": 0}}
    read = each([], source="pages", url="http://practice-company/rows", list_path="rows", next_by="page",
                connection=str(key), at_a_time=2, settings=once_more)  # fmt: skip
    run = machine.run(flow("start -> each", read, *inside("each", fields("keep"))))
    assert run.status == "completed", run
    assert len(children(run.id)) == 8
    assert len(looks) < 150


def test_the_turn_of_a_page_that_is_not_read_any_more_is_another_s(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, at_once=1, machines=(machine,))
    graph = flow("start -> each", each([1], **times(2)), *inside("each", fields("keep")))
    closed = machine.begin(graph)
    machine.until(closed, lambda run: run.waiting is not None and "goes_on_at" in run.waiting)
    row = Run.objects.get(pk=closed)
    BudgetTurn.objects.create(
        connection_id=key, workflow_id=row.workflow_id, run_id=closed, node_id="each", generation=1, place=1,
        state="given", rank=0, asked_at=0, given_at=machine.now_ms() - 31_000, owner="gone", token=uuid7().int % 1_000,
    )  # fmt: skip
    assert machine.run(flow("start -> ask", call("ask", key))).status == "completed"
    assert not BudgetTurn.objects.filter(run_id=closed).exists()


def test_a_process_knows_what_is_limited_before_it_takes_up_anything(idle_machine: Machine, key: UUID) -> None:
    limit(key, 5)
    runtime = idle_machine.start()
    assert runtime._budgets is not None
    assert key in runtime._budgets.known
