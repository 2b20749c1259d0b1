"""What is done to many runs, one after another: planned, started, watched, and stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final, Literal, Self, get_args
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.accounts.selectors import names_of
from builder.accounts.times import ms_of, stamp
from builder.api.dead_letter_edits import RunEditBody
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.run_filters import SearchQuery, filters_of
from builder.api.shapes import Items
from builder.workflows import selectors
from builder.workflows.shapes import RunShape, WorkflowName, person_in
from runtime import api as runtime_api
from runtime.contracts import BulkRetryView

BulkKind = Literal["retry", "replay", "cancel"]
BULK_KINDS: Final[tuple[BulkKind, ...]] = get_args(BulkKind)
#: More are not done at once.
MOST: Final = 10_000


class ChosenRuns(Body):
    """Which runs: `runs` in their order, or those that a search finds, the first 10,000."""

    runs: Annotated[list[UUID], Field(min_length=1, max_length=10_000)] | None = None
    search: SearchQuery | None = None


class PlanBulk(ChosenRuns):
    """What is to be done to them, or to the dead letters of a group (`cause`, `sent`, `count`, `until`: as where it is
    begun). `version`: each run's own, or the one of its workflow that is published now."""

    kind: BulkKind
    cause: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    sent: UUID | None = None
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    until: AwareDatetime | None = None
    version: Literal["own", "published"] = "own"

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        if sum(one is not None for one in (self.cause, self.runs, self.search)) != 1:
            raise ValueError("Name a group (cause), runs, or a search, and only one of them.")
        if self.sent is not None and self.cause is None:
            raise ValueError("Name the group (cause) of those that were sent.")
        if self.cause is not None and self.kind != "retry":
            raise ValueError("A group of dead letters can only be retried.")
        return self


class BulkPlanShape(View):
    """What it would come to. Of the first `looked_at` of `total`, `safe` can go ahead, `asks` need somebody's word, and
    `refused` cannot. `again`: so many of those that need it would do something outside a second time. `more`: there are
    more than can be done at once, which are left."""

    total: int
    more: bool
    looked_at: int
    safe: int
    asks: int
    again: int
    refused: int


class StartBulkRetry(ChosenRuns):
    """Which runs: dead letters of a group (`cause`; of these only those that were `sent` to somebody with that one),
    the newest first, `runs` in their order, or what a search finds. `kind`: retry (dead letters go on from their failed
    step), replay (a new run from the event of each), cancel. `count`: so many of the group; `until`: none that failed
    later. `per_minute`: null is as fast as possible. `stop_after`: so many that fail again or need a person stop it,
    null never does. `trial`: the first one alone, then it waits for a word. `version`: each run's own, or the one of
    its workflow that is published now. `edits`: these dead letters in their order, with other values for their failed
    step, which are for those who may edit workflows."""

    kind: BulkKind = "retry"
    edits: Annotated[list[RunEditBody], Field(min_length=1, max_length=200)] | None = None
    cause: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    sent: UUID | None = None
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    until: AwareDatetime | None = None
    version: Literal["own", "published"] = "own"
    per_minute: Annotated[int, Field(ge=1, le=6_000)] | None = None
    stop_after: Annotated[int, Field(ge=1, le=10_000)] | None = None
    trial: bool = False
    reason: Annotated[str, Field(max_length=400)] = ""

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        if sum(one is not None for one in (self.cause, self.runs, self.search, self.edits)) != 1:
            raise ValueError("Name a group (cause), runs, a search, or edits, and only one of them.")
        if self.edits is not None and (self.kind != "retry" or self.version != "own"):
            raise ValueError("With other values runs are only retried, each on its own version.")
        if self.edits is not None and len({one.run for one in self.edits}) < len(self.edits):
            raise ValueError("Name each run once.")
        if self.sent is not None and self.cause is None:
            raise ValueError("Name the group (cause) of those that were sent.")
        if self.cause is not None and self.kind != "retry":
            raise ValueError("A group of dead letters can only be retried.")
        return self


class HeldToShape(View):
    """A workflow with the number of the version that a bulk retry goes on with. `live`: the one that is live now, null
    where none is."""

    workflow: WorkflowName
    version: int
    live: int | None


