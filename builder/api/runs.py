"""Runs: look into, start, test, cancel. They are listed by `run_lists`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.api.operation import Answer, ApiView, Body, Call, Query, View, operation
from builder.api.problems import not_here
from builder.api.sensitive import at, masking, shown, worked_with
from builder.api.versions import has_problems
from builder.api.workflows import find, graph_refused, note_touch
from builder.workflows import selectors, services, shapes, uploads
from builder.workflows.shapes import AttemptShape, ErrorView, RunShape, StepShape
from runtime import api as runtime_api
from runtime.contracts import GraphHasProblems, RunView, StartedRun

PathPart = Annotated[str, Field(max_length=400)] | Annotated[int, Field(ge=0)]
NodeName = Annotated[str, Field(min_length=1, max_length=200)]


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
    """A step with its data and every try. A sensitive value is told as `{"$masked": [side, ...path]}`."""

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
            input=shown(call, found.input, "input"),
            output=shown(call, found.output, "output"),
            error=shapes.error(found.step.error),
            attempts=[
                shapes.attempt(
                    replace(
                        attempt,
                        request=shown(call, attempt.request),
                        response=shown(call, attempt.response),
                    )
                )
                for attempt in found.attempts
            ],
        )


class Reveal(Body):
    """Which value of a step: of what went in or came out, by the names and numbers that lead to it."""

    side: Literal["input", "output"]
    path: Annotated[list[PathPart], Field(min_length=1, max_length=40)]


class RevealedView(View):
    """A sensitive value."""

    value: Any


class RevealValue(ApiView):
    @operation(Action.RUN_REVEAL, body=Reveal, answer=RevealedView, does="run.value_shown")
    def post(self, call: Call, *, run_id: UUID, node_id: str, body: Reveal) -> RevealedView:
        """One sensitive value of a step; who asked for which goes on record, and the value does not."""
        found = runtime_api.step(workspace_id=call.workspace.id, run_id=run_id, node_id=node_id)
        try:
            value = at(found.input if body.side == "input" else found.output, body.path)
        except KeyError as error:
            raise not_here("sensitive value") from error
        if not masking(call).hides(body.path, value):
            raise not_here("sensitive value")
        return RevealedView(value=value)


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
        does="run.cancelled",
    )
    def post(self, call: Call, *, run_id: UUID, body: CancelBody, query: CancelQuery) -> RunShape:
        """Ask the run to stop. A step at work finishes its try first; with `undo`, what the run did is undone then."""
        view = runtime_api.cancel(
            workspace_id=call.workspace.id, run_id=run_id, by=call.person.id, undo=query.undo, reason=body.reason
        )
        return _one(call, view)


class StartRun(ApiView):
    @operation(
        Action.RUN_START, body=Start, answer=RunShape, status=202, also=(409,), repeat="passed", does="run.started"
    )
    def post(self, call: Call, *, workflow_id: UUID, body: Start) -> Answer:
        """Start the live version by hand. With an Idempotency-Key a repeat gets the first run, with status 200."""
        workflow = find(call, workflow_id)
        call.deed.about("", workflow.name)
        started = runtime_api.start_run(
            workspace_id=call.workspace.id,
            workflow_id=workflow.id,
            trigger_node=body.trigger,
            input=body.input,
            by=call.person.id,
            key=call.key,
        )
        uploads.remember(workflow=workflow, input=body.input, run_id=started.run_id, by=call.person, now=call.now)
        note_touch(call, workflow, "ran")
        return _started(call, started)


class TestRun(ApiView):
    @operation(
        Action.WORKFLOW_TEST,
        body=Test,
        answer=RunShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="run.tested",
    )
    def post(self, call: Call, *, workflow_id: UUID, body: Test) -> Answer:
        """Run a draft with your own data. Nothing is published."""
        workflow = find(call, workflow_id)
        call.deed.about("", workflow.name)
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
        note_touch(call, workflow, "tested")
        return _started(call, started)


class Samples(ApiView):
    @operation(Action.RUN_SEE, answer=SamplesView)
    def get(self, call: Call, *, workflow_id: UUID) -> SamplesView:
        """The newest output of each step, from tests and live runs."""
        workflow = find(call, workflow_id)
        samples = dict(runtime_api.samples(workspace_id=call.workspace.id, workflow_id=workflow.id))
        return SamplesView(samples=worked_with(call, samples))


def _one(call: Call, view: RunView) -> RunShape:
    return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]


def _started(call: Call, started: StartedRun) -> Answer:
    view = runtime_api.run(workspace_id=call.workspace.id, run_id=started.run_id)
    return Answer(_one(call, view), 200 if started.duplicate else 202)
