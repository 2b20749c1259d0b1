"""The two fonts: how wide a text is, what stands for letters they lack, where lines break."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "MillraceRegular"
BOLD: Final = "MillraceBold"
#: Stands for a letter that the fonts lack.
REPLACEMENT: Final = "\ufffd"


def _remembered(make: Callable[[tuple[int, ...]], bytes]) -> Callable[[Sequence[int]], bytes]:
    """Documents of one kind mostly use the same letters: the part of a font that holds them is cut out once."""
    kept = lru_cache(maxsize=64)(make)
    return lambda subset: kept(tuple(subset))


_FOLDER: Final = Path(__file__).with_name("fonts")
FONTS: Final = {
    REGULAR: TTFont(REGULAR, str(_FOLDER / "NotoSans-Regular.ttf")),
    BOLD: TTFont(BOLD, str(_FOLDER / "NotoSans-Bold.ttf")),
}
for _font in FONTS.values():
    _font.face.makeSubset = _remembered(_font.face.makeSubset)
    pdfmetrics.registerFont(_font)
_WIDTHS: Final[dict[str, dict[str, int]]] = {
    name: {chr(code): width for code, width in font.face.charWidths.items()} for name, font in FONTS.items()
}


def clean(text: str) -> str:
    """The text with what the fonts can show: composed, tabs as blanks, control signs left out, a replacement for the
    rest."""
    if text.isascii() and text.isprintable():
        return text
    kept = []
    widths = _WIDTHS[REGULAR]
    for letter in unicodedata.normalize("NFC", text):
        if letter == "\n" or letter in widths:
            kept.append(letter)
        elif letter in "\t\u2003\u2009\u2028":
            kept.append(" ")
        elif unicodedata.category(letter) not in ("Cc", "Cf", "Mn", "Me"):
            kept.append(REPLACEMENT)
    return "".join(kept)


def width(text: str, font: str, size: float) -> float:
    """In points; the text is clean."""
    table = _WIDTHS[font]
    return sum([table[letter] for letter in text]) * size / 1000


def lines(text: str, font: str, size: float, room: float) -> tuple[str, ...]:
    """The clean text broken into lines that fit; a word that is longer than a line is cut."""
    # Long texts hardly ever come twice, and would be kept for nothing.
    return (_lines if len(text) <= _KEPT else _break)(text, font, size, room)


def _break(text: str, font: str, size: float, room: float) -> tuple[str, ...]:
    found: list[str] = []
    for paragraph in text.split("\n"):
        if width(paragraph, font, size) <= room:
            found.append(paragraph)
            continue
        line, used = "", 0.0
        blank = width(" ", font, size)
        for word in paragraph.split(" "):
            long = width(word, font, size)
            if line and used + blank + long <= room:
                line, used = f"{line} {word}", used + blank + long
                continue
            if line:
                found.append(line)
            line, used = word, long
            if long > room:
                *whole, line = _cut(word, font, size, room)
                found.extend(whole)
                used = width(line, font, size)
        found.append(line)
    return tuple(found)


_KEPT: Final = 120
_lines = lru_cache(maxsize=8192)(_break)


def _cut(word: str, font: str, size: float, room: float) -> list[str]:
    table = _WIDTHS[font]
    pieces, start, used = [], 0, 0.0
    for place, letter in enumerate(word):
        step = table[letter] * size / 1000
        if used + step > room and place > start:
            pieces.append(word[start:place])
            start, used = place, 0.0
        used += step
    return [*pieces, word[start:]]
