"""F33: a new build is rolled out and rolled back while runs are under way; workers of both work side by side.

There is one release so far. So the earlier build is this one, told to carry on only what engine 2 knew (no undo, no
questions to people, no signals, no containers) and made to forget a step type that needs no later engine.
"""

from __future__ import annotations

import itertools
import random
import signal
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, branching, graph, invoice, items, linear, node, saga, webhook
from tests.faults.plant import Plant
from tests.faults.processes import Child, Earlier, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600), figures.only_in_full]

BEFORE = Earlier(engine=2, lacks=("flow.switch@1",))
IN_FLIGHT = 40


def newer() -> Example:
    """A call, a step that the earlier build lacks, a call."""
    ways = {"value": "{{ trigger.body.id != '' }}", "cases": [{"id": "on", "name": "On", "value": True}]}
    nodes = [webhook(), invoice("first", behaviour="slow=100"), node("way", "flow.switch@1", ways)]
    edges = ["start -> first", "first -> way", "way:on -> after", "way:otherwise -> never"]
    nodes += [invoice("after"), invoice("never")]
    return Example("Newer", graph(nodes, edges), {"first": 1, "after": 1}, skipped=frozenset({"never"}))


def test_runs_go_on_while_a_build_is_rolled_out_and_rolled_back(make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"b{seed:x}-"
    plant = make_plant("postgres", workers=2)
    plant.start(linear(respond="immediately", slow=100), branching(slow=100), saga(slow=60), items(), newer())
    numbers = itertools.count()
    old: set[str] = set()
    migrated = 0.0
    workers = [child for child in plant.children if child.kind == "worker"]
    deploys = figures.number("DEPLOYS", 3, 10)
    for deploy in range(deploys):
        # Back first, so that runs of every sort are under way when the earlier build takes over; forward at the end.
        build = BEFORE if deploy % 2 == 0 and deploy < deploys - 1 else None
        at = time.monotonic()
        migration = plant.cradle.spawn("migrate")
        assert migration.is_dead(60), migration.tail()
        assert plant.cradle.exit_code(migration) == 0, migration.tail()
        migrated = max(migrated, time.monotonic() - at)
        for place, worker in enumerate(workers):
            send_for(plant, prefix, numbers, chance, seconds=chance.uniform(1, 3))
            workers[place] = replaced(plant, worker, build)
            if build is not None:
                old.add(workers[place].boot_id)
        send_for(plant, prefix, numbers, chance, seconds=chance.uniform(4, 8))
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=300, pause=0.3)
    violations = plant.check(prefix)
    mine = (
        "FROM store_transition x JOIN store_run r ON r.id = x.run_id JOIN store_event e ON e.id = r.event_id"
        f" WHERE e.dedupe_key >= '{prefix}' AND e.dedupe_key < '{prefix}~'"
    )
    set_aside = plant.database.query(f"SELECT count(DISTINCT x.run_id) {mine} AND x.status = 'parked'")[0][0]
    carried = plant.database.query(f"SELECT x.worker, r.min_engine {mine} AND x.worker IS NOT NULL")
    beyond = [worker for worker, engine in carried if worker in old and engine > BEFORE.engine]
    by_old = sum(worker in old for worker, _ in carried)
    figures.tell(
        "two builds side by side",
        "postgres",
        seed=f"{seed:x}",
        deploys=deploys,
        runs=next(numbers),
        set_aside_until_it_was_known=set_aside,
        transitions_by_the_earlier=by_old,
        of_runs_that_it_does_not_know=len(beyond),
        migrate_seconds_most=round(migrated, 1),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert by_old > 0
    assert beyond == []
    assert set_aside > 0, "the earlier build came to the step that it lacks"
    assert plant.complaints() == []


def send_for(
    plant: Plant, prefix: str, numbers: itertools.count[int], chance: random.Random, *, seconds: float
) -> None:
    """Keep so many runs under way for a while."""
    end = time.monotonic() + seconds
    paths = [made.path for made in plant.published.values()]
    while time.monotonic() < end:
        if len(plant.unfinished(prefix, due=True)) < IN_FLIGHT:
            plant.senders.insist(chance.choice(paths), f"{prefix}{next(numbers):05d}", seconds=60)
        else:
            time.sleep(0.05)


def replaced(plant: Plant, worker: Child, build: Earlier | None) -> Child:
    """Tell a worker to stop, as a deployment does, and start one of this build in its place."""
    worker.signal(signal.SIGTERM)
    assert worker.is_dead(90), f"it does not stop:\n{worker.tail()}"
    plant.buried(worker)
    fresh = plant.spawn("worker", earlier=build)
    assert plant.ready(fresh), fresh.tail()
    return fresh
