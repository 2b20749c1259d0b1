"""Lists of runs: found by their business keys and fields, counted, and what there is to find them by."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Call, Query, View, operation
from builder.api.run_filters import RunsQuery, SearchQuery, filters_of
from builder.api.shapes import Items, Paged
from builder.api.workflows import find
from builder.workflows import selectors
from builder.workflows.shapes import RunFieldShape, RunShape, WorkflowName, person_in, short, who
from runtime import api as runtime_api


class RunCountView(View):
    """How many there are; with `more`, there are more than that."""

    count: int
    more: bool


class SearchFieldShape(View):
    """A field that runs can be found by. `kind`: text · number · amount · date; `workflows`: whose live versions name
    it."""

    name: str
    label: str
    kind: str
    workflows: list[UUID]


class UsualQuery(Query):
    """Of which workflows."""

    workflow: Annotated[list[UUID], Field(min_length=1, max_length=50, json_schema_extra={"many": True})]


class UsualShape(View):
    """How long a run of this workflow usually takes: the median of the newest that are done."""

    workflow: UUID
    duration_ms: int


class WorkingShape(View):
    """`workers`: some process goes on with runs; without one they wait, and nothing is lost."""

    workers: bool


class StepStandingShape(View):
    """How many live runs stand at a step now, or failed there and wait for somebody to decide."""

    node: str
    running: int
    waiting: int
    failed: int


class TimelineQuery(Query):
    """Which business key."""

    key: Annotated[str, Field(min_length=1, max_length=200)]


class KeyEventShape(View):
    """Something that happened. `kind`: started · started_anew · came_again · came_differently (a further delivery of
    what started it) · decided · retried · undo · cancelled, or how the run ended: a final status. `by`: a name, or what
    started it; `in_place_of`: who was away, and had them decide; `text`: what it failed of, or what was asked.
    `called`: the builder's own name for `outcome`."""

    at: str
    kind: str
    run: UUID
    short_id: str
    workflow: WorkflowName
    by: str
    in_place_of: str | None
    called: str | None
    text: str
    outcome: str
    comment: str


class TimelineView(View):
    """What happened to the runs of a business key, the oldest first; `more`: of the newest 200 runs."""

    key: str
    items: list[KeyEventShape]
    fields: list[RunFieldShape]
    more: bool


class HourShape(View):
    """How many live runs began in an hour, and how many failed in it."""

    begin: str
    end: str
    started: int
    failed: int


class HoursShape(View):
    """The last 24 hours of the clock; the last one is not over."""

    hours: list[HourShape]


class Runs(ApiView):
    @operation(Action.RUN_SEE, query=RunsQuery, answer=Paged[RunShape], also=(422,))
    def get(self, call: Call, *, query: RunsQuery) -> Paged[RunShape]:
        """Runs, newest first or as `sort` says."""
        page = runtime_api.runs(
            workspace_id=call.workspace.id,
            filters=filters_of(call, query, query.sort),
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[RunShape](
            items=selectors.shaped(workspace_id=call.workspace.id, views=page.items), next_cursor=page.next_cursor
        )


class CountOfRuns(ApiView):
    @operation(Action.RUN_SEE, query=SearchQuery, answer=RunCountView, also=(422,))
    def get(self, call: Call, *, query: SearchQuery) -> RunCountView:
        """How many runs match, counted up to a thousand."""
        found = runtime_api.count_runs(workspace_id=call.workspace.id, filters=filters_of(call, query))
        return RunCountView(count=found.count, more=found.more)


class Hours(ApiView):
    @operation(Action.RUN_SEE, answer=HoursShape)
    def get(self, call: Call) -> HoursShape:
        """How many live runs began and failed in each of the last 24 hours, as the monitor counts them."""
        found = runtime_api.hours(workspace_id=call.workspace.id)
        return HoursShape(
            hours=[
                HourShape(begin=stamp(one.begin), end=stamp(one.end), started=one.started, failed=one.failed)
                for one in found
            ]
        )


class SearchFields(ApiView):
    @operation(Action.RUN_SEE, answer=Items[SearchFieldShape])
    def get(self, call: Call) -> Items[SearchFieldShape]:
        """The fields that runs can be found by."""
        found = runtime_api.searched_fields(workspace_id=call.workspace.id)
        return Items[SearchFieldShape](
            items=[
                SearchFieldShape(name=one.name, label=one.label, kind=one.kind, workflows=list(one.workflows))
                for one in found
            ]
        )


class UsualDurations(ApiView):
    @operation(Action.RUN_SEE, query=UsualQuery, answer=Items[UsualShape])
    def get(self, call: Call, *, query: UsualQuery) -> Items[UsualShape]:
        """How long runs of these workflows usually take; those without a run that is done are left out."""
        found = runtime_api.usual_durations(workspace_id=call.workspace.id, workflow_ids=query.workflow)
        return Items[UsualShape](items=[UsualShape(workflow=one, duration_ms=took) for one, took in found.items()])


class Timeline(ApiView):
    @operation(Action.RUN_SEE, query=TimelineQuery, answer=TimelineView)
    def get(self, call: Call, *, query: TimelineQuery) -> TimelineView:
        """Everything that happened to what people call by this key, across workflows."""
        found = runtime_api.timeline(workspace_id=call.workspace.id, key=query.key)
        names = selectors.names(workspace_id=call.workspace.id, workflow_ids={one.workflow_id for one in found.events})
        people = names_of({person for one in found.events if (person := person_in(one.by)) is not None})
        return TimelineView(
            key=found.key,
            items=[
                KeyEventShape(
                    at=stamp(one.at),
                    kind=one.kind,
                    run=one.run_id,
                    short_id=short(one.run_id),
                    workflow=WorkflowName(id=one.workflow_id, name=names.get(one.workflow_id, "")),
                    by=who(one.by, people) or "",
                    in_place_of=one.in_place_of or None,
                    called=one.called or None,
                    text=one.text,
                    outcome=one.outcome,
                    comment=one.comment,
                )
                for one in found.events
            ],
            fields=[RunFieldShape(**asdict(one)) for one in found.fields],
            more=found.more,
        )


class Standing(ApiView):
    @operation(Action.RUN_SEE, answer=Items[StepStandingShape])
    def get(self, call: Call, *, workflow_id: UUID) -> Items[StepStandingShape]:
        """Where a workflow's live runs are now: how many stand at each step."""
        workflow = find(call, workflow_id)
        found = runtime_api.standing_at(workspace_id=call.workspace.id, workflow_id=workflow.id)
        return Items[StepStandingShape](
            items=[
                StepStandingShape(node=one.node, running=one.running, waiting=one.waiting, failed=one.failed)
                for one in found
            ]
        )


class Working(ApiView):
    @operation(Action.RUN_SEE, answer=WorkingShape)
    def get(self, call: Call) -> WorkingShape:
        """Whether anything works on runs just now."""
        return WorkingShape(workers=runtime_api.someone_works())
