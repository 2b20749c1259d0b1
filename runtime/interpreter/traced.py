"""What a driver tells of a run to whoever follows it: a span for each turn, one for each attempt at a step, and one for
the whole run when that has ended. Of what a run works with nothing is told, nor of what a step said."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import orjson

from runtime.engine.state import RunStatus
from runtime.interpreter.outcomes import Cut, Done, Ending, Failed, Fans, Looked, Refused, Stops, Waits
from runtime.traces import RUN, SPAN, TRACING, Fact, OfRun, Span, read_parent

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver
    from runtime.interpreter.records import Asked

_ENDS: Final[dict[type, str]] = {
    Done: "done", Failed: "failed", Waits: "waits", Stops: "stops", Fans: "begins_runs", Cut: "cut_off",
    Refused: "connection_refused", Looked: "looked_up",
}  # fmt: skip


def begin_turn(driver: Driver) -> Span | None:
    """A turn of this run begins, in a task of its own. None where nobody follows."""
    claimed = driver.claimed
    RUN.set(claimed.run_id)
    tracer = TRACING.tracer
    if tracer is None:
        return None
    links: list[OfRun | str] = [] if driver.parent is None else [OfRun(driver.parent)]
    if driver.event is not None and driver.state.status is RunStatus.ACCEPTED:
        links += _sender_of(driver.event.headers)
    facts = _of_run(driver) | {"millrace.run.mode": claimed.mode, "millrace.worker": driver.shell.worker}
    span = tracer.start("run.turn", facts, within=OfRun(claimed.run_id, claimed.generation), links=links)
    SPAN.set(span)
    return span


def end_turn(driver: Driver, turn: Span) -> None:
    """The turn is over, by the exception that is under way if there is one."""
    raised = sys.exception()
    status = driver.base.status
    turn.note({"millrace.run.status": status.value})
    turn.end(None if raised is None else type(raised).__name__)
    tracer = TRACING.tracer
    if tracer is None or raised is not None or not status.is_terminal:
        return
    claimed, now = driver.claimed, driver.shell.now_ms()
    since = claimed.accepted_at
    if claimed.generation > 1:
        steps = driver.base.steps.items()
        begun = [step.first_started_at for key, step in steps if key.generation == claimed.generation]
        since = min((at for at in begun if at is not None), default=driver.since)
    facts = _of_run(driver) | {"millrace.run.status": status.value}
    whole = tracer.start("run", facts, spans=OfRun(claimed.run_id, claimed.generation), ago_ms=max(0, now - since))
    whole.end("failed" if status is RunStatus.DEAD_LETTERED else None)


def begin_attempt(driver: Driver, asked: Asked) -> Span | None:
    """An attempt is made from now on, in a task of its own. None where nobody follows."""
    tracer = TRACING.tracer
    if tracer is None:
        return None
    span = tracer.start("step", _of_step(driver, asked), within=SPAN.get())
    SPAN.set(span)
    return span


def end_attempt(span: Span, ending: Ending | None) -> None:
    """It is over; None: cut off."""
    span.note(_of_ending(ending))
    span.end(ending.error.kind if isinstance(ending, Failed | Refused) else None)


def made(driver: Driver, asked: Asked, ending: Ending) -> None:
    """An attempt was made within the turn, or could not even begin."""
    tracer = TRACING.tracer
    if tracer is None:
        return
    took = max(0, driver.shell.now_ms() - asked.at) if asked.at else 0
    end_attempt(tracer.start("step", _of_step(driver, asked), within=SPAN.get(), ago_ms=took), ending)


def _of_run(driver: Driver) -> dict[str, Fact]:
    claimed = driver.claimed
    return {
        "millrace.run.id": str(claimed.run_id),
        "millrace.run.generation": claimed.generation,
        "millrace.workspace.id": str(claimed.workspace_id),
        "millrace.workflow.id": str(claimed.workflow_id),
        "millrace.version.id": str(claimed.version_id),
    }


def _of_step(driver: Driver, asked: Asked) -> Mapping[str, Fact]:
    node = asked.step.node
    return {
        "millrace.run.id": str(driver.claimed.run_id),
        "millrace.run.generation": asked.generation,
        "millrace.step.key": node.key,
        "millrace.step.type": str(node.type),
        "millrace.step.attempt": asked.attempt,
        "millrace.step.looks_up": asked.looks > 0,
    }


def _of_ending(ending: Ending | None) -> Mapping[str, Fact]:
    if ending is None:
        return {"millrace.step.outcome": "cut_off"}
    facts: dict[str, Fact] = {"millrace.step.outcome": _ENDS[type(ending)]}
    if isinstance(ending, Failed) and ending.error.http_status is not None:
        facts["http.response.status_code"] = ending.error.http_status
    return facts


def _sender_of(headers: str) -> list[str]:
    """What the sender of an event says of its own trace; `headers` as the event's row holds them."""
    if "traceparent" not in headers.lower():
        return []
    named = [value for name, value in orjson.loads(headers) if name.lower() == "traceparent"]
    parent = read_parent(named[0]) if len(named) == 1 else None
    return [] if parent is None else [parent]
