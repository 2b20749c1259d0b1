"""Two lists held against each other: what matches, what differs, what is on one side only, what is there twice.

with Comparison(Rules(…)) as compared:
    compared.add(0, rows_of_a)
    compared.add(1, rows_of_b)
    compared.settle()
    compared.groups, compared.totals()          how many of each, and sums by currency
    for found in compared.outcomes("matched"): ...

Every row is in one group and no other, so of each list and currency the sums of its groups come to its own. Rows stand
in a private database on the disk that goes with the comparison; in memory is one row at a time. The same lists give the
same groups in the same order: by the first list's order, then by the second's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from runtime.engine.jsonprofile import JSON, dumps, loads_stored
from runtime.sdk.reconcile_rules import GROUPS, Group, Outcome, Rules, Sum, TooLarge
from runtime.sdk.reconcile_values import (
    EXACT,
    NOTHING,
    Unreadable,
    amount_of,
    amount_text,
    cell_of,
    day_of,
    keys_of,
    label_of,
)

__all__ = ["Comparison"]

_NUMBER: Final = {group: number for number, group in enumerate(GROUPS)}
#: Rows with one key that are added up.
MOST_TOGETHER: Final = 1_000
#: So many rows with the same key and about the same amount are looked at for the nearest.
_MOST_NEAR: Final = 200
_PORTION: Final = 500
_PAGE_BYTES: Final = 4096
_MOST_BYTES: Final = 4 * 2**30
_SECOND: Final = 1 << 40

_TABLES: Final = """
CREATE TABLE entries (side INTEGER, seq INTEGER, label TEXT, keys TEXT, amount TEXT, currency TEXT, day INTEGER,
  place TEXT, row TEXT, PRIMARY KEY (side, seq));
CREATE TABLE names (side INTEGER, key TEXT, currency TEXT, about REAL, amount TEXT, seq INTEGER,
  PRIMARY KEY (side, key, currency, about, amount, seq)) WITHOUT ROWID;
