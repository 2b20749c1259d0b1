"""The units that the writer commits: frozen rows, with JSON documents already written as text.

One `RunWrite` is one engine transaction of one run: all of it is committed or none (I7), under the run's lease token
(I14). The writer groups many units into one database transaction.

They are named tuples, made thousands of times a second: a frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from runtime.engine.naming import Worth

if TYPE_CHECKING:
    from runtime.store.beside import Beside
    from runtime.store.children import Outer


class EventRow(NamedTuple):
    """An event to store. `body` is None when `body_artifact` holds the bytes."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    trigger_id: UUID | None
    source: str
    received_at: int
    method: str
    path: str
    query: str
    headers: str
    content_type: str
    body: bytes | None
    body_artifact_id: UUID | None
    body_size: int
    body_sha256: str
    dedupe_key: str | None
    signature: str
    verdict: str
    reason: str | None
    parse_error: str | None


class RunRow(NamedTuple):
    """A run to start. `wake_at` = accepted_at: due at once, so that the sweeper finds it whatever the broker does."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    trigger_node: str
    mode: str
    started_by: str
    accepted_at: int
    min_engine: int = 1
    lease_owner: str | None = None


class AcceptRun(NamedTuple):
    """An event and the run it causes, committed together (I1). `run` is None for an event that starts nothing.

    `key_for_ms`: how long the event's key is recognised, after which it may be used anew; None is for ever. `beside`:
    what is committed with it, where it is new; only for units that go by the writer's thread.
    """

    event: EventRow
    run: RunRow | None
    key_for_ms: int | None = None
    beside: Beside | None = None


class Accepted(NamedTuple):
    """What became of it. A duplicate carries the first delivery's ids; `conflict` flags another body."""

    event_id: UUID
    run_id: UUID | None
    duplicate: bool = False
    conflict: bool = False


class Claimed(NamedTuple):
    """A lease on a run, with what the interpreter needs to begin."""

    run_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    event_id: UUID | None
    trigger_node: str
    mode: str
    status: str
    outcome: str | None
    generation: int
    seq: int
    token: int
    claims: int
    cancel_requested_at: int | None
    accepted_at: int
    started_at: int | None
    min_engine: int
    error: str | None
    #: What started a run that has not begun, where it is at hand: then nobody need read it.
    event: EventRow | None = None
    #: What a run that was begun for a step of another knows from outside, where it is at hand.
    outer: Outer | None = None


class StepWrite(NamedTuple):
    """A step row as it shall stand; `None` as input or output keeps what stands. The writer stamps the seq."""

    node_id: str
    generation: int
    node_key: str
    status: str
    attempt: int
    ports: str = "[]"
    note: str | None = None
    input: str | None = None
    output: str | None = None
    error: str | None = None
    wait: str | None = None
    due_at: int | None = None
    commit_seq: int | None = None
    started_at: int | None = None
    finished_at: int | None = None


class AttemptWrite(NamedTuple):
    """An attempt row as it shall stand; inserted with the intent, completed with the result."""

    node_id: str
    generation: int
    attempt: int
    status: str
    effect_class: str
    effect_key: str | None
    key_epoch: int
    request_digest: str | None
    worker: str
    started_at: int
    finished_at: int | None = None
    request: str | None = None
    response: str | None = None
    error: str | None = None


class TimerWrite(NamedTuple):
    """A timer to set."""

    node_id: str
    generation: int
    kind: str
    due_at: int


class TimerClear(NamedTuple):
    """A timer to remove."""

    node_id: str
    generation: int
    kind: str


class ResponseWrite(NamedTuple):
    """The answer to the waiting caller; a second one for the same run is ignored."""

    status: int
    headers: str
    body: bytes


class DeadLetterWrite(NamedTuple):
    """What the run's end in failure is kept under, until somebody decides."""

    node_id: str
    cause: str
    code: str
    title: str
    message: str
    pattern: str


class TaskWrite(NamedTuple):
    """A question to people."""

    id: UUID
    node_id: str
    generation: int
    attempt: int
    kind: str
    title: str
    spec: str
    people: str
    due_at: int | None
    ends_at: int | None = None
    barred: str = ""
    notice_at: int | None = None
    #: What it is about, in `naming.UNITS`; where it says nothing, this field of its run does.
    worth: int | None = None
    currency: str = ""
    worth_field: str = ""


class TaskClose(NamedTuple):
    """A question that nobody needs to answer any more, unless somebody has."""

    node_id: str
    generation: int
    status: str


