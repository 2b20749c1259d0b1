"""Going on with a run that failed or was cancelled: the plan, the retry, what was retried; and starting it anew."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.links import without_links
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.shapes import Items
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import Decision, RetryView

NodeId = Annotated[str, Field(min_length=1, max_length=64)]
Nodes = Annotated[list[NodeId], Field(max_length=2000)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]


class PlanQuery(Query):
    """Steps to go on from, besides those that did not end well; and with which version, by default the run's own."""

    start: Annotated[list[NodeId], Field(max_length=200, json_schema_extra={"many": True})] = []
    version: Number | None = None


class PlanStep(View):
    """What becomes of one step. `fate`: kept · again · repeats · asks · next (the run had not come to it).

    `first`: the run goes on with it, so its settings, last `input`, can be edited. `why`: harmless · happened ·
    refused · same_key · in_doubt · undone.
    """

    node: str
    key: str
    name: str
    type: str
    fate: str
    why: str | None
    first: bool
    input: Any


class PlanView(View):
    """What a retry would do. `versions` to choose from; steps in `incompatible` (keys) forbid the one chosen."""

    id: str
    generation: int
    version: int
    versions: list[int]
    steps: list[PlanStep]
    incompatible: list[str]


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
            steps=[
                PlanStep(
                    node=step.node,
                    key=step.key,
                    name=step.name,
                    type=step.type,
                    fate=step.fate,
                    why=step.why,
                    first=step.first,
                    input=without_links(call, step.input),
                )
                for step in plan.steps
            ],
            incompatible=plan.incompatible,
        )


class Retry(ApiView):
    @operation(Action.RUN_RETRY, body=RetryBody, answer=RunShape, status=202, also=(409,), repeat="stored_apart")
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
        return Items[RetryShape](items=[_shape(one, names) for one in found])


class ReplayAsNew(ApiView):
    @operation(Action.RUN_RETRY, body=ReplayBody, answer=RunShape, status=202, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, run_id: UUID, body: ReplayBody) -> RunShape:
        """Start another run from the same event. Everything is done anew, also what this run did outside."""
        view = runtime_api.replay_as_new(
            workspace_id=call.workspace.id, run_id=run_id, version=body.version, by=call.person.id
        )
        return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


def _person(view: RetryView) -> UUID | None:
    kind, _, text = view.by.partition(":")
    return UUID(text) if kind == "user" else None


def _shape(view: RetryView, names: dict[UUID, str]) -> RetryShape:
    person = _person(view)
    return RetryShape(
        generation=view.generation,
        at=stamp(view.at),
        by=view.by if person is None else names.get(person, ""),
        version_before=view.version_before,
        version_after=view.version_after,
        plan=view.plan,
        edits=view.edits,
        decisions=view.decisions,
        kind=view.kind,
        reason=view.reason,
    )
