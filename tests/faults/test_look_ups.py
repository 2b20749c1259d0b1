"""F7: nobody knows whether a call was made that can be looked up. It is looked up first; what happened is taken over,
and nothing is sent twice, though the other side would do it twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import NamedTuple

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import looked_up
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.trials import Range

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]


class Way(NamedTuple):
    """How a call comes to be in doubt: by which example, and where the process dies, if it does. `arrived`: how often
    it has reached the other side then; `applied`: whether it was carried out."""

    example: str
    point: str
    arrived: int
    applied: bool


WAYS = (
    Way("Looked up", "step.effect:before", 0, False),
    Way("Looked up", "step.effect:after", 1, True),
    Way("Dropped", "", 1, True),
    Way("Reset", "", 1, False),
    # A second death, while it is being looked up.
    Way("Dropped", "step.look_up:before", 1, True),
    Way("Dropped", "step.look_up:after", 1, True),
    Way("Reset", "step.look_up:before", 1, False),
    Way("Reset", "step.look_up:after", 1, False),
)


def test_it_is_looked_up_first_and_what_happened_is_not_sent_again(some_database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(some_database)
    plant.start(
        looked_up(),
        looked_up(behaviour="drop;ignore", name="Dropped"),
        looked_up(behaviour="reset*1;ignore", name="Reset", tries=2),
    )
    trials = figures.number("LOOK_UPS", len(WAYS), 200)
    counts: Counter[str] = Counter()
    for number in range(trials):
        way = WAYS[number % len(WAYS)]
        key = f"l{seed:x}-{number}-"
        died = _in_doubt(plant, way, key)
        wait_until(lambda: plant.ended(key), f"{way}: it ends", seconds=90)  # noqa: B023
        posts = [call.seq for call in plant.company.calls(prefix=key)]
        (effect_key,) = {one.effect_key for one in plant.database.export(key).attempts}
        looks = plant.company.looks(effect_key or "")
        assert looks, f"{way}: never looked up"
        assert len(posts) == way.arrived + (not way.applied), f"{way}: {len(posts)} calls"
        between = [seq for seq in looks if (posts[0] if way.arrived else 0) < seq]
        assert between, f"{way}: sent before it was looked up"
        if not way.applied:
            assert any(seq < posts[-1] for seq in between), f"{way}: sent again before it was looked up"
        violations = [str(one) for one in plant.check(key)]
        assert violations == [], f"{way}: {violations} [seed {seed:x}, event {key}]"
        counts["applied" if way.applied else "not applied"] += 1
        counts["deaths"] += died
        counts["looks"] += len(looks)
        counts["sent again"] += len(posts) - way.arrived if way.arrived else 0
    figures.tell(
        "in doubt, and looked up",
        some_database,
        seed=f"{seed:x}",
        trials=trials,
        deaths=counts["deaths"],
        had_happened=counts["applied"],
        had_not=counts["not applied"],
        looks=counts["looks"],
        sent_again_after_it_had_happened=0,
        seconds=round(time.monotonic() - began),
    )
    assert plant.complaints() == []


def test_a_kill_at_any_point_on_the_way_sends_nothing_twice(some_database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(some_database)
    dropped = looked_up(behaviour="drop;ignore", name="Dropped")
    plant.start(dropped)
    everything = Range(plant, seed)
    shots = everything.shots(dropped, starts=False)
    passed = {shot.point for shot in shots}
    assert {"step.look_up:before", "step.look_up:after"} <= passed
    chosen = shots if figures.everything() else random.Random(seed).sample(shots, min(4, len(shots)))
    for shot in chosen:
        everything.shoot(shot)
    figures.tell(
        "a kill at every point of a look-up",
        some_database,
        seed=f"{seed:x}",
        points=len(passed),
        trials=len(everything.trials),
        died=sum(trial.reached for trial in everything.trials),
        violations=len(everything.violations()),
        seconds=round(time.monotonic() - began),
    )
    assert everything.violations() == []
    assert plant.complaints() == []


def _in_doubt(plant: Plant, way: Way, key: str) -> bool:
    """Start the run, and have the process die where the way says so; whether it did."""
    path = plant.published[way.example].path
    if not way.point:
        plant.senders.insist(path, key)
        return False
    worker = plant.of("serve" if plant.embedded else "worker")
    worker.arm(f"{way.point}=kill@nth(1)")
    plant.senders.start(path, key)
    died = worker.is_dead(20)
    assert died, f"{way}: nobody died"
    plant.buried(worker)
    plant.database.let_leases_run_out(f"{worker.kind}-{worker.pid}-%")
    plant.revive(worker)
    plant.senders.insist(path, key)
    return True
