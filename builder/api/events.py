"""Start events: everything that knocked, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Call, View, operation
from builder.api.shapes import Paged
from runtime import api as runtime_api
from runtime.contracts import EventFilters, EventView


class EventsQuery(PageQuery):
    """Which events."""

    workflow: UUID | None = None
    verdict: Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+$")] | None = None


class EventShape(View):
    """Something that knocked."""

    id: UUID
    workflow_id: UUID
    trigger_id: UUID | None
    source: str
    received_at: str
    verdict: str
    reason: str | None
    run_id: UUID | None
    dedupe_key: str | None
    body_size: int
    body_sha256: str
    signature: str
    duplicates: int


class FurtherDelivery(View):
    """The same event once more. `conflict`: with another body."""

    id: UUID
    received_at: str
    conflict: bool
    body_sha256: str


class WholeEvent(EventShape):
    """An event with its headers, secrets masked, and its body as text where it is text."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    content_type: str
    body_text: str | None
    parse_error: str | None
    deliveries: list[FurtherDelivery]


class Events(ApiView):
    @operation(Action.EVENT_SEE, query=EventsQuery, answer=Paged[EventShape])
    def get(self, call: Call, *, query: EventsQuery) -> Paged[EventShape]:
        """Start events, newest first, those that started nothing included."""
        page = runtime_api.events(
            workspace_id=call.workspace.id,
            filters=EventFilters(workflow_id=query.workflow, verdict=query.verdict),
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[EventShape](
            items=[EventShape(**_event(event)) for event in page.items], next_cursor=page.next_cursor
        )


class OneEvent(ApiView):
    @operation(Action.EVENT_SEE, answer=WholeEvent)
    def get(self, call: Call, *, event_id: UUID) -> WholeEvent:
        """One event, whole."""
        found = runtime_api.event(workspace_id=call.workspace.id, event_id=event_id)
        return WholeEvent(
            **_event(found.event),
            method=found.method,
            path=found.path,
            query=found.query,
            headers=list(found.headers),
            content_type=found.content_type,
            body_text=found.body_text,
            parse_error=found.parse_error,
            deliveries=[
                FurtherDelivery(**{**one, "received_at": stamp(one["received_at"])}) for one in found.deliveries
            ],
        )


def _event(event: EventView) -> dict[str, Any]:
    return {
        "id": event.id,
        "workflow_id": event.workflow_id,
        "trigger_id": event.trigger_id,
        "source": event.source,
        "received_at": stamp(event.received_at),
        "verdict": event.verdict,
        "reason": event.reason,
        "run_id": event.run_id,
        "dedupe_key": event.dedupe_key,
        "body_size": event.body_size,
        "body_sha256": event.body_sha256,
        "signature": event.signature,
        "duplicates": event.duplicates,
    }
