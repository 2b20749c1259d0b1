"""Going on with a run that failed or was cancelled: the plan, the retry, what was retried; and starting it anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.sensitive import shown, worked_with
from builder.api.shapes import Items, Paged
from builder.workflows import selectors, shapes
from builder.workflows.differences import changed_steps, differences
from builder.workflows.shapes import ErrorView, RunShape
from runtime import api as runtime_api
from runtime.contracts import Decision, RetryPlan, RetryView

NodeId = Annotated[str, Field(min_length=1, max_length=64)]
Nodes = Annotated[list[NodeId], Field(max_length=2000)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]


class PlanQuery(Query):
    """Steps to go on from, besides those that did not end well; and with which version, by default the run's own."""

    start: Annotated[list[NodeId], Field(max_length=200, json_schema_extra={"many": True})] = []
    version: Number | None = None


class PlanItems(View):
    """What becomes of the runs of one step. `repeats`: gone on with only where the step stands in `repeats` of the
    retry; `asks`: left as they are until somebody decides; `open`: under way already; `next`: begun for the first time,
    where that is known. `same`: the step is given the same as before. `version`: of a call whose run goes on with
    another version of its workflow than it had, the number of that one."""

    total: int
    kept: int
    again: int
    repeats: int
    asks: int
    open: int
    next: int | None
    same: bool
    version: int | None


class PlanStep(View):
    """What becomes of one step. `fate`: kept · again · repeats · asks · next (the run had not come to it).

    `first`: the run goes on with it, so its settings, last `input`, can be edited. `why`: harmless · happened ·
    refused · same_key · in_doubt · undone · called (given something else it runs another workflow anew, and what the
    run before did stays). `items`: of a step that has others done by runs of their own. `asks`: what people call the
    system that can be asked now whether it happened (`retry-plan/ask`), empty where nothing names it, else null.
    """

    node: str
    key: str
    name: str
    type: str
    fate: str
    why: str | None
    first: bool
    input: Any
    items: PlanItems | None
    asks: str | None


class PlanChange(View):
    """A step that the two versions have set up otherwise, and in which fields."""

    node: str
    name: str
    fields: list[str]


class PlanChanges(View):
    """In which of the plan's steps the live version differs from the one that the run has. `before`, `after`: their
    numbers; `added`, `removed`: names of steps that only one of them has."""

    before: int
    after: int
    changed: list[PlanChange]
    added: list[str]
    removed: list[str]


class PlanView(View):
    """What a retry would do. `versions` to choose from, and what differs between them (`changes`);
    steps in `incompatible` (keys) forbid the one chosen, as
    do those in `dropped` (names), which it lacks and of which nobody knows whether they happened, and those in
    `missing` (names), which it lacks and which did something outside that stands.
    `paused_around`: it waits until the run around it is resumed. `workflow_held`: its workflow is paused, still
    accepting, which holds what starts and not what somebody has go on."""

    id: str
    generation: int
    version: int
    versions: list[int]
    changes: PlanChanges | None
    steps: list[PlanStep]
    incompatible: list[str]
    dropped: list[str]
    missing: list[str]
    paused_around: bool
    workflow_held: bool


class PlanItemsQuery(PageQuery):
    """Of which step, with which fate, and what the plan was asked for."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    node: NodeId
    fate: Literal["again", "repeats", "asks", "open"] | None = None
    start: Annotated[list[NodeId], Field(max_length=200, json_schema_extra={"many": True})] = []
    version: Number | None = None


class PlanItemShape(View):
    """A run of a step that is not kept; `index` counts from 0, `error` says why it did not end well."""

    run_id: UUID
    index: int
    label: str | None
    status: str
    fate: str
    error: ErrorView | None


class DecisionBody(Body):
    """What became of an effect in doubt: it happened, with this result; or it is to be sent again."""

    decision: Literal["happened", "send_again"]
    output: Any = None


class RetryBody(Body):
    """The plan's id and what it was made for; other settings, decisions, and what may happen a second time, by step."""

    plan: Annotated[str, Field(min_length=1, max_length=64)]
    start: Nodes = []
    version: Number | None = None
    edits: Annotated[dict[NodeId, dict[str, Any]], Field(max_length=200)] = {}
    decisions: Annotated[dict[NodeId, DecisionBody], Field(max_length=200)] = {}
    repeats: Nodes = []


class ReplayBody(Body):
    """The version to start anew with: by default the run's own."""

    version: Number | None = None


class RetryShape(View):
    """A retry that took place, or an undo (`kind`, with somebody's `reason`).

    `edits`: step → {before, after}; `plan`: lines of {node, fate, why}.
    """

    generation: int
    at: str
    by: str
    version_before: int
    version_after: int
    plan: list[dict[str, Any]]
    edits: dict[str, Any]
    decisions: dict[str, Any]
    kind: str
    reason: str | None


