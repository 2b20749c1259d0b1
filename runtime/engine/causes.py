"""What makes two failures alike: the step, the sort of error, and the message without what differs from run to run."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from runtime.engine.state import StepError

#: In place of what was taken out.
GAP: Final = "…"
_LONGEST: Final = 300
# In this order: an address has ids in it, an id has numbers in it.
_VARIES: Final = re.compile(
    r"""
    (?<=\btext\ )“[^”]{0,200}”               # a text that a formula could not read
    | (?<=\bNumber\ )\d+\ \([^()]{0,200}\)  # an entry of a list, with what it is called
    | \b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}  # e-mail addresses
    | \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b  # UUIDs
    | (?<=/)[^/\s"“”?#]*\d[^/\s"“”?#]*      # a part of an address with a number in it
    | (?<![\w-])[\w-]*\d(?:[\w.,:+-]*\w)?   # numbers, dates, and words with numbers in them: R-2026-0417
    """,
    re.VERBOSE,
)


def pattern(message: str) -> str:
    """The message with ids, numbers, dates, addresses of people and texts that could not be read taken out, and what
    is said of several entries alike said once; at most 300 characters."""
    words = re.sub(rf"{GAP}(?:\s*{GAP})+", GAP, _VARIES.sub(GAP, message[:2000]))
    return "; ".join(dict.fromkeys(words.split("; ")))[:_LONGEST].strip()


def cause(error: StepError, node: str, *, scope: str = "", alike: str | None = None) -> str:
    """Names all failures like this one: 32 hex digits. `scope` keeps apart what is never alike, such as workflows;
    `alike` is the message's pattern, where it is known."""
    words = pattern(error.message) if alike is None else alike
    parts = (scope, node, error.kind, error.code, str(error.http_status or ""), words)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
