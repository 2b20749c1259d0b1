"""Several rules, seconds, weekdays of the month, days off; and two years in four zones against cronsim itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from runtime.nodes.triggers.schedule import NODE
from runtime.sdk import calendars, schedules
from runtime.sdk.calendars import WorkCalendar, every_day
from runtime.sdk.schedule_words import notes, words
from runtime.sdk.schedules import ScheduleError, check, moments, next_fires

MONDAYS: dict[str, Any] = {"repeat": "weekdays", "weekdays": ["mon"], "at": "08:00"}
MONTH_END: dict[str, Any] = {"repeat": "monthly", "day": "last_workday", "at": "18:00"}
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=730)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def shown(config: dict[str, Any], after: str, count: int) -> list[str]:
    zone = ZoneInfo(config.get("timezone", "UTC"))
    return [f"{datetime.fromtimestamp(at / 1000, zone):%m-%d %H:%M:%S}" for at in next_fires(config, ms(after), count)]


class TestSeveralRules:
    def test_the_moments_of_all_rules_come_in_order(self) -> None:
        config = {**MONTH_END, "also": [MONDAYS]}
        assert shown(config, "2026-11-20T00:00:00Z", 4) == [
            "11-23 08:00:00", "11-30 08:00:00", "11-30 18:00:00", "12-07 08:00:00",
        ]  # fmt: skip
        assert words(config) == "On the last working day of the month at 18:00 and every Monday at 08:00"

    def test_a_moment_that_two_rules_name_comes_once(self) -> None:
        config = {**MONDAYS, "also": [{"repeat": "every", "every": 4, "unit": "hours"}, MONDAYS]}
        found = next_fires(config, ms("2026-11-22T23:00:00Z"), 50)
        assert len(set(found)) == len(found) == 50
        assert sorted(found) == found

    def test_time_zone_calendar_and_the_two_days_hold_for_every_rule(self) -> None:
        # 24 December is nobody's own day off here; the 25th and 26th are holidays.
        config = {
            "repeat": "monthly", "day": "25", "at": "09:00", "timezone": "Europe/Berlin", "calendar": "DE",
            "off_days": "after", "also": [{**MONDAYS, "at": "07:00"}], "ends_on": "2026-12-30",
        }  # fmt: skip
        assert shown(config, "2026-12-20T00:00:00Z", 9) == ["12-21 07:00:00", "12-28 07:00:00", "12-28 09:00:00"]

    def test_a_rule_says_where_it_is_wrong(self) -> None:
        for rule, field in (
            ({"repeat": "cron", "cron": "x"}, "also.0.cron"),
            ({"repeat": "every", "every": 4, "unit": "seconds"}, "also.0.every"),
            ({"repeat": "weekdays", "weekdays": []}, "also.0.weekdays"),
            ({"repeat": "cron", "cron": "0 0 30 2 *"}, "also.0.cron"),
        ):
            with pytest.raises(ScheduleError) as caught:
                check({**MONDAYS, "also": [rule]})
            assert caught.value.field == field

    def test_a_rule_without_its_settings_starts_as_the_form_does(self) -> None:
        assert shown({**MONTH_END, "also": [{"repeat": "weekdays"}]}, "2026-11-20T10:00:00Z", 1) == ["11-23 09:00:00"]

    def test_notes_about_clocks_are_those_of_the_rule_that_fires(self) -> None:
        night = {"repeat": "every", "unit": "days", "every": 1, "at": "02:30", "timezone": "Europe/Berlin"}
        config = {**MONDAYS, "timezone": "Europe/Berlin", "also": [night]}
        found = next_fires(config, ms("2026-03-28T12:00:00+01:00"), 3)
        assert notes(config, found) == ["On 2026-03-29 clocks go forward and 02:30 does not exist: it starts at 03:00."]

    def test_a_schedule_of_before_is_what_it_was(self) -> None:
        """Settings that were stored without the newer fields give what they gave."""
        old = {"repeat": "monthly", "day": "last", "at": "18:00", "timezone": "Europe/Berlin", "overlap": "skip"}
        assert shown(old, "2026-11-20T00:00:00Z", 2) == ["11-30 18:00:00", "12-31 18:00:00"]
        assert NODE.problems(old) == []
        assert NODE.filled(old)["also"] == []


class TestSeconds:
    def test_they_are_even_also_over_a_change_of_clocks(self) -> None:
        config = {"repeat": "every", "every": 15, "unit": "seconds", "timezone": "America/New_York"}
        found = next_fires(config, ms("2026-11-01T01:59:50-04:00"), 600)
        assert {later - earlier for earlier, later in pairwise(found)} == {15_000}
        assert words(config) == "Every 15 seconds"

    def test_a_sixth_field_of_cron_is_seconds(self) -> None:
        config = {"repeat": "cron", "cron": "*/20 30 8 * * 1"}
        check(config)
        assert shown(config, "2026-11-20T00:00:00Z", 3) == ["11-23 08:30:00", "11-23 08:30:20", "11-23 08:30:40"]

    @pytest.mark.parametrize(
        "config",
        [
            {"repeat": "every", "every": 4, "unit": "seconds"},
            {"repeat": "cron", "cron": "* * * * * *"},
            {"repeat": "cron", "cron": "0,3 * * * * *"},
            {"repeat": "cron", "cron": "2,58 * * * * *"},
        ],
    )
    def test_less_than_five_apart_is_refused(self, config: dict[str, Any]) -> None:
        with pytest.raises(ScheduleError, match="5 seconds apart"):
            check(config)
        check({"repeat": "every", "every": 5, "unit": "seconds"})
        check({"repeat": "cron", "cron": "*/5 * * * * *"})


class TestWeekdaysOfTheMonth:
    @pytest.mark.parametrize(
        ("nth", "weekday", "found", "sentence"),
        [
            ("1", "mon", ["12-07", "01-04", "02-01"], "On the first Monday of the month at 09:00"),
            ("3", "fri", ["11-20", "12-18", "01-15"], "On the third Friday of the month at 09:00"),
            ("5", "thu", ["12-31", "04-29", "07-29"], "On the fifth Thursday of the month at 09:00"),
            ("last", "mon", ["11-30", "12-28", "01-25"], "On the last Monday of the month at 09:00"),
        ],
    )
    def test_they_are_counted(self, nth: str, weekday: str, found: list[str], sentence: str) -> None:
        config = {"repeat": "nth", "nth": nth, "weekday": weekday, "at": "09:00"}
        assert [at[:5] for at in shown(config, "2026-11-20T00:00:00Z", 3)] == found
        assert words(config) == sentence


class TestDaysOff:
    def test_own_days_off_of_one_year_and_of_every_year(self) -> None:
        config = {**MONTH_END, "free_days": ["12-31", "2027-01-29"], "calendar": "DE"}
        assert shown(config, "2026-11-30T19:00:00Z", 4) == [
            "12-30 18:00:00", "01-28 18:00:00", "02-26 18:00:00", "03-31 18:00:00",
        ]  # fmt: skip
        assert shown(config, "2027-12-01T00:00:00Z", 2) == ["12-30 18:00:00", "01-31 18:00:00"]

    def test_they_move_a_start_as_holidays_do(self) -> None:
        config = {"repeat": "monthly", "day": "24", "at": "08:00", "off_days": "before", "free_days": ["12-24"]}
        assert shown(config, "2026-12-01T00:00:00Z", 1) == ["12-23 08:00:00"]

    @pytest.mark.parametrize("day", ["24.12.", "2026-13-01", "12-32", "", "2026-12"])
    def test_a_day_that_cannot_be_read_is_named(self, day: str) -> None:
        with pytest.raises(ScheduleError) as caught:
            check({**MONDAYS, "free_days": ["12-24", day]})
        assert caught.value.field == "free_days.1"


#: The same times once as a form has them and once as cron does.
AS_CRON = [
    ({"repeat": "every", "every": 1, "unit": "days", "at": "02:30"}, "30 2 * * *"),
    ({"repeat": "weekdays", "weekdays": ["sun"], "at": "02:00"}, "0 2 * * 0"),
    ({"repeat": "weekdays", "weekdays": ["sun"], "at": "01:45"}, "45 1 * * 7"),
    ({"repeat": "weekdays", "weekdays": ["sat", "sun"], "at": "02:15"}, "15 2 * * 6,0"),
    ({"repeat": "nth", "nth": "last", "weekday": "sun", "at": "02:59"}, "59 2 * * 0L"),
    ({"repeat": "nth", "nth": "1", "weekday": "sun", "at": "01:30"}, "30 1 * * 0#1"),
    ({"repeat": "monthly", "day": "last", "at": "18:00"}, "0 18 L * *"),
]


@pytest.mark.parametrize("zone", ZONES)
class TestTwoYears:
    """F20: what cronsim says, from the first to the last moment, and picked up again after each of them."""

    @pytest.mark.parametrize(("config", "cron"), AS_CRON, ids=[cron for _, cron in AS_CRON])
    def test_what_the_form_says_is_what_cron_would_do(self, zone: str, config: dict[str, Any], cron: str) -> None:
        assert in_two_years({**config, "timezone": zone}) == expected(cron, zone)

    def test_an_hour_is_an_hour_as_it_passes(self, zone: str) -> None:
        """Where clocks change by half an hour, full hours become half past for the other half of the year."""
        found = in_two_years({"repeat": "every", "every": 1, "unit": "hours", "timezone": zone})
        assert {later - earlier for earlier, later in pairwise(found)} == {3_600_000}
        if zone != "Australia/Lord_Howe":
            assert found == expected("0 * * * *", zone)

    @pytest.mark.parametrize("cron", ["30 2 * * *", "*/30 1-2 * * 0", "15 1,2 * * 0", "0 0-4/2 * * *"])
    def test_a_cron_start_picks_up_after_each_moment(self, zone: str, cron: str) -> None:
        config = {"repeat": "cron", "cron": cron, "timezone": zone}
        wanted = expected(cron, zone)
        assert in_two_years(config) == wanted
        # As the ticker goes on: from one instant to the next, with nothing in mind but that instant.
        changes = [at for at in wanted if is_near_change(at, zone)]
        following = dict(pairwise(wanted))
        assert changes or zone == "Asia/Kathmandu"
        for at in [*changes, *wanted[:: max(1, len(wanted) // 50)]]:
            if at in following:
                assert next_fires(config, at, 1) == [following[at]]

    def test_several_rules_are_the_union(self, zone: str) -> None:
        rules = [{"repeat": "cron", "cron": "30 2 * * *"}, {"repeat": "cron", "cron": "*/30 1-2 * * 0"}]
        config = {**rules[0], "timezone": zone, "also": [rules[1]]}
        assert in_two_years(config) == sorted({*expected("30 2 * * *", zone), *expected("*/30 1-2 * * 0", zone)})


def in_two_years(config: dict[str, Any]) -> list[int]:
    end = int(END.timestamp() * 1000)
    return list(takewhile(lambda at: at < end, moments(config, int(BEGIN.timestamp() * 1000) - 1)))


@lru_cache
def expected(cron: str, zone: str) -> list[int]:
    """Straight from cronsim, which begins before the time that is looked at."""
    simulated = CronSim(cron, (BEGIN - timedelta(days=3)).astimezone(ZoneInfo(zone)))
    found = (int(at.timestamp() * 1000) for at in islice(simulated, 200_000))
    begin, end = int(BEGIN.timestamp() * 1000), int(END.timestamp() * 1000)
    return [at for at in takewhile(lambda at: at < end, found) if at >= begin]


def is_near_change(at: int, zone: str) -> bool:
    place, hours = ZoneInfo(zone), timedelta(hours=3)
    moment = datetime.fromtimestamp(at / 1000, UTC)
    offsets = {(moment + step).astimezone(place).utcoffset() for step in (-hours, hours)}
    return len(offsets) > 1


def test_several_rules_together_are_not_more_hasty_than_one() -> None:
    config = {"repeat": "cron", "cron": "*/5 * * * * *", "also": [{"repeat": "cron", "cron": "2/5 * * * * *"}]}
    with pytest.raises(ScheduleError, match="those of several rules too") as refused:
        check(config)
    assert refused.value.field == "also.0.repeat"
    check({**config, "also": [{"repeat": "cron", "cron": "*/10 * * * * *"}]})


def closed(first: str, last: str) -> WorkCalendar:
    own = dict.fromkeys(every_day(first, last), ("Closed", False))
    return WorkCalendar(own=own, mark=f"{first}{last}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Of which days it was asked whether they are worked."""
    days: list[Any] = []
    real = calendars.is_working_day

    def counted(day: Any, calendar: WorkCalendar) -> bool:
        days.append(day)
        return real(day, calendar)

    monkeypatch.setattr(calendars, "is_working_day", counted)
    monkeypatch.setattr(schedules, "is_working_day", counted)
    return days


