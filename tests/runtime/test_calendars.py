"""Business calendars of a workspace: what they say of days, and that schedules, alerts and questions go by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runtime import api
from runtime.contracts import GraphHasProblems, NotFound, RuntimeRefused, TaskView
from runtime.contracts.alerts import Arrival
from runtime.contracts.calendars import CalendarDay, CalendarDraft, CalendarRefused
from runtime.sdk.calendars import WorkCalendar, count_days, every_day, is_working_day
from runtime.sdk.deadlines import after_working_days
from runtime.sdk.errors import PermanentError
from runtime.store import alert_measures
from runtime.store.calendars import calendar_for, work_calendar
from runtime.store.dialect import database_now
from runtime.store.models import BusinessCalendar, Trigger
from tests.runtime.machine import WORKSPACE, Machine, flow
from tests.runtime.test_people import LINKS, approval, asked
from tests.runtime.test_schedule_changes import published

pytestmark = pytest.mark.django_db(transaction=True)

OFFICE = CalendarDraft(
    name="Head office",
    country="DE",
    region="BY",
    days=(
        CalendarDay("12-24", "Closed", "01-02"),
        CalendarDay("2027-06-11", "Company day"),
        CalendarDay("2027-10-03", "Stocktaking", works=True),
    ),
    close="last_workday",
)


def added(draft: CalendarDraft = OFFICE, workspace: UUID = WORKSPACE) -> UUID:
    return api.add_calendar(workspace_id=workspace, draft=draft, by=None)


def changed(calendar_id: UUID, **more: Any) -> None:
    view = api.calendar(workspace_id=WORKSPACE, calendar_id=calendar_id)
    api.change_calendar(
        workspace_id=WORKSPACE,
        calendar_id=calendar_id,
        revision=view.revision,
        draft=replace(view.draft, **more),
        by=None,
    )


def works(day: str, named: str = "@default") -> bool:
    return is_working_day(date.fromisoformat(day), calendar_for(WORKSPACE, named))


def test_holidays_own_days_and_weekdays_decide_in_their_order() -> None:
    added()
    assert [works(day) for day in ("2027-06-10", "2027-06-11", "2027-06-12")] == [True, False, False]
    # Epiphany is a holiday in Bavaria; the day between the years is one of every year.
    assert [works(day) for day in ("2027-01-06", "2027-01-02", "2026-12-31", "2027-01-04")] == [
        False,
        False,
        False,
        True,
    ]
    # A Sunday, and a holiday: worked by its own word.
    assert works("2027-10-03")


def test_worked_weekdays_are_the_calendars_own() -> None:
    added(CalendarDraft("Shop", weekdays=(1, 2, 3, 4, 5)))
    assert [works(f"2026-11-{day}") for day in (28, 29, 30)] == [True, False, False]


def test_a_day_off_is_one_of_its_weekday_only_where_no_other_word_counts_more() -> None:
    days = (
        CalendarDay("2027-08-02", "Works holiday", "2027-08-13"),
        CalendarDay("2027-08-05", "Emergency", works=True),
    )
    added(CalendarDraft("Plant", days=days))
    assert [works(f"2027-08-0{day}") for day in (4, 5, 6)] == [False, True, False]


def test_days_of_every_year_may_go_over_its_end() -> None:
    assert list(every_day("12-30", "01-02")) == ["12-30", "12-31", "01-01", "01-02"]
    assert list(every_day("02-28", "03-01")) == ["02-28", "02-29", "03-01"]
    # The 29th of February belongs to every range that goes over it.
    for first, last, count, leap in (
        ("02-15", "01-31", 352, True),
        ("02-29", "02-28", 366, True),
        ("03-01", "02-29", 366, True),
        ("03-01", "02-28", 365, False),
        ("12-24", "02-29", 68, True),
    ):
        days = list(every_day(first, last))
        assert ((days[0], days[-1]), "02-29" in days) == ((first, last), leap)
        assert len(days) == len(set(days)) == count_days(first, last) == count
    assert list(every_day("2027-02-28", "2027-03-01")) == ["2027-02-28", "2027-03-01"]
    for first, last in (("2027-03-01", "2027-02-28"), ("12-24", "2027-01-01"), ("x", "x")):
        with pytest.raises(ValueError, match=r"^$"):
            list(every_day(first, last))
    with pytest.raises(ValueError, match="day is out of range"):
        list(every_day("02-30", "03-01"))


def test_the_first_calendar_is_the_default_and_there_is_always_one() -> None:
    first = added()
    second = added(CalendarDraft("Branch"))
    assert [(one.key, one.draft.default) for one in api.calendars(workspace_id=WORKSPACE)] == [
        ("head-office", True),
        ("branch", False),
    ]
    with pytest.raises(CalendarRefused) as caught:
        changed(first, default=False)
    assert set(caught.value.fields) == {"default"}
    with pytest.raises(RuntimeRefused, match="default first"):
        api.remove_calendar(workspace_id=WORKSPACE, calendar_id=first)
    changed(second, default=True)
    assert [one.key for one in api.calendars(workspace_id=WORKSPACE)] == ["branch", "head-office"]
    api.remove_calendar(workspace_id=WORKSPACE, calendar_id=first)
    api.remove_calendar(workspace_id=WORKSPACE, calendar_id=second)
    assert api.calendars(workspace_id=WORKSPACE) == []


def test_the_key_stays_when_the_name_changes_and_is_no_other_ones() -> None:
    first = added(CalendarDraft("Größe & Co."))
    changed(first, name="Small")
    second = added(CalendarDraft("Grosse Co"))
    assert {one.id: one.key for one in api.calendars(workspace_id=WORKSPACE)} == {
        first: "grosse-co",
        second: "grosse-co-2",
    }
    assert api.calendar(workspace_id=WORKSPACE, calendar_id=added(CalendarDraft("Default"))).key == "default-2"
    assert api.calendar(workspace_id=WORKSPACE, calendar_id=added(CalendarDraft("日本"))).key == "calendar"


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (CalendarDraft(" "), "name"),
        (CalendarDraft("Head office"), "name"),
        (CalendarDraft("A", weekdays=()), "weekdays"),
        (CalendarDraft("A", country="XX"), "country"),
        (CalendarDraft("A", country="DE", region="ZZ"), "region"),
        (CalendarDraft("A", close="sometimes"), "close"),
        (CalendarDraft("A", days=(CalendarDay("02-30", ""),)), "days.0.day"),
        (CalendarDraft("A", days=(CalendarDay("2027-02-01", "", "2027-01-01"),)), "days.0.day"),
        (CalendarDraft("A", days=(CalendarDay("2027-02-01", "", "2029-01-01"),)), "days.0.until"),
        (CalendarDraft("A", days=(CalendarDay("0001-01-01", "", "9999-12-31"),)), "days.0.until"),
        (CalendarDraft("A", days=(CalendarDay("01-01", "", "12-31"),)), "days"),
    ],
)
def test_what_is_no_calendar_is_refused_by_its_field(draft: CalendarDraft, field: str) -> None:
    added()
    with pytest.raises(CalendarRefused) as caught:
        added(draft)
    assert set(caught.value.fields) == {field}


def test_a_workspace_has_twenty_calendars_and_no_other_ones() -> None:
    for number in range(20):
        added(CalendarDraft(f"Number {number}"))
    with pytest.raises(RuntimeRefused, match="at most 20"):
        added(CalendarDraft("One more"))
    elsewhere = UUID(int=99)
    theirs = added(OFFICE, elsewhere)
    with pytest.raises(NotFound):
        api.calendar(workspace_id=WORKSPACE, calendar_id=theirs)
    with pytest.raises(NotFound):
        api.remove_calendar(workspace_id=WORKSPACE, calendar_id=theirs)


def test_whoever_changes_what_somebody_else_has_changed_is_told() -> None:
    made = added()
    changed(made, name="Office")
    with pytest.raises(RuntimeRefused, match="Somebody else"):
        api.change_calendar(workspace_id=WORKSPACE, calendar_id=made, revision=1, draft=OFFICE, by=None)
    # What is so already is no change.
    now = api.calendar(workspace_id=WORKSPACE, calendar_id=made)
    api.change_calendar(workspace_id=WORKSPACE, calendar_id=made, revision=1, draft=now.draft, by=None)
    assert api.calendar(workspace_id=WORKSPACE, calendar_id=made).revision == 2


def test_who_is_no_longer_the_default_has_changed_by_that() -> None:
    first, second = added(), added(CalendarDraft("Branch"))
    known = api.calendar(workspace_id=WORKSPACE, calendar_id=first)
    changed(second, default=True)
    third = added(CalendarDraft("Third", default=True))
    assert [one.revision for one in api.calendars(workspace_id=WORKSPACE)] == [1, 3, 2]
    with pytest.raises(RuntimeRefused) as caught:
        api.change_calendar(
            workspace_id=WORKSPACE,
            calendar_id=first,
            revision=known.revision,
            draft=replace(known.draft, close=""),
            by=None,
        )
    assert caught.value.code == "calendar_changed"
    assert api.calendars(workspace_id=WORKSPACE)[0].id == third


def test_a_range_of_ten_thousand_years_is_counted_without_going_through_it() -> None:
    assert count_days("0001-01-01", "9999-12-31") == 3_652_059


def test_what_was_not_kept_is_not_taken_for_the_calendar() -> None:
    row = BusinessCalendar.objects.get(pk=added())
    assert work_calendar(row).weekdays == (0, 1, 2, 3, 4)
    # The same revision, as another change would have had it that was taken back.
    row.weekdays = "0111110"
    assert work_calendar(row).weekdays == (1, 2, 3, 4, 5)
    row.country, row.region = "AT", ""
    assert (work_calendar(row).country, work_calendar(row).region) == ("AT", "")


def test_a_year_tells_its_days_and_counts_working_ones() -> None:
    year = api.calendar_year(workspace_id=WORKSPACE, calendar_id=added(), year=2027)
    days = {(one.day.isoformat(), one.kind): one.name for one in year.days}
    assert days["2027-01-06", "holiday"] == "Heilige Drei Könige"
    assert days["2027-06-11", "off"] == "Company day"
    assert days["2027-10-03", "worked"] == "Stocktaking"
    assert days["2027-12-23", "close"] == ""
    assert days["2027-01-29", "close"] == ""
    assert date(2027, 6, 12) in year.free
    assert year.working_days[5] == 21
    with pytest.raises(RuntimeRefused, match="1970"):
        api.calendar_year(workspace_id=WORKSPACE, calendar_id=api.calendars(workspace_id=WORKSPACE)[0].id, year=1)


def test_a_file_is_looked_at_and_nothing_is_kept() -> None:
    text = (
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Company day\nDTSTART;VALUE=DATE:20270611\nEND:VEVENT\n"
        "BEGIN:VEVENT\nSUMMARY:Closed\nDTSTART;VALUE=DATE:20201224\nDTEND;VALUE=DATE:20210101\nRRULE:FREQ=YEARLY\n"
        "END:VEVENT\nBEGIN:VEVENT\nSUMMARY:Meeting\nDTSTART:20270611T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    found = api.ics_days(text=text, known=(CalendarDay("2027-06-11", "Summer party"),))
    assert found.days == [CalendarDay("12-24", "Closed", "12-31")]
    assert (found.known, found.left_out) == (1, [("Meeting", "time")])
    for bad in ("no", "x" * 200_001):
        with pytest.raises(RuntimeRefused) as caught:
            api.ics_days(text=bad)
        assert caught.value.code == "bad_ics"
    assert not BusinessCalendar.objects.exists()


# --- what goes by them ------------------------------------------------------------------------------------------------


def starts(machine: Machine, **config: Any) -> Trigger:
    published(machine, **{"repeat": "weekdays", "at": "08:00", "off_days": "skip", "calendar": "@default", **config})
    return Trigger.objects.get()


def next_day(row: Trigger) -> str:
    row.refresh_from_db()
    assert row.next_fire_at is not None
    return datetime.fromtimestamp(row.next_fire_at / 1000, UTC).date().isoformat()


def test_a_schedule_starts_anew_by_a_calendar_that_changes(idle_machine: Machine) -> None:
    made = added(CalendarDraft("Office"))
    row = starts(idle_machine, weekdays=["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    first = next_day(row)
    changed(made, days=(CalendarDay(first, "Off"),))
    second = next_day(row)
    assert second > first
    changed(made, days=())
    assert next_day(row) == first
    # The version that is live says what it said.
    assert '"@default"' in row.config
    # Another one becomes the default.
    other = added(CalendarDraft("Other", days=(CalendarDay(first, "Off"),)))
    changed(other, default=True)
    assert next_day(row) == second


def test_the_schedules_page_names_the_calendar_its_days_and_its_closes(idle_machine: Machine) -> None:
    added()
    starts(idle_machine, calendar="@head-office", off_days="before")
    (view,) = api.schedules(workspace_id=WORKSPACE)
    assert view.calendar == "Head office"
    assert view.words.endswith("or on the working day before (calendar “Head office”)")
    begin, end = (int(datetime(2027, *day, tzinfo=UTC).timestamp() * 1000) for day in ((6, 1), (7, 1)))
    found = api.schedule_calendar(workspace_id=WORKSPACE, begin=begin, end=end, time_zone="UTC")
    assert [(str(one.day), one.name, one.calendar, one.kind) for one in found.free_days] == [
        ("2027-06-11", "Company day", "Head office", "off"),
        ("2027-06-30", "", "Head office", "close"),
    ]


def test_a_schedule_is_previewed_by_the_calendar_of_its_workspace(db: None) -> None:
    config = {"repeat": "monthly", "day": "last_workday", "at": "18:00", "calendar": "@head-office"}
    after = int(datetime(2027, 12, 1, tzinfo=UTC).timestamp() * 1000)
    told = api.schedule_preview(workspace_id=WORKSPACE, config=config, after=after, count=1)
    assert "no calendar “head-office”" in told.notes[0]
    added()
    told = api.schedule_preview(workspace_id=WORKSPACE, config=config, after=after, count=1)
    assert datetime.fromtimestamp(told.fires[0] / 1000, UTC) == datetime(2027, 12, 23, 18, tzinfo=UTC)
    assert told.words == "On the last working day of the month at 18:00 (calendar “Head office”)"
    assert told.notes == []


def test_a_version_that_names_a_calendar_that_is_not_here_is_not_published(idle_machine: Machine) -> None:
    with pytest.raises(GraphHasProblems) as caught:
        starts(idle_machine, calendar="@elsewhere")
    assert [(one.code, one.field) for one in caught.value.problems] == [("no_such_calendar", "calendar")]
    with pytest.raises(GraphHasProblems):
        starts(idle_machine)  # there is no default yet


def test_a_calendar_that_no_longer_counts_does_not_keep_a_version_from_being_published(
    idle_machine: Machine,
) -> None:
    by_hours = approval(due=4, due_unit="hours", country="@elsewhere")
    idle_machine.publish(flow(LINKS, by_hours))
    with pytest.raises(GraphHasProblems) as caught:
        idle_machine.publish(flow(LINKS, approval(due=4, due_unit="working_days", country="@elsewhere")))
    assert [(one.code, one.field) for one in caught.value.problems] == [("no_such_calendar", "country")]


def test_the_calendars_are_read_once_for_all_steps_of_a_version(idle_machine: Machine) -> None:
    added()
    steps = [approval(f"ask{number}", due=1, due_unit="working_days", country="@default") for number in range(5)]
    with CaptureQueriesContext(connection) as asked:
        idle_machine.publish(flow(", ".join(f"start -> {one['key']}" for one in steps), *steps))
    assert sum("store_businesscalendar" in one["sql"].lower() for one in asked) == 1


def test_a_calendar_that_changes_asks_no_more_often_for_many_schedules(idle_machine: Machine) -> None:
    made = added(CalendarDraft("Office", weekdays=(0,)))
    counts = []
    for number in (1, 2, 3):
        published(idle_machine, repeat="weekdays", at="08:00", off_days="skip", calendar="@default")
        with CaptureQueriesContext(connection) as asked:
            changed(made, name=f"Office {number}", weekdays=(number,))
        counts.append(len(asked))
    assert counts[0] == counts[1] == counts[2]
    days = {datetime.fromtimestamp((row.next_fire_at or 0) / 1000, UTC).weekday() for row in Trigger.objects.all()}
    assert days == {3}


def test_what_a_calendar_that_is_gone_meant_goes_by_the_default_one(idle_machine: Machine) -> None:
    added(CalendarDraft("Default one", weekdays=(5,)))
    assert works("2026-11-28", "@gone")
    BusinessCalendar.objects.all().delete()
    assert not works("2026-11-28", "@gone")


def test_alerts_expect_nothing_on_days_off_of_the_calendar() -> None:
    added(CalendarDraft("Office", days=(CalendarDay("2026-11-27", "Bridge day"),)))
    now = int(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp() * 1000)
    found = alert_measures.expected(WORKSPACE, Arrival("09:00", country="@office"), "UTC", now)
    assert found is not None
    assert datetime.fromtimestamp(found / 1000, UTC) == datetime(2026, 11, 26, 9, tzinfo=UTC)


def test_a_due_date_counts_the_working_days_of_the_calendar() -> None:
    now = int(datetime(2027, 12, 23, 10, tzinfo=UTC).timestamp() * 1000)
    added()
    due = after_working_days(now, Decimal(1), "UTC", calendar_for(WORKSPACE, "@head-office"))
    assert datetime.fromtimestamp(due / 1000, UTC) == datetime(2028, 1, 3, 10, tzinfo=UTC)
    plain = after_working_days(now, Decimal(1), "UTC", WorkCalendar())
    assert datetime.fromtimestamp(plain / 1000, UTC) == datetime(2027, 12, 24, 10, tzinfo=UTC)


def test_a_due_date_of_a_calendar_on_which_nobody_works_fails_in_words() -> None:
    never = WorkCalendar(own=dict.fromkeys(every_day("01-01", "12-31"), ("Closed", False)))
    with pytest.raises(PermanentError, match="too few working days"):
        after_working_days(database_now(), Decimal(1), "UTC", never)


def test_a_question_stays_due_when_it_was_and_the_next_one_goes_by_the_calendar_as_it_is_then(
    machine: Machine,
) -> None:
    # Worked on one day of the week: that of the day after tomorrow.
    today = datetime.fromtimestamp(database_now() / 1000, UTC).date()
    weekday = (today.weekday() + 2) % 7
    made = added(CalendarDraft("Office", weekdays=(weekday,)))
    question = approval(due=1, due_unit="working_days", country="@office")
    run_id = machine.begin(flow(LINKS, question), {"amount": 1})
    first = asked(run_id)
    assert due_day(first) == today + timedelta(days=2)
    changed(made, weekdays=((weekday + 1) % 7,))
    assert due_day(asked(run_id)) == today + timedelta(days=2)
    second = asked(machine.begin(flow(LINKS, question), {"amount": 2}))
    assert due_day(second) == today + timedelta(days=3)


def due_day(task: TaskView) -> date:
    assert task.due_at is not None
    return datetime.fromtimestamp(task.due_at / 1000, UTC).date()
