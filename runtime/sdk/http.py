"""What HTTP says between the lines: which codes count, when to come back, what an error body means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from runtime.engine.jsonprofile import JSONRefused, loads

#: Longer waits than a day are not taken from a header.
LONGEST_RETRY_AFTER: Final = 86_400.0
_WORDS: Final = ("message", "detail", "error_description", "title", "error", "description", "reason", "msg")


@lru_cache(maxsize=256)
def parse_codes(text: str) -> tuple[tuple[int, int], ...]:
    """Status codes and ranges such as ``200-299, 404``; raises ValueError with words that follow the field's title."""
    ranges: list[tuple[int, int]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = part.partition("-")
        if len(part) == 3 and part.lower().endswith("xx") and part[0] in "12345":
            first, last = part[0] + "00", part[0] + "99"
        elif not dash:
            last = first
        if not (first.strip().isdecimal() and last.strip().isdecimal()) or not 100 <= int(first) <= int(last) <= 599:
            raise ValueError(f"needs codes and ranges like 200-299, 404; “{part[:40]}” is neither")
        ranges.append((int(first), int(last)))
    if not ranges:
        raise ValueError("needs at least one status code")
    return tuple(ranges)


def is_among(status: int, codes: str) -> bool:
    """Whether these codes, as `parse_codes` reads them, name the status."""
    return any(first <= status <= last for first, last in parse_codes(codes))


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """How long the other system asks to wait: seconds or an HTTP date, at most a day; None when it says nothing sane.

    A date is measured against the answer's own ``Date`` header, so that a wrong clock on either side does not matter.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_RETRY_AFTER)
    until = _http_date(text)
    if until is None:
        return None
    now = _http_date(headers.get("date", "")) or datetime.now(UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def reason(status: int) -> str:
    """The usual words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "not a usual status"


def quote_answer(text: str) -> str:
    """What an error body says to a reader: its message where it is JSON, else its first words; quoted, at most 300."""
    said = ""
    try:
        document = loads(text) if text[:1] in "{[" and len(text) < 100_000 else None
    except JSONRefused:
        document = None
    while isinstance(document, dict):
        inner = next((document[word] for word in _WORDS if document.get(word)), None)
        if isinstance(inner, str):
            said = inner
        document = inner if isinstance(inner, dict) else None
    if not said and "<" not in text[:200]:
        said = " ".join(text[:600].split())
    if not said:
        return ""
    return f"“{said[:300]}{'…' if len(said) > 300 else ''}”"
