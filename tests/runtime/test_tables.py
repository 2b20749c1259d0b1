"""Tables in files: read as people meant them, and written so that they come back as they were."""

from __future__ import annotations

import io
import tempfile
import zipfile
from decimal import Decimal
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.sdk.tables import TableRefused, csv_of, guarded, look, rows, unguarded, xlsx_of


def read(data: bytes, **how: Any) -> list[dict[str, Any]]:
    file = io.BytesIO(data)
    return list(rows(file, look(file, **how)))


GERMAN = "Kunde;Betrag;Fällig;PLZ\r\nMüller;1.234,50;28.11.2026;01067\r\nGrün;-7,5;1.12.2026;04109\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_german_export_is_read_as_it_was_meant(encoding: str) -> None:
    found = read(GERMAN.encode(encoding))
    assert found == [
        {"Kunde": "Müller", "Betrag": Decimal("1234.50"), "Fällig": "2026-11-28", "PLZ": "01067"},
        {"Kunde": "Grün", "Betrag": Decimal("-7.5"), "Fällig": "2026-12-01", "PLZ": "04109"},
    ]


def test_the_layout_says_what_was_found() -> None:
    layout = look(io.BytesIO(GERMAN.encode("cp1252")))
    assert (layout.kind, layout.delimiter, layout.decimal, layout.header) == ("csv", ";", ",", True)
    assert [(one.name, one.type) for one in layout.columns] == [
        ("Kunde", "text"), ("Betrag", "number"), ("Fällig", "date"), ("PLZ", "text"),
    ]  # fmt: skip
    assert layout.columns[1].samples == (Decimal("1234.50"), Decimal("-7.5"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2.5\n", [{"a": 1, "b": Decimal("2.5")}]),
        ("a\tb\n1,234.5\tx\n", [{"a": Decimal("1234.5"), "b": "x"}]),
        ('a,b\n"x, y\nz",1\n', [{"a": "x, y\nz", "b": 1}]),
        ("a,b\n1\n\n2,3\n", [{"a": 1, "b": None}, {"a": 2, "b": 3}]),
        ("1,2\n3,4\n", [{"Column 1": 1, "Column 2": 2}, {"Column 1": 3, "Column 2": 4}]),
        ("a,a,\n1,2,3\n", None),
        ("d\n3/4/2026\n5/6/2026\n", [{"d": "3/4/2026"}, {"d": "5/6/2026"}]),
        ("d\n13/4/2026\n5/6/2026\n", [{"d": "2026-04-13"}, {"d": "2026-06-05"}]),
        ("n\n12345678901234567\n", [{"n": "12345678901234567"}]),
        ("n\n1\nx\n", [{"n": "1"}, {"n": "x"}]),
        ("d\n2026-02-30\n", [{"d": "2026-02-30"}]),
    ],
)
def test_what_can_be_read_two_ways_stays_text(text: str, expected: Any) -> None:
    found = read(text.encode())
    assert found == expected if expected is not None else found


def test_columns_of_one_name_are_told_apart() -> None:
    assert list(read(b"a,a,\n1,2,3\n", header=True)[0]) == ["a", "a (2)", "Column 3"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no rows"), (b"\n\n", "no rows"), (b"a,b\n1,2,3\nx,y,z,4\n", ""), (b"\0\1\2", "neither"),
        (b"a;b\n" + b"1;2\n" * 300 + b"1;2;3\n", "Row 302 has 3 cells"), (b'a,b\n"' + b"x" * 200_000, "quote"),
        (b"\xef\xbb\xbfa\n" + b"x\n" * 200_000 + b"\xff\n", "UTF-8"), (b"PK\x03\x04nonsense", "damaged"),
        (b",".join([b"x"] * 1_001), "more than 1000"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_plain_words(data: bytes, said: str) -> None:
    with as_file(data) as file:
        if not said:
            assert list(rows(file, look(file)))
            return
        with pytest.raises(TableRefused, match=said):
            list(rows(file, look(file)))


def as_file(data: bytes) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by whoever asked for it)
    file.write(data)
    file.flush()
    return file


ROWS: list[dict[str, Any]] = [
    {"name": "=cmd|'/c calc'!A1", "n": 7, "d": "2026-11-28", "x": Decimal("12.50"), "yes": True},
    {"name": "-1+2", "n": -3, "d": "2026-12-01", "x": None, "yes": False},
    {"name": "'=already", "n": 0, "d": None, "x": Decimal("0.1"), "yes": True},
]


def test_a_spreadsheet_comes_back_as_it_was_written() -> None:
    with tempfile.TemporaryFile() as file:
        xlsx_of(ROWS, list(ROWS[0]), file, sheet="May: [x]")
        layout = look(file)
        assert layout.sheets == ("May_ _x_",)
        found = list(rows(file, layout))
        assert found == ROWS
        with zipfile.ZipFile(file) as packed:
            assert b"<f>" not in packed.read("xl/worksheets/sheet1.xml")
        with pytest.raises(TableRefused, match=r"There is no sheet “June”\. There are: May_ _x_\."):
            look(file, sheet="June")


def test_a_sheet_that_stands_for_terabytes_is_refused() -> None:
    """S88: two cells at the far corners."""
    with tempfile.TemporaryFile() as small, tempfile.TemporaryFile() as bomb:
        xlsx_of([{"a": "x"}], ["a"], small)
        with zipfile.ZipFile(small) as packed, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as out:
            for name in packed.namelist():
                data = packed.read(name)
                if name.endswith("sheet1.xml"):
                    data = data.replace(
                        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                    )
                out.writestr(name, data)
        with pytest.raises(TableRefused, match="too large"):
            look(bomb)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "'x", "''", "=", "a=1", ""])
def test_a_guard_is_put_on_and_taken_off(cell: str) -> None:
    """S90."""
    assert unguarded(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_any_text_comes_back_from_a_csv_file(texts: list[str]) -> None:
    data = b"".join(csv_of([{"t": text, "k": "x"} for text in texts], ["k", "t"]))
    file = io.BytesIO(data)
    layout = look(file, header=True, delimiter=",")
    found = [row["t"] for row in rows(file, layout)]
    assert [str(one) for one in found] == texts or layout.columns[1].type != "text"


def test_numbers_are_written_with_the_comma_where_that_is_asked_for() -> None:
    data = b"".join(csv_of(ROWS[:1], list(ROWS[0]), delimiter=";", decimal=","))
    assert data.decode("utf-8-sig").splitlines()[1] == "'=cmd|'/c calc'!A1;7;2026-11-28;12,50;true"
