"""The company's bank and its open items: a statement as banks send it, the invoices that wait for money, and receipts.

`GET /open-items?month=2026-11&of=200`: so many invoices of that month, as CSV with points before the cents; those that
were booked as paid are left out. `GET /bank-statement?month=2026-11&of=200`: the payments for them, as CSV with
semicolons and decimal commas, in another order, and as life is: some are a few cents short, some ten short, some
invoices are paid twice, by one payment for three, or not at all, and some money comes from nobody knows whom.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from builder.practice.asking import Call, Refused, currency, document, instant, money, object_of, perhaps, whole, words
from builder.practice.reversal import reason_of, refuse_used_reference, standing
from builder.practice.students import FIRST_NAMES, LAST_NAMES
from runtime.contracts import JSON, dumps, loads

MOST = 12_000
CSV = "text/csv; charset=utf-8"
#: What is answered as a table.
SHEETS = ("/bank-statement", "/open-items")
RECEIPT = ("id", "line", "amount", "currency", "difference", "invoices", "note", "status", "created_ms", "reference")
#: What happens to an invoice, by the last two digits of its number.
FEW_CENTS, TEN_SHORT, NOT_PAID, PAID_TWICE, UNKNOWN = (7, 57), (23,), (41,), (59,), (77,)
TOGETHER = (90, 91, 92)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An answer that is a table, and no JSON."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement."""

    payer: str
    reference: str
    amount: Decimal
    currency: str


def open_items(database: sqlite3.Connection, call: Call) -> tuple[int, Any]:
    """The invoices of a month that were not booked as paid."""
    month, count = asked_of(call)
    paid = {row["invoice"] for row in database.execute("SELECT invoice FROM receipt_items")}
    lines = ["invoice,customer,due,open,currency"]
    for number in range(1, count + 1):
        if (invoice := invoice_of(month, number)) not in paid:
            lines.append(f"{invoice},{payer_of(number)},{month}-28,{amount_of(number)},{currency_of(number)}")
    return 200, Sheet("\r\n".join([*lines, ""]))


def bank_statement(_database: sqlite3.Connection, call: Call) -> tuple[int, Any]:
    """What was paid for them."""
    month, count = asked_of(call)
    paid = list(payments(month, count))
    # A step that has no factor in common with their number goes through all of them once.
    step = next(step for step in range(7_919, 10**6, 2) if all(len(paid) % p or step % p for p in primes(len(paid))))
    lines = ["Line;Booked on;Payer;Reference;Amount;Currency"]
    for place in range(len(paid)):
        one = paid[place * step % len(paid)]
        day = 1 + place * 27 // max(len(paid), 1)
        amount = f"{one.amount:,.2f}".translate(str.maketrans(",.", ".,"))
        booked = f"{day:02}.{month[5:]}.{month[:4]}"
        lines.append(f"B-{month}-{place + 1:05};{booked};{one.payer};{one.reference};{amount};{one.currency}")
    return 200, Sheet("\r\n".join([*lines, ""]))


def payments(month: str, count: int) -> Iterator[Line]:
    """Each payment, in the order of the invoices."""
    for number in range(1, count + 1):
        kind, payer, due = number % 100, payer_of(number), amount_of(number)
        one = Line(payer, invoice_of(month, number), due, currency_of(number))
        if kind in NOT_PAID:
            continue
        if kind in TOGETHER and number - kind + TOGETHER[-1] <= count:
            if kind == TOGETHER[-1]:
                all_three = [number - kind + other for other in TOGETHER]
                named = ", ".join(invoice_of(month, other) for other in all_three)
                yield Line(payer, named, sum(map(amount_of, all_three), Decimal(0)), "EUR")
            continue
        if kind in FEW_CENTS:
            one = Line(payer, one.reference, due - Decimal("0.02"), one.currency)
        elif kind in TEN_SHORT:
            one = Line(payer, one.reference, due - 10, one.currency)
        yield one
        if kind in PAID_TWICE:
            yield one
        elif kind in UNKNOWN:
            yield Line("Nobody we know", "", Decimal(number % 90 + 10), "EUR")


