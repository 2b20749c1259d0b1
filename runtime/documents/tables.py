"""Tables: cells of several lines, a head on each page, sums by group and in all, sums carried over pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from runtime.documents.figures import number_of
from runtime.documents.flow import LEADING, Flow, put
from runtime.documents.model import Align, Table
from runtime.documents.type import BOLD, REGULAR, clean, lines
from runtime.documents.work import Work

_SIZE: Final = 8.5
_PAD: Final = 4.0
_STEP: Final = _SIZE * LEADING
_RULE: Final = "#cbd2d9"
_SHADE: Final = "#f1f4f7"


def table(block: Table, flow: Flow, work: Work) -> None:
    """Draw it."""
    _Table(block, flow, work).draw(work.rows(block.rows))


class _Table:
    def __init__(self, block: Table, flow: Flow, work: Work) -> None:
        self.block, self.flow, self.work = block, flow, work
        share = flow.room / sum(column.width for column in block.columns)
        self.widths = [column.width * share for column in block.columns]
        self.aligns: list[Align] = [
            column.align or ("right" if column.format in ("number", "money") else "left") for column in block.columns
        ]
        self.summed = [place for place, column in enumerate(block.columns) if column.total]
        self.totals = dict.fromkeys(self.summed, Decimal(0))
        self.group_totals = dict.fromkeys(self.summed, Decimal(0))
        self.head = [work.text(column.title) for column in block.columns]
        self.started = False

    def draw(self, rows: list[Any]) -> None:
        flow, block = self.flow, self.block
        flow.needs(4 * _STEP)
        self.top()
        last: str | None = None
        for place, item in enumerate(rows):
            context = {**self.work.context, "item": item, "index": place}
            cells, amounts = self.cells(context)
            if block.group:
                group = self.work.text(block.group, context=context)
                if last is not None and group != last:
                    self.subtotal(last)
                last = group
            self.row(cells)
            for column, amount in amounts.items():
                self.totals[column] += amount
                self.group_totals[column] += amount
            self.started = True
        if last is not None:
            self.subtotal(last)
        if self.summed:
            self.row(self.sums(self.work.text(block.total_label), self.totals), bold=True, shade=True)
        flow.y -= 8

    def cells(self, context: dict[str, Any]) -> tuple[list[str], dict[int, Decimal]]:
        """One row's texts, and the amounts that are summed."""
        work = self.work
        texts, amounts = [], {}
        for place, column in enumerate(self.block.columns):
            value = work.value(column.value, context)
            if place in self.totals and value is not None and value != "":
                amounts[place] = number_of(value)
            texts.append(clean(work.figures.write(value, column.format)))
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
            label = f"{self.work.text(self.block.subtotal_label)} {group}".strip()
            self.row(self.sums(label, self.group_totals), bold=True)
        self.group_totals = dict.fromkeys(self.summed, Decimal(0))

    def top(self) -> None:
        """The head of the columns, on each page."""
        self.put(self.head, bold=True, colour="#ffffff", fill=self.flow.page.accent)

    def row(self, texts: list[str], *, bold: bool = False, shade: bool = False) -> None:
        """One row; a page is turned before it where it does not fit with the line for what is carried."""
        spare = _STEP + 2 * _PAD if self.summed else 0.0
        high = self.high(texts, bold)
        if self.flow.y - high - spare < self.flow.floor and self.started:
            carried = self.sums(self.work.text(self.block.carried_label), self.totals) if self.summed else None
            if carried:
                self.put(carried, bold=True, fill=_SHADE)
            self.flow.turn()
            self.top()
            if carried:
                self.put(carried, bold=True, fill=_SHADE)
        self.put(texts, bold=bold, fill=_SHADE if shade else "")

    def broken(self, texts: list[str], bold: bool) -> list[tuple[str, ...]]:
        font = BOLD if bold else REGULAR
        return [
            lines(text, font, _SIZE, max(wide - 2 * _PAD, 8.0)) if text else ()
            for text, wide in zip(texts, self.widths, strict=True)
        ]

    def high(self, texts: list[str], bold: bool) -> float:
        return max(1, *map(len, self.broken(texts, bold)), 1) * _STEP + _PAD

    def put(self, texts: list[str], *, bold: bool = False, colour: str = "", fill: str = "") -> None:
        """Cells side by side; those of more lines than a page goes on over pages."""
        flow = self.flow
        style = (BOLD if bold else REGULAR, _SIZE, colour or flow.page.text)
        cells = self.broken(texts, bold)
        left = max(1, *map(len, cells), 1)
        done = 0
        while left:
            fits = int((flow.y - flow.floor - _PAD) / _STEP)
            if fits < 1:
                flow.turn()
                continue
            now = min(left, fits)
            high = now * _STEP + _PAD
            if fill:
                flow.sheet.box(flow.left, flow.y - high, flow.room, high, fill)
            x = flow.left
            for cell, wide, align in zip(cells, self.widths, self.aligns, strict=True):
                for at, line in enumerate(cell[done : done + now]):
                    y = flow.y - _PAD / 2 - _SIZE - at * _STEP
                    put(flow.sheet, x + _PAD, y, wide - 2 * _PAD, line, style, align)
                x += wide
            flow.sheet.box(flow.left, flow.y - high, flow.room, 0.4, _RULE)
            flow.y -= high
            done += now
            left -= now
