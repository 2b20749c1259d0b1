"""What a pump's drivers share: reads on the side, and the count of the runs of runs that are driven here."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from uuid import UUID

from runtime.engine.jsonprofile import JSON
from runtime.interpreter import Driver, turns
from runtime.interpreter.payloads import Reference
from runtime.worker import loads
from runtime.worker.budgets import Budgets

__all__ = ["Inside"]


class Inside:
    """The part of `runtime.interpreter.Shell` that needs no lease and no claim."""

    def __init__(self, readers: Executor, *, alone: bool) -> None:
        self._readers = readers
        #: No other process advances runs.
        self._alone = alone
        #: Rate budgets of connections; None where nobody keeps them.
        self.budgets: Budgets | None = None
        self._driving: dict[UUID, tuple[Driver | None, asyncio.Task[None], int]] = {}
        #: How many runs of each of these are driven here.
        self._parts: Counter[UUID] = Counter()

    async def keep(self, *, workspace_id: UUID, text: str, name: str) -> Reference:
        return await asyncio.get_running_loop().run_in_executor(self._readers, loads.keep, workspace_id, text, name)

    async def fetch(self, reference: Reference) -> JSON:
        return await asyncio.get_running_loop().run_in_executor(self._readers, loads.fetch, reference)

    async def ask(self, question: Callable[[], loads.R]) -> loads.R:
        return await asyncio.get_running_loop().run_in_executor(self._readers, loads.ask, question)

    def turn_came(self, run_id: UUID, node: str) -> bool:
        """A step of this run may have its turn. Whether the run is driven here and waited for that."""
        entry = self._driving.get(run_id)
        return entry is not None and entry[0] is not None and turns.came(entry[0], node)

    @property
    def is_alone(self) -> bool:
        return self._alone

    def parts_of(self, run_id: UUID) -> int:
        return self._parts.get(run_id, 0)

    def _note_part(self, parent: UUID | None) -> None:
        if parent is not None:
            self._parts[parent] += 1

    def _forget_part(self, parent: UUID | None) -> None:
        if parent is not None:
            self._parts[parent] -= 1
            if self._parts[parent] <= 0:
                del self._parts[parent]
