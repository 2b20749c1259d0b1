"""How a workspace stands now: what waits, what is stuck and why, who is alive."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Sum

from runtime.contracts.figures import Standing, StuckRuns, WorkerView
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.letters import open_letters
from runtime.store import standing as store
from runtime.store.brake import free_bytes
from runtime.store.dialect import database_bytes, database_now
from runtime.store.models import Artifact, HumanTask, Process

__all__ = ["standing"]

#: Processes that ended longer ago are not told of.
_LATELY_MS: Final = 3_600_000
_SHOWN: Final = 5
#: How much is stored changes slowly, and is added up from a row for each file.
_STORED_SECONDS: Final = 60.0
_database_size: dict[str, tuple[float, int]] = {}
_stored: dict[UUID, tuple[float, int, int]] = {}


def standing(*, workspace_id: UUID, workflow_id: UUID | None = None) -> Standing:
    """How things stand at this moment. `workflow_id`: what is due, dead letters and what is stuck are of that workflow
    only; questions, processes and what is stored are of all."""
    now = database_now()
    queue = store.queues(workspace_id, workflow_id).get(workspace_id, store.Queue(0, None))
    tasks = HumanTask.objects.filter(workspace_id=workspace_id, status="open")
    letters = open_letters(workspace_id)
    if workflow_id is not None:
        letters = letters.filter(workflow_id=workflow_id)
    files, size = _files(workspace_id)
    return Standing(
        at=now,
        queue=queue.size,
        queue_since=queue.since,
        letters=letters.count(),
        tasks=tasks.count(),
        tasks_late=tasks.filter(due_at__lt=now).count(),
        stuck=_stuck(workspace_id, workflow_id),
        workers=_workers(now),
        files=files,
        files_bytes=size,
        free_bytes=free_bytes(),
        database_bytes=_database(),
    )


def _stuck(workspace_id: UUID, workflow_id: UUID | None) -> list[StuckRuns]:
    found: dict[tuple[str, str | None], StuckRuns] = {}
    for one in store.stuck(workspace_id):
        if workflow_id is not None and one.workflow_id != workflow_id:
            continue
        waiting: Any = None if one.waiting is None else loads_stored(one.waiting)
        says = one.reason in ("set_aside", "connection_broken") and isinstance(waiting, dict)
        text = waiting.get("text") if says else None
        kept = found.get((one.reason, text))
        runs = kept.runs if kept is not None else []
        if len(runs) < _SHOWN:
            runs = [*runs, (one.run_id, one.workflow_id)]
        count, since = (1, one.since) if kept is None else (kept.count + 1, kept.since)
        found[one.reason, text] = StuckRuns(one.reason, text, count, since, runs)
    return sorted(found.values(), key=lambda group: group.since)


def _workers(now: int) -> list[WorkerView]:
    """Those that live first, and those that are gone without having signed off."""
    rows = Process.objects.filter(seen_at__gt=now - _LATELY_MS, stopped_at__isnull=True)
    views = [
        WorkerView(
            kind=row.kind,
            host=row.host,
            pid=row.pid,
            started_at=row.started_at,
            seen_at=row.seen_at,
            running=row.running,
            alive=row.seen_at > now - store.ALIVE_MS,
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: (not view.alive, view.kind, view.host, view.pid))


def _database() -> int:
    """It is asked of the disk, for each table: no more often than what is stored."""
    known = _database_size.get("bytes")
    if known is None or time.monotonic() - known[0] > _STORED_SECONDS:
        known = _database_size["bytes"] = time.monotonic(), database_bytes()
    return known[1]


def _files(workspace_id: UUID) -> tuple[int, int]:
    known = _stored.get(workspace_id)
    if known is None or time.monotonic() - known[0] > _STORED_SECONDS:
        sums = Artifact.objects.filter(workspace_id=workspace_id).aggregate(count=Count("id"), size=Sum("size"))
        known = _stored[workspace_id] = time.monotonic(), sums["count"], int(sums["size"] or 0)
    return known[1], known[2]
