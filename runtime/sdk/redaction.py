"""Nothing secret is written down: headers by name, known secret values wherever they stand."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
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


def is_secret_name(name: str) -> bool:
    """Whether a header or field of this name usually holds a secret."""
    lowered = name.lower().replace("_", "-")
    return any(word in lowered for word in _SECRET_WORDS)


class Redactor:
    """Masks known secrets in texts and documents, also in their URL-encoded, Base64 and JSON-escaped forms."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= 4:  # shorter ones would mask half of every text
                forms.update((secret, quote(secret, safe=""), quote(secret), b64encode(secret.encode()).decode()))
                forms.add(secret.replace("\\", "\\\\").replace('"', '\\"'))
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def value(self, value: Any) -> Any:
        """A document with secrets masked in every text."""
        if not self._forms:
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
