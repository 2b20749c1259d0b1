"""Batches, as the front door shows them: the entries of a container's list, counted, summed and proven."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from runtime.contracts.budgets import TurnsAwaited
from runtime.contracts.files import FileView


@dataclass(frozen=True, slots=True)
class CountAndSum:
    """So many entries, worth so much together."""

    count: int = 0
    amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """The entries in one currency. `received`: all that were begun; they are `done`, `failed`, `left_out` (by a person)
    or `open`. `posted`: what their runs say they posted; None where the step does not say what that is. `expected`:
    what they have to come to, None where nobody said; `without`: so many have no amount."""

    currency: str
    received: CountAndSum
    done: CountAndSum
    failed: CountAndSum
    left_out: CountAndSum
    open: CountAndSum
    posted: CountAndSum | None
    expected: Decimal | None
    without: int


@dataclass(frozen=True, slots=True)
class FailedFor:
    """Entries that failed of one cause, the newest first. `code`: of the newest; `example`: what it says."""

    cause: str
    code: str
    title: str
    example: str
    count: int


@dataclass(frozen=True, slots=True)
class Slowing:
    """A system that takes longer now than for the first entries: `system` as people call it, empty where nothing names
    it; by `step`, the name of the step that calls it; medians in ms, of its last calls and of the first."""

    system: str
    step: str
    now_ms: int
    usual_ms: int


@dataclass(frozen=True, slots=True)
class BatchView:
    """The entries of one step of a run. `total`: how many there will be, None where that is not known yet; `left` of it
    have not been begun. `skipped`: came twice; `left_out`: a person chose to skip them. `started_at` … `finished_at`:
    of the step, ms; `ended_last`: when the last of them ended. `per_minute`: those that ended in the last minutes; None
    where too few did. `points`: minute (ms) and how many ended in it, the oldest first, at most 60. `expected_count`:
    None where nobody said. `manifest`: the last that was kept; `sealed`: nothing has changed since."""

    run_id: UUID
    node: str
    key: str
    name: str
    workflow_id: UUID
    version_id: UUID
    status: str
    run_status: str
    run_waiting: bool
    total: int | None
    started: int
    done: int
    failed: int
    solved: int
    running: int
    waiting: int
    skipped: int
    left_out: int
    started_at: int | None
    finished_at: int | None
    ended_last: int | None
    per_minute: float | None
    points: tuple[tuple[int, int], ...]
    causes: tuple[FailedFor, ...]
    has_amounts: bool
    expected_count: int | None
    totals: tuple[ControlTotal, ...]
    files: int
    manifest: FileView | None
    sealed: bool
    input: FileView | None = None
    #: When further ones may begin, ms; None where they may now, or none is left.
    goes_on_at: int | None = None
    #: At which connections entries wait for their turn.
    turns: tuple[TurnsAwaited, ...] = ()
    #: What makes it slower than it began; None where nothing plainly does.
    slowing: Slowing | None = None


@dataclass(frozen=True, slots=True)
class PassedOverView:
    """An entry that began no run: it came twice, or the run `done_by` had done it before, at `done_at` (ms). `number`:
    from 0; `place`: where people find it; `key`: by what it was known."""

    number: int
    place: str
    key: str
    done_by: UUID | None
    done_at: int | None


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file that the run of an entry has made. `index`: of the entry, from 0; `key`: what people call it."""

    id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    index: int
    key: str | None


@dataclass(frozen=True, slots=True)
class WrongFile:
    """A file that is not as the manifest says. `seq`, `key`: of the entry, where it is one's."""

    name: str
    seq: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class BatchCheckView:
    """A comparison of a batch's files with its manifest. `checked`: so many files the manifest names, of which these
    are `missing` or `changed`; `extra`: there and not named. Each list names the first ones, its count all. `signed`:
    the manifest's signature is this installation's. `problem`: why the manifest itself is none, empty where it is."""

    id: UUID
    at: int
    by: UUID | None
    where: str
    sha256: str
    signed: bool
    checked: int
    missing_count: int
    changed_count: int
    extra_count: int
    missing: tuple[WrongFile, ...] = field(default=())
    changed: tuple[WrongFile, ...] = field(default=())
    extra: tuple[WrongFile, ...] = field(default=())
    problem: str = ""

    @property
    def is_well(self) -> bool:
        return not (self.missing_count or self.changed_count or self.extra_count or self.problem)
