"""Runs the checks and the test suites one after another and says at the end how each went.

    python -m tests.run                 all of it: what `make test` and the build machine run
    python -m tests.run engine browser  some of it, by name
    python -m tests.run --list          the names

Unless ALL is set, some of it is drawn by lot (`tests/lots.py`). The lot is printed; MILLRACE_TEST_LOT gives it again.
A suite whose service is missing is skipped with a word about it; where CI=true that is a failure.
"""

from __future__ import annotations

import atexit
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from tests import lots
from tests.services import MissingService, find_chromium, find_postgres, find_redis, on_ci

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
BIN = Path(sys.executable).parent
#: Free bytes on a disk in memory, below which it is left alone: PostgreSQL's log alone may keep one GiB.
ENOUGH = 4 << 30


@dataclass(frozen=True, slots=True)
class Suite:
    """One command. `needs` find the services it stands on; `group` lets several be chosen with one word.

    `place`: suites "aside" wait more than they work and run beside those "in line"; "alone" comes last, undisturbed.
    Neighbours in line on the same back ends become one command: each start of pytest and its workers costs seconds.
    `real_disk`: what is killed writes where it would in earnest; all others on a disk in memory, where there is one.
    """

    name: str
    group: str
    command: tuple[str, ...]
    folder: Path = ROOT
    database: str = "sqlite"
    broker: str = "memory"
    needs: tuple[Callable[[], Path], ...] = ()
    place: Literal["in line", "aside", "alone"] = "in line"
    real_disk: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    suite: Suite
    verdict: str
    seconds: float
    output: str = ""


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(BIN / name), *arguments)


def node(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(FRONTEND / "node_modules" / ".bin" / name), *arguments)


