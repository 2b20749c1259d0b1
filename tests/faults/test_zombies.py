"""F9: a worker is stopped for longer than its lease and wakes up when another has done its work."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import linear
from tests.faults.processes import Child, HarnessFailed, wait_until
from tests.faults.rows import Export

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

POINTS = (
    # Inside a transaction, with the run's row locked.
    "step.result:before",
    "step.intent:after",
    "step.effect:before",
    "step.effect:after",
    "step.intent:before",
    "step.result:after",
)
#: The effect was begun by the zombie, its intent durable, when it fell asleep: it may finish it, once, with its key.
MAY_FINISH = ("step.intent:after", "step.effect:before")


def test_a_worker_that_slept_through_its_lease_changes_nothing(make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant("postgres", workers=2)
    plant.start(linear(respond="immediately", second="slow=7000"))
    path = plant.published["Linear"].path
    waited: list[float] = []
    finished_late = 0
    points = POINTS[: figures.number("ZOMBIES", 1, len(POINTS))]
    for number, point in enumerate(points):
        key = f"z{seed:x}-{number}-"
        mark = plant.company.last()
        workers = [child for child in plant.children if child.kind == "worker"]
        for worker in workers:
            worker.arm(f"{point}=stop@nth(1)")
        plant.senders.insist(path, key)
        wait_until(lambda: any(map(stopped, workers)), f"a worker stops at {point}", pause=0.002)  # noqa: B023
        asleep = time.monotonic()
        zombie = next(worker for worker in workers if stopped(worker))
        other = next(worker for worker in workers if worker is not zombie)
        other.arm("")
        # Taken over, the first step carried out, the second one under way: now the sleeper wakes.
        wait_until(
            lambda: any(call.step == "second" for call in plant.company.calls(after=mark, prefix=key)),  # noqa: B023
            f"the other worker takes over ({point})",
            seconds=90,
            pause=0.05,
        )
        waited.append(time.monotonic() - asleep)
        before = but_for_heartbeats(plant.database.export(key))
        calls = plant.company.calls(after=mark, prefix=key)
        zombie.signal(signal.SIGCONT)
        zombie.arm("")
        time.sleep(3)
        assert but_for_heartbeats(plant.database.export(key)) == before, f"{point}: the sleeper wrote"
        wait_until(lambda: plant.ended(key), "the run ends")  # noqa: B023
        time.sleep(1)
        late = plant.company.calls(after=mark, prefix=key)[len(calls) :]
        finished_late += len(late)
        assert len(late) <= (point in MAY_FINISH), f"{point}: the sleeper called {late}"
        assert not any(call.applied for call in late), f"{point}: the sleeper's call took effect again: {late}"
        assert {one.worker for one in plant.database.export(key).attempts if one.node == "second"} == {other.boot_id}
        assert not zombie.is_dead(), zombie.tail()
        # It is of use again.
        plant.senders.insist(path, f"{key}after")
        wait_until(lambda: plant.ended(f"{key}after"), "the next run ends")  # noqa: B023
        found = plant.check(key, after=mark, outage_ms=60_000)
        assert [one for one in found if one.rule != "REPEAT" or not late] == []
    figures.tell(
        "a worker that sleeps",
        "postgres",
        seed=f"{seed:x}",
        points=list(points),
        rows_written_by_sleepers=0,
        second_effects=0,
        calls_finished_late=finished_late,
        takeover_p50=figures.quantile(waited, 0.5),
        takeover_most=figures.quantile(waited, 1.0),
        seconds=round(time.monotonic() - began),
    )
    assert max(waited) <= 21, f"taken over after {waited}"
    assert plant.complaints() == []


def but_for_heartbeats(rows: Export) -> Export:
    """The rows without the times that the living holder moves on."""
    return replace(rows, runs=[replace(run, lease_expires_at=None, wake_at=None) for run in rows.runs])


def stopped(child: Child) -> bool:
    """Whether the process has been stopped by a signal."""
    try:
        stat = Path(f"/proc/{child.pid}/stat").read_text()
    except FileNotFoundError:
        raise HarnessFailed(f"{child.kind} {child.pid} is gone:\n{child.tail()}") from None
    return stat.rpartition(")")[2].split()[0] == "T"
