"""While events flood in, runs stand back for those who knock; and only then."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from runtime import queue
from runtime.engine.ids import uuid7
from runtime.store import bell as doorbell
from runtime.store.bell import Bell
from runtime.worker.arrivals import Arrivals


class Clock:
    """Stands still; the two hands of the module `time` that count here."""

    def __init__(self) -> None:
        self.wall = 1_764_000_000.0
        self.steady = 5_000.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def accepted(self, number: int, *, ago_ms: int, within_ms: int) -> list[UUID]:
        """Ids of runs accepted one after the other, the last of them so long ago."""
        first = int(self.wall * 1_000) - ago_ms - within_ms
        return [uuid7(at_ms=first + within_ms * place // max(number - 1, 1)) for place in range(number)]

    def flood(self, arrivals: Arrivals) -> None:
        """Ring as it is done while some 2,500 come in a second."""
        for ago_ms in (200, 100, 0):
            arrivals.note_rung(self.accepted(queue.FLOOD_IDS, ago_ms=ago_ms, within_ms=90))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("runtime.worker.arrivals.time", made)
    return made


def test_it_is_the_time_of_acceptance_that_counts_not_when_the_bell_is_heard(clock: Clock) -> None:
    few, many = Arrivals(), Arrivals()
    for ago_ms in (450, 300, 150, 0):
        few.note_rung(clock.accepted(40, ago_ms=ago_ms, within_ms=30))
    assert few.pressed() == 0.0, "some 270 came in a second, however close together their bells were heard"
    for ago_ms in (300, 200, 100, 0):
        many.note_rung(clock.accepted(60, ago_ms=ago_ms + 50, within_ms=45))
        many.note_rung(clock.accepted(60, ago_ms=ago_ms, within_ms=45))
    assert many.pressed() == pytest.approx(1_200, rel=0.02)


def test_workers_that_share_the_bell_reckon_with_what_the_others_hear(clock: Clock) -> None:
    alone, one_of_three = Arrivals(), Arrivals(hearers=lambda: 3)
    for arrivals in (alone, one_of_three):
        for ago_ms in (300, 200, 100, 0):
            arrivals.note_rung(clock.accepted(50, ago_ms=ago_ms, within_ms=10))
    assert alone.pressed() == 0.0
    assert one_of_three.pressed() == pytest.approx(1_500, rel=0.02)


def test_a_burst_is_no_flood(clock: Clock) -> None:
    arrivals = Arrivals()
    arrivals.note_rung(clock.accepted(1, ago_ms=800, within_ms=0))
    arrivals.note_rung(clock.accepted(queue.FLOOD_IDS, ago_ms=0, within_ms=20))
    assert arrivals.pressed() == 0.0


def test_a_flood_is_over_when_nothing_comes_any_more(clock: Clock) -> None:
    arrivals = Arrivals()
    clock.flood(arrivals)
    assert arrivals.pressed() > 2_000
    clock.wall += 1.1
    clock.steady += 1.1
    assert arrivals.pressed() == 0.0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_was_put_presses_nobody(clock: Clock, hours: int) -> None:
    arrivals = Arrivals()
    clock.flood(arrivals)
    told_before = clock.accepted(queue.FLOOD_IDS, ago_ms=0, within_ms=90)
    clock.wall += 3_600 * hours
    for _ in range(20):
        clock.steady += 0.1
        arrivals.note_rung(told_before)
    assert arrivals.pressed() == 0.0


def test_what_is_rung_for_again_is_not_counted_again(clock: Clock) -> None:
    arrivals = Arrivals()
    before = clock.accepted(80, ago_ms=400, within_ms=100)
    for ago_ms in (300, 200, 100, 0):
        arrivals.note_rung(clock.accepted(50, ago_ms=ago_ms, within_ms=20))
        if ago_ms < 300:
            for _ in range(5):
                arrivals.note_rung(before)
    assert arrivals.pressed() == 0.0


def test_what_came_long_ago_presses_nobody(clock: Clock) -> None:
    arrivals = Arrivals()
    for ago_ms in (9_100, 9_000, 8_900):
        arrivals.note_rung(clock.accepted(queue.FLOOD_IDS, ago_ms=ago_ms, within_ms=90))
    assert arrivals.pressed() == 0.0


def test_a_worker_on_a_machine_without_a_door_never_stands_back(clock: Clock) -> None:
    here, elsewhere = Arrivals(), Arrivals(lambda: False)
    clock.flood(here)
    clock.flood(elsewhere)
    assert here.pressed() > 2_000
    assert elsewhere.pressed() == 0.0


def test_a_flood_is_rung_for_otherwise_and_a_burst_is_not() -> None:
    rings: list[tuple[str, int]] = []

    def heard(number: int) -> None:
        deadline = time.monotonic() + 60
        while len(rings) < number:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    bell = Bell(lambda ids: rings.append(("ring", len(ids))), lambda ids: rings.append(("flood", len(ids))))
    bell.start()
    for number, count in enumerate((100, 90, 80, 3, 70), 1):
        bell.ring([uuid7() for _ in range(count)])
        heard(number)
    bell.stop()
    assert rings == [("ring", 100), ("flood", 90), ("flood", 80), ("ring", 3), ("ring", 70)]


def test_one_message_says_that_there_is_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doorbell._FLOOD >= queue.MOST_IDS, "or a message in a flood would look like any other"
    sent: list[list[UUID]] = []
    here = queue.InProcessBroker(middleware=[])
    monkeypatch.setattr(queue, "broker", lambda: here)
    monkeypatch.setattr(queue, "is_off", lambda: False)
    queue.declare(lambda *, run_ids: sent.append(queue.ids_of(run_ids)))
    many = [uuid7() for _ in range(300)]
    queue.ring(many)
    assert [len(ids) for ids in sent] == [64, 64, 64, 64, 44]
    sent.clear()
    queue.ring_in_flood(many)
    assert sent == [many[: queue.FLOOD_IDS]]
