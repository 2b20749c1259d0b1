"""One run that nobody works on: how many are before it, how long that takes, and whether it is stuck."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, AlreadyFinished, NotFound, NotStartable
from runtime.contracts.figures import InLine
from runtime.engine.ids import uuid7
from runtime.store import in_line
from runtime.store.dialect import database_now
from runtime.store.figure_models import Figure, StandingFigure
from runtime.store.models import Hold, Run
from runtime.store.statements import HELD, LEASE_MS
from tests.runtime.machine import WORKSPACE, Machine, fields, flow
from tests.runtime.rows import a_version

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(workflow_id: UUID, since_ms: int, **columns: Any) -> UUID:
    made = Run.objects.create(
        workspace_id=WORKSPACE, workflow_id=workflow_id, version=columns.pop("version", None) or a_version(),
        trigger_node="start", started_by="test", accepted_at=1,
        **{"status": "accepted", "wake_at": database_now() - since_ms, **columns},
    )  # fmt: skip
    return made.pk


def stands(run_id: UUID) -> Any:
    return api.run_stands(workspace_id=WORKSPACE, run_id=run_id)


def test_the_line_is_that_of_the_own_workflow_and_of_those_that_nobody_has() -> None:
    mine, other, version = uuid7(), uuid7(), a_version()
    run_id = waiting(mine, 2_000, version=version)
    for since in (3_000, 4_000, 5_000):
        waiting(mine, since, version=version)
    waiting(mine, 1_000, version=version)
    waiting(other, 9_000, version=version)
    leased = {"lease_owner": "w", "lease_expires_at": database_now() + LEASE_MS}
    waiting(mine, 8_000, version=version, **leased)
    assert stands(run_id).line == InLine(3, False, None)
    assert stands(run_id).stuck is None


def test_more_than_a_thousand_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_line, "MOST_AHEAD", 2)
    mine, version = uuid7(), a_version()
    run_id = waiting(mine, 2_000, version=version)
    for since in (3_000, 4_000, 5_000):
        waiting(mine, since, version=version)
    assert stands(run_id).line == InLine(2, True, None)


def test_how_long_it_takes_goes_by_the_minutes_in_which_there_was_a_line() -> None:
    mine, version = uuid7(), a_version()
    run_id = waiting(mine, 2_000, version=version)
    for since in range(20):
        waiting(mine, 3_000 + since, version=version)
    minute = (database_now() // 60_000 - 2) * 60_000
    for at, queue, started in ((minute, 40, 60), (minute - 60_000, 0, 1)):
        StandingFigure.objects.create(workspace_id=WORKSPACE, level=60, at=at, queue=queue)
        Figure.objects.create(workspace_id=WORKSPACE, level=60, workflow_id=mine, at=at, started=started)
    assert stands(run_id).line == InLine(20, False, 20)


def test_a_run_of_a_paused_workflow_stands_in_no_line() -> None:
    mine = uuid7()
    run_id = waiting(mine, 2_000)
    Hold.objects.create(workflow_id=mine, workspace_id=WORKSPACE, since=1, by="api", cause="person", mode="held")
    assert stands(run_id).line is None


def test_a_run_whose_worker_is_gone_is_stuck_since_its_last_sign_of_life() -> None:
    over = database_now() - 40_000
    run_id = waiting(uuid7(), 40_000, status="running", lease_owner="w", lease_expires_at=over, wake_at=over)
    found = stands(run_id).stuck
    assert (found.reason, found.since, found.workers, found.may_take_up) == ("lease_over", over - LEASE_MS, 0, False)
    assert found.expected_ms == 30_000


def test_a_run_that_nobody_takes_is_stuck_unless_others_come_first() -> None:
    mine, version = uuid7(), a_version()
    first, second = waiting(mine, 50_000, version=version), waiting(mine, 40_000, version=version)
    assert stands(first).stuck.reason == "not_taken"
    assert stands(second) == api.run_stands(workspace_id=WORKSPACE, run_id=second)
    assert (stands(second).stuck, stands(second).line.ahead) == (None, 1)


def test_a_run_that_was_set_aside_is_taken_up_again_once(machine: Machine) -> None:
    machine.stop()
    run_id = machine.begin(flow("start -> a", fields("a")))
    Run.objects.filter(pk=run_id).update(status="parked", wake_at=None, claims=6)
    assert stands(run_id).stuck.reason == "set_aside"
    assert stands(run_id).stuck.may_take_up
    for _ in range(2):
        api.take_up(workspace_id=WORKSPACE, run_id=run_id)
    resumed = [one for one in api.trail(workspace_id=WORKSPACE, run_id=run_id).items if one.kind == "resume"]
    assert len(resumed) == 1
    machine.start()
    assert machine.finish(run_id).status == "completed"
    with pytest.raises(AlreadyFinished):
        api.take_up(workspace_id=WORKSPACE, run_id=run_id)


def test_only_what_was_set_aside_is_taken_up() -> None:
    with pytest.raises(AlreadyDecided):
        api.take_up(workspace_id=WORKSPACE, run_id=waiting(uuid7(), 1_000))
    with pytest.raises(NotFound):
        api.take_up(workspace_id=WORKSPACE, run_id=uuid7())
    with pytest.raises(NotFound):
        stands(uuid7())


def test_only_runs_that_a_worker_may_take_are_before_another_one() -> None:
    mine, version = uuid7(), a_version()
    run_id = waiting(mine, 2_000, version=version, status="running")
    waiting(mine, 3_000, version=version, paused_at=1, min_engine=1 + HELD)
    assert stands(run_id).line == InLine(0, False, None)
    # Accepted before its workflow was paused: no worker takes it until that is over. What is under way goes on.
    waiting(mine, 4_000, version=version)
    waiting(mine, 5_000, version=version, status="running")
    assert stands(run_id).line == InLine(2, False, None)
    Hold.objects.create(workflow_id=mine, workspace_id=WORKSPACE, since=1, by="api", cause="person", mode="held")
    assert stands(run_id).line == InLine(1, False, None)


def test_a_run_that_was_set_aside_and_paused_is_resumed_first() -> None:
    run_id = waiting(uuid7(), 1_000)
    Run.objects.filter(pk=run_id).update(status="parked", wake_at=None, claims=6)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    with pytest.raises(NotStartable, match="Resume it first") as caught:
        api.take_up(workspace_id=WORKSPACE, run_id=run_id)
    assert caught.value.code == "run_paused"
    assert Run.objects.get(pk=run_id).wake_at is None
    assert "resume" not in [one.kind for one in api.trail(workspace_id=WORKSPACE, run_id=run_id).items]
