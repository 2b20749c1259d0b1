"""Connections kept open between requests, by where they lead.

The library's own pool looks through all its connections at the beginning and the end of each request: with a hundred
of them that costs as much as the request. Here a connection is out with one request, or lies on the stack of its
place; the one used last is taken first, so that few stay warm and the others run out.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator
from typing import TypeAlias

import httpcore2

__all__ = ["Pool"]

Place: TypeAlias = tuple[bytes, bytes, int]


class Pool:
    """For one event loop.

    most         connections at the same time; a request beyond that waits for its `pool` time-out, then PoolTimeout.
    most_idle    connections kept open to one place.
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
        self._idle: dict[Place, deque[httpcore2.AsyncHTTPConnection]] = {}
        self._closed = False

    @contextlib.asynccontextmanager
    async def exchange(self, request: httpcore2.Request) -> AsyncIterator[httpcore2.Response]:
        """Send the request; the answer's body is read inside the block. Raises what the library raises."""
        await self._enter(request)
        try:
            origin = request.url.origin
            place = (origin.scheme, origin.host, origin.port)
            connection = await self._take(place, origin)
            try:
                response = await connection.handle_async_request(request)
                try:
                    yield response
                finally:
                    await response.aclose()
            finally:
                await self._give_back(place, connection)
        finally:
            self._room.release()

    async def aclose(self) -> None:
        """Close what is idle; what is under way is closed when it ends."""
        self._closed = True
        for stack in self._idle.values():
            while stack:
                await stack.pop().aclose()
        self._idle.clear()

    async def _enter(self, request: httpcore2.Request) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._room.acquire()
        except TimeoutError as error:
            raise httpcore2.PoolTimeout(str(error)) from error

    async def _take(self, place: Place, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection:
        stack = self._idle.get(place)
        while stack:
            connection = stack.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore2.AsyncHTTPConnection(
            origin,
            ssl_context=self._tls,
            keepalive_expiry=self._keep_alive_seconds,
            network_backend=self._network,
        )

    async def _give_back(self, place: Place, connection: httpcore2.AsyncHTTPConnection) -> None:
        if connection.is_closed() or not connection.is_idle() or self._closed:
            await connection.aclose()
            return
        stack = self._idle.setdefault(place, deque())
        stack.append(connection)
        while stack and (len(stack) > self._most_idle or stack[0].has_expired()):
            await stack.popleft().aclose()
        if not stack:
            self._idle.pop(place, None)
