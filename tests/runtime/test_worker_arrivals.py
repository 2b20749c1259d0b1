"""While events flood in, runs stand back for those who knock; and only then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from runtime import queue
from runtime.engine.ids import uuid7
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


def test_full_messages_one_upon_the_other_tell_of_more_than_they_name() -> None:
    arrivals = Arrivals()
    arrivals.note_rung(accepted(queue.MOST_IDS, ago_ms=100, within_ms=21))
    assert arrivals.pressed() == 0.0, "a burst is no flood"
    arrivals.note_rung(accepted(queue.MOST_IDS, ago_ms=0, within_ms=21))
    assert 2_500 < arrivals.pressed() < 3_500


def test_what_came_long_ago_presses_nobody() -> None:
    arrivals = Arrivals()
    for ago_ms in (9_100, 9_000, 8_900):
        arrivals.note_rung(accepted(queue.MOST_IDS, ago_ms=ago_ms, within_ms=20))
    assert arrivals.pressed() == 0.0


def test_a_worker_on_a_machine_without_a_door_never_stands_back() -> None:
    arrivals = Arrivals(lambda: False)
    arrivals.note_rung(accepted(queue.MOST_IDS, ago_ms=100, within_ms=20))
    arrivals.note_rung(accepted(queue.MOST_IDS, ago_ms=0, within_ms=20))
    assert arrivals.pressed() == 0.0


@pytest.fixture
def rings() -> list[Sequence[UUID]]:
    return []


@pytest.fixture
def bell(rings: list[Sequence[UUID]]) -> Iterator[Bell]:
    made = Bell(lambda run_ids: rings.append(list(run_ids)), full=20)
    made.start()
    yield made
    made.stop()


def heard(rings: list[Sequence[UUID]], number: int) -> None:
    deadline = time.monotonic() + 5
    while len(rings) < number:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_burst_is_rung_for_run_by_run_and_a_flood_with_full_messages_only(
    bell: Bell, rings: list[Sequence[UUID]]
) -> None:
    burst = [uuid7() for _ in range(50)]
    bell.ring(burst)
    heard(rings, 1)
    assert rings[0] == burst
    flood = [uuid7() for _ in range(60)]
    bell.ring(flood)
    heard(rings, 2)
    assert rings[1] == flood[:20], "whoever gets a full message looks for the others in the database"
    few = [uuid7() for _ in range(3)]
    bell.ring(few)
    heard(rings, 3)
    assert rings[2] == few
