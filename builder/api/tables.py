"""Data tables: made, changed and removed; their rows listed, saved and deleted; files taken in and written out."""

from __future__ import annotations

from uuid import UUID

from django.http import StreamingHttpResponse

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Call, operation
from builder.api.problems import Refusal, invalid
from builder.api.shapes import Items
from builder.api.table_shapes import (
    ColumnBody,
    ColumnShape,
    ConditionBody,
    ExportQuery,
    FileColumnShape,
    FileQuery,
    ImportBody,
    ImportedShape,
    NewRow,
    NewTable,
    RefusedShape,
    RemoveQuery,
    RowChanges,
    RowShape,
    RowsPage,
    RowsQuery,
    StampQuery,
    TableChanges,
    TableShape,
    TableUseShape,
)
from builder.workflows.selectors import file_uses
from runtime import api as runtime_api
from runtime.contracts import JSONRefused, loads
from runtime.contracts.datatables import (
    ColumnDraft,
    Condition,
    Imported,
    RowFilters,
    RowView,
    TableView,
)

_MOST_CONDITIONS = 20


class Tables(ApiView):
    @operation(Action.TABLE_SEE, answer=Items[TableShape])
    def get(self, call: Call) -> Items[TableShape]:
        """The data tables of the workspace, by name."""
        return Items[TableShape](items=_tables(runtime_api.tables(workspace_id=call.workspace.id)))

    @operation(
        Action.TABLE_EDIT,
        body=NewTable,
        answer=TableShape,
        status=201,
        also=(409,),
        repeat="stored_apart",
        does="table.created",
    )
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

    @operation(
        Action.TABLE_EDIT,
        body=TableChanges,
        answer=TableShape,
        also=(409,),
        repeat="stored_apart",
        does="table.changed",
    )
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

    @operation(
        Action.TABLE_EDIT, query=RemoveQuery, status=204, also=(409,), repeat="stored_apart", does="table.removed"
    )
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

    @operation(
        Action.TABLE_FILL,
        body=NewRow,
        answer=RowShape,
        status=201,
        also=(409,),
        repeat="stored_apart",
        does="table.row_added",
    )
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

    @operation(
        Action.TABLE_FILL,
        body=RowChanges,
        answer=RowShape,
        also=(409,),
        repeat="stored_apart",
        does="table.row_changed",
    )
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

    @operation(
        Action.TABLE_FILL, query=StampQuery, status=204, also=(409,), repeat="stored_apart", does="table.row_deleted"
    )
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
    @operation(
        Action.TABLE_FILL,
        body=ImportBody,
        answer=ImportedShape,
        also=(409,),
        repeat="stored_apart",
        does="table.imported",
    )
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
    @operation(Action.TABLE_SEE, query=ExportQuery, file=True, also=(422,), does="table.exported")
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
