"""Lists that are read a page at a time: what a source is, for steps that do something for each of its entries.

A source is one file that has `read_page`; what was read, and where to go on, is kept by the interpreter together with
the runs that it begins for the entries. So a source remembers nothing between two pages but its cursor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from runtime.engine.jsonprofile import JSON
from runtime.sdk.context import Context

Policy: TypeAlias = Literal["skip", "fail", "do"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `next`: the cursor of the one behind it, any JSON; None where this was the last. `total`: how many
    entries there are on all pages together, where the source says so. `places`: of each entry, where people find it,
    such as "row 12"; empty: they know it by page and number."""

    items: tuple[JSON, ...]
    next: JSON
    total: int | None = None
    places: tuple[str, ...] = ()


class Source(Protocol):
    """Where entries come from, page by page."""

    async def read_page(self, cursor: JSON, context: Context) -> Page:
        """The page at this cursor; None is the first. Reads only, and may be asked for the same page again. Raises
        RetryableError and PermanentError."""
        ...


@dataclass(frozen=True, slots=True)
class Paged:
    """How a source is read. One page more than `most_pages`, or one entry more than `most_items`, fails the step once
    what was begun has ended. `keyed`: an entry is known again, by what stands in it under `key_column`, or where no
    column is named by what the step's setting `item_key` gives; `twice` says what becomes of one that comes again in
    this list, and `done_before` of one that an earlier run of the workflow has done in this step: it is passed over
    (`skip`), fails the step (`fail`), or is done (`do`). `total_with_twice`: the source's total counts also those that
    are passed over. `percent`: so many of a hundred may fail, in place of the step's `may_fail`, once the total is
    known."""

    source: Source
    most_pages: int = 1_000
    most_items: int = 10_000
    keyed: bool = False
    twice: Policy = "skip"
    done_before: Policy = "do"
    key_column: str = ""
    total_with_twice: bool = False
    percent: int | None = None
