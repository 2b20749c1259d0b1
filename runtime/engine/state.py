"""What is known of one run: frozen values, equal when they say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

#: Makes a named tuple of all its fields in their order, twice as fast as its class does. For the hot path.
made: Final = tuple.__new__


class StepStatus(StrEnum):
    """Where one step of one run stands."""

    #: All its inputs are decided; `Execute` was asked for and has not begun.
    READY = "ready"
    #: An attempt has begun.
    RUNNING = "running"
    #: The last attempt failed; the next is due at `due_at`.
    RETRYING = "retrying"
    #: Parked until a time, an event or a person.
    WAITING = "waiting"
    #: Done. `ports` are the ways out that were taken.
    SUCCEEDED = "succeeded"
    #: Given up. With `ports` empty the run ends for it; otherwise the run went on by those ports.
    FAILED = "failed"
    #: No way led here.
    SKIPPED = "skipped"
    #: The run ended before this step could.
    CANCELLED = "cancelled"

    @property
    def is_decided(self) -> bool:
        """Nothing will change this step any more within its generation."""
        return self in DECIDED


class RunStatus(StrEnum):
    """Where a run stands. `rank` never falls within one generation."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    #: Every open step waits for a time (a wait or the next retry).
    WAITING_TIMER = "waiting_timer"
    WAITING_EVENT = "waiting_event"
    WAITING_HUMAN = "waiting_human"
    #: Set aside by the shell, with a reason; never made by `advance`.
    PARKED = "parked"
    #: What was done is being undone, one step at a time.
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    #: All that was to be undone is.
    COMPENSATED = "compensated"
    CANCELLED = "cancelled"
    DEAD_LETTERED = "dead_lettered"

    @property
    def rank(self) -> int:
        return RANK[self]

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


DECIDED: Final = frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED})

#: 1 is left to `ready` of a run, which only the store knows (claimed and not yet begun).
RANK: Final[Mapping[RunStatus, int]] = {
    RunStatus.ACCEPTED: 0,
    RunStatus.RUNNING: 2,
    RunStatus.WAITING_TIMER: 2,
    RunStatus.WAITING_EVENT: 2,
    RunStatus.WAITING_HUMAN: 2,
    RunStatus.PARKED: 2,
    RunStatus.COMPENSATING: 3,
    RunStatus.COMPLETED: 4,
    RunStatus.COMPENSATED: 4,
    RunStatus.CANCELLED: 4,
    RunStatus.DEAD_LETTERED: 4,
}
TERMINAL: Final = frozenset(status for status, rank in RANK.items() if rank == 4)


class EdgeState(StrEnum):
    UNDECIDED = "undecided"
    TAKEN = "taken"
    DEAD = "dead"


class Outcome(StrEnum):
    """How a completed run ended, in one word."""

    DONE = "done"
    #: A Stop step ended it.
    STOPPED = "stopped"
    #: A filter said that this event is not for this workflow.
    FILTERED = "filtered"
    #: An item of a list: a step failed, and the person who was asked left the item out.
    SKIPPED = "skipped"
    #: It reached its end, past at least one failed step.
    DONE_WITH_FAILURES = "done_with_failures"


class StepKey(NamedTuple):
    """A step instance within its run. A replay opens the next generation and leaves the old one on record.

    An item of a container is a run of its own, so no iteration path is needed here.
    """

    node: str
    generation: int


@dataclass(frozen=True, slots=True)
class StepError:
    """Why an attempt failed, for a person first and for the retry policy second."""

    #: For machines and translation: `http.503`, `unexpected`.
    code: str
    #: A few words for a card.
    title: str
    #: What happened and what to do, in plain words.
    message: str
    #: For the expert: a response body, a trace. Never needed to understand the message.
    detail: str | None = None
    #: False: trying again cannot help.
    retryable: bool = False
    #: What the other side asked for. Seconds; bounded by the policy's cap.
    retry_after_seconds: float | None = None
    http_status: int | None = None
    #: Group for counting alike failures: `network`, `timeout`, `refused`, `config`, `unexpected`, …
    kind: str = "unexpected"
    #: The step failed, and something it did outside may stand nevertheless: in this try or in one before. Said by the
    #: shell; undo goes by it.
    may_have_happened: bool = False
    #: The step (node id) the error comes from. Filled in by the engine on `RunState.error`.
    node: str | None = None


