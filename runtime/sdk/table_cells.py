"""Cells as they stand in a file, row by row, from any place in it on.

A CSV file is read line by line. A spreadsheet can only be opened whole, so that is done by a process of its own with
bounded memory and time (`sheet_child`), which hands out the rows that are asked for.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

__all__ = [
    "MOST_COLUMNS", "START", "OpenSheet", "OpenText", "Place", "Sheet", "TableRefused", "guarded", "parsed",
    "unguarded",
]  # fmt: skip

MOST_COLUMNS: Final = 1_000
_MEMORY: Final = 768 * 2**20
_SECONDS: Final = 60
#: Characters.
_LONGEST_LINE: Final = 4 * 2**20
_DANGEROUS: Final = "=+-@\t\r'"


class TableRefused(Exception):
    """The file cannot be read as a table; the text says what is the matter and where."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on in a table. `row`: so many rows lie before, the header and empty ones with them; `line`: so many
    lines; `at`: the position in a CSV file, as it was given."""

    row: int = 0
    line: int = 0
    at: str = ""


START: Final = Place()


def parsed(reader: Any, before: int = 0) -> Iterator[list[Any]]:
    """The rows of a `csv.reader`, without what guards their cells. `before`: so many lines come before."""
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            raise TableRefused(
                f"Behind line {before + reader.line_num} there are bytes that are no {error.encoding} text. Save the "
                "file as UTF-8."
            ) from error
        except csv.Error as error:
            line = before + reader.line_num
            raise TableRefused(f"Line {line} cannot be read: {error}. Is a quote not closed?") from error
        if len(row) > MOST_COLUMNS:
            raise TableRefused(f"Line {before + reader.line_num} has more than {MOST_COLUMNS} cells.")
        yield [unguarded(cell) for cell in row]


class OpenText:
    """A CSV file that is read from a place on."""

    def __init__(self, file: BinaryIO, encoding: str, delimiter: str, start: Place) -> None:
        file.seek(0)
        self._text = io.TextIOWrapper(file, encoding=encoding, newline="")
        if start.at:
            self._text.seek(int(start.at))
        self._before, self._reader = start.line, csv.reader(self._lines(), delimiter=delimiter)
        self.rows = parsed(self._reader, start.line)

    def place(self, row: int) -> Place:
        return Place(row, self._before + self._reader.line_num, str(self._text.tell()))

    def close(self) -> None:
        self._text.detach()

    def _lines(self) -> Iterator[str]:
        # Iterated over, the text would not know where it is.
        while line := self._text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE and not line.endswith(("\n", "\r")):
                number = self._before + self._reader.line_num + 1
                raise TableRefused(f"Line {number} is longer than {_LONGEST_LINE} characters. This is no table.")
            yield line


class OpenSheet:
    """A sheet that is read from a place on."""

    def __init__(self, file: BinaryIO, sheet: str, start: Place) -> None:
        self._sheet = Sheet(file, sheet, start.row)
        self._sheet.__enter__()
        self.rows = iter(self._sheet)

    def place(self, row: int) -> Place:
        return Place(row)

    def close(self) -> None:
        self._sheet.__exit__()


class Sheet:
    """The rows of a sheet behind so many first ones, from the process that reads them."""

    def __init__(self, file: BinaryIO, sheet: str, skip: int = 0) -> None:
        self._file, self._sheet, self._skip = file, sheet, skip
        self.names: tuple[str, ...] = ()

    def __enter__(self) -> Sheet:
        # The process reads by itself: what was read ahead of here has to be forgotten, so that it begins at the start.
        self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        child = Path(__file__).with_name("sheet_child.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(child), str(_MEMORY), str(_SECONDS), self._sheet, str(self._skip)],
            stdin=self._file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        assert self._process.stdout is not None
        self._lines = iter(self._process.stdout)
        first = next(self._lines, None)
        if first is None:
            self.__exit__()
            raise _broken()
        self.names = tuple(json.loads(first))
        if self._sheet and self._sheet not in self.names:
            self.__exit__()
            raise TableRefused(f"There is no sheet “{self._sheet}”. There are: {', '.join(self.names)}.")
        return self

    def __iter__(self) -> Iterator[list[Any]]:
        for line in self._lines:
            # What a killed process has begun to write is no row.
            if not line.endswith(b"\n"):
                break
            cells = json.loads(line, parse_float=Decimal)
            if len(cells) > MOST_COLUMNS:
                raise TableRefused(f"The sheet has more than {MOST_COLUMNS} columns.")
            yield cells
        if self._process.wait() != 0:
            raise _broken()

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


def _broken() -> TableRefused:
    return TableRefused(
        "The spreadsheet is damaged, protected by a password, or far too large to be opened. Save it anew, or as CSV."
    )


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula: with an apostrophe before it where it could (S90)."""
    return f"'{text}" if text.startswith(tuple(_DANGEROUS)) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in _DANGEROUS else text