class TestClosures:
    def test_what_comes_every_few_seconds_starts_again_behind_a_long_closure(self, asked: list[Any]) -> None:
        config = {"every": 5, "unit": "seconds", "off_days": "skip", "calendar": closed("2026-12-19", "2027-01-03")}
        # From the last start on the Friday; a look at every moment in between would be a quarter of a million.
        assert shown(config, "2026-12-18T23:59:54Z", 3) == ["12-18 23:59:55", "01-04 00:00:00", "01-04 00:00:05"]
        assert len(asked) < 50

    @pytest.mark.parametrize(
        "rule",
        [
            {"every": 7, "unit": "minutes"},
            {"every": 7, "unit": "minutes", "starts_on": "2026-10-16"},
            {"every": 5, "unit": "hours"},
            {"repeat": "cron", "cron": "*/11 */3 * * *"},
            {"repeat": "cron", "cron": "*/7 13 2 * * *"},
            {"repeat": "cron", "cron": "30 2 * * 0,1"},
        ],
    )
    @pytest.mark.parametrize("zone", ZONES)
    def test_the_moments_behind_a_closure_are_those_that_would_have_come_anyway(
        self, rule: dict[str, Any], zone: str
    ) -> None:
        calendar = closed("2026-10-20", "2026-11-05")
        config = {**rule, "timezone": zone}
        after, until = ms("2026-10-15T00:00:00Z"), ms("2026-11-20T00:00:00Z")
        found = list(
            takewhile(lambda at: at < until, moments({**config, "off_days": "skip", "calendar": calendar}, after))
        )
        place = ZoneInfo(zone)
        expected = [
            at
            for at in takewhile(lambda at: at < until, moments(config, after))
            if calendars.is_working_day(datetime.fromtimestamp(at / 1000, place).date(), calendar)
        ]
        assert found == expected != []

    def test_a_start_that_moves_is_not_lost_in_a_closure_of_two_months(self) -> None:
        config = {"repeat": "monthly", "day": "15", "at": "09:00", "calendar": closed("2027-07-01", "2027-08-31")}
        later = {**config, "off_days": "after"}
        assert shown(later, "2027-06-20T00:00:00Z", 2) == ["09-01 09:00:00", "09-15 09:00:00"]
        # Also where somebody asks again at its end.
        assert shown(later, "2027-08-31T12:00:00Z", 1) == ["09-01 09:00:00"]
        assert shown(later, "2027-09-01T08:00:00Z", 1) == ["09-01 09:00:00"]
        assert shown({**config, "off_days": "before"}, "2027-06-20T00:00:00Z", 2) == [
            "06-30 09:00:00",
            "09-15 09:00:00",
        ]

    @pytest.mark.parametrize("off_days", ["skip", "before", "after"])
    def test_where_nobody_ever_works_nothing_comes_and_that_is_soon_said(self, off_days: str, asked: list[Any]) -> None:
        never = closed("01-01", "12-31")
        rule = {"repeat": "weekdays", "weekdays": ["mon", "tue", "wed"], "off_days": off_days, "calendar": never}
        assert next_fires(rule, ms("2026-11-20T00:00:00Z"), 1) == []
        if off_days == "skip":
            assert next_fires({"every": 5, "unit": "seconds", "off_days": "skip", "calendar": never}, 0, 1) == []
        assert len(asked) < 4 * 366 * 9

    def test_what_only_falls_on_days_off_ends_the_look_for_it(self, asked: list[Any]) -> None:
        sundays = {"repeat": "cron", "cron": "0 9 * * 0", "off_days": "skip"}
        assert next_fires(sundays, ms("2026-11-20T00:00:00Z"), 1) == []
        assert len(asked) < 366 * 9
