"""What a driver needs of the process it runs in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

from runtime.engine.jsonprofile import JSON
from runtime.interpreter.attempts import StepContext
from runtime.interpreter.payloads import Reference
from runtime.interpreter.records import Asked
from runtime.store.budgets import Answer, Ask, End, Limits
from runtime.store.records import Claimed, RunWrite, Written

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

T = TypeVar("T")


class Budgets(Protocol):
    """Rate budgets of connections, as this process knows them."""

    @property
    def known(self) -> Mapping[UUID, Limits]:
        """The connections whose calls are limited; of nearly all installations none."""
        ...

    async def ask(self, ask: Ask) -> Answer:
        """May this call begin? Where it may not, its turn is rung for. Raises StoreUnavailable."""
        ...

    def end(self, end: End) -> None:
        """A call has ended, or does not begin."""
        ...


class Shell(Protocol):
    """What a driver needs of the process it runs in."""

    #: The boot id: who holds the leases.
    worker: str
    key_secret: bytes
    pool: Executor

    @property
    def budgets(self) -> Budgets | None:
        """Rate budgets; None where nobody keeps them."""
        ...

    @property
    def stopping(self) -> bool:
        """Begin nothing new: hand runs back at the next step boundary (I31)."""
        ...

    @property
    def reloads(self) -> bool:
        """Hand runs back after every commit, to prove that nothing needed lives only in memory (I8)."""
        ...

    def now_ms(self) -> int:
        """The database's clock."""
        ...

    def write(self, unit: RunWrite) -> Awaitable[Written]:
        """Commit; waits out an absent database (I19). Raises Fenced, CancelPending and PausePending."""
        ...

    async def keep(self, *, workspace_id: UUID, text: str, name: str) -> Reference:
        """Put a large document into the artifact store."""
        ...

    async def fetch(self, reference: Reference) -> JSON:
        """Read a large document back."""
        ...

    async def ask(self, question: Callable[[], T]) -> T:
        """Ask the database something, in a thread. Raises StoreUnavailable."""
        ...

    def nudge(self, run_id: UUID) -> None:
        """Somebody should look at this run, which is due."""
        ...

    def hears(self, run_id: UUID, ended: tuple[str, UUID, bool] | None) -> bool:
        """Tell the driver of this run, if it is driven here, that one of its own runs has ended; whether it was.
        `ended`: for which of its steps, which, and whether well."""
        ...

    def room(self) -> int:
        """How many runs may be begun here at once, without a detour over the queue."""
        ...

    def set_out(self, claimed: Sequence[Claimed]) -> None:
        """Begin these runs, which were leased to this process with their first commit."""
        ...

    def task(self, driver: Driver, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this for the driver; it goes on when it is the driver's turn."""
        ...

    def room_for_items(self, driver: Driver, wanted: int, moving: int) -> int:
        """How many of these items of a list may be begun now, where so many of it are under way anywhere."""
        ...

    def parts_of(self, run_id: UUID) -> int:
        """How many of this run's own runs are carried out here."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether other runs wait for room here."""
        ...

    @property
    def is_alone(self) -> bool:
        """Whether no other process carries out runs."""
        ...

    def context(self, driver: Driver, asked: Asked) -> StepContext:
        """What the step is handed."""
        ...