class Plan(ApiView):
    @operation(Action.RUN_SEE, query=PlanQuery, answer=PlanView, also=(409, 422))
    def get(self, call: Call, *, run_id: UUID, query: PlanQuery) -> PlanView:
        """What a retry would keep, do again, repeat outside, and ask first."""
        plan = runtime_api.retry_plan(
            workspace_id=call.workspace.id, run_id=run_id, start=query.start, version=query.version
        )
        return PlanView(
            id=plan.id,
            generation=plan.generation,
            version=plan.version,
            versions=plan.versions,
            changes=_changes(call, plan),
            steps=[
                PlanStep(
                    node=step.node,
                    key=step.key,
                    name=step.name,
                    type=step.type,
                    fate=step.fate,
                    why=step.why,
                    first=step.first,
                    input=worked_with(call, step.input),
                    items=None if step.items is None else PlanItems(**asdict(step.items)),
                    asks=step.asks,
                )
                for step in plan.steps
            ],
            incompatible=plan.incompatible,
            dropped=plan.dropped,
            missing=plan.missing,
            paused_around=plan.paused_around,
            workflow_held=plan.workflow_held,
        )


class PlanItemsOf(ApiView):
    @operation(Action.RUN_SEE, query=PlanItemsQuery, answer=Paged[PlanItemShape], also=(409, 422))
    def get(self, call: Call, *, run_id: UUID, query: PlanItemsQuery) -> Paged[PlanItemShape]:
        """The runs of one step that a retry would not keep, by their number, and what it makes of each."""
        page = runtime_api.retry_items(
            workspace_id=call.workspace.id,
            run_id=run_id,
            node=query.node,
            start=query.start,
            version=query.version,
            fate=query.fate,
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[PlanItemShape](
            items=[
                PlanItemShape(
                    run_id=one.run_id,
                    index=one.index,
                    label=one.label,
                    status=one.status,
                    fate=one.fate,
                    error=shapes.error(one.error),
                )
                for one in page.items
            ],
            next_cursor=page.next_cursor,
        )


class Retry(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=RetryBody,
        answer=RunShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="run.retried",
    )
    def post(self, call: Call, *, run_id: UUID, body: RetryBody) -> RunShape:
        """Go on with a run by a plan that was shown. What the plan keeps is not done again.

        Other settings for a step are for those who may edit the workflow: with them a step reaches other places.
        """
        if body.edits and not allows(call.role, Action.WORKFLOW_EDIT, call.actor):
            raise PermissionDenied("Only who may edit the workflow may change what a step does.")
        view = runtime_api.retry(
            workspace_id=call.workspace.id,
            run_id=run_id,
            plan=body.plan,
            start=body.start,
            version=body.version,
            edits=body.edits,
            decisions={node: Decision(one.decision == "happened", one.output) for node, one in body.decisions.items()},
            repeats=body.repeats,
            by=call.person.id,
        )
        return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


class Retries(ApiView):
    @operation(Action.RUN_SEE, answer=Items[RetryShape])
    def get(self, call: Call, *, run_id: UUID) -> Items[RetryShape]:
        """Who went on with this run, when, and by which plan."""
        found = runtime_api.retries(workspace_id=call.workspace.id, run_id=run_id)
        names = names_of({person for one in found if (person := _person(one)) is not None})
        return Items[RetryShape](items=[_shape(call, one, names) for one in found])


class ReplayAsNew(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=ReplayBody,
        answer=RunShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="run.replayed",
    )
    def post(self, call: Call, *, run_id: UUID, body: ReplayBody) -> RunShape:
        """Start another run from the same event. Everything is done anew, also what this run did outside."""
        view = runtime_api.replay_as_new(
            workspace_id=call.workspace.id, run_id=run_id, version=body.version, by=call.person.id
        )
        return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


def _changes(call: Call, plan: RetryPlan) -> PlanChanges | None:
    """None where there is no other version to go on with."""
    if len(plan.versions) < 2:
        return None
    workflow_id = runtime_api.run(workspace_id=call.workspace.id, run_id=plan.run_id).workflow_id
    was, now = (_graph(call, workflow_id, number) for number in plan.versions[:2])
    told: Any = differences(was, now)
    fields, names = changed_steps(was, now), {step.node: step.name for step in plan.steps}
    return PlanChanges(
        before=plan.versions[0],
        after=plan.versions[1],
        changed=[PlanChange(node=node, name=names[node], fields=fields[node]) for node in names if node in fields],
        added=list(told.get("added", ())),
        removed=list(told.get("removed", ())),
    )


def _graph(call: Call, workflow_id: UUID, number: int) -> dict[str, Any]:
    found = runtime_api.version(workspace_id=call.workspace.id, workflow_id=workflow_id, number=number)
    return runtime_api.version_graph(workspace_id=call.workspace.id, version_id=found.id)


def _person(view: RetryView) -> UUID | None:
    kind, _, text = view.by.partition(":")
    return UUID(text) if kind == "user" else None


def _shape(call: Call, view: RetryView, names: dict[UUID, str]) -> RetryShape:
    person = _person(view)
    return RetryShape(
        generation=view.generation,
        at=stamp(view.at),
        by=view.by if person is None else names.get(person, ""),
        version_before=view.version_before,
        version_after=view.version_after,
        plan=view.plan,
        edits=shown(call, view.edits),
        decisions=view.decisions,
        kind=view.kind,
        reason=view.reason,
    )
