"""What is on record of a run: every change of it, by whom and when (I40)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Because", "TrailEntry", "TrailStep"]


@dataclass(frozen=True, slots=True)
class Because:
    """Why an open run does not end this moment.

    `kind`: working · due · paused · held, or what it waits for (timer · retry · event · human · children · parked · …).
    `owner`: who has to move: worker (named) · next_worker · clock · outside · people (named, or everybody) ·
    admins (nobody who is asked is left) · own_runs · operator · workflow (which is paused).
    `next_at`: when something happens at the latest; None where only the owner knows.
    """

    kind: str
    owner: str
    names: Sequence[str]
    since: int | None
    next_at: int | None
    node: str | None


@dataclass(frozen=True, slots=True)
class TrailStep:
    """How a step, or with `tried` an attempt that touches the world, stood after a change. `began`: since when, in ms;
    None where that is not on record."""

    node: str
    generation: int
    attempt: int
    status: str
    tried: bool = False
    began: int | None = None


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