class StepState(NamedTuple):
    """One step instance. Every field is a column; nothing else is remembered between two facts."""

    status: StepStatus
    #: The number of the current or last attempt, from 1; 0 when none was ever asked for.
    attempt: int = 0
    #: Ways out taken (succeeded, or failed and carried on). While waiting: the ways out to take when the time comes.
    ports: tuple[str, ...] = ()
    #: When the retry, wait or time-out is due, ms UTC.
    due_at: int | None = None
    #: `timer`, `event`, `human` or `children` (runs of its own) while waiting; `turn` before an attempt that may not
    #: begin yet. `look_up` while waiting to look up whether the attempt happened, and while that is done (`running`).
    wait_kind: str | None = None
    #: The last failure, also while retrying.
    error: StepError | None = None
    #: The order in which results were committed; undo runs it backwards.
    commit_seq: int | None = None
    #: Start of the first attempt; the policy's total time counts from here. ms UTC.
    first_started_at: int | None = None
    #: For how long in all nothing could be tried: by how much retries began later than they were due (paused, or nobody
    #: was there), and what went by until a try that was cut off began once more. The total time leaves it out. ms.
    late_ms: int = 0


class Tally(NamedTuple):
    """How many open steps there are of each sort. Follows from the steps; kept so that no fact has to count them."""

    active: int  #: ready or running
    timers: int  #: waiting for a time, or retrying
    events: int
    humans: int
    children: int = 0  #: waiting for runs of their own


#: What a step waits for, and does, of whose attempt nobody knows whether it happened.
LOOK_UP: Final = "look_up"
#: What a step waits for whose attempt may not begin yet, because what it calls takes only so many calls.
TURN: Final = "turn"

_NO_STEPS: Final[Mapping[StepKey, StepState]] = MappingProxyType({})


class RunState(NamedTuple):
    """One run. Build it from rows with the first seven fields; `steps` must hold real `StepStatus` members.

    A run that is decided but not over (a step failed for good, Stop was reached, a cancel was asked for) lets its
    running steps finish and starts nothing: `ending` says what it will become. It follows from `cancel_requested`,
    `error` and `outcome`, so these three are stored as soon as they are set, not only at the end. When all has come to
    rest and the run is to be undone, it is `compensating`: then undo steps begin, one after another (`undo.py`).
    """

    status: RunStatus
    generation: int = 1
    steps: Mapping[StepKey, StepState] = _NO_STEPS
    outcome: str | None = None
    error: StepError | None = None
    cancel_requested: bool = False
    #: Whoever cancelled the run wants undone what it did.
    undo_requested: bool = False
    #: A cache that `advance` fills; never stored, never compared.
    tally: Tally | None = None
    #: Every step that the fact before this state has changed, and perhaps others that are there; never stored, never
    #: compared.
    changed: tuple[StepKey, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunState) and self[:7] == other[:7]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        raise TypeError("a RunState has a mapping in it and no hash")

    def __repr__(self) -> str:
        return f"RunState{self[:7]}"

    @property
    def ending(self) -> RunStatus | None:
        """The terminal status this run is bound for, or None while steps of it may begin: on its way, or being undone.
        A cancel outranks a failure, a failure outranks a stop, whichever came first: nobody's stop may hide a failure.
        """
        if self.status is RunStatus.COMPENSATING:
            return None
        if self.cancel_requested:
            return RunStatus.CANCELLED
        if self.error is not None:
            return RunStatus.DEAD_LETTERED
        if self.outcome is not None:
            return RunStatus.COMPLETED
        return None

    def step(self, node: str) -> StepState | None:
        """The step of this generation, or None when the run has not come to it."""
        # A plain tuple equals the key, and is made three times faster.
        return self.steps.get((node, self.generation))  # type: ignore[call-overload, no-any-return]


def fresh(*, generation: int = 1) -> RunState:
    """A run that was accepted and has not begun."""
    return RunState(status=RunStatus.ACCEPTED, generation=generation, steps={})
