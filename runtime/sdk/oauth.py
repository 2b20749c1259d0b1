"""Signing in by OAuth 2.0 client credentials (RFC 6749, 4.4): the other system's token service gives a token that is
good for some minutes, and calls are made with that.

A token is kept in memory only, for as long as it is good; nothing of it is stored. Many steps that need one at once
ask for it once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl, quote_plus
from weakref import WeakKeyDictionary

from runtime.sdk.addresses import read_address
from runtime.sdk.context import HttpAnswer, HttpClient
from runtime.sdk.errors import PermanentError, RetryableError, StepFailure
from runtime.sdk.headers import check_header
from runtime.sdk.http import quote_answer, retry_after_seconds
from runtime.sdk.redaction import Redactor

__all__ = ["KIND", "access_token", "forget", "leads_to", "problems"]

KIND: Final = "http_oauth"
#: Of a service that does not say for how long its token is good. Seconds
_USUAL_SECONDS: Final = 300
#: A token is not used any more so long before its end, or for the last tenth of its time, whichever is less. Seconds
_MARGIN_SECONDS: Final = 60
_LONGEST_SECONDS: Final = 86_400
_ASKING_SECONDS: Final = 15.0
_MOST_BYTES: Final = 100_000
_MOST_KEPT: Final = 500
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: By what was asked with: a token, and until when (`time.monotonic`) it is used.
_KEPT: Final[dict[str, tuple[str, float]]] = {}
_ASKED_WITH: Final = ("token_url", "client_id", "client_secret", "scope", "audience", "sent")
_ASKING: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]]] = WeakKeyDictionary()


async def access_token(fields: Mapping[str, Any], http: HttpClient, *, total_seconds: float = _ASKING_SECONDS) -> str:
    """A token that is good now. Raises PermanentError where the service refuses, RetryableError where it cannot be
    asked, or not within this time. No sentence holds a secret."""
    key = _key(fields)
    if (kept := _good(key)) is not None:
        return kept
    locks = _ASKING.setdefault(asyncio.get_running_loop(), {})
    try:
        # Waiting for whoever asks already takes time, too. A step that is stopped from outside would leave it open
        # whether anything was sent.
        async with asyncio.timeout(total_seconds), locks.setdefault(key, asyncio.Lock()):
            try:
                return _good(key) or _keep(key, *await _ask(fields, http))
            finally:
                locks.pop(key, None)
    except TimeoutError:
        host = read_address(str(fields.get("token_url", ""))).host
        raise RetryableError("No answer in time", f"{host} did not answer in time.", "timeout") from None


def forget(fields: Mapping[str, Any], token: str | None = None) -> None:
    """The other system does not take this token any more: the next step asks for a new one. Whoever is refused late
    leaves alone the one that was given since; None: whichever is kept."""
    key = _key(fields)
    if token is None or _KEPT.get(key, ("", 0.0))[0] == token:
        _KEPT.pop(key, None)


def leads_to(fields: Mapping[str, Any]) -> str:
    """Where the secret is sent to for a token, as text."""
    address = read_address(str(fields.get("token_url", "")))
    return f"{address.scheme}://{address.host_header}"


def problems(fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with the address of the token service: (field path, code, sentence)."""
    try:
        read_address(str(fields.get("token_url", "")))
    except PermanentError as error:
        return [("token_url", "address", f"“Address of the token service”: {error.message}")]
    return []


def _key(fields: Mapping[str, Any]) -> str:
    told = [str(fields.get(name, "")) for name in _ASKED_WITH]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _good(key: str) -> str | None:
    token, until = _KEPT.get(key, ("", 0.0))
    return token if time.monotonic() < until else None


def _keep(key: str, token: str, seconds: float) -> str:
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.pop(next(iter(_KEPT)))
    _KEPT[key] = (token, time.monotonic() + seconds - min(_MARGIN_SECONDS, seconds / 10))
    return token


