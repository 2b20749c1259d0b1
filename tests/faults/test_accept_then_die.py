"""F4: the process at the door is killed while it accepts. What it acknowledged is there, and nothing is there twice."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import accepting
from tests.faults.processes import HarnessFailed, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

POINTS = (
    "ingress.accept:before",
    "ingress.accept:after",
    "ingress.respond:before",
    "ingress.respond:after",
)
SENDERS = 12


def test_what_was_acknowledged_survives_the_death_of_the_door(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"d{seed:x}-"
    plant = make_plant(database)
    plant.start(accepting())
    path = plant.published["Accepting"].path
    stop = threading.Event()

    def send(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            plant.senders.insist(path, f"{prefix}{number:02d}-{count:05d}")

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    kills = figures.number("DOOR_KILLS", 4, 500)
    for number in range(kills):
        door = plant.of(plant.kinds[0])
        door.arm(f"{POINTS[number % len(POINTS)]}=kill@nth({chance.randint(1, 120)})")
        if not door.is_dead(30):
            raise HarnessFailed(f"seed {seed:x}: the door did not die at {POINTS[number % len(POINTS)]}")
        plant.buried(door)
        time.sleep(chance.uniform(0, 0.2))
        plant.revive(door)
    stop.set()
    for thread in threads:
        thread.join(90)
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=90, pause=0.2)
    evidence = plant.evidence(prefix)
    violations = plant.check(prefix)
    stored = {event.key for event in evidence.rows.events}
    figures.tell(
        "accept, then die",
        database,
        seed=f"{seed:x}",
        kills=kills,
        events=len(evidence.sent),
        acknowledged=len(evidence.acked),
        runs=len(evidence.rows.runs),
        unanswered_and_sent_again=len(plant.senders.unknown),
        recognised_as_repeats=sum(event.duplicates for event in evidence.rows.events),
        violations=len(violations),
        bound_95_percent=f"< {300 / max(1, len(evidence.acked)):.3f} % an event",
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert evidence.acked <= stored
    assert plant.complaints() == []
