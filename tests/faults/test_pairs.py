"""F3: a process dies, and the next one dies while it picks up the pieces."""

from __future__ import annotations

import itertools
import random
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import linear, saga
from tests.faults.trials import Pair, Range

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200)]

POINTS = tuple(
    f"{name}:{side}"
    for name in ("run.claim", "step.intent", "step.effect", "step.result", "run.finish")
    for side in ("before", "after")
)
OF_UNDO = tuple(
    f"{name}:{side}"
    for name in ("comp.begin", "comp.intent", "comp.effect", "comp.result")
    for side in ("before", "after")
)


def test_a_death_while_recovering_from_a_death_changes_nothing(some_database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(some_database)
    plant.start(linear(respond="immediately"), saga())
    trials = Range(plant, seed)
    pairs = [Pair("Linear", *pair) for pair in itertools.product(POINTS, repeat=2)]
    pairs += [Pair("Saga", *pair) for pair in itertools.product(OF_UNDO, repeat=2)]
    chosen = pairs if figures.everything() else random.Random(seed).sample(pairs, 4)
    most = figures.number("PAIRS", len(chosen), len(chosen))
    for pair in chosen[:most]:
        trials.shoot_pair(pair)
    figures.tell(
        "a death while recovering",
        some_database,
        seed=f"{seed:x}",
        pairs=len(trials.pairs),
        died_twice=sum(trial.deaths == 2 for trial in trials.pairs),
        violations=len(trials.violations()),
        seconds=round(time.monotonic() - began),
    )
    assert trials.violations() == []
    assert plant.complaints() == []