class BulkRetryShape(View):
    """What is done to many runs one after another. `kind`: retry (dead letters) · replay (each started anew) · cancel;
    what is said of going on means that. `status`: trying · waiting (for somebody's word) · running
    · done · stopped (by its rule) · cancelled (by a person). Of `total`, `begun` were gone on with: they are `done`,
    `failed` again, or `under_way`. Of the others `asks` need somebody's word, `refused` could not be gone on with,
    and `left` are as they were. `trial`: what came of the first one (done · failed · asks ·
    refused · under_way). `open`: its numbers change still.
    `workflow_held`: a workflow of theirs is paused, still accepting, which holds what starts and not these.
    `held_to`: of `published`, the versions that were live when it began, with which it goes on."""

    id: UUID
    kind: str
    workflow: WorkflowName | None
    cause: str | None
    title: str
    at: str
    by: str | None
    reason: str
    version: str
    per_minute: int | None
    stop_after: int | None
    status: str
    trial: str | None
    total: int
    begun: int
    done: int
    failed: int
    under_way: int
    asks: int
    refused: int
    left: int
    ended_at: str | None
    ended_by: str | None
    open: bool
    workflow_held: bool
    held_to: list[HeldToShape]


class BulkRetryRun(View):
    """A run of it. `outcome`: begun · done · failed · asks · refused; `message`: why it failed again, or was not
    gone on with."""

    run: RunShape
    outcome: str
    message: str


class OneBulkRetryShape(BulkRetryShape):
    """`runs`: the first 20 that failed again or were not gone on with; before them the one that was tried, while it is
    about that one."""

    runs: list[BulkRetryRun]


class BulkRetries(ApiView):
    @operation(Action.RUN_SEE, answer=Items[BulkRetryShape])
    def get(self, call: Call) -> Items[BulkRetryShape]:
        """The newest bulk retries of dead letters, those that are under way first."""
        found = runtime_api.bulk_retries(workspace_id=call.workspace.id)
        people = {one.by for one in found} | {person_in(one.ended_by) for one in found}
        names = names_of({one for one in people if one is not None})
        workflows = _workflows(call, found)
        return Items[BulkRetryShape](items=[_shape(one, names, workflows) for one in found])

    @operation(
        Action.RUN_RETRY,
        body=StartBulkRetry,
        answer=BulkRetryShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="dead_letters.retry_begun",
    )
    def post(self, call: Call, *, body: StartBulkRetry) -> BulkRetryShape:
        """Go on with many dead letters, one after another, whether or not anybody watches. Those whose plan asks
        something, or does something outside a second time, are left and named."""
        if body.kind == "cancel" and not allows(call.role, Action.RUN_CANCEL, call.actor):
            raise PermissionDenied
        if body.edits and not allows(call.role, Action.WORKFLOW_EDIT, call.actor):
            raise PermissionDenied("Only who may edit the workflow may change what a step does.")
        made = runtime_api.start_bulk_retry(
            workspace_id=call.workspace.id,
            kind=body.kind,
            cause=body.cause,
            sending_id=body.sent,
            run_ids=_chosen(call, body),
            count=body.count,
            until=ms_of(body.until),
            version=body.version,
            per_minute=body.per_minute,
            stop_after=body.stop_after,
            trial=body.trial,
            reason=body.reason,
            edits=[one.edit() for one in body.edits or ()],
            by=call.person.id,
        )
        return shape_of(call, made)


class OneBulkRetry(ApiView):
    @operation(Action.RUN_SEE, answer=OneBulkRetryShape)
    def get(self, call: Call, *, bulk_id: UUID) -> OneBulkRetryShape:
        """How far a bulk retry is, and what did not just work."""
        workspace_id = call.workspace.id
        shape = shape_of(call, runtime_api.bulk_retry(workspace_id=workspace_id, bulk_id=bulk_id))
        told = runtime_api.bulk_retry_items(workspace_id=workspace_id, bulk_id=bulk_id)
        runs = selectors.shaped(workspace_id=workspace_id, views=[one.run for one in told])
        return OneBulkRetryShape(
            **shape.model_dump(),
            runs=[
                BulkRetryRun(run=run, outcome=one.outcome, message=one.message)
                for run, one in zip(runs, told, strict=True)
            ],
        )


