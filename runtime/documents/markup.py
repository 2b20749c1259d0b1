"""A template in HTML, read once and filled with the data of many documents.

Formulas stand in texts and in attributes. What they give is data: it is written so that it never becomes markup, and in
styles and links it may hold but little. Four attributes are ours: `data-each` repeats an element for the rows of a list
(`item`, `index`), `data-if` leaves it out, `data-format` writes what its formulas give as money, number or date, and
`data-html` takes markup of a value that whoever wrote the template trusts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Final, TypeAlias

from runtime.documents.figures import Figures
from runtime.documents.model import LONGEST_TEXT, MOST_ROWS
from runtime.documents.problems import DocumentProblem
from runtime.documents.templates import CLOSE, OPEN, Formula, marked
from runtime.documents.type import clean

#: WeasyPrint takes some seconds for so many.
MOST_ELEMENTS: Final = 40_000
MOST_LETTERS: Final = 4_000_000
_DEEPEST: Final = 100

_TOKEN: Final = re.compile(f"{OPEN}(\\d+){CLOSE}")
#: Of no use on paper, or they change what addresses mean.
_LEFT_OUT: Final = frozenset({"script", "noscript", "template", "base", "iframe", "object", "embed", "applet"})
_VOID: Final = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905
)
_LINKS: Final = ("#", "http://", "https://", "mailto:", "tel:")
#: What data may put into a style: words, numbers and colours, and nothing that ends a declaration or fetches.
_STYLE: Final = re.compile(r"[\w #.,%+\-]*")

#: Plain text, and formulas by their place.
_Text: TypeAlias = "tuple[str | Formula, ...]"


@dataclass(frozen=True, slots=True)
class _Element:
    tag: str
    attributes: tuple[tuple[str, _Text], ...]
    inside: tuple[_Element | _Text, ...]
    each: Formula | None = None
    shown: Formula | None = None
    markup: Formula | None = None
    form: str = "text"


@lru_cache(maxsize=16)
def read(template: str) -> _Element:
    """The tree of a template. Raises DocumentProblem."""
    import tinyhtml5

    text, formulas = marked(template)
    root = tinyhtml5.parse(text, namespace_html_elements=False)
    try:
        return _Reading(formulas).element(root, 0)
    except RecursionError:
        raise DocumentProblem("limit", f"Elements are nested {_DEEPEST} deep at most.") from None


def filled(template: str, data: Mapping[str, Any], figures: Figures) -> str:
    """The page of a template and its data, as HTML; in the figures' language where it says none. Raises
    DocumentProblem."""
    writing = _Writing(figures)
    writing.element(read(template), {"data": data})
    return "<!DOCTYPE html>" + "".join(writing.out)


class _Reading:
    def __init__(self, formulas: list[Formula]) -> None:
        self._formulas = formulas

    def element(self, found: Any, depth: int) -> _Element:
        if depth > _DEEPEST:
            raise DocumentProblem("limit", f"Elements are nested {_DEEPEST} deep at most.")
        ours: dict[str, Any] = {}
        attributes = []
        for name, value in found.attrib.items():
            text = self._text(value)
            if name in ("data-each", "data-if", "data-html"):
                ours[name] = self._only(name, text)
            elif name == "data-format":
                ours[name] = value
            else:
                attributes.append((_bare(name), text))
        form = ours.get("data-format", "text")
        if form not in ("text", "money", "number", "date"):
            raise DocumentProblem("design", f"data-format is one of money, number, date and text, and not “{form}”.")
        inside: list[_Element | _Text] = [self._text(found.text)] if found.text else []
        for child in found:
            # Comments have no name, and are no business of the reader's.
            if isinstance(child.tag, str) and child.tag not in _LEFT_OUT:
                inside.append(self.element(child, depth + 1))
            if child.tail:
                inside.append(self._text(child.tail))
        return _Element(
            _bare(found.tag), tuple(attributes), tuple(inside), ours.get("data-each"), ours.get("data-if"),
            ours.get("data-html"), form,
        )  # fmt: skip

    def _text(self, text: str) -> _Text:
        pieces = _TOKEN.split(text)
        return tuple(
            self._formulas[int(piece)] if place % 2 else piece
            for place, piece in enumerate(pieces)
            if place % 2 or piece
        )

    def _only(self, name: str, text: _Text) -> Formula:
        if len(text) == 1 and isinstance(text[0], Formula):
            return text[0]
        raise DocumentProblem("design", f"{name} takes one formula, such as {name}=“{{{{ data.lines }}}}”.")


class _Writing:
    def __init__(self, figures: Figures) -> None:
        self.out: list[str] = []
        self._figures = figures
        self._elements = 0
        self._letters = 0

    def element(self, element: _Element, context: dict[str, Any]) -> None:
        for inner in self._rows(element, context):
            if element.shown is not None and not element.shown.value(inner):
                continue
            self._elements += 1
            if self._elements > MOST_ELEMENTS:
                told = f"A document has at most {MOST_ELEMENTS:,} elements: use fewer rows."
                raise DocumentProblem("limit", told)
            self._one(element, inner)

    def _rows(self, element: _Element, context: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if element.each is None:
            yield context
            return
        rows = element.each.value(context)
        if not isinstance(rows, list):
            raise DocumentProblem("data", f"{element.each.place}: data-each takes a list, and this formula gives none.")
        if len(rows) > MOST_ROWS:
            told = f"{element.each.place}: A list has at most {MOST_ROWS:,} rows; here are {len(rows):,}."
            raise DocumentProblem("limit", told)
        for index, item in enumerate(rows):
            yield {**context, "item": item, "index": index}

    def _one(self, element: _Element, context: dict[str, Any]) -> None:
        self._add(f"<{element.tag}")
        if element.tag == "html" and all(name != "lang" for name, _ in element.attributes):
            self._add(f' lang="{str(self._figures.locale).replace("_", "-")}"')
        for name, text in element.attributes:
            style = name == "style"
            value = "".join(
                part if isinstance(part, str) else self._data(part, context, style=style) for part in text
            ).strip(" \t\n" if name == "href" else "")
            if name == "href" and element.tag in ("a", "area") and not value.lower().startswith(_LINKS):
                continue
            self._add(f' {name}="{escape(value)}"')
        self._add(">")
        if element.tag in _VOID:
            return
        style = element.tag == "style"
        for inside in element.inside:
            if isinstance(inside, _Element):
                self.element(inside, context)
                continue
            for part in inside:
                if isinstance(part, str):
                    self._add(part if style else escape(part, quote=False))
                else:
                    said = self._data(part, context, element.form, style=style)
                    self._add(said if style else escape(said, quote=False))
        if element.markup is not None and not style:
            self._markup(element.markup, context)
        self._add(f"</{element.tag}>")

    def _markup(self, formula: Formula, context: dict[str, Any]) -> None:
        value = formula.value(context)
        if value is None:
            return
        if not isinstance(value, str):
            raise DocumentProblem("data", f"{formula.place}: data-html takes a text, and this formula gives none.")
        for inside in _fragment(value):
            if isinstance(inside, _Element):
                self.element(inside, context)
            else:
                self._add(escape("".join(str(part) for part in inside), quote=False))

    def _data(self, formula: Formula, context: dict[str, Any], form: str = "text", *, style: bool = False) -> str:
        try:
            said = clean(self._figures.write(formula.value(context), form))
        except DocumentProblem as problem:
            raise _placed(problem, formula) from None
        if len(said) > LONGEST_TEXT:
            raise DocumentProblem("limit", f"{formula.place}: A text has at most {LONGEST_TEXT:,} characters.")
        if style and _STYLE.fullmatch(said) is None:
            told = (
                f"{formula.place}: “{said[:40]}” cannot stand in a style, where data may be words, numbers and "
                "colours only."
            )
            raise DocumentProblem("data", told)
        return said

    def _add(self, text: str) -> None:
        self._letters += len(text)
        if self._letters > MOST_LETTERS:
            raise DocumentProblem("limit", f"A document has at most {MOST_LETTERS:,} characters: use fewer rows.")
        self.out.append(text)


def _fragment(markup: str) -> tuple[_Element | _Text, ...]:
    """What stands in it, closed where it was left open; formulas in it are words."""
    import tinyhtml5

    if len(markup) > LONGEST_TEXT:
        raise DocumentProblem("limit", f"A text has at most {LONGEST_TEXT:,} characters.")
    root = tinyhtml5.parse("<!DOCTYPE html><body>" + _plain(markup), namespace_html_elements=False)
    body = _Reading([]).element(root, 0).inside[-1]
    if not isinstance(body, _Element):
        return ()
    return body.inside


def _plain(markup: str) -> str:
    """Without the signs that stand for formulas, and without attributes of ours."""
    bare = markup.replace(OPEN, "").replace(CLOSE, "")
    return re.sub(r"(?i)\bdata-(each|if|html|format)\b", "data-x", bare)


def _bare(name: str) -> str:
    """A name without its namespace, which the place of an element tells; a picture in a drawing is named by xlink."""
    space, _, own = name.rpartition("}")
    return f"xlink:{own}" if space.endswith("xlink") else own


def _placed(problem: DocumentProblem, formula: Formula) -> DocumentProblem:
    if problem.message.startswith("Line "):
        return problem
    return DocumentProblem(problem.code, f"{formula.place}: {problem.message}")
