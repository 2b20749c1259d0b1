"""Data tables as steps reach them: find, save, add to, delete, and put back; each change once under its key.

found = await context.tables.find(config.table, RowFilters(conditions=…), most=100)
saved = await context.tables.save(config.table, {"Customer": "C-7", "Limit": 500}, if_there="change")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol
from uuid import UUID

from runtime.contracts.datatables import Condition, IfThere, Operator, RowFilters, RowView
from runtime.engine.jsonprofile import JSON
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config, field

__all__ = [
    "ROW_ID", "Cell", "ChangedRow", "Condition", "FoundRows", "IfThere", "RowCondition", "RowFilters", "Tables",
    "filters_of", "plain_number", "row_json", "table_id", "values_of",
]  # fmt: skip

#: Under which a row says which one it is. No column can be called so.
ROW_ID = "_id"


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Rows that were found. `more`: there are others; `next`: where to go on for them."""

    rows: tuple[RowView, ...]
    more: bool = False
    next: JSON = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """What a change did. `before` and `after`: the row's values; None where it was not there, or is not any more.

    `unchanged`: the row was as wanted, or there was none. `before_value`, `after_value`: of a number that was added to.
    `kept`: what is there was left as it is.
    """

    what: Literal["added", "changed", "unchanged", "kept", "deleted", "put_back"]
    row: UUID | None
    before: Mapping[str, JSON] | None
    after: Mapping[str, JSON] | None
    before_value: JSON = None
    after_value: JSON = None

    def as_json(self) -> dict[str, JSON]:
        """What a step gives of it."""
        return {
            "what": self.what,
            "row": None if self.row is None or self.after is None else {ROW_ID: str(self.row), **self.after},
            "before": None if self.row is None or self.before is None else {ROW_ID: str(self.row), **self.before},
        }


class Tables(Protocol):
    """The data tables of the step's workspace. Every method raises PermanentError, with what to do about it.

    A change is kept together with the step's key: asked for again under it, it is the same change and its result.
    """

    async def find(
        self, table: str, filters: RowFilters, *, most: int, after: JSON = None, with_total: bool = False
    ) -> FoundRows:
        """At most so many rows, behind where `after` says."""
        ...

    async def save(
        self,
        table: str,
        values: Mapping[str, JSON],
        *,
        must_be_there: bool = False,
        if_there: IfThere = "change",
    ) -> ChangedRow:
        """Add the row, or change the one with this key: only the columns named in `values`."""
        ...

    async def add(self, table: str, key: Mapping[str, JSON], column: str, amount: JSON) -> ChangedRow:
        """Add to the number in this column of the row with this key; a row that is not there begins with 0."""
        ...

    async def delete(self, table: str, key: Mapping[str, JSON], *, must_be_there: bool = False) -> ChangedRow:
        """Delete the row with this key."""
        ...

    async def put_back(self) -> ChangedRow:
        """Take back what the step changed that this one undoes. Refused where somebody changed the row since."""
        ...


def table_id(value: JSON) -> UUID:
    """Which table is meant. Raises PermanentError where the value is none."""
    try:
        return UUID(str(value))
    except ValueError:
        raise PermanentError(
            "This is not a table",
            "The step needs a data table. Choose one under “Table”.",
            "not_a_table",
        ) from None


def plain_number(number: int | Decimal) -> int | Decimal:
    """A number of a setting as data has it: whole where it was written so."""
    return int(number) if isinstance(number, int) or number.as_tuple().exponent == 0 else number


def row_json(row: RowView) -> dict[str, JSON]:
    """A row as data shows it: its columns by name, and which row it is."""
    return {ROW_ID: str(row.id), **row.values}


class Cell(Config):
    """A value in a column."""

    name: str = field(title="Column", widget="table-column", order=1, min_length=1, max_length=100)
    value: Any = field("", title="Value", expression=True, order=2)


class RowCondition(Config):
    """What a row has to fulfil."""

    column: str = field(title="Column", widget="table-column", order=1, min_length=1, max_length=100)
    operator: Operator = field(
        "eq",
        title="Compare",
        widget="choice",
        options=(
            ("eq", "is"),
            ("ne", "is not"),
            ("gt", "is more than, or after"),
            ("gte", "is at least, or from"),
            ("lt", "is less than, or before"),
            ("lte", "is at most, or until"),
            ("contains", "contains"),
            ("starts", "begins with"),
            ("in", "is one of"),
            ("empty", "is empty"),
            ("filled", "is filled in"),
        ),
        order=2,
    )
    value: Any = field(
        "",
        title="Value",
        expression=True,
        show_if={"operator": ["eq", "ne", "gt", "gte", "lt", "lte", "contains", "starts", "in"]},
        order=3,
    )


def values_of(cells: Sequence[Cell], whole: object, title: str) -> dict[str, JSON]:
    """Values by column: those of an object, and over them the single ones. Raises PermanentError."""
    if whole in (None, ""):
        found: dict[str, JSON] = {}
    elif isinstance(whole, dict):
        found = dict(whole)
    else:
        raise PermanentError(
            "These are no values",
            f"“{title}” must be an object with the names of the columns, such as {{“Customer”: “C-7”}}.",
            "not_values",
        )
    return found | {cell.name: cell.value for cell in cells}


def filters_of(
    conditions: Sequence[RowCondition], *, any_of: bool, sort: str = "", descending: bool = False
) -> RowFilters:
    """The rows that these conditions mean."""
    told = tuple(Condition(one.column, one.operator, _compared(one)) for one in conditions)
    return RowFilters(conditions=told, any_of=any_of, sort=sort, descending=descending)


def _compared(condition: RowCondition) -> JSON:
    if condition.operator in ("empty", "filled"):
        return None
    if condition.operator == "in" and isinstance(condition.value, str):
        return [part.strip() for part in condition.value.split(",") if part.strip()]
    found: JSON = condition.value
    return found
