"""What the API says of batches, and what it is told."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.api.cursors import PageQuery
from builder.api.files import FileShape
from builder.api.operation import Body, Query, View

Number = Annotated[int, Field(ge=0, le=100_000_000)]


class CountAndSumShape(View):
    """So many, worth so much together (a decimal as text)."""

    count: int
    amount: str


class ControlTotalShape(View):
    """The entries in one currency, empty where there is none. `received`: all that were begun, of which those that are
    `done`, `failed`, `left_out` (by people) and `open`; `posted`: null where the step does not say; `expected`: null
    where nobody said; `without`: so many have no amount."""

    currency: str
    received: CountAndSumShape
    done: CountAndSumShape
    failed: CountAndSumShape
    left_out: CountAndSumShape
    open: CountAndSumShape
    posted: CountAndSumShape | None
    expected: str | None
    without: int


class CauseShape(View):
    """Entries that failed of one cause and wait for a decision. `code`: of the newest; `example`: what it says."""

    cause: str
    code: str
    title: str
    example: str
    count: int


class MinuteShape(View):
    """So many ended in this minute."""

    at: str
    count: int


class SlowingShape(View):
    """A system that takes longer now than for the first entries: `system` as people call it, empty where nothing names
    it; by which `step`; medians in ms, of its last calls and of the first."""

    system: str
    step: str
    now_ms: int
    usual_ms: int


class TurnsShape(View):
    """So many entries wait for their turn at this connection, which takes so many `calls` within `period_ms` and
    `at_once` at a time; `paused_until`: the other system has asked for it."""

    connection: UUID
    connection_name: str
    calls: int | None
    period_ms: int | None
    at_once: int | None
    paused_until: str | None
    count: int


class BatchShape(View):
    """The entries of one step of a run. `total`: null where it is not known yet; `left` have not been begun; `skipped`
    came twice; `left_out` were skipped by people. `per_minute`: null where too few ended lately. `manifest`: the last
    that was kept; `sealed`: nothing has changed since. `goes_on_at`: no further one begins before that, by the step's
    times. `slowing`: what makes it slower than it began, where that is plain. `can_retry_run`: the run itself has
    failed, and goes on with these entries where it is retried."""

    run_id: UUID
    node: str
    key: str
    name: str
    workflow_id: UUID
    status: str
    run_status: str
    open: bool
    can_retry_run: bool
    total: int | None
    started: int
    done: int
    failed: int
    solved: int
    running: int
    waiting: int
    skipped: int
    left_out: int
    left: int | None
    started_at: str | None
    finished_at: str | None
    ended_last: str | None
    per_minute: float | None
    points: list[MinuteShape]
    causes: list[CauseShape]
    has_amounts: bool
    expected_count: int | None
    totals: list[ControlTotalShape]
    files: int
    input: FileShape | None
    manifest: FileShape | None
    sealed: bool
    turns: list[TurnsShape]
    slowing: SlowingShape | None
    goes_on_at: str | None


class WrongFileShape(View):
    """A file that is not as the manifest says; `seq` (from 1) and `key` of its entry."""

    name: Annotated[str, Field(max_length=400)]
    seq: int | None = None
    key: Annotated[str, Field(max_length=400)] | None = None


class BatchCheckShape(View):
    """A comparison of the files with the manifest whose digest is `sha256`. `place`: server · browser."""

    id: UUID
    at: str
    by: str | None
    place: str
    sha256: str
    signed: bool
    well: bool
    checked: int
    missing_count: int
    changed_count: int
    extra_count: int
    missing: list[WrongFileShape]
    changed: list[WrongFileShape]
    extra: list[WrongFileShape]
    problem: str


class BatchFileShape(View):
    """A file that an entry has made; `seq` (from 1) and `key` of the entry."""

    id: UUID
    name: str
    size: int
    sha256: str
    seq: int
    key: str | None


class NoteCheck(Body):
    """What a browser found that compared the files it was sent with a manifest."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    checked: Number
    missing: Annotated[list[WrongFileShape], Field(max_length=1_000)] = []
    changed: Annotated[list[WrongFileShape], Field(max_length=1_000)] = []


class FailedQuery(PageQuery):
    """Those that failed of one cause, or of any."""

    cause: Annotated[str, Field(max_length=32)] | None = None


class FailedEntryShape(View):
    """An entry that waits for a decision; `index` counts from 0, `item`: what it was given. `fixed`: why it is given
    nothing else: it was released or approved as it is, or it says who decides."""

    run_id: UUID
    index: int
    label: str | None
    item: Any
    cause: str
    title: str
    message: str
    at: str
    fixed: Literal["released", "approved", "decides"] | None


class CorrectedItem(Body):
    """What an entry is to be given."""

    index: Number
    item: Any


class Correct(Body):
    """Entries that failed, with what they are to be given; each goes on from where it failed."""

    items: Annotated[list[CorrectedItem], Field(min_length=1, max_length=500)]


class CorrectedShape(View):
    """What became of it: begun · refused, and why."""

    index: int
    outcome: str
    message: str


class MendedShape(View):
    """What a mended file has led to. `begun`: so many went on, of these `unchanged` with what they had before;
    `refused` of them did not, and `problems` says of rows why they were left out, the first 100."""

    begun: int
    unchanged: int
    refused: int
    problems: list[str]


class RetryFailed(Body):
    """Those of one cause, or all. `per_minute`, `stop_after`, `trial`, `reason`: as of a bulk retry of dead letters."""

    cause: Annotated[str, Field(max_length=32)] | None = None
    per_minute: Annotated[int, Field(ge=1, le=6_000)] | None = None
    stop_after: Annotated[int, Field(ge=1, le=10_000)] | None = None
    trial: bool = False
    reason: Annotated[str, Field(max_length=400)] = ""


class ErrorFileQuery(Query):
    """As which file."""

    kind: Literal["xlsx", "csv"] = "xlsx"
