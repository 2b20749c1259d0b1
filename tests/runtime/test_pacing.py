"""The runs of a list step back behind others: turn by turn of the loop, and in how many of them are in hand."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from runtime.worker.pacer import Pacer
from runtime.worker.window import LEAST, Window
from tests.runtime.budgeting import URL, Target, target
from tests.runtime.machine import Machine, flow, step, wait_until
from tests.runtime.test_own_runs import children, each, inside

__all__ = ["target"]


def work(seconds: float) -> None:
    """Take the processor for so long."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def item(log: list[str], turns: int = 20) -> str:
    for _ in range(turns):
        work(0.000_5)
        log.append("item")
        await asyncio.sleep(0)
    return "done"


def always() -> bool:
    return True


def paced(test: Callable[[Pacer], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await test(Pacer())

    return asyncio.run(main())


def test_of_a_hundred_items_only_a_few_go_on_between_two_turns_of_somebody_else() -> None:
    log: list[str] = []

    async def other(pacer: Pacer) -> None:
        for _ in range(30):
            pacer.note_other()
            log.append("other")
            await asyncio.sleep(0)

    async def test(pacer: Pacer) -> list[str]:
        items = [pacer.task(item(log), always) for _ in range(100)]
        await asyncio.gather(other(pacer), *items)
        return [task.result() for task in items]

    assert paced(test) == ["done"] * 100, "all of them come to their end"
    assert log.count("item") == 2_000
    places = [place for place, who in enumerate(log) if who == "other"]
    between = [later - earlier - 1 for earlier, later in itertools.pairwise(places)]
    assert max(between[1:]) <= 12, "one after another they would be a hundred"


def test_what_does_not_step_back_waits_for_nobody() -> None:
    log: list[str] = []

    async def test(pacer: Pacer) -> None:
        items = [pacer.task(item(log), always) for _ in range(50)]
        await asyncio.sleep(0)
        before = len(log)
        assert await pacer.task(asyncio.sleep(0, "mine"), lambda: False) == "mine"
        assert len(log) - before <= 75, "four turns, of which the items have their part: in line it were 100"
        for task in items:
            task.cancel()
        await asyncio.gather(*items, return_exceptions=True)

    paced(test)


def test_what_goes_wrong_and_what_is_cut_off_passes_through() -> None:
    log: list[str] = []

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def tidies() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("tidied")

    async def late() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            return "late"
        return "never"

    async def test(pacer: Pacer) -> None:
        with pytest.raises(ValueError, match="no"):
            await pacer.task(fails(), always)
        assert await pacer.task(late(), always) == "late"
        cut_off = pacer.task(tidies(), always)
        await asyncio.sleep(0.01)
        cut_off.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cut_off
        assert log == ["tidied"]
        # One that waits for its turn is cut off there, and never goes on.
        busy = [pacer.task(item(log, 50), always) for _ in range(50)]
        await asyncio.sleep(0)
        waiting = pacer.task(item(log, 50), always)
        await asyncio.sleep(0)
        for task in (*busy, waiting):
            task.cancel()
        ended = await asyncio.gather(*busy, waiting, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)

    paced(test)


def test_what_is_cut_off_before_its_first_turn_leaves_nothing_behind() -> None:
    async def test(pacer: Pacer) -> None:
        begun = item([])
        task = pacer.task(begun, always)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert inspect.getcoroutinestate(begun) == inspect.CORO_CLOSED

    paced(test)


def test_there_are_fewer_at_a_time_while_commits_are_slow_and_more_while_they_are_quick() -> None:
    window = Window(192)
    first = window.size
    for _ in range(6):
        window._shrunk_at = 0.0
        for _ in range(20):
            window.note(0.05)
    assert LEAST <= window.size < first
    window.grow()
    assert window.size < first, "room was wanted, but commits are slow"
    for _ in range(100):
        window.note(0.001)
    for _ in range(100):
        window._grown_at = 0.0
        window.grow()
    assert window.size == 192


def test_what_waits_elsewhere_does_not_keep_others_from_beginning() -> None:
    window = Window(192)
    for _ in range(100):
        window.note(0.05)
    small = window.size
    window._noted_at = time.monotonic() - 10
    window.grow()
    assert window.size > small, "nothing was committed for long: all that is in hand waits for somebody"


def test_among_others_a_list_has_as_little_in_hand_as_it_may_beside_what_waits_for_other_systems() -> None:
    window = Window(192)
    for _ in range(100):
        window._grown_at = 0.0
        window.grow()
    assert window.share(1) == 192
    assert window.share_among_others(1, 0) == LEAST
    assert window.share_among_others(1, 40) == LEAST + 40
    assert window.share_among_others(1, 500) == 192, "never more than without them"
    assert window.share_among_others(LEAST, 0) > 0, "no list stands still"


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_another_system_keeps_no_other_item_from_beginning_while_others_are_about(
    machine: Machine, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pacer, "is_among_others", True)
    target.slow = 2
    ask = step("ask", "http.request@1", {"method": "GET", "url": f"{URL}/slow"})
    list_of = each("{{ trigger.lines }}", at_a_time=40, collect=False)
    run_id = machine.begin(flow("start -> each", list_of, *inside("each", ask)), {"lines": list(range(3 * LEAST))})
    assert machine.finish(run_id).status == "completed"
    assert target.most_under_way >= 2 * LEAST


@pytest.mark.django_db(transaction=True)
def test_all_that_may_be_under_way_at_a_time_comes_to_be_so_though_each_waits(machine: Machine) -> None:
    waits = step("wait", "flow.wait@1", {"mode": "for", "amount": 600, "unit": "seconds"})
    list_of = each("{{ trigger.lines }}", at_a_time=40)
    run_id = machine.begin(flow("start -> each", list_of, *inside("each", waits)), {"lines": list(range(60))})
    wait_until(lambda: sum(one.status == "waiting_timer" for one in children(run_id)) == 40, 60)
    assert len(children(run_id)) == 40


@pytest.mark.django_db(transaction=True)
def test_a_list_for_which_there_is_no_room_now_goes_on_later_and_leaves_nothing_out(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(20261128)
    monkeypatch.setattr(Window, "share", lambda _self, _lists: dice.choice([0, 0, 1, 2]))
    list_of = each("{{ trigger.lines }}", at_a_time=5, collect=False)
    graph = flow("start -> each", list_of, *inside("each", step("note", "data.edit_fields@1", {"fields": []})))
    workflow = machine.publish(graph)
    runs = [machine.begin_again(workflow, {"lines": list(range(count))}) for count in (1, 7, 12)]
    for run_id, count in zip(runs, (1, 7, 12), strict=True):
        assert machine.finish(run_id).status == "completed"
        assert [one.status for one in children(run_id)] == ["completed"] * count


@pytest.mark.django_db(transaction=True)
def test_a_list_in_which_one_failed_goes_on_though_there_was_no_room_in_between(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(20261129)
    monkeypatch.setattr(Window, "share", lambda _self, _lists: dice.choice([0, 0, 1]))
    fails = step("fails", "flow.fail@1", {"message": "It cannot go on"})
    list_of = each("{{ trigger.lines }}", at_a_time=3, stop="number", may_fail=2)
    run_id = machine.begin(flow("start -> each", list_of, *inside("each", fails)), {"lines": list(range(6))})
    assert machine.finish(run_id).status == "dead_lettered"
    assert sum(one.status == "dead_lettered" for one in children(run_id)) >= 3
