"""Files with rows before a run is started for them: what they look like, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runtime.contracts.files import FileView
from runtime.contracts.refusals import RuntimeRefused


@dataclass(frozen=True, slots=True)
class TwoReadings:
    """What can be read in two ways, and people are asked about. `kind`: what stands before the cents (`decimal`) or
    what comes first in a date (`dates`); `column`: the expected one's name; `cell`: an example; `readings`: it with a
    comma and with a point as the sign of decimals, or with the day and with the month first."""

    kind: Literal["decimal", "dates"]
    column: str
    cell: str
    readings: tuple[str, str]


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a file. `kind`: what it seems to hold: empty, text, number, date or yes_no."""

    name: str
    kind: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a row does not fit. `column`: the expected one's name, empty for the row as a whole; `code`: empty,
    no_number, currency, places, no_date, no_yes_no, long, unkept, cells or twice."""

    column: str
    code: str


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A row: its number as people count it, its cells as they stand in the file, and its values by expected names."""

    number: int
    cells: tuple[str, ...]
    values: Mapping[str, Any]
    misfits: tuple[Misfit, ...]


@dataclass(frozen=True, slots=True)
class TableLook:
    """What a file looks like, from its beginning. `format`: kind, header, delimiter, encoding, decimal, dates, sheet;
    `sources`: for each expected column's name the file's own; `layout`: a digest of the names of its columns."""

    file: FileView
    format: Mapping[str, Any]
    sheets: tuple[str, ...]
    columns: tuple[FileColumn, ...]
    sources: Mapping[str, str]
    asks: tuple[TwoReadings, ...]
    rows: tuple[SeenRow, ...]
    layout: str


@dataclass(frozen=True, slots=True)
class RowsCause:
    """Why rows do not fit. `rows`: the numbers of the first ones; `samples`: what stands there, of `twice` the number
    of the row that each is like."""

    column: str
    code: str
    count: int
    rows: tuple[int, ...]
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableCheck:
    """What came of all rows. `left_out`: the file with those that do not fit, where it was asked for; `scattered`: they
    stand in too many places to go on without them; `value`: what the start is given, None where it cannot be."""

    total: int
    fitting: int
    causes: tuple[RowsCause, ...]
    left_out: FileView | None
    scattered: bool
    value: Mapping[str, Any] | None


class UploadUnreadable(RuntimeRefused):
    """The file cannot be read as a table, or not like this."""

    code = "upload_refused"


class UploadsBusy(RuntimeRefused):
    """As many files as may be are being read."""

    code = "uploads_busy"
