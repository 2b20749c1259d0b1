"""F11 and F12: what a run did is undone, and the process dies at each point on the way."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import saga
from tests.faults.trials import BY_THE_CLOCK, Range, Shot

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

#: Points that only an undo passes.
OF_UNDO = ("comp.begin", "comp.intent", "comp.effect", "comp.result")
#: Of the points of the way there, as a sample.
_OTHERS = 1


def test_what_a_run_did_is_undone_in_exact_reverse_wherever_a_process_dies(
    database: str, make_plant: MakePlant
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(database)
    plant.start(saga())
    trials = Range(plant, seed)
    shots = [shot for shot in trials.shots(saga(), starts=False) if shot.point.split(":")[0] not in BY_THE_CLOCK]
    undo = [shot for shot in shots if shot.point.split(":")[0] in OF_UNDO]
    reached = {shot.point for shot in undo}
    assert reached == {f"{name}:{side}" for name in OF_UNDO for side in ("before", "after")}
    chosen = shots if figures.everything() else sample(undo, shots, random.Random(seed))
    for shot in chosen:
        trials.shoot(shot)
    figures.tell(
        "an undo killed at every point",
        database,
        seed=f"{seed:x}",
        points=len(reached),
        trials=len(trials.trials),
        died=sum(trial.reached for trial in trials.trials),
        violations=len(trials.violations()),
        seconds=round(time.monotonic() - began),
    )
    assert trials.violations() == []
    assert {shot.point for shot in chosen} & reached <= trials.covered(), trials.not_reached()
    assert plant.complaints() == []


def sample(undo: list[Shot], shots: list[Shot], chance: random.Random) -> list[Shot]:
    """Half of the points of undo, and a few others; which ones and where differs from run to run."""
    points = chance.sample(sorted({shot.point for shot in undo}), 4)
    chosen = [chance.choice([shot for shot in undo if shot.point == point]) for point in points]
    return chosen + chance.sample([shot for shot in shots if shot not in undo], _OTHERS)
