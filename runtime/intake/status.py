"""How far runs are: for senders who ask, and for those that are held until the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar
from uuid import UUID

from django.db import Error as DatabaseFault
from django.db import connection

from runtime.contracts import StoreUnavailable
from runtime.intake import answers
from runtime.intake.answers import Answer
from runtime.intake.triggers import Doors
from runtime.store import reads

__all__ = ["Status"]

A = TypeVar("A")
B = TypeVar("B")

_PATIENCE_SECONDS: Final = 2.0
_NO_RUN: Final = answers.problem(404, "not_found", "There is no such run.")


class Status:
    """Asks the database, on the threads that look up addresses."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def answer(self, method: str, text: str) -> Answer:
        """The answer to whoever asks how the run of this id is. Raises StoreUnavailable."""
        if method not in ("GET", "HEAD"):
            return answers.wrong_method(b"GET, HEAD")
        try:
            run_id = UUID(text)
        except ValueError:
            return _NO_RUN
        end = await self._ask(reads.run_end, run_id)
        if end is None:
            return _NO_RUN
        return answers.json_answer(
            200, {"run": str(run_id), "status": end.status, "finished": end.finished_at is not None}
        )

    async def ends(self, run_ids: Sequence[UUID]) -> Mapping[UUID, reads.RunEnd]:
        """Those of these runs that have ended or answered. Raises StoreUnavailable."""
        return await self._ask(reads.run_ends, run_ids)

    async def _ask(self, question: Callable[[A], B], about: A) -> B:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer: B = await self._doors.in_thread(_guarded, question, about)
                return answer
        except TimeoutError:
            raise StoreUnavailable("The database did not answer in time.") from None


def _guarded(question: Callable[[A], B], about: A) -> B:
    try:
        return question(about)
    except DatabaseFault as error:
        connection.close()
        raise StoreUnavailable(str(error)) from error
