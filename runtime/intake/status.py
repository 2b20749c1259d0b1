"""How far runs are: for senders who ask, and for those that are held until the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import Error as DatabaseFault
from django.db import connection

from runtime.contracts import StoreUnavailable
from runtime.intake import answers
from runtime.intake.answers import Answer
from runtime.intake.triggers import Doors
from runtime.store import reads

__all__ = ["Status"]

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
        end = (await self.ends([run_id], alone=True)).get(run_id)
        if end is None:
            return _NO_RUN
        return answers.json_answer(
            200, {"run": str(run_id), "status": end.status, "finished": end.finished_at is not None}
        )

    async def ends(self, run_ids: Sequence[UUID], *, alone: bool = False) -> Mapping[UUID, reads.RunEnd]:
        """Those of these runs that have ended or answered; `alone`: the one run, however far it is."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                ends: Mapping[UUID, reads.RunEnd] = await self._doors.in_thread(_one if alone else _ends, run_ids)
                return ends
        except TimeoutError:
            raise StoreUnavailable("The database did not answer in time.") from None


def _one(run_ids: Sequence[UUID]) -> Mapping[UUID, reads.RunEnd]:
    try:
        end = reads.run_end(run_ids[0])
    except DatabaseFault as error:
        raise _unavailable(error) from error
    return {} if end is None else {run_ids[0]: end}


def _ends(run_ids: Sequence[UUID]) -> Mapping[UUID, reads.RunEnd]:
    try:
        return reads.run_ends(run_ids)
    except DatabaseFault as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> StoreUnavailable:
    connection.close()
    return StoreUnavailable(str(error))
