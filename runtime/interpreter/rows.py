"""Between rows and the engine's state.

Ready steps have no row: readiness follows from the rows before them, so a commit writes only what happened. `restore`
derives it again, which is also what makes the state re-loadable at any moment (I8).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.engine.state import RunState, RunStatus, StepError, StepKey, StepState, StepStatus
from runtime.engine.undo import next_step
from runtime.store.reads import StepRow
from runtime.store.records import Claimed

_STATUS = {status.value: status for status in StepStatus}
_PORTS: dict[tuple[str, ...], str] = {}


def ports_text(ports: tuple[str, ...]) -> str:
    """Ports as a JSON list; there are few different ones."""
    text = _PORTS.get(ports)
    if text is None:
        text = dumps(list(ports))
        if len(_PORTS) < 10_000:
            _PORTS[ports] = text
    return text


def error_document(error: StepError) -> dict[str, Any]:
    """A StepError as JSON."""
    document: dict[str, Any] = {
        "code": error.code,
        "title": error.title,
        "message": error.message,
        "detail": error.detail,
        "retryable": error.retryable,
        "retry_after_seconds": error.retry_after_seconds,
        "http_status": error.http_status,
        "kind": error.kind,
        "node": error.node,
    }
    if error.may_have_happened:
        document["may_have_happened"] = True
    return document


def error_text(error: StepError | None) -> str | None:
    return None if error is None else dumps(error_document(error))


def error_of(text: str | None) -> StepError | None:
    if text is None:
        return None
    found: Any = loads_stored(text)
    after = found.get("retry_after_seconds")
    return StepError(
        code=found["code"],
        title=found["title"],
        message=found["message"],
        detail=found.get("detail"),
        retryable=bool(found.get("retryable")),
        retry_after_seconds=None if after is None else float(after),
        http_status=found.get("http_status"),
        kind=found.get("kind") or "unexpected",
        may_have_happened=bool(found.get("may_have_happened")),
        node=found.get("node"),
    )


def wait_text(step: StepState, wait: str | None, begun: int | None = None) -> str | None:
    """What a step's row says of its wait (`wait`, where it has one), with what its retries came late by and, while an
    attempt is under way of which no intent tells, when that was `begun`."""
    wait = wait if step.wait_kind is not None else None
    under_way = begun is not None and step.status is StepStatus.RUNNING
    if not step.late_ms and not under_way:
        return wait
    # Without a wait it has no kind, as whoever reads the row goes by.
    known: Any = {"kind": step.wait_kind} if wait is None else loads_stored(wait)
    late = {"late_ms": step.late_ms} if step.late_ms else {}
    return dumps({**known, **late, **({"begun_at": begun} if under_way else {})})


def begun_of(row: StepRow) -> int | None:
    """When the attempt that is under way was begun, where the step's row says so."""
    wait: Any = loads_stored(row.wait) if row.wait and row.status == StepStatus.RUNNING else None
    return wait.get("begun_at") if wait else None


def step_state(row: StepRow) -> StepState:
    """The engine's view of one row."""
    wait: Any = loads_stored(row.wait) if row.wait else None
    return StepState(
        status=_STATUS[row.status],
        attempt=row.attempt,
        ports=tuple(loads_stored(row.ports)) if row.ports != "[]" else (),  # type: ignore[arg-type]
        due_at=row.due_at,
        wait_kind=wait["kind"] if wait else None,
        error=error_of(row.error),
        commit_seq=row.commit_seq,
        first_started_at=row.started_at,
        late_ms=wait.get("late_ms", 0) if wait else 0,
    )


def restore(graph: Graph, claimed: Claimed, rows: Iterable[StepRow]) -> RunState:
    """The state that these rows describe, with the steps that are ready."""
    steps = {StepKey(row.node_id, row.generation): step_state(row) for row in rows}
    status = RunStatus(claimed.status)
    if status is RunStatus.PARKED:
        # It was set aside by the shell; the engine never heard of that.
        status = RunStatus.RUNNING if steps else RunStatus.ACCEPTED
    state = RunState(
        status=status,
        generation=claimed.generation,
        steps=steps,
        outcome=claimed.outcome,
        error=error_of(claimed.error),
        cancel_requested=False,
    )
    if status is RunStatus.COMPENSATING:
        if (node := next_step(graph, steps, claimed.generation)) is not None and not _has_open(state):
            steps[StepKey(node, claimed.generation)] = StepState(StepStatus.READY, 1)
    elif steps and state.ending is None:
        _derive_ready(graph, claimed.generation, steps)
    return state


def _has_open(state: RunState) -> bool:
    return any(not step.status.is_decided for key, step in state.steps.items() if key.generation == state.generation)


def _derive_ready(graph: Graph, generation: int, steps: dict[StepKey, StepState]) -> None:
    for node in graph.order:
        if (node, generation) in steps or graph.by_id[node].settings.disabled:
            continue
        if not graph.before[node]:
            if graph.container is not None and node in graph.roots:
                steps[StepKey(node, generation)] = StepState(StepStatus.READY, 1)
            continue
        if graph.by_id[node].needs:
            if _have_arrived(graph, generation, steps, node):
                steps[StepKey(node, generation)] = StepState(StepStatus.READY, 1)
            continue
        taken = False
        for source, handle in graph.before[node]:
            before = steps.get(StepKey(source, generation))
            if before is None or not before.status.is_decided:
                break
            if handle in before.ports and before.status is not StepStatus.SKIPPED:
                taken = True
        else:
            if taken:
                steps[StepKey(node, generation)] = StepState(StepStatus.READY, 1)


def _have_arrived(graph: Graph, generation: int, steps: dict[StepKey, StepState], node: str) -> bool:
    """Whether enough links to a step that brings branches together are taken."""
    before = [(steps.get(StepKey(source, generation)), handle) for source, handle in graph.before[node]]
    decided = [(step, handle) for step, handle in before if step is not None and step.status.is_decided]
    arrived = sum(handle in step.ports and step.status is not StepStatus.SKIPPED for step, handle in decided)
    return arrived >= graph.by_id[node].needs or (len(decided) == len(before) and arrived > 0)
