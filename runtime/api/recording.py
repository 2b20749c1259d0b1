"""Putting on record what people ask of the runtime: in the same transaction as the change itself, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from runtime.contracts import JSON
from runtime.sdk.redaction import MASK, Redactor, is_secret_name
from runtime.store import failpoints
from runtime.store.beside import Ask, Facts, ask, digest, keeping

__all__ = ["Ask", "Facts", "ask", "digest", "keeping", "passing", "redacted"]

_PLAIN: Final = Redactor()


def passing(point: str, side: Literal["before", "after"]) -> None:
    """Around a COMMIT that is not the runtime's own: here a test may stop or kill the process."""
    if failpoints.armed():
        failpoints.hit(f"{point}:{side}")


def redacted(value: JSON) -> JSON:
    """A document without what usually holds secrets: fields by their names, and user names, passwords and keys in web
    addresses. The same rules hold for what is kept of runs."""
    if isinstance(value, Mapping):
        return {name: MASK if is_secret_name(name) and one else redacted(one) for name, one in value.items()}
    if isinstance(value, list):
        return [redacted(one) for one in value]
    if isinstance(value, str) and "://" in value:
        return _address(value)
    return value


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    plain = not parts.query and "@" not in parts.netloc
    return text if plain or " " in text else _PLAIN.url(text)
