"""Money: exact amounts with a currency; no cent is lost."""

from __future__ import annotations

import decimal
from decimal import Decimal
from functools import partial
from typing import Any, Final

from runtime.engine.expressions.arithmetic import EXACT, Num, add, guarded, multiply
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.functions.numbers import format_number, numbers_in, quantize, whole_if_small
from runtime.engine.expressions.registry import exact, function
from runtime.engine.expressions.values import Meter, shown

#: Currencies (ISO 4217) whose smallest unit is not a hundredth.
_NO_MINOR: Final = [
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
]
_THREE: Final = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]


def places_of(currency: str) -> int:
    """How many decimal places a currency has."""
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise ExpressionError("arguments", f"needs a currency such as EUR, not {shown(currency)}.")
    code = currency.upper()
    return 0 if code in _NO_MINOR else 3 if code in _THREE else 2


@function(
    "money",
    "round_money(amount:number, currency:text, how:text?)",
    "Round to the smallest unit of a currency.",
    'round_money(10.125, "EUR")',
    exact("10.13"),
)
def round_money(meter: Meter, amount: Num, currency: str, how: str = "half_up") -> Decimal:
    return quantize(amount, places_of(currency), how)


@function(
    "money",
    "money(amount:number, currency:text)",
    "An amount with its currency.",
    'money(12.5, "EUR")',
    {"amount": exact("12.50"), "currency": "EUR"},
)
def money(meter: Meter, amount: Num, currency: str) -> dict[str, Any]:
    return {"amount": quantize(amount, places_of(currency), "half_up"), "currency": currency.upper()}


@function(
    "money",
    "add_money(moneys:list)",
    "Add amounts of one currency; refuses to mix currencies.",
    'add_money([money(5, "EUR"), money(2.5, "EUR")])',
    {"amount": exact("7.50"), "currency": "EUR"},
)
def add_money(meter: Meter, moneys: list[Any]) -> dict[str, Any]:
    total: Any = 0
    currency = None
    meter.spend(len(moneys))
    for entry in moneys:
        if not isinstance(entry, dict) or "amount" not in entry or not isinstance(entry.get("currency"), str):
            raise ExpressionError("type", f"needs amounts with a currency, but one entry is {shown(entry)}.")
        if currency not in (None, entry["currency"]):
            raise ExpressionError(
                "type", f"does not add {currency} and {entry['currency']}: convert one of them first."
            )
        currency = entry["currency"]
        total = add(total, entry["amount"], meter)
    if currency is None:
        raise ExpressionError("type", "needs at least one amount.")
    return {"amount": quantize(total, places_of(currency), "half_up"), "currency": currency.upper()}


@function(
    "money",
    "convert(amount:number, rate:number, currency:text)",
    "Multiply by an exchange rate and round to the new currency.",
    'convert(100, 1.0837, "USD")',
    exact("108.37"),
)
def convert_(meter: Meter, amount: Num, rate: Num, currency: str) -> Decimal:
    return quantize(multiply(amount, rate, meter), places_of(currency), "half_up")


@function(
    "money",
    "allocate(amount:number, ratios:list, currency:text?)",
    "Share an amount by ratios without losing a cent.",
    'allocate(100, [1, 1, 1], "EUR")',
    [exact("33.34"), exact("33.33"), exact("33.33")],
)
def allocate(meter: Meter, amount: Num, ratios: list[Any], currency: str = "EUR") -> list[Decimal]:
    shares = numbers_in((ratios,), meter)
    whole = sum(shares, Decimal(0))
    if not shares or any(share < 0 for share in shares) or whole == 0:
        raise ExpressionError("arguments", "needs ratios of 0 or more, not all 0.")
    places = places_of(currency)
    unit = Decimal(1).scaleb(-places)
    total = quantize(amount, places, "half_up")

    def part(share: Num) -> Decimal:
        exact_part = EXACT.divide(EXACT.multiply(total, share), whole)
        return exact_part.quantize(unit, decimal.ROUND_DOWN, EXACT)

    parts = [guarded(partial(part, share)) for share in shares]
    rest = int(EXACT.divide(EXACT.subtract(total, sum(parts, Decimal(0))), unit))
    step = unit if rest > 0 else -unit
    # The cents left over go to the biggest shares first, so that the same input always gives the same parts.
    order = sorted((i for i, share in enumerate(shares) if share), key=lambda i: (-shares[i], i))
    for turn in range(abs(rest)):
        parts[order[turn % len(order)]] += step
    return parts


@function(
    "money",
    "minor_units(amount:number, currency:text)",
    "An amount in cents (or the currency's smallest unit).",
    'minor_units(12.34, "EUR")',
    1234,
)
def minor_units(meter: Meter, amount: Num, currency: str) -> Num:
    places = places_of(currency)
    return whole_if_small(quantize(amount, places, "half_up").scaleb(places).to_integral_value())


@function(
    "money",
    "from_minor_units(units:whole, currency:text)",
    "Cents as an amount.",
    'from_minor_units(1234, "EUR")',
    exact("12.34"),
)
def from_minor_units(meter: Meter, units: int, currency: str) -> Decimal:
    return Decimal(units).scaleb(-places_of(currency))


@function(
    "money",
    "format_money(amount:number, currency:text, style:text?)",
    "An amount for people, as “13,412.80 EUR”.",
    'format_money(13412.8, "EUR")',
    "13,412.80 EUR",
)
def format_money(meter: Meter, amount: Num, currency: str, style: str = "en") -> str:
    return f"{format_number(meter, amount, places_of(currency), style)} {currency.upper()}"
