"""Spans of requests: of the API and of webhooks, by the patterns of their addresses, never the addresses themselves:
those open doors (`/hooks/…`, `/d/…`). Pages, pictures and what load balancers ask for are not followed.

Whose trace a request belongs to is for those to say who are known: whoever is signed in or has a token, and a sender
of webhooks that has proved itself. What anybody else says of it is passed over."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeVar

from runtime.store.records import Accepted
from runtime.traces import SPAN, TRACING, Fact, OfRun, Span, Tracer, known_method, read_parent

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


class _Asked:
    """The span of a request of the API. It begins as soon as it is known who asks, at the latest when something is to
    be told by it: then without the caller's word."""

    __slots__ = ("_began", "_facts", "_name", "_sender", "_span", "_tracer")

    def __init__(self, tracer: Tracer, name: str, facts: dict[str, Fact], sender: str | None) -> None:
        self._tracer = tracer
        self._name = name
        self._facts = facts
        self._sender = sender
        self._began = time.monotonic()
        self._span: Span | None = None

    def known(self) -> None:
        """It is known who asks: what they say of their trace counts from here."""
        if self._span is None:
            self._begin(self._sender)

    @property
    def span(self) -> Span:
        return self._begin(None) if self._span is None else self._span

    @property
    def trace_id(self) -> str:
        return self.span.trace_id

    @property
    def header(self) -> str:
        return self.span.header

    def rename(self, name: str) -> None:
        self.span.rename(name)

    def note(self, facts: Mapping[str, Fact]) -> None:
        self.span.note(facts)

    def end(self, error: str | None = None) -> None:
        self.span.end(error)

    def _begin(self, sender: str | None) -> Span:
        ago = (time.monotonic() - self._began) * 1000
        self._span = self._tracer.start(self._name, self._facts, role="server", within=sender, ago_ms=ago)
        return self._span


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
    span = _Asked(tracer, f"{method} {route}", facts, _sender(scope))
    before = SPAN.get()
    SPAN.set(span)
    try:
        await handle({**scope, "millrace.span": span, "millrace.known": span.known}, receive, noting)
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
    if request_id := scope.get("millrace.request_id"):
        facts["millrace.request.id"] = request_id
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
    sender = _sender(scope) if scope.get("millrace.proved") else None
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
