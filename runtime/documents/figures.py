"""Numbers, amounts and dates as people of a language write them, by the tables of CLDR (babel)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_decimal_symbol, get_group_symbol

from runtime.documents.problems import DocumentProblem
from runtime.engine.jsonprofile import number_text

_LARGEST: Final = Decimal(10) ** 18


class Figures:
    """Writes values in one language and currency. One for each pair: `figures(...)` keeps them."""

    def __init__(self, language: str, currency: str, decimals: int, dates: str) -> None:
        try:
            locale = Locale.parse(language)
        except (UnknownLocaleError, ValueError):
            raise DocumentProblem(
                "design", f"The language “{language}” is not known: use one such as en or de.", field="page.language"
            ) from None
        self.locale = locale
        self.currency = currency
        self.dates = dates
        self.decimals = decimals
        self._cents = get_currency_precision(currency)
        self._signs = {ord(","): get_group_symbol(locale), ord("."): get_decimal_symbol(locale)}
        one = format_currency(Decimal(1), currency, locale=locale)
        low = format_currency(Decimal(-1), currency, locale=locale)
        shown = f"{1:.{self._cents}f}".translate(self._signs)
        # A language whose amounts are written in another way than before-number-behind is left to babel.
        self._around = one.split(shown) if one.count(shown) == 1 and low.count(shown) == 1 else None
        self._around_low = low.split(shown)
        grouped = format_decimal(Decimal(123456789), locale=locale)
        self._plain = grouped == "123,456,789".translate(self._signs)

    def number(self, value: Any) -> str:
        amount = _decimal(value)
        if self._plain:
            return f"{amount:,.{self.decimals}f}".translate(self._signs)
        return format_decimal(round(amount, self.decimals), locale=self.locale)

    def money(self, value: Any) -> str:
        amount = _decimal(value)
        if not self._plain or self._around is None:
            return format_currency(amount, self.currency, locale=self.locale)
        text = f"{abs(amount):,.{self._cents}f}".translate(self._signs)
        low = amount < 0 and any(letter in "123456789" for letter in text)
        before, behind = self._around_low if low else self._around
        return f"{before}{text}{behind}"

    def date(self, value: Any) -> str:
        return _date(str(value)[:10], self.dates, self.locale)

    def write(self, value: Any, form: str) -> str:
        """The value by the form of its column; nothing stays nothing."""
        if value is None or value == "":
            return ""
        match form:
            case "money":
                return self.money(value)
            case "number":
                return self.number(value)
            case "date":
                return self.date(value)
        return plain(value)


@lru_cache(maxsize=256)
def figures(language: str, currency: str, decimals: int, dates: str) -> Figures:
    return Figures(language, currency, decimals, dates)


@lru_cache(maxsize=4096)
def _date(text: str, length: str, locale: Locale) -> str:
    try:
        return format_date(date.fromisoformat(text), length, locale=locale)
    except ValueError:
        raise DocumentProblem("data", f"“{text}” is not a date: use one such as 2026-11-28.") from None


def plain(value: Any) -> str:
    """A value as text, as formulas write it."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case Decimal():
            return number_text(value)
        case list():
            return ", ".join(plain(one) for one in value if not isinstance(one, list | dict))
    return "…"


def _decimal(value: Any) -> Decimal:
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool | list | dict) or not found.is_finite():
        raise DocumentProblem("data", f"“{str(value)[:40]}” is not a number.")
    if abs(found) >= _LARGEST:
        raise DocumentProblem("limit", "A number in a document has at most 18 digits before its point.")
    return found


number_of = _decimal
