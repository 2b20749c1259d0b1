"""The entries of a list, a page at a time: for lists whose entries are known again by a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.context import Context
from runtime.sdk.sources import Page

__all__ = ["ListPages"]

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class ListPages:
    """See `sources.Source`. The cursor is the number of the first entry of the page."""

    items: tuple[JSON, ...]

    async def read_page(self, cursor: JSON, context: Context) -> Page:
        begin = cursor if isinstance(cursor, int) else 0
        end = begin + _PAGE
        places = tuple(f"number {number + 1}" for number in range(begin, min(end, len(self.items))))
        return Page(self.items[begin:end], end if end < len(self.items) else None, len(self.items), places)
