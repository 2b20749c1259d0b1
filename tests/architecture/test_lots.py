"""The sample that `make test` draws leaves nothing out that is not run elsewhere in it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests import lots

TESTS = Path(__file__).resolve().parents[1]
LOTS = [f"{number * 2654435761 % 2**32:08x}" for number in range(40)]
SHAPED = "tests/browser/test_inbox.py::test_it_fits"
SLOW = "tests/runtime/test_budgets.py::test_it_waits"
QUICK = "tests/runtime/test_tags.py::test_it_is_quick"
BUILT = "tests/builder/practice/test_ledger.py::test_it_answers[a-b]"


class Item:
    """As much of a test as a lot looks at."""

    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid


def kept(names: list[str], lot: str, database: str = "sqlite") -> set[str]:
    items = cast("list[pytest.Item]", [Item(name) for name in names])
    runs, left = lots.sample(items, lot, database)
    assert len(runs) + len(left) == len(names)
    return {item.nodeid for item in runs}


def test_every_module_that_takes_long_is_there() -> None:
    for name in lots.SLOW:
        folder, _, module = name.rpartition("/")
        assert (TESTS / folder / f"test_{module}.py").exists(), name


def test_a_test_that_takes_long_runs_on_one_database_and_each_has_its_turn() -> None:
    seen = set()
    for lot in LOTS:
        where = [name for name in ("sqlite", "postgres") if kept([SLOW], lot, name)]
        assert len(where) == 1
        seen.update(where)
    assert seen == {"sqlite", "postgres"}


def test_a_quick_one_runs_on_both() -> None:
    assert all(kept([QUICK], lot, name) == {QUICK} for lot in LOTS for name in ("sqlite", "postgres"))


def test_what_the_builder_promises_is_always_looked_at_on_sqlite_and_by_lot_on_postgresql() -> None:
    assert all(kept([BUILT], lot) == {BUILT} for lot in LOTS)
    assert {bool(kept([BUILT], lot, "postgres")) for lot in LOTS} == {True, False}


def test_a_screen_is_looked_at_in_one_of_its_shapes_and_each_has_its_turn() -> None:
    shapes = [f"{SHAPED}[{size}-{light}]" for size in ("phone", "desk") for light in ("dark", "light")]
    drawn = [kept(shapes, lot) for lot in LOTS]
    assert all(len(one) == 1 for one in drawn)
    assert set().union(*drawn) == set(shapes)


def test_what_differs_by_more_than_its_shape_is_not_drawn() -> None:
    cases = [f"{SHAPED}[{case}-{size}]" for case in ("retry", "undo") for size in ("phone", "desk")]
    others = [f"{SHAPED}[{case}]" for case in ("happened", "give_up")]
    for lot in LOTS:
        drawn = kept(cases + others, lot)
        assert len([name for name in drawn if "retry" in name]) == 1
        assert len([name for name in drawn if "undo" in name]) == 1
        assert drawn >= set(others)


def test_the_same_lot_draws_the_same_again() -> None:
    names = [SLOW, QUICK, BUILT, *(f"{SHAPED}[{size}]" for size in ("phone", "desk"))]
    assert all(kept(names, lot) == kept(list(reversed(names)), lot) for lot in LOTS)
