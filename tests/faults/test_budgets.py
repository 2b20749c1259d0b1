"""A connection that takes only so many calls, and processes that die over it: none is lost, none is made twice, and no
more of them arrive within any second than it takes."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import limited
from tests.faults.killing import killing
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.trials import Range

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]


def connection(plant: Plant, calls: int) -> str:
    """The id of one that takes so many calls a second."""
    assert plant.api is not None
    fields = {"token": "a-token-of-this-test", "allowed_hosts": ["practice-company"]}
    body = {"kind": "http_bearer", "name": "Ledger", "fields": fields, "budget": {"calls": calls, "per": "second"}}
    made: dict[str, Any] = plant.api.call("POST", "W/connections", body)
    time.sleep(4)  # until every process knows of it
    return str(made["id"])


def most_within_a_second(plant: Plant, prefix: str) -> int:
    times = sorted(call.at_ms for call in plant.company.calls(prefix=prefix))
    return max(sum(first <= at < first + 1_000 for at in times) for first in times)


def test_a_kill_at_any_point_of_a_turn_loses_no_call_and_makes_none_twice(
    some_database: str, make_plant: MakePlant
) -> None:
    began, seed = time.monotonic(), figures.seed()
    plant = make_plant(some_database)
    plant.start()
    example = limited(connection(plant, 1))
    plant.publish(example)
    everything = Range(plant, seed)
    shots = everything.shots(example, starts=False)
    turns = [shot for shot in shots if shot.point.startswith("budget.turn")]
    assert {shot.point for shot in turns} == {"budget.turn:before", "budget.turn:after"}
    chosen = shots if figures.everything() else random.Random(seed).sample(turns, min(4, len(turns)))
    for shot in chosen:
        everything.shoot(shot)
    figures.tell(
        "a kill at every point of a turn",
        some_database,
        seed=f"{seed:x}",
        trials=len(everything.trials),
        died=sum(trial.reached for trial in everything.trials),
        violations=len(everything.violations()),
        seconds=round(time.monotonic() - began),
    )
    assert everything.violations() == []
    assert most_within_a_second(plant, f"{seed:x}-") <= 1
    assert plant.complaints() == []


def test_several_workers_that_are_killed_never_exceed_the_budget(some_database: str, make_plant: MakePlant) -> None:
    began, seed = time.monotonic(), figures.seed()
    chance, calls = random.Random(seed), 20
    plant = make_plant(some_database, workers=2)
    plant.start()
    made = connection(plant, calls)
    for name in ("Limited", "Another"):
        plant.publish(limited(made, name=name))
    runs, kills = figures.number("BUDGET_RUNS", 60, 1_000), figures.number("BUDGET_KILLS", 4, 60)
    prefix = f"b{seed:x}-"
    with killing(plant, kills, chance, every=2.0) as killer:
        for number in range(runs):
            path = plant.published["Limited" if number % 2 else "Another"].path
            plant.senders.insist(path, f"{prefix}{number}-")
        wait_until(lambda: killer.killed >= kills or not plant.unfinished(prefix), "the kills", seconds=600)
    wait_until(lambda: not plant.unfinished(prefix), f"all end [seed {seed:x}]", seconds=600)
    most = most_within_a_second(plant, prefix)
    figures.tell(
        "killed over a budget",
        some_database,
        seed=f"{seed:x}",
        runs=runs,
        kills=killer.killed,
        budget_a_second=calls,
        most_within_a_second=most,
        seconds=round(time.monotonic() - began),
    )
    assert most <= calls
    assert plant.check(prefix) == []
    left = plant.database.query("SELECT count(*) FROM store_budgetturn WHERE state = 'waits'")
    assert left == [(0,)]
    assert plant.complaints() == []
