"""I38: with too little room nothing is begun, with hardly any nothing is accepted, and both end by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from runtime import api
from runtime.api import health
from runtime.contracts import StoreUnavailable
from runtime.store import brake
from runtime.store.brake import BRAKE
from runtime.store.models import Event, Run, Trigger
from runtime.store.writer import Writer
from runtime.worker import guard
from tests.runtime.door import knock
from tests.runtime.machine import Machine, flow, look, post, rung_and_swept, step, wait_until
from tests.runtime.rows import a_webhook

MIB = 1024 * 1024
#: Of a floor of 200 MiB.
LOW, FULL, ROOMY = 150 * MIB, 50 * MIB, 5_000 * MIB


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Say how much room there is, to the guard as well."""
    monkeypatch.setattr(guard, "LOOK_SECONDS", 0.02)

    def leave(free: int) -> None:
        monkeypatch.setattr(brake, "free_bytes", lambda: free)
        monkeypatch.setattr(health, "free_bytes", lambda: free)
        BRAKE.look()

    yield leave
    leave(ROOMY)


def disk_line() -> tuple[bool, str]:
    line = next(item for item in api.system_health() if item.id == "disk")
    return line.ok, line.detail


def test_with_little_room_runs_are_accepted_and_not_begun_until_there_is_more(
    machine: Machine, room: Callable[[int], None]
) -> None:
    room(LOW)
    run_id = machine.begin(flow("start -> a"))
    accepted = Run.objects.get(pk=run_id)
    assert accepted.lease_owner is None, "a lease would have to be kept"
    rung_and_swept(machine, run_id)
    assert look(run_id).status == "accepted"
    assert Run.objects.get(pk=run_id).lease_token == accepted.lease_token
    assert api.orphans() == []
    assert disk_line() == (False, "Only 150 MiB are left in DATA_DIR. Events are accepted, and no run is begun.")
    room(ROOMY)
    assert machine.finish(run_id).status == "completed"
    assert disk_line() == (True, "4.9 GiB are free in DATA_DIR.")


def test_a_run_that_was_begun_goes_on_with_little_room(
    machine: Machine, world: object, room: Callable[[int], None]
) -> None:
    slow = post("pay", "http://practice-company/invoices", {"order": "{{ run.id }}", "customer": "C", "amount": "1"})
    slow["config"]["headers"] = [{"name": "X-Practice-Behaviour", "value": "slow=3000"}]
    run_id = machine.begin(flow("start -> pay -> b", slow))
    machine.until(run_id, lambda run: run.status == "running")
    room(LOW)
    assert machine.finish(run_id).status == "completed"


def test_with_hardly_any_room_the_door_answers_503_and_stores_nothing(
    writer: Writer, room: Callable[[int], None]
) -> None:
    a_webhook()
    room(FULL)
    for body in (b"{}", b'"' + b"x" * 100_000 + b'"'):
        refused = knock(writer, body=body)
        assert (refused.status, refused.header("retry-after")) == (503, "2")
    assert Event.objects.count() == 0
    room(LOW)
    assert knock(writer).status == 202


def test_with_hardly_any_room_no_start_by_hand_is_accepted(machine: Machine, room: Callable[[int], None]) -> None:
    workflow_id = machine.publish(flow("start -> a"))
    room(FULL)
    with pytest.raises(StoreUnavailable):
        machine.begin_again(workflow_id)
    assert disk_line() == (
        False,
        "Only 50 MiB are left in DATA_DIR. Nothing is accepted, and no run is begun.",
    )
    room(ROOMY)
    assert machine.finish(machine.begin_again(workflow_id)).status == "completed"


def test_an_instant_that_passes_meanwhile_is_made_up_for(machine: Machine, room: Callable[[int], None]) -> None:
    start = step("start", "trigger.schedule@1", {"repeat": "every", "every": 1, "unit": "days", "at": "09:00"})
    workflow_id = machine.publish(flow("start -> a", start))
    room(FULL)
    Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=86_400_000)
    ticker = machine.runtime and machine.runtime.ticker
    assert ticker
    machine.on_loop(ticker._tick())
    assert Event.objects.count() == 0
    room(ROOMY)
    wait_until(lambda: Run.objects.filter(workflow_id=workflow_id, status="completed").count() == 1)


def test_a_floor_of_nothing_leaves_it_to_the_disk(settings: object, room: Callable[[int], None]) -> None:
    settings.FREE_SPACE_FLOOR_MIB = 0  # type: ignore[attr-defined]
    room(0)
    assert not BRAKE.is_on
    BRAKE.refuse_when_full()
