"""Steps that wait for a link, an event or their next try, and what moves them on."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from pydantic import BeforeValidator, Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.operation import Answer, ApiView, Body, Call, View, operation
from builder.api.shapes import Items
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import Voter, WaitView


class WaitShape(View):
    """A step that waits, or waited. `kind`: link · event. `status`: open · resumed · late · cancelled.

    `title`: what is waited for; `name` and `key`: of the event; `by`: who or what moved it on: a person's name, `link`,
    `run` (a step of another run sent the event) or `api`.
    """

    node: str
    generation: int
    kind: str
    status: str
    title: str
    name: str
    key: str
    due_at: str | None
    created_at: str
    closed_at: str | None
    by: str | None


class LinkView(View):
    """The address that moves the step on with a POST. Whoever knows it may use it, once."""

    url: str


class ResumeBody(Body):
    """What the step goes on with, in place of what was to come."""

    data: Any = None


def _as_text(value: Any) -> Any:
    """Order numbers are often numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class EventBody(Body):
    """An event: runs of the workspace that wait for exactly this name and key go on with the data."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    key: Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=200)]
    data: Any = None


class SentView(View):
    """`moved_on`: how many waiting steps went on by it; null: they go on in a moment. `duplicate`: this key came
    before, and nothing was sent again."""

    id: UUID
    moved_on: int | None
    duplicate: bool


class Waits(ApiView):
    @operation(Action.RUN_SEE, answer=Items[WaitShape])
    def get(self, call: Call, *, run_id: UUID) -> Items[WaitShape]:
        """The steps of this run that wait, or waited, for a link or an event."""
        return Items[WaitShape](items=_shapes(call, runtime_api.waits(workspace_id=call.workspace.id, run_id=run_id)))


class ResumeLink(ApiView):
    @operation(Action.RUN_SIGNAL, answer=LinkView, also=(409,), does="run.link_shown")
    def get(self, call: Call, *, run_id: UUID, node_id: str) -> LinkView:
        """The link that moves this step on."""
        path = runtime_api.resume_link(workspace_id=call.workspace.id, run_id=run_id, node_id=node_id)
        return LinkView(url=f"{settings.PUBLIC_URL}{path}")


class Resume(ApiView):
    @operation(
        Action.RUN_SIGNAL, body=ResumeBody, answer=WaitShape, also=(409,), repeat="stored_apart", does="run.moved_on"
    )
    def post(self, call: Call, *, run_id: UUID, node_id: str, body: ResumeBody) -> WaitShape:
        """Let the step go on now. The first thing that moves it on counts."""
        view = runtime_api.resume(
            workspace_id=call.workspace.id, run_id=run_id, node_id=node_id, data=body.data, voter=_voter(call)
        )
        return _shapes(call, [view])[0]


class TryNowBody(Body):
    """Which try did not work: the wait for the one that follows it ends, and for no other."""

    attempt: Annotated[int, Field(ge=1, le=10_000)]


class TryNow(ApiView):
    @operation(
        Action.RUN_SIGNAL, body=TryNowBody, answer=RunShape, also=(409,), repeat="stored_apart", does="run.tried_now"
    )
    def post(self, call: Call, *, run_id: UUID, node_id: str, body: TryNowBody) -> RunShape:
        """Try a step again at once that would be tried again later."""
        view = runtime_api.try_now(
            workspace_id=call.workspace.id, run_id=run_id, node_id=node_id, attempt=body.attempt, by=call.person.id
        )
        return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


class SendEvent(ApiView):
    @operation(Action.EVENT_SEND, body=EventBody, answer=SentView, status=202, repeat="passed", does="event.sent")
    def post(self, call: Call, *, body: EventBody) -> Answer:
        """Send an event. With an `Idempotency-Key` it may be sent again: it is one event."""
        key = call.key
        sent = runtime_api.send_event(
            workspace_id=call.workspace.id,
            name=body.name,
            key=body.key,
            data=body.data,
            sender=_voter(call),
            dedupe_key=None if key is None else _key(call, key),
        )
        view = SentView(id=sent.id, moved_on=sent.moved_on, duplicate=sent.duplicate)
        return Answer(view, 200 if sent.duplicate else 202)


def _key(call: Call, key: str) -> str:
    """One key for each asker, as everywhere."""
    return "api:" + hashlib.sha256(f"{call.actor.pk}\0{key}".encode()).hexdigest()


def _voter(call: Call) -> Voter:
    person = call.person
    return Voter(person.id, person.name or person.email, person.email)


def _shapes(call: Call, views: list[WaitView]) -> list[WaitShape]:
    people = {UUID(by[5:]) for view in views if (by := view.resumed_by) is not None and by.startswith("user:")}
    names = names_of(people)
    return [
        WaitShape(
            node=view.node,
            generation=view.generation,
            kind=view.kind,
            status=view.status,
            title=view.title,
            name=view.name,
            key=view.key,
            due_at=None if view.due_at is None else stamp(view.due_at),
            created_at=stamp(view.created_at),
            closed_at=None if view.closed_at is None else stamp(view.closed_at),
            by=_by(view.resumed_by, names),
        )
        for view in views
    ]


def _by(by: str | None, names: dict[UUID, str]) -> str | None:
    if by is None:
        return None
    kind, _, identity = by.partition(":")
    return names.get(UUID(identity), "?") if kind == "user" else kind
