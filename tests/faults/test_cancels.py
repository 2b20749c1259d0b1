"""F16: runs are cancelled at any moment, twice, in a race with their end, and processes die meanwhile."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.faults import figures
from tests.faults.check import TERMINAL
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear, saga
from tests.faults.killing import killing
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.product import ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200), figures.only_in_full]

#: What breaks when a run is cut short on purpose is no violation: its end, and what never came to be.
_BY_DESIGN = frozenset({"END", "MISSING", "ORDER"})


def test_after_a_cancel_nothing_is_begun_and_there_is_one_end(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"x{seed:x}-"
    plant = make_plant(database)
    plant.start(linear(respond="immediately", slow=150), branching(slow=150), saga(slow=150))
    count = figures.number("CANCELS", 30, 2_000)
    kills = figures.number("CANCEL_KILLS", 2, 40)
    names = [chance.choice(tuple(plant.published)) for _ in range(count)]
    pauses = [chance.uniform(0, 1.5) for _ in range(count)]
    twice = [chance.random() < 0.2 for _ in range(count)]
    said: Counter[str] = Counter()

    def one(number: int) -> None:
        key = f"{prefix}{number:05d}"
        plant.senders.insist(plant.published[names[number]].path, key, seconds=120)
        time.sleep(pauses[number])
        for _ in range(1 + twice[number]):
            said[cancel(plant, key)] += 1

    with (
        killing(plant, kills, chance, kinds=("web", "worker"), every=4, down=1),
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(one, range(count)))
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.3)
    violations = [
        violation for violation in plant.check(prefix, ends=None, outage_ms=600_000) if violation.rule not in _BY_DESIGN
    ]
    begun = begun_after_cancel(plant, prefix)
    ends = Counter(run.status for run in plant.database.export(prefix).runs)
    figures.tell(
        "cancelled at any moment",
        database,
        seed=f"{seed:x}",
        runs=count,
        answers=dict(said),
        ends=dict(ends),
        begun_after_the_cancel=len(begun),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert begun == []
    assert set(ends) <= TERMINAL
    assert ends["cancelled"] > 0
    assert completed_though_cancelled(plant) == [(0,)]
    assert plant.complaints() == []


def cancel(plant: Plant, key: str) -> str:
    """Ask, until somebody answers."""
    assert plant.api is not None
    run = plant.status(key)
    while True:
        assert run is not None
        try:
            plant.api.call("POST", f"W/runs/{run[0]}/cancel", {})
        except httpx2.HTTPError:
            time.sleep(0.2)
            continue
        except ProductFailed as refused:
            if ": 409 " in str(refused):
                return "over already"
            time.sleep(0.2)
            continue
        return "cancelled"


def begun_after_cancel(plant: Plant, prefix: str) -> list[str]:
    """Attempts whose intent was committed after the cancel was, but for those of undo steps. An intent in the same
    commit as what came before the cancel was committed before it; a second try at it keeps its number."""
    return [
        f"{row[0]}/{row[1]}"
        for row in plant.database.query(
            "SELECT e.dedupe_key, a.node_id FROM store_attempt a JOIN store_run r ON r.id = a.run_id"
            " JOIN store_event e ON e.id = r.event_id"
            " WHERE e.dedupe_key >= ? AND e.dedupe_key < ? || '~' AND r.status = 'cancelled'"
            " AND a.started_at > r.cancel_requested_at + 1000 AND substr(a.node_id, 1, 4) <> 'undo' AND NOT EXISTS"
            " (SELECT 1 FROM store_steprun s WHERE s.run_id = a.run_id AND s.node_id = a.node_id"
            "  AND s.started_at <= r.cancel_requested_at)",
            (prefix, prefix),
        )
    ]


def completed_though_cancelled(plant: Plant) -> list[tuple[int]]:
    return plant.database.query(
        "SELECT count(*) FROM store_run WHERE status = 'completed' AND cancel_requested_at IS NOT NULL"
        " AND cancel_requested_at < finished_at - 1000"
    )
