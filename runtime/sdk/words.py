"""Plain words for summaries: what a formula points at, what a condition says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.engine import conditions
from runtime.engine.expressions import describe

SUMMARY_LENGTH: Final = 60


def shorten(text: str, limit: int = SUMMARY_LENGTH) -> str:
    """One line of at most ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Words:
    """Names of things, for sentences. ``names`` maps step keys to step names as people gave them."""

    names: Mapping[str, str] = field(default_factory=dict)

    def value(self, value: Any) -> str:
        """A setting in words: ``{{ steps.invoice.total }}`` is "Invoice › Total", 10000 is "10,000"."""
        return describe(value, self.names)

    def conditions(self, group: Any) -> str:
        """A condition group in words: "Invoice › Total is more than 10,000.00 and …"."""
        return conditions.describe_group(group, self.names)
