"""All rows of a file held against what a workflow expects, before anything is started for one of them.

One pass, with little memory: rows come one after another, and the keys of those that are alike are kept on disk.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO, Final

from runtime.engine.jsonprofile import JSON, dumps
from runtime.sdk.table_cells import TableRefused
from runtime.sdk.table_fit import Plan, Wrong, numbered, open_cells, said

__all__ = ["MOST_ROWS", "Cause", "Checked", "LeftRow", "check_rows"]

MOST_ROWS: Final = 1_000_000
_MOST_NAMED: Final = 20
_MOST_SAMPLES: Final = 3
#: Bytes of a key's digest.
_DIGEST: Final = 16


@dataclass(slots=True)
class Cause:
    """What is wrong with some rows. `column`: the expected one's name, empty for the row as a whole; `code`: as of
    `table_fit.Wrong`; `rows`: the numbers of the first ones; `samples`: what stands there, of `twice` the row that each
    is like."""

    column: str
    code: str
    count: int = 0
    rows: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it: how many rows there are, how many fit, and why the others do not, the most frequent first."""

    total: int
    fitting: int
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class LeftRow:
    """A row that does not fit: as it stands in the file, and why, in words."""

    number: int
    cells: Sequence[Any]
    reason: str


def check_rows(file: BinaryIO, plan: Plan, left: Callable[[LeftRow], None] | None = None) -> Checked:
    """Go through all rows; `left` is told of each that does not fit. Raises TableRefused where it cannot be read, and
    after MOST_ROWS."""
    causes: dict[tuple[str, str], Cause] = {}
    total = fitting = 0
    raw = open_cells(file, plan.form)
    try:
        with closing(_Seen(plan)) as seen:
            for number, cells in numbered(raw, plan.form.header):
                total += 1
                if total > MOST_ROWS:
                    raise TableRefused(f"There are more than {MOST_ROWS:,} rows. Split the file.")
                values, wrong = plan.fit(cells)
                if not wrong:
                    wrong = list(seen.twice(number, values))
                if not wrong:
                    fitting += 1
                    continue
                for one in wrong:
                    _count(causes, number, one)
                if left is not None:
                    left(LeftRow(number, cells, "; ".join(said(one, plan.columns) for one in wrong)))
    finally:
        raw.close()
    return Checked(total, fitting, tuple(sorted(causes.values(), key=lambda cause: -cause.count)))


def _count(causes: dict[tuple[str, str], Cause], number: int, wrong: Wrong) -> None:
    cause = causes.setdefault((wrong.column, wrong.code), Cause(wrong.column, wrong.code))
    cause.count += 1
    if len(cause.rows) < _MOST_NAMED:
        cause.rows.append(number)
        if wrong.cell and (wrong.code == "twice" or len(cause.samples) < _MOST_SAMPLES):
            cause.samples.append(wrong.cell)


class _Seen:
    """Which keys have come, and in which row; in a database of its own that nobody else sees and that goes with it."""

    def __init__(self, plan: Plan) -> None:
        self._names = [column.name for column in plan.columns if column.key]
        self._rows = sqlite3.connect("") if self._names else None
        if self._rows is not None:
            self._rows.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")

    def twice(self, number: int, values: Mapping[str, JSON]) -> Iterator[Wrong]:
        """What is wrong with the row where one with the same key has come."""
        if self._rows is None:
            return
        text = dumps([_alike(values[name]) for name in self._names])
        key = hashlib.blake2b(text.encode(), digest_size=_DIGEST).digest()
        if self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, number)).rowcount:
            return
        (first,) = self._rows.execute("SELECT number FROM seen WHERE key = ?", (key,)).fetchone()
        yield Wrong("", "twice", str(first))

    def close(self) -> None:
        if self._rows is not None:
            self._rows.close()


def _alike(value: JSON) -> JSON:
    """12.50 and 12.5 are one number."""
    if isinstance(value, dict):
        return {name: _alike(part) for name, part in value.items()}
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value if value is None else str(value)
