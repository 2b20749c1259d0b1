"""Taking back what was done: an invoice is made void, a payment given back.

Everything that can be taken back may be named by the company's own number or by the reference that the caller gave
when it asked for it. Whoever never got the answer knows no number, and can take back all the same.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal

from builder.practice.asking import Call, Refused, instant, object_of, perhaps
from runtime.contracts import JSON

#: Per table: its name to people, and the status of what was taken back.
TAKEN_BACK = {
    "invoices": ("invoice", "void"),
    "payments": ("payment", "refunded"),
    "deliveries": ("delivery", "cancelled"),
    "credits": ("credit note", "cancelled"),
    "receipts": ("receipt", "cancelled"),
    "transfers": ("transfer", "called back"),
}


def refuse_used_reference(database: sqlite3.Connection, table: str, reference: str | None) -> None:
    """Raise Refused where something with this reference stands; what was taken back frees its reference."""
    name, back = TAKEN_BACK[table]
    row = database.execute(f"SELECT id FROM {table} WHERE reference = ? AND status <> ?", (reference, back)).fetchone()
    if row is not None:
        raise Refused(409, "reference_used", f"The {name} {row['id']} has the reference {reference} already.")


def standing(database: sqlite3.Connection, table: str, named: str) -> sqlite3.Row:
    """The row with this number or reference, unless it was taken back already; raises Refused."""
    name, back = TAKEN_BACK[table]
    row: sqlite3.Row | None = database.execute(
        f"SELECT * FROM {table} WHERE id = ? OR reference = ? ORDER BY id <> ?, status = ?, rowid DESC LIMIT 1",
        (named, named, named, back),
    ).fetchone()
    if row is None:
        raise Refused(404, f"no_such_{name}", f"There is no {name} {named[:60]}.")
    if row["status"] == back:
        raise Refused(409, f"already_{back}", f"The {name} {row['id']} is {back} already.")
    return row


def void_invoice(database: sqlite3.Connection, call: Call, named: str) -> tuple[int, JSON]:
    """Make an invoice void, once; what was paid on it has to be given back before."""
    invoice = standing(database, "invoices", named)
    reason = reason_of(call)
    if invoice["status"] != "open":
        raise Refused(409, "refund_first", f"Invoice {invoice['id']} is {invoice['status']}: refund its payment first.")
    database.execute("UPDATE invoices SET status = 'void', voided_ms = ? WHERE id = ?", (call.now, invoice["id"]))
    return 200, {
        "id": invoice["id"], "order": invoice["order_number"], "amount": Decimal(invoice["amount"]),
        "currency": invoice["currency"], "status": "void", "reason": reason, "voided_at": instant(call.now),
    }  # fmt: skip


def refund_payment(database: sqlite3.Connection, call: Call, named: str) -> tuple[int, JSON]:
    """Give a payment back as a whole, once; its invoice is unpaid again."""
    payment = standing(database, "payments", named)
    reason = reason_of(call)
    id_ = f"REF-{7001 + int(database.execute('SELECT count(*) FROM refunds').fetchone()[0])}"
    database.execute(
        "INSERT INTO refunds (id, payment, invoice, amount, currency, reason, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id_, payment["id"], payment["invoice"], payment["amount"], payment["currency"], reason, call.now),
    )
    database.execute("UPDATE payments SET status = 'refunded' WHERE id = ?", (payment["id"],))
    return 201, {
        "id": id_, "payment": payment["id"], "invoice": payment["invoice"], "amount": Decimal(payment["amount"]),
        "currency": payment["currency"], "method": payment["method"], "reason": reason,
        "invoice_status": mark_by_payments(database, payment["invoice"]), "created_at": instant(call.now),
    }  # fmt: skip


def mark_by_payments(database: sqlite3.Connection, invoice: str) -> str:
    """Write on an invoice what its payments make of it: open, paid or overpaid."""
    counted = database.execute(
        "SELECT count(*) FROM payments WHERE invoice = ? AND status <> 'refunded'", (invoice,)
    ).fetchone()
    status = ("open", "paid", "overpaid")[min(int(counted[0]), 2)]
    database.execute("UPDATE invoices SET status = ? WHERE id = ?", (status, invoice))
    return status


def reason_of(call: Call) -> str | None:
    """Why it is taken back, if the caller says so."""
    return perhaps(object_of(call), "reason") if call.body else None
