"""Cursors of keyset pages: opaque to the reader, checked when they come back."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final, Protocol, TypeVar
from uuid import UUID

from pydantic import Field

from builder.api.operation import Query
from builder.api.problems import Refusal

MOST_ON_A_PAGE: Final = 200
Limit = Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE)]


class PageQuery(Query):
    """Which page: how many, and the cursor that the page before handed over."""

    limit: Limit = 50
    cursor: Annotated[str, Field(max_length=400)] | None = None


class HasId(Protocol):
    """What can stand on a page."""

    @property
    def id(self) -> UUID: ...


T = TypeVar("T", bound=HasId)


def page_of(rows: list[T], limit: int) -> tuple[list[T], str | None]:
    """The page of `limit` rows, and the cursor behind it; `rows` holds one more where there is one."""
    return rows[:limit], of_id(rows[limit - 1].id) if len(rows) > limit else None


def of_id(value: UUID | None) -> str | None:
    """The cursor after this id."""
    return None if value is None else base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")


def to_id(cursor: str | None) -> UUID | None:
    """The id that a cursor stands for; raises 400 for one that we never made."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise bad_cursor() from error


def bad_cursor() -> Refusal:
    """The answer to a cursor that we never made."""
    return Refusal(400, "bad_cursor", "This cursor is not one of ours. Start again from the first page.")
