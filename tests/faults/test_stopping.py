"""I31: SIGTERM hands everything back: the difference to a kill is only speed. And what must not be repeated is not."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear, unrepeatable
from tests.faults.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_a_worker_that_is_told_to_stop_hands_its_runs_over_at_once(make_plant: MakePlant) -> None:
    seed = figures.seed()
    prefix = f"t{seed:x}-"
    plant = make_plant("postgres", workers=1)
    # Half of the calls end within the grace, half do not: those are sent again, with their key, by the next worker.
    longest = 9_500 if figures.everything() else 3_000
    quick, slow = linear(respond="immediately", slow=1_000), linear(respond="immediately", slow=longest, name="Slow")
    plant.start(quick, slow, branching())
    first = plant.of("worker")
    for number in range(12):
        name = ("Linear", "Slow", "Branching")[number % 3]
        plant.senders.insist(plant.published[name].path, f"{prefix}{number:02d}")
    wait_until(lambda: len(plant.company.calls(prefix=prefix)) >= 8, "the calls have begun")
    second = plant.spawn("worker")
    plant.ready(second)
    at = time.monotonic()
    first.signal(signal.SIGTERM)
    assert first.is_dead(90), f"it does not stop:\n{first.tail()}"
    took = time.monotonic() - at
    plant.buried(first)
    held = [one for one in plant.unfinished(prefix) if (one[2] or "").startswith(f"worker-{first.pid}-")]
    code = plant.cradle.exit_code(first)
    wait_until(lambda: not plant.unfinished(prefix), "all runs end", seconds=90, pause=0.1)
    ended = time.monotonic() - at
    violations = plant.check(prefix)
    figures.tell(
        "SIGTERM",
        "postgres",
        stopped_after=round(took, 2),
        exit_code=code,
        leases_left=len(held),
        runs=12,
        all_ended_after=round(ended, 1),
        violations=len(violations),
    )
    assert code == 0
    assert held == []
    assert violations == []
    assert plant.complaints() == []


def test_a_process_that_is_told_to_stop_goes_on_where_it_was(make_plant: MakePlant) -> None:
    seed = figures.seed()
    prefix = f"u{seed:x}-"
    plant = make_plant("sqlite")
    plant.start(linear(respond="immediately", slow=300), branching(slow=300))
    for round_ in range(figures.number("RESTARTS", 2, 10)):
        for number in range(10):
            name = ("Linear", "Branching")[number % 2]
            plant.senders.insist(plant.published[name].path, f"{prefix}{round_:02d}-{number:02d}")
        time.sleep(0.2)
        child = plant.of("serve")
        child.signal(signal.SIGTERM)
        assert child.is_dead(90), child.tail()
        plant.buried(child)
        # uvicorn cleans up first and then lets the signal have its way.
        assert plant.cradle.exit_code(child) in (0, -signal.SIGTERM)
        assert [one for one in plant.unfinished(prefix) if one[2]] == []
        plant.revive(child)
    wait_until(lambda: not plant.unfinished(prefix), "all runs end", seconds=90, pause=0.1)
    assert plant.check(prefix, outage_ms=10_000) == []
    assert plant.complaints() == []


def test_an_effect_that_must_not_be_repeated_is_left_in_doubt(database: str, make_plant: MakePlant) -> None:
    plant = make_plant(database)
    plant.start(unrepeatable())
    path = plant.published["Unrepeatable"].path
    seed = figures.seed()
    for point in ("step.effect:before", "step.effect:after"):
        key = f"n{seed:x}-{point.partition(':')[2]}-"
        worker = plant.of("serve" if plant.embedded else "worker")
        worker.arm(f"{point}=kill@nth(1)")
        plant.senders.start(path, key)
        assert worker.is_dead(90)
        plant.buried(worker)
        made = len(plant.company.calls(prefix=key))
        assert made == (point == "step.effect:after")
        plant.revive(worker)
        plant.senders.insist(path, key)
        wait_until(lambda: plant.ended(key), "the run ends")  # noqa: B023
        time.sleep(0.5)
        assert len(plant.company.calls(prefix=key)) == made
        rows = plant.database.export(key)
        assert [run.status for run in rows.runs] == ["dead_lettered"]
        assert '"in_doubt"' in (rows.runs[0].error or "")
        assert [(one.node, one.status) for one in rows.attempts] == [("once", "in_doubt")]
        assert plant.check(key, ends=None) == []
    assert plant.complaints() == []
