"""Runs: list, look into, start, test, cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.api.cursors import PageQuery
from builder.api.links import without_links
from builder.api.operation import Answer, ApiView, Body, Call, Query, View, operation
from builder.api.shapes import Paged
from builder.api.versions import has_problems
from builder.api.workflows import find, graph_refused
from builder.workflows import selectors, services, shapes, uploads
from builder.workflows.shapes import AttemptShape, ErrorView, RunShape, StepShape
from runtime import api as runtime_api
from runtime.contracts import GraphHasProblems, RunFilters, RunView, StartedRun

Status = Literal[
    "accepted",
    "running",
    "waiting_timer",
    "waiting_event",
    "waiting_human",
    "parked",
    "compensating",
    "completed",
    "compensated",
    "cancelled",
    "dead_lettered",
]
NodeName = Annotated[str, Field(min_length=1, max_length=200)]


class RunsQuery(PageQuery):
    """Which runs. `q` is a business key or the beginning of a run's id."""

    workflow: UUID | None = None
    status: Annotated[list[Status], Field(max_length=11, json_schema_extra={"many": True})] = []
    mode: Literal["live", "test"] | None = None
    q: Annotated[str, Field(max_length=200)] = ""


class ChangesQuery(Query):
    """The seq up to which the asker knows the run."""

    after: Annotated[int, Field(ge=0, le=2**62)] = 0


class SnapshotView(View):
    """Everything the canvas needs of a run, as of `seq`."""

    run: RunShape
    graph: dict[str, Any]
    steps: list[StepShape]
    seq: int


class ChangesView(View):
    """The run, and the steps that changed after `after`, as of `seq`."""

    run: RunShape
    steps: list[StepShape]
    after: int
    seq: int


class StepDetailView(View):
    """A step with its data and every try."""

    step: StepShape
    input: Any
    output: Any
    error: ErrorView | None
    attempts: list[AttemptShape]


class Start(Body):
    """What to hand to the run, and which start to use where there are several."""

    input: Any = None
    trigger: NodeName | None = None


class Test(Body):
    """The graph to test, null for the saved draft; and what to hand to the run."""

    graph: dict[str, Any] | None = None
    trigger: NodeName | None = None
    input: Any = None


class SamplesView(View):
    """The newest output of each step, by its key."""

    samples: dict[str, Any]


