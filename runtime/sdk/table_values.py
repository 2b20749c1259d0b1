"""A cell of a file as what its column is to hold: exact numbers, dates, yes or no. What does not fit is told."""

from __future__ import annotations

import re
from datetime import date
from decimal import Context, Decimal
from typing import Any, Final, Literal

from runtime.engine.expressions.functions.money import places_of
from runtime.engine.jsonprofile import JSON, JSONRefused, normalise
from runtime.sdk.table_columns import TableColumn

__all__ = ["Misfit", "Order", "Sign", "date_of", "is_empty", "number_of", "typed", "yes_no_of"]

#: What stands before the cents, and in which order day, month and year come.
Sign = Literal[",", "."]
Order = Literal["dmy", "mdy"]

_MOST_TEXT: Final = 20_000
_MOST_DIGITS: Final = 28
#: Numbers and dates, in characters.
_LONGEST: Final = 60
#: A workbook keeps numbers to so many digits; what comes behind them is how the machine writes fractions.
_AS_OFFICES_KEEP: Final = Context(prec=15)


class Misfit(Exception):
    """The cell is not what its column is to hold. `code`: why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_empty(cell: Any) -> bool:
    """Whether nothing stands in the cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def typed(cell: Any, column: TableColumn, decimal: Sign, dates: Order) -> JSON:
    """What stands in the cell, as the column's kind; None where nothing does. Raises Misfit."""
    if is_empty(cell):
        if column.required or column.key:
            raise Misfit("empty")
        return None
    match column.type:
        case "text":
            return _text(cell)
        case "number":
            return _whole_or_exact(_number(cell, decimal, None))
        case "amount":
            return _amount(cell, column, decimal)
        case "date":
            found = date_of(cell, dates)
            if found is None:
                raise Misfit("no_date")
            return found
        case "yes_no":
            answer = yes_no_of(cell)
            if answer is None:
                raise Misfit("no_yes_no")
            return answer


def _text(cell: Any) -> str:
    text = ("true" if cell else "false") if isinstance(cell, bool) else str(cell).strip()
    if len(text) > _MOST_TEXT:
        raise Misfit("long")
    try:
        normalise(text)
    except JSONRefused:
        raise Misfit("unkept") from None
    return text


# --- numbers ------------------------------------------------------------------------------------------------------

