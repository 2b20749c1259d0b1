"""What of a file can be looked at without a download: which sort it is by its bytes, and the beginning of texts."""

from __future__ import annotations

import codecs
import io
from dataclasses import replace
from itertools import islice
from typing import Final
from uuid import UUID

from runtime.api.files import file
from runtime.contracts.files import FilePreview, FileView
from runtime.sdk.file_sorts import could_act, picture_size, shown_as
from runtime.sdk.table_cells import TableRefused
from runtime.sdk.table_guesses import delimiter_of, encoding_of, is_header, split
from runtime.store import files as store
from runtime.store.artifacts import ArtifactDamaged

MOST_PICTURE_BYTES: Final = 20 * 2**20
#: What is decoded takes four bytes a pixel in the browser of whoever looks.
MOST_PIXELS: Final = 40_000_000
#: The browser has all of a PDF in memory, and draws of it what is seen.
MOST_PDF_BYTES: Final = 50 * 2**20
#: Of a JPEG so much is read for its size, behind what cameras and editors write into it.
_JPEG_BYTES: Final = 4 * 2**20
LINES: Final = 200
_COLUMNS: Final = 50
_CELL: Final = 500
_LINE: Final = 2_000
#: A text up to this size is compared with its digest before any of it is shown; of a larger one only the beginning
#: is read.
_COMPARED: Final = 16 * 2**20
#: What stands in no text: control characters without tab, line ends, form feed and escape.
_CONTROLS: Final = bytes({*range(9), 11, *range(14, 27), *range(28, 32)})
_TABLES: Final = ("text/csv", "text/tab-separated-values")
_TABLE_ENDINGS: Final = (".csv", ".tsv")


def preview_file(*, workspace_id: UUID, file_id: UUID) -> FilePreview:
    """How the file can be looked at. Raises NotFound and StoreUnavailable."""
    view = file(workspace_id=workspace_id, file_id=file_id)
    if view.size == 0:
        return FilePreview(view, "none", "empty")
    try:
        return _seen(view)
    except ArtifactDamaged:
        return FilePreview(view, "none", "damaged")


def _seen(view: FileView) -> FilePreview:
    start = _beginning(view)
    mime = shown_as(start)
    if mime == "application/pdf":
        if view.size > MOST_PDF_BYTES:
            return FilePreview(view, "none", "large", MOST_PDF_BYTES)
        return FilePreview(view, "pdf", mime=mime)
    if mime:
        return _picture(view, start, mime)
    if could_act(start):
        return FilePreview(view, "none", "active")
    found = _text(view, start)
    if found.kind != "none" and len(start) < view.size <= _COMPARED:
        for _ in store.portions(view.id, view.sha256, view.size):
            pass
    return found


def _beginning(view: FileView, least: int = 1) -> bytes:
    """The first portions, with so many bytes together where there are as many. Raises ArtifactDamaged."""
    start = bytearray()
    for portion in store.portions(view.id, view.sha256, view.size):
        start += portion
        if len(start) >= least:
            break
    return bytes(start)


def _picture(view: FileView, start: bytes, mime: str) -> FilePreview:
    if view.size > MOST_PICTURE_BYTES:
        return FilePreview(view, "none", "large", MOST_PICTURE_BYTES)
    size = picture_size(start)
    if size is None and mime == "image/jpeg" and len(start) < view.size:
        start = _beginning(view, _JPEG_BYTES)
        size = picture_size(start)
        if size is None and len(start) < view.size:
            # It may say so further down.
            return FilePreview(view, "none", "sort")
    if size is None:
        return FilePreview(view, "none", "damaged")
    if size[0] * size[1] > MOST_PIXELS:
        return FilePreview(view, "none", "pixels", MOST_PIXELS, width=size[0], height=size[1])
    return FilePreview(view, "picture", mime=mime, width=size[0], height=size[1])


def _text(view: FileView, start: bytes) -> FilePreview:
    cut = len(start) < view.size
    if cut:
        start = _whole_letters(start)
    try:
        encoding = encoding_of(io.BytesIO(start))
    except TableRefused:
        return FilePreview(view, "none", "sort")
    if not encoding.startswith("utf-16") and start.translate(None, delete=_CONTROLS) != start:
        return FilePreview(view, "none", "sort")
    # What a letter of several bytes goes on with in what was not read is left out, and then a row that goes on there.
    text = codecs.getincrementaldecoder(encoding)("replace").decode(start, final=not cut).removeprefix("\ufeff")
    if cut and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    if view.mime in _TABLES or view.name.lower().endswith(_TABLE_ENDINGS):
        return _table(view, text, cut)
    lines = list(islice(io.StringIO(text), LINES + 1))
    long = any(len(line) > _LINE for line in lines)
    shown = "\n".join(_cut(line.rstrip("\r\n"), _LINE) for line in lines[:LINES])
    return FilePreview(view, "text", text=shown, more=cut or long or len(lines) > LINES)


def _whole_letters(start: bytes) -> bytes:
    """Without the beginning of a letter of UTF-8 that it ends with; what is none of UTF-8 loses a letter at most."""
    for back in range(1, min(4, len(start) + 1)):
        byte = start[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return start if back >= length else start[:-back]
        if byte < 0x80:
            break
    return start


def _table(view: FileView, text: str, cut: bool) -> FilePreview:
    found: list[tuple[str, ...]] = []
    more = cut
    reading = split(text, delimiter_of(text))
    try:
        for row in reading:
            if not row:
                continue
            if len(found) > LINES:
                more = True
                break
            more = more or len(row) > _COLUMNS
            found.append(tuple(_cut(str(cell), _CELL) for cell in row[:_COLUMNS]))
    except TableRefused:
        # The rows before the one that cannot be read are still worth a look.
        more = True
    if not found:
        return replace(_plain(view, text), more=more)
    header = len(found) > 1 and is_header(list(found[0]))
    # So many rows below the names of the columns.
    kept = found[: LINES + 1] if header else found[:LINES]
    return FilePreview(view, "table", rows=tuple(kept), header=header, more=more or len(kept) < len(found))


def _plain(view: FileView, text: str) -> FilePreview:
    return FilePreview(view, "text", text=_cut(text, _LINE))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
