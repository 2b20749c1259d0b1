"""Runs that failed for good, by what they failed of; and what people decide about them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.shapes import Paged
from builder.workflows import selectors
from builder.workflows.shapes import RunShape, StepName, WorkflowName
from runtime import api as runtime_api


class GroupsQuery(Query):
    """Of one workflow only, or of all."""

    workflow: UUID | None = None


class GroupView(View):
    """Runs that failed alike. `pattern`: their message, with … for what differs. `workflow_held`: their workflow is
    paused, still accepting, which holds what starts and not what somebody has go on."""

    cause: str
    workflow: WorkflowName
    step: StepName
    code: str
    title: str
    pattern: str
    count: int
    first_at: str
    last_at: str
    workflow_held: bool


class GroupsView(View):
    """All groups, the newest first, and how many runs there are in all of them."""

    items: list[GroupView]
    count: int


class LetterView(View):
    """One run of a group, with its own message."""

    run: RunShape
    message: str
    at: str


class RetryEachBody(Body):
    """Runs to go on with, each from its failed step."""

    runs: Annotated[list[UUID], Field(max_length=100)]


class OutcomeView(View):
    """`outcome`: retried · asks (its plan needs somebody's word) · refused; `message` says why."""

    run: UUID
    outcome: str
    message: str


class OutcomesView(View):
    """What came of each."""

    items: list[OutcomeView]


class SolveBody(Body):
    """Runs of which nothing more is to be done, and why."""

    runs: Annotated[list[UUID], Field(max_length=500)]
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class SolvedView(View):
    """Of how many runs that was not said before."""

    count: int


class Groups(ApiView):
    @operation(Action.RUN_SEE, query=GroupsQuery, answer=GroupsView)
    def get(self, call: Call, *, query: GroupsQuery) -> GroupsView:
        """What failed for good and waits for a decision, by cause."""
        workspace_id = call.workspace.id
        found = runtime_api.dead_letter_groups(workspace_id=workspace_id, workflow_id=query.workflow)
        names = selectors.names(workspace_id=workspace_id, workflow_ids={group.workflow_id for group in found})
        items = []
        for group in found:
            steps = selectors.step_names(workspace_id=workspace_id, version_id=group.version_id)
            items.append(
                GroupView(
                    cause=group.cause,
                    workflow=WorkflowName(id=group.workflow_id, name=names.get(group.workflow_id, "")),
                    step=StepName(node=group.node, name=steps.get(group.node, group.node)),
                    code=group.code,
                    title=group.title,
                    pattern=group.pattern,
                    count=group.count,
                    first_at=stamp(group.first_at),
                    last_at=stamp(group.last_at),
                    workflow_held=group.workflow_held,
                )
            )
        return GroupsView(items=items, count=runtime_api.dead_letter_count(workspace_id=workspace_id))


class OneGroup(ApiView):
    @operation(Action.RUN_SEE, query=PageQuery, answer=Paged[LetterView])
    def get(self, call: Call, *, cause: str, query: PageQuery) -> Paged[LetterView]:
        """The runs of one group, the newest first."""
        workspace_id = call.workspace.id
        page = runtime_api.dead_letters(workspace_id=workspace_id, cause=cause, after=query.cursor, limit=query.limit)
        shaped = selectors.shaped(workspace_id=workspace_id, views=[one.run for one in page.items])
        return Paged[LetterView](
            items=[
                LetterView(run=run, message=one.message, at=stamp(one.at))
                for run, one in zip(shaped, page.items, strict=True)
            ],
            next_cursor=page.next_cursor,
        )


class RetryEach(ApiView):
    @operation(Action.RUN_RETRY, body=RetryEachBody, answer=OutcomesView, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, body: RetryEachBody) -> OutcomesView:
        """Go on with each of these runs that needs nobody's word; the others are named."""
        found = runtime_api.retry_each(workspace_id=call.workspace.id, run_ids=body.runs, by=call.person.id)
        return OutcomesView(
            items=[OutcomeView(run=one.run_id, outcome=one.outcome, message=one.message) for one in found]
        )


class Solve(ApiView):
    @operation(Action.RUN_RETRY, body=SolveBody, answer=SolvedView, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, body: SolveBody) -> SolvedView:
        """Say that these were put right outside of Millrace."""
        return _solved(call, body, "elsewhere")


class Discard(ApiView):
    @operation(Action.RUN_DISCARD, body=SolveBody, answer=SolvedView, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, body: SolveBody) -> SolvedView:
        """Give these up. They stay on record, with the reason."""
        return _solved(call, body, "discarded")


def _solved(call: Call, body: SolveBody, solution: Literal["elsewhere", "discarded"]) -> SolvedView:
    return SolvedView(
        count=runtime_api.solve_dead_letters(
            workspace_id=call.workspace.id, run_ids=body.runs, solution=solution, reason=body.reason, by=call.person.id
        )
    )
