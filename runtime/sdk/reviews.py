"""Lists that people look through before anything is done with them: their columns, and what is wrong with a row.

Judging knows nothing of runs: it is the same when a step sets the list down and when somebody changes a cell.

    judge = Judge.of(config)                      # or of what `Judge.document` gave
    found = judge.look({"supplier": "…", "amount": 12}, 0)
    found.rank                                    # 2: has to be mended or rejected; 1: somebody has to accept it; 0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from runtime.engine.expressions import ExpressionError, compile_template, is_expression
from runtime.engine.jsonprofile import JSON, dumps
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config, field
from runtime.sdk.table_columns import COLUMN_TYPES, ColumnType, TableColumn
from runtime.sdk.table_values import Misfit, Order, Sign, is_empty, typed

__all__ = [
    "MOST_ROW_CHARACTERS", "Judge", "Judged", "ListSettings", "Problem", "ReviewColumn", "ReviewRule", "Reviews",
    "StagedList", "cell_text", "reviewed", "rule_problems",
]  # fmt: skip

#: A row is shown in a table; what is larger is no row.
MOST_ROW_CHARACTERS: Final = 64 * 1024
_LONGEST_SOUGHT: Final = 1_000
_LONGEST_PROBLEM: Final = 300
_LONGEST_CURRENCY: Final = 8
#: As totals are kept (`store.batches.units_of`).
_MOST_AMOUNT: Final = 10**14
_MOST_PLACES: Final = 4

Level = Literal["warning", "blocking"]
_RANKS: Final[Mapping[str, int]] = {"warning": 1, "blocking": 2}


class ReviewColumn(Config):
    """One column that is shown."""

    name: str = field(
        title="Name in the data",
        help="As the row has it, such as “supplier”.",
        order=1,
        pattern=r"^[^.\s\[\]{}][^.\[\]{}]{0,99}$",
    )
    label: str = field("", title="Name of the column", help="Empty: the same.", order=2, max_length=200)
    type: ColumnType = field("text", title="Kind", widget="choice", options=COLUMN_TYPES, order=3)
    editable: bool = field(False, title="May be changed", widget="toggle", order=4)
    required: bool = field(False, title="May not be empty", widget="toggle", order=5)
    total: bool = field(
        False, title="Is what a row is worth", help="One column of amounts: it is summed up.", widget="toggle", order=6
    )


class ReviewRule(Config):
    """What makes a row a problem."""

    name: str = field(
        title="What is said of such a row",
        placeholder="Over the limit",
        order=1,
        min_length=1,
        max_length=_LONGEST_PROBLEM,
    )
    when: str = field(
        title="A row is such when",
        help="A formula about one row, as “item”. It gives yes or no; or a text, which is said in place of the name.",
        placeholder="{{ item.amount > 5000 }}",
        deferred=True,
        order=2,
        min_length=1,
        max_length=2000,
    )
    level: Level = field(
        "warning",
        title="And then",
        widget="choice",
        options=(("warning", "somebody has to accept or reject it"), ("blocking", "it has to be mended or rejected")),
        order=3,
    )


class ListSettings(Protocol):
    """The settings that say how a row is judged."""

    @property
    def columns(self) -> list[ReviewColumn]: ...
    @property
    def rules(self) -> list[ReviewRule]: ...
    @property
    def currency(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row needs a look. `column`: of which cell; empty: of the row."""

    level: Level
    text: str
    column: str = ""

    def as_json(self) -> JSON:
        return {"level": self.level, "text": self.text, "column": self.column}


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found out about a row. `amount`: None where there is none; `sought`: what it is found by."""

    problems: tuple[Problem, ...]
    amount: Decimal | None
    currency: str
    sought: str

    @property
    def rank(self) -> int:
        return max((_RANKS[one.level] for one in self.problems), default=0)


@dataclass(frozen=True, slots=True)
class Judge:
    """See the module's text. `rules`: (what is said, formula, level). `currency`: the name of a column, or one for all
    rows."""

    columns: tuple[ReviewColumn, ...]
    rules: tuple[tuple[str, str, Level], ...] = ()
    currency: str = ""

    @classmethod
    def of(cls, config: ListSettings) -> Judge:
        rules = tuple((rule.name, rule.when, rule.level) for rule in config.rules)
        return cls(tuple(config.columns), rules, config.currency.strip())

    def document(self) -> dict[str, JSON]:
        """All of it as data."""
        return {
            "columns": [column.model_dump(mode="python") for column in self.columns],
            "rules": [list(rule) for rule in self.rules],
            "currency": self.currency,
        }

    @classmethod
    def again(cls, kept: Mapping[str, Any]) -> Judge:
        """What `document` gave."""
        columns = tuple(ReviewColumn.model_validate(one) for one in kept["columns"])
        return cls(columns, tuple((name, when, level) for name, when, level in kept["rules"]), kept["currency"])

    @property
    def worth(self) -> ReviewColumn | None:
        """The column that says what a row is worth."""
        return next((column for column in self.columns if column.total), None)

    def column(self, name: str) -> ReviewColumn | None:
        return next((column for column in self.columns if column.name == name), None)

    def look(self, row: Mapping[str, JSON], index: int) -> Judged:
        """Judge one row; `index`: its number, from 0."""
        problems = [found for column in self.columns if (found := _misfit(row, column)) is not None]
        wrong = {found.column for found in problems}
        problems += [found for rule in self.rules if (found := self._broken(rule, row, index, bool(wrong))) is not None]
        worth = self.worth
        amount: Decimal | None = None
        if worth is not None and worth.name not in wrong:
            given = row.get(worth.name)
            cell = given.get("amount") if isinstance(given, dict) else given
            amount = None if is_empty(cell) else Decimal(str(typed(cell, _as_table(worth), ".", "dmy")))
            if amount is not None and not _can_be_summed(amount):
                # It would be released, and stand in no total.
                said = f"{worth.label or worth.name} is too large or has more than four places: it is in no total."
                problems.append(Problem("blocking", said, worth.name))
        sought = " ".join(cell_text(row.get(column.name)) for column in self.columns).casefold()[:_LONGEST_SOUGHT]
        return Judged(tuple(problems), amount, self._currency(row), sought)

    def _currency(self, row: Mapping[str, JSON]) -> str:
        worth = self.worth
        given = None if worth is None else row.get(worth.name)
        found: JSON = given.get("currency") if isinstance(given, dict) else None
        if found is None:
            found = row.get(self.currency) if self.currency in row else self.currency
        return found.strip().upper()[:_LONGEST_CURRENCY] if isinstance(found, str) else ""

    def _broken(
        self, rule: tuple[str, str, Level], row: Mapping[str, JSON], index: int, has_wrong_cells: bool
    ) -> Problem | None:
        name, when, level = rule
        try:
            found = compile_template(when).evaluate({"item": row, "index": index})
        except ExpressionError as error:
            if has_wrong_cells:
                # What a wrong cell does to a formula helps nobody who sees the cell.
                return None
            return Problem("blocking", f"{name}: this cannot be worked out. {error.message}"[:_LONGEST_PROBLEM])
        if found in (None, False, "", 0):
            return None
        return Problem(level, found[:_LONGEST_PROBLEM] if isinstance(found, str) else name)

    def value(self, column: ReviewColumn, text: JSON, decimal: Sign, dates: Order) -> JSON:
        """What somebody has put into a cell, as the column's kind. Raises Misfit."""
        return typed(text, _as_table(column), decimal, dates)


