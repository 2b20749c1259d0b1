"""The company's business: customers, orders, invoices, payments, and a look into its own ledger."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from builder.practice.asking import (
    Call,
    Refused,
    currency,
    document,
    instant,
    money,
    object_of,
    perhaps,
    whole,
    words,
)
from builder.practice.bank import bank_statement, cancel_receipt, new_receipt, open_items, receipts
from builder.practice.behaviour import parse
from builder.practice.credits import cancel_credit, new_credit
from builder.practice.postings import new_posting, postings
from builder.practice.reversal import mark_by_payments, refund_payment, refuse_used_reference, void_invoice
from builder.practice.shipments import shipments
from builder.practice.students import students
from builder.practice.suppliers import cancel_transfer, new_transfer, payables, payables_summary, transfers
from builder.practice.warehouse import cancel_delivery, new_delivery
from runtime.contracts import JSON, dumps


def route(database: sqlite3.Connection, call: Call) -> tuple[int, Any]:
    """Find who answers, in JSON or with a Sheet; raises Refused."""
    for method, pattern, answer in ROUTES:
        found = pattern.fullmatch(call.path)
        if found is None:
            continue
        if method == call.method or (method == "GET" and call.method == "HEAD"):
            return answer(database, call, *found.groups())
    if any(pattern.fullmatch(call.path) for _, pattern, _ in ROUTES):
        raise Refused(405, "method_not_allowed", f"{call.method} is not possible here.")
    raise Refused(404, "not_found", f"There is nothing at {call.path[:200]}.")


def list_of(table: str, *columns: str) -> Callable[..., tuple[int, JSON]]:
    """A route that lists a table, newest first, at most 200 rows."""
    names = ", ".join(columns)

    def answer(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
        rows = database.execute(f"SELECT {names} FROM {table} ORDER BY rowid DESC LIMIT 200").fetchall()
        return 200, {"items": [document(row) for row in rows]}

    return answer


def one_of(table: str, id_column: str, *columns: str) -> Callable[..., tuple[int, JSON]]:
    """A route that shows one row of a table."""
    names = ", ".join(columns)

    def answer(database: sqlite3.Connection, call: Call, id_: str) -> tuple[int, JSON]:
        row = database.execute(f"SELECT {names} FROM {table} WHERE {id_column} = ?", (id_,)).fetchone()
        if row is None:
            raise Refused(404, "not_found", f"There is no {id_[:60]} here.")
        return 200, document(row)

    return answer


def credit(database: sqlite3.Connection, call: Call, customer: str) -> tuple[int, JSON]:
    """Whether the customer may buy for this amount on account."""
    row = database.execute("SELECT * FROM customers WHERE id = ?", (customer,)).fetchone()
    if row is None:
        raise Refused(404, "no_such_customer", f"There is no customer {customer[:60]}.")
    asked = parse_qs(call.query).get("amount", ["0"])[0]
    amount = money(asked, "amount")
    unpaid = database.execute(
        "SELECT amount FROM invoices WHERE customer = ? AND status = 'open'", (customer,)
    ).fetchall()
    outstanding = sum((Decimal(invoice["amount"]) for invoice in unpaid), Decimal(0))
    available = Decimal(row["credit_limit"]) - outstanding
    approved = not row["blocked"] and amount <= available
    reason = "blocked" if row["blocked"] else "within the limit" if approved else "over the limit"
    return 200, {
        "customer": customer, "name": row["name"], "approved": approved, "reason": reason,
        "limit": Decimal(row["credit_limit"]), "outstanding": outstanding, "available": available,
    }  # fmt: skip


def new_order(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """File an order under its own number; a second order of that number is refused."""
    asked = object_of(call)
    number = words(asked, "number")
    lines = asked.get("lines", [])
    row = (number, words(asked, "customer"), str(money(asked.get("total"), "total")), currency(asked), dumps(lines))
    try:
        database.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", (*row, call.now))
    except sqlite3.IntegrityError:
        raise Refused(409, "order_exists", f"Order {number} is filed already.") from None
    return 201, {"number": number, "total": Decimal(row[2]), "currency": row[3], "created_at": instant(call.now)}


def new_invoice(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Make out an invoice; asked twice without a key and a reference, the customer gets two."""
    asked = object_of(call)
    amount = money(asked.get("amount"), "amount")
    if amount <= 0:
        raise Refused(422, "bad_amount", "An invoice is for more than nothing.")
    reference = perhaps(asked, "reference")
    refuse_used_reference(database, "invoices", reference)
    id_ = f"INV-{1001 + int(database.execute('SELECT count(*) FROM invoices').fetchone()[0])}"
    customer = words(asked, "customer")
    row = (id_, words(asked, "order"), customer, str(amount), currency(asked), "open", call.now)
    database.execute(
        "INSERT INTO invoices (id, order_number, customer, amount, currency, status, created_ms, reference, key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, reference, call.key),
    )
    known = database.execute("SELECT name, email FROM customers WHERE id = ?", (customer,)).fetchone()
    return 201, {
        "id": id_, "order": row[1], "customer": customer, "name": known["name"] if known else customer,
        "email": known["email"] if known else None, "amount": amount, "currency": row[4], "status": "open",
        "created_at": instant(call.now),
    }  # fmt: skip


