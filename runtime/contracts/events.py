"""Start events as they are shown: what knocked, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

__all__ = ["EventDetail", "EventFilters", "EventView"]


@dataclass(frozen=True, slots=True)
class EventFilters:
    """Which start events to list; None means any. `not_started`: those that have no run. `since`, `until`: when they
    came, ms, both included."""

    workflow_id: UUID | None = None
    verdict: str | None = None
    not_started: bool = False
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that knocked, and what became of it."""

    id: UUID
    workflow_id: UUID
    trigger_id: UUID | None
    source: str
    received_at: int
    verdict: str
    reason: str | None
    run_id: UUID | None
    dedupe_key: str | None
    body_size: int
    body_sha256: str
    signature: str
    duplicates: int


@dataclass(frozen=True, slots=True)
class EventDetail:
    """An event with its headers (secrets masked) and its body as text where it is text."""

    event: EventView
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    content_type: str
    body_text: str | None
    parse_error: str | None
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    #: Since when its body and headers are gone, by a rule of the workspace.
    removed_at: int | None = None
