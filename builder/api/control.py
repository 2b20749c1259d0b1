"""Pausing and resuming: one run, or a workflow that goes on accepting."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.shapes import Items
from builder.api.workflows import WorkflowShape, find, shape_of
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import RunView

Reason = Annotated[str, Field(max_length=400)]


class PauseBody(Body):
    """Why, if you like to say so."""

    reason: Reason = ""


class HoldBody(Body):
    """Why; and what becomes of runs under way: they finish, or they are paused too."""

    reason: Reason = ""
    open_runs: Literal["finish", "hold"] = "finish"


class LetGoBody(Body):
    """How fast the held runs go: so many a minute, so many at a time, null for as fast as possible. With `trial` only
    the first goes, to see how it ends. `version`: the one published now, for those that came by a start which it has;
    or each its own, under which it came."""

    per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    at_once: Annotated[int, Field(ge=1, le=1_000)] | None = None
    trial: bool = False
    version: Literal["published", "own"] = "published"


class BreakerBody(Body):
    """When the workflow is paused because it keeps failing: after so many failures in a row, or when this share of the
    runs of so many minutes failed. 0 is never."""

    failures: Annotated[int, Field(ge=0, le=10_000)]
    percent: Annotated[int, Field(ge=0, le=100)]
    minutes: Annotated[int, Field(ge=1, le=1_440)]


class PauseRun(ApiView):
    @operation(Action.RUN_PAUSE, body=PauseBody, answer=RunShape, also=(409,), repeat="stored_apart", does="run.paused")
    def post(self, call: Call, *, run_id: UUID, body: PauseBody) -> RunShape:
        """Let nothing more of the run begin. A step at work finishes its try first; timers and answers are kept."""
        return _one(
            call,
            runtime_api.pause_run(workspace_id=call.workspace.id, run_id=run_id, by=call.person.id, reason=body.reason),
        )


class ResumeRun(ApiView):
    @operation(Action.RUN_PAUSE, answer=RunShape, also=(409,), repeat="stored_apart", does="run.resumed")
    def post(self, call: Call, *, run_id: UUID) -> RunShape:
        """Let a paused run go on."""
        return _one(call, runtime_api.resume_run(workspace_id=call.workspace.id, run_id=run_id, by=call.person.id))


class InLineShape(View):
    """A run that waits for a worker: `ahead` runs of its workflow come first (`more`: more than that), which takes
    `seconds` as it went lately; null: nobody can say."""

    ahead: int
    more: bool
    seconds: int | None


class StuckRunShape(View):
    """A run that stands still though nobody means it to. `reason`: as the monitor says it; `since`: its last sign of
    life, or when somebody should have taken it, which takes no longer than `expected_ms`; `workers`: how many are
    alive; `may_take_up`: it may be tried again."""

    reason: str
    since: str
    expected_ms: int
    workers: int
    may_take_up: bool


class RunStandsShape(View):
    """Both null: somebody works on the run, or it waits for something, or has ended."""

    line: InLineShape | None
    stuck: StuckRunShape | None


class RunStands(ApiView):
    @operation(Action.RUN_SEE, answer=RunStandsShape)
    def get(self, call: Call, *, run_id: UUID) -> RunStandsShape:
        """Where the run stands in line, or why it is stuck."""
        found = runtime_api.run_stands(workspace_id=call.workspace.id, run_id=run_id)
        return RunStandsShape(
            line=None if found.line is None else InLineShape(**asdict(found.line)),
            stuck=None
            if found.stuck is None
            else StuckRunShape(**{**asdict(found.stuck), "since": stamp(found.stuck.since)}),
        )


class TakeUpRun(ApiView):
    @operation(Action.RUN_PAUSE, answer=RunShape, also=(409,), repeat="stored_apart", does="run.taken_up")
    def post(self, call: Call, *, run_id: UUID) -> RunShape:
        """Let a run be tried again that was set aside, from the step at which its process died."""
        return _one(call, runtime_api.take_up(workspace_id=call.workspace.id, run_id=run_id, by=call.person.id))


class HoldWorkflow(ApiView):
    @operation(
        Action.WORKFLOW_HOLD,
        body=HoldBody,
        answer=WorkflowShape,
        also=(409,),
        repeat="stored_apart",
        does="workflow.held",
    )
    def post(self, call: Call, *, workflow_id: UUID, body: HoldBody) -> WorkflowShape:
        """Pause the workflow, still accepting: what starts is kept and runs when you let it go. Stops a drain too."""
        workflow = find(call, workflow_id)
        runtime_api.hold_workflow(
            workspace_id=call.workspace.id,
            workflow_id=workflow.id,
            by=call.person.id,
            reason=body.reason,
            open_runs=body.open_runs,
        )
        return shape_of(workflow, call)


class LetGo(ApiView):
    @operation(
        Action.WORKFLOW_HOLD,
        body=LetGoBody,
        answer=WorkflowShape,
        also=(409,),
        repeat="stored_apart",
        does="workflow.let_go",
    )
    def post(self, call: Call, *, workflow_id: UUID, body: LetGoBody) -> WorkflowShape:
        """Let the held runs go, in the order of their arrival; what arrives meanwhile goes behind them."""
        workflow = find(call, workflow_id)
        runtime_api.let_go(
            workspace_id=call.workspace.id,
            workflow_id=workflow.id,
            by=call.person.id,
            per_minute=body.per_minute,
            at_once=body.at_once,
            trial=body.trial,
            version=body.version,
        )
        return shape_of(workflow, call)


class HeldVersionView(View):
    """Held runs that came under one version: how many, and how many of them could go with the one published now."""

    number: int
    live: bool
    count: int
    fits: int


class HeldVersions(ApiView):
    @operation(Action.RUN_SEE, answer=Items[HeldVersionView])
    def get(self, call: Call, *, workflow_id: UUID) -> Items[HeldVersionView]:
        """Under which versions the held runs came, the oldest first."""
        workflow = find(call, workflow_id)
        found = runtime_api.held_versions(workspace_id=call.workspace.id, workflow_id=workflow.id)
        return Items[HeldVersionView](items=[HeldVersionView(**asdict(one)) for one in found])


class BreakerOfWorkflow(ApiView):
    @operation(
        Action.WORKFLOW_HOLD,
        body=BreakerBody,
        answer=WorkflowShape,
        also=(409,),
        repeat="stored_apart",
        does="workflow.breaker_changed",
    )
    def put(self, call: Call, *, workflow_id: UUID, body: BreakerBody) -> WorkflowShape:
        """Say when the workflow is paused by itself."""
        workflow = find(call, workflow_id)
        runtime_api.set_breaker(
            workspace_id=call.workspace.id,
            workflow_id=workflow.id,
            failures=body.failures,
            percent=body.percent,
            minutes=body.minutes,
        )
        return shape_of(workflow, call)


def _one(call: Call, view: RunView) -> RunShape:
    return selectors.shaped(workspace_id=call.workspace.id, views=[view])[0]
