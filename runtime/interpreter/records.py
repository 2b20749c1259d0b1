"""What a driver has not committed yet, and what each open step's row says beside its state."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.engine.commands import Execute
from runtime.engine.facts import Fact
from runtime.engine.jsonprofile import JSON
from runtime.engine.naming import Worth
from runtime.engine.state import StepKey
from runtime.interpreter.outcomes import Ending
from runtime.interpreter.versions import Step
from runtime.store.reads import AnswerRow, AttemptRow
from runtime.store.records import (
    AmountWrite,
    AttemptWrite,
    ChildWrite,
    FileWrite,
    ReadingWrite,
    ResponseWrite,
    TaskWrite,
    TimerClear,
    TimerWrite,
    WaitWrite,
)


@dataclass(slots=True)
class Told:
    """Something that happened to a run: an attempt's ending, or a plain fact."""

    at: int
    jitter: float = 0.5
    fact: Fact | None = None
    asked: Asked | None = None
    ending: Ending | None = None
    answer: AnswerRow | None = None


@dataclass(slots=True)
class Asked:
    """An attempt that the engine asked for, made ready."""

    step: Step
    attempt: int
    config: object
    step_input: JSON
    input_text: str
    at: int
    key: str
    generation: int = 1
    #: On the loop, within the commit cycle.
    inline: bool = True
    #: The same attempt, cut off by a crash with its intent committed.
    earlier: AttemptRow | AttemptWrite | None = None
    #: Nothing is sent: it is looked up whether that happened before, the so many'th time. 0: it is sent.
    looks: int = 0
    #: Which key of the step's it is: a definite refusal uses one up (I11).
    epoch: int = 0
    #: How it ended, where that is still to be put aside.
    ending: Ending | None = None
    #: Whether it waits where it is for its turn at a connection whose calls are limited; else `NotYet` is raised.
    patient: bool = True
    #: What it has saved; of no use to anybody unless it succeeds.
    files: tuple[FileWrite, ...] = ()


@dataclass(slots=True)
class Record:
    """What a step's row says beside the engine's state. None leaves standing what stands."""

    input: str | None = None
    output: str | None = None
    note: str | None = None
    wait: str | None = None
    #: When a later attempt of a step that only reads was last begun, ms.
    begun: int | None = None


@dataclass(slots=True)
class Unit:
    """The rows of the next commit."""

    names: dict[str, None] = field(default_factory=dict)
    attempts: tuple[AttemptWrite, ...] = ()
    timers: tuple[TimerWrite, ...] = ()
    cleared: tuple[TimerClear, ...] = ()
    response: ResponseWrite | None = None
    tasks: tuple[TaskWrite, ...] = ()
    children: tuple[ChildWrite, ...] = ()
    readings: tuple[ReadingWrite, ...] = ()
    #: Steps whose rows say something new although the engine has nothing new about them.
    noted: tuple[str, ...] = ()
    waits: tuple[WaitWrite, ...] = ()
    files: tuple[FileWrite, ...] = ()
    amounts: tuple[AmountWrite, ...] = ()
    #: What the run is found by, as far as that has become known.
    worths: tuple[Worth, ...] = ()
    told: list[Told] = field(default_factory=list)
    asked: list[Execute] = field(default_factory=list)
    #: Steps that may stand otherwise than before.
    changed: tuple[StepKey, ...] = ()
    dirty: bool = False
