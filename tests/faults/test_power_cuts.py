"""F28: the power fails. What was acknowledged is there, the database is whole, and every run goes on."""

from __future__ import annotations

import random
import threading
import time
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear
from tests.faults.plant import Plant
from tests.faults.powercut import Disk, Record, compiled, compiler, read
from tests.faults.processes import wait_until
from tests.faults.test_full_disk import broken_documents

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(7200),
    figures.only_in_full,
    pytest.mark.skipif(compiler() is None, reason="needs a C compiler: what a process writes is noted inside it"),
]

SENDERS = 3
LARGE = 100_000


def test_after_a_power_cut_everything_acknowledged_is_there_and_goes_on(tmp_path: Path, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"w{seed:x}-"
    data, log = tmp_path / "data", tmp_path / "written.log"
    noted = {"LD_PRELOAD": str(compiled(tmp_path)), "POWERCUT_LOG": str(log), "POWERCUT_DIR": str(data)}
    plant = make_plant("sqlite", environment=noted, data=data)
    plant.start(linear(respond="immediately"), linear(respond="immediately", ballast=LARGE, name="Large"), branching())
    acknowledged = traffic(plant, prefix, figures.number("POWER_SECONDS", 4, 30))
    plant.kill(plant.of("serve"))
    records = read(log)
    assert_complete(records, data, tmp_path / "whole")
    moments = [record.at / 1e9 for record in records]
    disk, done, lost, torn = Disk(data), 0, [], 0
    for number, place in enumerate(cuts(records, acknowledged.values(), chance)):
        for record in records[done:place]:
            disk.do(record)
        done = place
        left = tmp_path / f"cut{number}" / "data"
        disk.leave(left, chance)
        torn += sum(len(file.since) for file in disk.files.values())
        promised = {key for key, at in acknowledged.items() if bisect_right(moments, at) <= place}
        lost += [f"cut {number}: {found}" for found in power_comes_back(make_plant, left, prefix, promised)]
    figures.tell(
        "the power fails",
        "sqlite",
        seed=f"{seed:x}",
        cuts=number + 1,
        writes=len(records),
        acknowledged=len(acknowledged),
        not_yet_synced=torn,
        lost=len(lost),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{found} [seed {seed:x}]" for found in lost] == []


def traffic(plant: Plant, prefix: str, seconds: float) -> dict[str, float]:
    """Send events for so long; by key, when each was acknowledged (monotonic seconds)."""
    acknowledged: dict[str, float] = {}
    end = time.monotonic() + seconds

    def send(number: int) -> None:
        count = 0
        while time.monotonic() < end:
            count += 1
            name = ("Linear", "Branching", "Large")[(count + number) % 3]
            key = f"{prefix}{number}-{count:04d}"
            answer = plant.senders.post(plant.published[name].path, key, ballast=LARGE if name == "Large" else 0)
            if 200 <= answer.status < 300:
                acknowledged[key] = time.monotonic()
            time.sleep(0.05)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged


def assert_complete(records: list[Record], data: Path, target: Path) -> None:
    """What was written down leads to the files that there are: nothing was overlooked."""
    disk = Disk(data)
    for record in records:
        disk.do(record)
    disk.leave(target, None)
    there = {path.relative_to(data) for path in data.rglob("*") if path.is_file() and not path.name.endswith("-shm")}
    made = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    ours = {path for path in there if "practice" not in path.name}
    assert ours <= made, ours - made
    assert [str(path) for path in ours if (data / path).read_bytes() != (target / path).read_bytes()] == []


def cuts(records: list[Record], acknowledged: Iterable[float], chance: random.Random) -> list[int]:
    """Behind which records the power fails: half of the times as soon as something was acknowledged, when least has
    happened that would have made it durable by the way; else anywhere since the first."""
    moments = [record.at / 1e9 for record in records]
    places = sorted({bisect_right(moments, at) for at in acknowledged})
    wanted = figures.number("POWER_CUTS", 3, 200)
    chosen = set(chance.sample(places, min(wanted // 2 + 1, len(places))))
    others = [place for place in range(places[0] + 1, len(records) + 1) if place not in chosen]
    return sorted([*chosen, *chance.sample(others, min(wanted - len(chosen), len(others)))])


def power_comes_back(make_plant: MakePlant, data: Path, prefix: str, promised: set[str]) -> list[str]:
    """Start on this disk; what is wrong."""
    plant = make_plant("sqlite", data=data)
    plant.ready(plant.spawn("serve"))
    found = plant.database.query(
        "SELECT e.dedupe_key, count(r.id) FROM store_event e LEFT JOIN store_run r ON r.event_id = e.id"
        " WHERE e.dedupe_key LIKE ? GROUP BY e.id",
        (f"{prefix}%",),
    )
    wrong = [f"{key} was acknowledged and is gone" for key in promised - {key for key, _ in found}]
    wrong += [f"{key} has {runs} runs" for key, runs in found if runs != 1]
    wait_until(lambda: not plant.unfinished(prefix), "every run ends", seconds=90, pause=0.1)
    ends = {key: (plant.status(key) or ("", ""))[1] for key, _ in found}
    wrong += [f"{key} is {end}" for key, end in ends.items() if end != "completed"]
    wrong += [f"the document {name} is broken" for name in broken_documents(plant)]
    wrong += plant.complaints()
    plant.close()
    return wrong
