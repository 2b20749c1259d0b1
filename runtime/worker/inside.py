"""What a pump's drivers share: reads on the side, whose turn it is, and the runs of runs that are driven here."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from typing import Any
from uuid import UUID

from runtime.engine.jsonprofile import JSON
from runtime.interpreter import Driver, own_runs, turns
from runtime.interpreter.payloads import Reference
from runtime.store.records import RunWrite, Written
from runtime.store.writer import Writer
from runtime.worker import loads
from runtime.worker.budgets import Budgets
from runtime.worker.company import Company
from runtime.worker.context import CountedHttp
from runtime.worker.pacer import Pacer
from runtime.worker.priority import Priority
from runtime.worker.window import Window

__all__ = ["Inside"]


class Inside:
    """The part of `runtime.interpreter.Shell` that needs no lease and no claim.

    most    items of lists that may be driven here at a time
    alone   no other process advances runs, of which else there are so many `workers`
    """

    def __init__(
        self,
        readers: Executor,
        writer: Writer,
        http: CountedHttp,
        *,
        most: int,
        workers: Callable[[], int],
        alone: bool,
    ) -> None:
        self._readers = readers
        self._alone = alone
        self._workers = workers
        self._http = http
        self._pacer = Pacer(embedded=alone)
        self._window = Window(most)
        self._writer = writer
        self._priority = Priority()
        self._company = Company(
            lambda unit, told: self._writer.writing(unit, told),
            note=self._window.note,
            # Behind the embedded database there is one loop, which commits for all.
            holds=lambda: alone and self._pacer.holds_still,
        )
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

    def task(self, driver: Driver, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if not self._steps_back(driver):
            self._pacer.note_other()
        return self._pacer.task(work, lambda: self._steps_back(driver))

    def _steps_back(self, driver: Driver) -> bool:
        """Whether others come first: it goes through a list, or what it does is done for an item of one."""
        return self._is_for_item(driver) or own_runs.sees_to_many(driver)

    def _is_for_item(self, driver: Driver) -> bool:
        if _is_item(driver):
            return True
        # A workflow that is run for an item.
        return driver.parent is not None and self._drives_for_item(driver.parent)

    def _drives_for_item(self, run_id: UUID) -> bool:
        """Whether this run is driven here, and for an item."""
        entry = self._driving.get(run_id)
        return entry is not None and entry[0] is not None and self._is_for_item(entry[0])

    def _step_back_for_lists(self) -> None:
        """As a process; where nobody else advances runs, all others are seen to by this one, too."""
        if not self._alone:
            drivers = [one for one, _, _ in self._driving.values() if one is not None]
            self._priority.step_back(any(_is_item(one) for one in drivers))

    def parts_of(self, run_id: UUID) -> int:
        return self._parts.get(run_id, 0)

    def room_for_items(self, driver: Driver, wanted: int, moving: int) -> int:
        # What the other processes have in hand is not known here: they will have as much as this one.
        sharing = 1 if self._alone else max(self._workers(), 1)
        in_hand = self._in_hand(driver) if self._alone else -(-moving // sharing)
        lists = sum(own_runs.sees_to_many(one) for one, _, _ in self._driving.values() if one is not None)
        left = max(self._share(lists) - in_hand, 0) * sharing
        if left < wanted:
            self._window.grow()
        return min(left, wanted)

    def _share(self, lists: int) -> int:
        if self._alone and self._pacer.is_among_others:
            return self._window.share_among_others(lists, self._http.under_way)
        return self._window.share(lists)

    def _in_hand(self, driver: Driver) -> int:
        """Items of this list that are driven here and have nothing of their own to wait for."""
        drivers = [one for one, _, _ in self._driving.values() if one is not None]
        return sum(one.parent == driver.claimed.run_id and _is_item(one) and not one.fans for one in drivers)

    def _writing(self, unit: RunWrite) -> Awaitable[Written]:
        """What is written for an item waits for company."""
        if not self._drives_for_item(unit.run_id):
            return self._writer.writing(unit)
        return self._company.writing(unit, self._parts.total())

    def joins(self, run_id: UUID | None, act: Callable[[], None]) -> bool:
        """Do this together with what items commit, where the loop itself does it for an item. False: it is not done."""
        if not self._alone or run_id is None or not self._drives_for_item(run_id):
            return False
        self._company.join(act, self._parts.total())
        return True

    def _note_part(self, driver: Driver) -> None:
        """It is driven here from now on."""
        if driver.parent is not None:
            self._parts[driver.parent] += 1
        # One that is cut off while it waits for its first turn never comes to tidy up behind itself.
        self._driving[driver.claimed.run_id][1].add_done_callback(lambda _: self._see_off(driver))

    def _see_off(self, driver: Driver) -> None:
        entry = self._driving.get(driver.claimed.run_id)
        if entry is not None and entry[0] is driver:
            del self._driving[driver.claimed.run_id]
            self._forget_part(driver)

    def _forget_part(self, driver: Driver) -> None:
        if driver.parent is None:
            return
        self._parts[driver.parent] -= 1
        if self._parts[driver.parent] <= 0:
            del self._parts[driver.parent]


def _is_item(driver: Driver) -> bool:
    return driver.graph.container is not None