CREATE TABLE used (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE results (id INTEGER PRIMARY KEY, grp INTEGER, at INTEGER, why TEXT, missing TEXT);
CREATE TABLE members (result INTEGER, side INTEGER, seq INTEGER, PRIMARY KEY (result, side, seq)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class _Row:
    """A row without what it holds."""

    seq: int
    keys: tuple[str, ...]
    amount: Decimal
    currency: str
    day: int | None


@dataclass(slots=True)
class Comparison:
    """See the module's text. `groups`: how many outcomes each has; `read`: what came of each list, by currency."""

    rules: Rules
    groups: dict[Group, int] = field(default_factory=lambda: dict.fromkeys(GROUPS, 0))
    within: int = 0
    read: tuple[dict[str, Sum], dict[str, Sum]] = field(default_factory=lambda: ({}, {}))
    #: The columns of each list, in the order in which they came.
    columns: tuple[dict[str, None], dict[str, None]] = field(default_factory=lambda: ({}, {}))
    stopped: bool = False
    _settled: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    _seen: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    _rows: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        # Each part of the work is done by one thread at a time, though not always by the same one.
        self._rows = sqlite3.connect("", check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode=OFF")
        self._rows.execute("PRAGMA temp_store=FILE")
        self._rows.execute("PRAGMA cache_size=-16384")
        self._rows.execute(f"PRAGMA max_page_count={_MOST_BYTES // _PAGE_BYTES}")
        self._rows.executescript(_TABLES)

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._rows.close()

    def count(self, side: int) -> int:
        """How many rows of this list have come."""
        return len(self._settled[side])

    # --- reading --------------------------------------------------------------------------------------------------

    def add(self, side: int, rows: Iterable[tuple[str, Mapping[str, JSON]]]) -> None:
        """Take rows in, each with its place. Raises Unreadable with the place, and TooLarge."""
        entries: list[tuple[Any, ...]] = []
        names: list[tuple[Any, ...]] = []
        for place, row in rows:
            self._take(side, place, row, entries, names)
            if len(entries) >= _PORTION:
                self._keep(entries, names)
        self._keep(entries, names)

    def _take(self, side: int, place: str, row: Mapping[str, JSON], entries: list[Any], names: list[Any]) -> None:
        reading = self.rules.b if side else self.rules.a
        seen = self._seen[side]
        for column in reading.columns:
            if column not in seen and cell_of(row, column) is not NOTHING:
                seen.add(column)
        for name in row:
            self.columns[side][name] = None
        try:
            amount = amount_of(cell_of(row, reading.amount), reading) if reading.amount else Decimal(0)
            day = day_of(cell_of(row, reading.day)) if reading.day else None
        except Unreadable as error:
            raise Unreadable(f"{place}: {error}") from None
        named = cell_of(row, reading.currency_column) if reading.currency_column else None
        currency = (named.strip().upper() if isinstance(named, str) else "")[:20] or reading.currency
        keys = keys_of(row, reading)
        seq = len(self._settled[side])
        self._settled[side].append(0)
        self.read[side].setdefault(currency, Sum()).add(amount)
        label = label_of(row, reading.keys)
        text = amount_text(amount)
        entries.append((side, seq, label, dumps(list(keys)), text, currency, day, place, dumps(row)))
        # By `about` amounts are found in their order; equal they are by their text alone.
        names += [(side, key, currency, float(amount), text, seq) for key in keys]

    def _keep(self, entries: list[Any], names: list[Any]) -> None:
        if self.stopped:
            raise TooLarge("It was stopped.")
        try:
            self._rows.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", entries)
            self._rows.executemany("INSERT INTO names VALUES (?, ?, ?, ?, ?, ?)", names)
        except sqlite3.OperationalError as error:
            raise _no_room(error) from error
        entries.clear()
        names.clear()

    def unknown_columns(self, side: int) -> list[str]:
        """Columns that are compared by and that no row has; none where there are no rows."""
        reading = self.rules.b if side else self.rules.a
        return [one for one in reading.columns if one not in self._seen[side]] if self.count(side) else []

    # --- comparing ------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Put every row into its group. Raises TooLarge."""
        try:
            self._settle()
        except sqlite3.OperationalError as error:
            raise _no_room(error) from error

    def _settle(self) -> None:
        if self.rules.ways == "sum":
            self._sums()
        else:
            for row in self._open_rows():
                if len(row.keys) == 1 and (partner := self._exactly(row)):
                    self._pair((row,), (partner,))
            for row in self._open_rows():
                if len(row.keys) == 1 and (partner := self._nearest(row)):
                    self._pair((row,), (partner,))
            if self.rules.ways == "named":
                self._named()
            self._left_over()
        for side in (0, 1):
            for seq in self._unsettled(side):
                self._put("only_b" if side else "only_a", "no_key", {side: [seq]})
        self._rows.execute("CREATE UNIQUE INDEX results_order ON results (grp, at)")

    def _open_rows(self) -> Iterator[_Row]:
        """Rows of the first list that have no partner yet."""
        start = 0
        settled = self._settled[0]
        while True:
            found = self._rows.execute(
                "SELECT seq, keys, amount, currency, day FROM entries WHERE side = 0 AND seq >= ? ORDER BY seq LIMIT ?",
                (start, _PORTION),
            ).fetchall()
            if not found:
                return
            if self.stopped:
                raise TooLarge("It was stopped.")
            start = found[-1][0] + 1
            for seq, keys, amount, currency, day in found:
                if not settled[seq]:
                    loaded: Any = loads_stored(keys)
                    yield _Row(seq, tuple(loaded), Decimal(amount), currency, day)

    def _exactly(self, row: _Row) -> _Row | None:
        found = self._candidates(row, "AND about = :about AND amount = :amount ORDER BY seq")
        return min(found, key=lambda one: (_apart(row.day, one.day) or 0, one.seq), default=None)

    def _nearest(self, row: _Row) -> _Row | None:
        if not self.rules.tolerance and not self.rules.percent:
            return None
        found = [
            *self._candidates(row, "AND about >= :about ORDER BY about, amount, seq"),
            *self._candidates(row, "AND about < :about ORDER BY about DESC, amount, seq"),
        ]
        return min(
            found,
            key=lambda one: (abs(EXACT.subtract(row.amount, one.amount)), _apart(row.day, one.day) or 0, one.seq),
            default=None,
        )

    def _candidates(self, row: _Row, more: str) -> list[_Row]:
        """Open rows of the second list with this row's key and currency that count as equal."""
        found = self._rows.execute(
            "SELECT seq, amount, currency FROM names WHERE side = 1 AND key = :key AND currency = :currency"
            f" {more} LIMIT {_MOST_NEAR}",
            {
                "key": row.keys[0], "currency": row.currency, "about": float(row.amount),
                "amount": amount_text(row.amount),
            },
        ).fetchall()  # fmt: skip
        rows = [_Row(seq, row.keys, Decimal(amount), currency, self._day(seq)) for seq, amount, currency in found]
        return [one for one in rows if self.rules.accepts(row.amount, one.amount) and self.rules.near(row.day, one.day)]

    def _day(self, seq: int) -> int | None:
        if self.rules.days is None:
            return None
        found = self._rows.execute("SELECT day FROM entries WHERE side = 1 AND seq = ?", (seq,)).fetchone()
        day: int | None = found[0]
        return day

    def _pair(self, a: tuple[_Row, ...], b: tuple[_Row, ...], missing: tuple[str, ...] = ()) -> None:
        """Rows of both lists belong together; what differs decides into which group they go."""
        a_sum, b_sum = _sum(a), _sum(b)
        if len({row.currency for row in (*a, *b)}) > 1:
            group, why = "differing", "currency"
        elif not self.rules.accepts(a_sum, b_sum):
            group, why = "differing", "missing" if missing else "amount"
        elif self.rules.days is not None and (_widest(a, b) or 0) > self.rules.days:
            group, why = "differing", "date"
        elif missing:
            group, why = "differing", "missing"
        else:
            group, why = "matched", "" if a_sum == b_sum else "tolerance"
            self.within += why == "tolerance"
        # Nobody else finds them any more.
        for side, rows in ((0, a), (1, b)):
            for row in rows:
                for key in row.keys:
                    self._forget(side, key, row)
                    self._rows.execute("INSERT OR IGNORE INTO used VALUES (?)", (key,))
        self._put(group, why, {0: [row.seq for row in a], 1: [row.seq for row in b]}, missing)  # type: ignore[arg-type]

    def _forget(self, side: int, key: str, row: _Row) -> None:
        self._rows.execute(
            "DELETE FROM names WHERE side = ? AND key = ? AND currency = ? AND about = ? AND amount = ? AND seq = ?",
            (side, key, row.currency, float(row.amount), amount_text(row.amount), row.seq),
        )

    def _put(self, group: Group, why: str, seqs: Mapping[int, list[int]], missing: tuple[str, ...] = ()) -> None:
        first = min(seqs.get(0) or [_SECOND + seq for seq in seqs[1]])
        self.groups[group] += 1
        made = self._rows.execute(
            "INSERT INTO results (grp, at, why, missing) VALUES (?, ?, ?, ?)",
            (_NUMBER[group], first, why, dumps(list(missing))),
        ).lastrowid
        members = [(made, side, seq) for side, some in seqs.items() for seq in some]
        self._rows.executemany("INSERT INTO members VALUES (?, ?, ?)", members)
        for _, side, seq in members:
            self._settled[side][seq] = 1

    # --- rows that name several ------------------------------------------------------------------------------------

    def _named(self) -> None:
        for final in (False, True):
            for row in self._open_rows():
                if len(row.keys) < 2:
                    continue
                found, missing = self._first_of_each(row)
                complete = not missing and self._equal(row, found)
                if complete or (final and found):
                    self._pair((row,), found, missing)
                elif final:
                    self._alone(row)

    def _first_of_each(self, row: _Row) -> tuple[tuple[_Row, ...], tuple[str, ...]]:
        """Of each key that the row names the first open row, of its currency where there is one; and the other keys."""
        found: list[_Row] = []
        missing: list[str] = []
        for key in row.keys:
            one = self._rows.execute(
                "SELECT seq, amount, currency FROM names WHERE side = 1 AND key = ?"
                " ORDER BY currency <> ?, seq LIMIT 1",
                (key, row.currency),
            ).fetchone()
            if one is None:
                missing.append(key)
            else:
                found.append(_Row(one[0], (key,), Decimal(one[1]), one[2], self._day(one[0])))
        return tuple(found), tuple(missing)

    def _equal(self, row: _Row, found: tuple[_Row, ...]) -> bool:
        return all(
            one.currency == row.currency and self.rules.near(row.day, one.day) for one in found
        ) and self.rules.accepts(row.amount, _sum(found))

    def _alone(self, row: _Row) -> None:
        """None of what the row names is open."""
        known = any(self._is_used(key) for key in row.keys)
        for key in row.keys:
            self._forget(0, key, row)
        if known:
            self._put("twice", "twice", {0: [row.seq]})
            return
        for key in row.keys:
            self._rows.execute("INSERT OR IGNORE INTO used VALUES (?)", (key,))
        self._put("only_a", "missing", {0: [row.seq]}, row.keys)

    def _is_used(self, key: str) -> bool:
        return self._rows.execute("SELECT 1 FROM used WHERE key = ?", (key,)).fetchone() is not None

    # --- what has no partner ---------------------------------------------------------------------------------------

    def _left_over(self) -> None:
        """By key: one on each side differ; what is alone is on one side only, once; anything else is for people."""
        for key in self._keys():
            a, b = self._with_key(0, key), self._with_key(1, key)
            if len(a) == 1 and len(b) == 1:
                self._pair((a[0],), (b[0],))
            elif a and b:
                for side, rows in ((0, a), (1, b)):
                    for row in rows:
                        self._put("twice", "several", {side: [row.seq]})
            else:
                side, rows = (0, a) if a else (1, b)
                known = self._is_used(key)
                for row in rows:
                    if known:
                        self._put("twice", "twice", {side: [row.seq]})
                    else:
                        self._put("only_b" if side else "only_a", "", {side: [row.seq]})
                    known = True

    def _keys(self) -> Iterator[str]:
        """All keys of open rows, of both lists, in their order; rows may be settled meanwhile."""
        last: str | None = None
        while True:
            found = self._rows.execute(
                "SELECT key FROM (SELECT * FROM (SELECT DISTINCT key FROM names WHERE side = 0 AND key > :last ORDER BY"
                " key LIMIT :most) UNION SELECT * FROM (SELECT DISTINCT key FROM names WHERE side = 1 AND key > :last"
                " ORDER BY key LIMIT :most)) ORDER BY key LIMIT :most",
                {"last": "" if last is None else last, "most": _PORTION},
            ).fetchall()
            if not found:
                return
            if self.stopped:
                raise TooLarge("It was stopped.")
            for (key,) in found:
                last = key
                yield key

    def _with_key(self, side: int, key: str, most: int = -1) -> list[_Row]:
        found = self._rows.execute(
            "SELECT n.seq, n.amount, n.currency, e.day FROM names n JOIN entries e ON e.side = n.side AND e.seq = n.seq"
            " WHERE n.side = ? AND n.key = ? ORDER BY n.seq LIMIT ?",
            (side, key, most),
        )
        return [_Row(seq, (key,), Decimal(amount), currency, day) for seq, amount, currency, day in found]

    def _sums(self) -> None:
        for key in self._keys():
            a, b = (tuple(self._with_key(side, key, MOST_TOGETHER + 1)) for side in (0, 1))
            if max(len(a), len(b)) > MOST_TOGETHER:
                shown = key.replace("\x1f", " · ")[:60]
                raise TooLarge(
                    f"More than {MOST_TOGETHER:,} rows have the key “{shown}”. Choose a column that tells more apart."
                )
            if a and b:
                self._pair(a, b)
            else:
                side, rows = (0, a) if a else (1, b)
                self._put("only_b" if side else "only_a", "", {side: [row.seq for row in rows]})

    def _unsettled(self, side: int) -> Iterator[int]:
        settled = self._settled[side]
        at = settled.find(0)
        while at >= 0:
            yield at
            at = settled.find(0, at + 1)

    # --- what came of it -------------------------------------------------------------------------------------------

    def outcomes(self, group: Group) -> Iterator[Outcome]:
        """Those of one group, in their order."""
        found = self._rows.execute(
            "SELECT r.id, r.why, r.missing, e.side, e.label, e.amount, e.currency, e.day, e.place, e.row FROM results r"
            " JOIN members m ON m.result = r.id JOIN entries e ON e.side = m.side AND e.seq = m.seq"
            " WHERE r.grp = ? ORDER BY r.at, m.side, m.seq",
            (_NUMBER[group],),
        )
        for _, rows in groupby(found, key=lambda one: one[0]):
            yield self._outcome(group, list(rows))

    def _outcome(self, group: Group, rows: list[Any]) -> Outcome:
        a, b = ([row for row in rows if row[3] == side] for side in (0, 1))
        a_amount, b_amount = (self._amount(some) for some in (a, b))
        currencies = {row[6] for row in rows}
        missing: Any = loads_stored(rows[0][2])
        difference = None
        if a_amount is not None and b_amount is not None and len(currencies) == 1:
            difference = EXACT.subtract(a_amount, b_amount)
        return Outcome(
            group,
            rows[0][1],
            rows[0][4],
            " / ".join(sorted(currencies)),
            a_amount,
            b_amount,
            difference,
            _widest_of([row[7] for row in a], [row[7] for row in b]),
            tuple((row[8], _loaded(row[9])) for row in a),
            tuple((row[8], _loaded(row[9])) for row in b),
            tuple(missing),
        )

    def _amount(self, rows: list[Any]) -> Decimal | None:
        if not rows or not self.rules.a.amount:
            return None
        total = Decimal(0)
        for row in rows:
            total = EXACT.add(total, Decimal(row[5]))
        return total

    def totals(self) -> dict[str, dict[Group, tuple[Sum, Sum]]]:
        """By currency and group: the rows of each list. Raises RuntimeError where they do not come to what was read."""
        currencies = sorted({*self.read[0], *self.read[1]})
        found: dict[str, dict[Group, tuple[Sum, Sum]]] = {
            currency: {group: (Sum(), Sum()) for group in GROUPS} for currency in currencies
        }
        rows = self._rows.execute(
            "SELECT r.grp, m.side, e.currency, e.amount FROM results r JOIN members m ON m.result = r.id"
            " JOIN entries e ON e.side = m.side AND e.seq = m.seq"
        )
        for group, side, currency, amount in rows:
            found[currency][GROUPS[group]][side].add(Decimal(amount))
        for side in (0, 1):
            for currency in currencies:
                read, put = self.read[side].get(currency, Sum()), Sum()
                for group in GROUPS:
                    one = found[currency][group][side]
                    put = Sum(put.count + one.count, EXACT.add(put.amount, one.amount))
                if (put.count, put.amount) != (read.count, read.amount):
                    raise RuntimeError(f"The groups hold {put} of {currency}, and {read} was read.")
        return found


def _no_room(error: sqlite3.OperationalError) -> TooLarge:
    return TooLarge(f"There is no room on the disk to compare them ({error}). Compare fewer rows.")


def _sum(rows: Iterable[_Row]) -> Decimal:
    total = Decimal(0)
    for row in rows:
        total = EXACT.add(total, row.amount)
    return total


def _apart(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else abs(a - b)


def _widest(a: Iterable[_Row], b: Iterable[_Row]) -> int | None:
    return _widest_of([row.day for row in a], [row.day for row in b])


def _widest_of(a: list[int | None], b: list[int | None]) -> int | None:
    """The most days between one of these and one of those."""
    ours, theirs = ([day for day in some if day is not None] for some in (a, b))
    return max(max(ours) - min(theirs), max(theirs) - min(ours)) if ours and theirs else None


def _loaded(text: str) -> dict[str, JSON]:
    found: Any = loads_stored(text)
    return found if isinstance(found, dict) else {}
