"""By what a repeated delivery is recognised (I4): a header, a place in the JSON body, or the body itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from runtime.engine.jsonprofile import JSON

__all__ = ["DedupeRule", "key_of", "path_steps", "rule_of"]

_LONGEST: Final = 255


@dataclass(frozen=True, slots=True)
class DedupeRule:
    """`source` is none, header, path or body; `header` and `path` say where."""

    source: str
    header: bytes = b""
    path: tuple[str | int, ...] = ()


def rule_of(config: Mapping[str, Any]) -> DedupeRule:
    """The rule that a webhook's complete configuration names."""
    match config["dedupe"]:
        case "header":
            return DedupeRule(
                "header", header=str(config["dedupe_header"]).strip().lower().encode("latin-1", "replace")
            )
        case "path":
            return DedupeRule("path", path=path_steps(str(config["dedupe_path"])))
        case "body":
            return DedupeRule("body")
        case _:
            return DedupeRule("none")


def path_steps(path: str) -> tuple[str | int, ...]:
    """`order.items[0].id` in single steps; a leading `$.` or `body.` is understood."""
    text = path.strip().removeprefix("$").removeprefix(".").removeprefix("body.")
    steps: list[str | int] = []
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", text):
        steps.append(int(index) if index else name)
    return tuple(steps)


def key_of(rule: DedupeRule, headers: Mapping[bytes, Sequence[bytes]], body_sha256: str, payload: JSON) -> str | None:
    """The delivery's key, at most 255 characters; None where the sender gave none."""
    match rule.source:
        case "header":
            values = headers.get(rule.header)
            return _fitted(values[0].decode("latin-1").strip()) if values else None
        case "path":
            return _fitted(_found(payload, rule.path))
        case "body":
            return body_sha256
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
