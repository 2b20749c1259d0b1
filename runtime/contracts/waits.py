"""What crosses the front door of steps that wait for a link or an event."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WaitView:
    """A step that waits, or waited. `kind`: link, event. `status`: open, resumed, late, cancelled.

    `resumed_by`, of one that was resumed: `link`, `user:<id>`, `run:<id>` or `api`.
    """

    node: str
    generation: int
    kind: str
    status: str
    title: str
    name: str
    key: str
    due_at: int | None
    created_at: int
    closed_at: int | None
    resumed_by: str | None


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event that was sent. `moved_on`: how many waiting steps went on by it, as far as is known; None where they are
    moved on in a moment."""

    id: UUID
    moved_on: int | None
    duplicate: bool
