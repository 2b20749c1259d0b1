"""Pages as lists of what stands on them, and their way into a PDF: one text object for each font and colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from PIL import Image, UnidentifiedImageError
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from runtime.documents import type as fonts
from runtime.documents.model import MOST_PAGES, MOST_PIXELS
from runtime.documents.problems import DocumentProblem

rl_config.useA85 = 0

Style = tuple[str, float, str]


class Sheet:
    """One page: texts by style, then rules, filled boxes and pictures. Measures are points from below, left."""

    def __init__(self) -> None:
        self.texts: dict[Style, list[tuple[float, float, str]]] = {}
        self.shapes: list[str] = []
        self.pictures: list[tuple[ImageReader, float, float, float, float]] = []

    def text(self, x: float, y: float, text: str, style: Style) -> None:
        if text:
            self.texts.setdefault(style, []).append((x, y, text))

    def box(self, x: float, y: float, wide: float, high: float, colour: str) -> None:
        self.shapes.append(f"{rgb(colour)} rg {x:.2f} {y:.2f} {wide:.2f} {high:.2f} re f")

    def boxes(self, places: Sequence[tuple[float, float]], side: float, colour: str) -> None:
        parts = [f"{x:.2f} {y:.2f} {side:.3f} {side:.3f} re" for x, y in places]
        self.shapes.append(f"{rgb(colour)} rg {' '.join(parts)} f")


def rgb(colour: str) -> str:
    """`#1f2933` as the three numbers of an operator."""
    return " ".join(f"{int(colour[at : at + 2], 16) / 255:.3f}" for at in (1, 3, 5))


def picture(data: bytes, most: int) -> ImageReader:
    """A PNG or JPEG of at most so many pixels; its size is looked at before it is unpacked."""
    try:
        found = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        wide, high = found.size
        if wide * high > most:
            rest = "" if most == MOST_PIXELS else f", and {most:,} are left"
            raise DocumentProblem(
                "limit",
                f"The pictures of a document have at most {MOST_PIXELS:,} pixels in all{rest}; this one has"
                f" {wide * high:,}. Use a smaller one.",
            )
        found.load()
    except DocumentProblem:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise DocumentProblem("image", "A picture is a PNG or JPEG file that is whole.") from None
    return ImageReader(found.convert("RGBA"))


def write(pages: Sequence[Sheet], size: tuple[float, float], title: str, language: str) -> bytes:
    """The pages as a PDF. The same pages give the same bytes."""
    if len(pages) > MOST_PAGES:
        raise DocumentProblem("limit", f"A document has at most {MOST_PAGES} pages.")
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size, invariant=1, pageCompression=1, lang=language.replace("_", "-"))
    canvas.setTitle(title)
    # Otherwise it says "anonymous".
    canvas.setAuthor("")
    canvas.setCreator("Millrace")
    canvas.setProducer("Millrace")
    for sheet in pages:
        _page(canvas, sheet)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _page(canvas: Canvas, sheet: Sheet) -> None:
    code: list[str] = canvas._code
    code.extend(sheet.shapes)
    for reader, x, y, wide, high in sheet.pictures:
        canvas.drawImage(reader, x, y, wide, high, mask="auto")
    document: Any = canvas._doc
    for (name, size, colour), runs in sheet.texts.items():
        font: Any = fonts.FONTS[name]
        parts = [f"BT {rgb(colour)} rg"]
        chosen = None
        here_x = here_y = 0.0
        for x, y, text in runs:
            parts.append(f"{x - here_x:.2f} {y - here_y:.2f} Td")
            # What is written is what is reckoned with, so that rounding does not add up.
            here_x, here_y = here_x + round(x - here_x, 2), here_y + round(y - here_y, 2)
            for subset, piece in font.splitString(text, document):
                if subset != chosen:
                    parts.append(f"{font.getSubsetInternalName(subset, document)} {size:g} Tf")
                    chosen = subset
                parts.append(f"({canvas._escape(piece)}) Tj")
        parts.append("ET")
        code.append(" ".join(parts))


MM: Final = 72 / 25.4
