"""What a file is, told by its first bytes: a name and a type are only what somebody says of it."""

from __future__ import annotations

import re
import struct
from typing import Final

__all__ = ["could_act", "picture_size", "shown_as"]

_WEBP: Final = re.compile(rb"RIFF....WEBPVP8[ LX]", re.DOTALL)
#: What browsers take for a web page by how it begins, whatever it is called.
_PAGE: Final = re.compile(
    rb"<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)(?=[\s/>]|$)",
    re.IGNORECASE,
)
#: What may stand before the first element: comments, instructions and what says of which sort it is.
_BEFORE: Final = re.compile(
    rb"(?:\s|<!--.*?-->|<\?.*?\?>|<!doctype(?!\s+(?:html|svg)\b)[^>\[]*>)*", re.DOTALL | re.IGNORECASE
)
#: A first element by which something is a page or a drawing.
_FIRST: Final = re.compile(rb"<\s*(?:!doctype|html|head|body|script|svg|iframe|object|embed)\b", re.IGNORECASE)
#: What makes a page or a drawing of a part of any XML, wherever it stands.
_WITHIN: Final = re.compile(
    rb"<\s*(?:[\w.-]+:)?(?:script|svg|iframe)\b|<\?xml-stylesheet|www\.w3\.org/(?:1999/xhtml|2000/svg)", re.IGNORECASE
)
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT: Final = 4096
#: Of a JPEG: the segments that say how large it is, and those that have no length.
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def shown_as(start: bytes) -> str:
    """The type of what a browser shows without carrying out anything in it: PDF, PNG, JPEG, GIF, WebP; else empty."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if _WEBP.match(start):
        return "image/webp"
    if start[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-"):
        return "application/pdf"
    return ""


def could_act(start: bytes) -> bool:
    """Whether the beginning of a text looks like HTML or SVG, which could carry something out where it is shown.

    A table or letter that only mentions such elements is none, nor is XML whose own elements are called like them.
    """
    head = start[:_LOOKED_AT]
    for mark in _MARKS:
        head = head.removeprefix(mark)
    # In UTF-16 every other byte is empty.
    head = head.replace(b"\0", b"").lstrip()
    if not head.startswith(b"<"):
        return False
    before = _BEFORE.match(head)
    first = head[before.end() :] if before else head
    # A comment that does not end in what was looked at hides what comes.
    if _PAGE.match(head) or _FIRST.match(first) or first.startswith(b"<!--"):
        return True
    return _WITHIN.search(head) is not None


def picture_size(start: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, from the beginning of a picture; None where it does not say them."""
    try:
        size = _size(start)
    except (struct.error, IndexError):
        return None
    return size if size is not None and size[0] > 0 and size[1] > 0 else None


def _size(start: bytes) -> tuple[int, int] | None:
    match shown_as(start):
        case "image/png":
            return struct.unpack(">II", start[16:24]) if start[12:16] == b"IHDR" else None
        case "image/gif":
            return struct.unpack("<HH", start[6:10])
        case "image/jpeg":
            return _jpeg(start)
        case "image/webp":
            return _webp(start)
        case _:
            return None


def _jpeg(start: bytes) -> tuple[int, int] | None:
    # Behind the mark that it begins with.
    at = 2
    while at + 9 < len(start):
        if start[at] != 0xFF:
            return None
        marker = start[at + 1]
        if marker == 0xFF:  # a filling byte
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker in _FRAMES:
            high, wide = struct.unpack(">HH", start[at + 5 : at + 9])
            return wide, high
        else:
            at += 2 + int.from_bytes(start[at + 2 : at + 4])
    return None


def _webp(start: bytes) -> tuple[int, int] | None:
    match start[12:16]:
        case b"VP8 ":
            wide, high = struct.unpack("<HH", start[26:30])
            return wide & 0x3FFF, high & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(start[21:25], "little")
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        case _ if len(start) >= 30:
            return 1 + int.from_bytes(start[24:27], "little"), 1 + int.from_bytes(start[27:30], "little")
        case _:
            return None
