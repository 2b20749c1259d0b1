"""Money: exact amounts with a currency; no cent is lost."""

from __future__ import annotations

import decimal
from decimal import Decimal
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
_FOUR: Final = ["CLF", "UYW"]
#: Ratios may be as far apart as numbers can be.
_WIDE: Final = decimal.Context(prec=1000, Emax=1000, Emin=-1000)


def places_of(currency: str) -> int:
    """How many decimal places a currency has."""
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise ExpressionError("arguments", f"needs a currency such as EUR, not {shown(currency)}.")
    code = currency.upper()
    return 0 if code in _NO_MINOR else 3 if code in _THREE else 4 if code in _FOUR else 2


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
    shares = [Decimal(share) for share in numbers_in((ratios,), meter)]
    if not any(shares) or any(share < 0 for share in shares):
        raise ExpressionError("arguments", "needs ratios of 0 or more, not all 0.")
    places = places_of(currency)
    total = int(quantize(amount, places, "half_up").scaleb(places, EXACT))
    # In whole cents and whole ratios, so that no digit is ever rounded away.
    finest = min(int(share.as_tuple().exponent) for share in shares)
    weights = [int(share.scaleb(-finest, _WIDE)) for share in shares]
    whole = sum(weights)
    parts = [abs(total) * weight // whole for weight in weights]
    # The cents left over go to the biggest shares first, so that the same input always gives the same parts.
    order = sorted((i for i, weight in enumerate(weights) if weight), key=lambda i: (-weights[i], i))
    for turn in range(abs(total) - sum(parts)):
        parts[order[turn % len(order)]] += 1
    return [Decimal(part if total > 0 else -part).scaleb(-places, EXACT) for part in parts]


@function(
    "money",
    "minor_units(amount:number, currency:text)",
    "An amount in cents (or the currency's smallest unit).",
    'minor_units(12.34, "EUR")',
    1234,
)
def minor_units(meter: Meter, amount: Num, currency: str) -> Num:
    places = places_of(currency)
    return whole_if_small(quantize(amount, places, "half_up").scaleb(places, EXACT).to_integral_value())


@function(
    "money",
    "from_minor_units(units:number, currency:text)",
    "Cents as an amount.",
    'from_minor_units(1234, "EUR")',
    exact("12.34"),
)
def from_minor_units(meter: Meter, units: Num, currency: str) -> Decimal:
    whole = Decimal(units).to_integral_value()
    if whole != units:
        raise ExpressionError("type", f"needs a whole number, but this is {shown(units)}.")
    return guarded(lambda: whole.scaleb(-places_of(currency), EXACT))


@function(
    "money",
    "format_money(amount:number, currency:text, style:text?)",
    "An amount for people, as “13,412.80 EUR”.",
    'format_money(13412.8, "EUR")',
    "13,412.80 EUR",
)
def format_money(meter: Meter, amount: Num, currency: str, style: str = "en") -> str:
    return f"{format_number(meter, amount, places_of(currency), style)} {currency.upper()}"
