"""What the interpreter loads to go on with a run: raw rows over Django's connection of the calling thread.

The product's lists and details are read elsewhere (`runtime.api`); this is the hot path's share. JSON stays text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connections

from runtime.engine.undo import INCOMPLETE
from runtime.store import artifacts
from runtime.store.records import EventRow

__all__ = [
    "AttemptRow",
    "ResponseRow",
    "RunEnd",
    "RunRows",
    "StepRow",
    "TimerRow",
    "event",
    "event_body",
    "event_row",
    "events",
    "load_runs",
    "run_end",
    "run_ends",
    "version_graph",
]


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it stands."""

    node_id: str
    generation: int
    node_key: str
    status: str
    attempt: int
    ports: str
    note: str | None
    input: str | None
    output: str | None
    error: str | None
    wait: str | None
    due_at: int | None
    commit_seq: int | None
    seq: int
    started_at: int | None
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """A try as it stands; status `intent` without a live lease of `lease_token` is in doubt."""

    node_id: str
    generation: int
    attempt: int
    status: str
    effect_class: str
    effect_key: str | None
    key_epoch: int
    request_digest: str | None
    lease_token: int
    worker: str
    started_at: int
    finished_at: int | None
    request: str | None
    response: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A due time that stands."""

    node_id: str
    generation: int
    kind: str
    due_at: int


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What people answered to a step that waits for them; or, of the kind `signal`, what came by its link or as an
    event. `answer` is JSON."""

    node_id: str
    generation: int
    attempt: int
    kind: str
    outcome: str
    answer: str


@dataclass(frozen=True, slots=True)
class RunRows:
    """Everything of one run besides its own row, which the claim brought."""

    steps: tuple[StepRow, ...]
    attempts: tuple[AttemptRow, ...]
    timers: tuple[TimerRow, ...]
    answers: tuple[AnswerRow, ...] = ()
    #: Steps some of whose own runs were undone; and steps some of whose own runs did something that stands.
    undone_runs: frozenset[str] = frozenset()
    standing_runs: frozenset[str] = frozenset()
    #: Steps some of whose own runs were to be undone, and were not as a whole.
    partly_undone_runs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """What a run answers its caller. `headers` is a JSON list of [name, value]."""

    status: int
    headers: str
    body: bytes


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How far a run is, for somebody who waits for it."""

    status: str
    outcome: str | None
    finished_at: int | None
    response: ResponseRow | None


_STEP = "node_id, generation, node_key, status, attempt, ports, note, input, output, error, wait, due_at, commit_seq, seq, started_at, finished_at"  # noqa: E501
_ATTEMPT = "node_id, generation, attempt, status, effect_class, effect_key, key_epoch, request_digest, lease_token, worker, started_at, finished_at, request, response, error"  # noqa: E501
_EVENT = ", ".join(EventRow._fields)


def load_runs(run_ids: Sequence[UUID], *, alias: str = "default", with_own_runs: bool = False) -> dict[UUID, RunRows]:
    """The rows of these runs, read at one instant; a run without rows is present and empty. How the runs stand that
    they have begun is asked of those that are gone on with, and where `with_own_runs` says so."""
    steps: dict[UUID, list[StepRow]] = {run_id: [] for run_id in run_ids}
    attempts: dict[UUID, list[AttemptRow]] = {run_id: [] for run_id in run_ids}
    timers: dict[UUID, list[TimerRow]] = {run_id: [] for run_id in run_ids}
    for row in _select(alias, f"SELECT run_id, {_STEP} FROM store_steprun WHERE run_id", run_ids):
        steps[_uuid(row[0])].append(StepRow(*row[1:]))
    for row in _select(alias, f"SELECT run_id, {_ATTEMPT} FROM store_attempt WHERE run_id", run_ids):
        attempts[_uuid(row[0])].append(AttemptRow(*row[1:]))
    for row in _select(
        alias, "SELECT run_id, node_id, generation, kind, due_at FROM store_timer WHERE run_id", run_ids
    ):
        timers[_uuid(row[0])].append(TimerRow(*row[1:]))
    asking = [run_id for run_id, rows in steps.items() if any(asks_people(row.status, row.wait) for row in rows)]
    given = answers(asking, alias=alias)
    further = [run_id for run_id, rows in steps.items() if with_own_runs or any(row.generation > 1 for row in rows)]
    undone, standing, partly = _own_runs(further, alias)
    return {
        run_id: RunRows(
            tuple(steps[run_id]),
            tuple(attempts[run_id]),
            tuple(timers[run_id]),
            tuple(given.get(run_id, ())),
            frozenset(undone.get(run_id, ())),
            frozenset(standing.get(run_id, ())),
            frozenset(partly.get(run_id, ())),
        )
        for run_id in run_ids
    }


def _own_runs(run_ids: Sequence[UUID], alias: str) -> tuple[dict[UUID, set[str]], ...]:
    """By run, the steps some of whose own runs were undone; those some of whose own runs stand as they are; and those
    some of whose own runs, of which they waited for the end, were not undone as a whole."""
    undone: dict[UUID, set[str]] = {}
    standing: dict[UUID, set[str]] = {}
    partly: dict[UUID, set[str]] = {}
    for parent, node, status, is_partly in _select(alias, _OWN_RUNS, run_ids) if run_ids else ():
        (undone if status == "compensated" else standing).setdefault(_uuid(parent), set()).add(node)
        if is_partly:
            partly.setdefault(_uuid(parent), set()).add(node)
    return undone, standing, partly


#: The error of a run of which not everything could be undone.
UNDO_INCOMPLETE: Final = f'"code":"{INCOMPLETE}"'
_OWN_RUNS: Final = f"""
    SELECT DISTINCT parent_run_id, parent_node, status,
        CASE WHEN status = 'dead_lettered' AND NOT detached AND error LIKE '%%{UNDO_INCOMPLETE}%%' THEN 1 ELSE 0 END
    FROM store_run WHERE parent_run_id"""


def asks_people(status: str, wait: str | None) -> bool:
    """Whether a step that stands so waits for people, a link or an event."""
    return status == "waiting" and wait is not None and ('"human"' in wait or '"event"' in wait)


def answers(run_ids: Sequence[UUID], *, alias: str = "default") -> dict[UUID, list[AnswerRow]]:
    """What people answered to these runs, and what moved their other waits on; in the order of the decisions."""
    if not run_ids:
        return {}
    found: dict[UUID, list[AnswerRow]] = {}
    columns = "run_id, node_id, generation, attempt, kind, outcome, answer, closed_at"
    rows = _select(alias, f"SELECT {columns} FROM store_humantask WHERE status = 'decided' AND run_id", run_ids)
    rows += _select(alias, _SIGNALS, run_ids)
    for row in sorted(rows, key=lambda row: int(row[-1])):
        found.setdefault(_uuid(row[0]), []).append(AnswerRow(*row[1:-1]))
    return found


_SIGNALS: Final = """
    SELECT w.run_id, w.node_id, w.generation, 0, 'signal', 'out', s.output, w.closed_at
    FROM store_signalwait AS w JOIN store_signal AS s ON s.id = w.signal_id
    WHERE w.status = 'resumed' AND w.run_id"""


def version_graph(version_id: UUID, *, alias: str = "default") -> str | None:
    """The graph document of a version as text; None if there is none."""
    rows = _select(alias, "SELECT graph FROM store_version WHERE id", [version_id])
    return str(rows[0][0]) if rows else None


def event(event_id: UUID, *, alias: str = "default") -> EventRow | None:
    """An event as it was stored; `body` may stand in an artifact, see `event_body`."""
    return events([event_id], alias=alias).get(event_id)


def events(event_ids: Sequence[UUID], *, alias: str = "default") -> dict[UUID, EventRow]:
    """These events as they were stored, by id; missing ones are absent."""
    rows = _select(alias, f"SELECT {_EVENT} FROM store_event WHERE id", event_ids) if event_ids else []
    return {found.id: found for found in (event_row(row, _uuid) for row in rows)}


def event_row(row: tuple[Any, ...], unkey: Callable[[Any], UUID]) -> EventRow:
    """From the columns that `EventRow` names, in its order; `unkey` makes the UUID of a key."""
    return EventRow(
        id=unkey(row[0]),
        workspace_id=unkey(row[1]),
        workflow_id=unkey(row[2]),
        trigger_id=None if row[3] is None else unkey(row[3]),
        source=row[4],
        received_at=row[5],
        method=row[6],
        path=row[7],
        query=row[8],
        headers=row[9],
        content_type=row[10],
        body=None if row[11] is None else bytes(row[11]),
        body_artifact_id=None if row[12] is None else unkey(row[12]),
        body_size=row[13],
        body_sha256=row[14],
        dedupe_key=row[15],
        signature=row[16],
        verdict=row[17],
        reason=row[18],
        parse_error=row[19],
    )


def event_body(row: EventRow) -> bytes:
    """The event's raw bytes, wherever they stand."""
    if row.body is not None:
        return row.body
    if row.body_artifact_id is None:
        return b""
    return artifacts.read(row.body_artifact_id)


