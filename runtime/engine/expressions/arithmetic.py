"""Exact, bounded arithmetic: integers and decimals of at most 40 digits; division to 28."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.values import Meter, Missing, kind_of, shown
from runtime.engine.jsonprofile import MAX_DIGITS, MAX_INTEGER

Num: TypeAlias = "int | Decimal"

_TRAPS: Final = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
EXACT: Final = decimal.Context(prec=MAX_DIGITS, Emax=300, Emin=-300, traps=_TRAPS)
DIVISION: Final = decimal.Context(prec=28, Emax=300, Emin=-300, traps=_TRAPS)

MAX_POWER: Final = 1000


def is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def need_numbers(sign: str, left: Any, right: Any) -> None:
    """Raise an error that says which side is not a number."""
    for value in (left, right):
        if isinstance(value, Missing):
            raise value.error()
    for value in (left, right):
        if not is_number(value):
            hint = " Use number(…) to read a number from text." if isinstance(value, str) else ""
            raise ExpressionError("type", f"“{sign}” works on numbers, but this is {shown(value)}.{hint}")


def whole(value: int) -> Num:
    """An integer result, as a decimal where it does not fit 64 bits."""
    if -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    if value.bit_length() > 132:
        raise _too_long()
    return _checked(Decimal(value))


def _checked(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ExpressionError("number", "This has no number as its result.")
    if len(value.as_tuple().digits) > MAX_DIGITS:
        raise _too_long()
    return value


def _too_long() -> ExpressionError:
    return ExpressionError("number", f"The result has more than {MAX_DIGITS} digits.")


def guarded(function: Callable[[], Decimal]) -> Decimal:
    """Run a decimal operation; its signals become plain sentences."""
    try:
        return _checked(function())
    except (decimal.DivisionByZero, ZeroDivisionError):
        raise ExpressionError("number", "Division by zero.") from None
    except decimal.Overflow:
        raise _too_long() from None
    except decimal.InvalidOperation as error:
        if any(signal is decimal.DivisionUndefined for signal in error.args[0:1]):
            raise ExpressionError("number", "Division by zero.") from None
        raise ExpressionError("number", "This has no number as its result.") from None


def add(left: Any, right: Any, meter: Meter) -> Any:
    if type(left) is int and type(right) is int:
        return whole(left + right)
    if isinstance(left, str) and isinstance(right, str):
        meter.text(len(left) + len(right))
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        meter.spend(len(left) + len(right))
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        for value in (left, right):
            if isinstance(value, Missing):
                raise value.error()
        other = right if isinstance(left, str) else left
        raise ExpressionError(
            "type",
            f"“+” adds numbers or joins texts, but here text meets {kind_of(other)}. Use “~” to join them as text.",
        )
    need_numbers("+", left, right)
    return guarded(lambda: EXACT.add(left, right))


def subtract(left: Any, right: Any, meter: Meter) -> Any:
    if type(left) is int and type(right) is int:
        return whole(left - right)
    need_numbers("-", left, right)
    return guarded(lambda: EXACT.subtract(left, right))


def multiply(left: Any, right: Any, meter: Meter) -> Any:
    if type(left) is int and type(right) is int:
        return whole(left * right)
    need_numbers("*", left, right)
    return guarded(lambda: EXACT.multiply(left, right))


def divide(left: Any, right: Any, meter: Meter) -> Any:
    need_numbers("/", left, right)
    if right == 0:
        raise ExpressionError("number", "Division by zero.")
    if type(left) is int and type(right) is int and right and left % right == 0:
        return left // right
    return guarded(lambda: DIVISION.divide(left, right))


def divide_whole(left: Any, right: Any, meter: Meter) -> Any:
    need_numbers("//", left, right)
    if type(left) is int and type(right) is int:
        if right == 0:
            raise ExpressionError("number", "Division by zero.")
        return left // right
    return guarded(lambda: EXACT.divide(EXACT.subtract(left, _modulo(left, right)), right).to_integral_value())


def _modulo(left: Num, right: Num) -> Decimal:
    found = EXACT.remainder(left, right)
    return EXACT.add(found, right) if found and (found < 0) != (right < 0) else found


def modulo(left: Any, right: Any, meter: Meter) -> Any:
    need_numbers("%", left, right)
    return rest(left, right)


def rest(left: Num, right: Num) -> Num:
    """What is left of a number after dividing, with the sign of the divisor."""
    if type(left) is int and type(right) is int:
        if right == 0:
            raise ExpressionError("number", "Division by zero.")
        return left % right
    return guarded(lambda: _modulo(left, right))


def power(left: Any, right: Any, meter: Meter) -> Any:
    need_numbers("**", left, right)
    if abs(right) > MAX_POWER:
        raise ExpressionError("number", f"A power of at most {MAX_POWER} can be worked out.")
    if type(left) is int and type(right) is int and right >= 0:
        if left.bit_length() * right > 4096:
            raise _too_long()
        return whole(left**right)
    meter.spend(50)
    return guarded(lambda: EXACT.power(left, right))


def negate(value: Any) -> Any:
    need_numbers("-", value, 0)
    return -value if type(value) is int else guarded(lambda: EXACT.minus(value))


def compare(sign: str, left: Any, right: Any, meter: Meter) -> bool:
    """Order two numbers or two texts."""
    meter.spend(1)
    if isinstance(left, str) and isinstance(right, str):
        meter.spend(min(len(left), len(right)) >> 10)
    elif not (is_number(left) and is_number(right)):
        for value in (left, right):
            if isinstance(value, Missing):
                raise value.error()
        raise ExpressionError(
            "type", f"“{sign}” compares two numbers or two texts, not {shown(left)} and {shown(right)}."
        )
    match sign:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)
