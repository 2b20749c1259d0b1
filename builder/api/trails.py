"""What is on record of a run, in pages, and the whole run as one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from django.http import StreamingHttpResponse
from pydantic import Field

from builder.accounts.directory import labels
from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe
from builder.api.cursors import Limit
from builder.api.operation import ApiView, Call, Query, View, operation
from builder.api.sensitive import masking
from builder.api.shapes import Paged
from builder.workflows import selectors
from builder.workflows.shapes import short
from runtime import api as runtime_api
from runtime.contracts import Because, TrailEntry

_PERSON = "user:"


class TrailQuery(Query):
    """Which page: how many changes, and the cursor that the page before handed over."""

    limit: Limit = 100
    cursor: Annotated[str, Field(max_length=40)] | None = None


class TrailStepView(View):
    """How a step stood after a change; `tried`: it is about an attempt that touches the world. `began`: since when;
    null where that is not on record."""

    node: str
    name: str
    generation: int
    attempt: int
    status: str
    tried: bool
    began: str | None


class TrailEntryView(View):
    """One change of a run.

    `kind`: accepted · changed (the run's status) · worked (steps only) · claim (a lease that another worker had, or
    that led to nothing before) · release · set_aside · cancel · decide · retried · undone, or another word for what
    somebody did. `by`: the person's name, or the program that did it; null where a worker did. `worker`: who held the
    lease `token`.
    """

    at: str | None
    kind: str
    by: str | None
    worker: str | None
    token: int
    seq: int
    generation: int
    before: str | None
    status: str | None
    outcome: str | None
    steps: list[TrailStepView]
    detail: dict[str, Any]


class BecauseView(View):
    """Why an open run does not end this moment.

    `kind`: working · due · paused · held, or what it waits for (timer · retry · event · human · children · parked · …).
    `owner`: who has to move: worker (named) · next_worker · clock · outside · people (named, or everybody) · own_runs ·
    operator · workflow (which is paused).
    `next_at`: when something happens at the latest; null where only the owner knows. All null: the run has ended.
    """

    kind: str | None
    owner: str | None
    names: list[str]
    since: str | None
    next_at: str | None
    node: str | None


class BecauseOf(ApiView):
    @operation(Action.RUN_SEE, answer=BecauseView)
    def get(self, call: Call, *, run_id: UUID) -> BecauseView:
        """What an open run waits for, who has to move, and when something happens next."""
        found = runtime_api.because(workspace_id=call.workspace.id, run_id=run_id)
        if found is None:
            return BecauseView(kind=None, owner=None, names=[], since=None, next_at=None, node=None)
        return BecauseView(
            kind=found.kind,
            owner=found.owner,
            names=_names(call, found),
            since=maybe(found.since),
            next_at=maybe(found.next_at),
            node=found.node,
        )


class Trail(ApiView):
    @operation(Action.RUN_SEE, query=TrailQuery, answer=Paged[TrailEntryView])
    def get(self, call: Call, *, run_id: UUID, query: TrailQuery) -> Paged[TrailEntryView]:
        """Every change of the run, the oldest first: who, what, when, from which state to which, under which lease."""
        page = runtime_api.trail(workspace_id=call.workspace.id, run_id=run_id, after=query.cursor, limit=query.limit)
        run = runtime_api.run(workspace_id=call.workspace.id, run_id=run_id)
        steps = selectors.step_names(workspace_id=call.workspace.id, version_id=run.version_id)
        people = names_of({person for entry in page.items if (person := person_of(entry.by)) is not None})
        items = [entry_view(entry, steps, people) for entry in page.items]
        return Paged[TrailEntryView](items=items, next_cursor=page.next_cursor)


class Export(ApiView):
    @operation(Action.RUN_SEE, file=True, does="run.exported")
    def get(self, call: Call, *, run_id: UUID) -> StreamingHttpResponse:
        """The whole run as one JSON file: its start, its version, every change, every step with its data; sensitive
        values are left out of it."""
        hides = masking(call)
        portions = runtime_api.export(
            workspace_id=call.workspace.id, run_id=run_id, mask=hides.dotted if hides.names else None
        )
        headers = {"Content-Disposition": f'attachment; filename="run-{short(run_id)}.json"'}
        return StreamingHttpResponse(portions, content_type="application/json", headers=headers)


def _names(call: Call, found: Because) -> list[str]:
    """Those who have to move, by name; of one that is paused, who paused it."""
    if found.owner == "people":
        called = labels(workspace_id=call.workspace.id, tokens=found.names)
        return [called[one] for one in found.names]
    people = names_of({person for one in found.names if (person := person_of(one)) is not None})
    return [one if (person := person_of(one)) is None else people.get(person, "") for one in found.names]


def person_of(by: str | None) -> UUID | None:
    """The person that a record names, None where it names a program or nobody."""
    return UUID(by.removeprefix(_PERSON)) if by is not None and by.startswith(_PERSON) else None


def entry_view(entry: TrailEntry, steps: Mapping[str, str], people: Mapping[UUID, str]) -> TrailEntryView:
    """One change as it is told: `steps` and `people` are the names by which it calls them."""
    person = person_of(entry.by)
    return TrailEntryView(
        at=maybe(entry.at),
        kind=entry.kind,
        by=entry.by if person is None else people.get(person, ""),
        worker=entry.worker,
        token=entry.token,
        seq=entry.seq,
        generation=entry.generation,
        before=entry.before,
        status=entry.status,
        outcome=entry.outcome,
        steps=[
            TrailStepView(
                node=one.node,
                name=steps.get(one.node, one.node),
                generation=one.generation,
                attempt=one.attempt,
                status=one.status,
                tried=one.tried,
                began=maybe(one.began),
            )
            for one in entry.steps
        ],
        detail=dict(entry.detail),
    )
