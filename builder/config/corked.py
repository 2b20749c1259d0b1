"""One write to the socket for each answer, where the server would make two: head and body go together."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HttpProtocol"]

#: Beyond this the socket's own flow control must have its say.
_MOST_HELD: Final = 64 * 1024


class _Corked:
    """A transport that holds back what is written until this turn of the loop is over; the rest passes through."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send soon, in order."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > _MOST_HELD:
            self.flush()

    def close(self) -> None:
        """Send what is held, then close."""
        self.flush()
        self.transport.close()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held, self._size = self._held, [], 0
            self.transport.write(b"".join(held))


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's own, over a transport that holds writes together."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _Corked(transport, self.loop)))

    def handle_websocket_upgrade(self) -> None:
        """A socket gets the transport itself."""
        corked = cast(_Corked, self.transport)
        corked.flush()
        self.transport = corked.transport
        super().handle_websocket_upgrade()
