"""F15: each event is delivered 1 to 9 times, in bursts, before, while and after it is worked on; processes die."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import accepting
from tests.faults.killing import killing
from tests.faults.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200)]

SENDERS = 16
#: Deliveries of an id, on average; one in so many ids also comes with another body.
REPEATS = 5
CHANGED = 50


def test_many_deliveries_of_an_event_are_one_run(some_database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"m{seed:x}-"
    plant = make_plant(some_database)
    plant.start(accepting())
    path = plant.published["Accepting"].path
    ids = figures.number("IDS", 100, 20_000)
    kills = figures.number("DUPLICATE_KILLS", 2, 60)
    deliveries = [
        number
        for start in range(0, ids, 200)
        # Within a block in any order: a repeat comes at once, or while 199 others come.
        for number in shuffled(range(start, min(start + 200, ids)), chance)
    ]
    # And a few when everything is over.
    late = [chance.randrange(ids) for _ in range(ids // 20)]
    told: dict[str, set[str]] = defaultdict(set)
    conflicts: dict[str, int] = {}
    lock = threading.Lock()

    def deliver(number: int) -> None:
        key = f"{prefix}{number:05d}"
        answer = plant.senders.insist(path, key, seconds=120)
        with lock:
            told[key].add(f"{answer.body['event']} {answer.body['run']}")

    def deliver_changed(number: int) -> None:
        key = f"{prefix}{number:05d}"
        answer = plant.senders.post(path, key, amount="99.00")
        with lock:
            conflicts[key] = answer.status

    with (
        killing(plant, kills, chance, kinds=("web", "worker"), every=3 if kills > 10 else 0.6, down=0.5) as killer,
        ThreadPoolExecutor(SENDERS) as pool,
    ):
        list(pool.map(deliver, deliveries))
    changed = list(range(0, ids, CHANGED))
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(deliver, late))
        list(pool.map(deliver_changed, changed))
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.3)
    # 409 is the right answer to another body under a known key.
    plant.senders.wrong = [one for one in plant.senders.wrong if one.status != 409]
    evidence = plant.evidence(prefix)
    violations = plant.check(prefix)
    ambiguous = [key for key, found in told.items() if len(found) != 1]
    figures.tell(
        "many deliveries of one event",
        some_database,
        seed=f"{seed:x}",
        ids=ids,
        deliveries=len(deliveries) + len(late) + len(changed),
        kills=killer.killed,
        runs=len(evidence.rows.runs),
        recognised=sum(event.duplicates for event in evidence.rows.events),
        told_of_two_runs=len(ambiguous),
        other_bodies_flagged=sum(status == 409 for status in conflicts.values()),
        violations=len(violations),
        bound_95_percent=f"< {300 / ids:.3f} % an event",
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert ambiguous == []
    assert len(evidence.rows.runs) == ids
    assert set(conflicts.values()) == {409}
    assert plant.complaints() == []


def shuffled(numbers: range, chance: random.Random) -> list[int]:
    """Each of these 1 to 9 times, on average five, in any order."""
    found = [number for number in numbers for _ in range(chance.randint(1, 2 * REPEATS - 1))]
    chance.shuffle(found)
    return found
