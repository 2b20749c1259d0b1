"""Data tables from files and as files: what fits is taken in once, what does not is named, text is never a formula."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from runtime import api
from runtime.api import datatable_files
from runtime.contracts import NotFound
from runtime.contracts.datatables import ColumnDraft, Imported, RowFilters, TableRefused, TableView
from runtime.engine.ids import uuid7
from runtime.store import datatable_imports as imports
from runtime.store import failpoints
from runtime.store.failpoints import FailpointReached
from tests.runtime.machine import WORKSPACE
from tests.runtime.tabling import ME, column, made, put, rows, values, where

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def uploaded(data: bytes | str, name: str = "a.csv") -> UUID:
    whole = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return api.add_file(workspace_id=WORKSPACE, name=name, mime="text/csv", read=whole.read, by=ME).id


def take_in(table: TableView, file_id: UUID, if_there: Any = "change", key: str | None = None) -> Imported:
    found = api.look_at_table_file(workspace_id=WORKSPACE, table_id=table.id, file_id=file_id)
    matched = {one.name: one.column for one in found if one.column is not None}
    return api.import_rows(
        workspace_id=WORKSPACE, table_id=table.id, file_id=file_id, columns=matched, if_there=if_there, by=ME, key=key
    )


def written(table: TableView, format: Any = "csv", **filters: Any) -> bytes:
    made = api.export_table(workspace_id=WORKSPACE, table_id=table.id, format=format, filters=RowFilters(**filters))
    return b"".join(made.portions)


GERMAN = """customer;Owes;Orders;SINCE;Blocked;Remark
C-1;1.250,50;3;28.11.2026;ja;new
C-2;-0,05;;;nein;
;1,00;1;;;no key
C-3;a lot;1;;;
C-2;2,00;7;01.12.2026;;twice
"""


def test_a_file_is_taken_in_by_the_names_of_its_columns_and_what_does_not_fit_is_named() -> None:
    table = made()
    put(table, Customer="C-2", Owes=9, Orders=4)
    file_id = uploaded(GERMAN)
    looked = api.look_at_table_file(workspace_id=WORKSPACE, table_id=table.id, file_id=file_id)
    assert [(one.name, one.column) for one in looked] == [
        ("customer", "Customer"), ("Owes", "Owes"), ("Orders", "Orders"), ("SINCE", "Since"), ("Blocked", "Blocked"),
        ("Remark", None),
    ]  # fmt: skip
    done = take_in(table, file_id)
    assert (done.added, done.changed, done.unchanged, done.refused) == (1, 2, 0, 2)
    assert [(one.row, one.reason) for one in done.reasons] == [
        (4, "The column “Customer” must be filled in."),
        (5, "The column “Owes” takes a number, such as 1250.5; “a lot” does not fit."),
    ]
    assert values(table) == [
        {"Customer": "C-2", "Owes": Decimal("2.00"), "Orders": 7, "Since": "2026-12-01", "Blocked": None},
        {"Customer": "C-1", "Owes": Decimal("1250.50"), "Orders": 3, "Since": "2026-11-28", "Blocked": True},
    ]
    again = take_in(table, file_id)
    assert (again.added, again.changed, again.refused) == (0, 2, 2), "the row that comes twice changes to and fro"


@pytest.mark.parametrize(
    ("if_there", "counts", "owes"), [("keep", (1, 0, 1, 0), 9), ("fail", (1, 0, 0, 1), 9), ("change", (1, 1, 0, 0), 2)]
)
def test_rows_that_are_there_are_changed_kept_or_refused(if_there: Any, counts: Any, owes: int) -> None:
    table = made()
    put(table, Customer="C-2", Owes=9)
    done = take_in(table, uploaded("Customer,Owes\nC-1,1\nC-2,2\n"), if_there)
    assert (done.added, done.changed, done.unchanged, done.refused) == counts
    assert column(table, "Owes") == [owes, 1]
    assert [one.reason for one in done.reasons] == (
        ["There is a row with Customer “C-2” already."] if if_there == "fail" else []
    )


def test_an_import_that_was_cut_off_goes_on_where_it_was_under_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key column nothing else would tell that these rows are there."""
    monkeypatch.setattr(imports, "PAGE", 10)
    table = made("Log", (ColumnDraft("N", "number"),))
    file_id = uploaded("N\n" + "".join(f"{number}\n" for number in range(35)))
    failpoints.arm("table.change:after=raise@nth(3)")
    with pytest.raises(FailpointReached):
        take_in(table, file_id, key="k")
    failpoints.disarm()
    assert len(rows(table)) == 30
    done = take_in(table, file_id, key="k")
    assert (done.added, column(table, "N")) == (35, list(range(35)))
    assert take_in(table, file_id, key="k").added == 35
    assert len(rows(table)) == 35
    take_in(table, file_id, key="other")
    assert len(rows(table)) == 70


