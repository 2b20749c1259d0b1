"""Start events: everything that knocked, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from builder.accounts.rights import Action
from builder.accounts.times import maybe, ms_of, stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.sensitive import masking
from builder.api.shapes import Paged
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import EventFilters, EventView


class EventsQuery(PageQuery):
    """Which events."""

    workflow: UUID | None = None
    verdict: Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+$")] | None = None
    not_started: bool = False
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class ReplayEventBody(Body):
    """`unverified`: although its signature does not fit."""

    unverified: bool = False


class EventShape(View):
    """Something that knocked. `answered`: by which status its sender was told so, where that is known; a start that
    answers with its run's end says 202 here."""

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
    answered: int | None


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
    #: Since when its body and headers are gone, by a rule of the workspace; null: they are there.
    removed_at: str | None
    deliveries: list[FurtherDelivery]


class Events(ApiView):
    @operation(Action.EVENT_SEE, query=EventsQuery, answer=Paged[EventShape])
    def get(self, call: Call, *, query: EventsQuery) -> Paged[EventShape]:
        """Start events, newest first, those that started nothing included."""
        page = runtime_api.events(
            workspace_id=call.workspace.id,
            filters=EventFilters(
                workflow_id=query.workflow,
                verdict=query.verdict,
                not_started=query.not_started,
                since=ms_of(query.since),
                until=ms_of(query.until),
            ),
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
            query=masking(call).text(found.query) or "",
            headers=list(found.headers),
            content_type=found.content_type,
            body_text=masking(call).text(found.body_text),
            parse_error=found.parse_error,
            removed_at=maybe(found.removed_at),
            deliveries=[
                FurtherDelivery(**{**one, "received_at": stamp(one["received_at"])}) for one in found.deliveries
            ],
        )


class ReplayEvent(ApiView):
    @operation(
        Action.RUN_START,
        body=ReplayEventBody,
        answer=RunShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="event.replayed",
    )
    def post(self, call: Call, *, event_id: UUID, body: ReplayEventBody) -> RunShape:
        """Start a run from this event: the first one where it started none, else one more."""
        found = runtime_api.event(workspace_id=call.workspace.id, event_id=event_id).event
        names = selectors.names(workspace_id=call.workspace.id, workflow_ids={found.workflow_id})
        call.deed.about(found.run_id or "", names.get(found.workflow_id, ""))
        view = runtime_api.replay_event(
            workspace_id=call.workspace.id, event_id=event_id, unverified=body.unverified, by=call.person.id
        )
        return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


def _answered(event: EventView) -> int | None:
    """By which status its sender was answered at once; None where the run's own answer was waited for, or nobody
    asked."""
    if event.source != "webhook":
        return None
    reason = event.reason or ""
    if event.verdict != "rejected":
        return 202
    if reason.startswith("More than"):
        return 429
    if reason.startswith("Unpacked"):
        return 413
    return 400 if reason.endswith("cannot be read.") else 404


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
        "answered": _answered(event),
    }
