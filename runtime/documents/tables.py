"""Tables: cells of several lines, a head on each page, sums by group and in all, sums carried over pages."""

from __future__ import annotations

from collections.abc import Container, Sequence
from decimal import Decimal
from typing import Any, Final

from runtime.documents.figures import number_of
from runtime.documents.flow import LEADING, Flow, put
from runtime.documents.model import Align, Table
from runtime.documents.problems import DocumentProblem
from runtime.documents.said import said
from runtime.documents.type import BOLD, REGULAR, clean, lines, width
from runtime.documents.work import Work

#: On a page of the usual size of letters.
_SIZE: Final = 8.5
#: Letters of amounts that do not fit their column get no smaller than this.
_SMALLEST: Final = 5.0
_PAD: Final = 4.0
_RULE: Final = "#cbd2d9"
_SHADE: Final = "#f1f4f7"

#: Lines, and the size of their letters.
Cell = tuple[tuple[str, ...], float]


def table(block: Table, flow: Flow, work: Work) -> None:
    """Draw it."""
    _Table(block, flow, work).draw(work.rows(block.rows))


class _Table:
    def __init__(self, block: Table, flow: Flow, work: Work) -> None:
        self.block, self.flow, self.work = block, flow, work
        self.size = _SIZE * flow.scale
        self.step = self.size * LEADING
        share = flow.room / sum(column.width for column in block.columns)
        self.widths = [column.width * share for column in block.columns]
        self.aligns: list[Align] = [
            column.align or ("right" if column.format in ("number", "money") else "left") for column in block.columns
        ]
        self.summed = [place for place, column in enumerate(block.columns) if column.total]
        self.totals = dict.fromkeys(self.summed, Decimal(0))
        self.group_totals = dict.fromkeys(self.summed, Decimal(0))
        #: Columns whose texts stay on one line.
        self.kept = [place for place, column in enumerate(block.columns) if column.format != "text"]
        self.said = said(flow.page.language)
        own = work.text(block.carried_label)
        #: At the foot of a page, and at the head of the next.
        self.carried, self.brought = own or self.said.carried, own or self.said.brought
        self.started = False
        self.spare = self.below_head = 0.0
        self.measure()

    def draw(self, rows: list[Any]) -> None:
        flow, block = self.flow, self.block
        flow.needs(self.high(self.head) + 2 * self.step + self.spare)
        self.top()
        last: str | None = None
        for place, item in enumerate(rows):
            context = {**self.work.context, "item": item, "index": place}
            texts, amounts = self.texts(context)
            if block.group:
                group = self.work.text(block.group, context=context)
                if last is not None and group != last:
                    self.subtotal(last)
                last = group
            self.row(texts, self.kept)
            for column, amount in amounts.items():
                self.totals[column] += amount
                self.group_totals[column] += amount
            self.started = True
        if last is not None:
            self.subtotal(last)
        if self.summed:
            total = self.sums(self.work.text(block.total_label) or self.said.total, self.totals)
            self.row(total, self.summed, bold=True, shade=True)
        flow.y -= 8

    def texts(self, context: dict[str, Any]) -> tuple[list[str], dict[int, Decimal]]:
        """One row's texts, and the amounts that are summed."""
        work = self.work
        texts, amounts = [], {}
        for place, column in enumerate(self.block.columns):
            value = work.value(column.value, context)
            if place in self.totals and value is not None and value != "":
                amounts[place] = number_of(value)
            texts.append(work.written(value, column.format))
        return texts, amounts

    def sums(self, label: str, totals: dict[int, Decimal]) -> list[str]:
        figures = self.work.figures
        texts = [
            (figures.money(totals[place]) if column.format == "money" else figures.number(totals[place]))
            if place in totals
            else ""
            for place, column in enumerate(self.block.columns)
        ]
        free = next((place for place, text in enumerate(texts) if not text), None)
        if free is not None:
            texts[free] = label
        return [clean(text) for text in texts]

    def subtotal(self, group: str) -> None:
        if self.summed:
            label = f"{self.work.text(self.block.subtotal_label) or self.said.subtotal} {group}".strip()
            self.row(self.sums(label, self.group_totals), self.summed, bold=True)
        self.group_totals = dict.fromkeys(self.summed, Decimal(0))

    def measure(self) -> None:
        """The head, and how high it and the line for what is carried are: the same on each page."""
        self.head = self.cells([self.work.text(column.title) for column in self.block.columns], (), bold=True)
        if self.summed:
            nothing = dict.fromkeys(self.summed, Decimal(0))
            self.spare = max(
                self.high(self.cells(self.sums(words, nothing), self.summed, bold=True))
                for words in (self.carried, self.brought)
            )
        if self.high(self.head) + 2 * self.spare + self.high([]) > (self.flow.top - self.flow.floor) * 0.8:
            raise DocumentProblem(
                "limit", "The titles of this table leave no room for its rows: make them shorter or the columns wider."
            )

    def top(self) -> None:
        """The head of the columns, on each page."""
        self.put(self.head, bold=True, colour="#ffffff", fill=self.flow.page.accent)
        self.below_head = self.flow.y

    def turn(self) -> None:
        """Go on with the table on a new page."""
        carried = self.summed and self.started
        if carried:
            self.put(self.cells(self.sums(self.carried, self.totals), self.summed, bold=True), bold=True, fill=_SHADE)
        self.flow.turn()
        self.top()
        if carried:
            self.put(self.cells(self.sums(self.brought, self.totals), self.summed, bold=True), bold=True, fill=_SHADE)
            self.below_head = self.flow.y

    def row(self, texts: list[str], whole: Container[int], *, bold: bool = False, shade: bool = False) -> None:
        """One row; a page is turned before it where it does not fit with the line for what is carried. One that is
        longer than a page goes on over pages. `whole`: as of `cells`."""
        flow, fill = self.flow, _SHADE if shade else ""
        cells = self.cells(texts, whole, bold=bold)
        if flow.y - self.high(cells) - self.spare < flow.floor and flow.y < self.below_head:
            self.turn()
        while self.high(cells) > (room := flow.y - flow.floor - self.spare):
            fits = int((room - _PAD) / self.step)
            if fits >= 1:
                self.put([(cell[:fits], size) for cell, size in cells], bold=bold, fill=fill)
                cells = [(cell[fits:], size) for cell, size in cells]
            self.turn()
        self.put(cells, bold=bold, fill=fill)

    def cells(self, texts: list[str], whole: Container[int], *, bold: bool) -> list[Cell]:
        """Each text as lines and the size of its letters. `whole`: columns of amounts and dates. Half an amount reads
        as another amount, so that those get smaller where others get longer."""
        font = BOLD if bold else REGULAR
        found: list[Cell] = []
        for place, (text, wide) in enumerate(zip(texts, self.widths, strict=True)):
            room = max(wide - 2 * _PAD, 8.0)
            if not text:
                found.append(((), self.size))
            elif place not in whole:
                found.append((lines(text, font, self.size, room), self.size))
            else:
                needed = width(text, font, self.size)
                size = self.size if needed <= room else int(self.size * room / needed * 10) / 10
                if size < _SMALLEST:
                    told = f"“{text[:40]}” is too wide for its column: make the column wider or others narrower."
                    raise DocumentProblem("limit", told)
                found.append(((text,), size))
        return found

    def put(self, cells: list[Cell], *, bold: bool = False, colour: str = "", fill: str = "") -> None:
        """Cells side by side, on this page."""
        flow = self.flow
        font, colour = BOLD if bold else REGULAR, colour or flow.page.text
        high = self.high(cells)
        if fill:
            flow.sheet.box(flow.left, flow.y - high, flow.room, high, fill)
        x = flow.left
        for (cell, size), wide, align in zip(cells, self.widths, self.aligns, strict=True):
            for at, line in enumerate(cell):
                y = flow.y - _PAD / 2 - self.size - at * self.step
                put(flow.sheet, x + _PAD, y, wide - 2 * _PAD, line, (font, size, colour), align)
            x += wide
        flow.sheet.box(flow.left, flow.y - high, flow.room, 0.4, _RULE)
        flow.y -= high

    def high(self, cells: Sequence[Cell]) -> float:
        return max([1, *(len(cell) for cell, _ in cells)]) * self.step + _PAD
