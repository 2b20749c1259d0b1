"""F42: a backup is made under load, work goes on, the backup is restored. Nothing is sent before somebody says so, and
what was sent meanwhile is on the list. The processes are killed while they find out, and while they are told."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.faults import figures
from tests.faults.check import check
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear
from tests.faults.outside import Company
from tests.faults.plant import Plant
from tests.faults.processes import HarnessFailed, wait_until
from tests.faults.servers import BreakablePostgres, BreakableRedis

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

RUNS = 12
HOLDING = ("instance.hold:before", "instance.hold:after")
RELEASING = ("instance.release:before", "instance.release:after")


@dataclass(slots=True)
class Backed:
    """An installation whose database can be put back. `restore` may only be called while no process runs."""

    plant: Plant
    back_up: Callable[[], None]
    restore: Callable[[], None]


@pytest.fixture
def backed(some_database: str, tmp_path: Path, company: Company, make_plant: MakePlant) -> Iterator[Backed]:
    """On each database."""
    if some_database == "sqlite":
        plant = make_plant("sqlite")
        original, copy = plant.data / "millrace.sqlite3", tmp_path / "backup.sqlite3"
        yield Backed(plant, lambda: copy_sqlite(original, copy), lambda: put_back(copy, original))
        return
    postgres, redis = BreakablePostgres(), BreakableRedis()
    try:
        with Plant(tmp_path / "plant", company, database_url=postgres.url, redis_url=redis.url, workers=1) as plant:
            yield Backed(plant, postgres.back_up, postgres.restore)
    finally:
        redis.close()
        postgres.close()


def copy_sqlite(source: Path, target: Path) -> None:
    """What `sqlite3 … .backup` does, under load."""
    one, two = sqlite3.connect(source, timeout=20), sqlite3.connect(target)
    one.backup(two)
    one.close()
    two.close()


def put_back(source: Path, target: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    target.write_bytes(source.read_bytes())


def test_nothing_is_sent_on_a_restored_backup_before_somebody_says_so(backed: Backed, some_database: str) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = backed.plant
    plant.start(linear(respond="immediately", slow=300), branching(slow=300, seconds=10))
    trials = figures.number("RESTORES", 1, 10)
    listed = sent_since = died = 0
    for trial in range(trials):
        prefix = f"g{seed:x}-{trial}-"
        for number in range(RUNS):
            name = ("Linear", "Branching")[number % 2]
            plant.senders.insist(plant.published[name].path, f"{prefix}{number:02d}")
        calls = chance.randint(3, 14)
        wait_until(lambda: len(plant.company.calls(prefix=prefix)) >= calls, "some calls are made")  # noqa: B023
        before_backup = plant.company.last()
        backed.back_up()
        at_backup = plant.company.last()
        beat = beats(plant)
        wait_until(lambda: beats(plant) > beat, "it is seen that time goes on")  # noqa: B023
        wait_until(lambda: plant.company.last() > at_backup, "something is sent since the backup")  # noqa: B023
        for child in list(plant.children):
            plant.kill(child)
        backed.restore()
        at_restore = plant.company.last()
        died += start_held(plant, HOLDING[trial % 2])
        listing = listing_of(plant)
        lost = [call for call in plant.company.calls(after=at_backup, prefix=prefix) if call.seq <= at_restore]
        sent_since += len(lost)
        listed += sum(len(steps) for steps in listing.values())
        for call in lost:
            assert call.step in listing[plant.status(call.event)[0]], f"{call.order} is not on the list"  # type: ignore[index]
        later = f"{prefix}later"
        assert plant.senders.insist(plant.published["Linear"].path, later).status == 202
        # Longer than a sweep, and than a lease would have lasted had it not been voided.
        time.sleep(3)
        assert plant.company.last() == at_restore, "something was sent"
        assert plant.status(later)[1] == "accepted"  # type: ignore[index]
        died += confirm(plant, RELEASING[trial % 2])
        wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=90, pause=0.1)  # noqa: B023
        evidence = plant.evidence(prefix, outage_ms=60_000)
        # Of what was sent in the time that is lost there is no intent any more.
        known = replace(evidence, calls=[call for call in evidence.calls if not before_backup < call.seq <= at_restore])
        assert [str(one) for one in check(known) if one.rule != "MISSING"] == []
        assert {one.rule for one in check(evidence)} <= {"NOINTENT"}, f"seed {seed:x}: with all calls"
    figures.tell(
        "a backup restored",
        some_database,
        seed=f"{seed:x}",
        restores=trials,
        sent_after_the_backup=sent_since,
        on_the_list=listed,
        sent_before_the_word=0,
        processes_killed_meanwhile=died,
        seconds=round(time.monotonic() - began),
    )
    assert sent_since > 0
    assert plant.complaints() == []


def beats(plant: Plant) -> int:
    """What the file says that is to survive the database."""
    path = plant.data / "beat"
    return int(path.read_text().split()[1]) if path.exists() else 0


def start_held(plant: Plant, point: str) -> int:
    """Start on the backup: the first process dies where it says so, the others find it held."""
    first = plant.spawn("serve" if plant.embedded else "worker", f"{point}=kill@nth(1)")
    if not first.is_dead(30):
        raise HarnessFailed(f"it did not die at {point}:\n{first.tail()}")
    plant.buried(first)
    started = [plant.spawn(kind) for kind in plant.kinds]
    for child in started:
        if not plant.ready(child):
            raise HarnessFailed(child.tail())
    assert plant.database.query("SELECT count(*) FROM store_instance WHERE held_since IS NOT NULL") == [(1,)]
    return 1


def listing_of(plant: Plant) -> dict[str, set[str]]:
    """What `manage.py restored` lists: steps by run."""
    command = plant.cradle.spawn("restored --json")
    assert command.is_dead(90)
    found: dict[str, set[str]] = {}
    for line in command.log.read_text().splitlines():
        if line.startswith("{"):
            run = json.loads(line)
            found[run["id"]] = {step["node"] for step in run["steps"]}
    return found


def confirm(plant: Plant, point: str) -> int:
    """Say so; the command dies on the way and is given again."""
    command = plant.cradle.spawn("restored --confirm", f"{point}=kill@nth(1)")
    assert command.is_dead(90)
    assert plant.cradle.exit_code(command) == -9, command.tail()
    again = plant.cradle.spawn("restored --confirm")
    assert again.is_dead(90)
    # It was confirmed already where the first one died behind its commit.
    assert (plant.cradle.exit_code(again) == 0) == point.endswith("before"), again.tail()
    return 1
