"""Data tables: made, changed and removed; their rows listed, saved and deleted; files taken in and written out."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import StreamingHttpResponse
from pydantic import Field, field_validator

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.problems import Refusal, invalid
from builder.api.shapes import Items
from builder.workflows.selectors import file_uses
from runtime import api as runtime_api
from runtime.contracts import JSONRefused, loads
from runtime.contracts.datatables import (
    MOST_COLUMNS,
    ColumnDraft,
    Condition,
    Imported,
    Operator,
    RowFilters,
    RowView,
    TableView,
)

Name = Annotated[str, Field(min_length=1, max_length=100)]
Kind = Literal["text", "number", "amount", "date", "yes_no"]
_MOST_CONDITIONS = 20


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


class Tables(ApiView):
    @operation(Action.TABLE_SEE, answer=Items[TableShape])
    def get(self, call: Call) -> Items[TableShape]:
        """The data tables of the workspace, by name."""
        return Items[TableShape](items=_tables(runtime_api.tables(workspace_id=call.workspace.id)))

    @operation(Action.TABLE_EDIT, body=NewTable, answer=TableShape, status=201, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, body: NewTable) -> TableShape:
        """Make a table."""
        made = runtime_api.add_table(
            workspace_id=call.workspace.id, name=body.name, columns=_drafts(body.columns), by=call.person.id
        )
        return _tables([made])[0]


class LikeFile(ApiView):
    @operation(Action.TABLE_SEE, query=FileQuery, answer=Items[FileColumnShape], also=(422,))
    def get(self, call: Call, *, query: FileQuery) -> Items[FileColumnShape]:
        """The columns that a new table needs for the rows of this file."""
        drafts = runtime_api.columns_like_file(workspace_id=call.workspace.id, file_id=query.file)
        return Items[FileColumnShape](
            items=[FileColumnShape(name=one.name, type=one.type, samples=[], column=None) for one in drafts]
        )


class OneTable(ApiView):
    @operation(Action.TABLE_SEE, answer=TableShape)
    def get(self, call: Call, *, table_id: UUID) -> TableShape:
        """One table, without its rows."""
        return _tables([runtime_api.table(workspace_id=call.workspace.id, table_id=table_id)])[0]

    @operation(Action.TABLE_EDIT, body=TableChanges, answer=TableShape, also=(409,), repeat="stored_apart")
    def patch(self, call: Call, *, table_id: UUID, body: TableChanges) -> TableShape:
        """Rename it, or change its columns. A column that is not named is removed with all that stands in it."""
        changed = runtime_api.change_table(
            workspace_id=call.workspace.id,
            table_id=table_id,
            revision=body.revision,
            name=body.name,
            columns=None if body.columns is None else _drafts(body.columns),
            by=call.person.id,
        )
        return _tables([changed])[0]

    @operation(Action.TABLE_EDIT, query=RemoveQuery, status=204, also=(409,), repeat="stored_apart")
    def delete(self, call: Call, *, table_id: UUID, query: RemoveQuery) -> None:
        """Remove a table and its rows for good; one that a workflow names only where that is said to be known."""
        runtime_api.table(workspace_id=call.workspace.id, table_id=table_id)
        uses = [] if query.even_if_used else file_uses(workspace_id=call.workspace.id, file_id=table_id)
        if uses:
            raise Refusal(
                409,
                "table_used",
                f"The workflow “{uses[0].name}” uses this table. Choose another one there first.",
                params={"workflow": uses[0].name, "count": len(uses)},
            )
        runtime_api.remove_table(workspace_id=call.workspace.id, table_id=table_id, by=call.person.id)


class TableUses(ApiView):
    @operation(Action.TABLE_SEE, answer=Items[TableUseShape])
    def get(self, call: Call, *, table_id: UUID) -> Items[TableUseShape]:
        """The workflows whose steps name this table."""
        runtime_api.table(workspace_id=call.workspace.id, table_id=table_id)
        found = file_uses(workspace_id=call.workspace.id, file_id=table_id)
        return Items[TableUseShape](
            items=[
                TableUseShape(id=one.workflow_id, name=one.name, steps=list(one.steps), draft=one.draft, live=one.live)
                for one in found
            ]
        )


class TableRows(ApiView):
    @operation(Action.TABLE_SEE, query=RowsQuery, answer=RowsPage, also=(422,))
    def get(self, call: Call, *, table_id: UUID, query: RowsQuery) -> RowsPage:
        """Rows of a table, in the order they were added or of a column."""
        here, filters = call.workspace.id, _filters(query)
        page = runtime_api.table_rows(
            workspace_id=here, table_id=table_id, filters=filters, after=query.cursor, limit=query.limit
        )
        count = None
        if query.count:
            count = runtime_api.count_table_rows(workspace_id=here, table_id=table_id, filters=filters)
        return RowsPage(items=_rows(page.items), next_cursor=page.next_cursor, count=count)

    @operation(Action.TABLE_FILL, body=NewRow, answer=RowShape, status=201, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, table_id: UUID, body: NewRow) -> RowShape:
        """Add a row."""
        saved = runtime_api.save_table_row(
            workspace_id=call.workspace.id,
            table_id=table_id,
            values=body.values,
            by=call.person.id,
            if_there=body.if_there,
            key=call.key,
        )
        return _rows([saved])[0]


class OneTableRow(ApiView):
    @operation(Action.TABLE_SEE, answer=RowShape)
    def get(self, call: Call, *, table_id: UUID, row_id: UUID) -> RowShape:
        """One row."""
        return _rows([runtime_api.table_row(workspace_id=call.workspace.id, table_id=table_id, row_id=row_id)])[0]

    @operation(Action.TABLE_FILL, body=RowChanges, answer=RowShape, also=(409,), repeat="stored_apart")
    def patch(self, call: Call, *, table_id: UUID, row_id: UUID, body: RowChanges) -> RowShape:
        """Change a row that nobody has changed since you saw it."""
        saved = runtime_api.save_table_row(
            workspace_id=call.workspace.id,
            table_id=table_id,
            values=body.values,
            by=call.person.id,
            row_id=row_id,
            stamp=body.stamp,
            key=call.key,
        )
        return _rows([saved])[0]

    @operation(Action.TABLE_FILL, query=StampQuery, status=204, also=(409,), repeat="stored_apart")
    def delete(self, call: Call, *, table_id: UUID, row_id: UUID, query: StampQuery) -> None:
        """Delete a row."""
        runtime_api.delete_table_row(
            workspace_id=call.workspace.id,
            table_id=table_id,
            row_id=row_id,
            by=call.person.id,
            stamp=query.stamp,
            key=call.key,
        )


class MatchFile(ApiView):
    @operation(Action.TABLE_SEE, query=FileQuery, answer=Items[FileColumnShape], also=(422,))
    def get(self, call: Call, *, table_id: UUID, query: FileQuery) -> Items[FileColumnShape]:
        """The columns of a file, and which of the table's is called the same."""
        found = runtime_api.look_at_table_file(workspace_id=call.workspace.id, table_id=table_id, file_id=query.file)
        return Items[FileColumnShape](
            items=[
                FileColumnShape(name=one.name, type=one.type, samples=list(one.samples), column=one.column)
                for one in found
            ]
        )