class ChildWrite(NamedTuple):
    """A run to start for a step of another. `item`: what it is given, as its row holds it; due in `delay_ms`;
    `detached`: nobody waits for its end. `lease_owner`: who begins it at once, with what it knows from outside; else it
    is anybody's."""

    id: UUID
    workflow_id: UUID
    version_id: UUID
    trigger_node: str
    mode: str
    min_engine: int
    parent_node: str
    item_index: int
    item: str
    business_key: str | None = None
    delay_ms: int = 0
    detached: bool = False
    lease_owner: str | None = None
    outer: Outer | None = None


class ReadingWrite(NamedTuple):
    """How far a step has read that reads page by page; by what the entries of this page are known again, each with its
    number; and those that were passed over."""

    node_id: str
    state: str
    total: int | None = None
    skipped: int = 0
    keys: tuple[tuple[str, int], ...] = ()
    passed_over: tuple[PassedOverWrite, ...] = ()


class PassedOverWrite(NamedTuple):
    """An entry that begins no run; see `PassedOver`."""

    number: int
    place: str
    key: str
    done_by: UUID | None = None
    done_at: int | None = None


class FileWrite(NamedTuple):
    """A file that a step has saved, whose bytes stand."""

    id: UUID
    node_id: str
    generation: int
    name: str
    mime: str
    size: int
    sha256: str


class AmountWrite(NamedTuple):
    """What one entry is worth. `amount` as `batches.units_of` gives it."""

    node_id: str
    item_index: int
    amount: int | None
    currency: str


class PostedWrite(NamedTuple):
    """What the run of an entry has posted; None: nothing stands."""

    run_id: UUID
    node_id: str
    item_index: int
    posted: int | None
    currency: str


class WaitWrite(NamedTuple):
    """A step that waits for its link or for an event."""

    id: UUID
    node_id: str
    generation: int
    kind: str
    title: str
    name: str
    key: str
    since: int
    due_at: int | None


class WaitClose(NamedTuple):
    """A wait that nothing moves on any more, unless something has."""

    node_id: str
    generation: int
    status: str


class RunWrite(NamedTuple):
    """One engine transaction of one run.

    `names` are the commit points it passes, e.g. ("step.result", "step.intent"). The run-level fields are the values
    as they shall stand, but `business_key` and `started_at` are kept where None. `release` gives the lease back in
    the same commit; `wake_at` is then when to look again, or sooner if somebody knocked meanwhile. A status that ends
    the run releases it too. `unless` refuses the whole unit once a cancel (`UNLESS_CANCELLED`) or a pause
    (`UNLESS_PAUSED`) was committed: units that carry an intent say so (I28, I41). `progress` resets the count of claims
    that led to nothing (I20). `may_have_answered`: an earlier unit may have brought a response, which then stands;
    whoever waits for the run's end must look it up. `seq` is the run's as of this unit, where the holder of the lease
    knows it: that spares SQLite a question. `plain`: all that it does is add steps that
    are decided, whose rows say so for ever; anything else is noted in the trail.
    """

    run_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    token: int
    names: tuple[str, ...]
    status: str
    outcome: str | None = None
    error: str | None = None
    waiting: str | None = None
    business_key: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    wake_at: int | None = None
    release: bool = False
    progress: bool = True
    unless: int = 0
    generation: int = 1
    steps: tuple[StepWrite, ...] = ()
    attempts: tuple[AttemptWrite, ...] = ()
    timers: tuple[TimerWrite, ...] = ()
    cleared: tuple[TimerClear, ...] = ()
    response: ResponseWrite | None = None
    may_have_answered: bool = True
    seq: int | None = None
    dead_letter: DeadLetterWrite | None = None
    tasks: tuple[TaskWrite, ...] = ()
    closed: tuple[TaskClose, ...] = ()
    children: tuple[ChildWrite, ...] = ()
    waits: tuple[WaitWrite, ...] = ()
    waits_over: tuple[WaitClose, ...] = ()
    plain: bool = False
    readings: tuple[ReadingWrite, ...] = ()
    files: tuple[FileWrite, ...] = ()
    amounts: tuple[AmountWrite, ...] = ()
    #: Of the entry that this run is of.
    posted: PostedWrite | None = None
    #: What the run is found by from now on, its business key among it.
    worths: tuple[Worth, ...] = ()


class Written(NamedTuple):
    """The commit's receipt: the run's new seq, and when somebody asked to cancel or to pause, if anybody did."""

    run_id: UUID
    seq: int
    cancel_requested_at: int | None = None
    paused_at: int | None = None
