"""What two lists are compared by: keys, amounts and days, read from the cells of rows in one way only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import Any, Final, Literal

from runtime.engine.jsonprofile import JSON, dumps
from runtime.sdk.table_values import Sign, date_of, number_of

__all__ = [
    "EXACT", "NOTHING", "Alike", "Reading", "Unreadable", "amount_of", "amount_text", "cell_of", "day_of", "keys_of",
    "label_of",
]  # fmt: skip

#: Wide enough that no sum of amounts is ever rounded.
EXACT: Final = Context(prec=120)
#: A cell that is not there at all, which is something else than an empty one.
NOTHING: Final = object()
_MOST_WHOLE: Final = 20
_MOST_PLACES: Final = 10
_LONGEST_KEY: Final = 1_000
_ISO: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")
_BETWEEN: Final = "\x1f"


class Unreadable(Exception):
    """A cell cannot be read, or not in one way only; the text says what stands there."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What does not tell keys apart: `case`, `zeros` before a number, `signs` and spaces within them."""

    case: bool = True
    zeros: bool = False
    signs: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Where in a row what is compared stands, and how it is written. An empty name: it is not compared.

    `split`: one cell names several keys, with commas, semicolons, plus signs, slashes or spaces between. `currency`: of
    rows that name none.
    """

    keys: tuple[str, ...]
    amount: str = ""
    currency_column: str = ""
    day: str = ""
    currency: str = ""
    decimal: Sign | Literal["auto"] = "auto"
    negate: bool = False
    split: bool = False
    alike: Alike = Alike()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it looks at."""
        named = (*self.keys, self.amount, self.currency_column, self.day)
        return tuple(dict.fromkeys(name for name in named if name))


def cell_of(row: Mapping[str, JSON], column: str) -> Any:
    """What stands in the column; `customer.number` is looked for within `customer`. NOTHING where it is not there."""
    if column in row:
        return row[column]
    found: Any = row
    for part in column.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return NOTHING
        found = found[part]
    return found


def label_of(row: Mapping[str, JSON], columns: Sequence[str]) -> str:
    """The key as people know it: as it stands in the row."""
    return " · ".join(text for column in columns if (text := _text(cell_of(row, column))))[:_LONGEST_KEY]


def keys_of(row: Mapping[str, JSON], reading: Reading) -> tuple[str, ...]:
    """The keys by which the row is found, in a fixed order; none where nothing stands there."""
    texts = [_text(cell_of(row, column)) for column in reading.keys]
    if reading.split:
        parts = [part for part in re.split(r"[\s,;+/|]+", texts[0]) if part]
        return tuple(sorted({key for part in parts if (key := _plain(part, reading.alike))}))
    plain = [_plain(text, reading.alike) for text in texts]
    return (_BETWEEN.join(plain),) if any(plain) else ()


def _text(cell: Any) -> str:
    if cell is NOTHING or cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return amount_text(cell)
    return cell.strip() if isinstance(cell, str) else str(cell) if isinstance(cell, int) else dumps(cell)


def _plain(text: str, alike: Alike) -> str:
    text = " ".join(text.split())
    if alike.case:
        text = text.casefold()
    if alike.signs:
        text = re.sub(r"[\W_]+", "", text)
    if alike.zeros:
        text = re.sub(r"(?<![^\W_])0+(?=[^\W_])", "", text)
    return text[:_LONGEST_KEY]


def amount_of(cell: Any, reading: Reading) -> Decimal:
    """The exact amount. Raises Unreadable."""
    found: Decimal | None = None
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        found = Decimal(cell)
    elif isinstance(cell, str) and cell.strip():
        signs: tuple[Sign, ...] = (",", ".") if reading.decimal == "auto" else (reading.decimal,)
        readings = {number for sign in signs if (number := number_of(cell, sign)) is not None}
        if len(readings) > 1:
            raise Unreadable(
                f"“{cell.strip()[:60]}” can be read as two amounts. Say under “Amounts that are text” what stands "
                "before the cents."
            )
        found = next(iter(readings), None)
    elif cell is NOTHING or cell is None or cell == "":
        raise Unreadable("there is no amount.")
    if found is None:
        raise Unreadable(f"“{str(cell)[:60]}” is no amount.")
    exponent = found.normalize(EXACT).as_tuple().exponent
    if found and (found.adjusted() >= _MOST_WHOLE or not isinstance(exponent, int) or -exponent > _MOST_PLACES):
        raise Unreadable(f"“{str(cell)[:60]}” has more digits than an amount can have.")
    return -found if reading.negate else found


def amount_text(amount: Decimal) -> str:
    """The same text for the same amount: 12.50 and 12.5 are one."""
    return format(amount.normalize(EXACT), "f") if amount else "0"


def day_of(cell: Any) -> int | None:
    """The day as a number by which days can be counted; None where there is none. Raises Unreadable."""
    if cell is NOTHING or cell is None or cell == "":
        return None
    text = cell.strip() if isinstance(cell, str) else ""
    if found := _ISO.fullmatch(text):
        readings = {found[1]}
    else:
        readings = {day for day in (date_of(text, "dmy"), date_of(text, "mdy")) if day}
    if len(readings) > 1:
        raise Unreadable(f"“{text[:60]}” can be read as two days. Write it as 2026-11-28.")
    try:
        return date.fromisoformat(next(iter(readings), "")).toordinal()
    except ValueError:
        raise Unreadable(f"“{str(cell)[:60]}” is no day. Write it as 2026-11-28.") from None
