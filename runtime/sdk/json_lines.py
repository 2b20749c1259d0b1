"""Lists in files: one entry of JSON a line, written by steps whose results are too long for data; read page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from runtime.engine.jsonprofile import JSON, JSONRefused, dumps_bytes, loads
from runtime.sdk.context import Context
from runtime.sdk.errors import PermanentError
from runtime.sdk.files import is_file
from runtime.sdk.sources import Page

__all__ = ["LINES", "LinePages", "each_line", "is_lines", "lines_of"]

#: The type of such files.
LINES: Final = "application/x-ndjson"
PAGE_LINES: Final = 500
_PORTION: Final = 256 * 1024
_LONGEST: Final = 16 * 2**20


def is_lines(value: object) -> bool:
    """Whether it is a reference to such a file."""
    return is_file(value) and isinstance(value, dict) and value["mime"] == LINES


def lines_of(entries: Iterable[JSON]) -> Iterator[bytes]:
    """The file's bytes, in portions."""
    held = bytearray()
    for entry in entries:
        held += dumps_bytes(entry) + b"\n"
        if len(held) >= _PORTION:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def each_line(file: BinaryIO) -> Iterator[JSON]:
    """The entries from where the file stands. Raises PermanentError."""
    while line := file.readline(_LONGEST):
        try:
            yield loads(line)
        except JSONRefused as refused:
            raise PermanentError(
                "The file cannot be read as a list",
                "Every line has to be JSON by itself, and one is not. Use the file as the step gave it.",
                "not_lines",
                detail=str(refused),
            ) from refused


@dataclass(frozen=True, slots=True)
class LinePages:
    """See `sources.Source`."""

    file: Any
    most_rows: int = 10_000

    async def read_page(self, cursor: JSON, context: Context) -> Page:
        return await asyncio.to_thread(self._read, await context.files.reading(self.file), cursor)

    def _read(self, file: BinaryIO, cursor: Any) -> Page:
        with closing(file):
            if cursor is None:
                cursor = {"file": self.file["sha256"], "at": 0, "before": 0, "total": sum(1 for _ in file)}
                self._check(cursor["total"])
            if cursor["file"] != self.file["sha256"]:
                raise PermanentError(
                    "It is not the same file as before",
                    "Some entries of another file are done already. Start a new run for this one.",
                    "file_changed",
                )
            file.seek(cursor["at"])
            found: list[JSON] = []
            for entry in each_line(file):
                found.append(entry)
                if len(found) == PAGE_LINES:
                    break
            before, total = cursor["before"] + len(found), cursor["total"]
            following: JSON = {"file": cursor["file"], "at": file.tell(), "before": before, "total": total}
        places = tuple(f"line {number}" for number in range(cursor["before"] + 1, before + 1))
        return Page(tuple(found), None if before >= total or not found else following, total, places)

    def _check(self, total: int) -> None:
        if total > self.most_rows:
            raise PermanentError(
                "The list is too long",
                f"It has {total:,} entries, and this step takes at most {self.most_rows:,}. Allow more, or split it.",
                "too_many_items",
            )
