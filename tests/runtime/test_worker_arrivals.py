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


def accepted(number: int, *, ago_ms: int, within_ms: int) -> list[UUID]:
    """Ids of runs accepted one after the other, the last of them so long ago."""
    first = time.time_ns() // 1_000_000 - ago_ms - within_ms
    return [uuid7(at_ms=first + within_ms * place // max(number - 1, 1)) for place in range(number)]


def test_it_is_the_time_of_acceptance_that_counts_not_when_the_bell_is_heard() -> None:
    arrivals = Arrivals()
    arrivals.note_rung(accepted(1, ago_ms=600, within_ms=0))
    for ago_ms in (450, 300, 150, 0):
        arrivals.note_rung(accepted(40, ago_ms=ago_ms, within_ms=30))
    assert arrivals.pressed() == 0.0, "some 270 came in a second, however close together their bells were heard"
    many = Arrivals()
    many.note_rung(accepted(1, ago_ms=330, within_ms=0))
    for ago_ms in (200, 100, 0):
        many.note_rung(accepted(60, ago_ms=ago_ms + 50, within_ms=45))
        many.note_rung(accepted(60, ago_ms=ago_ms, within_ms=45))
    assert 1_100 < many.pressed() < 1_400


def test_workers_that_share_the_bell_reckon_with_what_the_others_hear() -> None:
    alone, one_of_three = Arrivals(), Arrivals(hearers=lambda: 3)
    for arrivals in (alone, one_of_three):
        for ago_ms in (300, 200, 100, 0):
            arrivals.note_rung(accepted(50, ago_ms=ago_ms, within_ms=10))
    assert alone.pressed() == 0.0
    assert 1_300 < one_of_three.pressed() < 1_700


def test_a_burst_is_no_flood() -> None:
    arrivals = Arrivals()
    arrivals.note_rung(accepted(1, ago_ms=800, within_ms=0))
    arrivals.note_rung(accepted(queue.FLOOD_IDS, ago_ms=0, within_ms=20))
    assert arrivals.pressed() == 0.0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_was_put_presses_nobody(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    arrivals = Arrivals()
    now = time.time
    flood = [accepted(queue.FLOOD_IDS, ago_ms=ago_ms, within_ms=90) for ago_ms in (200, 100, 0)]
    for message in flood:
        arrivals.note_rung(message)
    assert arrivals.pressed() > 2_000
    monkeypatch.setattr("runtime.worker.arrivals.time.time", lambda: now() + 3_600 * hours)
    monkeypatch.setattr("runtime.worker.arrivals._LATELY_SECONDS", 0.2)
    time.sleep(0.25)
    for message in flood:
        arrivals.note_rung(message)
    assert arrivals.pressed() == 0.0


def test_what_is_rung_for_again_is_not_counted_again() -> None:
    arrivals = Arrivals()
    before = accepted(80, ago_ms=300, within_ms=100)
    arrivals.note_rung(accepted(1, ago_ms=900, within_ms=0))
    for ago_ms in (200, 100, 0):
        arrivals.note_rung(accepted(50, ago_ms=ago_ms, within_ms=20))
        for _ in range(5):
            arrivals.note_rung(before)
    assert arrivals.pressed() == 0.0


def test_what_came_long_ago_presses_nobody() -> None:
    arrivals = Arrivals()
    for ago_ms in (9_100, 9_000, 8_900):
        arrivals.note_rung(accepted(queue.FLOOD_IDS, ago_ms=ago_ms, within_ms=20))
    assert arrivals.pressed() == 0.0


def test_a_worker_on_a_machine_without_a_door_never_stands_back() -> None:
    here, elsewhere = Arrivals(), Arrivals(lambda: False)
    for arrivals in (here, elsewhere):
        for ago_ms in (200, 100, 0):
            arrivals.note_rung(accepted(queue.FLOOD_IDS, ago_ms=ago_ms, within_ms=20))
    assert here.pressed() > 2_000
    assert elsewhere.pressed() == 0.0


def test_a_flood_is_rung_for_otherwise_and_a_burst_is_not() -> None:
    rings: list[tuple[str, int]] = []

    def heard(number: int) -> None:
        deadline = time.monotonic() + 5
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
