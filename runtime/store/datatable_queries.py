"""Looking for rows of a data table: conditions, search, order, and pages of them.

What is compared is each cell's text in `sought`, which sorts like the value (`datatable_values`); only whether text is
the same is asked of the value itself. All conditions but those on the whole key look at every row of the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Substr

from runtime.contracts.datatables import Condition, RowFilters, RowView, TableColumn, TableRefused
from runtime.engine.jsonprofile import JSON
from runtime.store import datatable_values as values
from runtime.store.datatable_models import DataRow

__all__ = ["Sought", "chosen", "newest", "ordered", "place_of", "row_view"]

_COLUMN_ID: Final = re.compile(r"c[0-9]{1,9}")
#: Rows are put in order by so much of their text.
_SORTED_BY: Final = 50


def _check(column_id: str) -> None:
    """It becomes part of a statement: nothing but what we called a column ourselves may."""
    if not _COLUMN_ID.fullmatch(column_id):
        raise ValueError(f"{column_id!r} is no id of a column.")


class Sought(Func):
    """A cell of a row as text: what is compared with, or (`of="cells"`) the value as it was written."""

    output_field = TextField()

    def __init__(self, column_id: str, of: str = "sought") -> None:
        _check(column_id)
        self._column = column_id
        super().__init__(F(of))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=f"json_extract(%(expressions)s, '$.{self._column}')")

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template=f"((%(expressions)s)::jsonb ->> '{self._column}') COLLATE \"C\""
        )


class _AnyCell(Func):
    """Whether one of these cells holds this text, as `LIKE` takes it."""

    output_field = BooleanField()

    def __init__(self, column_ids: Sequence[str], pattern: str) -> None:
        for one in column_ids:
            _check(one)
        self._columns = ", ".join(f"'{one}'" for one in column_ids)
        super().__init__(F("sought"), Value(pattern))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self._told(compiler, "SELECT 1 FROM json_each({}) e WHERE e.key IN ({}) AND e.value LIKE {} ESCAPE '\\'")

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self._told(
            compiler, "SELECT 1 FROM jsonb_each_text(({})::jsonb) e WHERE e.key IN ({}) AND e.value LIKE {}"
        )

    def _told(self, compiler: Any, sql: str) -> Any:
        (column, first), (pattern, second) = map(compiler.compile, self.get_source_expressions())
        return f"EXISTS ({sql.format(column, self._columns, pattern)})", [*first, *second]


def chosen(table_id: UUID, columns: Sequence[TableColumn], filters: RowFilters) -> QuerySet[DataRow]:
    """The rows that are meant, in no order. Raises TableRefused for conditions that the columns do not allow."""
    rows = DataRow.objects.filter(table_id=table_id)
    digest = _whole_key(columns, filters)
    if digest is not None:
        return rows.filter(key_digest=digest)
    told = [_told(columns, condition) for condition in filters.conditions]
    if told:
        together = told[0]
        for one in told[1:]:
            together = together | one if filters.any_of else together & one
        rows = _with_cells(rows, columns, filters.conditions).filter(together)
    if filters.search.strip():
        rows = _searched(rows, columns, filters.search.strip())
    return rows


def ordered(
    rows: QuerySet[DataRow],
    columns: Sequence[TableColumn],
    filters: RowFilters,
    after: Sequence[Any] | None,
) -> QuerySet[DataRow]:
    """In their order, behind the row that `after` names: its id, or what it is sorted by and its id. The same row
    stands behind itself in no order, so nothing comes twice however many are added meanwhile."""
    if not filters.sort:
        if after is not None:
            last = UUID(str(after[-1]))
            rows = rows.filter(pk__lt=last) if filters.descending else rows.filter(pk__gt=last)
        return rows.order_by("-pk" if filters.descending else "pk")
    column = _column(columns, filters.sort)
    rows = rows.annotate(order=Substr(Sought(column.id), 1, _SORTED_BY))
    if after is not None:
        value, last = after[0], UUID(str(after[1]))
        if value is None:
            rows = rows.filter(order__isnull=True, pk__gt=last)
        else:
            beyond = Q(order__lt=value) if filters.descending else Q(order__gt=value)
            rows = rows.filter(beyond | Q(order=value, pk__gt=last) | Q(order__isnull=True))
    by = F("order").desc(nulls_last=True) if filters.descending else F("order").asc(nulls_last=True)
    return rows.order_by(by, "pk")


def place_of(row: DataRow, filters: RowFilters) -> list[Any]:
    """Where a row that `ordered` gave stands: what to go on behind it with."""
    return [row.order, str(row.pk)] if filters.sort else [str(row.pk)]  # type: ignore[attr-defined]


def newest(table_id: UUID) -> str | None:
    """The row that was added last."""
    last = DataRow.objects.filter(table_id=table_id).order_by("-pk").values_list("pk", flat=True).first()
    return None if last is None else str(last)


def row_view(row: DataRow, columns: Sequence[TableColumn]) -> RowView:
    """As it is shown."""
    return RowView(
        row.pk, values.values_of(columns, values.plain(row.cells)), row.stamp, row.created_at, row.changed_at, row.by
    )


def _whole_key(columns: Sequence[TableColumn], filters: RowFilters) -> str | None:
    """The digest of the key, where the conditions say that and nothing else."""
    keys = {column.name: column for column in columns if column.key}
    named: Mapping[str, JSON] = {one.column: one.value for one in filters.conditions if one.operator == "eq"}
    if (
        filters.search
        or filters.any_of
        or not keys
        or len(filters.conditions) != len(keys)
        or named.keys() != keys.keys()
    ):
        return None
    cells = {keys[name].id: values.typed(keys[name], value) for name, value in named.items()}
    return None if None in cells.values() else values.digest_of(columns, cells)


def _column(columns: Sequence[TableColumn], name: str) -> TableColumn:
    found = next((column for column in columns if column.name == name), None)
    if found is None:
        raise values.unknown_column(columns, name)
    return found


def _with_cells(
    rows: QuerySet[DataRow], columns: Sequence[TableColumn], conditions: Sequence[Condition]
) -> QuerySet[DataRow]:
    for name in dict.fromkeys(condition.column for condition in conditions):
        column = _column(columns, name)
        rows = rows.alias(**{f"s_{column.id}": Sought(column.id), f"v_{column.id}": Sought(column.id, of="cells")})
    return rows


def _told(columns: Sequence[TableColumn], condition: Condition) -> Q:
    column = _column(columns, condition.column)
    sought = f"s_{column.id}"
    #: Text is the same when it is written the same; numbers when they are worth the same.
    same = f"v_{column.id}" if column.type == "text" else sought
    match condition.operator:
        case "empty":
            return Q(**{f"{sought}__isnull": True})
        case "filled":
            return Q(**{f"{sought}__isnull": False})
        case "in":
            if not isinstance(condition.value, list):
                raise TableRefused(f"“{column.name}” is compared with a list: give one.", code="condition")
            return Q(**{f"{same}__in": [_compared(column, one) for one in condition.value]})
        case "contains" | "starts":
            if column.type != "text":
                raise TableRefused(f"“{column.name}” is no text, and is compared as a whole.", code="condition")
            text = values.sort_text(str(values.typed(column, condition.value) or ""))
            return Q(**{f"{sought}__{'contains' if condition.operator == 'contains' else 'startswith'}": text})
    value = values.typed(column, condition.value)
    if value is None:
        # Nothing is equal to nothing, and neither more nor less.
        if condition.operator not in ("eq", "ne"):
            raise TableRefused(f"“{column.name}” is compared with nothing. Give a value.", code="condition")
        return Q(**{f"{sought}__isnull": condition.operator == "eq"})
    if condition.operator == "eq":
        return Q(**{same: _compared(column, value)})
    if condition.operator == "ne":
        return ~Q(**{same: _compared(column, value)}) | Q(**{f"{sought}__isnull": True})
    return Q(**{f"{sought}__{condition.operator}": values.sort_text(value)})


def _compared(column: TableColumn, value: JSON) -> str:
    found = values.typed(column, value)
    return found if isinstance(found, str) and column.type == "text" else values.sort_text(found)


def _searched(rows: QuerySet[DataRow], columns: Sequence[TableColumn], text: str) -> QuerySet[DataRow]:
    folded = values.sort_text(text)
    pattern = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    words = [column.id for column in columns if column.type in ("text", "date")]
    found = Q()
    if words:
        rows = rows.alias(holds=_AnyCell(words, f"%{pattern}%"))
        found |= Q(holds=True)
    for column in columns:
        if column.type in ("number", "amount"):
            try:
                number = values.typed(column, text)
            except TableRefused:
                continue
            rows = rows.alias(**{f"n_{column.id}": Sought(column.id)})
            found |= Q(**{f"n_{column.id}": values.sort_text(number)})
    return rows.filter(found) if found else rows.none()
