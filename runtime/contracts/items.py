"""Runs that a run has begun for one of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ParentView:
    """The run that has begun this one: for which of its steps, and as which number (from 0). `is_item`: of a container,
    whose body it is a run of; otherwise it was called."""

    run_id: UUID
    node: str
    index: int
    workflow_id: UUID
    version_id: UUID
    is_item: bool


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """How the runs of one step stand. `total`: how many there will be, where that is known. `failed_inside`: how many
    items did not end well within those that are done, of a step that is; `failed_calls`: and how many calls there that
    nobody waited for. `solved`: of a step that has ended, those that failed and were put right elsewhere, or discarded;
    they are none of `failed`. `left_out`: those that a person left out; they are none of `done`."""

    total: int | None
    started: int
    done: int
    failed: int
    running: int
    waiting: int
    failed_inside: int = 0
    failed_calls: int = 0
    solved: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class SolvedView:
    """What somebody said of a run that failed. `how`: elsewhere (it was put right outside of Millrace) or discarded; or
    of an item of a list, a step of which failed: skipped (it was left out, and the list went on)."""

    how: str
    by: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class ItemView:
    """One run of a step. `error`, `waiting`, `failed_items` and `failed_calls` as of a run; `solved`: of one that
    failed, or was left out; `corrected`: somebody gave it something else than its list did."""

    run_id: UUID
    index: int
    status: str
    outcome: str | None
    label: str | None
    started_at: int | None
    finished_at: int | None
    error: dict[str, Any] | None
    waiting: dict[str, Any] | None
    failed_items: int
    failed_calls: int = 0
    solved: SolvedView | None = None
    corrected: bool = False