class Runs(ApiView):
    @operation(Action.RUN_SEE, query=RunsQuery, answer=Paged[RunShape])
    def get(self, call: Call, *, query: RunsQuery) -> Paged[RunShape]:
        """Runs, newest first."""
        page = runtime_api.runs(
            workspace_id=call.workspace.id,
            filters=RunFilters(
                workflow_id=query.workflow, statuses=tuple(query.status), mode=query.mode, query=query.q.strip() or None
            ),
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[RunShape](
            items=selectors.shaped(workspace_id=call.workspace.id, views=page.items), next_cursor=page.next_cursor
        )


class OneRun(ApiView):
    @operation(Action.RUN_SEE, answer=RunShape)
    def get(self, call: Call, *, run_id: UUID) -> RunShape:
        """One run."""
        return _one(call, runtime_api.run(workspace_id=call.workspace.id, run_id=run_id))


class Snapshot(ApiView):
    @operation(Action.RUN_SEE, answer=SnapshotView)
    def get(self, call: Call, *, run_id: UUID) -> SnapshotView:
        """The run, its graph and its steps, all as of one seq."""
        found = runtime_api.snapshot(workspace_id=call.workspace.id, run_id=run_id)
        return SnapshotView(
            run=_one(call, found.run),
            graph=dict(found.graph),
            steps=[shapes.step(step) for step in found.steps],
            seq=found.seq,
        )


class Changes(ApiView):
    @operation(Action.RUN_SEE, query=ChangesQuery, answer=ChangesView)
    def get(self, call: Call, *, run_id: UUID, query: ChangesQuery) -> ChangesView:
        """What changed since a seq; the live socket sends the same."""
        found = runtime_api.changes(workspace_id=call.workspace.id, run_id=run_id, after=query.after)
        return ChangesView(
            run=_one(call, found.run),
            steps=[shapes.step(step) for step in found.steps],
            after=found.after,
            seq=found.seq,
        )


class StepOfRun(ApiView):
    @operation(Action.RUN_SEE, answer=StepDetailView)
    def get(self, call: Call, *, run_id: UUID, node_id: str) -> StepDetailView:
        """One step: what went in, what came out, every try."""
        found = runtime_api.step(workspace_id=call.workspace.id, run_id=run_id, node_id=node_id)
        return StepDetailView(
            step=shapes.step(found.step),
            input=without_links(call, found.input),
            output=without_links(call, found.output),
            error=shapes.error(found.step.error),
            attempts=[
                shapes.attempt(
                    replace(
                        attempt,
                        request=without_links(call, attempt.request),
                        response=without_links(call, attempt.response),
                    )
                )
                for attempt in found.attempts
            ],
        )


class CancelQuery(Query):
    """Whether what the run did is to be undone."""

    undo: bool = False


class CancelBody(Body):
    """Why, if you like to say so."""

    reason: Annotated[str, Field(max_length=400)] = ""


class Cancel(ApiView):
    @operation(
        Action.RUN_CANCEL,
        body=CancelBody,
        query=CancelQuery,
        answer=RunShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
    )
    def post(self, call: Call, *, run_id: UUID, body: CancelBody, query: CancelQuery) -> RunShape:
        """Ask the run to stop. A step at work finishes its try first; with `undo`, what the run did is undone then."""
        view = runtime_api.cancel(
            workspace_id=call.workspace.id, run_id=run_id, by=call.person.id, undo=query.undo, reason=body.reason
        )
        return _one(call, view)


class StartRun(ApiView):
    @operation(Action.RUN_START, body=Start, answer=RunShape, status=202, also=(409,), repeat="passed")
    def post(self, call: Call, *, workflow_id: UUID, body: Start) -> Answer:
        """Start the live version by hand. With an Idempotency-Key a repeat gets the first run, with status 200."""
        workflow = find(call, workflow_id)
        started = runtime_api.start_run(
            workspace_id=call.workspace.id,
            workflow_id=workflow.id,
            trigger_node=body.trigger,
            input=body.input,
            by=call.person.id,
            key=call.key,
        )
        uploads.remember(workflow=workflow, input=body.input, run_id=started.run_id, by=call.person, now=call.now)
        return _started(call, started)


class TestRun(ApiView):
    @operation(Action.WORKFLOW_TEST, body=Test, answer=RunShape, status=202, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, workflow_id: UUID, body: Test) -> Answer:
        """Run a draft with your own data. Nothing is published."""
        workflow = find(call, workflow_id)
        try:
            started = services.start_test(
                workflow=workflow,
                graph=body.graph,
                trigger_node=body.trigger,
                input=body.input,
                by=call.person,
            )
        except services.GraphRefused as error:
            raise graph_refused(error) from error
        except GraphHasProblems as error:
            raise has_problems(error) from error
        uploads.remember(workflow=workflow, input=body.input, run_id=None, by=call.person, now=call.now)
        return _started(call, started)


class Samples(ApiView):
    @operation(Action.RUN_SEE, answer=SamplesView)
    def get(self, call: Call, *, workflow_id: UUID) -> SamplesView:
        """The newest output of each step, from tests and live runs."""
        workflow = find(call, workflow_id)
        samples = dict(runtime_api.samples(workspace_id=call.workspace.id, workflow_id=workflow.id))
        return SamplesView(samples=without_links(call, samples))


def _one(call: Call, view: RunView) -> RunShape:
    return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


def _started(call: Call, started: StartedRun) -> Answer:
    view = runtime_api.run(workspace_id=call.workspace.id, run_id=started.run_id)
    return Answer(_one(call, view), 200 if started.duplicate else 202)
