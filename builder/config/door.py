"""Django behind ASGI, with one hop to a thread for each request.

Every view and middleware is synchronous. Django's own ASGI handler would hop once for each middleware and give each
request a thread and a database connection of its own; here a few threads live long and keep their connections.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import IO, Any, Final

import structlog
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from builder.config.arriving import Arriving
from builder.live.threads import DatabaseThreads

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = structlog.get_logger(__name__)

MOST_BODY: Final = 6 * 1024 * 1024
PATIENCE_SECONDS: Final = 20.0
THREADS: Final = 8
#: So many files come in at a time; others wait for their turn.
UPLOADS: Final = 8
_UPLOAD: Final = re.compile(r"/api/v1/workspaces/[0-9a-fA-F-]{36}/files")


class BodyRefused(Exception):
    """The body is too large (413) or comes too slowly (408)."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Disconnected(Exception):
    """The caller went away while sending."""


class Door(BaseHandler):
    """Answers HTTP requests with Django's URLconf."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)
        self._threads = DatabaseThreads("web", THREADS)
        self._uploads = DatabaseThreads("uploads", UPLOADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises BodyRefused before anything was answered."""
        if _UPLOAD.fullmatch(scope["path"]) and scope["method"] == "POST":
            await self._take_upload(scope, receive, send)
            return
        try:
            body = await read_body(receive, most=MOST_BODY, patience=PATIENCE_SECONDS)
        except Disconnected:
            return
        # A chunked request has no length; DRF takes that for "no body".
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        scope = {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
        status, lines, content = await self._threads.run(lambda: self._respond(scope, io.BytesIO(body)))
        await send({"type": "http.response.start", "status": status, "headers": lines})
        if isinstance(content, bytes):
            await send({"type": "http.response.body", "body": content if scope["method"] != "HEAD" else b""})
            return
        # A file in portions: each is read on a thread while the one before is on its way.
        if scope["method"] != "HEAD":
            while (portion := await self._threads.run(lambda: next(content, None))) is not None:
                await send({"type": "http.response.body", "body": portion, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A file: rights are looked at before its first byte, and a thread of few reads it as it comes."""
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        if kind.strip().lower().startswith((b"multipart/", b"application/x-www-form-urlencoded")):
            # Nobody may look for a form's fields in it: of this type Django knows nothing, and the view refuses it.
            others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
            scope = {**scope, "headers": [*others, (b"content-type", b"multipart/refused")]}
        body: Any = Arriving(receive, asyncio.get_running_loop(), patience=PATIENCE_SECONDS)
        status, lines, content = await self._uploads.run(lambda: self._respond(scope, body))
        assert isinstance(content, bytes)
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": content})

    async def let_go(self) -> None:
        """Close the database connections."""
        await self._threads.let_go()
        await self._uploads.let_go()

    def _respond(self, scope: Scope, body: IO[bytes]) -> tuple[int, list[tuple[bytes, bytes]], bytes | Iterator[bytes]]:
        set_script_prefix("/")
        request = ASGIRequest(dict(scope), body)
        response: HttpResponseBase = self.get_response(request)
        if isinstance(response, StreamingHttpResponse):
            return response.status_code, _lines(response), _portions(response)
        try:
            if not isinstance(response, HttpResponse):
                raise TypeError("Views answer whole, or in portions.")
            return response.status_code, _lines(response), bytes(response.content)
        finally:
            response.close()


def _portions(response: StreamingHttpResponse) -> Iterator[bytes]:
    try:
        yield from response
    finally:
        response.close()


def _lines(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    lines = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    lines += [(b"set-cookie", cookie.output(header="").strip().encode("ascii")) for cookie in response.cookies.values()]
    if isinstance(response, HttpResponse) and not any(name == b"content-length" for name, _ in lines):
        lines.append((b"content-length", str(len(response.content)).encode()))
    return lines


async def read_body(receive: Receive, *, most: int, patience: float) -> bytes:
    """The whole body, within a size and a time. Raises BodyRefused, Disconnected."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(patience):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                part = message.get("body", b"")
                size += len(part)
                if size > most:
                    raise BodyRefused(413)
                if part:
                    parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        raise BodyRefused(408) from None
