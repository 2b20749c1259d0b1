"""The runs that a run has begun for one of its steps: a page of them, by their number."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Call, View, operation
from builder.api.shapes import Paged
from builder.workflows import shapes
from builder.workflows.shapes import ErrorView, SolvedShape, WaitingView
from runtime import api as runtime_api


class ItemsQuery(PageQuery):
    """Of which step, and which of its runs; `first`: only from this index on."""

    limit: Annotated[int, Field(ge=1, le=200)] = 100
    node: Annotated[str, Field(min_length=1, max_length=64)]
    status: Literal["all", "done", "failed", "solved", "skipped", "open"] = "all"
    search: Annotated[str, Field(max_length=200)] = ""
    first: Annotated[int, Field(ge=0, le=2_147_483_647)] = 0


class ItemShape(View):
    """One run of a step; `index` counts from 0; `failed_items`, `failed_calls`: of its own, where it is done. `solved`:
    of one that failed, where somebody said that nothing more is to be done, or left it out; `corrected`: somebody gave
    it something else than its list did, of which the run's retries tell what it was."""

    run_id: UUID
    index: int
    status: str
    outcome: str | None
    label: str | None
    started_at: str | None
    finished_at: str | None
    error: ErrorView | None
    waiting: WaitingView | None
    failed_items: int
    failed_calls: int
    solved: SolvedShape | None
    corrected: bool


class Items(ApiView):
    @operation(Action.RUN_SEE, query=ItemsQuery, answer=Paged[ItemShape])
    def get(self, call: Call, *, run_id: UUID, query: ItemsQuery) -> Paged[ItemShape]:
        """The runs of one step, by their number."""
        page = runtime_api.items(
            workspace_id=call.workspace.id,
            run_id=run_id,
            node=query.node,
            status=query.status,
            search=query.search,
            first=query.first,
            after=query.cursor,
            limit=query.limit,
        )
        told = {person for one in page.items if one.solved and (person := shapes.person_in(one.solved.by)) is not None}
        names = names_of(told)
        return Paged[ItemShape](
            items=[
                ItemShape(
                    run_id=one.run_id,
                    index=one.index,
                    status=one.status,
                    outcome=one.outcome,
                    label=one.label,
                    started_at=maybe(one.started_at),
                    finished_at=maybe(one.finished_at),
                    error=shapes.error(one.error),
                    waiting=shapes.waiting(one.waiting),
                    failed_items=one.failed_items,
                    failed_calls=one.failed_calls,
                    solved=shapes.solved(one.solved, names),
                    corrected=one.corrected,
                )
                for one in page.items
            ],
            next_cursor=page.next_cursor,
        )
