"""What is on record of a run: every change of it, by whom and when (I40)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["TrailEntry", "TrailStep"]


@dataclass(frozen=True, slots=True)
class TrailStep:
    """How a step, or with `tried` an attempt that touches the world, stood after a change."""

    node: str
    generation: int
    attempt: int
    status: str
    tried: bool = False


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One change of a run.

    `kind`: accepted · changed (the run's status) · worked (steps only) · claim (a lease that somebody else had, or that
    led to nothing before) · release · set_aside · cancel · decide · retried · undone · … what somebody did. `by`: the
    person, as `user:<id>`, or the program; None where a worker did it. `worker`: who held the lease `token`.
    """

    at: int | None
    kind: str
    by: str | None
    worker: str | None
    token: int
    seq: int
    generation: int
    before: str | None
    status: str | None
    outcome: str | None
    steps: Sequence[TrailStep]
    detail: Mapping[str, Any]