def new_receipt(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Book a payment: {"line": "B-…", "amount": 12.5, "currency": "EUR", "invoices": ["R-…"], "difference": -0.02}.

    The invoices count as paid from then on; one that was paid before is refused. Without invoices the money is kept for
    whoever sent it.
    """
    asked = object_of(call)
    line, amount, money_of = words(asked, "line"), money(asked.get("amount"), "amount"), currency(asked)
    difference = money(asked.get("difference") or 0, "difference")
    invoices = asked.get("invoices", [])
    if not isinstance(invoices, list) or len(invoices) > 100 or not all(isinstance(one, str) for one in invoices):
        raise Refused(422, "bad_invoices", "“invoices” is a list of at most 100 numbers of invoices.")
    reference, note = perhaps(asked, "reference"), perhaps(asked, "note")
    refuse_used_reference(database, "receipts", reference)
    id_ = f"RC-{1 + int(database.execute('SELECT coalesce(max(rowid), 0) FROM receipts').fetchone()[0])}"
    for invoice in invoices:
        taken = database.execute("SELECT receipt FROM receipt_items WHERE invoice = ?", (invoice,)).fetchone()
        if taken is not None:
            raise Refused(409, "already_paid", f"{invoice} was paid by {taken['receipt']} already.")
        database.execute("INSERT INTO receipt_items VALUES (?, ?)", (invoice, id_))
    database.execute(
        "INSERT INTO receipts (id, line, amount, currency, difference, invoices, note, status, created_ms, reference)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'booked', ?, ?)",
        (id_, line, str(amount), money_of, str(difference), dumps(invoices), note, call.now, reference),
    )
    return 201, {
        "id": id_, "line": line, "amount": amount, "currency": money_of, "difference": difference,
        "invoices": list(invoices), "status": "booked", "created_at": instant(call.now),
    }  # fmt: skip


def cancel_receipt(database: sqlite3.Connection, call: Call, named: str) -> tuple[int, JSON]:
    """Take a receipt back, once; its invoices are open again."""
    receipt = standing(database, "receipts", named)
    reason = reason_of(call)
    database.execute("DELETE FROM receipt_items WHERE receipt = ?", (receipt["id"],))
    database.execute("UPDATE receipts SET status = 'cancelled' WHERE id = ?", (receipt["id"],))
    return 200, {
        "id": receipt["id"], "line": receipt["line"], "amount": Decimal(receipt["amount"]),
        "currency": receipt["currency"], "status": "cancelled", "reason": reason, "cancelled_at": instant(call.now),
    }  # fmt: skip


def receipts(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """How many there are, and the newest 200."""
    names = ", ".join(RECEIPT)
    rows = database.execute(f"SELECT {names} FROM receipts ORDER BY rowid DESC LIMIT 200").fetchall()
    total = database.execute("SELECT count(*) FROM receipts").fetchone()[0]
    shown: list[JSON] = [
        {**document(row), "difference": Decimal(row["difference"]), "invoices": loads(row["invoices"])} for row in rows
    ]
    return 200, {"total": total, "items": shown}


def asked_of(call: Call) -> tuple[str, int]:
    """The month, and how many invoices."""
    asked = {name: values[-1] for name, values in parse_qs(call.query).items()}
    month = asked.get("month") or datetime.fromtimestamp(call.now / 1000, UTC).strftime("%Y-%m")
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month):
        raise Refused(422, "bad_month", f"“{month[:20]}” is no month: write the year and the month, such as 2026-11.")
    return month, min(whole(asked.get("of", "200")), MOST)


def invoice_of(month: str, number: int) -> str:
    return f"R-{month}-{number:05}"


def payer_of(number: int) -> str:
    return f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number % len(LAST_NAMES)]}"


def amount_of(number: int) -> Decimal:
    return Decimal((number * 7_919) % 240_000 + 1_500) / 100


def currency_of(number: int) -> str:
    return "GBP" if number % 10 == 4 else "EUR"


def primes(number: int) -> Iterator[int]:
    """The prime factors."""
    factor = 2
    while number > 1:
        if number % factor == 0:
            yield factor
            number //= factor
        else:
            factor += 1
