"""A list whose items may begin at some times only: outside these none begins, and nothing else is in the way."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from runtime import api
from runtime.contracts.batches import BatchView
from runtime.store.models import Run, StepRun
from tests.runtime.machine import WORKSPACE, Machine, cut_short, fields, flow, look, pause, statuses, wait_until
from tests.runtime.test_own_runs import children, each, inside, mark_of_this_test

__all__ = ["mark_of_this_test"]


def times(hours: int, length: int = 1) -> dict[str, Any]:
    """Settings by which items may begin from so many hours from now on."""
    begin = datetime.now(UTC) + timedelta(hours=hours)
    end = begin + timedelta(hours=length)
    return {"window": "only", "window_from": f"{begin:%H}:00", "window_until": f"{end:%H}:00", "window_zone": "UTC"}


def opened(run_id: UUID) -> None:
    """The time has come: by its recorded settings it is open from now on."""
    row = StepRun.objects.get(run_id=run_id, node_id="each")
    assert row.input is not None
    text = row.input.replace('"window":"only"', '"window":"always"')
    assert text != row.input
    StepRun.objects.filter(run_id=run_id, node_id="each").update(input=text)
    Run.objects.filter(pk=run_id).update(wake_at=0)


def view(run_id: UUID) -> BatchView:
    return api.batch(workspace_id=WORKSPACE, run_id=run_id, node="each")


def test_within_its_times_a_list_is_gone_through_as_ever(any_machine: Machine) -> None:
    run = any_machine.run(flow("start -> each", each([1, 2, 3], **times(-1, 3)), *inside("each", fields("keep"))))
    assert run.status == "completed"
    assert len(children(run.id)) == 3


def test_outside_its_times_none_begins_and_the_run_says_when_it_goes_on(any_machine: Machine) -> None:
    run_id = any_machine.begin(flow("start -> each", each([1, 2, 3], **times(2)), *inside("each", fields("keep"))))
    run = any_machine.until(run_id, lambda run: run.waiting is not None and "goes_on_at" in run.waiting)
    assert run.waiting is not None
    opens = run.waiting["goes_on_at"]
    # The hour may turn before anybody looks.
    assert 3_600_000 - 90_000 < opens - any_machine.now_ms() <= 7_200_000
    assert "goes on at" in run.waiting["text"]
    assert not children(run_id)
    wait_until(lambda: Run.objects.get(pk=run_id).lease_owner is None)
    assert Run.objects.get(pk=run_id).wake_at == opens
    assert view(run_id).goes_on_at == opens
    assert not api.orphans()
    opened(run_id)
    assert any_machine.finish(run_id).status == "completed"
    assert len(children(run_id)) == 3
    assert view(run_id).goes_on_at is None


def test_those_under_way_when_the_time_is_over_end_and_no_further_one_begins(idle_machine: Machine) -> None:
    idle_machine.start()
    was, later = times(-1, 3), times(2)
    graph = flow("start -> each", each([1, 2, 3, 4], at_a_time=2, **was), *inside("each", pause("rest", 600)))
    run_id = idle_machine.begin(graph)
    idle_machine.until(run_id, lambda run: len(children(run_id)) == 2)
    idle_machine.crash()
    row = StepRun.objects.get(run_id=run_id, node_id="each")
    assert row.input is not None
    text = row.input
    for name in ("window_from", "window_until"):
        text = text.replace(f'"{name}":"{was[name]}"', f'"{name}":"{later[name]}"')
    StepRun.objects.filter(run_id=run_id, node_id="each").update(input=text)
    for child in children(run_id):
        cut_short(child.id)
    idle_machine.start()
    idle_machine.until(run_id, lambda run: bool(run.waiting) and "goes_on_at" in (run.waiting or {}))
    assert [child.status for child in children(run_id)] == ["completed"] * 2
    opened(run_id)
    idle_machine.until(run_id, lambda run: len(children(run_id)) == 4)

    def have_rested() -> bool:
        for child in children(run_id)[2:]:
            cut_short(child.id)
        return look(run_id).finished_at is not None

    wait_until(have_rested)
    assert idle_machine.finish(run_id).status == "completed"
    assert len(children(run_id)) == 4


def test_it_is_paused_resumed_and_cancelled_outside_its_times(machine: Machine) -> None:
    graph = flow("start -> each -> after", each([1], **times(2)), *inside("each", fields("keep")))
    run_id = machine.begin(graph)
    machine.until(run_id, lambda run: run.waiting is not None and "goes_on_at" in run.waiting)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    assert look(run_id).paused
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    machine.until(run_id, lambda run: run.waiting is not None and "goes_on_at" in run.waiting)
    time.sleep(0.2)
    assert not children(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, by=None)
    assert machine.finish(run_id).status == "cancelled"
    assert statuses(run_id).get("after") is None
