"""Laws of reconciling, over lists at random: nothing is lost, nothing is twice, and another way finds the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.jsonprofile import dumps
from runtime.sdk.reconcile import Comparison
from runtime.sdk.reconcile_rules import GROUPS, Outcome, Rules, Ways
from runtime.sdk.reconcile_values import Reading

Row = tuple[str, int, str, int]

rows = st.lists(
    st.tuples(
        st.sampled_from(["", "k1", "K1", "k2", "k3", "k1 k2", "k2, k3", "k1;k2;k3", " k4 "]),
        st.integers(-3, 6),
        st.sampled_from(["EUR", "EUR", "EUR", "USD"]),
        st.integers(1, 4),
    ),
    max_size=14,
)
ways = st.sampled_from(["one", "named", "sum"])
tolerances = st.sampled_from([0, 1, 2])


def told(row: Row, number: int) -> dict[str, Any]:
    """A row in cents, so that the oracle needs no decimals."""
    return {
        "key": row[0],
        "amount": Decimal(row[1]).scaleb(-2),
        "cur": row[2],
        "on": f"2026-11-{row[3]:02}",
        "n": number,
    }


def compared(a: list[Row], b: list[Row], ways: Ways = "one", tolerance: int = 0, days: int | None = None) -> Comparison:
    one: dict[str, Any] = {"amount": "amount", "currency_column": "cur", "day": "on"}
    first, second = Reading(("key",), split=ways == "named", **one), Reading(("key",), **one)
    found = Comparison(Rules(first, second, ways, Decimal(tolerance).scaleb(-2), days=days))
    for side, some in enumerate((a, b)):
        found.add(side, [(f"entry {number}", told(row, number)) for number, row in enumerate(some)])
    found.settle()
    return found


def all_of(found: Comparison) -> Iterator[Outcome]:
    for group in GROUPS:
        yield from found.outcomes(group)


@settings(max_examples=300, deadline=None)
@given(rows, rows, ways, tolerances, st.sampled_from([None, 0, 1]))
def test_every_row_is_in_exactly_one_outcome_and_the_totals_add_up(
    a: list[Row], b: list[Row], ways: Ways, tolerance: int, days: int | None
) -> None:
    with compared(a, b, ways, tolerance, days) as found:
        outcomes = list(all_of(found))
        for side, some in enumerate((a, b)):
            there = Counter(row["n"] for one in outcomes for _, row in (one.b if side else one.a))
            assert there == Counter(range(len(some)))
            assert found.count(side) == len(some)
        totals = found.totals()
        for currency in {row[2] for row in (*a, *b)}:
            for side, some in enumerate((a, b)):
                read = sum(row[1] for row in some if row[2] == currency)
                assert sum(totals[currency][group][side].amount for group in GROUPS) * 100 == read
        assert found.groups == {group: sum(one.group == group for one in outcomes) for group in GROUPS}
        for one in outcomes:
            if one.group in ("matched", "differing"):
                assert one.a
                assert one.b
            if one.group == "matched":
                assert one.difference is not None
                assert abs(one.difference) * 100 <= tolerance
            if one.group in ("only_a", "only_b"):
                assert bool(one.a) is (one.group == "only_a")
                assert bool(one.b) is (one.group == "only_b")


@settings(max_examples=150, deadline=None)
@given(rows, rows, ways, tolerances)
def test_the_same_lists_give_the_same_bytes_in_the_same_order(
    a: list[Row], b: list[Row], ways: Ways, tolerance: int
) -> None:
    with compared(a, b, ways, tolerance) as first, compared(a, b, ways, tolerance) as second:
        assert [dumps(one.as_json()) for one in all_of(first)] == [dumps(one.as_json()) for one in all_of(second)]


@settings(max_examples=150, deadline=None)
@given(rows, ways)
def test_a_list_without_keys_twice_matches_itself(a: list[Row], ways: Ways) -> None:
    own = [(f"r{number}", row[1], row[2], row[3]) for number, row in enumerate(a)]
    with compared(own, own[::-1], ways) as found:
        assert found.groups == {**dict.fromkeys(GROUPS, 0), "matched": len(a)}


@settings(max_examples=150, deadline=None)
@given(rows, rows)
def test_the_other_way_round_the_same_is_found(a: list[Row], b: list[Row]) -> None:
    with compared(a, b) as there, compared(b, a) as back:
        mirrored = {"only_a": "only_b", "only_b": "only_a"}
        assert there.groups == {group: back.groups[mirrored.get(group, group)] for group in GROUPS}  # type: ignore[index]


def by_hand(a: list[Row], b: list[Row], tolerance: int) -> set[tuple[str, frozenset[int], frozenset[int]]]:
    """The same in whole cents and plain lists: exact ones first, then the nearest, then what is left by its key."""
    name = [[" ".join(row[0].split()).casefold() for row in some] for some in (a, b)]
    open_a, open_b = [n for n, key in enumerate(name[0]) if key], [n for n, key in enumerate(name[1]) if key]
    found: set[tuple[str, frozenset[int], frozenset[int]]] = set()
    used: set[str] = set()

    def put(group: str, ours: list[int], theirs: list[int]) -> None:
        found.add((group, frozenset(ours), frozenset(theirs)))

    for most in sorted({0, tolerance}):
        for n in list(open_a):
            near = [
                (abs(a[n][1] - b[m][1]), m)
                for m in open_b
                if name[1][m] == name[0][n] and b[m][2] == a[n][2] and abs(a[n][1] - b[m][1]) <= most
            ]
            if near:
                # Of those as near as each other the one with the smaller amount, as text, is not asked for here.
                m = min(near)[1]
                put("matched", [n], [m])
                used.add(name[0][n])
                open_a.remove(n)
                open_b.remove(m)
    for key in sorted({*(name[0][n] for n in open_a), *(name[1][m] for m in open_b)}):
        ours, theirs = [n for n in open_a if name[0][n] == key], [m for m in open_b if name[1][m] == key]
        if len(ours) == len(theirs) == 1:
            n, m = ours[0], theirs[0]
            equal = a[n][2] == b[m][2] and abs(a[n][1] - b[m][1]) <= tolerance
            put("matched" if equal else "differing", ours, theirs)
            continue
        several = bool(ours and theirs)
        for group, some, side in (("only_a", ours, 0), ("only_b", theirs, 1)):
            for place, one in enumerate(some):
                alone = not several and key not in used and place == 0
                put(group if alone else "twice", [] if side else [one], [one] if side else [])
    for n, key in enumerate(name[0]):
        if not key:
            put("only_a", [n], [])
    for m, key in enumerate(name[1]):
        if not key:
            put("only_b", [], [m])
    return found


@settings(max_examples=400, deadline=None)
@given(rows, rows, tolerances)
def test_another_way_finds_the_same(a: list[Row], b: list[Row], tolerance: int) -> None:
    with compared(a, b, "one", tolerance) as found:
        got = {
            (one.group, frozenset(row["n"] for _, row in one.a), frozenset(row["n"] for _, row in one.b))
            for one in all_of(found)
        }
    assert got == by_hand(a, b, tolerance)


@settings(max_examples=200, deadline=None)
@given(rows, rows, tolerances)
def test_sums_by_key_are_the_sums_of_the_rows(a: list[Row], b: list[Row], tolerance: int) -> None:
    with compared(a, b, "sum", tolerance) as found:
        outcomes = [one for one in all_of(found) if one.why != "no_key"]
    sums: dict[str, list[tuple[int, set[str]]]] = {}
    for side, some in enumerate((a, b)):
        for row in some:
            if key := " ".join(row[0].split()).casefold():
                one = sums.setdefault(key, [(0, set()), (0, set())])
                one[side] = (one[side][0] + row[1], one[side][1] | {row[2]})
    wanted = Counter[str]()
    for ours, theirs in sums.values():
        if not ours[1] or not theirs[1]:
            wanted["only_b" if theirs[1] else "only_a"] += 1
        else:
            equal = len(ours[1] | theirs[1]) == 1 and abs(ours[0] - theirs[0]) <= tolerance
            wanted["matched" if equal else "differing"] += 1
    assert Counter(one.group for one in outcomes) == wanted