def _can_be_summed(amount: Decimal) -> bool:
    return abs(amount) <= _MOST_AMOUNT and amount == round(amount, _MOST_PLACES)


def _as_table(column: ReviewColumn) -> TableColumn:
    return TableColumn(name="x", label=column.label or column.name, type=column.type, required=column.required)


_SAID: Final[Mapping[str, str]] = {
    "empty": "may not be empty",
    "no_number": "is no number",
    "no_date": "is no date",
    "no_yes_no": "is neither yes nor no",
    "long": "is too long",
}


def misfit_text(column: ReviewColumn, misfit: Misfit) -> str:
    """Why a cell does not fit, in words."""
    return f"{column.label or column.name} {_SAID.get(misfit.code, 'does not fit')}."


def _misfit(row: Mapping[str, JSON], column: ReviewColumn) -> Problem | None:
    cell = row.get(column.name)
    if isinstance(cell, dict) and column.type == "amount" and "amount" in cell:
        cell = cell["amount"]
    try:
        typed(cell, _as_table(column), ".", "dmy")
    except Misfit as misfit:
        return Problem("blocking", misfit_text(column, misfit), column.name)
    return None


def cell_text(value: JSON) -> str:
    """What stands in a cell, as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else dumps(value) if isinstance(value, (dict, list)) else str(value)


def rule_problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with columns and rules as stored: (field path, code, message)."""
    found: list[tuple[str, str, str]] = []
    names: set[str] = set()
    totals = 0
    for index, column in _entries(config.get("columns")):
        name = str(column.get("name", ""))
        if name and name in names:
            found.append((f"columns[{index}].name", "twice", f"There are two columns “{name}”."))
        names.add(name)
        if not column.get("total"):
            continue
        totals += 1
        if column.get("type") not in ("amount", "number"):
            found.append((f"columns[{index}].total", "no_amount", "Only amounts and numbers can be summed up."))
        elif totals > 1:
            found.append((f"columns[{index}].total", "two_totals", "Only one column can say what a row is worth."))
    for index, rule in _entries(config.get("rules")):
        when = rule.get("when")
        if not isinstance(when, str) or not when:
            continue
        path = f"rules[{index}].when"
        if not is_expression(when):
            found.append((path, "no_formula", "Write a formula about a row, such as {{ item.amount > 5000 }}."))
            continue
        try:
            roots = {reference.root for reference in compile_template(when).references}
        except ExpressionError:
            continue
        if other := roots - {"item", "index"}:
            said = f"“{min(other)}” is not known here: a rule looks at one row alone. Put what it needs into the rows."
            found.append((path, "row_alone", said))
    return found


