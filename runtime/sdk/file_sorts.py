"""What a file is, told by its first bytes: a name and a type are only what somebody says of it."""

from __future__ import annotations

import re
import struct
from typing import Final

__all__ = ["could_act", "picture_size", "shown_as"]

_WEBP: Final = re.compile(rb"RIFF....WEBPVP8[ LX]", re.DOTALL)
#: What a browser might run or fetch something for, wherever in the beginning it stands.
_ACTIVE: Final = re.compile(rb"<\s*(?:!doctype\s+html|html|head|body|script|svg|iframe|object|embed)\b", re.IGNORECASE)
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
    """Whether the beginning of a text looks like HTML or SVG, which could carry something out where it is shown."""
    head = start[:_LOOKED_AT]
    # In UTF-16 every other byte is empty.
    return _ACTIVE.search(head.replace(b"\0", b"")) is not None


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
