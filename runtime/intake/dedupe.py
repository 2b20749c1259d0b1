"""By what a repeated delivery is recognised (I4): a header, a place in the JSON body, or the body itself."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.places import PlaceUnclear, read_place
from runtime.sdk.windows import milliseconds

__all__ = ["DedupeRule", "key_of", "rule_of"]

_LONGEST: Final = 255
#: Requests without a body are not repeats of each other.
_NO_BODY: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class DedupeRule:
    """`source` is none, header, path or body; `header` and `path` say where. A key that came longer ago than `for_ms`
    may be used anew; None is for ever."""

    source: str
    header: bytes = b""
    path: tuple[str | int, ...] = ()
    for_ms: int | None = None


def rule_of(config: Mapping[str, Any]) -> DedupeRule:
    """The rule that a webhook's complete configuration names."""
    for_ms = milliseconds(config["dedupe_for"])
    match config["dedupe"]:
        case "header":
            name = str(config["dedupe_header"]).strip().lower().encode("latin-1", "replace")
            return DedupeRule("header", header=name, for_ms=for_ms)
        case "path":
            # A version that was published with a place that nobody can read recognises no repeats.
            with contextlib.suppress(PlaceUnclear):
                return DedupeRule("path", path=read_place(str(config["dedupe_path"])), for_ms=for_ms)
            return DedupeRule("none")
        case "body":
            return DedupeRule("body", for_ms=for_ms)
        case _:
            return DedupeRule("none")


def key_of(rule: DedupeRule, headers: Mapping[bytes, Sequence[bytes]], body_sha256: str, payload: JSON) -> str | None:
    """The delivery's key, at most 255 characters; None where the sender gave none."""
    match rule.source:
        case "header":
            values = headers.get(rule.header)
            return _fitted(values[0].decode("latin-1").strip()) if values else None
        case "path":
            return _fitted(_found(payload, rule.path))
        case "body":
            return None if body_sha256 == _NO_BODY else body_sha256
        case _:
            return None


def _found(value: JSON, path: tuple[str | int, ...]) -> str | None:
    for step in path:
        match value, step:
            case dict(), str() if step in value:
                value = value[step]
            case list(), int() if step < len(value):
                value = value[step]
            case _:
                return None
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | Decimal():
            return str(value)
        case _:
            return None


def _fitted(key: str | None) -> str | None:
    key = (key or "").replace("\0", "")
    if not key:
        return None
    return key if len(key) <= _LONGEST else "sha256:" + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
