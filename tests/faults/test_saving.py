"""F45: a process dies while it saves a file elsewhere. Nobody sees half of it under its name, and it is there once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import saved
from tests.faults.save_and_die import HOST, content
from tests.faults.trials import Range
from tests.services import MissingService, skip_or_fail
from tests.services.rclone_server import PASSWORD, USER, FileServer, s3_server, sftp_server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

ROOT = Path(__file__).resolve().parents[2]
SIZE = 3 * 2**20
BUCKET = "exchange"


def test_a_kill_at_any_point_of_saving_leaves_one_whole_file(
    some_database: str, make_plant: MakePlant, tmp_path: Path
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    root = tmp_path / "exchange"
    root.mkdir()
    plant = make_plant(some_database, environment={"SAVE_FOLDERS": str(root)})
    plant.start()
    assert plant.api is not None
    made = plant.api.call("POST", "W/connections", {"kind": "folder", "name": "Out", "fields": {"path": str(root)}})
    examples = [saved(made["id"], exists=exists, name=exists) for exists in ("fail", "overwrite", "number")]
    for example in examples:
        plant.publish(example)
    everything = Range(plant, seed)
    shots = [shot for example in examples for shot in everything.shots(example, starts=False)]
    passed = {shot.point for shot in shots}
    ways = {"save.write:before", "save.write:after", "save.rename:before", "save.rename:after"}
    assert ways <= passed
    of_saving = [shot for shot in shots if shot.point in ways or shot.point.startswith("step.effect")]
    chosen = shots if figures.everything() else random.Random(seed).sample(of_saving, 6)
    for shot in chosen:
        everything.shoot(shot)
        half = [one for one in root.rglob("*.csv") if one.stat().st_size < 900_000]
        assert half == [], f"{shot}: half a file under its name"
    found = sorted(path.name for path in root.rglob("*") if path.is_file())
    keys = sorted(f"{key}.csv" for key in plant.senders.sent)
    assert found == keys, "each file is there once, and nothing else"
    figures.tell(
        "a kill at every point of saving a file",
        some_database,
        seed=f"{seed:x}",
        points=len(passed),
        trials=len(everything.trials),
        died=sum(trial.reached for trial in everything.trials),
        files=len(found),
        violations=len(everything.violations()),
        seconds=round(time.monotonic() - began),
    )
    assert everything.violations() == []
    assert plant.complaints() == []


class Way(NamedTuple):
    """Where a process dies: after so many portions were read of the file, or at a failpoint. `kept`: it happened."""

    dies: int = 0
    failpoints: str = ""
    kept: bool = False


SFTP = (
    Way(dies=4),
    Way(failpoints="save.write:after=kill@nth(3)"),
    Way(failpoints="save.rename:before=kill"),
    Way(failpoints="save.rename:after=kill", kept=True),
)
S3 = (Way(dies=17), Way(dies=48))


@contextmanager
def serving(kind: str) -> Iterator[tuple[FileServer, Path, dict[str, Any]]]:
    """A server, the folder where its files are, and how it is signed in to."""
    try:
        if kind == "sftp":
            with sftp_server() as server:
                yield server, server.root, {"host": HOST, "username": USER, "password": PASSWORD}
        else:
            with s3_server(BUCKET) as server:
                fields = {"endpoint": f"http://{HOST}", "bucket": BUCKET, "access_key": USER, "secret_key": PASSWORD}
                yield server, server.root / BUCKET, fields
    except MissingService as missing:
        skip_or_fail(str(missing))


def spoken(told: dict[str, Any], failpoints: str = "") -> tuple[int, dict[str, Any], str]:
    """Let a process of its own do this: how it ended, what it said, and what it complained of."""
    environment = {**os.environ, "FAILPOINTS": failpoints, "MILLRACE_TEST_BUILD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.save_and_die"], input=json.dumps(told), capture_output=True, text=True,
        cwd=ROOT, env={**environment, "DJANGO_SETTINGS_MODULE": "tests.settings"}, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else {}, done.stderr


@pytest.mark.parametrize("kind", ["sftp", "s3"])
def test_a_death_in_the_middle_of_a_transfer_leaves_no_half_file_and_no_second_one(kind: str) -> None:
    ways = SFTP if kind == "sftp" else S3
    with serving(kind) as (server, root, fields):
        told = {
            "type": f"files.save_{kind}@1", "port": server.port, "size": SIZE, "dies": 0, "look": False,
            "config": {"folder": "in", "exists": "fail"}, "connection": [kind, fields],
        }  # fmt: skip
        if kind == "sftp":
            _, _, complaint = spoken({**told, "key": "first", "config": {"name": "first.bin"}})
            fields["host_key"] = complaint.rpartition("shows the key ")[2].partition(". Compare")[0]
        for number, way in enumerate(ways):
            config = {**told["config"], "name": f"{number}.bin"}  # type: ignore[dict-item]
            mine = {**told, "key": f"effect-{number}", "config": config}
            code, _, complaint = spoken({**mine, "dies": way.dies}, way.failpoints)
            assert code == -signal.SIGKILL, f"{way}: nobody died\n{complaint}"
            final = root / "in" / f"{number}.bin"
            # A store may take a moment to see that the one who sent is gone.
            time.sleep(0.3)
            assert final.exists() is way.kept, way
            code, said, complaint = spoken({**mine, "look": True})
            assert code == 0, f"{way}\n{complaint}"
            assert said == {"happened": way.kept, "path": f"in/{number}.bin"}, way
            assert final.read_bytes() == content(SIZE), way
        found = sorted(path.name for path in (root / "in").iterdir())
        assert found == [f"{number}.bin" for number in range(len(ways))], "one file for each, and nothing left over"
