"""Formulas of a design, worked out with the data of one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.documents.figures import Figures, plain
from runtime.documents.model import LONGEST_TEXT, MOST_ROWS
from runtime.documents.problems import DocumentProblem
from runtime.documents.type import clean
from runtime.engine.expressions import ExpressionError, evaluate, is_expression


class Work:
    """One document's data (`data` in formulas) and the block that is being drawn, for messages."""

    def __init__(self, data: Mapping[str, Any], figures: Figures) -> None:
        self.context: dict[str, Any] = {"data": data}
        self.figures = figures
        self.block: int | None = None

    def value(self, formula: str, context: Mapping[str, Any] | None = None) -> Any:
        if not is_expression(formula):
            return formula
        try:
            return evaluate(formula, self.context if context is None else context)
        except ExpressionError as error:
            raise DocumentProblem("formula", error.message, self.block) from None

    def text(self, formula: str, form: str = "text", context: Mapping[str, Any] | None = None) -> str:
        """What a formula gives, written by its format, with letters that the fonts have."""
        return self.written(self.value(formula, context), form)

    def written(self, value: Any, form: str = "text") -> str:
        """A value written by its format, with letters that the fonts have."""
        written = self.figures.write(value, form)
        if len(written) > LONGEST_TEXT:
            raise DocumentProblem("limit", f"A text has at most {LONGEST_TEXT:,} characters.", self.block)
        return clean(written)

    def shown(self, formula: str) -> bool:
        """Whether a block is shown: always without a formula; not where it gives no, nothing, 0 or empty."""
        return not formula or bool(self.value(formula))

    def rows(self, formula: str) -> list[Any]:
        found = self.value(formula)
        if not isinstance(found, list):
            told = f"The rows of a table are a list; this formula gives “{plain(found)[:40]}”."
            raise DocumentProblem("data", told, self.block, "rows")
        if len(found) > MOST_ROWS:
            raise DocumentProblem(
                "limit", f"A table has at most {MOST_ROWS:,} rows; here are {len(found):,}.", self.block
            )
        return found
