"""The rows of a list that was reviewed and released, a page at a time, in the order in which they were prepared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from runtime.engine.jsonprofile import JSON
from runtime.sdk.context import Context
from runtime.sdk.errors import PermanentError
from runtime.sdk.reviews import reviewed
from runtime.sdk.sources import Page

__all__ = ["ReviewPages", "review_pages"]

PAGE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class ReviewPages:
    """See `sources.Source`. What was released never changes, so the number of the last row says where to go on."""

    review: UUID
    which: str
    most_rows: int = 10_000

    async def read_page(self, cursor: JSON, context: Context) -> Page:
        after: Any = -1 if cursor is None else cursor
        found, total = await context.reviews.rows(self.review, self.which, after=after, most=PAGE_ROWS + 1)
        if total > self.most_rows:
            raise PermanentError(
                "The list is too long",
                f"These are {total:,} rows, and this step takes at most {self.most_rows:,}. Allow more.",
                "too_many_items",
            )
        shown = found[:PAGE_ROWS]
        return Page(
            tuple(row for _, row in shown),
            shown[-1][0] if len(found) > PAGE_ROWS else None,
            total,
            tuple(f"row {number + 1}" for number, _ in shown),
        )


def review_pages(value: JSON, *, most: int) -> ReviewPages:
    """What reads the rows that this value means. Raises PermanentError where it means none."""
    found = reviewed(value)
    if found is None:
        raise PermanentError(
            "These are no reviewed rows",
            "Choose “accepted” of a step “Review a list”.",
            "not_reviewed",
        )
    return ReviewPages(*found, most_rows=most)
