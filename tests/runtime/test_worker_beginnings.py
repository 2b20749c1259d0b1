"""How a pump begins what it claimed: no lease is left with nobody driving its run, nobody waits for room in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, ClassVar, cast
from uuid import UUID

import pytest

from runtime import queue
from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.store.acceptance import leased
from runtime.store.records import Claimed
from runtime.store.tickets import Wanted
from runtime.worker import loads, pump
from runtime.worker.arrivals import Arrivals
from runtime.worker.context import CountedHttp
from runtime.worker.pump import Pump
from tests.runtime.rows import an_acceptance

Bring = Callable[[Wanted], list[Claimed]]


class Books:
    """A writer that keeps its books in memory."""

    owner = "worker"

    def __init__(self) -> None:
        self.bring: Bring = lambda wanted: []
        self.released: list[tuple[UUID, int]] = []

    def now_ms(self) -> int:
        return 0

    def claiming(self, wanted: Wanted) -> asyncio.Future[list[Claimed]]:
        future: asyncio.Future[list[Claimed]] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: future.set_result(self.bring(wanted)))
        return future

    async def release(self, leases: Sequence[tuple[UUID, int]], **_: Any) -> None:
        self.released += leases

    async def renew(self, _: Sequence[tuple[UUID, int]]) -> set[UUID]:
        return set()


class Idle:
    """A driver that never comes to an end, of a run that no other has begun and that asks nobody."""

    parent = None
    asks_people = False
    graph = SimpleNamespace(container=None)
    fans: ClassVar[dict[str, object]] = {}

    def __init__(self, _shell: Pump, _version: object, claimed: Claimed, _loaded: object) -> None:
        self.claimed = claimed

    async def drive(self) -> None:
        await asyncio.Event().wait()

    def wake(self) -> None: ...


class AnyVersion:
    def get(self, _: UUID) -> object:
        return self

    def add(self, _: object) -> None: ...

    def of_run(self, _: str) -> object:
        return self


def a_claim(run_id: UUID, token: int) -> Claimed:
    unit = an_acceptance(uuid7())
    assert unit.run is not None
    return leased(unit, unit.run._replace(id=run_id))._replace(token=token)


def with_a_pump(
    monkeypatch: pytest.MonkeyPatch,
    play: Callable[[Pump, Books], Coroutine[Any, Any, None]],
    *,
    most: int = 256,
    bad: Sequence[UUID] = (),
) -> None:
    """Play this with a pump whose drivers idle; runs that are `bad` cannot be begun."""

    def loaded(version: object, claimed: Claimed, *_: object) -> None:
        if claimed.run_id in bad:
            raise ValueError("damaged")

    monkeypatch.setattr(pump, "loaded", loaded)
    monkeypatch.setattr(pump, "Driver", Idle)
    monkeypatch.setattr(loads, "load", lambda claimed, _: loads.at_hand(claimed))
    books = Books()

    async def main() -> None:
        with ThreadPoolExecutor(1) as readers:
            made = Pump(
                writer=cast(Any, books),
                doors=cast(Any, SimpleNamespace(http=CountedHttp(cast(Any, None)))),
                key_secret=b"",
                pool=readers,
                readers=readers,
                most=most,
                sweep_seconds=60,
            )
            monkeypatch.setattr(made, "_versions", AnyVersion())
            made.start()
            await play(made, books)
            await made.stop(0.05)

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def test_a_run_claimed_anew_gives_its_lease_back_whatever_becomes_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damaged, driven = uuid7(), uuid7()

    async def play(made: Pump, books: Books) -> None:
        made.taken([a_claim(driven, 1)])
        await until(lambda: made.running == 1)
        made.taken([a_claim(damaged, 1), a_claim(driven, 2)])
        await until(lambda: len(books.released) == 2)
        assert set(books.released) == {(damaged, 1), (driven, 2)}
        await until(lambda: made.running == 0)

    with_a_pump(monkeypatch, play, bad=[damaged])


def test_one_run_that_cannot_be_begun_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged, others = uuid7(), [uuid7() for _ in range(3)]

    async def play(made: Pump, books: Books) -> None:
        books.bring = lambda wanted: [a_claim(run_id, 1) for run_id in wanted.run_ids or ()]
        made.rung([others[0], damaged, *others[1:]])
        await until(lambda: made.running == 3 and bool(books.released))
        assert books.released == [(damaged, 1)]

    with_a_pump(monkeypatch, play, bad=[damaged])


def test_claiming_goes_on_when_all_that_was_being_begun_fails_in_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(made: Pump, books: Books) -> None:
        back = asyncio.Event()

        async def away(_: list[Claimed]) -> None:
            await back.wait()
            raise StoreUnavailable("away")

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(loads, "needs_reading", lambda _: True)
            meanwhile.setattr(made, "_begin", away)
            for _ in range(2):
                made.taken([a_claim(uuid7(), 1)])
                await asyncio.sleep(0.05)
            assert len(made._beginnings) == 2
            made.taken([a_claim(uuid7(), 1)])
            await asyncio.sleep(0.05)
            assert made._taken, "it waits for room"
        back.set()
        await until(lambda: made.running == 1)

    with_a_pump(monkeypatch, play)


@pytest.mark.parametrize("brought", [0, 1])
def test_whoever_waits_to_ring_hears_when_a_claim_brought_less_than_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, brought: int
) -> None:
    async def play(made: Pump, books: Books) -> None:
        books.bring = lambda wanted: [a_claim(run_id, 1) for run_id in (wanted.run_ids or ())[:brought]]
        made.rung([uuid7() for _ in range(4)])
        async with asyncio.timeout(60):
            await made.admit([uuid7()])

    with_a_pump(monkeypatch, play, most=4)


def full(made: Pump, books: Books) -> list[Wanted]:
    """Let four runs go on in this pump; from now on it is written down what it claims, and nothing comes."""
    asked: list[Wanted] = []

    def bring(wanted: Wanted) -> list[Claimed]:
        asked.append(wanted)
        return []

    made.taken([a_claim(uuid7(), 1) for _ in range(4)])
    books.bring = bring
    return asked


def end_all(made: Pump) -> None:
    for _, task, _ in list(made._driving.values()):
        task.cancel()


def swept(asked: list[Wanted]) -> bool:
    return any(wanted.run_ids is None for wanted in asked)


def test_while_events_flood_in_nobody_waits_to_ring_and_the_database_is_asked_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pressing = 0.0
    monkeypatch.setattr(Arrivals, "pressed", lambda _: pressing)

    async def play(made: Pump, books: Books) -> None:
        nonlocal pressing
        asked = full(made, books)
        await until(lambda: made.running == 4)
        waiting = asyncio.create_task(made.admit([uuid7()]))
        await asyncio.sleep(0)
        assert not waiting.done(), "there is no room"
        pressing = 2_000.0
        await made.admit([uuid7() for _ in range(queue.MOST_IDS)])
        assert len(made._rung) == 0, "what there is no room for is not remembered either"
        assert not asked
        end_all(made)
        await until(lambda: swept(asked))
        await waiting

    with_a_pump(monkeypatch, play, most=4)


@pytest.mark.parametrize("number", [1, queue.FLOOD_IDS])
def test_what_nobody_waits_for_any_longer_is_looked_for_as_soon_as_there_is_room(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    async def play(made: Pump, books: Books) -> None:
        asked = full(made, books)
        await until(lambda: made.running == 4)
        waiting = asyncio.create_task(made.admit([uuid7() for _ in range(number)]))  # noqa: RUF006 (waited for below)
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert not asked
        end_all(made)
        await until(lambda: swept(asked))

    with_a_pump(monkeypatch, play, most=4)
