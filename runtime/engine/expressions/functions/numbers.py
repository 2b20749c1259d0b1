"""Numbers, exact."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from typing import Any, Final

from runtime.engine.expressions.arithmetic import EXACT, Num, add, divide, guarded, is_number, modulo, multiply
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.registry import exact, function
from runtime.engine.expressions.values import Meter, Missing, shown
from runtime.engine.jsonprofile import MAX_DIGITS, MAX_INTEGER, number_text

ROUNDINGS: Final = {
    "half_up": decimal.ROUND_HALF_UP,
    "half_even": decimal.ROUND_HALF_EVEN,
    "up": decimal.ROUND_UP,
    "down": decimal.ROUND_DOWN,
}


def quantize(value: Num, places: int, how: str) -> Decimal:
    """Round to decimal places (negative places: tens, hundreds)."""
    if how not in ROUNDINGS:
        raise ExpressionError("arguments", f"knows the ways {', '.join(ROUNDINGS)}.")
    if abs(places) > 30:
        raise ExpressionError("arguments", "rounds to at most 30 places.")
    rounded = guarded(
        lambda: EXACT.create_decimal(Decimal(value).quantize(Decimal(1).scaleb(-places), ROUNDINGS[how], EXACT))
    )
    return Decimal(int(rounded)) if places < 0 else rounded


def whole_if_small(value: Decimal) -> Num:
    return int(value) if abs(value) <= MAX_INTEGER else value


@function(
    "number",
    "round(number:number, places:whole?, how:text?)",
    "Round; how: half_up (usual), half_even, up, down.",
    "round(2.345, 2)",
    exact("2.35"),
)
def round_(meter: Meter, number: Num, places: int = 0, how: str = "half_up") -> Num:
    rounded = quantize(number, places, how)
    return whole_if_small(rounded) if places <= 0 else rounded


@function("number", "floor(number:number)", "The next whole number below.", "floor(2.9)", 2)
def floor(meter: Meter, number: Num) -> Num:
    return whole_if_small(guarded(lambda: Decimal(number).to_integral_value(decimal.ROUND_FLOOR)))


@function("number", "ceil(number:number)", "The next whole number above.", "ceil(2.1)", 3)
def ceil(meter: Meter, number: Num) -> Num:
    return whole_if_small(guarded(lambda: Decimal(number).to_integral_value(decimal.ROUND_CEILING)))


@function("number", "abs(number:number)", "The number without its sign.", "abs(-12.50)", exact("12.50"))
def abs_(meter: Meter, number: Num) -> Num:
    return abs(number) if isinstance(number, int) else number.copy_abs()


@function("number", "mod(number:number, by:number)", "What is left after dividing.", "mod(17, 5)", 2)
def mod(meter: Meter, number: Num, by: Num) -> Num:
    return modulo(number, by, meter)  # type: ignore[no-any-return]


@function(
    "number",
    "percent_of(part:number, whole:number, places:whole?)",
    "How many percent a part is of the whole.",
    "percent_of(25, 200, 1)",
    exact("12.5"),
)
def percent_of(meter: Meter, part: Num, whole: Num, places: int = 2) -> Num:
    return quantize(divide(multiply(part, 100, meter), whole, meter), places, "half_up")


@function(
    "number", "percent(number:number, rate:number)", "So many percent of a number.", "percent(200, 19)", exact("38")
)
def percent(meter: Meter, number: Num, rate: Num) -> Num:
    found = guarded(lambda: EXACT.multiply(EXACT.multiply(Decimal(number), rate), Decimal("0.01")))
    return EXACT.add(found.normalize(EXACT), 0)


@function(
    "number",
    "clamp(number:number, lowest:number, highest:number)",
    "Keep a number between two others.",
    "clamp(120, 0, 100)",
    100,
)
def clamp(meter: Meter, number: Num, lowest: Num, highest: Num) -> Num:
    return min(max(number, lowest), highest)


def numbers_in(values: tuple[Any, ...], meter: Meter) -> list[Num]:
    """Numbers given one by one or as one list; empty entries are passed over."""
    entries = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    meter.spend(len(entries))
    found: list[Num] = []
    for position, entry in enumerate(entries, start=1):
        if entry is None:
            continue
        if not is_number(entry):
            if isinstance(entry, Missing):
                raise entry.error()
            raise ExpressionError("type", f"needs numbers, but entry {position} is {shown(entry)}.")
        found.append(entry)
    return found


@function("number", "sum(numbers:any*)", "Add up a list of numbers.", "sum([10.50, 4.25])", exact("14.75"))
def sum_(meter: Meter, *values: Any) -> Num:
    total: Num = 0
    for number in numbers_in(values, meter):
        total = add(total, number, meter)
    return total


@function(
    "number",
    "average(numbers:any*)",
    "The mean of a list of numbers; empty for an empty list.",
    "average([1, 2, 6])",
    3,
)
def average(meter: Meter, *values: Any) -> Num | None:
    numbers = numbers_in(values, meter)
    return divide(sum_(meter, numbers), len(numbers), meter) if numbers else None


@function("number", "min(numbers:any*)", "The smallest number.", "min(4, 2, 9)", 2)
def min_(meter: Meter, *values: Any) -> Num | None:
    return min(numbers_in(values, meter), default=None)


@function("number", "max(numbers:any*)", "The biggest number.", "max([4, 2, 9])", 9)
def max_(meter: Meter, *values: Any) -> Num | None:
    return max(numbers_in(values, meter), default=None)


_SPACES: Final = " \u00a0\u202f"
_APOSTROPHES: Final = "'’_"
#: Groups of thousands by one sign, or no groups; then perhaps a fraction.
_WRITTEN: Final = {
    sign: re.compile(
        rf"([+-]?)(?:([0-9]{{1,3}}(?:([{group}{_SPACES}{_APOSTROPHES}])[0-9]{{3}})(?:\3[0-9]{{3}})*)|([0-9]*))"
        rf"(?:{re.escape(sign)}([0-9]*))?"
    )
    for sign, group in ((".", ","), (",", "."))
}


def read_number(text: str, decimal_sign: str = ".") -> Num | None:
    """A number written with a point or a comma; the other sign, a space or ' may group thousands; else None."""
    cleaned = text.strip().replace("−", "-")
    if cleaned.startswith("(") and cleaned.endswith(")"):
        cleaned = "-" + cleaned[1:-1]
    found = _WRITTEN[decimal_sign].fullmatch(cleaned)
    if found is None:
        return None
    sign, grouped, group, plain, fraction = found.groups()
    whole = grouped.replace(group, "") if grouped else plain
    if not whole + (fraction or "") or len(whole) + len(fraction or "") > MAX_DIGITS:
        return None
    number = Decimal(f"{sign}{whole or 0}.{fraction or ''}" if fraction is not None else sign + whole)
    return int(number) if fraction is None and abs(number) <= MAX_INTEGER else number


