"""What knocked, and what became of it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from runtime.api.cursors import decode, encode, page_size
from runtime.api.rows import artifact
from runtime.contracts import EventDetail, EventFilters, EventView, NotFound, Page
from runtime.engine.jsonprofile import loads_stored
from runtime.sdk.redaction import is_secret_name
from runtime.store.models import Delivery, Event

MASK: Final = "••••••"
#: More text than this is not shown; the bytes are kept.
_SHOWN_BYTES: Final = 256 * 1024
#: How far the clock of a process may be from the database's.
_SLACK_MS: Final = 600_000
_COLUMNS: Final = (
    "id", "workflow_id", "trigger_id", "source", "received_at", "verdict", "reason", "run_id", "dedupe_key",
    "body_size", "body_sha256", "signature", "duplicates",
)  # fmt: skip
_DETAIL: Final = (
    *_COLUMNS, "past_key", "method", "path", "query", "headers", "content_type", "body", "body_artifact_id",
    "parse_error", "removed_at",
)  # fmt: skip


def events(
    *, workspace_id: UUID, filters: EventFilters | None = None, after: str | None = None, limit: int = 50
) -> Page[EventView]:
    """Start events, newest first. Raises BadCursor."""
    chosen = Event.objects.filter(workspace_id=workspace_id)
    wanted = filters or EventFilters()
    if wanted.workflow_id is not None:
        chosen = chosen.filter(workflow_id=wanted.workflow_id)
    if wanted.verdict is not None:
        chosen = chosen.filter(verdict=wanted.verdict)
    if wanted.not_started:
        chosen = chosen.filter(run_id__isnull=True)
    chosen = chosen.filter(came_within(wanted.since, wanted.until))
    last = decode(after)
    if last is not None:
        chosen = chosen.filter(id__lt=last)
    size = page_size(limit)
    rows = list(chosen.order_by("-id").values(*_COLUMNS, "past_key")[: size + 1])
    views = [_view(row) for row in rows[:size]]
    return Page(views, encode(views[-1].id) if len(rows) > size else None)


def event(*, workspace_id: UUID, event_id: UUID) -> EventDetail:
    """One event with its headers, secrets masked, and its body where that is text. Raises NotFound, DataDamaged."""
    row = Event.objects.filter(workspace_id=workspace_id, pk=event_id).values(*_DETAIL).first()
    if row is None:
        raise NotFound("There is no such event.", code="event_not_found")
    headers: Any = loads_stored(row["headers"])
    deliveries = Delivery.objects.filter(event_id=event_id).order_by("id")[:100]
    return EventDetail(
        event=_view(row),
        method=row["method"],
        path=row["path"],
        query=row["query"],
        headers=[(str(name), MASK if is_secret_name(str(name)) else str(value)) for name, value in headers],
        content_type=row["content_type"],
        body_text=_text(row),
        parse_error=row["parse_error"],
        deliveries=[
            {
                "id": str(found.pk),
                "received_at": found.received_at,
                "conflict": found.conflict,
                "body_sha256": found.body_sha256,
            }
            for found in deliveries
        ],
        removed_at=row["removed_at"],
    )


def came_within(since: int | None, until: int | None) -> Q:
    """Rows that came between these moments, ms, both included; None for no bound."""
    # Ids rise with time: by them the index leads to the first of that time.
    found = Q()
    if since is not None:
        found &= Q(received_at__gte=since, id__gte=_id_at(since - _SLACK_MS))
    if until is not None:
        found &= Q(received_at__lte=until, id__lte=_id_at(until + _SLACK_MS))
    return found


def _id_at(moment: int) -> UUID:
    """What ids made at this moment (ms) begin with."""
    return UUID(int=max(0, min(moment, 2**48 - 1)) << 80)


def _view(row: dict[str, Any]) -> EventView:
    shown = {name: row[name] for name in _COLUMNS}
    return EventView(**{**shown, "dedupe_key": row["dedupe_key"] or row["past_key"]})


def _text(row: dict[str, Any]) -> str | None:
    """The body as text; None where it is not text or too much to show."""
    if row["removed_at"] is not None or row["body_size"] > _SHOWN_BYTES:
        return None
    if row["body"] is None:
        raw = artifact(row["body_artifact_id"]) if row["body_artifact_id"] is not None else b""
    else:
        raw = bytes(row["body"])
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
