"""F19: the clocks of the processes differ by hours and days; the database's alone counts."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear
from tests.faults.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600), figures.only_in_full]

HOURS = (1, -1, 24, -24)


def test_wrong_clocks_change_no_lease_no_timer_and_no_order(make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"v{seed:x}-"
    plant = make_plant("postgres", workers=2)
    plant.start(linear(respond="immediately", slow=60), branching(slow=60))
    jumps = figures.number("CLOCK_JUMPS", 4, 60)
    dead = 0.0
    sent = 0
    for jump in range(jumps):
        victim = chance.choice([child for child in plant.children if child.kind in ("worker", "ticker")])
        at = time.monotonic()
        plant.kill(victim)
        # Its successor lives in another time.
        fresh = plant.spawn(victim.kind, clock_hours=HOURS[jump % len(HOURS)])
        assert plant.ready(fresh), fresh.tail()
        dead += time.monotonic() - at
        for _ in range(10):
            name = ("Linear", "Branching")[sent % 2]
            plant.senders.insist(plant.published[name].path, f"{prefix}{sent:05d}")
            sent += 1
        time.sleep(chance.uniform(0, 1))
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.2)
    violations = plant.check(prefix, outage_ms=int(dead * 1000) + 20_000 * jumps)
    figures.tell(
        "wrong clocks",
        "postgres",
        seed=f"{seed:x}",
        jumps=jumps,
        runs=sent,
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert plant.complaints() == []
