"""The settings of what is done for many entries, so that afterwards somebody can prove it: control totals, manifest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.fields import Config, field

__all__ = ["BatchSettings", "expected_amounts"]

_GROUP: Final = "Control totals and proof"
_MOST_CURRENCIES: Final = 50


class BatchSettings(Config):
    """What the entries are worth together, and whether a manifest is kept."""

    amount: str = field(
        "",
        title="What one of them is worth",
        placeholder="{{ item.amount }}",
        help="Summed for the batch: all of them, those that are done, those that failed.",
        deferred=True,
        advanced=True,
        group=_GROUP,
        order=40,
        max_length=2000,
    )
    currency: str = field(
        "",
        title="Currency",
        placeholder="{{ item.currency }}",
        help="Amounts of different currencies are never added up. Empty: all are in the same.",
        deferred=True,
        advanced=True,
        group=_GROUP,
        order=41,
        max_length=2000,
    )
    posted: str = field(
        "",
        title="What was posted for it",
        placeholder="{{ steps.post.body.amount }}",
        help="Worked out when one of them is done, from what the steps inside gave.",
        deferred=True,
        advanced=True,
        group=_GROUP,
        order=42,
        max_length=2000,
    )
    expected_count: Any = field(
        None,
        title="So many there have to be",
        placeholder="{{ trigger.count }}",
        help="As a letter or the last line of a file says. Shown beside what was counted, red where it differs.",
        widget="number",
        expression=True,
        advanced=True,
        group=_GROUP,
        order=43,
    )
    expected_amount: Any = field(
        None,
        title="And worth so much together",
        placeholder="{{ trigger.total }}",
        help='A number; of several currencies one for each: {"EUR": 1200.50, "CZK": 800}.',
        widget="json",
        expression=True,
        advanced=True,
        group=_GROUP,
        order=44,
    )
    manifest: bool = field(
        False,
        title="Keep a manifest",
        help="A signed file with a line for each entry, its documents and their checksums: proof that none is missing.",
        widget="toggle",
        advanced=True,
        group=_GROUP,
        order=45,
    )


def expected_amounts(value: JSON) -> dict[str, Decimal]:
    """By currency (empty: whichever there is) what the entries have to come to; what says no such thing is left out."""
    given = value if isinstance(value, dict) else {"": value}
    found: dict[str, Decimal] = {}
    for currency, amount in list(given.items())[:_MOST_CURRENCIES]:
        if isinstance(amount, bool) or not isinstance(amount, (int, Decimal, str)) or amount == "":
            continue
        try:
            exact = Decimal(str(amount).strip())
        except ArithmeticError:
            continue
        if exact.is_finite():
            found[str(currency).strip().upper()] = exact
    return found
