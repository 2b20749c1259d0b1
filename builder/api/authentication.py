"""Who asks: a browser with a session cookie and a CSRF token, or a program with a bearer token."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from builder.accounts import services
from builder.accounts.models import ApiToken, User
from builder.api import recorded
from builder.api.problems import Refusal

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer mlr_…`. A token that is not good is refused, never ignored."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        kind, _, token = header.partition(" ")
        row = None
        if kind.lower() == "bearer":
            row = services.token_row(
                token.strip(),
                now=datetime.now(UTC),
                first_today=lambda found: recorded.note_token_used(found, request._request),
            )
        if row is None:
            raise AuthenticationFailed("This token is not known, has expired or was revoked.")
        return row.owner, row

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Millrace"'


class BrowserAuthentication(BaseAuthentication):
    """The session cookie. Every unsafe request proves that it comes from our own pages, also before sign-in."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        plain: HttpRequest = request._request
        if request.method not in SAFE_METHODS:
            check_csrf(plain)
        user = getattr(plain, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        return user, None


class _Check(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _nothing() -> HttpResponse:
    return HttpResponse()


def check_csrf(request: HttpRequest) -> None:
    """Raise the CSRF problem unless origin and token are right."""
    check = _Check(lambda _request: HttpResponse())
    # The token comes in a header. As a PUT nothing tempts Django to parse a form for it.
    request = copy.copy(request)
    request.method = "PUT"
    check.process_request(request)
    reason = check.process_view(request, _nothing, (), {})
    if reason:
        raise Refusal(
            403,
            "csrf",
            "This request does not come from a Millrace page.",
            detail="Reload the page and try again; programs use a token (Authorization: Bearer …).",
            params={"reason": str(reason)},
        )
