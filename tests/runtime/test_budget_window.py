"""The window of a budget never lets through more than it says, wherever a period begins."""

from __future__ import annotations

from random import Random

import pytest

from runtime.store.budget_window import Window, slice_ms


@pytest.mark.parametrize(("calls", "period"), [(1, 1_000), (5, 1_000), (60, 60_000), (7, 3_600_000)])
@pytest.mark.parametrize("seed", range(5))
def test_of_any_period_no_more_are_let_through_than_the_budget_says(calls: int, period: int, seed: int) -> None:
    dice, window, now, let_through = Random(seed), Window(calls, period), 1_700_000_000_000, list[int]()
    for _ in range(600):
        now += dice.choice((0, 1, slice_ms(period) // 3, slice_ms(period), period // calls))
        if window.room(now, 0):
            window.add(now)
            let_through.append(now)
    for at in let_through:
        assert sum(at <= other < at + period for other in let_through) <= calls
    # And nearly as many as it says.
    whole = (now - let_through[0]) / (period + slice_ms(period)) * calls
    assert len(let_through) >= min(600, whole) * 0.5


def test_those_that_wait_are_told_when_there_will_be_room() -> None:
    window, now = Window(2, 60_000), 1_700_000_000_000
    window.add(now)
    window.add(now + 10_000)
    first, second, third = (window.room_at(position, now + 20_000, 0) for position in (1, 2, 3))
    assert first == now + 61_000
    assert second == now + 71_000
    assert third >= first + 60_000
    assert window.room(first - 1, 0) == 0
    assert window.room(first, 0) == 1
    assert Window(2, 60_000).room_at(2, now, 1) > now


def test_what_is_kept_is_what_was_counted_and_other_limits_count_it_too() -> None:
    now = 1_700_000_000_000
    window = Window(60, 60_000)
    for seconds in range(30):
        window.add(now + seconds * 1_000)
    kept = Window.read(60, 60_000, window.text())
    assert kept == window
    assert kept.used(now + 30_000) == 30
    assert kept.moved_to(1_000, 3_600_000, now + 30_000).used(now + 30_000) == 30
    kept.forget(now + 200_000)
    assert kept.text() == ""


def test_what_was_limited_for_a_day_counts_no_longer_than_a_second_once_it_is_limited_for_that() -> None:
    now = 1_700_000_000_000
    day = Window(1, 86_400_000)
    day.add(now)
    second = day.moved_to(1, 1_000, now + 10)
    assert second.room(now + 10, 0) == 0
    assert second.room(now + 1_100, 0) == 1, "not at the end of the day's slice of 24 minutes"
