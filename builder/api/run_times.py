"""When a run was at work: the tries of its steps, and how many of its items were at work in each slice of time."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Call, Query, View, operation
from builder.workflows import shapes
from builder.workflows.shapes import ErrorView
from runtime import api as runtime_api

#: Thirty years.
_LONGEST: Final = 1_000_000_000_000


class TimesQuery(Query):
    """A stretch of the run, in ms since it was accepted; all of it without."""

    begin: Annotated[int, Field(ge=0, le=_LONGEST)] | None = None
    end: Annotated[int, Field(ge=0, le=_LONGEST)] | None = None


class StepTryView(View):
    """One try of a step that was tried more than once: when it began, and what it ended with, if anything."""

    node: str
    generation: int
    attempt: int
    at: str
    status: str
    error: ErrorView | None


class SliceView(View):
    """Of a step's own runs: how many were at work in a slice of time on average, how many ended well in it, and how
    many otherwise."""

    busy: float
    done: int
    failed: int


class DensityView(View):
    """How many of a step's own runs were at work. `first`, `last`: when the first of them began and the last ended (or
    now); `slices`: from `since` on, each of `width_ms`, at most 160; none of a step that has ten runs or fewer."""

    node: str
    runs: int
    first: str
    last: str
    since: str
    width_ms: int
    slices: list[SliceView]


class TimesView(View):
    """When a run was at work."""

    tries: list[StepTryView]
    containers: list[DensityView]


class Times(ApiView):
    @operation(Action.RUN_SEE, query=TimesQuery, answer=TimesView)
    def get(self, call: Call, *, run_id: UUID, query: TimesQuery) -> TimesView:
        """The tries of steps that were tried more than once, and how many items of each step were at work when."""
        found = runtime_api.times(workspace_id=call.workspace.id, run_id=run_id, begin=query.begin, end=query.end)
        return TimesView(
            tries=[
                StepTryView(
                    node=one.node,
                    generation=one.generation,
                    attempt=one.attempt,
                    at=stamp(one.at),
                    status=one.status,
                    error=shapes.error(one.error),
                )
                for one in found.tries
            ],
            containers=[
                DensityView(
                    node=one.node,
                    runs=one.runs,
                    first=stamp(one.first),
                    last=stamp(one.last),
                    since=stamp(one.from_),
                    width_ms=one.width,
                    slices=[SliceView(busy=part.busy, done=part.done, failed=part.failed) for part in one.slices],
                )
                for one in found.items
            ],
        )
