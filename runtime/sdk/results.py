"""What a step hands back: a result, a wait, or the end of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from runtime.engine.jsonprofile import JSON
from runtime.sdk.hours import Hours
from runtime.sdk.signals import Signal
from runtime.sdk.sources import Paged
from runtime.sdk.tasks import Task


@dataclass(frozen=True, slots=True)
class Respond:
    """The answer to the webhook that started the run: a status of 200 to 599, allowed headers, and text."""

    status: int
    headers: Mapping[str, str]
    body: str


class Result(NamedTuple):
    """A step's success.

    ``output``: the step's one JSON output. ``ports``: the ways out that are taken. ``note``: a few words shown on the
    card ("Yes", "3 rows"). ``request`` and ``response``: redacted summaries for the record of this try.
    """

    output: JSON
    ports: tuple[str, ...] = ("out",)
    note: str | None = None
    respond: Respond | None = None
    request: JSON = None
    response: JSON = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The step is parked and holds no worker. When it wakes it succeeds with ``output`` by ``ports``.

    ``due_at_ms``: milliseconds since the epoch, None when no time ends the wait.
    """

    kind: Literal["timer", "event", "human"]
    due_at_ms: int | None = None
    output: JSON = None
    ports: tuple[str, ...] = ("out",)
    note: str | None = None
    #: What somebody is asked, where a person is waited for.
    task: Task | None = None
    #: What moves the step on, where an event or a link is waited for.
    signal: Signal | None = None


@dataclass(frozen=True, slots=True)
class StopRun:
    """The run ends here as completed: ``stopped`` (a Stop step) or ``filtered`` (Continue only if)."""

    outcome: Literal["stopped", "filtered"]
    output: JSON = None
    note: str | None = None
    respond: Respond | None = field(default=None)


@dataclass(frozen=True, slots=True)
class OwnRuns:
    """The step has something done by runs of its own, and waits for their end without holding a worker.

    ``kind``: ``items``, one run of the body for each of ``items``; ``turns``, one after another until the setting
    ``until`` holds, at most ``most_turns``, ``pause_ms`` apart; ``call``, one run of the workflow ``workflow_id`` with
    the one of ``items`` as its input; ``undo``, what the runs of the undone step did is taken back.
    """

    kind: Literal["items", "turns", "call", "undo"]
    items: tuple[JSON, ...] = ()
    #: How many may be under way at once.
    at_a_time: int = 1
    #: So many may fail, and the step goes on; with one more it begins no further ones and fails. None: any number.
    may_fail: int | None = 0
    #: Whether what each of them gave is put together.
    collect: bool = True
    #: False: begun, and not waited for.
    waits: bool = True
    workflow_id: UUID | None = None
    most_turns: int = 1
    pause_ms: int = 0
    #: In place of `items`: they are read a page at a time.
    paged: Paged | None = None
    #: Whether a manifest of them is kept as a file of the run.
    manifest: bool = False
    #: So many are tried first: the others begin when all of these went well, and none of these may fail. 0: none.
    tried_first: int = 0
    #: When further ones may begin; None: at any time.
    hours: Hours | None = None


Outcome: TypeAlias = Result | Wait | StopRun | OwnRuns
