"""Opaque cursors: ids sort by time, so the last id of a page is where the next one begins."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from runtime.contracts import RuntimeRefused

MOST = 200


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


def page_size(limit: int) -> int:
    """The limit within bounds."""
    return max(1, min(limit, MOST))
