"""Calendar files: what a business calendar takes over of them, and what it says about the rest."""

from __future__ import annotations

from datetime import date

import pytest

from runtime.sdk.ics import IcsEvent, IcsUnreadable, LeftOut, events_of


def file_of(*events: str) -> str:
    inner = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inner}END:VCALENDAR\r\n"


def one(*lines: str) -> IcsEvent | LeftOut:
    (found,) = events_of(file_of("\r\n".join(lines)))
    return found


def test_a_whole_day_and_several_are_taken_over_with_their_names() -> None:
    party = one("SUMMARY:Company day", "DTSTART;VALUE=DATE:20270611", "DTEND;VALUE=DATE:20270612")
    assert party == IcsEvent("Company day", date(2027, 6, 11), date(2027, 6, 11), False)
    closed = one("SUMMARY:Closed", "DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20270101")
    assert closed == IcsEvent("Closed", date(2026, 12, 24), date(2026, 12, 31), False)
    assert one("DTSTART:20270611").first == date(2027, 6, 11)  # type: ignore[union-attr]


def test_a_length_stands_for_an_end() -> None:
    found = one("SUMMARY:Week", "DTSTART;VALUE=DATE:20270607", "DURATION:P1W")
    assert found == IcsEvent("Week", date(2027, 6, 7), date(2027, 6, 13), False)


def test_what_comes_every_year_is_for_every_year() -> None:
    lines = ("SUMMARY:Founders' day", "DTSTART;VALUE=DATE:20200301", "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1")
    assert one(*lines) == IcsEvent("Founders' day", date(2020, 3, 1), date(2020, 3, 1), True)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("DTSTART:20270611T090000Z", "DTEND:20270611T100000Z"), "time"),
        (("DTSTART;VALUE=DATE:20270611", "RRULE:FREQ=WEEKLY"), "repeats"),
        (("DTSTART;VALUE=DATE:20270611", "RRULE:FREQ=YEARLY;UNTIL=20300101"), "repeats"),
        (("DTSTART;VALUE=DATE:20270611", "RRULE:FREQ=YEARLY;BYDAY=1MO;BYMONTH=6"), "repeats"),
        (("DTSTART;VALUE=DATE:20270611", "RDATE;VALUE=DATE:20270711"), "repeats"),
        (("DTSTART;VALUE=DATE:20270611", "DTEND;VALUE=DATE:20280701"), "long"),
        (("DTSTART;VALUE=DATE:20260611", "DTEND;VALUE=DATE:20270612", "RRULE:FREQ=YEARLY"), "long"),
        (("DTSTART;VALUE=DATE:20270611", "STATUS:CANCELLED"), "cancelled"),
        (("DTSTART;VALUE=DATE:20270611", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20280611"), "repeats"),
        (("DTSTART;VALUE=DATE:20271399",), "broken"),
        (("DTSTART;VALUE=DATE:20270611", "DURATION:soon"), "broken"),
        ((), "broken"),
    ],
)
def test_what_cannot_be_taken_over_is_said(lines: tuple[str, ...], why: str) -> None:
    assert one("SUMMARY:Something", *lines) == LeftOut("Something", why)


def test_a_series_of_which_one_day_is_otherwise_is_not_taken_over_nor_is_that_day() -> None:
    series = "UID:1\r\nSUMMARY:Founders\r\nDTSTART;VALUE=DATE:20270611\r\nRRULE:FREQ=YEARLY"
    moved = "UID:1\r\nSUMMARY:Moved\r\nDTSTART;VALUE=DATE:20280612\r\nRECURRENCE-ID;VALUE=DATE:20280611"
    other = "UID:2\r\nSUMMARY:Other\r\nDTSTART;VALUE=DATE:20270701"
    found = list(events_of(file_of(series, moved, other)))
    day = date(2027, 7, 1)
    assert found == [LeftOut("Founders", "repeats"), LeftOut("Moved", "repeats"), IcsEvent("Other", day, day, False)]


def test_folded_lines_escapes_and_alarms_are_understood() -> None:
    found = one(
        'SUMMARY;LANGUAGE="de:x":Fest\\, mit\r\n  Essen\\nund Musik',
        "BEGIN:VALARM",
        "SUMMARY:Not this",
        "DTSTART:20200101",
        "END:VALARM",
        "DTSTART;VALUE=DATE:20270611",
    )
    assert found == IcsEvent("Fest, mit Essen und Musik", date(2027, 6, 11), date(2027, 6, 11), False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no calendar file"),
        ("%PDF-1.7", "no calendar file"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270611\n", "cut off"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no events"),
        (file_of(*["DTSTART:20270611"] * 2_001), "more than 2,000 events"),
    ],
)
def test_what_is_no_calendar_file_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(IcsUnreadable, match=says):
        list(events_of(text))
