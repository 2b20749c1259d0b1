"""What a fault of the house, and not of the business, may cost: a little time, and nothing else (I10, I19, I20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import StoreUnavailable
from runtime.interpreter import Driver
from runtime.interpreter.payloads import Reference
from runtime.store import artifacts
from runtime.store.models import Artifact, Attempt, Event, Run
from runtime.worker import loads
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, post, statuses, unsafe_post, wait_until

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}
LARGE = "x" * 70_000


class FullDisk:
    """Has no room for the documents of one name the first so many times it is asked."""

    def __init__(self, name: str, times: int) -> None:
        self.name = name
        self.left = times

    def keep(self, workspace_id: UUID, text: str, name: str) -> Reference:
        if name == self.name and self.left > 0:
            self.left -= 1
            raise StoreUnavailable("no space left on the device")
        return KEEP(workspace_id, text, name)


KEEP = loads.keep


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.interpreter.driver.AGAIN_SECONDS", 0.05)
    monkeypatch.setattr("runtime.worker.pump._AGAIN_MS", 50)


def test_an_answer_that_cannot_be_stored_yet_is_kept_and_its_call_is_not_made_again(
    machine: Machine, world: World, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk("pay.json", 4)
    monkeypatch.setattr(loads, "keep", disk.keep)
    monkeypatch.setattr("runtime.interpreter.attempts.INLINE_CHARACTERS", 100)
    run = machine.run(flow("start -> pay -> b", unsafe_post("pay", f"{world.url}/invoices", INVOICE)))
    assert run.status == "completed", run.error
    assert disk.left == 0
    assert len(world.invoices(str(run.id))) == 1
    assert [attempt.status for attempt in Attempt.objects.filter(run_id=run.id)] == ["succeeded"]


def test_what_has_happened_is_committed_before_the_next_step_finds_room(
    machine: Machine, world: World, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk("second-input.json", 1_000_000)
    monkeypatch.setattr(loads, "keep", disk.keep)
    run_id = machine.begin(
        flow(
            "start -> first -> second",
            unsafe_post("first", f"{world.url}/invoices", INVOICE),
            post("second", f"{world.url}/invoices", {**INVOICE, "memo": LARGE}),
        )
    )
    wait_until(lambda: disk.left < 999_997)
    assert statuses(run_id)["first"] == "succeeded"
    assert [attempt.status for attempt in Attempt.objects.filter(run_id=run_id)] == ["succeeded"]
    disk.left = 0
    assert machine.finish(run_id).status == "completed"
    assert {attempt.attempt for attempt in Attempt.objects.filter(run_id=run_id)} == {1}, "a full disk costs no try"


def test_a_pure_result_that_cannot_be_stored_yet_holds_up_its_own_branch_only(
    machine: Machine, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk("big.json", 1_000_000)
    monkeypatch.setattr(loads, "keep", disk.keep)
    run_id = machine.begin(flow("start -> big -> a, start -> b -> c", fields("big", text=LARGE)))
    wait_until(lambda: statuses(run_id).get("c") == "succeeded")
    wait_until(lambda: disk.left < 999_998)
    disk.left = 0
    assert machine.finish(run_id).status == "completed"


def test_a_cancel_is_not_held_up_by_a_full_disk(machine: Machine, soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk("big.json", 1_000_000)
    monkeypatch.setattr(loads, "keep", disk.keep)
    run_id = machine.begin(flow("start -> big -> a", fields("big", text=LARGE)))
    wait_until(lambda: disk.left < 999_999)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "cancelled"


def test_a_lease_that_lapsed_unnoticed_stays_with_the_worker_that_lives(
    idle_machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.worker.pump.HEARTBEAT_SECONDS", 3600)
    idle_machine.start(sweep_seconds=0.05)
    run_id = idle_machine.begin(
        flow("start -> pay -> a", unsafe_post("pay", f"{world.url}/with/slow=3000/invoices", INVOICE))
    )
    wait_until(lambda: Attempt.objects.filter(run_id=run_id, status="intent").exists())
    assert idle_machine.runtime is not None
    pump = idle_machine.runtime.pump
    assert pump is not None
    # A claim that was asked for before the run was begun does not know of it; no lease lapses so soon.
    wait_until(lambda: pump._asking is None)
    # As after an outage, or when the database's clock was put forward.
    Run.objects.filter(pk=run_id).update(lease_expires_at=1, wake_at=1)
    run = idle_machine.finish(run_id)
    assert run.status == "completed", run.error
    assert [attempt.status for attempt in Attempt.objects.filter(run_id=run_id)] == ["succeeded"]
    assert len(world.invoices(str(run_id))) == 1


def test_an_event_whose_bytes_are_gone_stops_its_own_run_only(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(flow("start -> a"))
    run_ids = [idle_machine.begin_again(workflow_id, {"text": LARGE}) for _ in range(6)]
    lost = Run.objects.get(pk=run_ids[2])
    assert lost.event_id is not None
    artifact_id = Event.objects.get(pk=lost.event_id).body_artifact_id
    assert artifact_id is not None
    (artifacts.directory() / Artifact.objects.get(pk=artifact_id).location).unlink()
    idle_machine.start()
    ends = {run_id: idle_machine.finish(run_id) for run_id in run_ids}
    assert {run_id: run.status for run_id, run in ends.items() if run_id != run_ids[2]} == {
        run_id: "completed" for run_id in run_ids if run_id != run_ids[2]
    }
    failed = ends[run_ids[2]]
    assert failed.status == "dead_lettered"
    assert failed.error is not None
    assert failed.error["code"] == "document_damaged"
    assert str(artifact_id) in failed.error["message"]


def test_a_run_that_cannot_be_begun_is_set_aside_and_the_runs_claimed_with_it_go_on(
    idle_machine: Machine, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow_id = idle_machine.publish(flow("start -> a"))
    run_ids = [idle_machine.begin_again(workflow_id) for _ in range(4)]

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def load(claimed: Any, *versions: Any) -> Any:
            if any(one.run_id == run_ids[1] for one in claimed):
                raise ValueError("nobody foresaw this")
            return real(claimed, *versions)

        return load

    # Whether a sweep or the bell leads to it: what started it is then read, or at hand.
    for way in ("load", "at_hand"):
        monkeypatch.setattr(loads, way, failing(getattr(loads, way)))
    idle_machine.start(sweep_seconds=0.05)
    assert {idle_machine.finish(run_ids[index]).status for index in (0, 2, 3)} == {"completed"}
    assert idle_machine.until(run_ids[1], lambda run: run.status == "parked").status == "parked"


def test_a_run_that_can_never_be_advanced_is_set_aside_after_a_few_claims(
    idle_machine: Machine, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven: list[UUID] = []

    async def drive(self: Driver) -> None:
        driven.append(self.claimed.run_id)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(Driver, "drive", drive)
    idle_machine.start(sweep_seconds=0.05)
    run_id = idle_machine.begin(flow("start -> a"))
    idle_machine.until(run_id, lambda run: run.status == "parked")
    assert 2 <= len(driven) <= 5
    assert look(run_id).error is not None
