"""A run as one JSON document, written in portions: `docs/run-export.md` says what stands in it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias
from uuid import UUID

from runtime.api.rows import RUN_COLUMNS, DataDamaged, artifact, document
from runtime.api.trail import trail, trail_faults
from runtime.contracts import NotFound, TrailEntry
from runtime.engine.jsonprofile import dumps, dumps_bytes, loads_stored
from runtime.interpreter.waiting import iso
from runtime.sdk.redaction import MASK, is_secret_name
from runtime.store import tags
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Delivery, Event, HumanTask, HumanVote, Replay, Run, StepRun, Version

__all__ = ["export"]

Mask: TypeAlias = Callable[[Any], Any]

FORMAT: Final = "millrace.run"
VERSION: Final = 1
#: How many rows are held at a time; of documents, which may be large, one.
_PORTION: Final = 100
_TIMES: Final = frozenset({"at", "until", "since"})


def export(*, workspace_id: UUID, run_id: UUID, mask: Mask | None = None) -> Iterator[bytes]:
    """Everything that is kept of the run, secrets masked as they are stored; `mask`: what is done to each part that
    holds data before it is written. Raises NotFound, at once."""
    row = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*RUN_COLUMNS, "min_engine").first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return _written(workspace_id, dict(row), mask or _as_it_is)


def _as_it_is(value: Any) -> Any:
    return value


def _written(workspace_id: UUID, row: dict[str, Any], mask: Mask) -> Iterator[bytes]:
    run_id = row["id"]
    head = {"format": FORMAT, "version": VERSION, "exported_at": iso(database_now())}
    yield dumps_bytes(head)[:-1] + b',"run":' + dumps_bytes(_run(row))
    yield b',"workflow":' + dumps_bytes(_workflow(row))
    yield b',"tags":' + dumps_bytes(list(tags.of_runs([run_id]).get(run_id, ())))
    yield b',"start":' + dumps_bytes(None if row["event_id"] is None else _masked_start(_start(row["event_id"]), mask))
    yield from _listed("transitions", _transitions(workspace_id, run_id))
    yield from _listed("steps", map(mask, _steps(run_id)))
    yield from _listed("attempts", map(mask, _attempts(run_id)))
    yield from _listed("decisions", map(mask, _decisions(run_id)))
    yield from _listed("generations", map(mask, _generations(run_id)))
    yield b',"state_differs":' + dumps_bytes(trail_faults(workspace_id=workspace_id, run_id=run_id)) + b"}"


def _masked_start(start: dict[str, Any] | None, mask: Mask) -> dict[str, Any] | None:
    """A start whose body is JSON is masked as what it says."""
    text = None if start is None else start.get("body_text")
    if start is None or mask is _as_it_is or text is None:
        return start
    try:
        masked: Any = mask(loads_stored(text))
    except ValueError:
        masked = mask(text)
    return {**start, "query": mask(start["query"]), "body_text": masked if isinstance(masked, str) else dumps(masked)}


def _listed(name: str, items: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield f',"{name}":['.encode()
    between = b""
    for item in items:
        yield between + dumps_bytes(item)
        between = b",\n"
    yield b"]"


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    """Times as the API writes them, ids as text, stored JSON as JSON."""
    return {name: _plain(name, value) for name, value in row.items()}


def _moments(wait: Any) -> Any:
    """The times in what a run or a step waits for."""
    return _dated(wait) if isinstance(wait, dict) else wait


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int) and (name.endswith("_at") or name in _TIMES) and not isinstance(value, bool):
        return iso(value)
    return value


def _parsed(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: loads_stored(value) if name in names and value is not None else value for name, value in row.items()}


def _run(row: dict[str, Any]) -> dict[str, Any]:
    found = _dated(_parsed(row, "waiting", "error"))
    found["waiting"] = _moments(found["waiting"])
    found["workflow_version"] = found.pop("version__number")
    return found


def _workflow(row: dict[str, Any]) -> dict[str, Any]:
    """The version that the run was carried out by; those of earlier goes are named in `generations`."""
    number, digest, graph = Version.objects.values_list("number", "graph_sha256", "graph").get(pk=row["version_id"])
    return {"id": str(row["workflow_id"]), "version": number, "graph_sha256": digest, "graph": loads_stored(graph)}


def _start(event_id: UUID) -> dict[str, Any] | None:
    columns = (
        "id", "source", "received_at", "method", "path", "query", "headers", "content_type", "body_size", "body_sha256",
        "dedupe_key", "signature", "verdict", "duplicates", "body", "body_artifact_id",
    )  # fmt: skip
    row = Event.objects.filter(pk=event_id).values(*columns).first()
    if row is None:
        return None
    body, kept = row.pop("body"), row.pop("body_artifact_id")
    headers: Any = loads_stored(row.pop("headers"))
    found = _dated(dict(row))
    found["headers"] = [[name, MASK if is_secret_name(str(name)) else value] for name, value in headers]
    try:
        found.update(_body(artifact(kept) if body is None and kept is not None else bytes(body or b"")))
    except DataDamaged as damage:
        found["body_damaged"] = damage.message
    found["deliveries"] = [
        _dated(dict(one))
        for one in Delivery.objects.filter(event_id=event_id)
        .order_by("id")
        .values("id", "received_at", "conflict", "body_sha256")[:_PORTION]
    ]
    return found


def _body(raw: bytes) -> dict[str, str]:
    try:
        return {"body_text": raw.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(raw).decode()}


def _transitions(workspace_id: UUID, run_id: UUID) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = trail(workspace_id=workspace_id, run_id=run_id, after=after, limit=_PORTION)
        yield from map(_transition, page.items)
        if (after := page.next_cursor) is None:
            return


def _transition(entry: TrailEntry) -> dict[str, Any]:
    return {
        "at": None if entry.at is None else iso(entry.at),
        "kind": entry.kind,
        "by": entry.by,
        "worker": entry.worker,
        "token": entry.token,
        "seq": entry.seq,
        "generation": entry.generation,
        "from": entry.before,
        "to": entry.status,
        "outcome": entry.outcome,
        "steps": [
            {"node": one.node, "generation": one.generation, "attempt": one.attempt, "status": one.status}
            for one in entry.steps
            if not one.tried
        ],
        "attempts": [
            {"node": one.node, "generation": one.generation, "attempt": one.attempt, "status": one.status}
            for one in entry.steps
            if one.tried
        ],
        "detail": dict(entry.detail),
    }


def _steps(run_id: UUID) -> Iterator[dict[str, Any]]:
    columns = (
        "node_id", "node_key", "generation", "status", "attempt", "ports", "note", "wait", "error", "due_at",
        "commit_seq", "seq", "token", "started_at", "finished_at", "input", "output",
    )  # fmt: skip
    rows = StepRun.objects.filter(run_id=run_id).order_by("generation", "node_id").values(*columns)
    for row in rows.iterator(chunk_size=1):
        found = _dated(_parsed(dict(row), "ports", "wait", "error"))
        found["wait"] = _moments(found["wait"])
        for name in ("input", "output"):
            try:
                found[name] = document(row[name])
            except DataDamaged as damage:
                found[name], found[f"{name}_damaged"] = None, damage.message
        yield found


def _attempts(run_id: UUID) -> Iterator[dict[str, Any]]:
    columns = (
        "node_id", "generation", "attempt", "status", "effect_class", "effect_key", "key_epoch", "request_digest",
        "lease_token", "worker", "started_at", "finished_at", "request", "response", "error",
    )  # fmt: skip
    rows = Attempt.objects.filter(run_id=run_id).order_by("generation", "node_id", "attempt").values(*columns)
    for row in rows.iterator(chunk_size=_PORTION):
        yield _dated(_parsed(dict(row), "request", "response", "error"))


def _decisions(run_id: UUID) -> Iterator[dict[str, Any]]:
    columns = (
        "id", "node_id", "generation", "attempt", "kind", "status", "title", "people", "due_at", "created_at",
        "closed_at", "outcome", "answer",
    )  # fmt: skip
    for row in HumanTask.objects.filter(run_id=run_id).order_by("id").values(*columns):
        votes = HumanVote.objects.filter(task_id=row["id"]).order_by("at", "voter")
        found = _dated({**row, "answer": document(row["answer"])})
        found["people"] = [one for one in row["people"].split(",") if one]
        found["votes"] = [
            _dated(dict(one)) for one in votes.values("voter", "name", "at", "outcome", "comment", "for_name")
        ]
        yield found


def _generations(run_id: UUID) -> Iterator[dict[str, Any]]:
    columns = (
        "generation", "kind", "at", "by", "reason", "from_status", "error", "version_before__number",
        "version_after__number", "plan", "edits", "decisions",
    )  # fmt: skip
    for row in Replay.objects.filter(run_id=run_id).order_by("generation").values(*columns):
        found = _dated(_parsed(dict(row), "error", "plan", "edits", "decisions"))
        found["version_before"] = found.pop("version_before__number")
        found["version_after"] = found.pop("version_after__number")
        yield found