async def _ask(fields: Mapping[str, Any], http: HttpClient) -> tuple[str, float]:
    """A new token, and for how many seconds it is good."""
    # Not everybody signs in so, and this is slow to import.
    from oauthlib.oauth2 import BackendApplicationClient

    client_id, secret = str(fields.get("client_id", "")), str(fields.get("client_secret", ""))
    more = {"audience": str(fields["audience"])} if fields.get("audience") else {}
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
    in_body = fields.get("sent") == "body"
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    if in_body:
        more["client_secret"] = secret
    else:
        headers.append(("Authorization", "Basic " + b64encode(pair.encode()).decode()))
    client = BackendApplicationClient(client_id)
    scope = str(fields.get("scope") or "") or None
    body = client.prepare_request_body(scope=scope, include_client_id=in_body, **more)
    try:
        answer = await http.request(
            "POST",
            str(fields.get("token_url", "")),
            headers=headers,
            content=body.encode(),
            total_seconds=_ASKING_SECONDS,
            # Whoever is led on would be given the secret.
            follow_redirects=False,
            max_bytes=_MOST_BYTES,
        )
    except StepFailure as failure:
        # A token changes nothing: what the step does was not begun.
        failure.maybe_applied = False
        raise
    text = answer.content.decode(errors="replace")
    if answer.status != 200:
        _refused(fields, answer, Redactor((secret, quote_plus(secret), pair)).text(text))
    host = read_address(str(fields.get("token_url", ""))).host
    try:
        said, others = _without_seconds(text)
        token = client.parse_request_body_response(others)["access_token"]
        if not isinstance(token, str) or not token:
            raise ValueError("no token")
        check_header("Authorization", f"Bearer {token}", ())
    except Exception as error:
        raise PermanentError(
            "No token came", f"{host} answered, but not with a token.", "no_token", detail=type(error).__name__
        ) from None
    if (seconds := _seconds(said)) is None:
        raise PermanentError(
            "No token came",
            f"{host} gave a token, but what it says of how long it is good is no number of seconds.",
            "no_token",
        )
    return token, seconds


def _without_seconds(text: str) -> tuple[Any, str]:
    """What an answer says of how long its token is good, and the answer without that: oauthlib takes whole numbers
    only. As it does, this reads fields of a form where the answer is no JSON."""
    try:
        told = json.loads(text)
    except ValueError:
        told = dict(parse_qsl(text))
    said = told.pop("expires_in", None)
    return said, json.dumps(told)


def _seconds(said: Any) -> float | None:
    """For how long a token is good, in whole seconds; None where that is no number. Where nothing is said, or 0, some
    minutes."""
    if isinstance(said, str) and _NUMBER.fullmatch(said.strip()):
        said = float(said)
    if said is None or (said == 0 and not isinstance(said, bool)):
        return _USUAL_SECONDS
    if isinstance(said, bool) or not isinstance(said, int | float) or not -math.inf < said < math.inf:
        return None
    return math.floor(min(max(said, 0), _LONGEST_SECONDS))


def _refused(fields: Mapping[str, Any], answer: HttpAnswer, text: str) -> NoReturn:
    host = read_address(str(fields.get("token_url", ""))).host
    says = _words(text)
    message = f"{host} gave no token (status {answer.status})" + (f": {says}" if says else ".")
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise RetryableError(
            "No token came",
            message,
            "token_not_now",
            retry_after_seconds=retry_after_seconds(answer.headers),
            http_status=answer.status,
        )
    # RFC 6749, 5.2: who is refused is told so with 400, too.
    refuses = answer.status in (400, 401, 403)
    raise PermanentError(
        "Sign-in refused" if refuses else "No token came",
        message + (" Check the connection." if refuses else ""),
        "http_401" if refuses else "no_token",
        http_status=answer.status,
    )


def _words(text: str) -> str:
    """What the service says of why, where it says so as the standard wants."""
    try:
        told = json.loads(text)
        said = told.get("error_description") or told.get("error")
    except (ValueError, AttributeError):
        return ""
    return quote_answer(str(said)) if said else ""
