"""Can a body be read? The door asks the same function as the webhook's step, so that both give the same answer.

The stored bytes are never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from runtime.engine.jsonprofile import JSON, JSONRefused, normalise
from runtime.sdk.bodies import parse_query, parse_request_body

__all__ = ["NOTHING", "Inflation", "Parsed", "header_error", "parse", "query_error"]


class Inflation(Exception):
    """The body would grow beyond the limit when unpacked."""


class Parsed(NamedTuple):
    """The payload, or in plain words why it cannot be read."""

    payload: JSON = None
    error: str | None = None


NOTHING: Final = Parsed()


def parse(content_types: Sequence[bytes], encodings: Sequence[bytes], raw: bytes) -> Parsed:
    """Read a body as its headers say. Raises Inflation."""
    if not raw:
        return NOTHING
    if len(content_types) > 1:
        return Parsed(error="the request names two content types")
    content_type = content_types[0].decode("latin-1") if content_types else ""
    try:
        return Parsed(parse_request_body(content_type, raw, b",".join(encodings).decode("latin-1")))
    except JSONRefused as refused:
        if refused.code == "too_large":
            raise Inflation from None
        return Parsed(error=str(refused)[:400])


def query_error(query: bytes) -> str:
    """In plain words why this query cannot become data; empty where it can."""
    try:
        parse_query(query.decode("latin-1").replace("\0", "%00"))
    except JSONRefused as refused:
        return str(refused)[:400]
    return ""


def header_error(name: bytes) -> str:
    """In plain words why a header of this name cannot become data; empty where it can."""
    try:
        normalise({name.decode("latin-1"): ""})
    except JSONRefused as refused:
        return str(refused)[:400]
    return ""
