"""When a run was at work: its tries, and how many of its items were at work in each slice of time."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from runtime import api
from runtime.api import run_times
from runtime.contracts import NotFound
from runtime.contracts.run_times import Density, RunTimes
from runtime.store.models import Run, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import RETRY_SOON, WORKSPACE, Machine, flow, post
from tests.runtime.rows import a_version

ZERO = 1_795_167_667_000
INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}


def told(run_id: UUID, begin: int | None = None, end: int | None = None) -> RunTimes:
    return api.times(workspace_id=WORKSPACE, run_id=run_id, begin=begin, end=end)


def lived(*spans: tuple[int, int | None] | None, failed: frozenset[int] = frozenset()) -> Run:
    """A run with items that worked from when until when, ms after it was accepted (None: it has not yet)."""
    version = a_version('{"nodes": []}')
    row = {"workspace_id": WORKSPACE, "workflow_id": version.workflow_id, "version": version, "started_by": "api"}
    run = Run.objects.create(**row, trigger_node="start", status="running", accepted_at=ZERO, started_at=ZERO)
    for index, span in enumerate(spans):
        begun, ended = (None, None) if span is None else span
        Run.objects.create(
            **row, trigger_node="each", accepted_at=ZERO, parent_run_id=run.id, parent_node="each", item_index=index,
            started_at=None if begun is None else ZERO + begun,
            finished_at=None if ended is None else ZERO + ended,
            status="running" if ended is None else "dead_lettered" if index in failed else "completed",
        )  # fmt: skip
    return run


def only(found: RunTimes) -> Density:
    (one,) = found.items
    return one


@pytest.mark.django_db
def test_items_at_work_are_added_up_by_slices_of_time() -> None:
    # Ten at once for the first half; then one, which fails.
    run = lived(*[(0, 799) for _ in range(10)], (800, 1599), failed=frozenset({10}))
    one = only(told(run.id))
    assert (one.node, one.runs, one.width, len(one.slices)) == ("each", 11, 10, 160)
    assert (one.first, one.last, one.from_) == (run.accepted_at, run.accepted_at + 1599, run.accepted_at)
    assert {part.busy for part in one.slices[:80]} == {10.0}
    assert {part.busy for part in one.slices[80:]} == {1.0}
    assert (one.slices[79].done, one.slices[79].failed) == (10, 0)
    assert (one.slices[159].done, one.slices[159].failed) == (0, 1)
    assert sum(part.done + part.failed for part in one.slices) == 11


@pytest.mark.django_db
def test_work_that_ends_within_a_slice_counts_for_its_part_of_it() -> None:
    run = lived(*[(0, 4) for _ in range(20)], (0, 1599))
    one = only(told(run.id))
    assert one.slices[0].busy == 11.0, "twenty for half of it, and one for all of it"
    assert one.slices[1].busy == 1.0


@pytest.mark.django_db
def test_a_stretch_of_a_run_has_finer_slices_and_what_lies_outside_is_cut_off() -> None:
    run = lived(*[(start, start + 99) for start in range(0, 3200, 100)])
    whole, part = only(told(run.id)), only(told(run.id, 1050, 1210))
    assert (whole.width, part.width, len(part.slices)) == (20, 1, 160)
    assert part.from_ == run.accepted_at + 1050
    assert {one.busy for one in part.slices} == {1.0}
    assert [number for number, one in enumerate(part.slices) if one.done] == [49, 149]
    assert (part.first, part.last) == (whole.first, whole.last)
    assert only(told(run.id, 900_000, 901_000)).slices == []
    assert only(told(run.id, 20, 10)).slices == []


@pytest.mark.django_db
def test_an_open_item_is_at_work_until_now_also_while_it_waits_for_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    run = lived(*[(0, 99) for _ in range(11)], (100, None), None)
    monkeypatch.setattr(run_times, "database_now", lambda: run.accepted_at + 1599)
    one = only(told(run.id))
    assert (one.runs, one.last) == (13, run.accepted_at + 1599)
    assert [one.slices[number].busy for number in (0, 9, 10, 159)] == [12.0, 12.0, 2.0, 2.0]


@pytest.mark.django_db
def test_few_items_are_not_added_up() -> None:
    run = lived(*[(0, 99) for _ in range(run_times.FEW)])
    assert only(told(run.id)).slices == []
    assert only(told(run.id)).runs == run_times.FEW


@pytest.mark.django_db
def test_items_that_took_no_time_are_seen() -> None:
    one = only(told(lived(*[(7, 7) for _ in range(30)]).id))
    assert [(part.busy, part.done) for part in one.slices] == [(30.0, 30)]


@pytest.mark.django_db
def test_twenty_thousand_items_are_asked_for_in_a_few_statements(django_assert_max_num_queries: object) -> None:
    run = lived(*[(number, number + 400) for number in range(0, 4000, 10)])
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        assert len(only(told(run.id)).slices) <= run_times.MOST_SLICES


def test_the_tries_of_a_step_are_told_with_when_each_began_and_what_it_ended_with(
    machine: Machine, world: World
) -> None:
    call = post("pay", f"{world.url}/with/fail=503*2/invoices", INVOICE, retry=RETRY_SOON)
    run = machine.run(flow("start -> pay -> b", call))
    tries = told(run.id).tries
    assert [(one.node, one.attempt, one.status) for one in tries] == [
        ("pay", 1, "failed"), ("pay", 2, "failed"), ("pay", 3, "succeeded")
    ]  # fmt: skip
    assert [one.at for one in tries] == sorted(one.at for one in tries)
    assert [None if one.error is None else one.error["http_status"] for one in tries] == [503, 503, None]
    step = StepRun.objects.get(run_id=run.id, node_id="pay")
    assert step.started_at is not None
    assert step.started_at <= tries[0].at, "the bar begins with the first try"
    assert told(machine.run(flow("start -> a -> b")).id).tries == []


@pytest.mark.django_db
def test_a_run_of_others_is_not_told_of() -> None:
    with pytest.raises(NotFound):
        api.times(workspace_id=WORKSPACE, run_id=uuid4())


@pytest.mark.django_db
def test_items_can_be_read_from_a_number_on() -> None:
    run = lived(*[(0, 99) for _ in range(9)])
    page = api.items(workspace_id=WORKSPACE, run_id=run.id, node="each", first=4, limit=3)
    assert [one.index for one in page.items] == [4, 5, 6]
    rest = api.items(workspace_id=WORKSPACE, run_id=run.id, node="each", first=4, after=page.next_cursor, limit=3)
    assert [one.index for one in rest.items] == [7, 8]
