"""Connections kept open between requests, by where they lead.

The library's own pool looks through all its connections at the beginning and the end of each request: with a hundred
of them that costs as much as the request. Here a connection is out with one request, or lies on the stack of its
place; the one used last is taken first, so that few stay warm and the others run out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterable
from typing import TypeAlias

import httpcore2

__all__ = ["Pool"]

logger = logging.getLogger("millrace.egress")

Place: TypeAlias = tuple[bytes, bytes, int]


class Pool:
    """For one event loop.

    most         connections at the same time; a request beyond that waits for its `pool` time-out, then PoolTimeout.
    most_idle    connections kept open, to all places together.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext,
        network: httpcore2.AsyncNetworkBackend,
        most: int,
        most_idle: int,
        keep_alive_seconds: float,
    ) -> None:
        self._tls = tls
        self._network = network
        self._most_idle = most_idle
        self._keep_alive_seconds = keep_alive_seconds
        self._room = asyncio.Semaphore(most)
        # All idle connections, the one that runs out first in front; and the same by place, the newest last.
        self._idle: OrderedDict[httpcore2.AsyncHTTPConnection, Place] = OrderedDict()
        self._stacks: dict[Place, deque[httpcore2.AsyncHTTPConnection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._closings: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def idle(self) -> int:
        """How many connections are kept open."""
        return len(self._idle)

    @contextlib.asynccontextmanager
    async def exchange(self, request: httpcore2.Request) -> AsyncIterator[httpcore2.Response]:
        """Send the request; the answer's body is read inside the block. Raises what the library raises."""
        await self._enter(request)
        try:
            origin = request.url.origin
            place = (origin.scheme, origin.host, origin.port)
            connection = self._take(place, origin)
            try:
                response = await connection.handle_async_request(request)
                try:
                    yield response
                finally:
                    await response.aclose()
            finally:
                self._give_back(place, connection)
        finally:
            self._room.release()

    async def aclose(self) -> None:
        """Close what is idle; what is under way is closed when it ends."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        idle = list(self._idle)
        self._idle.clear()
        self._stacks.clear()
        await _close(idle)
        if self._closings:
            await asyncio.wait(self._closings, timeout=1)

    async def _enter(self, request: httpcore2.Request) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._room.acquire()
        except TimeoutError as error:
            raise httpcore2.PoolTimeout(str(error)) from error

    def _take(self, place: Place, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection:
        worn: list[httpcore2.AsyncHTTPConnection] = []
        found: httpcore2.AsyncHTTPConnection | None = None
        stack = self._stacks.get(place)
        while stack and found is None:
            connection = stack.pop()
            del self._idle[connection]
            if connection.has_expired():
                worn.append(connection)
            else:
                found = connection
        if stack is not None and not stack:
            del self._stacks[place]
        self._discard(worn)
        return found or httpcore2.AsyncHTTPConnection(
            origin,
            ssl_context=self._tls,
            keepalive_expiry=self._keep_alive_seconds,
            network_backend=self._network,
        )

    def _give_back(self, place: Place, connection: httpcore2.AsyncHTTPConnection) -> None:
        if connection.is_closed():
            return
        if not connection.is_idle() or self._closed:
            self._discard([connection])
            return
        self._idle[connection] = place
        self._stacks.setdefault(place, deque()).append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._keep_alive_seconds + 0.5, self._sweep_up)
        self._discard(self._worn())

    def _worn(self) -> list[httpcore2.AsyncHTTPConnection]:
        """Take out what has run out, and the oldest of what is too many: they are no longer anybody's."""
        worn = []
        while self._idle:
            connection, place = next(iter(self._idle.items()))
            if len(self._idle) <= self._most_idle and not connection.has_expired():
                break
            del self._idle[connection]
            stack = self._stacks[place]
            stack.remove(connection)
            if not stack:
                del self._stacks[place]
            worn.append(connection)
        return worn

    def _sweep_up(self) -> None:
        """Also where no request comes any more: an idle connection is not kept beyond its time."""
        self._sweep = None
        self._discard(self._worn())
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(self._keep_alive_seconds + 0.5, self._sweep_up)

    def _discard(self, connections: list[httpcore2.AsyncHTTPConnection]) -> None:
        """Close these, beside the request that is under way: cancelling that must not leave one of them open."""
        if not connections:
            return
        task = asyncio.get_running_loop().create_task(_close(connections))
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)


async def _close(connections: Iterable[httpcore2.AsyncHTTPConnection]) -> None:
    """Close them; what another side makes of that is nothing to the request that is under way."""
    for connection in connections:
        try:
            await connection.aclose()
        except Exception as error:
            logger.debug("A connection did not close well: %s", error)
