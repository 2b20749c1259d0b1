"""A file as a workflow expects it: understood, asked about where it can be read in two ways, checked row by row."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlsxwriter import Workbook

from runtime.sdk.table_cells import TableRefused
from runtime.sdk.table_checks import LeftRow, check_rows
from runtime.sdk.table_columns import TableColumn, proposed
from runtime.sdk.table_fit import plan_of
from runtime.sdk.table_looks import Look, look_at
from runtime.sdk.table_value import MOST_GAPS, TableFormat, Unusable, accepted, is_table, spans
from runtime.sdk.table_values import Misfit, date_of, number_of, typed, yes_no_of

INVOICES = [
    TableColumn(name="invoice", label="Invoice number", key=True),
    TableColumn(name="centre", label="Cost centre", required=True),
    TableColumn(name="amount", label="Amount", type="amount", currency="EUR"),
    TableColumn(name="due", label="Due date", type="date"),
    TableColumn(name="paid", label="Paid", type="yes_no"),
]
GERMAN = (
    "Rechnungsnummer;Kostenstelle;Betrag;Fällig am;Bezahlt\r\n"
    "R-1;Küche;1.234,50;28.11.2026;ja\r\n"
    "R-2;Büro;-7,5;1.12.2026;nein\r\n"
)
CZECH = "Číslo faktury\tStředisko\tČástka\tSplatnost\tZaplaceno\nF-1\tŘíčany\t1 234,50\t28. 11. 2026\tano\n" + "".join(
    f"F-{n}\tPříšerně žluťoučký kůň\t{n},10\t1. 12. 2026\tne\n" for n in range(2, 30)
)
GREEK = (
    "Αριθμός τιμολογίου;Κέντρο κόστους;Ποσό;Λήξη;Πληρωμένο\n"
    "Τ-1;Κουζίνα Θεσσαλονίκης;1.234,50;28/11/2026;ναι\n"
    "Τ-2;Γραφείο Αθηνών;7,5;1/12/2026;όχι\n"
)


def seen(data: bytes, columns: Any = INVOICES, form: Any = None, sources: Any = None) -> Look:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return look_at(file, columns, form, sources)


def checked(data: bytes, columns: Any = INVOICES, form: Any = None) -> tuple[Any, list[LeftRow]]:
    file, left = io.BytesIO(data), list[LeftRow]()
    found = look_at(file, columns, form)
    return check_rows(file, plan_of(found.form, columns, found.sources, found.headers), left.append), left


FIRST = {
    "invoice": "R-1",
    "centre": "Küche",
    "amount": {"amount": Decimal("1234.50"), "currency": "EUR"},
    "due": "2026-11-28",
    "paid": True,
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_german_export_is_understood_in_whatever_encoding_it_comes(encoding: str) -> None:
    found = seen(GERMAN.encode(encoding))
    assert (found.form.encoding, found.form.delimiter, found.form.decimal, found.asks) == (encoding, ";", ",", ())
    assert (found.rows[0].values, found.rows[0].wrong) == (FIRST, ())


@pytest.mark.parametrize(
    ("text", "encoding", "of"), [(CZECH, "cp1250", "Říčany"), (GREEK, "cp1253", "Κουζίνα Θεσσαλονίκης")]
)
@pytest.mark.parametrize("unicode", [False, True])
def test_czech_and_greek_exports_are_understood(text: str, encoding: str, of: str, unicode: bool) -> None:
    found = seen(text.encode("utf-8" if unicode else encoding))
    assert found.form.encoding == ("utf-8" if unicode else encoding)
    assert set(found.sources) >= {"invoice", "amount"}
    assert found.rows[0].cells[1] == of
    sources = dict(zip([column.name for column in INVOICES], found.headers, strict=True))
    row = seen(text.encode(), sources=sources).rows[0]
    assert row.wrong == ()
    assert row.values == {**FIRST, "invoice": row.cells[0], "centre": of}


def test_the_first_letter_that_is_none_of_ascii_may_stand_far_down() -> None:
    data = (
        b"Invoice;Cost centre\n" + b"".join(b"R-%d;Kitchen\n" % n for n in range(40_000)) + "R;Küche\n".encode("cp1252")
    )
    assert seen(data).form.encoding == "cp1252"


def test_a_letter_head_before_the_names_of_the_columns_is_passed_over() -> None:
    found = seen(f"Kontoauszug Nr. 5\r\nvom 28.11.2026\r\n\r\n{GERMAN}".encode())
    assert (found.form.header, found.rows[0].number, found.rows[0].values) == (4, 5, FIRST)
    assert seen(b"1;2\n3;4\n").form.header == 0
    assert seen(b"1;2\n3;4\n").headers == ("Column 1", "Column 2")


def test_line_breaks_in_quotes_count_as_one_row() -> None:
    found, left = checked(b'Invoice number,Cost centre\n1,"two\r\nlines"\n2,\n')
    assert (found.total, found.fitting, [row.number for row in left]) == (2, 1, [3])


@pytest.mark.parametrize(
    ("amounts", "decimal", "asked"),
    [
        (["1.234", "2.345"], ".", "1.234"), (["1.234", "2.345,5"], ",", None), (["1.234", "0.5"], ".", None),
        (["12", "7"], ".", None), (["1,234"], ".", "1,234"), (["1,234", "1,2"], ",", None), (["1.234.567"], ",", None),
    ],
)  # fmt: skip
def test_a_number_that_can_be_read_two_ways_is_asked_about(amounts: list[str], decimal: str, asked: str | None) -> None:
    data = "\n".join(["Invoice number\tCost centre\tAmount", *(f"{n}\tx\t{one}" for n, one in enumerate(amounts))])
    found = seen(data.encode())
    assert found.form.decimal == decimal
    assert [ask.cell for ask in found.asks] == ([] if asked is None else [asked])
    if asked:
        assert set(found.asks[0].readings) == {"1234", "1.234"}
        assert seen(data.encode(), form={"decimal": ","}).asks == ()


@pytest.mark.parametrize(
    ("days", "order", "asked"),
    [
        (["03/04/2026"], "dmy", "03/04/2026"), (["03/04/2026", "13/04/2026"], "dmy", None),
        (["03/04/2026", "04/13/2026"], "mdy", None), (["03.04.2026"], "dmy", None), (["2026-04-03"], "dmy", None),
        (["05/05/2026"], "dmy", None), (["3-4-26"], "dmy", "3-4-26"),
    ],
)  # fmt: skip
def test_a_day_that_can_be_read_two_ways_is_asked_about(days: list[str], order: str, asked: str | None) -> None:
    data = "\n".join(["Invoice number;Cost centre;Due date", *(f"{n};x;{one}" for n, one in enumerate(days))]).encode()
    found = seen(data)
    assert (found.form.dates, [ask.cell for ask in found.asks]) == (order, [] if asked is None else [asked])
    if asked:
        assert found.asks[0].readings == ("2026-04-03", "2026-03-04")
        assert seen(data, form={"dates": "mdy"}).rows[0].values["due"] == "2026-03-04"


@pytest.mark.parametrize(
    ("text", "comma", "point"),
    [
        ("1.234,50", "1234.50", None), ("1 234,50", "1234.50", None), ("1'234.50", None, "1234.50"),
        ("1\u202f234,5 €", "1234.5", None), ("EUR -5", "-5", "-5"), ("100,00-", "-100.00", None),
        ("(7,5)", "-7.5", None), ("−3", "-3", "-3"), (",50", "0.50", None), ("12 Kč", "12", "12"),
        ("1,234,567.89", None, "1234567.89"), ("12.34.56", None, None), ("1,2,3", None, None), ("12%", None, None),
        ("1e5", None, None), ("--5", None, None), ("(-5)", None, None), ("", None, None), ("9" * 29, None, None),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly_as_offices_write_them(text: str, comma: str | None, point: str | None) -> None:
    told = [None if one is None else str(one) for one in (number_of(text, ","), number_of(text, "."))]
    assert told == [comma, point]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("28.11.26", "2026-11-28"), ("28. 11. 2026", "2026-11-28"), ("20261128", "2026-11-28"),
        ("2026-11-28T10:00:00", "2026-11-28"), ("28.11.2026 10:15", "2026-11-28"), ("28-Nov-2026", "2026-11-28"),
        ("Nov 28, 2026", "2026-11-28"), ("28. März 2026", "2026-03-28"), ("1.1.99", "1999-01-01"),
        ("31.02.2026", None), ("28.11", None), ("4711", None), ("x" * 99, None),
    ],
)  # fmt: skip
def test_days_are_read_as_offices_write_them(text: str, day: str | None) -> None:
    assert date_of(text, "dmy") == day


def test_yes_and_no_are_known_in_the_languages_of_offices() -> None:
    assert [yes_no_of(one) for one in ("JA", "x", "ano", "ναι", True, 1, "0", "nein", "όχι", "maybe", "2", None)] == [
        True, True, True, True, True, True, False, False, False, None, None, None,
    ]  # fmt: skip


def test_an_amount_in_another_currency_is_not_taken_for_one_in_this() -> None:
    amount = INVOICES[2]
    assert typed("1,5 €", amount, ",", "dmy") == {"amount": Decimal("1.5"), "currency": "EUR"}
    for cell, code in (("1,5 USD", "currency"), ("£1,5", "currency"), ("1,555", "places"), ("x", "no_number")):
        with pytest.raises(Misfit, match=code):
            typed(cell, amount, ",", "dmy")
    with pytest.raises(Misfit, match="no_number"):
        typed("5 EUR", TableColumn(name="n", label="N", type="number"), ",", "dmy")


def test_a_workbooks_fractions_are_taken_with_the_digits_that_it_keeps() -> None:
    number = TableColumn(name="n", label="N", type="number")
    for cell, kept in (
        ("702.3000000000001", "702.3"),
        ("0.30000000000000004", "0.3"),
        ("1.50", "1.50"),
        ("1000.0000000000001", "1000"),
    ):
        assert str(typed(Decimal(cell), number, ".", "dmy")) == kept


@given(st.decimals(-(10**12), 10**12, places=2, allow_nan=False))
def test_every_amount_comes_back_to_the_cent(amount: Decimal) -> None:
    for decimal, grouped in ((".", f"{amount:,}"), (",", f"{amount:,}".translate(str.maketrans(",.", ".,")))):
        found: Any = typed(grouped, INVOICES[2], decimal, "dmy")  # type: ignore[arg-type]
        assert found == {"amount": amount, "currency": "EUR"}


@given(st.text(max_size=80), st.sampled_from(INVOICES))
def test_whatever_stands_in_a_cell_is_read_or_refused(cell: str, column: TableColumn) -> None:
    with suppress(Misfit):
        typed(cell, column, ",", "dmy")


def test_a_workbook_gives_days_and_whole_numbers() -> None:
    out = io.BytesIO()
    with Workbook(out) as book:
        page, second = book.add_worksheet("May"), book.add_worksheet("Notes")
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        second.write_string(0, 0, "nothing here")
        for at, name in enumerate(["Invoice number", "Cost centre", "Amount", "Due date", "Paid"]):
            page.write_string(0, at, name)
        page.write_number(1, 0, 4711.0)
        page.write_number(1, 1, 100)
        page.write_number(1, 2, 0.1 + 0.2)
        page.write_datetime(1, 3, datetime(2026, 11, 28), day)
        page.write_boolean(1, 4, True)
    found = seen(out.getvalue())
    assert found.sheets == ("May", "Notes")
    assert dict(found.rows[0].values) == {
        "invoice": "4711", "centre": "100", "amount": {"amount": Decimal("0.3"), "currency": "EUR"},
        "due": "2026-11-28", "paid": True,
    }  # fmt: skip
    assert seen(out.getvalue(), form={"sheet": "Notes"}).headers == ("nothing here",)


# --- which column is which ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "of"),
    [
        (["INVOICE_NUMBER", "cost-centre"], {"invoice": "INVOICE_NUMBER", "centre": "cost-centre"}),
        (["Rechnungsnr", "KST", "Summe"], {"invoice": "Rechnungsnr", "centre": "KST", "amount": "Summe"}),
        (["Invoice numbr", "x", "y"], {"invoice": "Invoice numbr"}),
        (["Total amount", "Amount"], {"amount": "Amount"}),
        (["Something", "Else"], {}),
    ],
)  # fmt: skip
def test_columns_are_proposed_by_what_they_are_called(headers: list[str], of: dict[str, str]) -> None:
    assert proposed(INVOICES, headers) == of


def test_a_column_is_found_by_the_other_names_it_goes_by() -> None:
    column = TableColumn(name="mandate", label="Mandate", also=["SEPA ref"])
    assert proposed([column], ["sepa_ref"]) == {"mandate": "sepa_ref"}


# --- the check of all rows ----------------------------------------------------------------------------------------


def test_what_is_wrong_is_counted_by_cause_with_the_numbers_of_its_rows() -> None:
    rows = ["R-1;A;1,50;1.1.2026;ja", "R-2;;x;1.1.2026;ja", "R-1;B;2;1.1.2026;", "R-3;;1;32.1.2026;ja", ";A;1,555;;",
            "R-4;A;1;1.1.2026;ja;zu viel"]  # fmt: skip
    found, left = checked("\n".join(["Rechnungsnummer;Kostenstelle;Betrag;Fällig am;Bezahlt", *rows]).encode())
    assert (found.total, found.fitting) == (6, 1)
    told = {(one.column, one.code): (one.count, one.rows, one.samples) for one in found.causes}
    assert told == {
        ("centre", "empty"): (2, [3, 5], []),
        ("amount", "no_number"): (1, [3], ["x"]),
        ("", "twice"): (1, [4], ["2"]),
        ("due", "no_date"): (1, [5], ["32.1.2026"]),
        ("invoice", "empty"): (1, [6], []),
        ("amount", "places"): (1, [6], ["1,555"]),
        ("", "cells"): (1, [7], []),
    }
    assert [(row.number, row.reason) for row in left[:2]] == [
        (3, "“Cost centre” is empty; “Amount” is no number: x"),
        (4, "it is like row 2, which comes before"),
    ]


def test_numbers_that_are_written_differently_are_one_key() -> None:
    columns = [TableColumn(name="n", label="N", type="number", key=True)]
    assert checked(b"N\n12.50\n12.5\n12\n12.00\n", columns)[0].fitting == 2


def test_two_columns_tell_rows_apart_together() -> None:
    columns = [TableColumn(name="a", label="A", key=True), TableColumn(name="b", label="B", key=True)]
    assert checked(b"A,B\n1,1\n1,2\n1,1\n", columns)[0].fitting == 2


@pytest.mark.parametrize("count", [12_000])
def test_twelve_thousand_rows_are_checked_with_little_memory(count: int) -> None:
    rows = (f"R-{n};Küche;{n},50;28.11.2026;ja" for n in range(count))
    data = "\r\n".join(["Rechnungsnummer;Kostenstelle;Betrag;Fällig am;Bezahlt", *rows]).encode("cp1252")
    file = io.BytesIO(data)
    look = look_at(file, INVOICES)
    tracemalloc.start()
    try:
        found = check_rows(file, plan_of(look.form, INVOICES, look.sources, look.headers))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.total, found.fitting) == (count, count)
    assert peak < 3 * 2**20, peak


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "no rows"), (b"\0\1\2\3\4\5\6\7", "neither"), (b"PK\x03\x04x", "damaged")]
)
def test_what_is_no_table_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(TableRefused, match=said):
        seen(data)


def test_a_format_that_nobody_can_read_by_is_refused() -> None:
    for wrong in ({"encoding": "punycode"}, {"delimiter": "x"}, {"decimal": "x"}, {"header": 99}, {"header": True}):
        with pytest.raises(Unusable):
            seen(GERMAN.encode(), form=wrong)


# --- as data ------------------------------------------------------------------------------------------------------

FILE = {
    "id": "0199a7f0-0000-7000-8000-0000000000f1",
    "name": "a.csv",
    "mime": "text/csv",
    "size": 1,
    "sha256": "0" * 64,
}
FORM = TableFormat("csv", 1, ";", "utf-8", ",").as_json()
SOURCES = {"invoice": "A", "centre": "B"}


def test_what_a_start_is_given_says_how_its_rows_are_read() -> None:
    left = {"rows": "3,7-9", "file": None}
    found: Any = accepted(INVOICES, {"file": FILE, "format": FORM, "columns": SOURCES, "rows": 5, "left_out": left})
    assert is_table(found)
    assert found["left_out"] == {"count": 4, "rows": "3,7-9", "file": None}
    assert [(one["name"], one["from"]) for one in found["columns"][:3]] == [
        ("invoice", "A"),
        ("centre", "B"),
        ("amount", None),
    ]
    assert accepted(INVOICES, found) == found
    assert accepted(INVOICES, FILE) == accepted(INVOICES, {"file": FILE})
    assert accepted(INVOICES, FILE)["format"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("x", "needs a file"), ({"file": {"id": "x"}}, "needs a file"), ({"file": FILE, "zz": 1}, "has no “zz”"),
        ({"file": FILE, "format": FORM, "columns": {"invoice": "A"}}, "needs a column for “Cost centre”"),
        ({"file": FILE, "format": FORM, "columns": {"invoice": "A", "centre": "A"}}, "one column of the file for two"),
        ({"file": FILE, "format": {"kind": "csv"}, "columns": SOURCES}, "not described"),
        ({"file": FILE, "format": {**FORM, "encoding": []}, "columns": SOURCES}, "not described"),
        ({"file": FILE, "format": {**FORM, "sheet": {}}, "columns": SOURCES}, "not described"),
        ({"file": FILE, "format": FORM, "columns": [{"name": [], "from": [1]}]}, "which column is which"),
        ({"file": FILE, "format": FORM, "columns": {"invoice": ["A"]}}, "which column is which"),
        ({"file": FILE, "format": FORM, "columns": SOURCES, "left_out": 5}, "left out"),
        ({"file": FILE, "format": {**FORM, "encoding": "idna"}, "columns": SOURCES}, "not described"),
        ({"file": FILE, "format": FORM, "columns": SOURCES, "left_out": {"rows": "9-3", "file": None}}, "left out"),
        ({"file": FILE, "format": FORM, "columns": SOURCES, "left_out": {"rows": "a", "file": None}}, "left out"),
    ],
)  # fmt: skip
def test_what_is_no_file_with_rows_is_refused(given: Any, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        accepted(INVOICES, given)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(ANY, ANY, ANY)
def test_whatever_comes_for_a_file_with_rows_is_taken_or_refused(form: Any, columns: Any, left_out: Any) -> None:
    for value in (form, {"file": FILE, "format": form, "columns": columns, "left_out": left_out}):
        with suppress(Unusable):
            accepted(INVOICES, value)
    changed = {**FORM, **form} if isinstance(form, dict) else {**FORM, "encoding": form}
    with suppress(Unusable):
        accepted(INVOICES, {"file": FILE, "format": changed, "columns": columns, "left_out": left_out})


def test_rows_that_are_left_out_are_known_by_their_numbers() -> None:
    found = spans("3,7-9")
    assert [row for row in range(12) if row in found] == [3, 7, 8, 9]
    assert 3 not in spans("")
    with pytest.raises(Unusable):
        spans(",".join(str(2 * n) for n in range(MOST_GAPS + 1)))
