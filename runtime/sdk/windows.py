"""How long a key by which repeats are recognised is remembered."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["FOR_EVER", "SPANS", "START", "Span", "milliseconds"]

Span = Literal["1h", "6h", "1d", "3d", "7d", "30d", "90d", "180d", "400d", "forever"]

FOR_EVER: Final = "forever"
#: What new starts begin with: longer than any sender is known to try again.
START: Final = "90d"
SPANS: Final = (
    ("1h", "1 hour"),
    ("6h", "6 hours"),
    ("1d", "1 day"),
    ("3d", "3 days"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    ("90d", "90 days"),
    ("180d", "180 days"),
    ("400d", "400 days"),
    (FOR_EVER, "Always"),
)
_UNITS: Final = {"h": 3_600_000, "d": 86_400_000}


def milliseconds(span: object) -> int | None:
    """The span in milliseconds; None for one without an end, which is also what nobody can read."""
    text = str(span)
    return int(text[:-1]) * _UNITS[text[-1]] if text in dict(SPANS) and text != FOR_EVER else None
