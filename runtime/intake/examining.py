"""One look at a whole request: who sent it, what are its bytes, can they be read? Pure work on bytes, no waiting."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from runtime.intake import bodies, signatures
from runtime.intake.triggers import Door

__all__ = ["Examined", "Headers", "examine"]

Headers = dict[bytes, list[bytes]]

# Above this, and for packed bodies, the work is done in a thread: it would hold up every other caller.
_QUICK_BYTES: Final = 128 * 1024
# A shorter header name is never too long for data.
_QUICK_NAME: Final = 500


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found. `stranger` says why the sender is not let in; `bomb` that the body is too large unpacked."""

    sha256: str
    stranger: str = ""
    wrong_method: bool = False
    bomb: bool = False
    #: Which part of the request `parsed.error` speaks of.
    part: Literal["body", "query", "headers"] = "body"
    parsed: bodies.Parsed = bodies.NOTHING


async def examine(door: Door | None, method: str, query: bytes, headers: Headers, body: bytes) -> Examined:
    """Examine a request for this webhook; without one, do the same work for nothing (S28)."""
    if len(body) > _QUICK_BYTES or b"content-encoding" in headers:
        return await asyncio.to_thread(_examine, door, method, query, headers, body)
    return _examine(door, method, query, headers, body)


def _examine(door: Door | None, method: str, query: bytes, headers: Headers, body: bytes) -> Examined:
    sha256 = hashlib.sha256(body).hexdigest()
    if door is None:
        signatures.waste_the_same_time(body)
        return Examined(sha256, stranger="There is no such webhook.")
    if door.auth != "none" and (reason := _stranger(door, headers, body)):
        return Examined(sha256, stranger=reason)
    if method not in door.methods:
        return Examined(sha256, wrong_method=True)
    # A start makes data of the query and the headers, too: what no data can hold must not become a run.
    if query and (error := bodies.query_error(query)):
        return Examined(sha256, part="query", parsed=bodies.Parsed(error=error))
    for name in headers:
        if len(name) > _QUICK_NAME and (error := bodies.header_error(name)):
            return Examined(sha256, part="headers", parsed=bodies.Parsed(error=error))
    try:
        parsed = bodies.parse(headers.get(b"content-type", _NONE), headers.get(b"content-encoding", _NONE), body)
    except bodies.Inflation:
        return Examined(sha256, bomb=True)
    return Examined(sha256, parsed=parsed)


_NONE: Final[Sequence[bytes]] = ()


def _stranger(door: Door, headers: Headers, body: bytes) -> str:
    if door.scheme is not None:
        signature = signatures.check(door.scheme, headers, body, door.secrets, time.time())
        return "" if signature.valid else signature.reason or "The signature does not fit."
    signatures.waste_the_same_time(body)
    values = headers.get(door.header_name, [])
    given = values[0] if len(values) == 1 else b""
    if door.header_name == b"authorization" and given[:7].lower() == b"bearer ":
        given = given[7:].strip()
    fits = False
    for secret in door.secrets:
        fits = hmac.compare_digest(hashlib.sha256(secret).digest(), hashlib.sha256(given).digest()) | fits
    return "" if fits and given else f"The header {door.header_name.decode('latin-1')} is missing or wrong."
