"""F1: a process is killed at every failpoint that the examples reach, before and after, on both databases."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear
from tests.faults.trials import BY_THE_CLOCK, Range, Shot

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

#: Passed by runs that take longer than a heartbeat, of which the quick examples are on a slow machine.
LASTING = "run.lease_renew"


def test_a_kill_at_any_point_loses_nothing_and_repeats_nothing(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(database)
    examples = [linear(), linear(respond="immediately", ballast=100_000, name="Large"), branching()]
    lasting = linear(respond="immediately", slow=4_500, name="Lasting")
    plant.start(*examples, lasting)
    everything = Range(plant, seed)
    shots: list[Shot] = []
    for example in examples:
        passed_before = {shot.point for shot in shots}
        found = everything.shots(example, starts=example.name != "Large")
        # A large event takes the same way but for the points of the artifact store.
        shots += [shot for shot in found if example.name != "Large" or shot.point not in passed_before]
    shots = [shot for shot in shots if not lasts(shot.point)]
    shots += [shot for shot in everything.shots(lasting, starts=False) if lasts(shot.point) and shot.nth == 1]
    examples.append(lasting)
    reached = {shot.point for shot in shots}
    assert {f"{LASTING}:before", f"{LASTING}:after"} <= reached
    chance = random.Random(seed)
    chosen = shots if figures.everything() else sample(shots, chance, [example.name for example in examples])
    for shot in chosen:
        if not everything.shoot(shot).reached and shot.point not in everything.covered():
            # Two passings at once can change places: another passing of the same point does.
            others = [other for other in shots if other.point == shot.point and other != shot]
            for other in chance.sample(others, min(3, len(others))):
                if everything.shoot(other).reached:
                    break
    uncovered = {point for point in reached if point not in everything.covered()}
    figures.tell(
        "a kill at every point",
        database,
        seed=f"{seed:x}",
        points_reached=len(reached),
        points_covered=len(reached) - len(uncovered),
        trials=len(everything.trials),
        died=sum(trial.reached for trial in everything.trials),
        violations=len(everything.violations()),
        seconds_a_trial=figures.quantile([trial.seconds for trial in everything.trials], 0.5),
        seconds=round(time.monotonic() - began),
    )
    assert everything.violations() == []
    assert plant.complaints() == []
    assert uncovered & {shot.point for shot in chosen} == set(), (
        f"reached, and no process died there: {everything.not_reached()}"
    )


def lasts(point: str) -> bool:
    return point.partition(":")[0] == LASTING


def by_the_clock(point: str) -> bool:
    """Whether a process passes the point in its own time."""
    return point.partition(":")[0] in BY_THE_CLOCK


def sample(shots: list[Shot], chance: random.Random, cheapest_first: list[str]) -> list[Shot]:
    """Every third point, once, in the quickest example that passes it; which ones and where differs from run to run."""
    chosen = []
    points = sorted({shot.point for shot in shots if not by_the_clock(shot.point)})
    for point in chance.sample(points, (len(points) + 2) // 3):
        theirs = [shot for shot in shots if shot.point == point]
        example = min((shot.example for shot in theirs), key=cheapest_first.index)
        chosen.append(chance.choice([shot for shot in theirs if shot.example == example]))
    return sorted(chosen)
