"""F13, F17, F18: waits and back-off keep their times through kills, outages and thousands of needless nudges."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import defaultdict
from uuid import UUID

import dramatiq
import pytest

from runtime.queue import ACTOR, QUEUE
from runtime.queue.redis import make_redis_broker
from tests.faults import figures
from tests.faults.check import due_of
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, graph, invoice, wait, webhook
from tests.faults.killing import killing
from tests.faults.plant import Plant
from tests.faults.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200)]

#: Beyond this a retry that is due counts as late, on a machine that is not asleep.
_LATE_MS = 5_000
_FIRST_MS = 400
_FAILURES = 3


def waits(seconds: float) -> Example:
    nodes = [webhook(), wait("pause", seconds), invoice("after")]
    return Example(
        f"Waits {seconds}",
        graph(nodes, ["start -> pause", "pause -> after"]),
        {"after": 1},
        waits={"pause": int(seconds * 1000)},
    )


def failing() -> Example:
    """Two steps side by side that fail a few times, each with its own back-off, and a join."""
    nodes = [webhook()]
    for name, first in (("left", _FIRST_MS / 1000), ("right", _FIRST_MS / 500)):
        retry = {"attempts": 9, "strategy": "exponential", "first_seconds": first, "jitter": 0, "total_seconds": 600}
        nodes.append(invoice(name, behaviour=f"fail=503*{_FAILURES}", retry=retry))
    nodes.append(invoice("both"))
    edges = ["start -> left", "start -> right", "left -> both", "right -> both"]
    most = _FAILURES + 1
    return Example("Failing", graph(nodes, edges), {"left": most, "right": most, "both": 1})


class Nudges:
    """Rings for these runs again and again, as a broker does that has gone mad."""

    def __init__(self, redis_url: str, runs: list[str]) -> None:
        self.rung = 0
        self._broker = make_redis_broker(redis_url, heartbeat_ms=60_000, maintenance_chance=1)
        self._broker.declare_queue(QUEUE)
        self._runs = [str(UUID(run)) for run in runs]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ring, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._broker.close()

    def _ring(self) -> None:
        while not self._stop.wait(0.02):
            self._broker.enqueue(
                dramatiq.Message(
                    queue_name=QUEUE, actor_name=ACTOR, args=(), kwargs={"run_ids": self._runs[:100]}, options={}
                )
            )
            self.rung += len(self._runs[:100])


def test_waits_are_never_early_and_end_once_through_kills(some_database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"w{seed:x}-"
    plant = make_plant(some_database)
    lengths = (1.5, 3, 20, 60) if figures.everything() else (1.5, 3)
    examples = [waits(seconds) for seconds in lengths]
    plant.start(*examples)
    count = figures.number("WAITS", 40, 10_000)
    kills = figures.number("WAIT_KILLS", 1, 12)
    with killing(plant, kills, chance, every=1 if kills < 5 else 10, down=2 if kills < 5 else 20) as killer:
        for number in range(count):
            name = chance.choice(examples).name
            plant.senders.insist(plant.published[name].path, f"{prefix}{number:05d}", seconds=120)
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=300, pause=0.3)
    # A worker that died may have held runs until its leases ended.
    outage_ms = int(killer.dead_seconds * 1000) + (10_000 if plant.embedded else 20_000 * kills)
    violations = plant.check(prefix, outage_ms=outage_ms)
    late = lateness(plant, prefix)
    figures.tell(
        "waits through kills",
        some_database,
        seed=f"{seed:x}",
        waits=count,
        kills=killer.killed,
        early=sum(one < 0 for one in late),
        late_ms_p50=figures.quantile(late, 0.5),
        late_ms_p99=figures.quantile(late, 0.99),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert min(late) >= 0
    assert plant.complaints() == []


def lateness(plant: Plant, prefix: str) -> list[float]:
    found = []
    for step in plant.database.export(prefix).steps:
        if step.node == "pause" and step.finished_at is not None and (due := due_of(step)) is not None:
            found.append(float(step.finished_at - due))
    return found


@figures.only_in_full
def test_needless_nudges_change_no_due_time_and_no_number_of_tries(make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    prefix = f"k{seed:x}-"
    plant = make_plant("postgres")
    plant.start(failing(), waits(3))
    count = figures.number("BACK_OFFS", 10, 100)
    keys = [f"{prefix}{number:03d}" for number in range(count)]
    for number, key in enumerate(keys):
        plant.senders.insist(plant.published["Failing" if number % 3 else "Waits 3"].path, key)
    runs = [run.id for run in plant.database.export(prefix).runs]
    nudges = Nudges(plant.product.redis_url, runs)
    nudges.start()
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.2)
    least = figures.number("NUDGES", 1_000, 10_000)
    wait_until(lambda: nudges.rung >= least, "enough nudges", seconds=60)
    nudges.stop()
    violations = plant.check(prefix)
    early, late, extra = back_off(plant, prefix)
    figures.tell(
        "needless nudges",
        "postgres",
        seed=f"{seed:x}",
        runs=count,
        nudges=nudges.rung,
        retries_early=len(early),
        retries_late_ms_p99=figures.quantile(late, 0.99),
        tries_too_many=extra,
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert early == []
    assert extra == 0
    assert figures.quantile(late, 0.99) < _LATE_MS
    assert plant.complaints() == []


def back_off(plant: Plant, prefix: str) -> tuple[list[str], list[float], int]:
    """Between the tries of a step: which came too early, how late the others were, and how many were too many."""
    calls = defaultdict(list)
    for call in plant.company.calls(prefix=prefix):
        if call.step in ("left", "right"):
            calls[call.order].append(call.at_ms)
    early, late, extra = [], [], 0
    for order, at in sorted(calls.items()):
        first = _FIRST_MS * (2 if order.endswith("right") else 1)
        extra += max(0, len(at) - _FAILURES - 1)
        for number, (one, two) in enumerate(itertools.pairwise(at)):
            over = two - one - first * 2**number
            # The company notes a call when it has been read: a few milliseconds may lie between.
            if over < -50:
                early.append(f"{order}: try {number + 2} came {-over} ms early")
            late.append(float(over))
    return early, late, extra
