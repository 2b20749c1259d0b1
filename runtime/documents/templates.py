"""The formulas of a template in HTML, found before its markup is read: `<`, `&` and quotes may stand in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runtime.documents.problems import DocumentProblem
from runtime.engine.expressions import ExpressionError, Template, compile_template
from runtime.engine.expressions.parsing import split

__all__ = ["CLOSE", "LONGEST_TEMPLATE", "MOST_PICTURES", "OPEN", "Formula", "checked", "marked", "pictures_named"]

LONGEST_TEMPLATE: Final = 200_000
MOST_PICTURES: Final = 20
#: Stand around the place of a formula while markup is read: signs that no text has.
OPEN: Final = "\ue000"
CLOSE: Final = "\ue001"
_ROOTS: Final = frozenset({"data", "item", "index"})
_PICTURE: Final = re.compile(r"picture:([0-9a-fA-F-]{36})")


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula, and where it stands: “Line 12”."""

    template: Template
    place: str

    def value(self, context: Mapping[str, Any]) -> Any:
        """Raises DocumentProblem."""
        try:
            return self.template.evaluate(context)
        except ExpressionError as error:
            raise DocumentProblem("formula", f"{self.place}: {error.message}") from None


def marked(template: str) -> tuple[str, list[Formula]]:
    """The template with a sign in place of each formula, and the formulas. Raises DocumentProblem."""
    if len(template) > LONGEST_TEMPLATE:
        raise DocumentProblem("limit", f"A template has at most {LONGEST_TEMPLATE:,} characters.")
    if OPEN in template or CLOSE in template:
        raise DocumentProblem("design", "The template holds signs that no text has (U+E000, U+E001): remove them.")
    pieces: list[str] = []
    formulas: list[Formula] = []
    try:
        for piece in split(template):
            if isinstance(piece, str):
                pieces.append(piece)
                continue
            place, source = piece
            try:
                formulas.append(Formula(compile_template("{{" + source + "}}"), _line(template, place)))
            except ExpressionError as error:
                raise error.at(place) from None
            pieces.append(f"{OPEN}{len(formulas) - 1}{CLOSE}")
    except ExpressionError as error:
        raise DocumentProblem("formula", f"{_line(template, error.position)}: {error.message}") from None
    return "".join(pieces), formulas


def checked(template: str) -> None:
    """Whether its formulas can be read, and speak of the document's data. Raises DocumentProblem."""
    for formula in marked(template)[1]:
        for reference in formula.template.references:
            if reference.root not in _ROOTS:
                told = f"{formula.place}: The template knows “data” only, and in a list “item” and “index”: hand over "
                raise DocumentProblem("formula", told + f"“{reference.root}” in the setting Data.")
    if len(pictures_named(template)) > MOST_PICTURES:
        raise DocumentProblem("limit", f"A template shows at most {MOST_PICTURES} pictures.")


def pictures_named(template: str) -> list[str]:
    """The ids of the files that it shows as `picture:…`, each once."""
    return list(dict.fromkeys(found.lower() for found in _PICTURE.findall(template)))


def _line(template: str, position: int) -> str:
    return f"Line {template.count(chr(10), 0, position) + 1}"
