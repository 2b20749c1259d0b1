"""A workflow that is paused and still accepts, when it is paused by itself, and who cancelled a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BreakerView:
    """When a workflow is paused because it keeps failing: after `failures` in a row, or when `percent` of the runs of
    `minutes` failed; 0 is never."""

    failures: int
    percent: int
    minutes: int


@dataclass(frozen=True, slots=True)
class HoldView:
    """What is held of a workflow, why, and how it is let go.

    mode: `held` | `trying` (one run was let go, to see how it ends) | `draining`. `cause`: `person` | `failures`; then
    `facts` say by which rule, how many failed, the last one's run and title. `trial`: how the last trial ended, `done`
    | `failed`. `per_minute`, `at_once`: the speed, None for as fast as possible. `waiting`: how many runs are held.
    `paused_run_id`: of those that were let go, and count against `at_once`, the first that somebody paused.
    """

    since: int
    by: str
    cause: str
    reason: str
    facts: Mapping[str, Any]
    open_runs: str
    mode: str
    trial_run_id: UUID | None
    trial: str | None
    per_minute: int | None
    at_once: int | None
    drained_by: str | None
    drained_from: int | None
    let_go: int
    waiting: int
    under_way: int
    paused_run_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """Held runs that came under one version. `live`: the one published now; `fits`: so many could go with that."""

    number: int
    live: bool
    count: int
    fits: int


@dataclass(frozen=True, slots=True)
class CancelView:
    """That a run was asked to end: when, and why, empty where nobody said. `by`: `user:<id>` · api · schedule · run
    (with the run around it)."""

    at: int
    by: str
    reason: str
