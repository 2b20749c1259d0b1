"""Figures of the whole installation, for a program that watches it: since ever, and how things stand now."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Sum

from runtime import queue
from runtime.interpreter.letters import open_by_workspace
from runtime.store import standing
from runtime.store.brake import BRAKE, free_bytes
from runtime.store.dialect import database_now
from runtime.store.figure_models import WHOLE
from runtime.store.figure_rows import COUNTS, WEEK
from runtime.store.models import Figure, HumanTask
from runtime.store.sketch import Sketch

__all__ = ["BOUNDS_MS", "Metrics", "Ready", "metrics", "ready"]

#: Upper bounds of the histogram of how long runs took, in milliseconds.
BOUNDS_MS: Final = (
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000,
    86_400_000, 604_800_000,
)  # fmt: skip
_WORKS: Final = ("embedded", "worker")


@dataclass(frozen=True, slots=True)
class Metrics:
    """`counts`: by workspace and workflow, what was counted since the installation began. `took`: by workspace, how
    many runs took at most as long as each of `BOUNDS_MS`, and how many there were. The rest is how things stand; by
    workspace where it says so. `processes`: living ones by kind, and the runs that they have in hand."""

    counts: dict[tuple[UUID, UUID], Counter[str]]
    took: dict[UUID, tuple[list[int], int]]
    queue: dict[UUID, standing.Queue]
    letters: dict[UUID, int]
    tasks: dict[UUID, int]
    tasks_late: dict[UUID, int]
    processes: dict[str, tuple[int, int]]
    now: int
    free_bytes: int
    accepts: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """What a process needs: `database` to accept anything, `broker` to begin it at once, `workers` to begin it."""

    database: bool
    broker: bool
    workers: bool


def metrics() -> Metrics:
    """Everything at once; from what was added up, not from runs."""
    now = database_now()
    counts: dict[tuple[UUID, UUID], Counter[str]] = {}
    weeks = Figure.objects.filter(level=WEEK).exclude(workflow_id=WHOLE).order_by()
    rows: Any = weeks.values_list("workspace_id", "workflow_id").annotate(*[Sum(name) for name in COUNTS])
    for workspace_id, workflow_id, *sums in rows:
        counts[workspace_id, workflow_id] = Counter(dict(zip(COUNTS, map(int, sums), strict=True)))
    sketches: defaultdict[UUID, Sketch] = defaultdict(Sketch)
    whole = Figure.objects.filter(level=WEEK, workflow_id=WHOLE).exclude(took="").order_by()
    for workspace_id, took in whole.values_list("workspace_id", "took"):
        sketches[workspace_id].add_text(took)
    processes: dict[str, tuple[int, int]] = {}
    for kind, running in standing.alive(now).values_list("kind", "running"):
        count, runs = processes.get(kind, (0, 0))
        processes[kind] = count + 1, runs + running
    late = HumanTask.objects.filter(status="open", due_at__lt=now).order_by().values_list("workspace_id", flat=True)
    return Metrics(
        counts=counts,
        took={
            workspace_id: ([sketch.at_most(bound) for bound in BOUNDS_MS], sketch.total)
            for workspace_id, sketch in sketches.items()
        },
        queue=standing.queues(),
        letters=open_by_workspace(),
        tasks=standing.open_tasks(),
        tasks_late=dict(Counter(late)),
        processes=processes,
        now=now,
        free_bytes=free_bytes(),
        accepts=not BRAKE.full,
    )


def ready() -> Ready:
    """Whether database and broker answer, and whether anybody works. Never raises."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        works = standing.alive(database_now()).filter(kind__in=_WORKS).exists()
    except (DatabaseError, InterfaceError):
        return Ready(database=False, broker=queue.reachable(), workers=False)
    return Ready(database=True, broker=queue.reachable(), workers=works)
