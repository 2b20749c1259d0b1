"""What the runtime refuses, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.engine.check import Problem


class RuntimeRefused(Exception):
    """A request the runtime understood and refuses. `code` is stable, `message` is for people, `params` for both."""

    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.params: dict[str, Any] = params


class NotFound(RuntimeRefused):
    """No such object in this workspace (another workspace's objects are as absent as missing ones)."""

    code = "not_found"


class GraphHasProblems(RuntimeRefused):
    """The graph has errors that stop a publish or a test; `problems` lists all of them."""

    code = "graph_has_problems"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("The workflow has problems that must be mended first.")
        self.problems = problems


class NotStartable(RuntimeRefused):
    """The workflow is not live, is switched off, or has no such start."""

    code = "not_startable"


class InputRefused(RuntimeRefused):
    """What came does not fit the form of the start; `fields`: question → sentence, "" for the input as a whole."""

    code = "input_refused"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("The form is not filled in as it must be.")
        self.fields = dict(fields)


class KeyReused(RuntimeRefused):
    """The same key came with another body (I5)."""

    code = "key_reused"


class AlreadyFinished(RuntimeRefused):
    """The run has ended: there is nothing left to cancel."""

    code = "already_finished"


class NotPaused(RuntimeRefused):
    """It is not paused: there is nothing to let go on."""

    code = "not_paused"


class StillHeld(RuntimeRefused):
    """Events wait in front of the workflow, or runs stand still together with it: nobody would let them go on."""

    code = "still_held"


class NotRetryable(RuntimeRefused):
    """The run cannot be gone on with: it is not over, it was done, or nothing of it is left to do."""

    code = "not_retryable"


class NotUndoable(RuntimeRefused):
    """What the run did cannot be undone now: it is not over, or nothing is left that an undo step could undo."""

    code = "not_undoable"


class AlreadyDecided(RuntimeRefused):
    """Somebody was quicker, the time is over, or the run has ended."""

    code = "already_decided"


class NotAsked(RuntimeRefused):
    """Somebody else is asked this."""

    code = "not_asked"


class PlanOutdated(RuntimeRefused):
    """The run, or its version, is no longer as it was when the plan was made; perhaps somebody was quicker (I22)."""

    code = "plan_outdated"


class RetryRefused(RuntimeRefused):
    """What was asked for does not fit the plan; `fields`: step (node id) → sentence."""

    code = "retry_refused"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Some steps need another look before this run can go on.")
        self.fields = dict(fields)


class EditsRefused(RuntimeRefused):
    """Of these runs other values are refused; `fields`: run id → sentence."""

    code = "edits_refused"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Some rows need another look. Nothing was retried.")
        self.fields = dict(fields)


class TaskRefused(RuntimeRefused):
    """The answer does not fit the question; `fields`: field → sentence."""

    code = "answer_refused"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Some of this needs another look.")
        self.fields = dict(fields)


class EventRefused(RuntimeRefused):
    """The event cannot be sent so; `fields`: field → sentence."""

    code = "event_refused"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Some of this needs another look.")
        self.fields = dict(fields)


class StoreUnavailable(Exception):
    """The database cannot be reached or cannot write: an infrastructure fault, never a business one (I19)."""
