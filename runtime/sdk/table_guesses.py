"""What the bytes of a CSV file look like: its encoding, what stands between its columns, and their names."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

from charset_normalizer import from_bytes

from runtime.sdk.table_cells import TableRefused, parsed

DELIMITERS: Final = (";", "\t", "|", ",")
#: Of bytes that are no UTF-8: what offices write.
CODE_PAGES: Final = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_15")
#: By which a file may be read.
ENCODINGS: Final = frozenset(
    {"utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp850", "cp852", "mac_roman", "iso8859_1", "iso8859_2",
     "iso8859_5", "iso8859_7", "iso8859_9", *CODE_PAGES}
)  # fmt: skip
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
#: What stands in no text.
_CONTROLS: Final = frozenset({*range(9), *range(14, 32)})
_PORTION: Final = 256 * 1024
#: So many bytes around the first that is no UTF-8 tell which code page it is.
_AROUND: Final = 32 * 1024


def encoding_of(file: BinaryIO) -> str:
    """By which encoding the file is to be read. All of it is looked at, a portion at a time, for the first letter that
    is none of ASCII may stand far down. Raises TableRefused where it is no text."""
    file.seek(0)
    start = file.read(_PORTION)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if b"\0" in start:
        return _without_mark(start)
    decoder = codecs.getincrementaldecoder("utf-8")()
    portion, at = start, 0
    while True:
        try:
            decoder.decode(portion, final=not portion)
        except UnicodeDecodeError:
            file.seek(max(0, at - _AROUND))
            return _code_page(file.read(_AROUND + _PORTION))
        if not portion:
            return "utf-8"
        at += len(portion)
        portion = file.read(_PORTION)


def _without_mark(start: bytes) -> str:
    """UTF-16 that does not say so: most of its letters are of one byte, beside an empty one."""
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        low = start[1 - place :: 2]
        if len(start) > 6 and start[place::2].count(0) > len(start) // 4 and not _CONTROLS.intersection(low):
            return name
    raise TableRefused("This is neither a CSV file nor a spreadsheet.")


def _code_page(around: bytes) -> str:
    lines = around.split(b"\n")
    # Lines of plain ASCII say nothing, and too many of them drown those that do.
    telling = b"\n".join(line for line in lines if not line.isascii()) or around
    best = from_bytes(telling[:65_536], cp_isolation=list(CODE_PAGES)).best()
    if best is None:
        return "cp1252"
    # Where two code pages write the same letters alike, it is the one that more people use.
    return "cp1252" if _decoded(telling, "cp1252") == str(best) else best.encoding


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data[:65_536].decode(encoding)
    except UnicodeDecodeError:
        return None


def split(text: str, delimiter: str) -> Iterator[list[Any]]:
    """The rows of a text. Raises TableRefused."""
    return parsed(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def delimiter_of(text: str) -> str:
    """What cuts most of its lines into equally many cells."""
    scores = []
    for place, delimiter in enumerate(DELIMITERS):
        try:
            widths = Counter(len(row) for row in islice(split(text, delimiter), 100) if row)
        except TableRefused:
            continue
        if not widths:
            continue
        width, times = widths.most_common(1)[0]
        if width > 1:
            scores.append((times / sum(widths.values()), width, -place, delimiter))
    return max(scores)[3] if scores else ","


_LIKE_DATA: Final = re.compile(r"[+-]?[\d.,' \u00a0]*\d[\d.,' \u00a0%-]*|\d{1,4}([./-])\d{1,2}\1\d{1,4}")


def is_header(row: list[Any]) -> bool:
    """Whether these look like names of columns: text, none empty, none twice, none a number or date."""
    names = [cell for cell in row if isinstance(cell, str) and cell.strip()]
    plain = not any(_LIKE_DATA.fullmatch(name.strip()) for name in names)
    return len(names) == len(row) == len(set(names)) and plain


def names_of(header: list[Any], width: int) -> list[str]:
    """A name for each column, no two alike."""
    names: list[str] = []
    for place in range(width):
        cell = header[place] if place < len(header) else None
        name = base = " ".join(str(cell if cell is not None else "").split()) or f"Column {place + 1}"
        number = 1
        while name in names:
            number += 1
            name = f"{base} ({number})"
        names.append(name)
    return names
