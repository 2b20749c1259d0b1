"""What people type to find runs, read word by word: `supplier:brink total>10000 status:failed "R-2026 0417"`.

Pure: it knows the grammar, and of words only which there are. What they mean here and now is looked up by
`builder.api.run_filters`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["LONGEST", "QueryRefused", "Term", "duration_ms", "parse", "suggestion"]

LONGEST: Final = 400
MOST_TERMS: Final = 20
_TERM: Final = re.compile(
    r"""\s*(?:
        (?P<name>[^\W\d]\w*)(?P<op>>=|<=|[:=<>])(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]*))
        | "(?P<phrase>[^"]*)"
        | (?P<word>[^\s"]+)
    )(?=\s|$)""",
    re.VERBOSE,
)
_DURATION: Final = re.compile(r"(\d{1,9})(ms|s|sec|m|min|h|d)", re.IGNORECASE)
_UNITS: Final = {"ms": 1, "s": 1_000, "sec": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


class QueryRefused(Exception):
    """What was typed cannot be understood; `message` says what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `name` is empty for a word by itself; `op` is `:` `=` `>` `>=` `<` or `<=`."""

    name: str
    op: str
    value: str


def parse(text: str) -> list[Term]:
    """The conditions in this text, in their order. Raises QueryRefused."""
    if len(text) > LONGEST:
        raise QueryRefused(f"This is longer than {LONGEST} characters. Search for less.")
    found: list[Term] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None:
            rest = text[at:].strip()
            if rest.count('"') % 2:
                raise QueryRefused(f'A quotation mark is missing: close it, as in “{rest[:40]}"”.')
            raise QueryRefused(f"“{rest[:40]}” cannot be read. Put a space behind the quotation mark.")
        at = match.end()
        if match["name"] is not None:
            value = match["quoted"] if match["quoted"] is not None else match["bare"]
            if not value.strip():
                raise QueryRefused(f"A value is missing behind “{match['name']}{match['op']}”.")
            found.append(Term(match["name"].lower(), match["op"], value.strip()))
        elif value := (match["phrase"] if match["phrase"] is not None else match["word"]).strip():
            found.append(Term("", ":", value))
    if len(found) > MOST_TERMS:
        raise QueryRefused(f"These are more than {MOST_TERMS} conditions. Leave some out.")
    return found


def duration_ms(value: str) -> int:
    """A length of time, such as 90s, 10m, 2h or 3d, in milliseconds. Raises QueryRefused."""
    match = _DURATION.fullmatch(value)
    if match is None:
        raise QueryRefused(f"“{value}” is no length of time. Write 90s, 10m, 2h or 3d.")
    return int(match[1]) * _UNITS[match[2].lower()]


def suggestion(word: str, known: Iterable[str]) -> str:
    """What somebody may have meant, as a sentence that follows another; empty where nothing is like it."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean “{close[0]}”?" if close else ""
