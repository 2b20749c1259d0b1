"""How lists step back: their commits wait for company and for others, and on a server their process comes behind."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from uuid import uuid4

import pytest

from runtime.contracts import StoreUnavailable
from runtime.store.records import RunWrite, Written
from runtime.worker import company as company_module
from runtime.worker import priority as priority_module
from runtime.worker.company import Company
from runtime.worker.priority import STEP_BACK, Priority


class Desk:
    """Takes units in, and answers when told to."""

    def __init__(self) -> None:
        self.turns: list[list[tuple[RunWrite, asyncio.Future[Written]]]] = []
        self.durations: list[float] = []
        self.closed = False
        self._open = False

    def write(self, unit: RunWrite, future: asyncio.Future[Written]) -> None:
        if self.closed:
            raise StoreUnavailable("The writer is not running.")
        loop = asyncio.get_running_loop()
        if not self._open:
            self.turns.append([])
            self._open = True
            loop.call_soon(self._end_of_turn)
        self.turns[-1].append((unit, future))

    def _end_of_turn(self) -> None:
        self._open = False

    def answer(self) -> None:
        for _, future in self.turns[-1]:
            if not future.done():
                future.set_result(written())

    @property
    def sizes(self) -> list[int]:
        return [len(turn) for turn in self.turns]


def unit() -> RunWrite:
    return RunWrite(uuid4(), uuid4(), uuid4(), 1, ("step.result",), "running")


def written() -> Written:
    return Written(uuid4(), 1)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_units_of_items_are_handed_in_together_though_they_come_in_different_turns(desk: Desk) -> None:
    company = Company(desk.write, note=desk.durations.append)
    waiting = []
    for _ in range(3):
        waiting.append(company.writing(unit(), others=8))
        await asyncio.sleep(0)
    assert desk.turns == []
    while not desk.turns:
        await asyncio.sleep(0.001)
    assert desk.sizes == [3]
    desk.answer()
    await asyncio.gather(*waiting)
    assert len(desk.durations) == 3


async def test_nobody_is_waited_for_where_nobody_else_is_in_hand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company_module, "PAUSE_SECONDS", 600)
    company = Company(desk.write, note=desk.durations.append)
    alone = company.writing(unit(), others=1)
    assert desk.sizes == [1]
    desk.answer()
    await alone
    await asyncio.sleep(0)
    both = [company.writing(unit(), others=2), company.writing(unit(), others=2)]
    assert desk.sizes == [1, 2]
    desk.answer()
    await asyncio.gather(*both)


async def test_no_more_are_waited_for_than_a_commit_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company_module, "PAUSE_SECONDS", 600)
    company = Company(desk.write, note=desk.durations.append)
    for _ in range(company_module.ENOUGH):
        company.writing(unit(), others=1_000)
    assert desk.sizes == [company_module.ENOUGH]


async def test_of_one_that_is_cut_off_while_it_waits_nothing_is_written(desk: Desk) -> None:
    company = Company(desk.write, note=desk.durations.append)
    cut_off, other = company.writing(unit(), others=8), company.writing(unit(), others=8)
    cut_off.cancel()
    while not desk.turns:
        await asyncio.sleep(0.001)
    assert desk.sizes == [1]
    desk.answer()
    await other


async def test_each_learns_what_became_of_its_own_unit(desk: Desk) -> None:
    company = Company(desk.write, note=desk.durations.append)
    good, bad, gone = (company.writing(unit(), others=3) for _ in range(3))
    (_, first), (_, second), (_, third) = desk.turns[-1]
    gone.cancel()
    assert third.cancelled(), "the writer drops what nobody waits for any longer"
    first.set_result(written())
    second.set_exception(StoreUnavailable("away"))
    assert isinstance(await good, Written)
    with pytest.raises(StoreUnavailable):
        await bad


async def test_those_that_wait_when_the_writer_ends_are_told_so(desk: Desk) -> None:
    company = Company(desk.write, note=desk.durations.append)
    late = company.writing(unit(), others=8)
    desk.closed = True
    with pytest.raises(StoreUnavailable):
        await late


async def test_nothing_is_handed_in_while_somebody_is_seen_to(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company_module, "LONGEST_SECONDS", 600)
    seen_to = True
    company = Company(desk.write, note=desk.durations.append, holds=lambda: seen_to)
    waiting = [company.writing(unit(), others=2), company.writing(unit(), others=2)]
    await asyncio.sleep(5 * company_module.PAUSE_SECONDS)
    assert desk.turns == [], "though as many have come as are in hand"
    seen_to = False
    while not desk.turns:
        await asyncio.sleep(0.001)
    assert desk.sizes == [2]
    desk.answer()
    await asyncio.gather(*waiting)


async def test_where_somebody_is_seen_to_all_the_time_items_go_on_all_the_same(desk: Desk) -> None:
    company = Company(desk.write, note=desk.durations.append, holds=lambda: True)
    waiting = company.writing(unit(), others=8)
    while not desk.turns:
        await asyncio.sleep(0.001)
    desk.answer()
    await waiting


async def test_what_an_item_does_beside_its_commit_is_done_in_the_same_turn(desk: Desk) -> None:
    company = Company(desk.write, note=desk.durations.append)
    done: list[int] = []
    company.join(lambda: done.append(len(desk.turns)), others=8)
    waiting = company.writing(unit(), others=8)
    await asyncio.sleep(0)
    assert (done, desk.turns) == ([], [])
    while not desk.turns:
        await asyncio.sleep(0.001)
    assert done == [0], "in the order in which they came"
    desk.answer()
    await waiting


@pytest.fixture
def leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority_module, "_leads_its_session", lambda: True)


@pytest.mark.usefixtures("leads")
def test_a_process_comes_behind_others_while_it_goes_through_a_list(tmp_path: Path) -> None:
    own = tmp_path / "autogroup"
    priority = Priority(own)
    priority.step_back(False)
    assert not own.exists()
    priority.step_back(True)
    assert own.read_text() == str(STEP_BACK)
    priority.step_back(False)
    assert own.read_text() == "0"


def test_a_session_that_others_share_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getsid", lambda _: os.getpid() + 1)
    own = tmp_path / "autogroup"
    Priority(own).step_back(True)
    assert not own.exists()


@pytest.mark.usefixtures("leads")
def test_what_may_be_said_only_now_and_then_is_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "autogroup"
    priority = Priority(own)
    with monkeypatch.context() as soon:
        soon.setattr(Path, "write_text", too_soon)
        priority.step_back(True)
    assert not own.exists()
    priority.step_back(True)
    assert own.read_text() == str(STEP_BACK)


@pytest.mark.usefixtures("leads")
def test_where_there_are_no_sessions_of_that_kind_nothing_happens(tmp_path: Path) -> None:
    Priority(tmp_path / "missing" / "autogroup").step_back(True)


def too_soon(*_: object, **__: object) -> int:
    raise BlockingIOError
