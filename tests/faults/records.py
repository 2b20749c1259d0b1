"""An installation with runs in every state that a run can stand in, kept for the releases to come (F36).

    python -m tests.faults.records 2026-11      writes tests/golden/records/2026-11.tar.gz

Record once for each release, with that release, and never again: what lies there is what an older release has left on
somebody's disk. `test_earlier_records.py` puts each under the present build and has everything go on.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.faults.examples import (
    Example,
    approval,
    branching,
    edit,
    graph,
    invoice,
    items,
    items_failing,
    linear,
    of_items,
    saga,
    signals,
    telling,
    webhook,
)
from tests.faults.outside import Company
from tests.faults.plant import Plant
from tests.faults.processes import HarnessFailed, wait_until
from tests.services.process import ROOT

FOLDER: Final = ROOT / "tests" / "golden" / "records"
#: By the key of its event, the workflow of the run. How each stands: see `record`.
RUNS: Final = {
    "timer": "Branching",
    "question": "Approval",
    "paused": "Approval",
    "event": "Signals",
    "failed": "Items failing",
    "undoing": "Saga",
    "items": "Items",
    "call": "Linear",
    "doubt": "Asks",
}


def in_doubt() -> Example:
    """A call without a key, and people are asked what became of it."""
    once = invoice("once", key=False, behaviour="slow=6000")
    once["settings"]["on_failure"] = "person"
    edges = ["start -> once", "once -> after"]
    return Example("Asks", graph([webhook(), once, edit("after", "x")], edges), {"once": 1}, may_end_in_doubt=True)


def record(plant: Plant) -> None:
    """Bring the runs to where they are left, and kill the process."""
    company = plant.company

    def calls(key: str) -> list[str]:
        inner = of_items([one.order for one in company.calls(prefix=f"item:{key}.")], key)
        return [one.step for one in company.calls(prefix=f"{key}/")] + inner

    def stands(key: str, status: str) -> Callable[[], bool]:
        return lambda: (plant.status(key) or ("", ""))[1].startswith(status)

    plant.start(
        branching(seconds=40), approval(), signals(), telling(), items_failing(), saga(slow=2500),
        items(count=6, at_a_time=1, slow=1500), linear(respond="immediately", slow=6000), in_doubt(),
    )  # fmt: skip
    for key in ("question", "paused", "event", "failed", "timer", "undoing"):
        plant.senders.insist(plant.published[RUNS[key]].path, key)
    for key in ("question", "paused", "event", "timer"):
        wait_until(stands(key, "waiting"), f"{key} waits", seconds=90)
    assert plant.api is not None
    paused = str((plant.status("paused") or ("", ""))[0])
    plant.api.call("POST", f"W/runs/{dashed(paused)}/pause")
    wait_until(stands("failed", "dead_lettered"), "it fails", seconds=90)
    wait_until(lambda: any(step.startswith("undo_") for step in calls("undoing")), "it is undone", seconds=90)
    for key in ("call", "doubt", "items"):
        plant.senders.insist(plant.published[RUNS[key]].path, key)
    wait_until(lambda: bool(calls("call") and calls("doubt")) and len(calls("items")) > 1, "they call", seconds=90)
    plant.kill(plant.of("serve"))


def dashed(run_id: str) -> str:
    """An id as the API has it."""
    found = run_id.replace("-", "")
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def pack(data: Path, archive: Path) -> None:
    """Put what lies in a data directory into one file."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive, "w:gz", compresslevel=9) as packed:
        copy = Path(folder) / "millrace.sqlite3"
        with sqlite3.connect(data / "millrace.sqlite3") as found:
            # What stands in the log beside it too.
            found.execute("VACUUM INTO ?", (str(copy),))
        packed.add(copy, "data/millrace.sqlite3")
        for path in sorted(data.rglob("*")):
            if path.is_file() and not path.name.startswith("millrace.sqlite3") and "practice" not in path.name:
                packed.add(path, f"data/{path.relative_to(data)}")


def unpack(archive: Path, folder: Path) -> Path:
    """The data directory."""
    shutil.unpack_archive(archive, folder)
    (folder / "data").chmod(0o700)
    return folder / "data"


def main(arguments: list[str]) -> int:
    """Record under this name."""
    if len(arguments) != 1 or (FOLDER / f"{arguments[0]}.tar.gz").exists():
        print("A name that no record has yet is needed, such as 2026-11.", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="millrace-record-"))
    company = Company()
    try:
        with Plant(folder, company) as plant:
            record(plant)
            pack(plant.data, FOLDER / f"{arguments[0]}.tar.gz")
    except HarnessFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    finally:
        company.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def asked(items: list[dict[str, Any]], title: str) -> str:
    """The open question of that title; empty where there is none yet."""
    return next((str(item["id"]) for item in items if item["title"] == title), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
