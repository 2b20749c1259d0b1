"""HTTP header names and values that may be sent."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

#: What a workflow's answer to a webhook may carry; the door drops all else but headers of the workflow's own (X-…). No
#: cookie, no redirect policy, nothing that belongs to one connection.
ANSWER_HEADERS: Final = frozenset(
    (
        "content-type",
        "content-language",
        "content-disposition",
        "location",
        "retry-after",
        "etag",
        "last-modified",
        "link",
    )
)
_OWN_HEADER: Final = re.compile(r"x-[a-z0-9-]{1,60}\Z")
_NOT_ONES_OWN: Final = frozenset(
    ("x-frame-options", "x-content-type-options", "x-accel-redirect", "x-sendfile", "x-xss-protection")
)

_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~")


def check_header(name: str, value: str, refused: Collection[str] = ()) -> None:
    """Raise ValueError with a sentence when this header cannot be sent as it is."""
    if not name or not set(name) <= _TOKEN:
        raise ValueError(f"“{name[:60]}” is not a header name")
    if name.lower() in refused:
        raise ValueError(f"The header “{name}” is set by the server and cannot be set here")
    if any((ord(character) < 32 and character != "\t") or ord(character) == 127 for character in value):
        raise ValueError(f"The value of the header “{name}” has a line break or another control character in it")
    if not value.isascii():
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise ValueError(f"The value of the header “{name}” has characters that headers cannot carry") from None


def reaches_sender(name: str) -> bool:
    """Whether a header of a workflow's answer leaves with it."""
    lowered = name.lower()
    return lowered in ANSWER_HEADERS or (_OWN_HEADER.match(lowered) is not None and lowered not in _NOT_ONES_OWN)
