"""F29: the disk under DATA_DIR is filled to the last byte while events come in, and emptied again."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear
from tests.faults.plant import Plant
from tests.faults.processes import wait_until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(3600),
    # There is no honest stand-in: what counts is what SQLite and the kernel do when a write finds no room.
    pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system of 64 MiB, which only root may"),
]

SENDERS = 4
FLOOR_MIB = 8
#: Also with no floor, so that SQLite itself is what finds no room.
FLOORS = (FLOOR_MIB, 0) if figures.everything() else (FLOOR_MIB,)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], check=False)
    if done.returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("floor", FLOORS)
def test_a_full_disk_loses_nothing_and_everything_goes_on_when_there_is_room(
    floor: int, small: Path, make_plant: MakePlant
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"f{seed:x}-"
    plant = make_plant("sqlite", environment={"FREE_SPACE_FLOOR_MIB": str(floor)}, data=small)
    large = linear(respond="immediately", ballast=100_000, name="Large")
    plant.start(linear(respond="immediately"), large, branching())
    stop = threading.Event()

    def send(number: int) -> None:
        count = 0
        while not stop.wait(0.3):
            count += 1
            name = ("Linear", "Branching", "Linear", "Large")[(count + number) % 4] if count < 60 else "Linear"
            ballast = large.ballast if name == "Large" else 0
            plant.senders.insist(
                plant.published[name].path, f"{prefix}{number}-{count:05d}", ballast=ballast, seconds=300
            )

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    cycles = figures.number("FULL_DISKS", 1, 50)
    held = figures.number("FULL_SECONDS", 1, 10)
    full = 0.0
    try:
        for cycle in range(cycles):
            full += one_cycle(plant, small, f"{prefix}{cycle}-", held, chance)
        if floor:
            waits_below_the_floor(plant, small, f"{prefix}low")
    finally:
        stop.set()
    for thread in threads:
        thread.join(120)
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.2)
    evidence = plant.evidence(prefix)
    violations = plant.check(prefix, outage_ms=int(full * 1000) + 30_000)
    broken = broken_documents(plant)
    figures.tell(
        "the disk is full",
        "sqlite",
        seed=f"{seed:x}",
        floor_mib=floor,
        cycles=cycles,
        full_seconds=round(full),
        events=len(evidence.sent),
        acknowledged=len(evidence.acked),
        runs=len(evidence.rows.runs),
        refused_503=len(plant.senders.refused),
        unanswered=len(plant.senders.unknown),
        documents_broken=len(broken),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert broken == []
    assert plant.senders.refused
    assert plant.senders.unknown == []
    assert plant.complaints() == []


def one_cycle(plant: Plant, place: Path, prefix: str, held: float, chance: random.Random) -> float:
    """Full, for so long, and empty again; how many seconds that were."""
    time.sleep(chance.uniform(0.5, 2))
    at = time.monotonic()
    ballast = fill(place)
    wait_until(lambda: refusal(plant, f"{prefix}full") is not None, "the door says 503, and when to come again")
    time.sleep(held)
    assert free(place) < 1024 * 1024
    assert not plant.of("serve").is_dead(), plant.of("serve").tail()
    ballast.unlink()
    full = time.monotonic() - at
    # By itself.
    key = f"{prefix}after"
    assert plant.senders.insist(plant.published["Linear"].path, key, seconds=60).status == 202
    wait_until(lambda: plant.ended(key), f"{key} ends", seconds=90)
    return full


def fill(place: Path) -> Path:
    """Write until not a byte more goes in."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(NoRoom):
                while True:
                    write(file.fileno(), size)
    return ballast


class NoRoom(Exception):
    """The file system is full."""


def write(descriptor: int, size: int) -> None:
    try:
        os.write(descriptor, b"\0" * size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise NoRoom from error


def free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def refusal(plant: Plant, key: str) -> str | None:
    """Send an event; after how many seconds to come again, where the door said 503. What fits into pages that SQLite
    has already may still be accepted."""
    answer = plant.senders.post(plant.published["Linear"].path, key)
    assert answer.seconds < 5
    return answer.retry_after if answer.status == 503 else None


def waits_below_the_floor(plant: Plant, place: Path, key: str) -> None:
    """Between half the floor and the floor an event is accepted, and its run begins only when there is more room."""
    ballast = place / "ballast"
    log = plant.of("serve").log
    with ballast.open("wb", buffering=0) as file:

        def notices() -> bool:
            # What was accepted a moment ago is still being written: the room is held where it is meant to be.
            room = free(place) - FLOOR_MIB * 3 // 4 * 1024 * 1024
            if room > 0:
                write(file.fileno(), room)
            elif room < 0:
                file.truncate(file.seek(max(file.seek(0, os.SEEK_END) + room, 0)))
            return "LOW:" in log.read_text(errors="replace").rpartition("FULL:")[2]

        wait_until(notices, "it notices")
    assert plant.senders.insist(plant.published["Linear"].path, key, seconds=30).status == 202
    time.sleep(1)
    status = plant.status(key)
    assert status is not None
    assert status[1] == "accepted"
    ballast.unlink()
    wait_until(lambda: plant.ended(key), f"{key} ends", seconds=90)


def broken_documents(plant: Plant) -> list[str]:
    """Documents whose file is missing or other than its row says."""
    broken = []
    for location, sha256 in plant.database.query("SELECT location, sha256 FROM store_artifact"):
        path = plant.data / "artifacts" / location
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            broken.append(str(location))
    return broken
