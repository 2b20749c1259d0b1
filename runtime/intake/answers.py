"""What the door answers: built once where it can be, and never able to act in this product's name (S33)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from runtime.engine.jsonprofile import loads_stored
from runtime.sdk.headers import reaches_sender
from runtime.store.reads import ResponseRow

__all__ = [
    "TOO_MANY_HEADERS",
    "Answer",
    "accepted",
    "json_answer",
    "of_workflow",
    "problem",
    "send_answer",
    "wrong_method",
]

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

_JSON: Final[Header] = (b"content-type", b"application/json")
_PROBLEM: Final[Header] = (b"content-type", b"application/problem+json")
_NO_STORE: Final[Header] = (b"cache-control", b"no-store")
# A workflow's answer is a stranger's page on this product's address: it may be shown, it may not act.
_SAFE: Final[tuple[Header, ...]] = (
    (b"content-security-policy", b"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"referrer-policy", b"no-referrer"),
    _NO_STORE,
)
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_BODILESS: Final = frozenset({204, 205, 304})


class Answer(NamedTuple):
    """A complete HTTP response."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


def json_answer(status: int, value: object, *more: Header) -> Answer:
    """A JSON body, never cached."""
    body = orjson.dumps(value)
    return Answer(status, (_JSON, _NO_STORE, (b"content-length", b"%d" % len(body)), *more), body)


def accepted(event_id: UUID, run_id: UUID | None, status_base: str, *, duplicate: bool, conflict: bool) -> Answer:
    """The everyday answer, written by hand because it is written thousands of times a second."""
    if run_id is None:
        run = '"run":null,"status_url":null'
    else:
        run_text = str(run_id)
        run = f'"run":"{run_text}","status_url":"{status_base}{run_text}"'
    told = f'{{"event":"{event_id}",{run}'
    if duplicate:
        told += ',"duplicate":true'
    if conflict:
        told += ',"conflict":true'
    body = f"{told}}}".encode()
    return Answer(200 if duplicate else 202, (_JSON, _NO_STORE, (b"content-length", b"%d" % len(body))), body)


def problem(status: int, code: str, title: str, detail: str = "", *more: Header, **members: object) -> Answer:
    """An RFC 9457 problem body."""
    value = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "params": {},
        **members,
    }
    body = orjson.dumps(value)
    return Answer(status, (_PROBLEM, _NO_STORE, (b"content-length", b"%d" % len(body)), *more), body)


TOO_MANY_HEADERS: Final = problem(431, "headers_too_large", "The request has too many or too long headers.")


def wrong_method(allow: bytes) -> Answer:
    """405, with what is taken instead."""
    return problem(405, "method_not_allowed", "This webhook does not take that method.", "", (b"allow", allow))


def of_workflow(row: ResponseRow) -> Answer:
    """A `Respond to webhook` step's answer, without what it must not say."""
    status = row.status if 200 <= row.status <= 599 else 502
    body = b"" if status in _BODILESS else bytes(row.body)
    headers: list[Header] = list(_SAFE)
    listed = loads_stored(row.headers)
    has_type = False
    for pair in listed if isinstance(listed, list) else []:
        if not isinstance(pair, list) or len(pair) != 2:
            continue
        name, value = str(pair[0]).strip().lower(), str(pair[1])
        if not reaches_sender(name) or not _VALUE.match(value):
            continue
        if name == "location" and not re.match(r"(?:https?://|/(?!/))", value):
            continue
        if name == "content-type":
            if has_type:
                continue
            has_type = True
        headers.append((name.encode(), value.encode("latin-1")))
    if body and not has_type:
        headers.append((b"content-type", b"text/plain; charset=utf-8"))
    if status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(body)))
    return Answer(status, tuple(headers), body)


async def send_answer(send: Send, answer: Answer, *, head: bool = False) -> None:
    """Send it; without the body where the request was HEAD."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
