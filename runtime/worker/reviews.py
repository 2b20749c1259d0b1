"""A step's door to the lists that people review, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from runtime.contracts import StoreUnavailable
from runtime.engine.jsonprofile import JSON
from runtime.sdk.reviews import Judge, StagedList
from runtime.store import reviews
from runtime.store.reviews import Place

R = TypeVar("R")


class StepReviews:
    """See `runtime.sdk.reviews.Reviews`."""

    def __init__(self, place: Place, pool: Executor) -> None:
        self._place = place
        self._pool = pool

    async def stage(self, judge: Judge, spec: Mapping[str, JSON]) -> UUID:
        return await self._ask(lambda: reviews.stage(self._place, judge, spec))

    async def add(self, review: UUID, judge: Judge, rows: Sequence[Mapping[str, JSON]], first: int) -> None:
        await self._ask(lambda: reviews.add(review, judge, rows, first))

    async def staged(self, review: UUID) -> StagedList:
        return await self._ask(lambda: reviews.staged(review))

    async def rows(self, review: UUID, which: str, *, after: int, most: int) -> tuple[list[tuple[int, JSON]], int]:
        workspace_id = self._place.workspace_id
        return await self._ask(lambda: reviews.released_rows(workspace_id, review, which, after=after, most=most))

    async def _ask(self, call: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: _asked(call))


def _asked(call: Callable[[], R]) -> R:
    try:
        return call()
    except (OperationalError, InterfaceError) as error:
        connections.close_all()
        raise StoreUnavailable(str(error)) from error
