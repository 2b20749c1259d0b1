"""What crosses the front door about a restored backup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HeldStep:
    """A step that changes something outside and has no result in the backup. `begun`: its intent is in the backup; else
    it may have been begun, and done, after that. `effect`: its class."""

    node: str
    name: str
    effect: str
    begun: bool


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run that was open when the backup was made, with what it may have done since."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    status: str
    accepted_at: int
    cancelled: bool
    steps: Sequence[HeldStep]


@dataclass(frozen=True, slots=True)
class Hold:
    """A restored backup that waits to be confirmed. `schedules`: how many have an instant behind them."""

    since: int
    epoch: int
    runs: int
    schedules: int
