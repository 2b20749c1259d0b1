"""Words that the server itself says in the reader's language: files that are kept, pages without the application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["in_language"]

T = TypeVar("T")


def in_language(words: Mapping[str, T], language: str) -> T:
    """The words of this language, whatever its country, or the English ones."""
    return words.get(language.partition("-")[0].strip().lower(), words["en"])
