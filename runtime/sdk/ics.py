"""Days from a calendar file (iCalendar, `.ics`): what of it a business calendar can take over. Nothing is fetched.

Taken over are events of whole days, once or every year; everything else is left out and said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

__all__ = ["IcsEvent", "IcsUnreadable", "LeftOut", "events_of"]

MOST_EVENTS: Final = 2_000
_MOST_LINES: Final = 100_000
_LONGEST_DAYS: Final = 366
_LONGEST_NAME: Final = 100
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class IcsUnreadable(ValueError):
    """This is no calendar file. The message is a plain sentence."""


@dataclass(frozen=True, slots=True)
class IcsEvent:
    """An event from its first day to its last. `yearly`: again every year."""

    name: str
    first: date
    last: date
    yearly: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An event that is not taken over, and why: `cancelled`, `time` (not whole days), `repeats` (in another way than
    every year, or with exceptions), `long` (more than a year), `broken` (its dates cannot be read)."""

    name: str
    why: str


def events_of(text: str) -> Iterator[IcsEvent | LeftOut]:
    """The events of a file, in its order. Raises IcsUnreadable."""
    lines = _lines(text)
    if not lines or lines[0].strip().lower() != "begin:vcalendar":
        raise IcsUnreadable("This is no calendar file: it does not begin with BEGIN:VCALENDAR.")
    if lines[-1].strip().lower() != "end:vcalendar":
        raise IcsUnreadable("This calendar file is cut off: its end is missing.")
    found: dict[str, tuple[str, str]] | None = None
    inner = count = 0
    events: list[dict[str, tuple[str, str]]] = []
    for line in lines[1:-1]:
        name, parameters, value = _parts(line)
        match name.lower(), value.strip().lower():
            case "begin", "vevent":
                found, inner, count = {}, 0, count + 1
                if count > MOST_EVENTS:
                    raise IcsUnreadable(f"This calendar file has more than {MOST_EVENTS:,} events.")
            case "end", "vevent":
                if found is not None:
                    events.append(found)
                found = None
            case "begin", _:
                inner += 1  # an alarm within an event has a description of its own
            case "end", _:
                inner = max(0, inner - 1)
            case _:
                if found is not None and not inner:
                    found.setdefault(name, (parameters, value))
    if not count:
        raise IcsUnreadable("There are no events in this calendar file.")
    # Another event may say of a series that one of its days is otherwise.
    changed = {_uid(one) for one in events if "RECURRENCE-ID" in one}
    for one in events:
        yield _event(one, excepted="RECURRENCE-ID" in one or (_uid(one) in changed and _uid(one) != ""))


def _lines(text: str) -> list[str]:
    """With what goes on in the next line put back."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text.removeprefix("\ufeff").strip())
    lines = [line for line in unfolded.splitlines() if line.strip()]
    if len(lines) > _MOST_LINES:
        raise IcsUnreadable("This calendar file is too long.")
    return lines


def _parts(line: str) -> tuple[str, str, str]:
    """Name, parameters, and value of a line; a colon within quotes is part of a parameter."""
    quoted = False
    for place, sign in enumerate(line):
        if sign == '"':
            quoted = not quoted
        elif sign == ":" and not quoted:
            name, _, parameters = line[:place].partition(";")
            return name.strip().upper(), parameters.upper(), line[place + 1 :]
    return line.strip().upper(), "", ""


def _uid(found: dict[str, tuple[str, str]]) -> str:
    return found.get("UID", ("", ""))[1].strip()


def _event(found: dict[str, tuple[str, str]], *, excepted: bool) -> IcsEvent | LeftOut:
    """`excepted`: it is an exception of a series, or a series that has one."""
    said = _ESCAPED.sub(lambda one: " " if one[1] in "nN" else one[1], found.get("SUMMARY", ("", ""))[1])
    name = " ".join(said.split())[:_LONGEST_NAME]
    if found.get("STATUS", ("", ""))[1].strip().upper() == "CANCELLED":
        return LeftOut(name, "cancelled")
    parameters, begins = found.get("DTSTART", ("", ""))
    begins = begins.strip()
    if len(begins) != 8 and "VALUE=DATE" not in parameters.split(";"):
        return LeftOut(name, "time" if begins else "broken")
    try:
        first = _day(begins)
        end = found.get("DTEND", ("", ""))[1].strip()
        # The end is the day after the last one.
        last = _day(end) - timedelta(days=1) if end else first + timedelta(days=_span(found) - 1)
    except (ValueError, OverflowError):
        return LeftOut(name, "broken")
    last = max(first, last)
    if (last - first).days >= _LONGEST_DAYS:
        return LeftOut(name, "long")
    rule = found.get("RRULE", ("", ""))[1].strip().upper()
    if rule and not _is_yearly(rule, first):
        return LeftOut(name, "repeats")
    if excepted or "RDATE" in found or "EXDATE" in found:
        return LeftOut(name, "repeats")
    if rule and first != last and (first.month, first.day) == (last.month, last.day):
        return LeftOut(name, "long")  # every year from a day to the same one of the next year
    return IcsEvent(name, first, last, bool(rule))


def _day(text: str) -> date:
    return datetime.strptime(text[:8], "%Y%m%d").date()


def _span(found: dict[str, tuple[str, str]]) -> int:
    length = re.fullmatch(
        r"P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T0.)?", found.get("DURATION", ("", "P1D"))[1].strip().upper()
    )
    if length is None:
        raise ValueError
    return max(1, int(length[1] or 0) * 7 + int(length[2] or 0))


def _is_yearly(rule: str, first: date) -> bool:
    """Whether it comes every year on the same day for good, which `12-24` can say."""
    parts = dict(part.partition("=")[::2] for part in rule.split(";") if part)
    same = {"FREQ": {"YEARLY"}, "INTERVAL": {"1"}, "BYMONTH": {str(first.month)}, "BYMONTHDAY": {str(first.day)}}
    return parts.get("FREQ") == "YEARLY" and all(
        name == "WKST" or value in same.get(name, ()) for name, value in parts.items()
    )
