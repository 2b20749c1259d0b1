"""Reading a request's body: bounded in size, time and memory, before anything is done with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

__all__ = ["BODY_LIMIT", "BodyTooLarge", "BodyTooSlow", "Disconnected", "Overloaded", "ReadingRoom", "Seat"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BODY_LIMIT: Final = 10 * 1024 * 1024
# A body must have arrived by then: ten bytes a second is an attack, not a network.
PATIENCE_SECONDS: Final = 25.0
_LOOK_SECONDS: Final = 0.25
# All bodies being read, looked at or waiting for their commit; beyond it the door answers "later" instead of growing.
_MEMORY_LIMIT: Final = 256 * 1024 * 1024
# The beginning of each body is not counted: small deliveries are let in however many large ones are worked on.
_FREE_BYTES: Final = 64 * 1024


class BodyTooLarge(Exception):
    """More than `BODY_LIMIT` bytes were announced or came."""


class BodyTooSlow(Exception):
    """The body did not arrive in time."""


class Disconnected(Exception):
    """The caller left."""


class Overloaded(Exception):
    """Too many bytes are being worked on already."""


class ReadingRoom:
    """Reads bodies, and knows how much memory all of them take until they are let go.

    limit      the most bytes of one body; patience is the most seconds that it may take to arrive.
    memory     the most bytes of all large bodies together.
    """

    def __init__(
        self, *, limit: int = BODY_LIMIT, patience: float = PATIENCE_SECONDS, memory: int = _MEMORY_LIMIT
    ) -> None:
        self.limit = limit
        self.patience = patience
        self.memory = memory
        #: Bytes in the room.
        self.held = 0
        self._readers: dict[asyncio.Task[object], float] = {}
        self._overdue: set[asyncio.Task[object]] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def seat(self) -> Seat:
        """A place for one request. Whoever takes it calls `leave` once the body is stored and dropped."""
        return Seat(self)

    # One watch for all readers looks after them a few times a second: a timer for each request costs more than reading
    # most bodies, which are here already.

    def enter(self, reader: asyncio.Task[object]) -> None:
        """From now on the reader is cancelled where its body does not come in time; then `was_late` says so."""
        loop = reader.get_loop()
        if loop is not self._loop:
            # A watch ends with its loop.
            self._loop, self._watch = loop, None
            self._readers.clear()
        self._readers[reader] = time.monotonic() + self.patience
        if self._watch is None:
            self._watch_again(loop)

    def was_late(self, reader: asyncio.Task[object]) -> bool:
        """Whether the reader was cancelled for being late; asked once, by the reader, when it is cancelled."""
        if reader not in self._overdue:
            return False
        self._overdue.discard(reader)
        # Somebody else may want it to end besides.
        return reader.uncancel() == 0

    def leave(self, reader: asyncio.Task[object]) -> None:
        """The reader has its body, or gave up."""
        self._readers.pop(reader, None)

    def _watch_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch = loop.call_later(min(_LOOK_SECONDS, self.patience), self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        self._watch = None
        now = time.monotonic()
        for reader in [reader for reader, until in self._readers.items() if until <= now]:
            del self._readers[reader]
            self._overdue.add(reader)
            reader.cancel()
        if self._readers:
            self._watch_again(loop)


class Seat:
    """One request's share of the room's memory."""

    __slots__ = ("_held", "_room", "_size")

    def __init__(self, room: ReadingRoom) -> None:
        self._room = room
        self._size = 0
        self._held = 0

    def leave(self) -> None:
        """Give back what this request took. The body must be dropped by then. Idempotent."""
        self._room.held -= self._held
        self._held = 0

    async def read(self, receive: Receive, announced: bytes | None) -> bytes:
        """The whole body. `announced` is the Content-Length as it came.

        Raises BodyTooLarge, BodyTooSlow, Overloaded, Disconnected.
        """
        room = self._room
        if announced is not None and announced.isdigit() and (len(announced) > 12 or int(announced) > room.limit):
            raise BodyTooLarge
        reader = asyncio.current_task()
        assert reader is not None
        room.enter(reader)
        try:
            message = await receive()
            if message["type"] != "http.request":
                raise Disconnected
            body: bytes = message.get("body", b"")
            self._take(len(body))
            return await self._rest(receive, body) if message.get("more_body", False) else body
        except asyncio.CancelledError:
            if room.was_late(reader):
                raise BodyTooSlow from None
            raise
        finally:
            room.leave(reader)

    async def _rest(self, receive: Receive, first: bytes) -> bytes:
        parts = [first]
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Disconnected
            part = message.get("body", b"")
            if part:
                self._take(len(part))
                parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    def _take(self, size: int) -> None:
        room = self._room
        self._size += size
        if self._size > room.limit:
            raise BodyTooLarge
        if self._size > _FREE_BYTES:
            room.held += self._size - self._held
            self._held = self._size
            if room.held > room.memory:
                raise Overloaded
