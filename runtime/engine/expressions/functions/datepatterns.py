"""Dates as people write them, and reading what they wrote."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.functions.dates import When, read, write, zone
from runtime.engine.expressions.registry import function
from runtime.engine.expressions.values import Meter, shown

MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

_TOKENS: Final = (
    "yyyy",
    "yy",
    "MMMM",
    "MMM",
    "MM",
    "M",
    "dd",
    "d",
    "EEEE",
    "EEE",
    "HH",
    "H",
    "hh",
    "h",
    "mm",
    "ss",
    "SSS",
    "a",
    "ZZZ",
)


def _cut(pattern: str) -> list[str]:
    """A date pattern as tokens and literal texts; text in single quotes is literal."""
    if len(pattern) > 100:
        raise ExpressionError("arguments", "takes a pattern of at most 100 characters.")
    pieces: list[str] = []
    position = 0
    while position < len(pattern):
        if pattern[position] == "'":
            end = pattern.find("'", position + 1)
            end = len(pattern) if end < 0 else end
            pieces.append("'" + pattern[position + 1 : end])
            position = end + 1
            continue
        token = next((token for token in _TOKENS if pattern.startswith(token, position)), None)
        pieces.append(token or "'" + pattern[position])
        position += len(token or "x")
    return pieces


def _piece(token: str, found: When) -> str:
    time = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day, tzinfo=UTC)
    match token:
        case "yyyy":
            return f"{time.year:04}"
        case "yy":
            return f"{time.year % 100:02}"
        case "MMMM":
            return MONTHS[time.month - 1]
        case "MMM":
            return MONTHS[time.month - 1][:3]
        case "MM":
            return f"{time.month:02}"
        case "M":
            return str(time.month)
        case "dd":
            return f"{time.day:02}"
        case "d":
            return str(time.day)
        case "EEEE":
            return DAYS[time.weekday()]
        case "EEE":
            return DAYS[time.weekday()][:3]
        case "HH":
            return f"{time.hour:02}"
        case "H":
            return str(time.hour)
        case "hh":
            return f"{(time.hour - 1) % 12 + 1:02}"
        case "h":
            return str((time.hour - 1) % 12 + 1)
        case "mm":
            return f"{time.minute:02}"
        case "ss":
            return f"{time.second:02}"
        case "SSS":
            return f"{time.microsecond // 1000:03}"
        case "a":
            return "AM" if time.hour < 12 else "PM"
        case "ZZZ":
            text = time.isoformat()[-6:]
            return "Z" if text == "+00:00" else text
    return token[1:]


@function(
    "date",
    "format_date(date:any, pattern:text, zone:text?)",
    "A date for people: yyyy MM dd d MMM MMMM EEE EEEE HH mm ss SSS hh a ZZZ.",
    'format_date("2026-11-20", "d MMM yyyy")',
    "20 Nov 2026",
)
def format_date(meter: Meter, value: Any, pattern: str, zone_name: str = "UTC") -> str:
    found = read(value)
    if isinstance(found, datetime):
        found = found.astimezone(zone(zone_name))
    pieces = _cut(pattern)
    meter.spend(len(pieces) + 1)
    return "".join(_piece(piece, found) for piece in pieces)


@function(
    "date",
    "parse_date(text:text, pattern:text, zone:text?)",
    "Read a date written in a pattern.",
    'parse_date("20.11.2026", "dd.MM.yyyy")',
    "2026-11-20",
)
def parse_date(meter: Meter, text: str, pattern: str, zone_name: str = "UTC") -> str:
    if len(text) > 200:
        raise ExpressionError("date", "reads texts of at most 200 characters.")
    fields: dict[str, int] = {}
    place: tzinfo = zone(zone_name)
    rest = text.strip()
    pieces = _cut(pattern)
    meter.spend(len(pieces) * 4)
    for piece in pieces:
        rest = _eat(piece, rest, fields, text, pattern)
    if rest:
        raise _unreadable(text, pattern)
    hour = fields.get("H", 0)
    if "h" in fields:
        if not 1 <= fields["h"] <= 12:
            raise _unreadable(text, pattern)
        hour = fields["h"] % 12 + (12 if fields.get("a") else 0)
    try:
        day = date(fields.get("y", 0), fields.get("M", 0), fields.get("d", 1))
        if not {"H", "h"} & set(fields):
            return day.isoformat()
        time = (hour, fields.get("m", 0), fields.get("s", 0), fields.get("S", 0) * 1000)
        return write(datetime(day.year, day.month, day.day, *time, tzinfo=place))
    except ValueError:
        raise _unreadable(text, pattern) from None


def _unreadable(text: str, pattern: str) -> ExpressionError:
    return ExpressionError("date", f"cannot read {shown(text)} as {pattern}.")


def _eat(piece: str, rest: str, fields: dict[str, int], text: str, pattern: str) -> str:
    """Take one piece of a pattern off the front of the text."""
    if piece.startswith("'"):
        if not rest.startswith(piece[1:]):
            raise _unreadable(text, pattern)
        return rest[len(piece) - 1 :]
    if piece in ("MMMM", "MMM", "EEEE", "EEE", "a"):
        names = MONTHS if piece[0] == "M" else DAYS if piece[0] == "E" else ["AM", "PM"]
        for number, name in enumerate(names):
            word = name[:3] if len(piece) == 3 else name
            if rest[: len(word)].lower() == word.lower():
                if piece[0] != "E":
                    fields[piece[0]] = number + (piece[0] == "M")
                return rest[len(word) :]
        raise _unreadable(text, pattern)
    if piece == "ZZZ":
        raise ExpressionError("arguments", "takes the zone as its own argument.")
    most = {"yyyy": 4, "SSS": 3}.get(piece, 2)
    length = 0
    while length < most and rest[length : length + 1] in tuple("0123456789"):
        length += 1
    if length == 0 or (len(piece) > 1 and length != most):
        raise _unreadable(text, pattern)
    number = int(rest[:length])
    if piece == "yy":
        number += 2000 if number < 70 else 1900
    fields[piece[0]] = number
    return rest[length:]


_NUMBERS: Final = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})\.? +([A-Za-z]{3,9})\.?,? +([0-9]{4})")
_MONTH_FIRST: Final = re.compile(r"([A-Za-z]{3,9})\.? +([0-9]{1,2}),? +([0-9]{4})")


@function(
    "date",
    "to_date(value:any, order:text?)",
    "A day however it is written: 20.11.2026, 20 Nov 2026, 20261120; for 3/4/2026 give the order, dmy or mdy.",
    'to_date("20.11.2026")',
    "2026-11-20",
)
def to_date(meter: Meter, value: Any, order: str = "") -> str:
    if order not in ("", "dmy", "mdy"):
        raise ExpressionError("arguments", "knows the orders dmy and mdy.")
    text = str(value) if type(value) is int else value.strip() if isinstance(value, str) and len(value) <= 60 else ""
    try:
        return _written_day(text, order).isoformat()
    except ValueError as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError("date", f"cannot read a day from {shown(value)}.") from None


def _written_day(text: str, order: str) -> date:
    if re.fullmatch("[0-9]{8}", text):
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if found := _NUMBERS.fullmatch(text):
        first, sign, second, last = found.groups()
        if len(first) == 4:
            return date(int(first), int(second), int(last))
        if len(first) == 3:
            raise ValueError(text)
        if not order and sign != ".":
            raise ExpressionError("date", f"cannot tell day and month in {shown(text)}: give the order, dmy or mdy.")
        days, months = (second, first) if order == "mdy" else (first, second)
        return date(int(last) + (0 if len(last) == 4 else 2000 if int(last) < 70 else 1900), int(months), int(days))
    if found := _DAY_FIRST.fullmatch(text):
        return date(int(found[3]), _month(found[2]), int(found[1]))
    if found := _MONTH_FIRST.fullmatch(text):
        return date(int(found[3]), _month(found[1]), int(found[2]))
    moment = read(text)
    return moment.date() if isinstance(moment, datetime) else moment


def _month(name: str) -> int:
    for number, month in enumerate(MONTHS, start=1):
        if name.lower() in (month.lower(), month[:3].lower()):
            return number
    raise ValueError(name)
