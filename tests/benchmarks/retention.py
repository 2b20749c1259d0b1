"""How quickly a sweep removes what is older than the rules, and what those feel of it who send events meanwhile."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg

from tests.benchmarks import graphs
from tests.benchmarks.figures import Figure, Stage, load, refuse_failures, wait_for
from tests.product import ProductFailed

RUNS = 6_000
#: Seconds of sending, without a sweep and beside one: shorter than the sweep of so many runs takes.
SECONDS = 2
_AGE = 100 * 86_400_000
_TABLES = ("store_run", "store_steprun", "store_attempt", "store_transition", "store_runfield", "store_response")


def retention_rows_per_s(stage: Stage) -> Figure:
    """Rows removed each second of the sweep, its rests among them, while events keep coming over four connections; and
    the p95 of these beside that of events without a sweep."""
    old, live = (stage.api.publish(f"Bench retention {name}", graphs.accepts()) for name in ("old", "live"))
    refuse_failures(load(stage.product.port, old.path, connections=32, count=RUNS))
    wait_for(stage.api, old.workflow, RUNS, seconds=120)
    _wait(lambda: _is_counted(stage), "the figures have counted them", 120)
    flow = old.workflow if stage.product.database_url else old.workflow.replace("-", "")
    _write(
        stage,
        f"UPDATE store_run SET accepted_at = accepted_at - {_AGE}, finished_at = finished_at - {_AGE}"
        f" WHERE workflow_id = '{flow}'",
        f"UPDATE store_event SET received_at = received_at - {_AGE} WHERE workflow_id = '{flow}'",
    )
    alone = load(stage.product.port, live.path, connections=4, seconds=SECONDS, warm=1)
    refuse_failures(alone)
    wait_for(stage.api, live.workflow, alone["sent"], seconds=60)
    before = _rows(stage, flow)
    revision = stage.api.call("GET", "W/retention")["revision"]
    stage.api.call("PUT", "W/retention", {"days": {"done": 30, "starts": 30}, "revision": revision})
    _wait(lambda: _sweep(stage)[0] is not None, "the sweep begins", 60)
    beside = load(stage.product.port, live.path, connections=4, seconds=SECONDS, warm=0)
    refuse_failures(beside)
    _wait(lambda: _sweep(stage)[1] is not None, "the sweep ends", 600)
    began, ended = _sweep(stage)
    assert began is not None
    assert ended is not None
    if _rows(stage, flow):
        raise ProductFailed("The sweep left some of what is old.")
    seconds = (ended - began) / 1000
    details = {
        "runs": RUNS,
        "rows": before,
        "runs_per_s": round(RUNS / seconds),
        "sweep_s": round(seconds, 1),
        "intake_p95_ms": beside["p95_ms"],
        "intake_p95_alone_ms": alone["p95_ms"],
        "intake_per_s": beside["per_second"],
        "intake_alone_per_s": alone["per_second"],
    }
    return Figure("retention_rows_per_s", before / seconds, "rows/s", details)


def _rows(stage: Stage, flow: str) -> int:
    """How many rows there are of this workflow's runs."""
    of = f"SELECT id FROM store_run WHERE workflow_id = '{flow}'"
    counts = [
        f"(SELECT count(*) FROM {table} WHERE {'id' if table == 'store_run' else 'run_id'} IN ({of}))"
        for table in _TABLES
    ]
    return sum(int(one) for one in _read(stage, f"SELECT {', '.join(counts)}"))


def _is_counted(stage: Stage) -> bool:
    """Each counts for its workflow, and once for all of them."""
    ended, counted = _read(
        stage,
        "SELECT (SELECT count(*) FROM store_run WHERE parent_run_id IS NULL AND finished_at IS NOT NULL),"
        " (SELECT SUM(completed) + SUM(failed) FROM store_figure WHERE level = 60)",
    )
    return counted is not None and int(counted) >= 2 * int(ended)


def _sweep(stage: Stage) -> tuple[int | None, int | None]:
    began, ended = _read(stage, "SELECT began_at, ended_at FROM store_retention")
    return began, ended


def _read(stage: Stage, sql: str) -> Any:
    if stage.product.database_url:
        with psycopg.connect(stage.product.database_url) as database:
            return database.execute(sql).fetchone()
    with closing(sqlite3.connect(stage.product.directory / "millrace.sqlite3", timeout=60)) as local:
        return local.execute(sql).fetchone()


def _write(stage: Stage, *statements: str) -> None:
    if stage.product.database_url:
        with psycopg.connect(stage.product.database_url) as database:
            for sql in statements:
                database.execute(sql)
        return
    with closing(sqlite3.connect(stage.product.directory / "millrace.sqlite3", timeout=60)) as local, local:
        for sql in statements:
            local.execute(sql)


def _wait(holds: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise ProductFailed(f"It was waited {seconds:.0f} s in vain until {what}.")
        time.sleep(0.05)
