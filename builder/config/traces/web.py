"""Spans of requests: of the API and of webhooks, by the patterns of their addresses, never the addresses themselves:
those open doors (`/hooks/…`, `/d/…`). Pages, pictures and what load balancers ask for are not followed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeVar

from runtime.store.records import Accepted
from runtime.traces import SPAN, TRACING, Fact, OfRun, known_method, read_parent

__all__ = ["follow", "telling"]

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
R = TypeVar("R")

_HOOKS: Final = "/hooks/"
_ROUTES: Final = (
    ("/hooks/status/", "/hooks/status/{run}"),
    ("/hooks/resume/", "/hooks/resume/{link}"),
    (_HOOKS, "/hooks/{address}"),
    ("/api/", "/api"),
    ("/d/", "/d/{link}"),
)
#: Who was not let in has no say in which trace it belongs to.
_STRANGERS: Final = frozenset({401, 403, 404})


async def follow(handle: Callable[[Scope, Any, Send], Awaitable[None]], scope: Scope, receive: Any, send: Send) -> None:
    """Handle this request, and tell of it."""
    tracer, route = TRACING.tracer, _route(scope["path"])
    if tracer is None or route is None:
        await handle(scope, receive, send)
        return
    began, status = time.monotonic(), 0

    async def noting(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    if scope["path"].startswith(_HOOKS):
        try:
            await handle(scope, receive, noting)
        finally:
            _knocked(scope, route, status, began)
        return
    method = _method(scope)
    facts: dict[str, Fact] = {"http.request.method": method, "http.route": route}
    span = tracer.start(f"{method} {route}", facts, role="server", within=_sender(scope))
    before = SPAN.get()
    SPAN.set(span)
    try:
        await handle({**scope, "millrace.span": span}, receive, noting)
    finally:
        SPAN.set(before)
        if status:
            span.note({"http.response.status_code": status})
        span.end("server" if status >= 500 else None if status else "unanswered")


def telling(scope: Scope, tell: Callable[[R], None]) -> Callable[[R], None]:
    """`tell` of a webhook that is handled without a coroutine, and a span behind it."""
    route = _route(scope["path"]) or _HOOKS
    began = time.monotonic()

    def told(reply: R) -> None:
        tell(reply)
        _knocked(scope, route, getattr(reply, "status", 0), began)

    return told


def _knocked(scope: Scope, route: str, status: int, began: float) -> None:
    """A webhook was answered."""
    tracer = TRACING.tracer
    if tracer is None:
        return
    method = _method(scope)
    facts: dict[str, Fact] = {"http.request.method": method, "http.route": route}
    links = []
    accepted = scope.get("millrace.accepted")
    if isinstance(accepted, Accepted):
        facts["millrace.event.id"] = str(accepted.event_id)
        facts["millrace.event.duplicate"] = accepted.duplicate
        facts["millrace.event.conflict"] = accepted.conflict
        if accepted.run_id is not None:
            facts["millrace.run.id"] = str(accepted.run_id)
            links.append(OfRun(accepted.run_id))
    if status:
        facts["http.response.status_code"] = status
    sender = None if status in _STRANGERS else _sender(scope)
    ago = (time.monotonic() - began) * 1000
    span = tracer.start(f"{method} {route}", facts, role="server", within=sender, links=links, ago_ms=ago)
    span.end("server" if status >= 500 else None if status else "unanswered")


def _route(path: str) -> str | None:
    return next((route for prefix, route in _ROUTES if path.startswith(prefix)), None)


def _method(scope: Scope) -> str:
    return known_method(scope["method"])


def _sender(scope: Scope) -> str | None:
    found = [value for name, value in scope["headers"] if name == b"traceparent"]
    return read_parent(found[0].decode("latin-1")) if len(found) == 1 else None
