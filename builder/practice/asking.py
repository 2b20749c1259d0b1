"""What the company is asked and how it shows its books: a call, a refusal, and values read and written."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from builder.practice.behaviour import Behaviour
from runtime.contracts import JSON, JSONRefused, loads


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came, at `now` (ms)."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    behaviour: Behaviour
    now: int

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key") or None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Refused(Exception):
    """A call the company understands and refuses."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


# --- reading what was sent ---------------------------------------------------------------------------------------


def object_of(call: Call) -> dict[str, JSON]:
    """The body as a JSON object; raises Refused."""
    try:
        value = loads(call.body)
    except JSONRefused as refused:
        raise Refused(400, "not_json", f"The body is not JSON: {refused.message}") from None
    if not isinstance(value, dict):
        raise Refused(422, "not_an_object", "Send a JSON object.")
    return value


def words(asked: Mapping[str, JSON], name: str) -> str:
    """A text that must be there."""
    value = asked.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise Refused(422, "missing", f"“{name}” must be a text of 1 to 200 characters.")
    return value.strip()


def perhaps(asked: Mapping[str, JSON], name: str) -> str | None:
    """A text that may be left out."""
    return None if asked.get(name) is None else words(asked, name)


def pieces(asked: Mapping[str, JSON], name: str) -> int:
    """A whole number from 1."""
    value = asked.get(name)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if type(value) is not int or not 1 <= value <= 1_000_000:
        raise Refused(422, "bad_quantity", f"“{name}” must be a whole number from 1 to 1,000,000.")
    return value


def currency(asked: Mapping[str, JSON]) -> str:
    """Three capital letters; EUR where none is named."""
    value = asked.get("currency", "EUR")
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise Refused(422, "bad_currency", "“currency” is three capital letters, such as EUR.")
    return value


def money(value: JSON, name: str) -> Decimal:
    """An exact amount with at most two places."""
    try:
        amount = Decimal(value) if isinstance(value, int | str | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) >= 10**12 or amount != round(amount, 2):
        raise Refused(422, "bad_amount", f"“{name}” must be an amount with at most two places.")
    return round(amount, 2)


def whole(text: str) -> int:
    """A whole number from a query."""
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Refused(400, "bad_number", f"“{text[:20]}” is not a whole number.")
    return int(text)


#: Columns that hold JSON, and columns that hold exact amounts.
JSON_COLUMNS = ("lines", "headers")
AMOUNT_COLUMNS = ("amount", "total", "credit_limit")
#: Times of what has not happened to most rows.
REVERSED_COLUMNS = ("voided_ms", "refunded_ms", "cancelled_ms")


def document(row: sqlite3.Row) -> dict[str, JSON]:
    """A row as the API shows it."""
    shown: dict[str, JSON] = {}
    for name, value in dict(row).items():
        if name in JSON_COLUMNS:
            value = loads(value)
        elif name in AMOUNT_COLUMNS:
            value = Decimal(value)
        elif name in ("applied", "replayed", "blocked"):
            value = bool(value)
        if name in REVERSED_COLUMNS and value is None:
            shown[f"{name.removesuffix('_ms')}_at"] = None
        elif name.endswith("_ms"):
            shown[f"{name.removesuffix('_ms').removesuffix('_at')}_at"] = instant(value)
        else:
            shown[name] = value
    return shown


def instant(milliseconds: int) -> str:
    """A time as the API shows it: UTC, to the millisecond."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
