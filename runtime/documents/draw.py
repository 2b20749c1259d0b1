"""`draw(design, data)`: a design and its data become the bytes of a PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import segno
from reportlab.lib.utils import ImageReader

from runtime.documents.figures import figures
from runtime.documents.flow import LEADING, Flow, put
from runtime.documents.model import (
    MOST_PIXELS,
    AnyBlock,
    Design,
    Logo,
    Notes,
    Pairs,
    Parties,
    QrCode,
    Space,
    Table,
    Text,
    Title,
)
from runtime.documents.problems import DocumentProblem
from runtime.documents.sheet import MM, picture, write
from runtime.documents.tables import table
from runtime.documents.type import BOLD, REGULAR, lines
from runtime.documents.work import Work

#: Sizes on a page of the usual size of letters.
_TITLE: Final = 18.0
_BODY: Final = 9.5
_SMALL: Final = 7.5
_LABEL: Final = 12.0
_GREY: Final = "#616e7c"


def draw(design: Design, data: Mapping[str, Any], images: Mapping[str, bytes] | None = None) -> bytes:
    """The PDF. `data`: JSON, numbers as int or Decimal. `images`: PNG or JPEG by the names that logos use.

    The same arguments give the same bytes. Raises DocumentProblem, whose `block` says where.
    """
    return drawn(design, data, images)[0]


def drawn(design: Design, data: Mapping[str, Any], images: Mapping[str, bytes] | None = None) -> tuple[bytes, int]:
    """The same, and how many pages it has."""
    page = design.page
    work = Work(data, figures(page.language, page.currency, page.decimals, page.dates))
    flow = Flow(page, bool(design.header))
    pictures = _Pictures(images or {})
    for place, block in enumerate(design.blocks):
        work.block = place
        try:
            if work.shown(block.show_if):
                _block(block, flow, work, pictures)
        except DocumentProblem as problem:
            if problem.block is None:
                problem.block = place
            raise
    work.block = None
    title = work.text(design.title).replace("\n", " ")
    _edges(design, flow, work)
    return write(flow.sheets, flow.size, title, page.language), len(flow.sheets)


def _edges(design: Design, flow: Flow, work: Work) -> None:
    """Header, footer and the number of each page, now that their count is known."""
    small = _SMALL * flow.scale
    style = (REGULAR, small, _GREY)
    header = lines(work.text(design.header), *style[:2], flow.room)[:2]
    footer = lines(work.text(design.footer), *style[:2], flow.room * 0.8)[:2]
    below = design.page.bottom * MM
    above = flow.size[1] - design.page.top * MM
    for number, sheet in enumerate(flow.sheets, 1):
        for at, line in enumerate(header):
            sheet.text(flow.left, above - small - at * small * LEADING, line, style)
        for at, line in enumerate(footer):
            sheet.text(flow.left, below + 2 - at * small * LEADING, line, style)
        if design.pages:
            put(sheet, flow.left, below + 2, flow.room, f"{number} / {len(flow.sheets)}", style, "right")


class _Pictures:
    """The pictures of one document: each is unpacked once, and all together have a limit."""

    def __init__(self, images: Mapping[str, bytes]) -> None:
        self._images = images
        self._unpacked: dict[str, ImageReader] = {}
        self._left = MOST_PIXELS

    def get(self, name: str) -> ImageReader:
        data = self._images.get(name)
        if data is None:
            raise DocumentProblem("image", f"There is no picture “{name}”: choose another or remove the logo.")
        if name not in self._unpacked:
            self._unpacked[name] = picture(data, self._left)
            wide, high = self._unpacked[name].getSize()
            self._left -= wide * high
        return self._unpacked[name]


def _block(block: AnyBlock, flow: Flow, work: Work, pictures: _Pictures) -> None:
    page = flow.page
    match block:
        case Title():
            style = (BOLD, _TITLE * flow.scale, page.accent)
            flow.lines(lines(work.text(block.text), *style[:2], flow.room), style, block.align)
            flow.y -= 8
        case Text():
            style = (BOLD if block.bold else REGULAR, _BODY * flow.scale, page.text)
            flow.lines(lines(work.text(block.text), *style[:2], flow.room), style, block.align)
            flow.y -= 6
        case Notes():
            style = (REGULAR, _SMALL * flow.scale, _GREY)
            flow.lines(lines(work.text(block.text), *style[:2], flow.room), style)
            flow.y -= 6
        case Parties():
            _parties(block, flow, work)
        case Pairs():
            _pairs(block, flow, work)
        case Table():
            table(block, flow, work)
        case Space():
            height = min(block.height * MM, flow.top - flow.floor)
            flow.needs(height)
            if block.line:
                flow.sheet.box(flow.left, flow.y - height / 2, flow.room, 0.6, "#cbd2d9")
            flow.y -= height
        case Logo():
            _logo(block, flow, pictures)
        case QrCode():
            _qr(block, flow, work)


def _parties(block: Parties, flow: Flow, work: Work) -> None:
    wide = flow.room / len(block.parties)
    body_size, small = _BODY * flow.scale, _SMALL * flow.scale
    step = body_size * LEADING
    cells = [
        (work.text(party.label), lines(work.text(party.text), REGULAR, body_size, wide - 12)) for party in block.parties
    ]
    labels = _LABEL * flow.scale if any(label for label, _ in cells) else 0
    longest = max(len(body) for _, body in cells)
    if labels + longest * step > flow.top - flow.floor:
        raise DocumentProblem("limit", "An address is longer than a page: make it shorter.")
    flow.needs(labels + longest * step)
    for place, (label, body) in enumerate(cells):
        x = flow.left + place * wide
        for line in lines(label, BOLD, small, wide - 12)[:1]:
            flow.sheet.text(x, flow.y - small, line, (BOLD, small, _GREY))
        for at, line in enumerate(body):
            flow.sheet.text(x, flow.y - labels - body_size - at * step, line, (REGULAR, body_size, flow.page.text))
    flow.y -= labels + longest * step + 8


def _pairs(block: Pairs, flow: Flow, work: Work) -> None:
    wide = min(flow.room * 0.35, 150.0)
    size = _BODY * flow.scale
    step = size * LEADING
    for pair in block.pairs:
        label = lines(work.text(pair.label), REGULAR, size, wide - 8)
        value = lines(work.text(pair.value, pair.format), BOLD, size, flow.room - wide)
        for at in range(max(len(label), len(value))):
            flow.needs(step)
            if at < len(label):
                flow.sheet.text(flow.left, flow.y - size, label[at], (REGULAR, size, _GREY))
            if at < len(value):
                flow.sheet.text(flow.left + wide, flow.y - size, value[at], (BOLD, size, flow.page.text))
            flow.y -= step
    flow.y -= 8


def _logo(block: Logo, flow: Flow, pictures: _Pictures) -> None:
    reader = pictures.get(block.image)
    wide, high = reader.getSize()
    factor = min(min(block.height * MM, flow.top - flow.floor) / high, flow.room / wide)
    flow.needs(high * factor)
    x = flow.left + {"left": 0.0, "centre": 0.5, "right": 1.0}[block.align] * (flow.room - wide * factor)
    flow.sheet.pictures.append((reader, x, flow.y - high * factor, wide * factor, high * factor))
    flow.y -= high * factor + 8


def _qr(block: QrCode, flow: Flow, work: Work) -> None:
    text = work.text(block.text)
    if not text:
        return
    try:
        code = segno.make_qr(text, error="m")
    except segno.DataOverflowError:
        raise DocumentProblem("limit", "This text is too long for a QR code: use 2,000 letters at most.") from None
    size = min(block.size * MM, flow.room, flow.top - flow.floor)
    flow.needs(size)
    side = size / len(code.matrix)
    x = flow.left + {"left": 0.0, "centre": 0.5, "right": 1.0}[block.align] * (flow.room - size)
    dark = [
        (x + column * side, flow.y - (row + 1) * side)
        for row, bits in enumerate(code.matrix)
        for column, bit in enumerate(bits)
        if bit
    ]
    flow.sheet.boxes(dark, side * 1.01, "#000000")
    flow.y -= size + 8
