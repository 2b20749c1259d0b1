"""Unpacking what was packed for the way: gzip and deflate, piece by piece, whole or not at all."""

from __future__ import annotations

import zlib
from typing import Final

_GZIP: Final = zlib.MAX_WBITS | 16
_ZLIB: Final = zlib.MAX_WBITS
#: Without the two bytes in front that say what it is; some servers send "deflate" so.
_BARE: Final = -zlib.MAX_WBITS
#: A file may be packed in parts; more than this many are an attack on the reader.
_MOST_PARTS: Final = 10_000


class PackingError(ValueError):
    """It cannot be unpacked. ``code``: unknown, damaged, cut_off or too_big; the message follows a subject."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def codings(content_encoding: str) -> list[str]:
    """The names in a Content-Encoding header that mean anything."""
    names = (name.strip().lower() for name in content_encoding.split(","))
    return [name for name in names if name not in ("", "identity")]


class Unpacker:
    """Feed it the pieces of a body, then ``finish``. Nothing fed at all is an empty body, packed or not."""

    def __init__(self, content_encoding: str, most: int) -> None:
        """``most``: bytes that may come out in all. Raises PackingError where the encoding is not understood."""
        names = codings(content_encoding)
        if len(names) > 1 or (names and names[0] not in ("gzip", "x-gzip", "deflate")):
            raise PackingError("unknown", f"is packed as “{', '.join(names)[:60]}”, which is not understood here")
        self._packed = bool(names)
        self._deflate = names == ["deflate"]
        self._left = most
        self._parts = 0
        self._waiting = b""
        self._inflate: zlib._Decompress | None = None
        self._fed = False

    def feed(self, piece: bytes) -> bytes:
        """What this piece adds. Raises PackingError."""
        if not self._packed:
            return self._counted(piece)
        self._fed = self._fed or bool(piece)
        piece = self._waiting + piece
        self._waiting = b""
        out: list[bytes] = []
        while piece:
            if self._inflate is None:
                if self._parts:
                    # Between the parts of a gzip file there may be padding, and nothing else.
                    piece = piece.lstrip(b"\0")
                if not piece or not self._begin(piece):
                    break
            piece = self._step(piece, out)
        return b"".join(out)

    def finish(self) -> None:
        """Raise PackingError where the end is missing."""
        if self._packed and self._fed and (self._inflate is not None or self._waiting):
            raise PackingError("cut_off", "was cut off on its way")

    def _begin(self, piece: bytes) -> bool:
        if len(piece) < 2:
            self._waiting = piece
            return False
        self._parts += 1
        if self._parts > (1 if self._deflate else _MOST_PARTS):
            raise PackingError("damaged", "is damaged: something follows its end")
        bits = _GZIP
        if self._deflate:
            headed = piece[0] & 15 == 8 and (piece[0] << 8 | piece[1]) % 31 == 0
            bits = _ZLIB if headed else _BARE
        self._inflate = zlib.decompressobj(bits)
        return True

    def _step(self, piece: bytes, out: list[bytes]) -> bytes:
        assert self._inflate is not None
        try:
            out.append(self._counted(self._inflate.decompress(piece, self._left + 1)))
        except zlib.error:
            raise PackingError("damaged", "is damaged") from None
        if not self._inflate.eof:
            return b""
        rest = self._inflate.unused_data
        self._inflate = None
        return rest

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise PackingError("too_big", "is too big")
        return piece
