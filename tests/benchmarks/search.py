"""A million runs, and how long each way of finding some of them takes; one line of JSON for each.

python -m tests.benchmarks.search                   1,000,000 on PostgreSQL, 100,000 on SQLite (`make bench-search`)
python -m tests.benchmarks.search scaled 200000     one of them, with so many runs
python -m tests.benchmarks.search scaled tag        those only whose names hold a word
"""

from __future__ import annotations

import math
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import psycopg
import psycopg.sql

from tests.benchmarks import graphs
from tests.benchmarks.__main__ import MODES, staged
from tests.benchmarks.figures import Figure, Stage

RUNS: Final = {"scaled": 1_000_000, "embedded": 100_000}
#: Each filter is asked so often, each time for something else where it can be.
TIMES: Final = 15
WORKFLOWS: Final = 20
_DAY_MS: Final = 86_400_000
_DAYS: Final = 120
#: Changed after the tables were last looked after, as in a system at work.
_FRESH_PERCENT: Final = 2
_NAMING: Final = {
    "key": "{{ trigger.body.number }}",
    "fields": [
        {"name": "supplier", "label": "Supplier", "kind": "text", "value": "{{ trigger.body.supplier }}"},
        {"name": "total", "label": "Total", "kind": "amount", "value": "{{ trigger.body.total }}", "currency": "EUR"},
    ],
}
_NAMES: Final = ("Brinkmann", "Hansen", "Okoye", "Lindqvist", "Moreau", "Petrov", "Ito", "Silva", "Kaya", "Novak")
_TRADES: Final = ("Papier", "Druck", "Logistik", "Metall", "Energie", "Bau", "Chemie", "Textil", "Handel", "Technik")
_CODES: Final = ("period_closed", "http_500", "timeout", "data", "no_such_supplier")
_RUN_COLUMNS: Final = (
    "id", "workspace_id", "workflow_id", "version_id", "trigger_node", "mode", "started_by", "status", "generation",
    "seq", "business_key", "lease_token", "claims", "min_engine", "accepted_at", "started_at", "finished_at", "waiting",
    "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Books:
    """What was filled in."""

    workspace: UUID
    #: Workflow, version, name.
    workflows: list[tuple[UUID, UUID]]
    now: int
    runs: int


def suppliers(rng: random.Random) -> list[str]:
    """Five hundred of them."""
    return [f"{rng.choice(_NAMES)} {rng.choice(_TRADES)} {number:03d} GmbH" for number in range(500)]


def rows(books: Books, rng: random.Random) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Table by table name and row, the oldest run first."""
    called = suppliers(rng)
    people = [UUID(int=rng.getrandbits(128), version=4) for _ in range(12)]
    weights = [1 / (number + 1) for number in range(len(books.workflows))]
    chosen = rng.choices(range(len(books.workflows)), weights, k=books.runs)
    step = _DAYS * _DAY_MS / books.runs
    for number in range(books.runs):
        at = int(books.now - (books.runs - number) * step)
        run_id = UUID(int=(at << 80) | (7 << 76) | (rng.getrandbits(12) << 64) | (2 << 62) | rng.getrandbits(62))
        workflow, version = books.workflows[chosen[number]]
        status = _status(rng.random(), at, books.now)
        took = int(min(6 * 3_600_000, rng.lognormvariate(math.log(4_000), 1.6)))
        ended = None if status.startswith(("wait", "run", "acc")) else at + took
        by = rng.random()
        started_by = "webhook" if by < 0.7 else "schedule" if by < 0.9 else f"user:{rng.choice(people)}"
        key = f"R-{2025 + (number > books.runs // 2)}-{number:07d}"
        mode = "test" if rng.random() < 0.01 else "live"
        error = '{"code":"data","title":"It failed","message":"…"}' if status == "dead_lettered" else None
        waiting = '{"kind":"human","since":1,"until":null,"text":"somebody"}' if status == "waiting_human" else None
        yield "run", (
            run_id, books.workspace, workflow, version, "order", mode, started_by, status, 1, 4, key, 2, 0, 5, at,
            at + 20, ended, waiting, error,
        )  # fmt: skip
        yield "field", (books.workspace, "key", run_id, key, key.casefold(), None, "")
        supplier = called[min(int(rng.expovariate(1 / 60)), 499)]
        yield "field", (books.workspace, "supplier", run_id, supplier, supplier.casefold(), None, "")
        cents = int(rng.lognormvariate(math.log(80_000), 1.4))
        shown = f"{cents // 100}.{cents % 100:02d}"
        currency = rng.choices(("EUR", "USD", "SEK"), (8, 1, 1))[0]
        yield "field", (books.workspace, "total", run_id, shown, shown, cents * 100, currency)
        for tag in _tags(number / books.runs, rng):
            yield "tag", (books.workspace, tag.casefold(), run_id, tag)
        if status == "dead_lettered":
            code = rng.choices(_CODES, (50, 30, 15, 4, 1))[0]
            yield "letter", (
                run_id, 1, books.workspace, workflow, "keep", f"{code}-{chosen[number]}"[:32], code, "It failed", "…",
                "…", at + took,
            )  # fmt: skip
        if status == "waiting_human":
            yield "task", (
                run_id, books.workspace, workflow, run_id, "keep", 1, 1, "approval", "open", "Approve?", "{}", "", at,
            )  # fmt: skip
        # Steps that are done stand beside those at which runs are.
        stands = "waiting" if status == "waiting_human" else "failed" if status == "dead_lettered" else "succeeded"
        yield "step", (run_id, "keep", 1, "keep", stands, 1, "[]", 4, at)


def _tags(age: float, rng: random.Random) -> Iterator[str]:
    """Words on a run: one on every fifth, one on those of an old quarter alone, rare ones, and one on very few."""
    if rng.random() < 0.2:
        yield "To check"
    if age < 0.05:
        yield "quarter-end 1"
    if rng.random() < 0.01:
        yield f"case {rng.randrange(400)}"
    if rng.random() < 0.00002:
        yield "audit"


def _status(dice: float, at: int, now: int) -> str:
    if dice < 0.945:
        return "completed"
    if dice < 0.975:
        return "dead_lettered"
    if dice < 0.985:
        return "cancelled"
    if dice < 0.990:
        return "compensated"
    # What is open has seldom been so for long.
    if now - at > 20 * _DAY_MS:
        return "completed"
    return "waiting_human" if dice < 0.994 else "waiting_timer" if dice < 0.998 else "running"


TABLES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "run": ("store_run", _RUN_COLUMNS),
    "field": ("store_runfield", ("workspace_id", "name", "run_id", "shown", "folded", "number", "currency")),
    "tag": ("store_runtag", ("workspace_id", "folded", "run_id", "tag")),
    "letter": (
        "store_deadletter",
        ("run_id", "generation", "workspace_id", "workflow_id", "node_id", "cause", "code", "title", "message",
         "pattern", "at"),
    ),
    "task": (
        "store_humantask",
        ("id", "workspace_id", "workflow_id", "run_id", "node_id", "generation", "attempt", "kind", "status", "title",
         "spec", "people", "created_at"),
    ),
    "step": (
        "store_steprun",
        ("run_id", "node_id", "generation", "node_key", "status", "attempt", "ports", "seq", "started_at"),
    ),
}  # fmt: skip


def fill(books: Books, database: str, rng: random.Random) -> None:
    """Put them into the database, in portions."""
    is_server = database.startswith("postgres")
    insert = _copier(database) if is_server else _inserter(database)
    waiting: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
    for name, row in rows(books, rng):
        waiting[name].append(row)
        if len(waiting["field"]) >= 60_000:
            insert(waiting)
            waiting = {name: [] for name in TABLES}
    insert(waiting)
    _look_after(books, database)


def _copier(database: str) -> Callable[[dict[str, list[tuple[Any, ...]]]], None]:
    def insert(waiting: dict[str, list[tuple[Any, ...]]]) -> None:
        with psycopg.connect(database) as connection, connection.cursor() as cursor:
            for name, (table, columns) in TABLES.items():
                copy_sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
                with cursor.copy(copy_sql) as copy:
                    for row in waiting[name]:
                        copy.write_row(row)

    return insert


def _inserter(database: str) -> Callable[[dict[str, list[tuple[Any, ...]]]], None]:
    def insert(waiting: dict[str, list[tuple[Any, ...]]]) -> None:
        connection = sqlite3.connect(database, timeout=60)
        with connection:
            for name, (table, columns) in TABLES.items():
                marks = ", ".join("?" * len(columns))
                plain = [tuple(v.hex if isinstance(v, UUID) else v for v in row) for row in waiting[name]]
                connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", plain)
        connection.close()

    return insert


def _look_after(books: Books, database: str) -> None:
    """What the database does by itself in time; then some of the runs change, as they do in a system at work."""
    if not database.startswith("postgres"):
        connection = sqlite3.connect(database, timeout=60)
        connection.execute("ANALYZE")
        connection.close()
        return
    with psycopg.connect(database, autocommit=True) as server:
        for table, _ in TABLES.values():
            server.execute(f"VACUUM ANALYZE {table}")
        changed = books.runs * _FRESH_PERCENT // 100
        server.execute(
            "UPDATE store_run SET seq = seq + 1, wake_at = NULL WHERE id IN (SELECT id FROM store_run "
            f"ORDER BY id DESC LIMIT {changed})"
        )


def questions(books: Books, rng: random.Random) -> dict[str, Callable[[], str]]:
    """Each way of finding runs, as a query; each call asks for something else where it can."""
    called = suppliers(random.Random(7))

    def workflow() -> str:
        return str(rng.choice(books.workflows)[0])

    def number() -> int:
        return rng.randrange(books.runs)

    return {
        "newest": lambda: "",
        "key_whole": lambda: f"q=R-2026-{rng.randrange(books.runs // 2 + 1, books.runs):07d}",
        "key_beginning_rare": lambda: f"q=R-2025-{rng.randrange(books.runs // 200):05d}",
        "key_beginning_old_half": lambda: "q=R-2025",
        "key_beginning_new_half": lambda: "q=R-2026",
        "key_contained": lambda: f"q={number():06d}"[:8],
        "key_contained_short": lambda: f"q={rng.randrange(10, 99)}7",
        "nothing_like_it": lambda: f"q=zzz{number()}",
        "run_number": lambda: f"q=run:{rng.getrandbits(32):08x}",
        "supplier_common": lambda: "q=supplier:brink",
        "supplier_rare": lambda: f"q=supplier:%22{rng.choice(called)[-9:].replace(' ', '%20')}%22",
        "total_above": lambda: f"q=total%3E{rng.choice((100, 1_000, 10_000))}",
        "total_above_rare": lambda: f"q=total%3E{rng.choice((300_000, 500_000))}",
        "total_below_rare": lambda: f"q=total%3C{rng.choice((5, 8))}",
        "currency": lambda: "q=total%3E5000SEK",
        "failed": lambda: "q=status:failed",
        "failed_of_workflow": lambda: f"q=status:failed&workflow={workflow()}",
        "failed_or_waiting_7_days": lambda: (
            "since=7d&status=dead_lettered&status=waiting_timer&status=waiting_event&status=waiting_human&status=parked"
        ),
        "running": lambda: "q=status:running",
        "undone": lambda: "status=compensated",
        "done_of_workflow": lambda: f"status=completed&workflow={workflow()}",
        "workflow": lambda: f"workflow={workflow()}",
        "version": lambda: f"q=version:1&workflow={workflow()}",
        "by_person": lambda: "q=by:person",
        "by_nobody_known": lambda: "q=by:me",
        "tests": lambda: "mode=test",
        "asks_a_person": lambda: "q=asks:person",
        "error_common": lambda: "q=error:period_closed",
        "error_rare": lambda: "q=error:no_such_supplier",
        "step_where_it_stopped": lambda: f"q=step:keep&workflow={workflow()}",
        "stands_failed": lambda: "q=stands:failed",
        "stands_failed_at_step": lambda: f"q=step:keep%20stands:failed&mode=live&workflow={workflow()}",
        "stands_waiting_at_step": lambda: f"q=step:keep%20stands:waiting&mode=live&workflow={workflow()}",
        # Nothing moves: every open run is looked at.
        "stands_running": lambda: "q=stands:running",
        "stands_running_at_step": lambda: f"q=step:keep%20stands:running&mode=live&workflow={workflow()}",
        "stands_any_at_step": lambda: f"q=step:keep%20stands:any&mode=live&workflow={workflow()}",
        "longer_than_an_hour": lambda: "q=longer:1h",
        "shorter": lambda: "q=shorter:30ms",
        "one_old_day": lambda: f"q=from:{_day(books, rng)}%20until:{_day(books, rng, 1)}",
        "old_day_failed": lambda: f"q=status:failed%20until:{_day(books, rng)}",
        "tag_common": lambda: "q=tag:%22to%20check%22",
        "tag_old_alone": lambda: "q=tag:%22quarter-end%201%22",
        "tag_of_some": lambda: f"q=tag:%22case%20{rng.randrange(400)}%22",
        "tag_of_few": lambda: "q=tag:audit",
        "tag_of_none": lambda: "q=tag:nobody-says-so",
        "tag_and_status": lambda: "q=tag:%22to%20check%22%20status:failed",
        "tag_old_and_status": lambda: "q=tag:%22quarter-end%201%22%20status:failed",
        "tags_both": lambda: "q=tag:%22to%20check%22%20tag:%22quarter-end%201%22",
        "tag_and_workflow": lambda: f"q=tag:%22to%20check%22&workflow={workflow()}",
        "tag_sorted_by_total": lambda: "q=tag:%22quarter-end%201%22&sort=largest:total",
        "tag_oldest": lambda: "q=tag:%22to%20check%22&sort=oldest",
        "tag_and_words": lambda: f"q=tag:%22to%20check%22%20{rng.randrange(1000, 9999)}",
        "spec_example": lambda: "q=supplier:brink%20total%3E10000%20status:failed",
        "words_and_status": lambda: f"q={rng.randrange(1000, 9999)}%20status:failed",
        "longest": lambda: "sort=longest",
        "longest_of_workflow": lambda: f"sort=longest&workflow={workflow()}",
        "largest_total": lambda: "sort=largest:total",
        "largest_total_failed": lambda: "sort=largest:total&status=dead_lettered",
        "oldest": lambda: "sort=oldest",
        "count_all": lambda: "COUNT",
        "count_failed": lambda: "COUNT&status=dead_lettered",
        "count_stands_failed": lambda: f"COUNT&q=step:keep%20stands:failed&mode=live&workflow={workflow()}",
        "count_stands_waiting": lambda: f"COUNT&q=step:keep%20stands:waiting&mode=live&workflow={workflow()}",
        "where_runs_are": lambda: f"WHERE{workflow()}",
        "count_tag_common": lambda: "COUNT&q=tag:%22to%20check%22",
        "count_tag_old": lambda: "COUNT&q=tag:%22quarter-end%201%22%20status:failed",
        "tags_used": lambda: f"TAGS&q={rng.choice(('case', 'quarter', ''))}",
        "count_spec_example": lambda: "COUNT&q=supplier:brink%20total%3E10000%20status:failed",
    }


def _day(books: Books, rng: random.Random, later: int = 0) -> str:
    if not later:
        _day.last = rng.randrange(20, _DAYS - 5)  # type: ignore[attr-defined]
    ago: int = _day.last  # type: ignore[attr-defined]
    return time.strftime("%Y-%m-%d", time.gmtime((books.now - ago * _DAY_MS) / 1000))


def measure(stage: Stage, mode: str, runs: int, part: str = "") -> list[Figure]:
    """All of them whose names hold this."""
    rng = random.Random(7)
    published: list[tuple[UUID, UUID]] = []
    for number in range(WORKFLOWS):
        graph = {**graphs.accepts(), "naming": _NAMING}
        live = stage.api.publish(f"Workflow {number}", graph)
        stage.api.call("GET", f"W/workflows/{live.workflow}/versions")
        published.append((UUID(live.workflow), UUID(int=0)))
    product = stage.product
    database = product.database_url if mode == "scaled" else str(product.directory / "millrace.sqlite3")
    versions = _versions(database)
    published = [(workflow, versions[workflow]) for workflow, _ in published]
    books = Books(UUID(stage.api.workspace), published, time.time_ns() // 1_000_000, runs)
    began = time.monotonic()
    fill(books, database, rng)
    filled = time.monotonic() - began
    figures = [Figure("search_fill_s", filled, "s", {"runs": runs, "runs_per_s": round(runs / filled)})]
    for name, ask in questions(books, rng).items():
        if part not in name:
            continue
        took: list[float] = []
        found = 0
        for _ in range(TIMES):
            query = ask()
            path = f"W/runs?limit=50&{query}"
            if query.startswith("COUNT"):
                path = "W/runs/count?" + query[6:]
            elif query.startswith("TAGS"):
                path = "W/runs/tags?" + query[5:]
            elif query.startswith("WHERE"):
                path = f"W/workflows/{query[5:]}/standing"
            began = time.monotonic()
            answer = stage.api.call("GET", path)
            took.append((time.monotonic() - began) * 1000)
            found = len(answer.get("items", answer.get("tags", ()))) or answer.get("count", 0)
        took.sort()
        p95 = took[min(len(took) - 1, math.ceil(len(took) * 0.95) - 1)]
        figure = Figure(f"search_{name}", p95, "ms p95", {"p50_ms": round(took[len(took) // 2], 1), "found": found})
        print(figure.line(mode), flush=True)
        figures.append(figure)
    return figures


def _versions(database: str) -> dict[UUID, UUID]:
    sql = "SELECT workflow_id, version_id FROM store_deployment"
    if database.startswith("postgres"):
        with psycopg.connect(database) as server:
            return dict(server.execute(sql).fetchall())
    connection = sqlite3.connect(database, timeout=60)
    found = {UUID(workflow): UUID(version) for workflow, version in connection.execute(sql)}
    connection.close()
    return found


def main(chosen: Sequence[str]) -> int:
    """Measure in the modes that were chosen; 1 when one is slower than half a second."""
    modes = [mode for mode in MODES if mode in chosen] or list(MODES)
    numbers = [int(one) for one in chosen if one.isdecimal()]
    part = next((one for one in chosen if not one.isdecimal() and one not in MODES), "")
    slow = 0
    for mode in modes:
        with staged(mode, lambda _: False) as stage:
            found = measure(stage, mode, numbers[0] if numbers else RUNS[mode], part)
        print(found[0].line(mode), flush=True)
        slow += sum(one.value > 500 for one in found[1:])
        worst = max(found[1:], key=lambda one: one.value)
        print(Figure("search_slowest_p95_ms", worst.value, "ms", {"which": worst.bench}).line(mode), flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
