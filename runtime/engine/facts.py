"""What the shell tells the engine. Times (`at`, `due_at`) are ms UTC and come from the database clock.

Every fact may be delivered twice and late: one that does not apply changes nothing. A result names the attempt it
belongs to; the result of another attempt is ignored.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from runtime.engine.state import StepError

WaitKind = Literal["timer", "event", "human", "children", "turn"]


class RunStarted(NamedTuple):
    """The run was taken up for the first time; `trigger_node` is the start its event came in by, or for a body the
    container, and then all that nothing leads to begins."""

    trigger_node: str
    at: int


class RunReopened(NamedTuple):
    """The run is gone on with in a further generation, whose kept steps stand: decide what follows from them. Told at
    each loading of such a run; where all that follows is there already, nothing happens."""

    trigger_node: str
    at: int


class StepStarted(NamedTuple):
    """An attempt begins (for effects: its intent is in the same commit). Only if the step is `running` afterwards may
    the effect happen: a cancel may have come first. Steps without effects may leave this fact out. `since`: when the
    same attempt was last begun, where it was cut off and begins once more."""

    node: str
    attempt: int
    at: int
    since: int | None = None


class StepSucceeded(NamedTuple):
    """`ports` are the ways out to take; an empty tuple takes none, and what follows only from here is skipped."""

    node: str
    attempt: int
    ports: tuple[str, ...]
    at: int
    commit_seq: int | None = None


class StepFailed(NamedTuple):
    """A definite failure of the step (never of the infrastructure). `jitter` is the shell's dice, in [0, 1)."""

    node: str
    attempt: int
    error: StepError
    at: int
    jitter: float = 0.5
    commit_seq: int | None = None


class StepInDoubt(NamedTuple):
    """Nobody knows whether the attempt happened. At `due_at` it is looked up (again); None where that cannot tell: then
    people are asked, whatever the step's settings say, and while a run is undone the step has failed.

    When the time has come the same attempt is asked for (`Execute`), and the step runs with the wait kind `look_up`:
    then nothing is sent. It ends as an attempt does: `StepSucceeded` where it happened; `StepInterrupted` or
    `StepFailed` where it did not; or this fact once more.
    """

    node: str
    attempt: int
    error: StepError
    at: int
    due_at: int | None
    commit_seq: int | None = None


class StepWaits(NamedTuple):
    """The step has parked itself. `due_at`: end of a timer wait, or time-out of the others (None: for ever).

    `due_ports` are the ways out when the time comes; by default `out` after a timer, `timeout` for the others.

    Of the kind `turn` the attempt has not begun: when the time comes, or `StepInterrupted` says that its turn may have
    come, the same attempt is asked for once more. It costs no try and none of the time for tries.
    """

    node: str
    attempt: int
    kind: WaitKind
    due_at: int | None
    at: int
    due_ports: tuple[str, ...] | None = None


class TimerFired(NamedTuple):
    """A nudge: it is now `at`. Too early, and the timer is asked for again; not waiting, and nothing happens."""

    node: str
    at: int


class SignalReceived(NamedTuple):
    """The event came, or a person decided: the waiting step is done and goes on by `ports`."""

    node: str
    ports: tuple[str, ...]
    at: int
    commit_seq: int | None = None


class StepInterrupted(NamedTuple):
    """The attempt was cut off by the infrastructure (crash, deploy, lost database) and may safely be made again.

    It costs no try: the same attempt is asked for anew. The shell tells it only after in-doubt effects were resolved.
    On a waiting step it means that somebody chose "try again" instead of waiting. Because the attempt keeps its
    number, facts from before the interruption look current again: the lease, not the engine, keeps them out.
    """

    node: str
    attempt: int
    at: int


class RetryRequested(NamedTuple):
    """A person, asked because of a failure, says: try again. The next attempt begins, whatever the policy says."""

    node: str
    at: int


class CancelRequested(NamedTuple):
    """A person cancels the run. Nothing starts any more, what runs may finish, then the run is cancelled; or, with
    `undo`, what it did is undone. Once undoing has begun, nobody cancels it."""

    at: int
    undo: bool = False


class StopRequested(NamedTuple):
    """The step (Stop, a filter) ends the run as completed with `outcome`. The step itself has succeeded."""

    node: str
    outcome: str
    at: int
    commit_seq: int | None = None


class FailRequested(NamedTuple):
    """The step ends the run as failed, without retry and whatever its settings say (but for undo). Also what a person
    says who was asked because of a failure: give up. `skips`: or leave this item out: the step has failed, and its run
    ends as a Stop ends it, so that the list goes on and what the item did stands."""

    node: str
    error: StepError
    at: int
    commit_seq: int | None = None
    skips: bool = False


Fact = (
    RunStarted
    | RunReopened
    | StepStarted
    | StepSucceeded
    | StepFailed
    | StepInDoubt
    | StepWaits
    | TimerFired
    | SignalReceived
    | StepInterrupted
    | RetryRequested
    | CancelRequested
    | StopRequested
    | FailRequested
)
