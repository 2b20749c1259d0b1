"""What the engine asks the shell to do. Commands are written in the same commit as the state they come with."""

from __future__ import annotations

from typing import Literal, NamedTuple

from runtime.engine.state import RunStatus, StepError

TimerKind = Literal["retry", "wait", "timeout"]


class Execute(NamedTuple):
    """Run this attempt of the step, then tell how it went."""

    node: str
    attempt: int


class PassThrough(NamedTuple):
    """The step is disabled and already counts as succeeded: record `source`'s output as its output, run nothing.

    `source` is the first step, in the order of the document's links, whose link here was taken.
    """

    node: str
    source: str | None


class SetTimer(NamedTuple):
    """Tell `TimerFired(node)` at `due_at` (ms UTC) or later. One timer a step: setting it again moves it."""

    node: str
    due_at: int
    kind: TimerKind


class ClearTimer(NamedTuple):
    """The timer is not needed any more. One that still fires is ignored."""

    node: str
    kind: TimerKind


class FinishRun(NamedTuple):
    """The run has reached its end. Given exactly once in a generation."""

    status: RunStatus
    #: For completed runs: one of `Outcome` or the word a Stop step gave; otherwise None.
    outcome: str | None
    error: StepError | None


Command = Execute | PassThrough | SetTimer | ClearTimer | FinishRun