@function(
    "number",
    "number(value:maybe, decimal_sign:text?)",
    "Read a number from text; decimal_sign is . or ,",
    'number("13.412,80", ",")',
    exact("13412.80"),
)
def number(meter: Meter, value: Any, decimal_sign: str = ".") -> Num:
    if is_number(value):
        return value  # type: ignore[no-any-return]
    if decimal_sign not in (".", ","):
        raise ExpressionError("arguments", "knows . and , as decimal signs.")
    if isinstance(value, str) and len(value) <= 100:
        found = read_number(value, decimal_sign)
        if found is not None:
            return found
        other = "," if decimal_sign == "." else "."
        if value.count(other) == 1 and decimal_sign not in value and read_number(value, other) is not None:
            write = "number(…)" if other == "." else 'number(…, ",")'
            raise ExpressionError(
                "type",
                f"cannot read a number from {shown(value)}: “{other}” may only stand before three digits here. "
                f"If it is the decimal sign, write {write}.",
            )
        if any(sign in value.strip() for sign in other + _SPACES + _APOSTROPHES):
            raise ExpressionError(
                "type",
                f"cannot read a number from {shown(value)}: a sign that groups digits may only stand before exactly "
                "three digits, the same sign each time.",
            )
    raise ExpressionError("type", f"cannot read a number from {shown(value)}.")


@function(
    "number",
    "format_number(number:number, places:whole?, style:text?)",
    "A number for people; style: en 1,234.50, de 1.234,50, ch 1'234.50, plain 1234.50",
    'format_number(13412.8, 2, "de")',
    "13.412,80",
)
def format_number(meter: Meter, number: Num, places: int = 2, style: str = "en") -> str:
    if style not in _STYLES:
        raise ExpressionError("arguments", f"knows the styles {', '.join(_STYLES)}.")
    if places < 0:
        raise ExpressionError("arguments", "needs 0 or more places.")
    rounded = quantize(number, places, "half_up")
    plain = number_text(rounded).removesuffix(".0") if places == 0 else format(rounded, "f")
    sign = "-" if rounded < 0 else ""
    digits, _, fraction = plain.lstrip("-").partition(".")
    group, point = _STYLES[style]
    grouped = group.join(digits[max(i - 3, 0) : i] for i in range(len(digits), 0, -3)[::-1]) if group else digits
    return sign + grouped + (point + fraction if fraction else "")


_STYLES: Final = {"en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "ch": ("'", "."), "plain": ("", ".")}