def _entries(given: object) -> list[tuple[int, Mapping[str, Any]]]:
    """The entries of a list in a draft, which may be of any shape, with their numbers."""
    return [
        (index, one) for index, one in enumerate(given if isinstance(given, list) else ()) if isinstance(one, Mapping)
    ]


# --- what other steps are given ---------------------------------------------------------------------------------------


def reviewed(value: object) -> tuple[UUID, str] | None:
    """Which review's rows a value means, and which of them (`accepted` or `rejected`); None where it means none."""
    if not isinstance(value, Mapping) or value.get("rows_of") not in ("accepted", "rejected"):
        return None
    try:
        return UUID(str(value.get("review"))), str(value["rows_of"])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class StagedList:
    """A list that was set down. `totals`: by currency how many rows there are, and what they come to; `without`: so
    many have no amount."""

    id: UUID
    rows: int
    totals: Mapping[str, tuple[int, Decimal]]
    without: int = 0


class Reviews(Protocol):
    """Where a step sets rows down, and reads those that were released."""

    async def stage(self, judge: Judge, spec: Mapping[str, JSON]) -> UUID:
        """Begin a list for this attempt, in place of what an earlier go at it left. `spec`: what is kept with it."""
        ...

    async def add(self, review: UUID, judge: Judge, rows: Sequence[Mapping[str, JSON]], first: int) -> None:
        """Add rows, of which the first has this number, from 0."""
        ...

    async def staged(self, review: UUID) -> StagedList:
        """End the list: it is as it will be shown."""
        ...

    async def rows(self, review: UUID, which: str, *, after: int, most: int) -> tuple[list[tuple[int, JSON]], int]:
        """Rows that were released, with their numbers, behind that number; and how many there are. Raises
        PermanentError."""
        ...


def not_released() -> PermanentError:
    """Rows that nobody released must not be worked with."""
    return PermanentError(
        "This list was not released",
        "Rows of a review can be worked with when the list was released. Draw this step behind its way out “Released”.",
        "not_released",
    )
