"""What counts as equal when two lists are compared, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from runtime.engine.jsonprofile import JSON
from runtime.sdk.reconcile_values import EXACT, Reading, amount_text

__all__ = ["GROUPS", "Group", "Outcome", "Rules", "Sum", "TooLarge", "Ways", "exact"]

Group = Literal["matched", "differing", "only_a", "only_b", "twice"]
Ways = Literal["one", "named", "sum"]
GROUPS: Final[tuple[Group, ...]] = ("matched", "differing", "only_a", "only_b", "twice")


class TooLarge(Exception):
    """It cannot be compared this way; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as equal. `ways`: one row with one, one of the first list with the several of the second that it
    names, or the sums of all with the same key. `tolerance` and `percent` (of the second list's amount): a difference
    is accepted up to the larger of them. `days`: between the two dates, where both have one; None: they do not matter.
    """

    a: Reading
    b: Reading
    ways: Ways = "one"
    tolerance: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    days: int | None = None

    def accepts(self, a: Decimal, b: Decimal) -> bool:
        """Whether these amounts count as equal."""
        off = abs(EXACT.subtract(a, b))
        if off <= self.tolerance:
            return True
        return EXACT.multiply(off, Decimal(100)) <= EXACT.multiply(self.percent, abs(b))

    def near(self, a: int | None, b: int | None) -> bool:
        """Whether these days are near enough."""
        return self.days is None or a is None or b is None or abs(a - b) <= self.days


@dataclass(slots=True)
class Sum:
    """So many rows, worth so much together."""

    count: int = 0
    amount: Decimal = Decimal(0)

    def add(self, amount: Decimal) -> None:
        self.count += 1
        self.amount = EXACT.add(self.amount, amount)


def exact(amount: Decimal) -> int | Decimal:
    """An amount as data has it."""
    plain = Decimal(amount_text(amount))
    return int(plain) if plain == plain.to_integral_value() and abs(plain) < 10**15 else plain


@dataclass(frozen=True, slots=True)
class Outcome:
    """What belongs together. `why`: empty, `tolerance`, `amount`, `currency`, `date`, `missing`, `no_key`, `twice` or
    `several`; `difference`: the first list's amount less the second's, None where a side or the amount is missing, or
    currencies differ; `missing`: keys that were named and are not there; `a`, `b`: place and row of each."""

    group: Group
    why: str
    key: str
    currency: str
    a_amount: Decimal | None
    b_amount: Decimal | None
    difference: Decimal | None
    days: int | None
    a: tuple[tuple[str, dict[str, JSON]], ...]
    b: tuple[tuple[str, dict[str, JSON]], ...]
    missing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, JSON]:
        """As data shows it."""
        return {
            "group": self.group,
            "why": self.why,
            "key": self.key,
            "currency": self.currency,
            "a_amount": None if self.a_amount is None else exact(self.a_amount),
            "b_amount": None if self.b_amount is None else exact(self.b_amount),
            "difference": None if self.difference is None else exact(self.difference),
            "days": self.days,
            "missing": list(self.missing),
            "a": [row for _, row in self.a],
            "b": [row for _, row in self.b],
            "a_places": [place for place, _ in self.a],
            "b_places": [place for place, _ in self.b],
        }
