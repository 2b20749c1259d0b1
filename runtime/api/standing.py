"""How a workspace stands now: what waits, what is stuck and why, who is alive; and the same of one run."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Sum

from runtime import queue
from runtime.api.runs import run
from runtime.contracts import AlreadyDecided, AlreadyFinished, NotFound, NotStartable, RunView
from runtime.contracts.figures import InLine, RunStands, Standing, StuckRun, StuckRuns, WorkerView
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.letters import open_letters
from runtime.store import in_line
from runtime.store import standing as store
from runtime.store.beside import unchanged
from runtime.store.brake import free_bytes
from runtime.store.commits import commit
from runtime.store.dialect import database_bytes, database_now
from runtime.store.models import Artifact, HumanTask, Process, Run
from runtime.store.statements import HELD
from runtime.store.trail import said

__all__ = ["run_stands", "standing", "take_up"]

#: Processes that ended longer ago are not told of.
_LATELY_MS: Final = 3_600_000
_SHOWN: Final = 5
#: Processes that carry runs out.
_WORKING: Final = ("worker", "embedded")
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


def run_stands(*, workspace_id: UUID, run_id: UUID) -> RunStands:
    """Where one run stands in line, or that it is stuck and why; neither, where somebody works on it or it waits for
    something. Raises NotFound."""
    if not Run.objects.filter(pk=run_id, workspace_id=workspace_id).exists():
        raise NotFound("There is no such run.", code="run_not_found")
    found = in_line.stands(run_id) or in_line.Stands()
    line = found.line and InLine(found.line.ahead, found.line.ahead >= in_line.MOST_AHEAD, found.line.seconds)
    if found.stuck is None:
        return RunStands(line)
    working = store.alive(database_now()).filter(kind__in=_WORKING).count()
    stuck = StuckRun(found.stuck, found.since, store.OVERDUE_MS, working, found.stuck == "set_aside")
    return RunStands(None, stuck)


def take_up(*, workspace_id: UUID, run_id: UUID, by: UUID | None = None) -> RunView:
    """Let a run that was set aside be tried again, from the step at which its process died. Taken up twice is taken up
    once. Raises NotFound, AlreadyFinished, AlreadyDecided (it was not set aside, or is not any more), NotStartable
    (it is paused)."""
    here = Run.objects.filter(pk=run_id, workspace_id=workspace_id)
    with commit("run.resume"):
        row = here.select_for_update().values("status", "finished_at", "wake_at", "min_engine").first()
        now = database_now()
        aside = row is not None and row["status"] == "parked"
        # No worker takes a run that is paused, whatever is said of it.
        stopped = aside and row is not None and row["min_engine"] >= HELD
        waits = aside and not stopped and row is not None and (row["wake_at"] is None or row["wake_at"] > now)
        if waits:
            who = "api" if by is None else f"user:{by}"
            here.update(wake_at=now, claims=0, change=said("resume", who))
        else:
            unchanged()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    if row["finished_at"] is not None:
        raise AlreadyFinished("The run has ended: there is nothing left to take up.")
    if not aside:
        raise AlreadyDecided("The run is not set aside any more.", code="not_set_aside")
    if stopped:
        raise NotStartable("The run is paused. Resume it first: it is tried again then.", code="run_paused")
    queue.ring([run_id])
    return run(workspace_id=workspace_id, run_id=run_id)


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
