"""The company's doors: an ASGI application.

`standalone` serves the whole API on any host name. `application` stands inside Millrace: there the API answers only
to the name `practice-company`, asked for from this machine, and `/practice/` shows people the company's books.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from builder.practice import pages, service
from builder.practice.asking import Call
from builder.practice.behaviour import BehaviourRefused, from_path, join, parse
from builder.practice.company import Answer, handle, problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HOST = "practice-company"
LARGEST_BODY = 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Inside Millrace: the API for steps by name, read-only pages for people under `/practice/`."""
    if scope["type"] != "http":
        return
    host = dict(scope["headers"]).get(b"host", b"").split(b":")[0]
    client = scope.get("client") or ("", 0)
    if host == HOST.encode() and client[0] in LOOPBACK:
        await standalone(scope, receive, send)
    elif scope["method"] in ("GET", "HEAD"):
        await show_books(scope["path"].removeprefix("/practice") or "/", scope["method"], send)
    else:
        await reply(send, 405, b"These books are for reading.", "text/plain; charset=utf-8", [(b"allow", b"GET, HEAD")])


async def standalone(scope: Scope, receive: Receive, send: Send) -> None:
    """The whole company: the API, and its books at `/`."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
        await show_books("/", scope["method"], send)
        return
    body = await read_body(receive)
    if body is None:
        await reply_json(send, 413, problem("too_large", "The company reads at most 1 MiB."))
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        path, by_path = from_path(scope["path"])
        behaviour = join(by_path, parse(headers.get("x-practice-behaviour", "")))
    except BehaviourRefused as refused:
        await reply_json(send, 400, problem("bad_behaviour", str(refused)))
        return
    query = scope["query_string"].decode("latin-1")
    call = Call(scope["method"], path, query, headers, body, behaviour, int(time.time() * 1000))
    answer = await service.ledger().do(lambda database: handle(database, call))
    if answer.delay_ms:
        await asyncio.sleep(answer.delay_ms / 1000)
    if answer.cut:
        await cut(answer, receive, send)
    else:
        content = b"" if call.method == "HEAD" else None
        await reply_json(send, answer.status, answer.body, answer.headers, content)


async def show_books(path: str, method: str, send: Send) -> None:
    """The page for people."""
    if path not in ("/", ""):
        await reply(send, 404, b"There is one page here, at the top.", "text/plain; charset=utf-8")
        return
    page = (await service.ledger().do(pages.books)).encode()
    headers = [
        (b"content-security-policy", pages.POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
    ]
    await reply(send, 200, page if method == "GET" else b"", "text/html; charset=utf-8", headers, len(page))


async def read_body(receive: Receive) -> bytes | None:
    """The request's body, None where it is too large or the caller went away."""
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def cut(answer: Answer, receive: Receive, send: Send) -> None:
    """Leave the caller without an answer: the connection cut at once, or held until the caller gives up."""
    # uvicorn's `send` belongs to the object that holds the connection. Under another server the caller gets an
    # answer that breaks off, which leaves it as ignorant of the outcome.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if answer.cut != "hang":
        if transport is not None:
            transport.abort()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9999")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            return
    with contextlib.suppress(asyncio.TimeoutError):
        async with asyncio.timeout(600):
            while (await receive())["type"] != "http.disconnect":
                pass


async def reply_json(
    send: Send, status: int, body: str, headers: tuple[tuple[str, str], ...] = (), content: bytes | None = None
) -> None:
    """Send a JSON answer, unless its headers say that it is something else; `content` replaces the body that is sent,
    not its announced length."""
    whole = body.encode()
    kind = next((value for name, value in headers if name == "Content-Type"), "application/json")
    extra = [(name.lower().encode(), value.encode()) for name, value in headers if name != "Content-Type"]
    await reply(send, status, whole if content is None else content, kind, extra, len(whole))


async def reply(
    send: Send,
    status: int,
    body: bytes,
    content_type: str,
    headers: list[tuple[bytes, bytes]] | None = None,
    length: int | None = None,
) -> None:
    """Send one whole answer."""
    size = len(body) if length is None else length
    fixed = [(b"content-type", content_type.encode()), (b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})
