"""Nothing secret is written down: headers by name, known secret values wherever they stand."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urlsplit

from runtime.engine.jsonprofile import JSON

MASK: Final = "•••"
_SECRET_WORDS: Final = (
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "api-key",
    "apikey",
    "signature",
    "passwd",
)
#: A token that says where the next page begins is data that a workflow goes on with.
_PAGING_WORDS: Final = ("page", "next", "continu", "cursor", "skip", "delta")
#: Shorter secrets are masked where they are the whole value; inside a text they would tear holes into ordinary words.
LEAST: Final = 8
#: Longer names are seldom met twice.
_SHORT: Final = 64


def is_secret_name(name: str) -> bool:
    """Whether a header or field of this name usually holds a secret."""
    # The same few names come with every request.
    return _known(name) if len(name) <= _SHORT else _sounds_secret(name)


def _sounds_secret(name: str) -> bool:
    lowered = name.lower().replace("_", "-")
    found = {word for word in _SECRET_WORDS if word in lowered}
    return bool(found) and not (found == {"token"} and any(word in lowered for word in _PAGING_WORDS))


_known: Final = lru_cache(maxsize=2048)(_sounds_secret)


class Redactor:
    """Masks known secrets in texts and documents, also in their URL-encoded, Base64 and JSON-escaped forms."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        self._whole = set[str]()
        for secret in filter(None, secrets):
            self._whole.add(secret)
            if len(secret) >= LEAST:
                forms.update((secret, quote(secret, safe=""), quote(secret), b64encode(secret.encode()).decode()))
                forms.add(secret.replace("\\", "\\\\").replace('"', '\\"'))
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """A text with the secrets in it masked."""
        if text in self._whole:
            return MASK
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def value(self, value: Any) -> Any:
        """A document with secrets masked in every text."""
        if not self._whole:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        if isinstance(value, Mapping):
            return {self.text(key): self.value(entry) for key, entry in value.items()}
        return value

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, JSON]:
        """Headers as a document, the secret ones masked."""
        return {name: MASK if is_secret_name(name) else self.text(value) for name, value in headers}

    def url(self, url: str) -> str:
        """A web address without user name, password and secret query values."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        pairs = []
        for pair in parts.query.split("&") if parts.query else []:
            name, equals, value = pair.partition("=")
            pairs.append(f"{name}={MASK}" if equals and is_secret_name(name) else f"{name}{equals}{value}")
        query = "?" + "&".join(pairs) if pairs else ""
        return self.text(f"{parts.scheme}://{host}{parts.path}{query}")
