"""uvicorn's HTTP protocol with two short ways for what comes thousands of times a second.

Each answer is one write to the socket, where uvicorn makes two. And a request that came whole is offered to the
application as a function call first (`at_once`): most webhooks need no task and no ASGI messages of their own.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

__all__ = ["HttpProtocol", "Reply"]


class Reply(Protocol):
    """An answer: every part of it must be fit to be sent as it is."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]: ...

    @property
    def body(self) -> bytes: ...


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

    def write_whole(self, data: bytes) -> None:
        """Send what is complete: nothing is worth waiting for."""
        self.flush()
        self.transport.write(data)

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
    """uvicorn's own, over a transport that holds writes together, and with the short way in."""

    # The request whose head is here and whose body is not, if it may go the short way.
    _beginning: tuple[RequestResponseCycle, Any] | None = None
    # Whether data is being taken in: only then somebody comes by again to begin with what did not come whole.
    _receiving = False
    # Since when nothing is under way; 0 while something is.
    _idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _Corked(transport, self.loop)))

    def handle_websocket_upgrade(self) -> None:
        """A socket gets the transport itself."""
        corked = cast(_Corked, self.transport)
        corked.flush()
        self.transport = corked.transport
        super().handle_websocket_upgrade()

    def _unset_keepalive_if_required(self) -> None:
        # One timer a connection looks how long it has been idle: one for each request costs more than many answers.
        self._idle_since = 0.0

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that has been idle for long, or look again when it may have been."""
        self.timeout_keep_alive_task = None
        if not self._idle_since or self.transport.is_closing():
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)

    def on_response_complete(self) -> None:
        """An answer was sent: begin with the next request that waits, or be idle."""
        if self.pipeline:
            super().on_response_complete()
            return
        if self.timeout_keep_alive_task is None:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            if not self.transport.is_closing():
                self.flow.resume_reading()
        self._idle_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller left, or was shown out."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def data_received(self, data: bytes) -> None:
        """Parse; a body that did not come whole goes the long way."""
        self._receiving = True
        try:
            super().data_received(data)
        finally:
            self._receiving = False
        self._begin()

    def on_message_begin(self) -> None:
        """A request begins, perhaps behind one that was answered this moment."""
        self._idle_since = 0.0
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The request is here as a whole."""
        super().on_message_complete()
        if self._beginning is None:
            return
        cycle, app = self._beginning
        if not cycle.more_body:
            self._beginning = None
            if app.at_once(cycle.scope, bytes(cycle.body), _Answering(cycle)):
                # A caller may be held for long.
                cycle.body = bytearray()
            else:
                super()._start_asgi_task(cycle, app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        short = (
            self._receiving
            and cycle.more_body
            # Who does not read its answers waits for room before more are made.
            and not self.flow.write_paused
            and not cycle.waiting_for_100_continue
            and cycle.scope["method"] != "HEAD"
            and hasattr(app, "at_once")
        )
        if short:
            self._beginning = (cycle, app)
        else:
            super()._start_asgi_task(cycle, app)

    def _begin(self) -> None:
        if self._beginning is not None:
            cycle, app = self._beginning
            self._beginning = None
            super()._start_asgi_task(cycle, app)


class _Answering:
    """Answers a request that went the short way."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def __call__(self, reply: Reply) -> None:
        cycle = self._cycle
        if cycle.response_complete:
            return
        cycle.response_started = cycle.response_complete = True
        if not cycle.disconnected:
            parts = [STATUS_LINE[reply.status]]
            for name, value in (*cycle.default_headers, *reply.headers):
                parts += (name, b": ", value, b"\r\n")
            parts += (b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n", reply.body)
            cast(_Corked, cycle.transport).write_whole(b"".join(parts))
            if not cycle.keep_alive:
                cycle.transport.close()
            cycle.on_response()
        cycle.on_response = lambda: None
