"""Why an open run does not move: one cause, in data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from runtime.engine.containers import in_turns, is_call
from runtime.engine.graph import Graph, Node
from runtime.engine.state import RunState, RunStatus, StepState, StepStatus
from runtime.sdk.signals import LINK_STEP


def iso(at_ms: int) -> str:
    """An instant as people and programs exchange it: ISO 8601, UTC, milliseconds."""
    second, millisecond = divmod(at_ms, 1_000)
    return f"{_second(second)}.{millisecond:03d}Z"


@lru_cache(maxsize=64)
def _second(at: int) -> str:
    # Each step asks for the moment it is at, and thousands of them are at the same second.
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()


#: What a run can wait for, in the words of `kind`, and who has to move: every kind that a cause is stated with stands
#: here, or the health check finds the runs that wait for it.
OWNERS: Final[Mapping[str, str]] = {
    "timer": "clock",
    "retry": "clock",
    "look_up": "clock",
    "turn": "clock",
    "event": "outside",
    "human": "people",
    "children": "own_runs",
    "parked": "operator",
}


def next_due(state: RunState) -> int | None:
    """The earliest due time among the steps of this generation; None when no time moves the run."""
    dues = [
        step.due_at
        for key, step in state.steps.items()
        if key.generation == state.generation and step.due_at is not None and not step.status.is_decided
    ]
    return min(dues, default=None)


def sooner(first: int | None, second: int | None) -> int | None:
    """The earlier of two times, of which there may be none."""
    return second if first is None else first if second is None else min(first, second)


def due_nodes(state: RunState, now: int) -> list[str]:
    """Steps whose retry or wait is due."""
    return [
        key.node
        for key, step in state.steps.items()
        if key.generation == state.generation
        and step.due_at is not None
        and step.due_at <= now
        and not step.status.is_decided
    ]


def cause(graph: Graph, state: RunState, since: int) -> dict[str, Any] | None:
    """The wait that ends first, or the only one; None when nothing waits."""
    open_steps = [
        (step.due_at is None, step.due_at or 0, key.node, step)
        for key, step in state.steps.items()
        if key.generation == state.generation and step.status in (StepStatus.WAITING, StepStatus.RETRYING)
    ]
    if not open_steps:
        return None
    _, _, node_id, step = min(open_steps, key=lambda item: item[:3])
    node, kind = graph.by_id[node_id], _kind(step)
    if kind == "children" and step.first_started_at is not None:
        # It is looked at again and again, and waits since it began.
        since = step.first_started_at
    found = {"kind": kind, "since": since, "until": step.due_at, "node": node_id, "text": _words(node, step)}
    if kind == "children" and (of := "call" if is_call(node.type) else "turns" if in_turns(node.type) else None):
        found["of"] = of
    return found


def is_active(state: RunState) -> bool:
    """Whether a step is ready or running, whoever will carry it on."""
    if state.status is not RunStatus.COMPENSATING:
        return state.status is RunStatus.RUNNING
    busy = (StepStatus.READY, StepStatus.RUNNING)
    return any(step.status in busy for key, step in state.steps.items() if key.generation == state.generation)


def paused(at: int, by: str | None, reason: str | None) -> dict[str, Any]:
    """Of a run that somebody paused, whatever else it waits for."""
    text = {"workflow": "Paused, together with its workflow", "run": "Paused, together with its run"}.get(
        by or "", "Paused"
    )
    said = f": {reason}" if reason else ""
    return {"kind": "paused", "since": at, "until": None, "by": by, "reason": reason or "", "text": f"{text}{said}"}


def held_up(waiting: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Of a run that waits for runs of its own, one of which somebody paused; `index`: its number, from 0."""
    return {**waiting, "paused_item": index, "text": f"{waiting['text']}; {_one(waiting, index)} is paused"}


def asking(waiting: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Of a run that waits for runs of its own, one of which waits for people; `index`: its number, from 0."""
    return {**waiting, "asking_item": index, "text": f"{waiting['text']}; {_one(waiting, index)} waits for a person"}


def _one(waiting: Mapping[str, Any], index: int) -> str:
    """What people call one of the runs that it waits for."""
    of = waiting.get("of")
    return "the run that it began" if of == "call" else f"{'turn' if of == 'turns' else 'item'} {index + 1}"


def in_line(waiting: Mapping[str, Any], workflow_id: UUID) -> dict[str, Any]:
    """Of a run that waits for a run of another workflow, which is paused, still accepting, and holds it."""
    said = {"held_workflow": str(workflow_id), "text": f"{waiting['text']}; the workflow that it runs is paused"}
    return {**waiting, **said}


def held(since: int, cause: str, facts: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Of a run that its workflow holds. `cause`: person · failures, or `turn` while the held runs are let go."""
    failures = facts.get("failures", 0)
    if cause == "turn":
        why = "it goes when its turn comes, in the order in which the runs came"
    elif cause != "failures":
        why = f"the workflow is paused: {reason}" if reason else "the workflow is paused"
    elif facts.get("rule") == "row":
        why = f"the workflow failed {failures} times in a row"
    else:
        why = f"{failures} of {facts.get('runs', 0)} runs of the workflow failed"
    said = {"cause": cause, "reason": reason, "failures": failures, "runs": facts.get("runs", 0)}
    return {"kind": "held", "since": since, "until": None, "text": f"Held: {why}", **said}


def _kind(step: StepState) -> str:
    return "retry" if step.status is StepStatus.RETRYING else step.wait_kind or "timer"


def _words(node: Node, step: StepState) -> str:
    name = node.name
    until = "" if step.due_at is None else f" until {iso(step.due_at)}"
    match _kind(step):
        case "retry":
            at = "" if step.due_at is None else f" at {iso(step.due_at)}"
            return f"“{name}” did not work and is tried again{at}"
        case "look_up":
            at = "" if step.due_at is None else f" at {iso(step.due_at)}"
            return f"Nobody knows whether “{name}” happened: it is looked up{at}"
        case "turn":
            return f"“{name}” waits for its turn{until}"
        case "event":
            what = "a signal" if node.type.partition("@")[0] == LINK_STEP else "an event"
            return f"“{name}” waits for {what}{until}"
        case "children":
            return f"“{name}” is at work: its own runs are under way"
        case "human":
            return f"“{name}” waits for a person{until}"
        case _:
            return f"“{name}” waits{until}"
