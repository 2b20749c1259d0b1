"""Messages between the process that wants a document and the one that draws it: a JSON head and portions of bytes."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["Closed", "receive", "send"]

_LENGTH: Final = struct.Struct(">I")
#: Bytes of one message; what is longer was not written by `send`.
_MOST: Final = 256 * 1024 * 1024


class Closed(Exception):
    """The other side is not there any more, or speaks another language."""


def send(to: socket.socket, head: dict[str, Any], portions: Sequence[bytes] = ()) -> None:
    """Write one message. Raises OSError, TimeoutError."""
    told = json.dumps({**head, "sizes": [len(portion) for portion in portions]}).encode()
    to.sendall(b"".join((_LENGTH.pack(len(told)), told, *portions)))


def receive(source: socket.socket) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message. Raises Closed, OSError, TimeoutError."""
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size))
    head: dict[str, Any] = json.loads(_exactly(source, length))
    return head, [_exactly(source, size) for size in head.pop("sizes")]


def _exactly(source: socket.socket, size: int) -> bytes:
    if size > _MOST:
        raise Closed
    held = bytearray()
    while len(held) < size:
        portion = source.recv(min(size - len(held), 1024 * 1024))
        if not portion:
            raise Closed
        held += portion
    return bytes(held)
