"""Who may watch, asked again and again: a socket outlives the request that opened it.

Plain synchronous reads; the consumer calls them in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from builder.accounts.models import User
from builder.accounts.rights import Action, can
from builder.accounts.sessions import SessionStore

SIGNED_OUT: Final = 4401
FORBIDDEN: Final = 4403
MISSING: Final = 4404

Verdict = Literal[4401, 4403, 4404]


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a handshake shows of itself."""

    session_key: str
    workspace_id: UUID


def verdict(visitor: Visitor) -> Verdict | None:
    """Why this visitor may not watch; None while they may. Reads session, person and membership afresh."""
    return _verdict(visitor, Action.RUN_SEE)


def may_see_figures(visitor: Visitor) -> bool:
    """Whether this visitor may be told that the monitor's figures changed: whoever may ask for them. Read afresh."""
    return _verdict(visitor, Action.MONITOR_SEE) is None


def _verdict(visitor: Visitor, action: Action) -> Verdict | None:
    session = SessionStore(session_key=visitor.session_key).load()
    user_id = session.get(SESSION_KEY)
    if not user_id or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return SIGNED_OUT
    try:
        user = User.objects.filter(pk=UUID(str(user_id)), is_active=True).first()
    except ValueError:
        return SIGNED_OUT
    if user is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return SIGNED_OUT
    # A stranger's workspace and one that never was look the same.
    return None if can(user, action, visitor.workspace_id) else FORBIDDEN


def session_key_of(headers: Mapping[bytes, bytes]) -> str | None:
    """The session's key in the Cookie header."""
    from http.cookies import CookieError, SimpleCookie

    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None
    found = cookies.get(settings.SESSION_COOKIE_NAME)
    return found.value if found is not None and found.value else None


def same_origin(headers: Mapping[bytes, bytes], *, secure: bool) -> bool:
    """Whether the page that opens the socket is one of ours: its origin is our public one, or the very host it asks."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin or origin == "null":
        return False
    if origin == settings.PUBLIC_URL:
        return True
    parts = urlsplit(origin)
    host = headers.get(b"host", b"").decode("latin-1")
    return parts.scheme == ("https" if secure else "http") and bool(host) and parts.netloc == host
