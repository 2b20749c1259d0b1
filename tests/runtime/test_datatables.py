"""Data tables by the front door: exact values, keys, questions, columns that change, limits."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from runtime import api
from runtime.api.cursors import BadCursor
from runtime.contracts.datatables import (
    ColumnDraft,
    RowChanged,
    RowExists,
    RowFilters,
    RowMissing,
    TableMissing,
    TableRefused,
    TableView,
)
from runtime.engine.ids import uuid7
from runtime.store import datatable_changes as changes
from runtime.store import datatables
from runtime.store.datatable_models import DataRow
from runtime.store.datatable_values import sort_text
from tests.runtime.machine import WORKSPACE
from tests.runtime.tabling import CUSTOMERS, ME, column, made, put, rows, values, where

pytestmark = pytest.mark.django_db(transaction=True)


def changed(table: TableView, *columns: ColumnDraft, name: str | None = None) -> TableView:
    newest = api.table(workspace_id=WORKSPACE, table_id=table.id)
    return api.change_table(
        workspace_id=WORKSPACE, table_id=table.id, revision=newest.revision, name=name, columns=columns or None, by=ME
    )


def as_drafts(table: TableView) -> list[ColumnDraft]:
    return [ColumnDraft(one.name, one.type, one.required, one.key, one.id) for one in table.columns]


def test_values_come_back_exactly_as_they_were_kept() -> None:
    table = made()
    put(table, Customer="C-7", Owes=Decimal("12.50"), Orders="3", Since="2026-02-28", Blocked="no")
    put(table, Customer="C-8", Owes=Decimal("0.1234567890123456789012345678901234567"))
    assert values(table) == [
        {"Customer": "C-7", "Owes": Decimal("12.50"), "Orders": 3, "Since": "2026-02-28", "Blocked": False},
        {
            "Customer": "C-8",
            "Owes": Decimal("0.1234567890123456789012345678901234567"),
            "Orders": None,
            "Since": None,
            "Blocked": None,
        },
    ]
    assert str(rows(table)[0].values["Owes"]) == "12.50"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"Customer": "a", "Owes": "12,50"}, "“Owes” takes a number, such as 1250.5; “12,50” does not fit"),
        ({"Customer": "a", "Since": "31.12.2026"}, "takes a date, such as 2026-11-28"),
        ({"Customer": "a", "Since": "2026-02-30"}, "takes a date"),
        ({"Customer": "a", "Blocked": "perhaps"}, "takes yes or no"),
        ({"Customer": ["a"]}, "takes text, not a list"),
        ({"Customer": "a", "Colour": "red"}, "no column “Colour”. It has: “Customer”, “Owes”"),
        ({"Owes": 1}, "“Customer” came out empty"),
        ({"Customer": "a" * 70_000}, "at most 64 KiB"),
    ],
)
def test_what_does_not_fit_is_refused_in_words_and_nothing_is_kept(given: dict[str, Any], says: str) -> None:
    table = made()
    with pytest.raises(TableRefused, match=says):
        put(table, **given)
    assert rows(table) == []


def test_a_key_is_there_once_and_numbers_are_the_same_by_their_worth() -> None:
    table = made(columns=(ColumnDraft("Year", "number", key=True), ColumnDraft("Site", key=True), ColumnDraft("N")))
    put(table, Year=2026, Site="A", N="one")
    put(table, Year=Decimal("2026.0"), Site="A", N="two")
    put(table, Year=2026, Site="a", N="other")
    assert column(table, "N") == ["two", "other"]
    with pytest.raises(RowExists, match=r"Year “2026\.0”, Site “A” already"):
        api.save_table_row(workspace_id=WORKSPACE, table_id=table.id, values={"Year": 2026, "Site": "A"}, by=ME)
    (first, second) = rows(table)
    with pytest.raises(RowExists):
        api.save_table_row(
            workspace_id=WORKSPACE, table_id=table.id, values={"Site": "A"}, by=ME, row_id=second.id, stamp=second.stamp
        )
    assert first.values["N"] == "two"


def test_a_change_of_a_row_that_somebody_changed_meanwhile_is_refused() -> None:
    table = made()
    seen = put(table, Customer="C-7", Orders=1)
    put(table, Customer="C-7", Orders=2)
    with pytest.raises(RowChanged, match="meanwhile"):
        api.save_table_row(
            workspace_id=WORKSPACE, table_id=table.id, values={"Orders": 9}, by=ME, row_id=seen.id, stamp=seen.stamp
        )
    with pytest.raises(RowChanged):
        api.delete_table_row(workspace_id=WORKSPACE, table_id=table.id, row_id=seen.id, by=ME, stamp=seen.stamp)
    api.delete_table_row(workspace_id=WORKSPACE, table_id=table.id, row_id=seen.id, by=ME)
    with pytest.raises(RowMissing):
        api.delete_table_row(workspace_id=WORKSPACE, table_id=table.id, row_id=seen.id, by=ME)


def test_the_same_key_is_one_change_of_a_person_too() -> None:
    table = made("Log", (ColumnDraft("What"),))
    for _ in range(3):
        api.save_table_row(workspace_id=WORKSPACE, table_id=table.id, values={"What": "x"}, by=ME, key="k1")
    api.save_table_row(workspace_id=WORKSPACE, table_id=table.id, values={"What": "x"}, by=uuid7(), key="k1")
    assert column(table, "What") == ["x", "x"]


NUMBERS = [
    Decimal(text)
    for text in (
        "0", "0.0", "1", "-1", "1.5", "1.25", "-1.5", "-1.25", "10", "9", "-10", "-9", "0.001", "-0.001", "1E+30",
        "-1E+30", "1E-30", "123456789012345678901234567890.12", "123456789012345678901234567890.13",
    )
]  # fmt: skip


def test_numbers_sort_as_text_in_the_order_of_their_worth() -> None:
    chance = random.Random(7)
    numbers = NUMBERS + [
        Decimal(chance.randrange(-(10**12), 10**12)).scaleb(chance.randrange(-9, 9)) for _ in range(500)
    ]
    by_text = sorted(numbers, key=sort_text)
    assert by_text == sorted(numbers)
    assert sort_text(Decimal("1.50")) == sort_text(Decimal("1.5"))


QUESTIONS: list[tuple[Any, list[str]]] = [
    (where("Owes", "gt", Decimal("99.99")), ["c", "d"]),
    (where("Owes", "gte", 100), ["c", "d"]),
    (where("Owes", "lt", 0), ["b"]),
    (where("Owes", "eq", Decimal("100.00")), ["c"]),
    (where("Owes", "ne", 100), ["a", "b", "d", "E_1%"]),
    (where("Owes", "empty"), ["E_1%"]),
    (where("Owes", "filled"), ["a", "b", "c", "d"]),
    (where("Owes", "eq", None), ["E_1%"]),
    (where("Owes", "in", [100, "99.99"]), ["a", "c"]),
    (where("Customer", "contains", "_1%"), ["E_1%"]),
    (where("Customer", "starts", "e"), ["E_1%"]),
    (where("Customer", "eq", "A"), []),
    (where("Customer", "eq", "a"), ["a"]),
    (where("Customer", "in", ["a", "d", "x"]), ["a", "d"]),
    (where("Since", "lt", "2026-03-01"), ["a"]),
    (where("Blocked", "eq", True), ["b"]),
]


def some_customers() -> TableView:
    table = made()
    put(table, Customer="a", Owes=Decimal("99.99"), Since="2026-02-28", Orders=10)
    put(table, Customer="b", Owes=Decimal("-5"), Blocked=True, Orders=9)
    put(table, Customer="c", Owes=100, Since="2026-03-01")
    put(table, Customer="d", Owes=Decimal("123456789012345678.01"))
    put(table, Customer="E_1%", Orders=-3)
    return table


@pytest.mark.parametrize(("condition", "found"), QUESTIONS, ids=lambda one: getattr(one, "operator", ""))
def test_rows_are_found_by_what_stands_in_them(condition: Any, found: list[str]) -> None:
    table = some_customers()
    assert column(table, "Customer", conditions=(condition,)) == found
    count = api.count_table_rows(workspace_id=WORKSPACE, table_id=table.id, filters=RowFilters(conditions=(condition,)))
    assert count == len(found)


def test_conditions_hold_together_or_each_for_itself() -> None:
    table = some_customers()
    both = (where("Owes", "gt", 50), where("Since", "filled"))
    assert column(table, "Customer", conditions=both) == ["a", "c"]
    assert column(table, "Customer", conditions=(*both, where("Blocked", "eq", True)), any_of=True) == [
        "a", "b", "c", "d",
    ]  # fmt: skip
    with pytest.raises(TableRefused, match="no text"):
        rows(table, conditions=(where("Owes", "contains", "9"),))
    with pytest.raises(TableRefused, match="no column “Nothing”"):
        rows(table, conditions=(where("Nothing"),))


def test_rows_come_in_the_order_of_a_column_page_by_page_with_empty_ones_last() -> None:
    table = some_customers()
    assert column(table, "Customer", sort="Owes") == ["b", "a", "c", "d", "E_1%"]
    assert column(table, "Customer", sort="Owes", descending=True) == ["d", "c", "a", "b", "E_1%"]
    assert column(table, "Orders", sort="Orders") == [-3, 9, 10, None, None]
    assert column(table, "Customer", sort="Since") == ["a", "c", "b", "d", "E_1%"]
    assert column(table, "Customer", descending=True) == ["E_1%", "d", "c", "b", "a"]


def test_a_search_looks_into_every_cell_whatever_the_case() -> None:
    table = made(
        columns=(ColumnDraft("Name"), ColumnDraft("Street"), ColumnDraft("Due", "date"), ColumnDraft("N", "number"))
    )
    put(table, Name="Müller GmbH", Street="Straße 5", Due="2026-11-28", N=1250)
    put(table, Name="100 % fair", Street='quote " comma , c1', N=Decimal("12.50"))
    for text, found in (
        ("MÜLLER", [1250]), ("strasse", [1250]), ("2026-11", [1250]), ("1250", [1250]), ("12.5", [Decimal("12.50")]),
        ("%", [Decimal("12.50")]), ("_", []), ("c1", [Decimal("12.50")]), ('"', [Decimal("12.50")]), ("c2", []),
        ("2", [1250]),
    ):  # fmt: skip
        assert column(table, "N", search=text) == found, text


def test_page_markers_of_others_are_refused() -> None:
    table = some_customers()
    for cursor in ("x", "WzFd", "WyJhIl0", "W251bGxd"):
        with pytest.raises(BadCursor):
            api.table_rows(workspace_id=WORKSPACE, table_id=table.id, after=cursor)


def test_another_workspaces_table_is_not_there() -> None:
    table = some_customers()
    other = uuid7()
    assert api.tables(workspace_id=other) == []
    for ask in (
        lambda: api.table(workspace_id=other, table_id=table.id),
        lambda: api.table_rows(workspace_id=other, table_id=table.id),
        lambda: api.save_table_row(workspace_id=other, table_id=table.id, values={"Customer": "x"}, by=ME),
        lambda: api.delete_table_row(workspace_id=other, table_id=table.id, row_id=rows(table)[0].id, by=ME),
        lambda: api.remove_table(workspace_id=other, table_id=table.id, by=ME),
        lambda: api.change_table(workspace_id=other, table_id=table.id, revision=1, name="x", by=ME),
    ):
        with pytest.raises(TableMissing):
            ask()
    assert len(rows(table)) == 5


def test_a_renamed_column_keeps_its_values_and_a_removed_one_loses_them() -> None:
    table = some_customers()
    drafts = as_drafts(table)
    drafts[1] = ColumnDraft("Balance", "amount", id=drafts[1].id)
    now = changed(table, *drafts[:3], name="People")
    assert (now.name, [one.name for one in now.columns], now.rows) == ("People", ["Customer", "Balance", "Orders"], 5)
    assert column(now, "Balance")[0] == Decimal("99.99")
    assert not [row for row in DataRow.objects.all() if "2026" in row.cells + row.sought]
    again = changed(now, *as_drafts(now), ColumnDraft("Since", "text"))
    assert column(again, "Since") == [None] * 5, "another column of this name is another one"


def test_columns_do_not_become_what_the_rows_are_not() -> None:
    table = some_customers()
    drafts = as_drafts(table)
    for replaced, says in (
        ({1: ColumnDraft("Owes", "text", id="c2")}, "holds values already"),
        ({1: ColumnDraft("Owes", "amount", required=True, id="c2")}, "“Owes” is empty in 1 row"),
        ({2: ColumnDraft("Orders", "number", key=True, id="c3")}, "empty in 2 rows"),
        ({1: ColumnDraft("customer", "amount", id="c2")}, "Two columns are called"),
        ({1: ColumnDraft("_id", "amount", id="c2")}, "does not begin"),
        ({1: ColumnDraft("Owes", "amount", id="c99")}, "no such column"),
    ):
        with pytest.raises(TableRefused, match=says):
            changed(table, *[replaced.get(place, one) for place, one in enumerate(drafts)])
    assert api.table(workspace_id=WORKSPACE, table_id=table.id).columns == table.columns
    number = changed(table, *[ColumnDraft("Owes", "number", id="c2") if one.id == "c2" else one for one in drafts])
    assert number.columns[1].type == "number"


def test_a_new_key_is_refused_where_rows_are_alike_and_holds_from_then_on() -> None:
    table = made("Log", (ColumnDraft("Order"), ColumnDraft("Line", "number")))
    for order, line in (("a", 1), ("a", 2), ("b", 1)):
        put(table, Order=order, Line=line)
    with pytest.raises(TableRefused, match="Several rows have “a”"):
        changed(table, ColumnDraft("Order", key=True, id="c1"), ColumnDraft("Line", "number", id="c2"))
    put(table, Order="c", Line=1)
    keyed = changed(table, ColumnDraft("Order", key=True, id="c1"), ColumnDraft("Line", "number", key=True, id="c2"))
    put(keyed, Order="c", Line=1)
    assert len(rows(keyed)) == 4
    with pytest.raises(TableRefused, match="meanwhile"):
        api.change_table(workspace_id=WORKSPACE, table_id=table.id, revision=1, name="x", by=ME)


def test_names_and_limits_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made("Müller")
    with pytest.raises(TableRefused, match="There is a table called “MÜLLER” already"):
        made("MÜLLER")
    for name, columns, says in (
        (" ", CUSTOMERS, "Give the table a name"),
        ("x", (), "at least one column"),
        ("x", tuple(ColumnDraft(f"n{number}") for number in range(61)), "at most 60 columns"),
    ):
        with pytest.raises(TableRefused, match=says):
            made(name, columns)
    monkeypatch.setattr(changes, "MOST_ROWS", 1)
    changes._COUNTS.clear()
    put(table, Customer="a")
    with pytest.raises(TableRefused, match="at most 1 rows"):
        put(table, Customer="b")
    put(table, Customer="a", Orders=2)
    changes._COUNTS.clear()
    api.remove_table(workspace_id=WORKSPACE, table_id=table.id, by=ME)
    made("Müller")


def test_a_removed_table_is_gone_with_its_rows_also_where_a_crash_left_some() -> None:
    table, other = some_customers(), made("Other")
    put(other, Customer="stays")
    api.remove_table(workspace_id=WORKSPACE, table_id=table.id, by=ME)
    assert DataRow.objects.count() == 1
    DataRow.objects.filter(table_id=other.id).update(table_id=table.id)
    assert datatables.sweep() == 1
    assert DataRow.objects.count() == 0
    with pytest.raises(TableMissing):
        api.table(workspace_id=WORKSPACE, table_id=table.id)
