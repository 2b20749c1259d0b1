"""`make mutants`: each fault in turn, in a copy of the tree, and the test that has to notice it.

A fault that nobody notices fails the command; so does a line that is no longer there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.faults import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("builder", "runtime", "tests", "manage.py", "pyproject.toml", "docker")
#: pytest's word for "tests ran, and some failed".
_FAILED = 1


def main(chosen: list[str]) -> int:
    """Run the chosen mutants, or all."""
    alive = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        place = Path(name)
        for part in _COPIED:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, place / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, place / part)
        for mutant in MUTANTS:
            if chosen and mutant.id not in chosen:
                continue
            began = time.monotonic()
            noticed = is_noticed(mutant, place)
            if not noticed:
                alive.append(mutant.id)
            seconds = round(time.monotonic() - began, 1)
            print(
                json.dumps({"mutant": mutant.id, "what": mutant.what, "noticed": noticed, "seconds": seconds}),
                flush=True,
            )
    print(f"{len(alive)} of {len(MUTANTS)} went unnoticed{': ' + ', '.join(alive) if alive else ''}.")
    return 1 if alive else 0


def is_noticed(mutant: Mutant, place: Path) -> bool:
    """Whether the test fails with this fault, and passes without it."""
    path = place / mutant.file
    sound = path.read_text()
    if sound.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.id}: {mutant.file} has {sound.count(mutant.old)} such lines. Bring it up to date.")
    if run(mutant, place) != 0:
        raise SystemExit(f"{mutant.id}: the test fails without the fault: {mutant.test}")
    path.write_text(sound.replace(mutant.old, mutant.new))
    try:
        return run(mutant, place) == _FAILED
    finally:
        path.write_text(sound)


def run(mutant: Mutant, place: Path) -> int:
    """The exit code of the mutant's test in this copy."""
    files, _, words = mutant.test.partition(" -k ")
    environment = {
        **os.environ,
        "MILLRACE_TEST_DATABASE": mutant.database,
        "MILLRACE_TEST_BROKER": "redis" if mutant.database == "postgres" else "memory",
    }
    chosen = ["-k", words] if words else []
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--timeout=60", *files.split(), *chosen]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, _FAILED):
        print(done.stdout[-3000:], done.stderr[-2000:], file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
