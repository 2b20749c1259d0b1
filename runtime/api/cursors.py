"""Opaque cursors: ids sort by time, so the last id of a page is where the next one begins."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from runtime.contracts import RuntimeRefused

MOST = 200
_MOST_NUMBER = 2**31 - 1


class BadCursor(RuntimeRefused):
    """The cursor was not made by us."""

    code = "bad_cursor"


def encode(last: UUID) -> str:
    """The cursor behind this object."""
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def decode(cursor: str | None) -> UUID | None:
    """The id a cursor stands for. Raises BadCursor."""
    if not cursor:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise BadCursor("This page marker is not one of ours. Start again from the first page.") from None


def encode_number(last: int) -> str:
    """The cursor behind a numbered object."""
    return encode(UUID(int=last))


def decode_number(cursor: str | None) -> int | None:
    """The number a cursor stands for. Raises BadCursor."""
    found = decode(cursor)
    # No number is larger; a larger one is the id of something else.
    return None if found is None else min(found.int, _MOST_NUMBER)


def encode_marker(mark: int, last: UUID) -> str:
    """The cursor behind an object in a list that is sorted by a number."""
    return base64.urlsafe_b64encode(mark.to_bytes(8, signed=True) + last.bytes).decode().rstrip("=")


def decode_marker(cursor: str | None) -> tuple[int, UUID] | None:
    """The number and the id that a cursor stands for. Raises BadCursor."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        if len(raw) != 24:
            raise ValueError
        return int.from_bytes(raw[:8], signed=True), UUID(bytes=raw[8:])
    except (ValueError, binascii.Error):
        raise BadCursor("This page marker is not one of ours. Start again from the first page.") from None


def page_size(limit: int) -> int:
    """The limit within bounds."""
    return max(1, min(limit, MOST))