def run_end(run_id: UUID, *, alias: str = "default") -> RunEnd | None:
    """How far the run is and what it answers; None if there is no such run."""
    rows = _select(
        alias,
        "SELECT r.status, r.outcome, r.finished_at, p.status, p.headers, p.body "
        "FROM store_run AS r LEFT JOIN store_response AS p ON p.run_id = r.id WHERE r.id",
        [run_id],
    )
    if not rows:
        return None
    status, outcome, finished_at, code, headers, body = rows[0]
    response = None if code is None else ResponseRow(code, headers, bytes(body))
    return RunEnd(status, outcome, finished_at, response)


def run_ends(run_ids: Sequence[UUID], *, alias: str = "default") -> dict[UUID, RunEnd]:
    """Those of these runs that have ended or answered, by id."""
    if not run_ids:
        return {}
    rows = _select(
        alias,
        "SELECT r.id, r.status, r.outcome, r.finished_at, p.status, p.headers, p.body "
        "FROM store_run AS r LEFT JOIN store_response AS p ON p.run_id = r.id "
        "WHERE (r.finished_at IS NOT NULL OR p.run_id IS NOT NULL) AND r.id",
        run_ids,
    )
    return {
        _uuid(run_id): RunEnd(
            status, outcome, finished_at, None if code is None else ResponseRow(code, headers, bytes(body))
        )
        for run_id, status, outcome, finished_at, code, headers, body in rows
    }


def _select(alias: str, sql: str, ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
    wrapper = connections[alias]
    with wrapper.cursor() as cursor:
        if wrapper.vendor == "postgresql":
            cursor.execute(f"{sql} = ANY(%s)", [list(ids)])
        else:
            cursor.execute(f"{sql} IN ({','.join(['%s'] * len(ids))})", [value.hex for value in ids])
        return list(cursor.fetchall())


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