def new_payment(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Take a payment for an invoice; taken twice without a key and a reference, the customer has paid twice."""
    asked = object_of(call)
    amount = money(asked.get("amount"), "amount")
    invoice = database.execute("SELECT * FROM invoices WHERE id = ?", (words(asked, "invoice"),)).fetchone()
    if invoice is None:
        raise Refused(404, "no_such_invoice", f"There is no invoice {words(asked, 'invoice')[:60]}.")
    if invoice["status"] == "void":
        raise Refused(409, "invoice_void", f"Invoice {invoice['id']} is void: nothing can be paid on it.")
    if amount != Decimal(invoice["amount"]):
        raise Refused(422, "wrong_amount", f"Invoice {invoice['id']} is for {invoice['amount']}, not {amount}.")
    id_ = f"PAY-{5001 + int(database.execute('SELECT count(*) FROM payments').fetchone()[0])}"
    method = asked.get("method", "card")
    if method not in ("card", "transfer", "direct debit"):
        raise Refused(422, "bad_method", "Pay by card, transfer or direct debit.")
    reference = perhaps(asked, "reference")
    refuse_used_reference(database, "payments", reference)
    database.execute(
        "INSERT INTO payments (id, invoice, amount, currency, method, created_ms, reference)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id_, invoice["id"], str(amount), invoice["currency"], method, call.now, reference),
    )
    status = mark_by_payments(database, invoice["id"])
    return 201, {
        "id": id_, "invoice": invoice["id"], "amount": amount, "currency": invoice["currency"], "method": method,
        "invoice_status": status, "created_at": instant(call.now),
    }  # fmt: skip


def new_behaviour(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Give a standing order such as {"path": "/invoices", "behaviour": "fail=503", "times": 3}."""
    asked = object_of(call)
    text, times = asked.get("behaviour"), asked.get("times")
    if not isinstance(text, str) or not text or (times is not None and (type(times) is not int or times < 1)):
        raise Refused(422, "bad_behaviour", "Send path, behaviour (such as fail=503) and maybe times (from 1).")
    try:
        parse(text)
    except ValueError as error:
        raise Refused(422, "bad_behaviour", str(error)) from None
    path, method = asked.get("path", "/"), asked.get("method", "*")
    made = database.execute(
        "INSERT INTO behaviours (method, path, behaviour, remaining) VALUES (?, ?, ?, ?)",
        (str(method), str(path), text, times),
    )
    return 201, {"id": made.lastrowid, "method": str(method), "path": str(path), "behaviour": text, "times": times}


def forget_behaviours(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Behave again."""
    return 200, {"forgotten": database.execute("DELETE FROM behaviours").rowcount}


def calls(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """The ledger, oldest first: `?after=seq&limit=200&key=…&path=…` (a path is given whole)."""
    query = parse_qs(call.query)
    after, limit = (whole(query.get(name, [default])[0]) for name, default in (("after", "0"), ("limit", "200")))
    key, path = (query.get(name, [None])[0] for name in ("key", "path"))
    rows = database.execute(
        "SELECT seq, at_ms, method, path, key, body_sha256, headers, behaviour, status, applied, replayed FROM calls"
        " WHERE seq > ? AND (? IS NULL OR key = ?) AND (? IS NULL OR path = ?) ORDER BY seq LIMIT ?",
        (after, key, key, path, path, min(limit, 1000)),
    ).fetchall()
    return 200, {"items": [document(row) for row in rows]}


def summary(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Counts over the whole ledger, and each key's own: what shows a lost or a repeated effect."""
    total = database.execute(
        "SELECT count(*) AS calls, coalesce(sum(applied), 0) AS applied, coalesce(sum(replayed), 0) AS replayed"
        " FROM calls"
    ).fetchone()
    keys = database.execute(
        "SELECT key, path, count(*) AS calls, sum(applied) AS applied, sum(replayed) AS replayed,"
        " count(DISTINCT body_sha256) AS bodies FROM calls WHERE key IS NOT NULL GROUP BY key, path ORDER BY min(seq)"
    ).fetchall()
    mails = database.execute("SELECT count(*), coalesce(sum(deliveries), 0) FROM mails").fetchone()
    return 200, {
        **dict(total), "mails": mails[0], "mail_deliveries": mails[1], "keys": [dict(row) for row in keys],
    }  # fmt: skip


def health(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """The company is open."""
    return 200, {"company": "The practice company", "open": True}


INVOICE = ("id", "order_number", "customer", "amount", "currency", "status", "created_ms", "reference", "voided_ms")
PAYMENT = ("id", "invoice", "amount", "currency", "method", "status", "created_ms", "reference")
REFUND = ("id", "payment", "invoice", "amount", "currency", "reason", "created_ms")
CREDIT = (
    "id", "order_number", "customer", "amount", "currency", "reason", "status", "created_ms", "reference",
    "cancelled_ms",
)  # fmt: skip
DELIVERY = ("id", "order_number", "sku", "quantity", "status", "created_ms", "reference", "cancelled_ms")
PRODUCT = ("sku", "name", "in_stock")
ORDER = ("number", "customer", "total", "currency", "lines", "created_ms")
CUSTOMER = ("id", "name", "email", "country", "credit_limit", "blocked")
MAIL = ("id", "message_id", "sender", "recipients", "subject", "text", "received_ms", "deliveries")

ROUTES: tuple[tuple[str, re.Pattern[str], Callable[..., tuple[int, JSON]]], ...] = (
    ("GET", re.compile("/health"), health),
    ("GET", re.compile("/customers"), list_of("customers", *CUSTOMER)),
    ("GET", re.compile("/customers/([^/]+)"), one_of("customers", "id", *CUSTOMER)),
    ("GET", re.compile("/customers/([^/]+)/credit"), credit),
    ("GET", re.compile("/orders"), list_of("orders", *ORDER)),
    ("POST", re.compile("/orders"), new_order),
    ("GET", re.compile("/orders/([^/]+)"), one_of("orders", "number", *ORDER)),
    ("GET", re.compile("/invoices"), list_of("invoices", *INVOICE)),
    ("GET", re.compile("/invoices/by-key/([^/]+)"), one_of("invoices", "key", *INVOICE)),
    ("POST", re.compile("/invoices"), new_invoice),
    ("GET", re.compile("/invoices/([^/]+)"), one_of("invoices", "id", *INVOICE)),
    ("POST", re.compile("/invoices/([^/]+)/void"), void_invoice),
    ("GET", re.compile("/payments"), list_of("payments", *PAYMENT)),
    ("POST", re.compile("/payments"), new_payment),
    ("GET", re.compile("/payments/([^/]+)"), one_of("payments", "id", *PAYMENT)),
    ("POST", re.compile("/payments/([^/]+)/refunds"), refund_payment),
    ("GET", re.compile("/refunds"), list_of("refunds", *REFUND)),
    ("GET", re.compile("/refunds/([^/]+)"), one_of("refunds", "id", *REFUND)),
    ("GET", re.compile("/credit-notes"), list_of("credits", *CREDIT)),
    ("POST", re.compile("/credit-notes"), new_credit),
    ("GET", re.compile("/credit-notes/([^/]+)"), one_of("credits", "id", *CREDIT)),
    ("POST", re.compile("/credit-notes/([^/]+)/cancel"), cancel_credit),
    ("GET", re.compile("/shipments"), shipments),
    ("GET", re.compile("/students"), students),
    ("GET", re.compile("/payables"), payables),
    ("GET", re.compile("/payables/summary"), payables_summary),
    ("GET", re.compile("/transfers"), transfers),
    ("POST", re.compile("/transfers"), new_transfer),
    ("POST", re.compile("/transfers/([^/]+)/cancel"), cancel_transfer),
    ("GET", re.compile("/ledger"), postings),
    ("POST", re.compile("/ledger"), new_posting),
    ("GET", re.compile("/bank-statement"), bank_statement),
    ("GET", re.compile("/open-items"), open_items),
    ("GET", re.compile("/receipts"), receipts),
    ("POST", re.compile("/receipts"), new_receipt),
    ("POST", re.compile("/receipts/([^/]+)/cancel"), cancel_receipt),
    ("GET", re.compile("/products"), list_of("products", *PRODUCT)),
    ("GET", re.compile("/products/([^/]+)"), one_of("products", "sku", *PRODUCT)),
    ("GET", re.compile("/deliveries"), list_of("deliveries", *DELIVERY)),
    ("POST", re.compile("/deliveries"), new_delivery),
    ("GET", re.compile("/deliveries/([^/]+)"), one_of("deliveries", "id", *DELIVERY)),
    ("POST", re.compile("/deliveries/([^/]+)/cancel"), cancel_delivery),
    ("GET", re.compile("/mails"), list_of("mails", *MAIL)),
    ("GET", re.compile("/behaviour"), list_of("behaviours", "id", "method", "path", "behaviour", "remaining")),
    ("POST", re.compile("/behaviour"), new_behaviour),
    ("DELETE", re.compile("/behaviour"), forget_behaviours),
    ("GET", re.compile("/calls"), calls),
    ("GET", re.compile("/calls/summary"), summary),
)
