"""How quickly the monitor answers, with a year of figures of a million runs."""

from __future__ import annotations

import random
import sqlite3
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from runtime.store.sketch import Sketch
from tests.benchmarks import graphs
from tests.benchmarks.figures import Figure, Stage

#: In place of a workflow: the whole workspace.
WHOLE = UUID(int=0)
RUNS = 1_000_000
WORKFLOWS = 20
DAYS = 365
#: Minutes are kept for so long.
MINUTES_OF = 62
CALLS = 120
_DAY = 86_400_000
_LEVELS = ((60, MINUTES_OF), (3_600, DAYS), (86_400, DAYS), (604_800, DAYS))
_COLUMNS = (
    "workspace_id", "level", "workflow_id", "at", "started", "completed", "failed", "cancelled", "undone", "received",
    "duplicates", "conflicts", "letters", "took", "took_whole",
)  # fmt: skip


def monitor_p95_ms(stage: Stage) -> Figure:
    """The monitor over HTTP for ranges from 15 minutes to a year, of all workflows and of one: p95 of many calls."""
    chance = random.Random(5)
    workflows = [UUID(stage.api.publish(f"Bench {number}", graphs.accepts()).workflow) for number in range(WORKFLOWS)]
    workspace = UUID(stage.api.workspace)
    rows = _fill(stage, list(_rows(chance, workspace, workflows)))
    took: list[float] = []
    worst: dict[str, float] = {}
    for name, path in _paths(chance, workflows):
        began = time.monotonic()
        stage.api.call("GET", path)
        milliseconds = (time.monotonic() - began) * 1000
        took.append(milliseconds)
        worst[name] = max(worst.get(name, 0.0), milliseconds)
    details = {
        "p50_ms": round(statistics.median(took), 1),
        "worst_ms": {name: round(value, 1) for name, value in worst.items()},
        "runs": RUNS,
        "workflows": WORKFLOWS,
        "rows": rows,
        "calls": len(took),
    }
    return Figure("monitor_p95_ms", statistics.quantiles(took, n=20)[-1], "ms", details)


def _paths(chance: random.Random, workflows: list[UUID]) -> Iterator[tuple[str, str]]:
    ranges = {"15m": 15, "1h": 60, "6h": 360, "24h": 1440, "7d": 10_080, "30d": 43_200, "365d": 525_600}
    yield "first", "W/monitor"
    for _ in range(CALLS):
        name, minutes = chance.choice(list(ranges.items()))
        of = chance.choice(["", "", f"&workflow={chance.choice(workflows)}"]) + chance.choice(["", "&people=true"])
        if chance.random() < 0.6:
            yield name, f"W/monitor?minutes={minutes}{of}"
        else:
            end = time.time() - chance.random() * 86_400 * (DAYS - minutes / 1440)
            own = f"begin={_stamp(end - minutes * 60)}&end={_stamp(end)}"
            yield f"{name} of the past", f"W/monitor?{own}{of}"


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rows(chance: random.Random, workspace: UUID, workflows: list[UUID]) -> Iterator[tuple[Any, ...]]:
    """As the roller would have left them."""
    now = int(time.time() * 1000)
    counts: defaultdict[tuple[int, UUID, int], list[int]] = defaultdict(lambda: [0, 0])
    sketches: defaultdict[tuple[int, UUID, int], Sketch] = defaultdict(Sketch)
    for _ in range(RUNS):
        at = now - int(chance.random() * DAYS * _DAY)
        workflow, failed = chance.choice(workflows), chance.random() < 0.02
        took = int(chance.lognormvariate(7, 1.5))
        for level, days in _LEVELS:
            if now - at > days * _DAY:
                continue
            for one in (workflow, WHOLE):
                key = level, one, at - at % (level * 1000)
                counts[key][failed] += 1
                if not failed:
                    sketches[key].add(took)
    for key, (done, failures) in counts.items():
        level, workflow, at = key
        told = done + failures, done, failures, 0, 0, done + failures, (done + failures) // 50, 0, failures
        yield workspace, level, workflow, at, *told, sketches[key].text(), None


def _fill(stage: Stage, rows: list[tuple[Any, ...]]) -> int:
    names = ", ".join(_COLUMNS)
    if stage.product.database_url:
        with psycopg.connect(stage.product.database_url) as database, database.cursor() as cursor:
            with cursor.copy(f"COPY store_figure ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            database.commit()
            database.autocommit = True
            database.execute("VACUUM ANALYZE store_figure")
    else:
        places = ", ".join("?" * len(_COLUMNS))
        with closing(sqlite3.connect(stage.product.directory / "millrace.sqlite3", timeout=60)) as local, local:
            plain = ((row[0].hex, row[1], row[2].hex, *row[3:]) for row in rows)
            local.executemany(f"INSERT INTO store_figure ({names}) VALUES ({places})", plain)
    return len(rows)
