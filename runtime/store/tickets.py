"""What waits for the writer: a unit, who waits for it, and what the answer may be instead of a receipt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from runtime.store.turns import Turns

__all__ = [
    "CancelPending",
    "Fenced",
    "PausePending",
    "Ticket",
    "Waiting",
    "Wanted",
    "Work",
    "earliest",
    "has_beside",
    "has_time",
]

#: What waits for a lock behind the last look at the clock must be done with that in time.
_LONGEST_LOCK_SECONDS: Final = 2.1


class Fenced(Exception):
    """The lease is no longer yours: somebody else advances this run. Drop the work, write nothing more (I14, I15)."""

    def __init__(self, run_id: UUID) -> None:
        super().__init__(f"The lease on run {run_id} was lost.")
        self.run_id = run_id


class CancelPending(Exception):
    """The unit said `UNLESS_CANCELLED`, and a cancel was committed before it: nothing of it was written (I28)."""

    def __init__(self, run_id: UUID) -> None:
        super().__init__(f"Run {run_id} is being cancelled.")
        self.run_id = run_id


class PausePending(Exception):
    """The unit said `UNLESS_PAUSED`, and a pause was committed before it: nothing of it was written (I41)."""

    def __init__(self, run_id: UUID) -> None:
        super().__init__(f"Run {run_id} is paused.")
        self.run_id = run_id


class Work(IntEnum):
    """What a ticket asks for."""

    ACCEPT = 0
    WRITE = 1
    CLAIM = 2
    RENEW = 3
    RELEASE = 4


class Wanted(NamedTuple):
    """The unit of a claim: these runs, or so many of those that are due; see `Writer.claim`. `turns`: whose turn it is,
    where more are due than that (I21). `suspects`: how many may come with them that may have killed a process
    (I20)."""

    run_ids: Sequence[UUID] | None
    limit: int
    owner: str
    held: tuple[tuple[UUID, int], ...] = ()
    turns: Turns | None = None
    suspects: int = 1


_FIXED_POINTS: Final[dict[Work, tuple[str, ...]]] = {
    Work.ACCEPT: ("ingress.accept",),
    Work.CLAIM: ("run.claim",),
    Work.RENEW: ("run.lease_renew",),
    Work.RELEASE: ("run.release",),
}


class Waiting(Protocol):
    """Who waits for a unit: a future of either kind, or what is told like one."""

    def done(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, error: BaseException, /) -> None: ...


class Ticket:
    """A unit that waits for its commit, and its answer once there is one."""

    __slots__ = ("deadline", "error", "future", "loop", "result", "unit", "work")

    def __init__(
        self,
        work: Work,
        unit: Any,
        future: Waiting,
        loop: asyncio.AbstractEventLoop | None,
        deadline: float | None,
    ) -> None:
        self.work = work
        self.unit = unit
        self.future = future
        self.loop = loop
        self.deadline = deadline
        self.result: Any = None
        self.error: BaseException | None = None

    def points(self) -> tuple[str, ...]:
        """The commit points it passes."""
        if self.work is Work.WRITE:
            names: tuple[str, ...] = self.unit.names
            return names
        return _FIXED_POINTS[self.work]

    def failed(self, error: BaseException) -> Ticket:
        """This ticket, answered with an error."""
        self.error = error
        return self


def earliest(tickets: Iterable[Ticket]) -> float | None:
    """When the first of them will have waited long enough; None where all wait for as long as it takes."""
    return min((ticket.deadline for ticket in tickets if ticket.deadline is not None), default=None)


def has_beside(ticket: Ticket) -> bool:
    """Whether something is committed with it, of which it must be known first that it is new."""
    return ticket.work is Work.ACCEPT and ticket.unit.beside is not None


def has_time(tickets: Iterable[Ticket]) -> bool:
    """Whether all of these are still waited for when the longest wait for a lock is over."""
    soon = time.monotonic() + _LONGEST_LOCK_SECONDS
    return all(ticket.deadline is None or ticket.deadline > soon for ticket in tickets)
