"""What every Django response gets: a request id, the remaining security headers, and one line in the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from builder.accounts.ids import new_id
from runtime.traces import SPAN, Fact, Span, known_method

log = structlog.get_logger(__name__)

HEADERS: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class RequestMiddleware:
    """Gives the request an id that problem bodies, logs and the `X-Request-ID` header share."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = str(new_id())
        request.META["millrace.request_id"] = request_id
        started = time.perf_counter()
        span: Span | None = getattr(request, "scope", {}).get("millrace.span")
        SPAN.set(span)  # of this thread, whose next request has another
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if span is not None:
                _tell(span, request, request_id)
            response["X-Request-ID"] = request_id
            for name, value in HEADERS.items():
                response.setdefault(name, value)
            response.setdefault("Cache-Control", "no-store")
            # On a laptop's terminal a quiet request stays quiet; production logs keep them all.
            quiet = settings.LOG_FORMAT == "plain" and response.status_code < 400
            level = "error" if response.status_code >= 500 else "debug" if quiet else "info"
            getattr(log, level)(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return response


def _tell(span: Span, request: HttpRequest, request_id: str) -> None:
    """Which address this was, by its pattern: the address itself may open doors."""
    facts: dict[str, Fact] = {"millrace.request.id": request_id}
    match = request.resolver_match
    if match is not None:
        facts["http.route"] = f"/{match.route}"
        span.rename(f"{known_method(request.method)} /{match.route}")
        if isinstance(match.kwargs.get("workspace_id"), UUID):
            facts["millrace.workspace.id"] = str(match.kwargs["workspace_id"])
    span.note(facts)
