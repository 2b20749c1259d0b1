"""Messages between the process that wants a document and the one that draws it: a JSON head and portions of bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

__all__ = ["Door", "receive", "send"]

Door: TypeAlias = "Connection[Any, Any]"


def send(to: Door, head: dict[str, Any], portions: Sequence[bytes] = ()) -> None:
    """Write one message. Raises OSError."""
    to.send_bytes(json.dumps({**head, "portions": len(portions)}).encode())
    for portion in portions:
        to.send_bytes(portion)


def receive(source: Door) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message. Raises EOFError where the other side has gone, OSError."""
    head: dict[str, Any] = json.loads(source.recv_bytes())
    return head, [source.recv_bytes() for _ in range(head.pop("portions"))]
