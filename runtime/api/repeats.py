"""Deliveries that came again: which, and how many (I4, I5)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Count

from runtime.api.cursors import decode, encode, page_size
from runtime.api.events import came_within
from runtime.contracts import Page, RepeatFigures, RepeatView
from runtime.store.models import Delivery, Event

__all__ = ["repeat_figures", "repeats"]

#: What others send; a schedule and a test deliver nothing.
_SENT: Final = ("webhook", "manual")


def repeats(
    *,
    workspace_id: UUID,
    workflow_id: UUID | None = None,
    conflict: bool | None = None,
    since: int | None = None,
    until: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[RepeatView]:
    """Repeated deliveries, newest first; only those with another body, or with the same one, where `conflict` says so.
    `since`, `until`: when they came, ms, both included.

    Raises BadCursor.
    """
    chosen = Delivery.objects.filter(workspace_id=workspace_id)
    if workflow_id is not None:
        chosen = chosen.filter(workflow_id=workflow_id)
    if conflict is not None:
        chosen = chosen.filter(conflict=conflict)
    chosen = chosen.filter(came_within(since, until))
    last = decode(after)
    if last is not None:
        chosen = chosen.filter(id__lt=last)
    size = page_size(limit)
    rows = list(chosen.select_related("event").defer("body", "event__body").order_by("-id")[: size + 1])
    views = [
        RepeatView(
            id=row.pk,
            workflow_id=row.event.workflow_id,
            received_at=row.received_at,
            conflict=row.conflict,
            key=row.event.dedupe_key or row.event.past_key,
            body_sha256=row.body_sha256,
            event_id=row.event.pk,
            first_received_at=row.event.received_at,
            source=row.event.source,
            run_id=row.event.run_id,
        )
        for row in rows[:size]
    ]
    return Page(views, encode(views[-1].id) if len(rows) > size else None)


def repeat_figures(*, workspace_id: UUID, since: int, workflow_id: UUID | None = None) -> list[RepeatFigures]:
    """How many deliveries came since an instant, and how many of them had come before, by workflow."""
    # Ids begin with the time they were made at: so an index holds what is counted.
    first = UUID(int=max(0, min(since, 2**48 - 1)) << 80)
    events = Event.objects.filter(workspace_id=workspace_id, id__gte=first, source__in=_SENT, verdict="accepted")
    deliveries = Delivery.objects.filter(workspace_id=workspace_id, id__gte=first)
    if workflow_id is not None:
        events, deliveries = events.filter(workflow_id=workflow_id), deliveries.filter(workflow_id=workflow_id)
    arrived = dict(events.values_list("workflow_id").annotate(Count("id")))
    again: dict[tuple[UUID | None, bool], int] = {
        (workflow, conflict): count
        for workflow, conflict, count in deliveries.values_list("workflow_id", "conflict").annotate(Count("id"))
    }
    return [
        RepeatFigures(
            workflow_id=workflow,
            events=arrived.get(workflow, 0),
            duplicates=again.get((workflow, False), 0),
            conflicts=again.get((workflow, True), 0),
        )
        for workflow in sorted({*arrived, *(workflow for workflow, _ in again if workflow is not None)})
    ]
