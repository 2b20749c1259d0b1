"""HTTP header names and values that may be sent."""

from __future__ import annotations

from collections.abc import Collection

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
