"""A place in a JSON document, as people write it."""

from __future__ import annotations

import re
from typing import Final

_PART: Final = re.compile(
    r"""\.?([^.\[\]{}"'\s|()]+(?:\ [^.\[\]{}"'\s|()]+)*)|\[(\d{1,9})\]|\["([^"]+)"\]|\['([^']+)'\]"""
)
#: How formulas name the body; a place is within the body already.
_LEAD: Final = re.compile(r"\$?\.?(?:(?:trigger\.)?body(?=[.\[]))?")


class PlaceUnclear(ValueError):
    """The text names no one place; the message says what would."""


def read_place(text: str) -> tuple[str | int, ...]:
    """`order.items[0].id` in single steps. A formula that only names a place (`{{ trigger.body.order.id }}`), a leading
    `$.` or `body.` and quoted names (`order["id"]`) are understood. Raises PlaceUnclear."""
    plain = text.strip()
    if plain.startswith("{{") and plain.endswith("}}"):
        plain = plain[2:-2].strip()
    steps: list[str | int] = []
    lead = _LEAD.match(plain)
    at = lead.end() if lead else 0
    while at < len(plain):
        found = _PART.match(plain, at)
        if found is None:
            raise PlaceUnclear(f"“{text.strip()[:80]}” is no place in the body. Write it like order.id or items[0].id.")
        name, index, *quoted = found.groups()
        steps.append(int(index) if index else name or quoted[0] or quoted[1])
        at = found.end()
    if not steps:
        raise PlaceUnclear("Name the field by which a repeat is recognised, like order.id.")
    return tuple(steps)
