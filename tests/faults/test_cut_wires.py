"""F10, F25: the wire between a process and PostgreSQL is cut, for longer than a lease, or just behind a COMMIT."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear
from tests.faults.plant import Plant
from tests.faults.processes import Child, wait_until
from tests.faults.proxy import Proxy
from tests.services import PostgresServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600), figures.only_in_full]


@pytest.fixture
def wire(postgres_server: PostgresServer) -> Iterator[Proxy]:
    """A wire to the database of these tests' plants."""
    with Proxy(port_of(postgres_server)) as made:
        yield made


def port_of(server: PostgresServer) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


def behind(plant: Plant, kind: str, wire: Proxy) -> Child:
    """A process that reaches its database by this wire only."""
    child = plant.spawn(kind, database_port=wire.port)
    plant.ready(child)
    return child


def test_a_lease_that_could_not_be_renewed_is_lost_and_its_work_counts_once(make_plant: MakePlant, wire: Proxy) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant("postgres", workers=1)
    # The call takes longer than the wire is cut, and that longer than a lease lasts.
    plant.start(linear(respond="immediately", second="slow=26000"))
    trials = figures.number("LOST_LEASES", 1, 5)
    for number in range(trials):
        key = f"j{seed:x}-{number}-"
        plant.kill(plant.of("worker"))
        cut_off = behind(plant, "worker", wire)
        plant.senders.insist(plant.published["Linear"].path, key)
        wait_until(lambda: len(plant.company.calls(prefix=key)) == 2, "the long call is under way")  # noqa: B023
        wire.cut()
        other = plant.spawn("worker")
        plant.ready(other)
        time.sleep(20)
        wire.heal()
        wait_until(lambda: plant.ended(key), f"seed {seed:x}: it ends", seconds=90, pause=0.2)  # noqa: B023
        assert not cut_off.is_dead(), cut_off.tail()
        assert plant.check(key) == []
        plant.kill(cut_off)
    figures.tell(
        "a lease that could not be renewed",
        "postgres",
        seed=f"{seed:x}",
        trials=trials,
        second_effects=0,
        seconds=round(time.monotonic() - began),
    )
    assert plant.complaints() == []


def test_a_commit_without_an_answer_is_neither_lost_nor_done_twice(make_plant: MakePlant, wire: Proxy) -> None:
    began = time.monotonic()
    seed = figures.seed()
    prefix = f"a{seed:x}-"
    plant = make_plant("postgres", workers=1)
    plant.start(linear(respond="immediately"), branching())
    for kind in ("web", "worker"):
        plant.kill(plant.of(kind))
    children = [behind(plant, kind, wire) for kind in ("web", "worker")]
    least = figures.number("CUT_COMMITS", 20, 500)
    wire.cut_behind_commits(0.1, random.Random(seed))
    sent = 0
    while wire.cut_commits < least:
        name = ("Linear", "Branching")[sent % 2]
        plant.senders.insist_in_thread(plant.published[name].path, f"{prefix}{sent:05d}")
        sent += 1
        time.sleep(0.1)
    wire.cut_behind_commits(0, None)
    wait_until(
        lambda: len([key for key in plant.senders.acked if key.startswith(prefix)]) == sent,
        f"seed {seed:x}: every event is accepted",
        seconds=120,
        pause=0.2,
    )
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.2)
    violations = plant.check(prefix, outage_ms=int((time.monotonic() - began) * 1000))
    figures.tell(
        "cut behind a commit",
        "postgres",
        seed=f"{seed:x}",
        events=sent,
        commits_without_an_answer=wire.cut_commits,
        refused_503=len(plant.senders.refused),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert all(not child.is_dead() for child in children)
    assert plant.complaints() == []