def tests(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pytest", *arguments)


#: Most tests wait more than they work: half again as many at a time as there are processors. With twice as many a test
#: that waits for the database was at times kept from the processor for longer than anybody waits there.
THREE = ("-n", "3", "--dist", "worksteal")
#: Where nobody rings, they wait even more.
SIX = ("-n", "6", "--dist", "worksteal")
#: Two at a time in the sample, one test each; `make faults` has the machine to itself.
TWO_KILLS = () if os.environ.get("MILLRACE_FAULTS") == "full" else ("-n", "2", "--maxschedchunk", "1")


def faults() -> tuple[str, ...]:
    """All fault tests; in a sample those that are always run, and by chance half of the others. Which they are is
    printed with the command; one by itself is run by its name."""
    folder = ROOT / "tests" / "faults"
    files = sorted(f"tests/faults/{path.name}" for path in folder.glob("test_*.py"))
    if os.environ.get("MILLRACE_FAULTS") == "full":
        return ("tests/faults",)
    always = [f"tests/faults/test_{name}.py" for name in ("check", "every_point", "random_kills", "readme", "undo")]
    others = [path for path in files if path not in always]
    return (*always, *sorted(random.sample(others, len(others) // 2)))


SERVERS = (find_postgres, find_redis)
#: These start processes with an environment and a database of their own: on PostgreSQL they would do the same again.
PROCESSES = (
    "tests/builder/test_processes.py",
    "tests/builder/test_settings.py",
    "tests/builder/practice/test_payment_run.py",
    "tests/builder/practice/test_refund.py",
    "tests/live/test_stopping.py",
    "tests/schema_calls",
)
ASIDE = tuple(f"--ignore={path}" for path in PROCESSES)
#: Who may do what is the same on every database; the practice company and the sandbox of a drill have their own.
ONCE = (
    "--ignore=tests/builder/practice/test_company.py",
    "--ignore=tests/builder/practice/test_reversal.py",
    "--ignore=tests/builder/test_drill.py",
    "--ignore=tests/builder/test_routes.py",
    *(name for name in ASIDE if "tests/builder" in name),
)
#: Where nobody rings: each way in which a run is found, goes on and is woken.
UNRUNG = tuple(
    f"tests/runtime/test_{name}.py"
    for name in (
        "interpreter_steps", "interpreter_waits", "own_runs", "pausing", "retrying", "ticker_schedules",
        "worker_doorbell", "worker_leases",
    )
)  # fmt: skip

STATIC = (
    Suite("ruff", "static", tool("ruff", "check", ".")),
    Suite("format", "static", tool("ruff", "format", "--check", ".")),
    Suite("layers", "static", tool("lint-imports")),
    Suite("mypy", "static", tool("mypy")),
    Suite("oxlint", "static", node("oxlint", "--deny-warnings", "src"), FRONTEND),
    Suite("tsc", "static", node("tsc", "--noEmit"), FRONTEND),
    Suite("vitest", "static", node("vitest", "run"), FRONTEND),
)
SUITES = (
    Suite("builder", "builder", tests("tests/builder", "tests/live", *ASIDE, *THREE)),
    Suite("runtime", "runtime", tests("tests/runtime", *THREE)),
    Suite("engine", "engine", tests("tests/engine", *THREE)),
    Suite("nodes", "nodes", tests("tests/nodes", *THREE)),
    Suite("documents", "documents", tests("tests/documents", *THREE)),
    Suite("architecture", "architecture", tests("tests/architecture", *THREE)),
    Suite("runtime-no-broker", "runtime", tests(*UNRUNG, *SIX), broker="off"),
    Suite(
        "builder-servers",
        "builder",
        tests("tests/builder", "tests/live", *ONCE, *THREE),
        database="postgres",
        broker="redis",
        needs=SERVERS,
    ),
    Suite(
        "runtime-servers", "runtime", tests("tests/runtime", *THREE), database="postgres", broker="redis", needs=SERVERS
    ),
    Suite("faults", "faults", tests(*faults(), *TWO_KILLS), place="aside", real_disk=True),
    Suite("processes", "builder", tests(*PROCESSES), place="aside"),
    Suite(
        "browser",
        "browser",
        tests("tests/browser", "-n", "3", "--dist", "loadfile"),
        needs=(find_chromium,),
        place="alone",
    ),
)


def main(chosen: list[str]) -> int:
    """Run the chosen suites, or all; the exit code is 1 when any failed."""
    known = (*STATIC, *SUITES)
    if chosen == ["--list"]:
        print("\n".join(f"{suite.group:14}{suite.name}" for suite in known))
        return 0
    unknown = [word for word in chosen if word not in {w for suite in known for w in (suite.name, suite.group)}]
    if unknown:
        print(f"No such suite: {', '.join(unknown)}. Try --list.", file=sys.stderr)
        return 2

    def wanted(suite: Suite) -> bool:
        return not chosen or bool({suite.name, suite.group} & set(chosen))

    if not os.environ.get("ALL"):
        os.environ[lots.VARIABLE] = lots.draw()
        print(
            f"A sample is run, drawn by {lots.VARIABLE}={os.environ[lots.VARIABLE]}; ALL=1 runs everything.", flush=True
        )
    outcomes = run_quietly([suite for suite in STATIC if wanted(suite)])
    outcomes += run_side_by_side([suite for suite in SUITES if wanted(suite)])
    print("\n" + "=" * 72)
    for outcome in outcomes:
        print(f"{outcome.verdict:8} {outcome.seconds:7.1f} s  {outcome.suite.name}")
    failed = [outcome.suite.name for outcome in outcomes if outcome.verdict == "FAILED"]
    skipped = [outcome.suite.name for outcome in outcomes if outcome.verdict == "SKIPPED"]
    if skipped:
        print(f"Skipped because something is not installed (see above): {', '.join(skipped)}")
    print("All green." if not failed else f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def run_quietly(suites: list[Suite]) -> list[Outcome]:
    """Run short checks two at a time; each prints its whole output when it is done."""
    with ThreadPoolExecutor(2) as pool:
        outcomes = []
        for outcome in pool.map(lambda suite: run(suite, capture=True), suites):
            print(f"── {outcome.suite.name}: {outcome.verdict} ({outcome.seconds:.1f} s)", flush=True)
            if outcome.verdict == "FAILED" or outcome.suite.name == "vitest":
                print(outcome.output, flush=True)
            outcomes.append(outcome)
    return outcomes


def run_side_by_side(suites: list[Suite]) -> list[Outcome]:
    """Run suites one after another, those "aside" beside them; what ran aside prints its output when it is done."""
    aside = [suite for suite in suites if suite.place == "aside"]
    in_line = joined([suite for suite in suites if suite.place == "in line"])
    alone = [suite for suite in suites if suite.place == "alone"]
    if not in_line:
        return [run(suite, capture=False) for suite in (*aside, *alone)]
    with ThreadPoolExecutor(1) as pool:
        running = [pool.submit(run, suite, capture=True) for suite in aside]
        # What is killed aside must be found within seconds: it goes first where there is not enough for both.
        outcomes = [run(suite, capture=False, nice=bool(aside)) for suite in in_line]
        for waiting in running:
            outcome = waiting.result()
            files = [word for word in outcome.suite.command if word.startswith("tests/")]
            print(f"\n── {outcome.suite.name}, run beside the others: {' '.join(files)}", flush=True)
            print(outcome.output, flush=True)
            outcomes.append(outcome)
    return outcomes + [run(suite, capture=False) for suite in alone]


def joined(suites: list[Suite]) -> list[Suite]:
    """The same suites, neighbours on the same back ends as one."""
    done: list[Suite] = []
    for suite in suites:
        if done and (done[-1].database, done[-1].broker) == (suite.database, suite.broker):
            before = done.pop()
            more = tuple(word for word in suite.command if word not in before.command)
            suite = replace(suite, name=f"{before.name} {suite.name}", command=(*before.command, *more))
        done.append(suite)
    return done


@cache
def memory_disk() -> str | None:
    """A directory in memory, removed at the end, where fsync costs nothing; None where there is little room for it."""
    shm = Path("/dev/shm")
    if "TMPDIR" in os.environ or not os.access(shm, os.W_OK) or shutil.disk_usage(shm).free < ENOUGH:
        return None
    if os.statvfs(shm).f_flag & os.ST_NOEXEC:
        return None  # PostgreSQL's programs may have to be copied there
    directory = tempfile.mkdtemp(prefix="millrace-tests-", dir="/dev/shm")
    os.chmod(directory, 0o711)  # PostgreSQL runs under another account where we are root
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def run(suite: Suite, *, capture: bool, nice: bool = False) -> Outcome:
    """Run one suite, or say why not; `nice`: it lets others go first."""
    try:
        for find in suite.needs:
            find()
    except MissingService as missing:
        print(f"\n!! {suite.name} {'FAILS' if on_ci() else 'is SKIPPED'}: {missing}", flush=True)
        return Outcome(suite, "FAILED" if on_ci() else "SKIPPED", 0.0, str(missing))
    environment = {**os.environ, "MILLRACE_TEST_DATABASE": suite.database, "MILLRACE_TEST_BROKER": suite.broker}
    if not suite.real_disk and (memory := memory_disk()):
        environment["TMPDIR"] = memory
    # Hundreds of processes start here: none of them shall compile what another one has compiled.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if capture:
        environment["NO_COLOR"] = "1"
    else:
        print(f"\n── {suite.name} (database {suite.database}, broker {suite.broker})", flush=True)
    began = time.monotonic()
    done = subprocess.run(
        (*(("nice", "-n", "5") if nice else ()), *suite.command),
        cwd=suite.folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        check=False,
    )
    seconds = time.monotonic() - began
    return Outcome(suite, "passed" if done.returncode == 0 else "FAILED", seconds, done.stdout or "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
