"""What crosses the boundary about the words that people put on runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: A word, and how many of them stand on a run.
LONGEST_TAG: Final = 40
MOST_TAGS: Final = 20


@dataclass(frozen=True, slots=True)
class TaggedRuns:
    """What came of it for several runs. `changed`: on so many something stands now, or no more; `full`: so many could
    not take every word, having as many as a run can."""

    found: int
    changed: int
    full: int


NONE_TAGGED: Final = TaggedRuns(0, 0, 0)


def tag_of(text: str) -> str:
    """A word as it is kept: with single spaces. Raises ValueError in words."""
    found = " ".join(text.split())
    if not found:
        raise ValueError("Write a word.")
    if len(found) > LONGEST_TAG:
        raise ValueError(f"A tag has at most {LONGEST_TAG} letters.")
    if any(one in ',"' or not one.isprintable() for one in found):
        raise ValueError("A tag is plain words, without commas and quotation marks.")
    return found
