"""Credit notes: money that a customer gets back for an order, booked and, if need be, cancelled."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

from builder.practice.asking import Call, Refused, currency, instant, money, object_of, perhaps, words
from builder.practice.reversal import reason_of, refuse_used_reference, standing
from runtime.contracts import JSON


def new_credit(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Book a credit note: {"customer": "C-100", "order": "SO-1", "amount": 12.5, "reason": "…"}."""
    asked = object_of(call)
    customer = database.execute("SELECT * FROM customers WHERE id = ?", (words(asked, "customer"),)).fetchone()
    if customer is None:
        raise Refused(422, "no_such_customer", "There is no such customer.")
    order, amount = words(asked, "order"), money(asked.get("amount"), "amount")
    if amount <= 0:
        raise Refused(422, "bad_amount", "A credit note is about more than nothing.")
    reference, reason = perhaps(asked, "reference"), perhaps(asked, "reason")
    money_of = currency(asked)
    refuse_used_reference(database, "credits", reference)
    id_ = f"CN-{9001 + int(database.execute('SELECT count(*) FROM credits').fetchone()[0])}"
    database.execute(
        "INSERT INTO credits (id, order_number, customer, amount, currency, reason, status, created_ms, reference)"
        " VALUES (?, ?, ?, ?, ?, ?, 'booked', ?, ?)",
        (id_, order, customer["id"], str(amount), money_of, reason, call.now, reference),
    )
    return 201, {
        "id": id_, "order": order, "customer": customer["id"], "name": customer["name"], "email": customer["email"],
        "amount": amount, "currency": money_of, "status": "booked", "reason": reason, "created_at": instant(call.now),
    }  # fmt: skip


def cancel_credit(database: sqlite3.Connection, call: Call, named: str) -> tuple[int, JSON]:
    """Take a credit note back, once."""
    credit = standing(database, "credits", named)
    reason = reason_of(call)
    database.execute("UPDATE credits SET status = 'cancelled', cancelled_ms = ? WHERE id = ?", (call.now, credit["id"]))
    return 200, {
        "id": credit["id"], "order": credit["order_number"], "amount": Decimal(credit["amount"]),
        "currency": credit["currency"], "status": "cancelled", "reason": reason, "cancelled_at": instant(call.now),
    }  # fmt: skip
