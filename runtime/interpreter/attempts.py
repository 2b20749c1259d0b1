"""One attempt at one step: call the step type, keep its time, and put what came back into the one JSON profile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import replace
from typing import Any, Protocol, cast
from uuid import UUID

from django.db import InterfaceError, OperationalError
from pydantic import ValidationError

from runtime.contracts import StoreUnavailable
from runtime.engine.expressions import ExpressionError
from runtime.engine.graph import Node
from runtime.engine.jsonprofile import JSON, JSONRefused, dumps, normalise
from runtime.engine.state import StepError, made
from runtime.interpreter.outcomes import Cut, Done, Ending, Failed, Fans, Looked, Refused, Stops, Waits
from runtime.interpreter.payloads import INLINE_CHARACTERS, MOST_BYTES, Reference, too_large
from runtime.interpreter.redaction import Redactor
from runtime.interpreter.versions import Step
from runtime.sdk import Context, OwnRuns, Result, StepFailure, StopRun, Task, Wait
from runtime.store import failpoints
from runtime.store.artifacts import ArtifactDamaged

logger = logging.getLogger(__name__)


class StepContext(Context, Protocol):
    """The step's context as the worker makes it, which remembers the secrets it handed out."""

    @property
    def secrets(self) -> tuple[str, ...]: ...

    def timed_by(self, limit: asyncio.Timeout) -> None:
        """What ends the attempt: it stands still while a call waits for its turn."""
        ...


class KeepLarge(Protocol):
    """Stores a large document and says where."""

    async def __call__(self, *, workspace_id: UUID, text: str, name: str) -> Reference: ...


def call_inline(step: Step, config: Any, step_input: JSON, context: StepContext) -> Ending:
    """Run a cheap pure step here and now. Large outputs still have to be stored: see `stored`."""
    try:
        return ending_of(step.type.run(config, step_input, context), context)
    except Exception as error:
        return failed(error, context, step)


async def call(step: Step, config: Any, step_input: JSON, context: StepContext, pool: Executor) -> Ending:
    """Run the step within its time: coroutines on the loop, plain functions in a thread."""
    seconds = step.node.settings.timeout_seconds
    try:
        if step.writes:
            failpoints.hit(f"{step.point}:before")
        async with asyncio.timeout(seconds) as limit:
            context.timed_by(limit)
            if step.is_async:
                ending = ending_of(await cast("Any", step.type.run(config, step_input, context)), context)
            else:
                # What it gave back is brought into the profile there too: a large document takes its time.
                run = cast("Callable[..., Any]", step.type.run)
                ending = await asyncio.get_running_loop().run_in_executor(
                    pool, copy_context().run, lambda: ending_of(run(config, step_input, context), context)
                )
        if step.writes:
            failpoints.hit(f"{step.point}:after")
        return ending
    except TimeoutError as error:
        return timed_out(step, seconds) if limit.expired() else failed(error, context, step)
    except Exception as error:
        if step.writes:
            failpoints.hit(f"{step.point}:after")
        return failed(error, context, step)


def timed_out(step: Step, seconds: float) -> Failed:
    return Failed(
        StepError(
            code="timeout",
            title="It took too long",
            message=f"No result within {seconds:g} seconds. The other side may be slow: try again, or allow more time.",
            retryable=True,
            kind="timeout",
        ),
        maybe_applied=step.writes,
    )


def failed(error: Exception, context: StepContext | None, step: Step) -> Failed | Cut:
    """What an exception of a step means."""
    if isinstance(error, StoreUnavailable | OperationalError | InterfaceError):
        return Cut(type(error).__name__)
    redact = Redactor(context.secrets if context is not None else ())
    if isinstance(error, StepFailure):
        return Failed(
            StepError(
                code=error.code,
                title=redact.text(error.title),
                message=redact.text(error.message),
                detail=None if error.detail is None else redact.text(error.detail),
                retryable=error.retryable,
                retry_after_seconds=error.retry_after_seconds,
                http_status=error.http_status,
                kind=_kind(error),
            ),
            maybe_applied=error.maybe_applied,
            request=_summary(error.request, redact),
            response=_summary(error.response, redact),
        )
    if isinstance(error, ExpressionError):
        return Failed(StepError(error.code, "A formula could not be worked out", error.message, kind="config"))
    if isinstance(error, JSONRefused):
        return Failed(refused_output(error))
    if isinstance(error, ArtifactDamaged):
        return Failed(damaged(error))
    # Nobody foresaw this: whether an effect happened before it is unknown. The text may quote anything, so it is
    # for the log of the operator, and the record gets its kind only.
    logger.exception("step %s (%s) raised", step.node.key, step.node.type)
    return Failed(
        StepError(
            code="unexpected",
            title="The step broke down",
            message="Something happened that this step does not know how to handle. The server's log tells more.",
            detail=type(error).__name__,
        ),
        maybe_applied=step.writes and not isinstance(error, ValidationError),
    )


