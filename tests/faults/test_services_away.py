"""F21, F22, F24: the broker is wiped, hangs and is gone, the database crashes again and again, while events come in."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import redis as redis_client

from tests.faults import figures
from tests.faults.examples import branching, linear
from tests.faults.outside import Company
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.senders import Answer
from tests.faults.servers import BreakablePostgres, BreakableRedis

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

SENDERS = 6


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[BreakablePostgres, BreakableRedis]]:
    """Servers of these tests' own."""
    postgres, redis = BreakablePostgres(), BreakableRedis()
    yield postgres, redis
    redis.close()
    postgres.close()


@pytest.fixture(scope="module")
def plant(
    tmp_path_factory: pytest.TempPathFactory, company: Company, servers: tuple[BreakablePostgres, BreakableRedis]
) -> Iterator[Plant]:
    """A scaled installation on them, that must outlive every fault."""
    postgres, redis = servers
    directory = tmp_path_factory.mktemp("away") / "plant"
    with Plant(directory, company, database_url=postgres.url, redis_url=redis.url, workers=2) as made:
        made.start(linear(respond="immediately"), branching())
        yield made


def of_this_test(answers: list[Answer], prefix: str) -> list[Answer]:
    """Those to events of this prefix."""
    return [answer for answer in answers if answer.key.startswith(prefix)]


@dataclass(slots=True)
class Callers:
    """Threads that send one event after the other, about twenty a second together, and insist on each."""

    plant: Plant
    prefix: str
    answers: list[Answer] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def _send(self, number: int) -> None:
        paths = [published.path for published in self.plant.published.values()]
        count = 0
        while not self._stop.wait(0.25):
            count += 1
            key = f"{self.prefix}{number}-{count:05d}"
            self.answers.append(self.plant.senders.insist(paths[count % len(paths)], key))


def test_events_are_accepted_and_run_while_the_broker_is_wiped_silent_and_gone(
    plant: Plant, servers: tuple[BreakablePostgres, BreakableRedis]
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"b{seed:x}-"
    redis = servers[1]
    callers = Callers(plant, prefix)
    callers.start()
    wipes = figures.number("WIPES", 3, 60)
    client = redis_client.Redis.from_url(redis.url)
    for _ in range(wipes):
        time.sleep(chance.uniform(0.2, 1.2))
        client.flushall()
    client.close()
    redis.hang(2.5)
    redis.stop()
    gone = figures.number("BROKER_GONE_SECONDS", 4, 60)
    time.sleep(gone)
    redis.start()
    time.sleep(2)
    callers.stop()
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=90, pause=0.2)
    violations = plant.check(prefix)
    rows = plant.database.export(prefix)
    delays = [
        (min(step.started_at for step in rows.steps if step.run == run.id and step.started_at) - run.accepted_at) / 1000
        for run in rows.runs
    ]
    figures.tell(
        "broker wiped, silent, gone",
        "postgres",
        seed=f"{seed:x}",
        wipes=wipes,
        gone_seconds=gone,
        events=len(callers.answers),
        runs=len(rows.runs),
        refused=len(of_this_test(plant.senders.refused, prefix)),
        unanswered=len(of_this_test(plant.senders.unknown, prefix)),
        answer_p99=figures.quantile([answer.seconds for answer in callers.answers], 0.99),
        start_delay_p50=figures.quantile(delays, 0.5),
        start_delay_p99=figures.quantile(delays, 0.99),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert of_this_test(plant.senders.refused, prefix) == []
    assert of_this_test(plant.senders.unknown, prefix) == []
    assert max(delays) <= 10
    assert plant.complaints() == []


def test_a_crashing_database_costs_503s_and_nothing_else(
    plant: Plant, servers: tuple[BreakablePostgres, BreakableRedis]
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"p{seed:x}-"
    postgres = servers[0]
    callers = Callers(plant, prefix)
    callers.start()
    crashes = figures.number("DATABASE_CRASHES", 2, 30)
    down = 0.0
    for _ in range(crashes):
        time.sleep(chance.uniform(1, 4))
        at = time.monotonic()
        postgres.crash()
        time.sleep(chance.uniform(0, 3))
        postgres.start()
        down += time.monotonic() - at
    time.sleep(2)
    callers.stop()
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=90, pause=0.2)
    violations = plant.check(prefix, outage_ms=int(down * 1000) + 20_000)
    refused = of_this_test(plant.senders.refused, prefix)
    unknown = of_this_test(plant.senders.unknown, prefix)
    slowest = max([answer.seconds for answer in [*refused, *callers.answers]], default=0)
    figures.tell(
        "database crashes",
        "postgres",
        seed=f"{seed:x}",
        crashes=crashes,
        down_seconds=round(down, 1),
        events=len(callers.answers),
        refused_503=len(refused),
        unanswered=len(unknown),
        slowest_answer=round(slowest, 2),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert unknown == []
    assert slowest < 5.5
    assert all(not child.is_dead() for child in plant.children)
    assert plant.complaints() == []