class ImportRows(ApiView):
    @operation(Action.TABLE_FILL, body=ImportBody, answer=ImportedShape, also=(409,), repeat="stored_apart")
    def post(self, call: Call, *, table_id: UUID, body: ImportBody) -> ImportedShape:
        """Take in the rows of a file. Rows that do not fit are left out, counted and named."""
        done: Imported = runtime_api.import_rows(
            workspace_id=call.workspace.id,
            table_id=table_id,
            file_id=body.file,
            columns=body.columns,
            if_there=body.if_there,
            by=call.person.id,
            key=call.key,
        )
        return ImportedShape(
            added=done.added,
            changed=done.changed,
            unchanged=done.unchanged,
            refused=done.refused,
            reasons=[RefusedShape(row=one.row, reason=one.reason) for one in done.reasons],
        )


class ExportTable(ApiView):
    @operation(Action.TABLE_SEE, query=ExportQuery, file=True, also=(422,))
    def get(self, call: Call, *, table_id: UUID, query: ExportQuery) -> StreamingHttpResponse:
        """The rows as a CSV file or an Excel workbook. Text in them never becomes a formula."""
        made = runtime_api.export_table(
            workspace_id=call.workspace.id, table_id=table_id, format=query.format, filters=_filters(query)
        )
        headers = {
            "Content-Disposition": made.disposition,
            "Accept-Ranges": "none",
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingHttpResponse(made.portions, content_type=made.mime, headers=headers)


def _drafts(columns: list[ColumnBody]) -> list[ColumnDraft]:
    return [ColumnDraft(one.name, one.type, one.required, one.key, one.id) for one in columns]


def _filters(query: RowsQuery | ExportQuery) -> RowFilters:
    return RowFilters(
        search=query.search,
        conditions=_conditions(query.filter),
        any_of=query.match == "any",
        sort=query.sort,
        descending=query.descending,
    )


def _conditions(text: str) -> tuple[Condition, ...]:
    if not text:
        return ()
    try:
        given = loads(text)
        if not isinstance(given, list) or len(given) > _MOST_CONDITIONS:
            raise ValueError
        found = [ConditionBody.model_validate(one) for one in given]
    except (ValueError, JSONRefused):
        raise invalid(
            {"filter": [f"Use a JSON list of at most {_MOST_CONDITIONS} conditions with column, operator and value."]}
        ) from None
    return tuple(Condition(one.column, one.operator, one.value) for one in found)


def _tables(views: list[TableView]) -> list[TableShape]:
    people = names_of({view.created_by for view in views if view.created_by is not None})
    return [
        TableShape(
            id=view.id,
            name=view.name,
            columns=[
                ColumnShape(id=one.id, name=one.name, type=one.type, required=one.required, key=one.key)
                for one in view.columns
            ],
            rows=view.rows,
            revision=view.revision,
            created_at=stamp(view.created_at),
            created_by=None if view.created_by is None else people.get(view.created_by, ""),
            changed_at=stamp(view.changed_at),
        )
        for view in views
    ]


def _rows(views: list[RowView]) -> list[RowShape]:
    makers = {view.id: _maker(view.by) for view in views}
    people = names_of({person for kind, person in makers.values() if kind == "user"})
    return [
        RowShape(
            id=view.id,
            values=dict(view.values),
            stamp=view.stamp,
            created_at=stamp(view.created_at),
            changed_at=stamp(view.changed_at),
            by=people.get(makers[view.id][1]) if makers[view.id][0] == "user" else None,
            run=makers[view.id][1] if makers[view.id][0] == "run" else None,
        )
        for view in views
    ]


def _maker(by: str) -> tuple[str, UUID]:
    kind, _, identity = by.partition(":")
    return kind, UUID(identity)
