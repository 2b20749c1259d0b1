# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runtime.sdk import calendars
from runtime.sdk.schedule_words import notes, words
from runtime.sdk.schedules import ScheduleError, check, next_fires

NEW_YORK = "America/New_York"
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def fires(config: dict[str, Any], after: str, count: int = 4) -> list[str]:
    zone = ZoneInfo(config.get("timezone", "UTC"))
    start = int(datetime.fromisoformat(after).timestamp() * 1000)
    return [datetime.fromtimestamp(fire / 1000, zone).isoformat() for fire in next_fires(config, start, count)]


@pytest.mark.parametrize(
    "repeat", [{"repeat": "weekdays", "weekdays": EVERY_DAY}, {"repeat": "every", "unit": "days", "every": 1}]
)
def test_a_time_that_does_not_exist_fires_once_after_the_gap(repeat: dict[str, Any]) -> None:
    config = {**repeat, "at": "02:30", "timezone": NEW_YORK}
    found = fires(config, "2026-03-07T00:00:00-05:00", 3)
    assert found == ["2026-03-07T02:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]
    moments = next_fires(config, int(datetime.fromisoformat("2026-03-07T00:00:00-05:00").timestamp() * 1000), 3)
    assert notes(config, moments) == ["On 2026-03-08 clocks go forward and 02:30 does not exist: it starts at 03:00."]


@pytest.mark.parametrize(
    ("every", "after", "first", "second"),
    [
        ({"every": 6, "unit": "hours"}, "2021-03-04T05:00:00+00:00", "2021-03-04T06:00:00+00:00", "2021-03-04T12:00:00+00:00"),
        ({"every": 3, "unit": "days", "at": "08:00"}, "2021-03-04T05:00:00+00:00", "2021-03-05T08:00:00+00:00", "2021-03-08T08:00:00+00:00"),
        ({"every": 2, "unit": "weeks", "at": "08:00"}, "2021-03-04T05:00:00+00:00", "2021-03-15T08:00:00+00:00", "2021-03-29T08:00:00+00:00"),
        ({"every": 2, "unit": "months", "at": "08:00"}, "2021-03-04T05:00:00+00:00", "2021-05-01T08:00:00+00:00", "2021-07-01T08:00:00+00:00"),
    ],
)  # fmt: skip
def test_what_comes_every_so_often_has_past_times_however_long_ago(
    every: dict[str, Any], after: str, first: str, second: str
) -> None:
    assert fires({"repeat": "every", **every}, after, 2) == [first, second]


def test_a_time_that_comes_twice_fires_once_the_first_time() -> None:
    config = {"repeat": "weekdays", "weekdays": EVERY_DAY, "at": "01:30", "timezone": NEW_YORK}
    assert fires(config, "2026-10-31T00:00:00-04:00", 3) == [
        "2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "config", [{"repeat": "every", "every": 15, "unit": "minutes"}, {"repeat": "cron", "cron": "*/15 * * * *"}]
)
def test_every_quarter_of_an_hour_goes_on_evenly_when_clocks_go_back(config: dict[str, Any]) -> None:
    start = int(datetime.fromisoformat("2026-11-01T00:40:00-04:00").timestamp() * 1000)
    found = next_fires({**config, "timezone": NEW_YORK}, start, 12)
    assert {later - earlier for earlier, later in pairwise(found)} == {15 * 60_000}


@pytest.mark.parametrize(
    ("config", "expected", "sentence"),
    [
        ({"repeat": "monthly", "day": "last", "at": "18:00"}, ["2026-11-30T18:00:00+00:00", "2026-12-31T18:00:00+00:00"], "On the last day of the month at 18:00"),
        ({"repeat": "monthly", "day": "last_workday", "at": "18:00"}, ["2026-11-30T18:00:00+00:00", "2026-12-31T18:00:00+00:00"], "On the last working day of the month at 18:00"),
        ({"repeat": "monthly", "day": "first_workday", "at": "06:00", "ends_on": "2027-02-01"}, ["2026-12-01T06:00:00+00:00", "2027-01-01T06:00:00+00:00"], "On the first working day of the month at 06:00 until 2027-02-01"),
        ({"repeat": "cron", "cron": "30 8 * * 1-5", "starts_on": "2027-01-02"}, ["2027-01-04T08:30:00+00:00", "2027-01-05T08:30:00+00:00"], "At 08:30, Monday through Friday"),
        ({"repeat": "cron", "cron": "0 0 * * *", "starts_on": "2026-12-01"}, ["2026-12-01T00:00:00+00:00", "2026-12-02T00:00:00+00:00"], "At 00:00"),
        ({"repeat": "cron", "cron": "0 9 * * 1#2"}, ["2026-12-14T09:00:00+00:00", "2027-01-11T09:00:00+00:00"], "At 09:00, on the second Monday of the month"),
        ({"repeat": "cron", "cron": "0 9 * * 5L"}, ["2026-11-27T09:00:00+00:00", "2026-12-25T09:00:00+00:00"], "At 09:00, on the last Friday of the month"),
        ({"repeat": "monthly", "day": "31", "at": "18:00"}, ["2026-11-30T18:00:00+00:00", "2026-12-31T18:00:00+00:00"], "On day 31 of the month at 18:00"),
        ({"repeat": "every", "every": 2, "unit": "weeks", "at": "08:00", "starts_on": "2026-11-05"}, ["2026-12-03T08:00:00+00:00", "2026-12-17T08:00:00+00:00"], "Every 2 weeks on Thursday at 08:00"),
        ({"repeat": "every", "every": 3, "unit": "months", "at": "08:00"}, ["2027-01-01T08:00:00+00:00", "2027-04-01T08:00:00+00:00"], "Every 3 months on day 1 at 08:00"),
        ({"repeat": "every", "every": 6, "unit": "hours"}, ["2026-11-20T12:00:00+00:00", "2026-11-20T18:00:00+00:00"], "Every 6 hours"),
        ({"repeat": "cron", "cron": "30 8 * * 1-5"}, ["2026-11-23T08:30:00+00:00", "2026-11-24T08:30:00+00:00"], "At 08:30, Monday through Friday"),
        ({"repeat": "weekdays", "weekdays": ["mon", "tue", "wed", "thu", "fri"], "at": "08:30"}, ["2026-11-23T08:30:00+00:00", "2026-11-24T08:30:00+00:00"], "Monday to Friday at 08:30"),
    ],
)  # fmt: skip
def test_schedules_fire_when_they_say(config: dict[str, Any], expected: list[str], sentence: str) -> None:
    assert fires(config, "2026-11-20T09:41:07+00:00", 2) == expected
    assert words(config) == sentence


@pytest.mark.parametrize(
    "config",
    [{"repeat": "cron", "cron": "0 0 30 2 *"}, {"repeat": "cron", "cron": "x"}, {"repeat": "cron", "cron": "* " * 500}, {"timezone": "Mars/Olympus"},
     {"timezone": "../../etc/passwd"}, {"repeat": "weekdays", "weekdays": []}, {"repeat": "monthly", "day": "32"}, {"every": 0}],
)  # fmt: skip
def test_schedules_that_cannot_be_are_refused_in_words(config: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError) as error:
        check({"repeat": "every", "every": 1, "unit": "hours", **config})
    assert error.value.message


@pytest.mark.parametrize(
    ("day", "found"),
    [
        ("first_workday", ["2026-08-03", "2026-09-01", "2026-10-01", "2026-11-02"]),
        ("last_workday", ["2026-07-31", "2026-08-31", "2026-09-30", "2026-10-30"]),
    ],
)
def test_working_days_are_monday_to_friday(day: str, found: list[str]) -> None:
    moments = fires({"repeat": "monthly", "day": day, "at": "00:00"}, "2026-07-15T00:00:00+00:00")
    assert [moment[:10] for moment in moments] == found


@pytest.mark.parametrize(
    "repeat",
    [
        {"repeat": "cron", "cron": "0 12 * * *"},
        {"repeat": "every", "every": 12, "unit": "hours"},
        {"repeat": "weekdays", "weekdays": EVERY_DAY, "at": "23:30"},
    ],
)
def test_nothing_starts_before_the_first_day_or_after_the_last(repeat: dict[str, Any]) -> None:
    config = {**repeat, "starts_on": "2026-12-24", "ends_on": "2026-12-25", "timezone": NEW_YORK}
    found = fires(config, "2026-11-20T00:00:00-05:00", 20)
    assert {moment[:10] for moment in found} == {"2026-12-24", "2026-12-25"}
    assert fires(config, "2026-12-25T23:59:00-05:00", 20) == []


def test_a_last_day_before_the_first_is_refused() -> None:
    with pytest.raises(ScheduleError, match="before the first") as error:
        check({"repeat": "every", "unit": "days", "starts_on": "2026-12-02", "ends_on": "2026-12-01"})
    assert error.value.field == "ends_on"


@pytest.mark.parametrize(
    ("cron", "after", "says"),
    [
        ("30 2 * * *", "2026-03-07T12:00:00-05:00", ["On 2026-03-08 clocks go forward and a time is left out: it starts at 03:00."]),
        ("0 3 * * *", "2026-03-07T12:00:00-05:00", []),
        ("30 1 * * *", "2026-10-31T12:00:00-04:00", ["On 2026-11-01 clocks go back and 01:30 comes twice: it starts once, the first time."]),
        ("*/30 1 * * *", "2026-11-01T01:10:00-04:00", ["On 2026-11-01 clocks go back and 01:30 comes twice: it starts both times."]),
        ("*/30 * * * *", "2026-03-08T01:10:00-05:00", []),
        ("30 8 * * 1-5", "2026-03-01T00:00:00-05:00", []),
    ],
)  # fmt: skip
def test_a_cron_expression_says_what_becomes_of_it_when_clocks_change(cron: str, after: str, says: list[str]) -> None:
    config = {"repeat": "cron", "cron": cron, "timezone": NEW_YORK}
    moments = next_fires(config, int(datetime.fromisoformat(after).timestamp() * 1000), 3)
    assert notes(config, moments) == says


@pytest.mark.parametrize(
    ("config", "found"),
    [
        # Epiphany (6 January) and All Saints' Day (1 November) are holidays in Bavaria and not in Berlin.
        ({"day": "workday_3", "calendar": "DE", "region": "BY"}, ["2026-01-07", "2026-02-04", "2026-03-04"]),
        ({"day": "workday_3", "calendar": "DE", "region": "BE"}, ["2026-01-06", "2026-02-04", "2026-03-04"]),
        ({"day": "workday_3"}, ["2026-01-05", "2026-02-04", "2026-03-04"]),
        ({"day": "last_workday", "calendar": "GB"}, ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ({"day": "workday_last_2", "calendar": "DE"}, ["2026-01-29", "2026-02-26", "2026-03-30"]),
        ({"day": "first_workday", "calendar": "DE"}, ["2026-01-02", "2026-02-02", "2026-03-02"]),
    ],
)
def test_working_days_are_those_of_the_calendar(config: dict[str, Any], found: list[str]) -> None:
    moments = fires({"repeat": "monthly", "at": "00:00", **config}, "2025-12-31T12:00:00+00:00", 3)
    assert [moment[:10] for moment in moments] == found


@pytest.mark.parametrize(
    ("off_days", "found"),
    [
        ("start", ["2026-04-03", "2026-05-03", "2026-06-03"]),
        ("skip", ["2026-06-03", "2026-07-03", "2026-08-03"]),
        ("before", ["2026-04-02", "2026-04-30", "2026-06-03"]),
        ("after", ["2026-04-07", "2026-05-04", "2026-06-03"]),
    ],
)
def test_a_start_on_a_free_day_stays_is_left_out_or_moves(off_days: str, found: list[str]) -> None:
    # 3 April 2026 is Good Friday, with Easter behind it; 3 May is a Sunday.
    config = {"repeat": "monthly", "day": "3", "at": "08:00", "calendar": "DE", "off_days": off_days}
    assert [moment[:10] for moment in fires(config, "2026-03-31T00:00:00+00:00", 3)] == found


def test_a_moved_start_is_found_also_from_the_day_on_which_it_would_have_been() -> None:
    config = {"repeat": "monthly", "day": "3", "at": "08:00", "calendar": "DE", "off_days": "after"}
    assert fires(config, "2026-04-05T00:00:00+00:00", 1)[0][:10] == "2026-04-07"
    assert fires(config, "2026-04-07T08:00:00+00:00", 1)[0][:10] == "2026-05-04"


def test_several_starts_that_move_to_the_same_day_are_one() -> None:
    config = {"repeat": "every", "every": 1, "unit": "days", "at": "08:00", "calendar": "DE", "off_days": "after"}
    found = [moment[:10] for moment in fires(config, "2026-04-02T00:00:00+00:00", 3)]
    assert found == ["2026-04-02", "2026-04-07", "2026-04-08"]


def test_an_hourly_start_and_a_cron_expression_can_leave_free_days_out_and_cannot_be_moved() -> None:
    for repeat in ({"repeat": "every", "every": 12, "unit": "hours"}, {"repeat": "cron", "cron": "0 6 * * *"}):
        found = fires({**repeat, "calendar": "DE", "off_days": "skip"}, "2026-04-02T13:00:00+00:00", 2)
        assert found[0][:10] == "2026-04-07", found
        with pytest.raises(ScheduleError) as caught:
            fires({**repeat, "off_days": "before"}, "2026-04-02T13:00:00+00:00", 1)
        assert caught.value.field == "off_days"


def test_an_unknown_region_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ScheduleError) as caught:
        fires(
            {"repeat": "monthly", "day": "first_workday", "calendar": "DE", "region": "XX"}, "2026-01-01T00:00:00Z", 1
        )
    assert (caught.value.field, "BY" in caught.value.message) == ("region", True)


def test_every_country_of_the_list_has_a_calendar() -> None:
    for code, name in calendars.COUNTRIES:
        days = calendars.working_days(2026, 5, calendars.WorkCalendar(code))
        assert 15 <= len(days) <= 24, name
    assert [name for _, name in calendars.COUNTRIES] == sorted(
        (name for _, name in calendars.COUNTRIES), key=lambda name: name.replace("ü", "u")
    )


def test_free_days_are_part_of_the_sentence() -> None:
    config = {"repeat": "monthly", "day": "workday_3", "at": "08:00"}
    assert words(config) == "On working day 3 of the month at 08:00"
    moved = {"repeat": "monthly", "day": "15", "at": "08:00", "off_days": "before"}
    assert words(moved) == "On day 15 of the month at 08:00, or on the working day before"
