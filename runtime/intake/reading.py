"""Reading a request's body: bounded in size, time and memory, before anything is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

__all__ = ["BODY_LIMIT", "BodyTooLarge", "BodyTooSlow", "Disconnected", "Overloaded", "ReadingRoom"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BODY_LIMIT: Final = 10 * 1024 * 1024
# A body must have arrived by then: ten bytes a second is an attack, not a network.
PATIENCE_SECONDS: Final = 25.0
# All bodies being read together; beyond it the door answers "later" instead of growing.
_MEMORY_LIMIT: Final = 256 * 1024 * 1024


class BodyTooLarge(Exception):
    """More than `BODY_LIMIT` bytes were announced or came."""


class BodyTooSlow(Exception):
    """The body did not arrive in time."""


class Disconnected(Exception):
    """The caller left."""


class Overloaded(Exception):
    """Too many bytes are being read already."""


class ReadingRoom:
    """Reads bodies, and knows how much memory all of them take."""

    def __init__(self, *, limit: int = BODY_LIMIT, patience: float = PATIENCE_SECONDS) -> None:
        self._limit = limit
        self._patience = patience
        self._held = 0

    async def read(self, receive: Receive, announced: bytes | None) -> bytes:
        """The whole body. `announced` is the Content-Length as it came."""
        if announced is not None and announced.isdigit() and (len(announced) > 12 or int(announced) > self._limit):
            raise BodyTooLarge
        try:
            async with asyncio.timeout(self._patience):
                message = await receive()
                if message["type"] != "http.request":
                    raise Disconnected
                body: bytes = message.get("body", b"")
                if not message.get("more_body", False):
                    if len(body) > self._limit:
                        raise BodyTooLarge
                    return body
                return await self._rest(receive, body)
        except TimeoutError:
            raise BodyTooSlow from None

    async def _rest(self, receive: Receive, first: bytes) -> bytes:
        parts = [first]
        size = len(first)
        held = 0
        try:
            while True:
                if size > self._limit:
                    raise BodyTooLarge
                self._held += size - held
                held = size
                if self._held > _MEMORY_LIMIT:
                    raise Overloaded
                message = await receive()
                if message["type"] != "http.request":
                    raise Disconnected
                part = message.get("body", b"")
                if part:
                    parts.append(part)
                    size += len(part)
                if not message.get("more_body", False):
                    if size > self._limit:
                        raise BodyTooLarge
                    return b"".join(parts)
        finally:
            self._held -= held