@pytest.mark.parametrize(
    ("text", "matched", "says"),
    [
        ("A;B\n1;2\n", {}, "No column of the file belongs to one of the table"),
        ("A;B\n1;2\n", {"C": "Owes"}, "The file has no column “C”. It has: A, B"),
        ("A;B\n1;2\n", {"A": "Nothing"}, "no column “Nothing”"),
        ("A;B\n1;2\n", {"A": "Owes", "B": "Owes"}, "Two columns of the file go into “Owes”"),
        ("A;B\n1;2\n", {"A": "Owes"}, "“Customer” tells the rows of the table apart"),
        ("\0\1", {"A": "Customer"}, "neither a CSV file nor a spreadsheet"),
    ],
)
def test_an_import_that_cannot_be_meant_takes_in_nothing(text: str, matched: dict[str, str], says: str) -> None:
    table = made()
    with pytest.raises(TableRefused, match=says):
        api.import_rows(
            workspace_id=WORKSPACE, table_id=table.id, file_id=uploaded(text), columns=matched, if_there="change", by=ME
        )
    assert rows(table) == []


def test_a_file_that_is_too_long_or_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made()
    monkeypatch.setattr(datatable_files, "MOST_IMPORTED", 1)
    with pytest.raises(TableRefused, match="The file has 2 rows, and 1 are taken in at once"):
        take_in(table, uploaded("Customer\na\nb\n"))
    with pytest.raises(NotFound):
        take_in(table, uuid7())
    foreign = api.add_file(
        workspace_id=uuid7(), name="x", mime="text/csv", read=io.BytesIO(b"Customer\na\n").read, by=ME
    )
    with pytest.raises(NotFound):
        take_in(table, foreign.id)


@pytest.mark.parametrize("format", ["csv", "csv_comma", "xlsx"])
def test_what_is_written_out_is_taken_in_again_as_it_was_and_no_text_is_a_formula(format: str) -> None:
    table = made()
    put(table, Customer='=HYPERLINK("http://evil")', Owes=Decimal("12.50"), Orders=3, Since="2026-02-28", Blocked=True)
    put(table, Customer="+49 30", Owes=Decimal("-0.05"))
    put(table, Customer="0815", Blocked=False)
    data = written(table, format)
    if format != "xlsx":
        delimiter = ";" if format == "csv_comma" else ","
        cells = [row[0] for row in csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=delimiter)]
        assert cells == ["Customer", '\'=HYPERLINK("http://evil")', "'+49 30", "0815"]
    copy = made("Copy")
    done = take_in(copy, uploaded(data, f"a.{format[:4]}"))
    assert (done.added, done.refused) == (3, 0), done
    assert values(copy) == values(table)


def test_only_the_rows_that_were_looked_for_are_written_out_in_their_order() -> None:
    table = made()
    for number in range(5):
        put(table, Customer=f"C-{number}", Owes=-number)
    data = written(table, conditions=(where("Owes", "lt", -1),), sort="Owes").decode("utf-8-sig")
    assert [line.split(",")[0] for line in data.splitlines()] == ["Customer", "C-4", "C-3", "C-2"]


def test_a_new_table_can_have_the_columns_of_a_file() -> None:
    drafts = api.columns_like_file(workspace_id=WORKSPACE, file_id=uploaded("_id;Owes;Since\na;1,5;28.11.2026\n"))
    assert [(one.name, one.type) for one in drafts] == [("id", "text"), ("Owes", "number"), ("Since", "date")]
