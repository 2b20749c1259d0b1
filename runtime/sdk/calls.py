"""What every call of another system over HTTP has in common: signing in, and what a status that is no success means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

from runtime.engine.jsonprofile import JSON
from runtime.sdk import oauth
from runtime.sdk.addresses import read_address
from runtime.sdk.connections import auth_headers, auth_query, host_allowed, hosts_of
from runtime.sdk.context import Context, HttpAnswer
from runtime.sdk.errors import PermanentError, RetryableError
from runtime.sdk.http import quote_answer, reason, retry_after_seconds
from runtime.sdk.redaction import Redactor

__all__ = ["REFUSED_HEADERS", "Signed", "led_on", "refuse", "sign_in", "with_query"]

_RETRIED: Final = (408, 425, 429)
#: Headers that a person cannot set: they belong to the connection to the other system.
REFUSED_HEADERS: Final = frozenset(
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]
)


@dataclass(frozen=True, slots=True)
class Signed:
    """Headers and query of a call with what its connection adds. `drop`: what never goes to another host. `renew`: to
    be called where the other system does not take it any more, before signing in once again; None where that would
    change nothing."""

    headers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    drop: list[str] = field(default_factory=list)
    redactor: Redactor = field(default_factory=Redactor)
    renew: Callable[[], None] | None = None


async def sign_in(
    context: Context, connection: str, host: str, headers: list[tuple[str, str]], query: list[tuple[str, str]]
) -> Signed:
    """Add what this connection says of who is calling; nothing where none is named. Raises PermanentError where there
    is no such connection, or it is not for this host."""
    if not connection:
        return Signed(headers, query)
    opened = await context.connection(connection)
    if not host_allowed(opened.fields, host):
        raise PermanentError("Not for this host", _elsewhere(opened.fields, host), "host_not_allowed")
    renew, secrets = None, list(opened.secrets)
    if opened.kind == oauth.KIND:
        token = await oauth.access_token(opened.fields, context.http_aside, total_seconds=context.timeout_seconds)
        context.conceal(token)
        secrets.append(token)
        signed = [("Authorization", f"Bearer {token}")]
        renew = partial(oauth.forget, opened.fields, token)
    else:
        signed = auth_headers(opened.kind, opened.fields)
    drop = [name for name, _value in signed]
    kept = [(name, value) for name, value in headers if name.lower() not in {d.lower() for d in drop}]
    redactor = Redactor([*secrets, *(value for _name, value in signed)])
    return Signed(kept + signed, query + auth_query(opened.kind, opened.fields), drop, redactor, renew)


def with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    """An address with these added to its query."""
    url, hash_sign, fragment = url.strip().partition("#")
    if pairs:
        url += ("&" if "?" in url else "?") + urlencode(pairs)
    return url + hash_sign + fragment


def led_on(answer: HttpAnswer, url: str, signed: Signed) -> bool:
    """Whether this answer came from another address, to which the call was led on. Who leads on a call that writes has
    mostly done what was asked, whatever the other place says of whoever comes there."""
    return answer.url != str(read_address(with_query(url, signed.query)))


def refuse(answer: HttpAnswer, host: str, text: str, request: JSON, response: JSON) -> NoReturn:
    """Raise what this answer, which is no success, means: RetryableError or PermanentError. `text`: its body, without
    secrets."""
    status = answer.status
    says = quote_answer(text)
    message = f"{host} answered with status {status} ({reason(status)})" + (f": {says}" if says else ".")
    shared: dict[str, Any] = {
        "detail": text[:2000] or None,
        "http_status": status,
        "request": request,
        "response": response,
    }
    if status in _RETRIED or status >= 500:
        title = "Too many requests" if status == 429 else "The other system is not well" if status >= 500 else "Not now"
        raise RetryableError(
            title,
            message,
            f"http_{status}",
            retry_after_seconds=retry_after_seconds(answer.headers),
            maybe_applied=status >= 500 or status == 408,
            **shared,
        )
    titles = {
        400: "The request was not understood",
        401: "Sign-in refused",
        403: "Not allowed",
        404: "Not found",
        409: "Conflict",
        410: "No longer there",
        422: "The data was refused",
    }
    advice = {
        401: " Check the connection.",
        403: " The connection's account may not do this.",
        404: " Check the address.",
    }
    raise PermanentError(
        titles.get(status, "Unexpected answer"), message + advice.get(status, ""), f"http_{status}", **shared
    )


def _elsewhere(fields: Mapping[str, Any], host: str) -> str:
    hosts = hosts_of(fields)
    if not hosts:
        return "This connection does not say yet for which hosts it is. Open it under Connections and name them."
    return f"This connection is for {', '.join(hosts[:5])} and is not used with {host}."