class GoOnWithBulkRetry(ApiView):
    @operation(
        Action.RUN_RETRY,
        answer=BulkRetryShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="dead_letters.retry_continued",
    )
    def post(self, call: Call, *, bulk_id: UUID) -> BulkRetryShape:
        """Go on with the others, now that it is known what came of the first one."""
        return shape_of(call, runtime_api.go_on_with_bulk(workspace_id=call.workspace.id, bulk_id=bulk_id))


class StopBulkRetry(ApiView):
    @operation(
        Action.RUN_RETRY,
        answer=BulkRetryShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="dead_letters.retry_stopped",
    )
    def post(self, call: Call, *, bulk_id: UUID) -> BulkRetryShape:
        """Go on with no further ones. Those that were begun go on."""
        return shape_of(
            call, runtime_api.stop_bulk_retry(workspace_id=call.workspace.id, bulk_id=bulk_id, by=call.person.id)
        )


class PlanOfBulk(ApiView):
    @operation(Action.RUN_SEE, body=PlanBulk, answer=BulkPlanShape, does="nothing")
    def post(self, call: Call, *, body: PlanBulk) -> BulkPlanShape:
        """What it would come to, before anybody says that it shall be. Changes nothing."""
        plan = runtime_api.plan_bulk(
            workspace_id=call.workspace.id,
            kind=body.kind,
            run_ids=_chosen(call, body),
            version=body.version,
            cause=body.cause,
            sending_id=body.sent,
            count=body.count,
            until=ms_of(body.until),
        )
        return BulkPlanShape(**asdict(plan))


def _chosen(call: Call, body: ChosenRuns) -> list[UUID]:
    """The runs that are meant: of a search one more than can be done, so that it is known."""
    if body.search is None:
        return body.runs or []
    filters = filters_of(call, body.search)
    most = MOST + 1 if isinstance(body, PlanBulk) else MOST
    return runtime_api.find_runs(workspace_id=call.workspace.id, filters=filters, most=most)


def _workflows(call: Call, found: list[BulkRetryView]) -> Mapping[UUID, str]:
    wanted = {one.workflow_id for one in found if one.workflow_id is not None}
    wanted |= {held.workflow_id for one in found for held in one.held_to}
    return selectors.names(workspace_id=call.workspace.id, workflow_ids=wanted)


def shape_of(call: Call, view: BulkRetryView) -> BulkRetryShape:
    """One of them, with the names in it."""
    people = (view.by, person_in(view.ended_by))
    return _shape(view, names_of({one for one in people if one is not None}), _workflows(call, [view]))


def _shape(view: BulkRetryView, names: Mapping[UUID, str], workflows: Mapping[UUID, str]) -> BulkRetryShape:
    ended_by = person_in(view.ended_by)
    return BulkRetryShape(
        id=view.id,
        kind=view.kind,
        workflow=None
        if view.workflow_id is None
        else WorkflowName(id=view.workflow_id, name=workflows.get(view.workflow_id, "")),
        cause=view.cause,
        title=view.title,
        at=stamp(view.at),
        by=None if view.by is None else names.get(view.by),
        reason=view.reason,
        version=view.version,
        per_minute=view.per_minute,
        stop_after=view.stop_after,
        status=view.status,
        trial=view.trial,
        total=view.total,
        begun=view.begun,
        done=view.done,
        failed=view.failed,
        under_way=view.under_way,
        asks=view.asks,
        refused=view.refused,
        left=view.left,
        ended_at=None if view.ended_at is None else stamp(view.ended_at),
        ended_by=None if ended_by is None else names.get(ended_by),
        open=view.open,
        workflow_held=view.workflow_held,
        held_to=[
            HeldToShape(
                workflow=WorkflowName(id=one.workflow_id, name=workflows.get(one.workflow_id, "")),
                version=one.version,
                live=one.live,
            )
            for one in view.held_to
        ],
    )
