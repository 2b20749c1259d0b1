"""Rate budgets, as the front door shows them: how many calls a connection takes, for all workflows together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

Period = Literal["second", "minute", "hour", "day"]

#: How long each is, ms.
PERIODS: Final[dict[Period, int]] = {"second": 1_000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
MOST_CALLS: Final = 100_000
MOST_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """At most `calls` within any `period`, and at most `at_once` under way; None: any number."""

    calls: int | None = None
    period: Period = "minute"
    at_once: int | None = None


@dataclass(frozen=True, slots=True)
class BudgetView:
    """How a budget stands. `used`: so many calls count within the period now, those under way among them, 0 where no
    period is limited; `waiting`: so many wait for their turn. `paused_until`: the other system said by `paused_status`
    that it takes none until then, ms; None where it did not."""

    connection_id: UUID
    limits: BudgetLimits
    used: int
    under_way: int
    waiting: int
    paused_until: int | None
    paused_status: int | None


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """How a connection stands with what calls by it. `pauses`: where it is broken, that waits. `broken_at` (ms) and
    `broken_reason`: since when the other system takes its credentials no more; `waiting`: so many steps wait for it;
    `repaired_at`: when it last was taken for repaired."""

    connection_id: UUID
    name: str
    pauses: bool
    broken_at: int | None
    broken_reason: str | None
    repaired_at: int | None
    waiting: int


@dataclass(frozen=True, slots=True)
class TurnsAwaited:
    """So many (`count`) wait for their turn at this connection, which takes so many calls, or none until
    `paused_until` (ms)."""

    connection_id: UUID
    name: str
    calls: int | None
    period_ms: int | None
    at_once: int | None
    paused_until: int | None
    count: int
