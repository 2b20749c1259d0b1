"""Taking secrets out of everything that is written down (at write time, so that no reader can forget to).

A secret is found in any letter case and in the forms it travels in: as it is, percent-encoded, JSON-escaped, in hex,
and inside base64 at each of the three alignments. A short one is found only where it is the whole value.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from runtime.engine.jsonprofile import JSON

MASK = "••••••"
#: Shorter ones would tear holes into ordinary words and numbers: the password 1042 into INV-1042.
LEAST = 8


class Redactor:
    """Masks a set of secrets. False when it has none, so that the hot path can skip it."""

    __slots__ = ("_pattern", "_whole")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._whole = frozenset(filter(None, secrets))
        forms = sorted({form for secret in self._whole for form in _forms(secret)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE) if forms else None

    def __bool__(self) -> bool:
        return bool(self._whole)

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        if text in self._whole:
            return MASK
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def value(self, value: JSON) -> JSON:
        """The document with every secret masked, in values and in keys."""
        return self._walk(value) if self._whole else value

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._walk(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self._walk(item) for key, item in value.items()}
        return value


def _forms(secret: str) -> Iterable[str]:
    if len(secret) < LEAST:
        return
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield raw.hex()
    for shift in range(3):
        core = _base64_core(raw, shift)
        if len(core) >= LEAST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _base64_core(raw: bytes, shift: int) -> str:
    """The characters of base64 text that depend on this secret alone when `shift` bytes stand before it."""
    encoded = base64.b64encode(b"\0" * shift + raw).decode("ascii")
    first = -(-shift * 8 // 6)
    last = (shift + len(raw)) * 8 // 6
    return encoded[first:last]