def damaged(error: ArtifactDamaged) -> StepError:
    """A document that was put aside is gone or no longer what it was: nobody goes on with half of the data."""
    return StepError(
        code="document_damaged",
        title="Stored data is missing or was changed",
        message=f"{error} Restore the artifacts folder from the backup, then start again from the same event.",
        kind="infrastructure",
    )


def refused_output(error: JSONRefused) -> StepError:
    where = f" at {error.path}" if error.path else ""
    return StepError(
        code=f"output_{error.code}",
        title="The result cannot be kept",
        message=f"The step's result{where} is not JSON as Millrace keeps it: {error.message}.",
        kind="data",
    )


def fits(ending: Ending) -> bool:
    """Whether nothing of it has to be put aside."""
    match ending:  # `isinstance` with a union of classes would make that anew at each call
        case Failed() | Fans() | Cut() | Refused() | Looked():
            return True
        case _:
            return len(ending.text) <= INLINE_CHARACTERS


async def stored(ending: Ending, *, keep: KeepLarge, workspace_id: UUID, node: Node) -> Ending:
    """The ending with a large output put aside, or the failure that an output beyond the limit is (I36).

    A start is not held to the limit: the event it unfolds was measured when it was accepted, and what was accepted
    must be able to run.
    """
    match ending:
        case Done() | Waits() | Stops():
            if len(ending.text) <= INLINE_CHARACTERS:
                return ending
            if not node.is_trigger and too_large(ending.text):
                return Failed(
                    StepError(
                        code="output_too_large",
                        title="The result is too large",
                        message=f"A step may give at most {MOST_BYTES // 2**20} MiB. Ask for less at a time.",
                        kind="data",
                    )
                )
            reference = await keep(workspace_id=workspace_id, text=ending.text, name=f"{node.key}.json")
            match ending:
                case Done():
                    return Done(
                        ending.value, reference.text(), ending.ports, ending.note, ending.respond, ending.request,
                        ending.response,
                    )  # fmt: skip
                case Waits():
                    return Waits(
                        ending.kind, ending.due_at, ending.value, reference.text(), ending.ports, ending.note,
                        ending.task, ending.signal,
                    )  # fmt: skip
                case Stops():
                    return Stops(ending.outcome, ending.value, reference.text(), ending.note, ending.respond)
        case Failed() | Fans() | Cut() | Refused() | Looked():
            return ending


def ending_of(given: Any, context: StepContext) -> Ending:
    """Bring what `run` gave back into the profile, secrets masked."""
    if type(given) is Result:
        value = normalise(given.output)
        if given.request is None and given.response is None and not context.secrets:
            return made(Done, (value, dumps(value), given.ports, given.note, given.respond, None, None))
        redact = Redactor(context.secrets)
        value = redact.value(value)
        return Done(
            value,
            dumps(value),
            given.ports,
            given.note if given.note is None else redact.text(given.note),
            given.respond,
            _summary(given.request, redact),
            _summary(given.response, redact),
        )
    redact = Redactor(context.secrets)
    if isinstance(given, Wait):
        value = redact.value(normalise(given.output))
        task = None if given.task is None else _shown(given.task, redact)
        signal = None if given.signal is None else replace(given.signal, title=redact.text(given.signal.title))
        return Waits(given.kind, given.due_at_ms, value, dumps(value), given.ports, given.note, task, signal)
    if isinstance(given, StopRun):
        value = redact.value(normalise(given.output))
        return Stops(given.outcome, value, dumps(value), given.note, given.respond)
    if isinstance(given, OwnRuns):
        return Fans(given)
    raise TypeError(f"a step gave back {type(given).__name__}, not a Result, Wait or StopRun")


def _shown(task: Task, redact: Redactor) -> Task:
    """A question as people read it: secrets masked."""
    return replace(
        task,
        title=redact.text(task.title),
        text=redact.text(task.text),
        amount=redact.value(normalise(task.amount)),
        warnings=tuple(map(redact.text, task.warnings)),
        facts=tuple((redact.text(label), redact.value(normalise(value))) for label, value in task.facts),
    )


def _summary(value: JSON, redact: Redactor) -> str | None:
    return None if value is None else dumps(redact.value(normalise(value)))


def _kind(error: StepFailure) -> str:
    if error.http_status is not None:
        return "refused" if error.http_status < 500 else "remote"
    if error.code == "timeout":
        return "timeout"
    if error.code in ("settings", "formula"):
        return "config"
    return "network" if error.retryable else "refused"
