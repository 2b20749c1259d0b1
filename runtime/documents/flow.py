"""Where the next thing stands: pages, one after another, filled from above."""

from __future__ import annotations

from typing import Final

from runtime.documents.model import MOST_PAGES, Align, Page
from runtime.documents.problems import DocumentProblem
from runtime.documents.sheet import MM, Sheet, Style
from runtime.documents.type import width

_PAPERS: Final = {"A4": (595.28, 841.89), "A5": (419.53, 595.28), "Letter": (612.0, 792.0)}
#: Points that the header and the footer take of the page's text area.
_HEAD: Final = 20.0
#: Width over font size of a line: its height is a third more than the letters.
LEADING: Final = 1.34
#: The size of letters by which everything else is measured, in points.
_USUAL: Final = 9.5


class Flow:
    """`y` is the upper edge of what comes next; `left`, `room`: the text area; `scale`: of sizes that are told for a
    page of the usual size of letters."""

    def __init__(self, page: Page, header: bool) -> None:
        wide, high = _PAPERS[page.paper]
        self.size = (wide, high) if page.orientation == "portrait" else (high, wide)
        self.page = page
        self.scale = page.size / _USUAL
        self.left = page.left * MM
        self.room = self.size[0] - (page.left + page.right) * MM
        self.top = self.size[1] - page.top * MM - (_HEAD * self.scale if header else 0)
        self.floor = page.bottom * MM + _HEAD * self.scale
        if self.room < 60 or self.top - self.floor < 120:
            raise DocumentProblem("design", "The margins leave no room on this paper: make them smaller.", field="page")
        self.sheets: list[Sheet] = []
        self.y = 0.0
        self.turn()

    @property
    def sheet(self) -> Sheet:
        return self.sheets[-1]

    @property
    def fresh(self) -> bool:
        return self.y >= self.top

    def turn(self) -> None:
        """Begin a new page."""
        if len(self.sheets) == MOST_PAGES:
            raise DocumentProblem("limit", f"A document has at most {MOST_PAGES} pages.")
        self.sheets.append(Sheet())
        self.y = self.top

    def needs(self, height: float) -> None:
        """Begin a new page where so much does not fit on this one."""
        if self.y - height < self.floor and not self.fresh:
            self.turn()

    def lines(self, lines: tuple[str, ...], style: Style, align: Align = "left") -> None:
        """Lines over the whole width, over pages where they must."""
        step = style[1] * LEADING
        for line in lines:
            self.needs(step)
            put(self.sheet, self.left, self.y - style[1], self.room, line, style, align)
            self.y -= step


def put(sheet: Sheet, x: float, y: float, room: float, line: str, style: Style, align: Align) -> None:
    """One line in a room of its own."""
    if align != "left":
        spare = room - width(line, style[0], style[1])
        x += spare if align == "right" else spare / 2
    sheet.text(x, y, line, style)