#: In these, letters and signs beside a number name what it is an amount of.
_SIGNS: Final = {
    "€": ("EUR",), "£": ("GBP", "EGP", "GIP"), "kč": ("CZK",), "zł": ("PLN",), "₺": ("TRY",), "₹": ("INR",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"), "¥": ("JPY", "CNY"), "kr": ("SEK", "NOK", "DKK"),
    "kr.": ("DKK", "SEK", "NOK"), "fr.": ("CHF",), "ft": ("HUF",), "лв": ("BGN",), "лв.": ("BGN",), "lei": ("RON",),
}  # fmt: skip
_UNIT: Final = r"[A-Za-z]{3}|[^\W\d_]{1,3}\.?|[€£$¥₺₹]"
_PARTS: Final = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{_UNIT})?\s*(?P<inner>[+-])?\s*(?P<digits>[\d.,'\s]*\d)\s*"
    rf"(?P<after>{_UNIT})?\s*(?P<trail>[+-])?\s*(?P<close>\))?"
)
_GROUPED: Final = {
    sign: re.compile(rf"(\d{{1,3}}(?:(?P<mark>[ '{other}])\d{{3}})(?:(?P=mark)\d{{3}})*|\d*)(?:\{sign}(\d+))?")
    for sign, other in ((",", "."), (".", ","))
}
_ALIKE: Final = str.maketrans({"−": "-", "–": "-", "’": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "})


def number_of(text: str, decimal: Sign) -> Decimal | None:
    """A number as it is written with this sign before its fraction, whatever it is an amount of; None for none."""
    found = _read(text, decimal)
    return None if found is None else found[0]


def _read(text: str, decimal: Sign) -> tuple[Decimal, str] | None:
    # Longer is no number; and of many spaces none may be left to be tried in every way.
    parts = _PARTS.fullmatch(" ".join(text.translate(_ALIKE).split())) if len(text) <= _LONGEST else None
    if parts is None or bool(parts["open"]) != bool(parts["close"]):
        return None
    signs = [one for one in (parts["sign"], parts["inner"], parts["trail"]) if one]
    if len(signs) + bool(parts["open"]) > 1 or (parts["before"] and parts["after"]):
        return None
    digits = _GROUPED[decimal].fullmatch(parts["digits"])
    if digits is None or sum(one.isdigit() for one in parts["digits"]) > _MOST_DIGITS:
        return None
    whole = re.sub(r"\D", "", digits[1])
    number = Decimal(f"{whole or '0'}.{digits[3]}" if digits[3] else whole)
    negative = signs == ["-"] or bool(parts["open"])
    return -number if negative else number, parts["before"] or parts["after"] or ""


def _number(cell: Any, decimal: Sign, currency: str | None) -> int | Decimal:
    if isinstance(cell, bool):
        raise Misfit("no_number")
    if isinstance(cell, int):
        return cell
    if isinstance(cell, Decimal):
        kept = _AS_OFFICES_KEEP.plus(cell)
        return cell if kept == cell else Decimal(format(kept.normalize(), "f"))
    found = _read(cell, decimal) if isinstance(cell, str) else None
    if found is None:
        raise Misfit("no_number")
    number, unit = found
    if unit and currency is None:
        raise Misfit("no_number")
    if unit and unit.upper() != currency and currency not in _SIGNS.get(unit.lower(), ()):
        raise Misfit("currency")
    return number


def _amount(cell: Any, column: TableColumn, decimal: Sign) -> JSON:
    number = Decimal(_number(cell, decimal, column.currency))
    places = -int(number.normalize().as_tuple().exponent)
    if not column.currency:
        return _whole_or_exact(number)
    if places > places_of(column.currency):
        raise Misfit("places")
    return {"amount": number, "currency": column.currency}


def _whole_or_exact(number: int | Decimal) -> int | Decimal:
    if isinstance(number, Decimal) and number.as_tuple().exponent == 0:
        return int(number)
    return number


# --- dates --------------------------------------------------------------------------------------------------------

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan", "feb fév", "mar mär mrz", "apr avr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov",
         "dec dez déc"), 1
    )
    for name in names.split()
}  # fmt: skip
_TIME: Final = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp][Mm]|Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(rf"(\d{{4}})([-./])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_YEAR_LAST: Final = re.compile(rf"(\d{{1,2}})\s?([./-])\s?(\d{{1,2}})\s?\2\s?(\d{{4}}|\d{{2}}){_TIME}")
_ONE_PIECE: Final = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NAMED: Final = re.compile(rf"(\d{{1,2}})[.\s-]+([^\W\d_]{{3,9}})\.?[\s,-]+(\d{{4}}|\d{{2}}){_TIME}")
_NAME_FIRST: Final = re.compile(rf"([^\W\d_]{{3,9}})\.?\s+(\d{{1,2}}),?\s+(\d{{4}}){_TIME}")


def date_of(cell: Any, order: Order) -> str | None:
    """The day as `2026-11-28`; None for none. `order`: what the first of two numbers is; with dots it is the day."""
    text = str(cell).strip() if isinstance(cell, str | int) and not isinstance(cell, bool) else ""
    if len(text) > _LONGEST:
        return None
    if found := _YEAR_FIRST.fullmatch(text):
        return _date(found[1], found[3], found[4])
    if found := _YEAR_LAST.fullmatch(text):
        day_first = order == "dmy" or found[2] == "."
        return _date(found[4], *((found[3], found[1]) if day_first else (found[1], found[3])))
    if found := _ONE_PIECE.fullmatch(text):
        return _date(found[1], found[2], found[3])
    if found := _NAMED.fullmatch(text):
        return _date(found[3], _month(found[2]), found[1])
    if found := _NAME_FIRST.fullmatch(text):
        return _date(found[3], _month(found[1]), found[2])
    return None


def _month(name: str) -> int:
    return _MONTHS.get(name.lower()[:3], 0)


def _date(year: str, month: str | int, day: str | int) -> str | None:
    number = int(year)
    # Two digits: what is nearer to today than a hundred years off.
    number += 0 if len(year) == 4 else 2000 if number < 70 else 1900
    try:
        return date(number, int(month), int(day)).isoformat()
    except ValueError:
        return None


# --- yes or no ----------------------------------------------------------------------------------------------------

_YES: Final = frozenset(
    ("yes", "y", "true", "t", "1", "x", "✓", "on", "ja", "j", "wahr", "oui", "o", "vrai", "sí", "si", "verdadero",
     "vero", "ano", "a", "tak", "da", "да", "ναι")
)  # fmt: skip
_NO: Final = frozenset(
    ("no", "n", "false", "f", "0", "-", "off", "nein", "falsch", "non", "faux", "falso", "ne", "nie", "нет", "όχι",
     "οχι")
)  # fmt: skip


def yes_no_of(cell: Any) -> bool | None:
    """Yes or no in one of the languages in which offices write it; None for neither."""
    if isinstance(cell, bool):
        return cell
    text = str(cell).strip().casefold() if isinstance(cell, str | int) else ""
    return True if text in _YES else False if text in _NO else None
