# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runtime.sdk.schedules import ScheduleError, check, next_fires, notes, words

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
