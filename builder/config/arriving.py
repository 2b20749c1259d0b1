"""A request's body as a file that a thread reads while it comes: at no time more of it is here than one message."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Arriving(io.RawIOBase):
    """`read` waits for the next message on the loop. Raises TimeoutError where none comes within `patience` seconds,
    and ConnectionError where the caller went away."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop, *, patience: float) -> None:
        super().__init__()
        self._receive = receive
        self._loop = loop
        self._patience = patience
        self._held = memoryview(b"")
        self._over = False

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """At most so many bytes, none at the end; without a size: all that is still to come."""
        if size is None or size < 0:
            parts = []
            while part := self.read(io.DEFAULT_BUFFER_SIZE):
                parts.append(part)
            return b"".join(parts)
        while not self._held and not self._over:
            message = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            if message["type"] == "http.disconnect":
                raise ConnectionError("the caller went away")
            self._held = memoryview(message.get("body", b""))
            self._over = not message.get("more_body", False)
        found, self._held = bytes(self._held[:size]), self._held[size:]
        return found

    async def _next(self) -> MutableMapping[str, Any]:
        async with asyncio.timeout(self._patience):
            return await self._receive()
