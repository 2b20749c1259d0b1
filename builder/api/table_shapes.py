"""What the API says of data tables, and what it is told."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, field_validator

from builder.api.cursors import PageQuery
from builder.api.operation import Body, Query, View
from runtime.contracts.datatables import (
    MOST_COLUMNS,
    Operator,
)

Name = Annotated[str, Field(min_length=1, max_length=100)]
Kind = Literal["text", "number", "amount", "date", "yes_no"]


class ColumnBody(Body):
    """A column. `id`: of one that is there, which is kept with its values under whatever name; without it a new one.
    `key`: together with the other such columns it tells rows apart."""

    id: Annotated[str, Field(max_length=16)] | None = None
    name: Name
    type: Kind = "text"
    required: bool = False
    key: bool = False


Columns = Annotated[list[ColumnBody], Field(min_length=1, max_length=MOST_COLUMNS)]


class NewTable(Body):
    """A table and its columns."""

    name: Name
    columns: Columns


class TableChanges(Body):
    """Another name, or other columns: all that it is to have. `revision`: of the table as you know it."""

    revision: int
    name: Name | None = None
    columns: Columns | None = None


class ConditionBody(Body):
    """What a row has to fulfil."""

    column: Name
    operator: Operator = "eq"
    value: Any = None


class RowsQuery(PageQuery):
    """Which rows. `search`: in any cell; `filter`: a JSON list of conditions {column, operator, value}; `match`:
    whether all or any of them hold; `sort`: the name of a column; `count`: say how many there are in all."""

    search: Annotated[str, Field(max_length=200)] = ""
    filter: Annotated[str, Field(max_length=8000)] = ""
    match: Literal["all", "any"] = "all"
    sort: Annotated[str, Field(max_length=100)] = ""
    descending: bool = False
    count: bool = False
    # What a page is sorted by stands in the cursor.
    cursor: Annotated[str, Field(max_length=800)] | None = None


class ExportQuery(Query):
    """`format`: csv has commas and decimal points, csv_comma semicolons and decimal commas. Which rows: as for the
    list."""

    format: Literal["csv", "csv_comma", "xlsx"] = "csv"
    search: Annotated[str, Field(max_length=200)] = ""
    filter: Annotated[str, Field(max_length=8000)] = ""
    match: Literal["all", "any"] = "all"
    sort: Annotated[str, Field(max_length=100)] = ""
    descending: bool = False


class FileQuery(Query):
    """A file of this workspace."""

    file: UUID


class RemoveQuery(Query):
    """`even_if_used`: also where a workflow names it, which fails there from then on."""

    even_if_used: bool = False


class NewRow(Body):
    """Values by the names of the columns; numbers may be text such as "1250.50". `if_there`: what becomes of a row with
    the same key."""

    values: dict[str, Any]
    if_there: Literal["change", "keep", "fail"] = "fail"


class RowChanges(Body):
    """New values by the names of the columns; the others stay. `stamp`: of the row as you know it."""

    values: dict[str, Any]
    stamp: UUID


class StampQuery(Query):
    """`stamp`: of the row as you know it; without it the row goes in whatever state it is."""

    stamp: UUID | None = None


class ImportBody(Body):
    """`file`: of this workspace; `columns`: the table's column for each of the file's that counts; `if_there`: what
    becomes of rows whose key is there."""

    file: UUID
    columns: dict[str, str]
    if_there: Literal["change", "keep", "fail"] = "change"

    @field_validator("columns")
    @classmethod
    def _few(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MOST_COLUMNS:
            raise ValueError(f"A table has at most {MOST_COLUMNS} columns.")
        return value


class ColumnShape(View):
    """A column."""

    id: str
    name: str
    type: Kind
    required: bool
    key: bool


class TableShape(View):
    """A table. `rows`: how many it has; `revision`: counts changes of name and columns."""

    id: UUID
    name: str
    columns: list[ColumnShape]
    rows: int
    revision: int
    created_at: str
    created_by: str | None
    changed_at: str


class RowShape(View):
    """A row. `values` by the names of the columns; `stamp`: of the state it is in; `by`: who made the last change, with
    `run` where a workflow did."""

    id: UUID
    values: dict[str, Any]
    stamp: UUID
    created_at: str
    changed_at: str
    by: str | None
    run: UUID | None


class RowsPage(View):
    """A page of rows. `count`: how many there are on all pages, where that was asked."""

    items: list[RowShape]
    next_cursor: str | None
    count: int | None


class FileColumnShape(View):
    """A column of a file. `column`: the table's that is called the same; `samples`: its first values, as text."""

    name: str
    type: Kind
    samples: list[Any]
    column: str | None


class RefusedShape(View):
    """A row of the file that was not taken, and why."""

    row: int
    reason: str


class ImportedShape(View):
    """What became of the rows of a file. `reasons`: of the first hundred that were refused."""

    added: int
    changed: int
    unchanged: int
    refused: int
    reasons: list[RefusedShape]


class TableUseShape(View):
    """A workflow that names a table: in its draft, in its live version, or both; `steps`: their names."""

    id: UUID
    name: str
    steps: list[str]
    draft: bool
    live: bool
