"""When something may begin: by the clock on the wall, over midnight, on some days, and when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runtime.sdk.hours import Hours, hours_of, hours_problems

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = hours_of({"window": "only", "window_zone": "Europe/Berlin"})


def at(text: str, zone: ZoneInfo | None = BERLIN, fold: int = 0) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=zone or UTC, fold=fold)
    return int(moment.timestamp() * 1000)


def only(begin: str, end: str, days: str = "mon tue wed thu fri sat sun", zone: str = "Europe/Berlin") -> Hours:
    made = hours_of(
        {
            "window": "only", "window_from": begin, "window_until": end, "window_days": days.split(),
            "window_zone": zone,
        }
    )  # fmt: skip
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-28T19:59:59", "2026-11-28T20:00"),
        ("2026-11-28T20:00", None),
        ("2026-11-28T23:59", None),
        ("2026-11-29T05:59:59", None),
        ("2026-11-29T06:00", "2026-11-29T20:00"),
    ],
)
def test_a_night_begins_in_the_evening_and_ends_in_the_morning(now: str, opens: str | None) -> None:
    assert NIGHT is not None
    assert NIGHT.opens(at(now)) == (None if opens is None else at(opens))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    hours = only("20:00", "06:00", "mon tue wed thu fri")
    assert hours.is_open(at("2026-11-28T05:00")), "a Saturday morning, of Friday's night"
    assert not hours.is_open(at("2026-11-28T21:00"))
    assert not hours.is_open(at("2026-11-30T05:00")), "a Monday morning, of Sunday's night"
    assert hours.opens(at("2026-11-28T06:00")) == at("2026-11-30T20:00")


def test_by_day_it_is_open_between_the_two_times() -> None:
    hours = only("09:00", "17:30", "mon")
    assert hours.is_open(at("2026-11-30T09:00"))
    assert not hours.is_open(at("2026-11-30T17:30"))
    assert hours.opens(at("2026-11-30T17:30")) == at("2026-12-07T09:00")


def test_where_the_clock_is_put_forward_a_time_that_there_is_not_is_the_moment_behind_it() -> None:
    hours = only("02:30", "05:00")
    assert hours.opens(at("2027-03-28T01:00")) == at("2027-03-28T03:00")
    assert only("02:15", "02:45").opens(at("2027-03-28T01:00")) == at("2027-03-29T02:15")


def test_where_the_clock_is_put_back_the_hour_that_comes_twice_counts_both_times() -> None:
    hours = only("02:30", "04:00")
    assert hours.opens(at("2026-10-25T01:00")) == at("2026-10-25T02:30")
    assert hours.is_open(at("2026-10-25T02:45"))
    assert hours.opens(at("2026-10-25T02:10", fold=1)) == at("2026-10-25T02:30", fold=1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize(("begin", "end"), [("20:00", "06:00"), ("02:30", "03:15"), ("00:00", "00:01")])
def test_the_moment_it_opens_is_the_first_one_of_the_minutes_behind_it(zone: str, begin: str, end: str) -> None:
    hours = only(begin, end, "sun mon wed", zone)
    for day in (datetime(2026, 10, 3, tzinfo=UTC), datetime(2027, 3, 27, tzinfo=UTC)):
        for hour in range(0, 24 * 7, 5):
            now = int((day + timedelta(hours=hour)).timestamp() * 1000)
            opens = hours.opens(now)
            if opens is None:
                assert hours.is_open(now)
                continue
            assert hours.is_open(opens)
            assert not any(hours.is_open(minute) for minute in range(now, opens, 60_000))


def test_settings_that_never_open_are_refused() -> None:
    never = {"window_from": "20:00", "window_until": "20:00", "window_days": [], "window_zone": "Moon"}
    wrong = {"window": "only", **never}
    assert [where for where, _, _ in hours_problems(wrong)] == ["window_days", "window_until", "window_zone"]
    assert hours_problems({"window": "always", "window_days": []}) == []
    assert hours_of({}) is None
