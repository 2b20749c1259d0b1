"""A batch says which system makes it slower than it began, and only where that is plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.api.batch_pace import slowing
from runtime.contracts.batches import Slowing
from runtime.interpreter.versions import parsed
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, post
from tests.runtime.test_batches import statements
from tests.runtime.test_own_runs import inside

MADE: set[UUID] = set()


def columns(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def became(run_id: UUID, took: list[int], ago_ms: int) -> None:
    """More entries like the first one: a call of each took so long, and the last has ended so long ago."""
    first = Run.objects.filter(parent_run_id=run_id).order_by("item_index")[0]
    call = Attempt.objects.get(run_id=first.id, status="succeeded")
    begun, now = Run.objects.filter(parent_run_id=run_id).count(), database_now()
    runs, calls = [], []
    for number, duration in enumerate(took):
        ended = now - ago_ms - len(took) + number
        own = UUID(int=first.id.int + begun + number)
        runs.append(Run(**{**columns(first), "id": own, "item_index": begun + number, "finished_at": ended}))
        told = {"run_id": own, "started_at": ended - duration, "finished_at": ended}
        calls.append(Attempt(**{**columns(call), **told}))
    Run.objects.bulk_create(runs)
    Attempt.objects.bulk_create(calls)
    MADE.update(run.id for run in runs)


@pytest.fixture(autouse=True)
def gone_again(transactional_db: None) -> Iterator[None]:
    """They are rows that no run has written: none of them is left for whoever checks what runs write."""
    MADE.clear()
    yield
    Attempt.objects.filter(run_id__in=MADE).delete()
    Run.objects.filter(pk__in=MADE).delete()


def made(machine: Machine, world: World) -> UUID:
    pay = post("pay", f"{world.url}/invoices", {"order": "{{ item.number }}", "customer": "C", "amount": 1})
    return machine.run(flow("start -> each", statements([{"number": "S-1"}]), *inside("each", pay))).id


def told(run_id: UUID) -> Slowing | None:
    graph = parsed(Run.objects.values_list("version_id", flat=True).get(pk=run_id)).graph.body("each")
    return slowing(WORKSPACE, Run.objects.filter(parent_run_id=run_id), graph, database_now())


def test_the_system_whose_calls_take_twice_as_long_as_at_the_beginning_is_named(
    any_machine: Machine, world: World
) -> None:
    run_id = made(any_machine, world)
    became(run_id, [800] * 60, 3_600_000)
    assert told(run_id) is None, "nothing ended lately"
    became(run_id, [2_400] * 60, 0)
    assert told(run_id) == Slowing("practice-company", "pay", 2_400, 800)
    # It is over: how it went is no news.
    assert api.batch(workspace_id=WORKSPACE, run_id=run_id, node="each").slowing is None


def test_what_is_a_little_slower_or_short_anyway_is_not_told(machine: Machine, world: World) -> None:
    run_id = made(machine, world)
    became(run_id, [800] * 60, 3_600_000)
    became(run_id, [1_500] * 60, 0)
    assert told(run_id) is None
    other = made(machine, world)
    became(other, [10] * 60, 3_600_000)
    became(other, [200] * 60, 0)
    assert told(other) is None


def test_of_few_entries_nothing_is_said(machine: Machine, world: World) -> None:
    run_id = made(machine, world)
    became(run_id, [100] * 10, 3_600_000)
    became(run_id, [9_000] * 25, 0)
    assert told(run_id) is None, "the last ones are among the first"
