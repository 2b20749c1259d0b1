"""How one attempt ended, before the engine hears of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from runtime.engine.facts import WaitKind
from runtime.engine.jsonprofile import JSON
from runtime.engine.state import StepError
from runtime.sdk import OwnRuns, Respond, Signal, Task


class Done(NamedTuple):
    """It succeeded with this output, as a value and as the text that its row holds."""

    value: JSON
    text: str
    ports: tuple[str, ...]
    note: str | None = None
    respond: Respond | None = None
    request: str | None = None
    response: str | None = None


class Failed(NamedTuple):
    """It failed for good or for now. `maybe_applied`: its effect was started and nobody knows how it ended."""

    error: StepError
    maybe_applied: bool = False
    request: str | None = None
    response: str | None = None


class Waits(NamedTuple):
    """It parked itself; when it wakes it succeeds with this output."""

    kind: WaitKind
    due_at: int | None
    value: JSON
    text: str
    ports: tuple[str, ...]
    note: str | None = None
    task: Task | None = None
    signal: Signal | None = None


class Stops(NamedTuple):
    """It ended the run as completed."""

    outcome: str
    value: JSON
    text: str
    note: str | None = None
    respond: Respond | None = None


class Fans(NamedTuple):
    """It has something done by runs of its own."""

    spec: OwnRuns
    text: str = "null"


class Cut(NamedTuple):
    """The infrastructure cut it off before anything is known: the same attempt is made again (I19)."""

    reason: str


class Refused(NamedTuple):
    """The other system refused the connection's credentials, and nothing happened: the same attempt is made when
    somebody has repaired the connection. `said`: for which one the step waits."""

    error: StepError
    due_at: int
    said: dict[str, Any]
    request: str | None = None
    response: str | None = None


class Looked(NamedTuple):
    """It was looked up whether it happened, and not found: it did not, or with `error` that could not be told."""

    error: StepError | None = None
    request: str | None = None
    response: str | None = None


class NotYet(Exception):
    """It is not the turn of this call, nor will it be before `due_at`. `said`: at which connection."""

    def __init__(self, due_at: int, said: dict[str, Any]) -> None:
        super().__init__(str(said.get("text")))
        self.due_at = due_at
        self.said = said


Ending = Done | Failed | Waits | Stops | Fans | Cut | Refused | Looked
