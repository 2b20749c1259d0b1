"""What came of comparing two lists, for people: one row for each thing that was found, as a table has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.reconcile import Comparison
from runtime.sdk.reconcile_rules import GROUPS, Group, Sum, exact
from runtime.sdk.reconcile_values import EXACT, NOTHING, cell_of

__all__ = ["report_columns", "report_rows", "totals_json"]

#: Of each list's own columns.
_MOST_COLUMNS: Final = 100
_WHY: Final = {
    "": "",
    "tolerance": "Within the tolerance",
    "amount": "The amounts differ",
    "currency": "The currencies differ",
    "date": "The dates are too far apart",
    "missing": "Not found: ",
    "no_key": "There is nothing to find it by",
    "twice": "Another one with the same key came before",
    "several": "Several have the same key, and none fits another",
}


def report_columns(compared: Comparison, names: tuple[str, str]) -> list[str]:
    """The names of the columns, no two alike."""
    fixed = [
        "Group",
        "Key",
        "Why",
        "Currency",
        f"{names[0]}: amount",
        f"{names[1]}: amount",
        "Difference",
        "Days apart",
    ]
    own = [name for side in (0, 1) for name, _ in _own(compared, side, names[side])]
    return list(dict.fromkeys([*fixed, *own]))


def report_rows(compared: Comparison, names: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """All that was found, group by group."""
    own = tuple(tuple(_own(compared, side, names[side])) for side in (0, 1))
    for group in GROUPS:
        for found in compared.outcomes(group):
            row: dict[str, Any] = {
                "Group": _group(group, names),
                "Key": found.key,
                "Why": _WHY[found.why] + (", ".join(found.missing) if found.why == "missing" else ""),
                "Currency": found.currency,
                f"{names[0]}: amount": None if found.a_amount is None else exact(found.a_amount),
                f"{names[1]}: amount": None if found.b_amount is None else exact(found.b_amount),
                "Difference": None if found.difference is None else exact(found.difference),
                "Days apart": found.days,
            }
            for side, some in ((0, found.a), (1, found.b)):
                for name, column in own[side]:
                    row[name] = _cells([one for _, one in some], column)
            yield row


def _own(compared: Comparison, side: int, name: str) -> Iterator[tuple[str, str]]:
    """The columns of one list: as the report calls it, and as the list does."""
    for column in list(compared.columns[side])[:_MOST_COLUMNS]:
        # What the report says itself in a column of this name keeps it.
        shown = f"{name}: {column}"
        yield f"{shown} " if shown in (f"{name}: amount",) else shown, column


def _cells(rows: list[dict[str, JSON]], column: str) -> Any:
    """What stands in this column: itself of one row, one behind the other of several."""
    if not rows:
        return None
    found = [cell_of(row, column) for row in rows]
    if len(found) == 1:
        return None if found[0] is NOTHING else found[0]
    return "; ".join("" if one is NOTHING or one is None else str(one) for one in found)


def _group(group: Group, names: tuple[str, str]) -> str:
    return {
        "matched": "Matched",
        "differing": "Differs",
        "only_a": f"Only in {names[0]}",
        "only_b": f"Only in {names[1]}",
        "twice": "There more than once",
    }[group]


def totals_json(compared: Comparison) -> list[JSON]:
    """By currency: of each list how many rows and what they are worth, the same by group, and the difference."""
    found: list[JSON] = []
    for currency, groups in compared.totals().items():
        a, b = (compared.read[side].get(currency, Sum()) for side in (0, 1))
        shown: dict[str, JSON] = {
            "currency": currency,
            "a": _sum(a),
            "b": _sum(b),
            "difference": exact(EXACT.subtract(a.amount, b.amount)),
        }
        for group, sums in groups.items():
            shown[group] = {"a": _sum(sums[0]), "b": _sum(sums[1])}
        found.append(shown)
    return found


def _sum(one: Sum) -> dict[str, JSON]:
    return {"count": one.count, "amount": exact(one.amount)}
