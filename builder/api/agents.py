"""A browser or a program in few words: what its `User-Agent` says, without the noise."""

from __future__ import annotations

import re
from typing import Final

_BROWSERS: Final = (
    ("Edge", re.compile(r"\bEdgA?/(\d+)")),
    ("Opera", re.compile(r"\bOPR/(\d+)")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"\b(?:HeadlessChrome|Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"\bVersion/(\d+)[\d.]* (?:Mobile/\w+ )?Safari/")),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)
_MOST: Final = 80


def short_agent(text: str) -> str:
    """Such as `Firefox 140, Linux`; of a program its own first word, such as `curl/8.5.0`."""
    for name, pattern in _BROWSERS:
        if (found := pattern.search(text)) is not None:
            system = next((word for word, mark in _SYSTEMS if mark in text), "")
            return f"{name} {found[1]}{', ' if system else ''}{system}"
    return text.split(" ", 1)[0][:_MOST]
