"""Data tables of a workspace, as the front door and the steps show them.

A row's values stand under the names of its columns: text, exact numbers, dates as "2026-11-28", true and false, or
None where nothing stands. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from runtime.contracts.refusals import NotFound, RuntimeRefused
from runtime.engine.jsonprofile import JSON

ColumnType = Literal["text", "number", "amount", "date", "yes_no"]
Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "contains", "starts", "in", "empty", "filled"]
#: What becomes of a row whose key is there already.
IfThere = Literal["change", "keep", "fail"]

MOST_TABLES: Final = 500
MOST_COLUMNS: Final = 60
MOST_ROWS: Final = 1_000_000
MOST_ROW_BYTES: Final = 64 * 1024
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column. `id`: stays when it is renamed; `key`: with the other such columns it tells rows apart."""

    id: str
    name: str
    type: ColumnType = "text"
    required: bool = False
    key: bool = False


@dataclass(frozen=True, slots=True)
class ColumnDraft:
    """A column as somebody wants it to be. `id`: of one that is there; None: a new one."""

    name: str
    type: ColumnType = "text"
    required: bool = False
    key: bool = False
    id: str | None = None


@dataclass(frozen=True, slots=True)
class TableView:
    """A table. `rows`: how many there are; `revision`: counts changes of its name and columns."""

    id: UUID
    name: str
    columns: tuple[TableColumn, ...]
    rows: int
    revision: int
    created_at: int
    created_by: UUID | None
    changed_at: int


@dataclass(frozen=True, slots=True)
class RowView:
    """A row. `stamp`: of the state it is in, another one for each; `by`: who made the last change, `user:<id>` or
    `run:<id>`."""

    id: UUID
    values: Mapping[str, JSON]
    stamp: UUID
    created_at: int
    changed_at: int
    by: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row has to fulfil. `value`: a list for `in`, nothing for `empty` and `filled`."""

    column: str
    operator: Operator = "eq"
    value: JSON = None


@dataclass(frozen=True, slots=True)
class RowFilters:
    """Which rows, in which order. `search`: in any cell; `sort`: a column, else in the order they were added."""

    search: str = ""
    conditions: tuple[Condition, ...] = ()
    any_of: bool = False
    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class RowRefused:
    """A row of a file that was not taken. `row`: its number in the file, the header counted."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `refused`: how many were not taken, of which `reasons` names the first ones."""

    added: int
    changed: int
    unchanged: int
    refused: int
    reasons: Sequence[RowRefused]


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a file. `column`: the table's column that it fits, by its name."""

    name: str
    type: Literal["text", "number", "date"]
    samples: Sequence[JSON]
    column: str | None


@dataclass(frozen=True, slots=True)
class TableBytes:
    """A table that is about to be sent as a file."""

    disposition: str
    mime: str
    portions: Iterator[bytes]


class TableMissing(NotFound):
    """This workspace has no such table, or has it no longer."""

    code = "table_missing"


class RowMissing(NotFound):
    """The table has no such row, or has it no longer."""

    code = "row_missing"


class TableRefused(RuntimeRefused):
    """The change is against what the table says. `fields`: column → sentence, where one is to blame."""

    code = "table_refused"

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message, code=code)
        self.fields = dict(fields or {})


class RowExists(TableRefused):
    """There is a row with this key."""

    code = "row_exists"


class RowChanged(TableRefused):
    """Somebody changed the row meanwhile."""

    code = "row_changed"
