"""The company's books as one page for people: no scripts, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from datetime import UTC, datetime
from html import escape

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2430;--faint:#5b6675;--line:#dfe4ea;--band:#f5f7f9}
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e6eaef;--faint:#9aa5b1;--line:#2c343d;--band:#1b2127}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.25rem 0 .5rem}p{color:var(--faint);margin:.25rem 0}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--faint);font-weight:600;font-size:.85rem}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
code{font-size:.85em;overflow-wrap:anywhere}
"""
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: Rows of each table.
SHOWN = 50

#: Title, what an empty table says, query, headings; a heading that ends in # is a number.
TABLES = (
    (
        "Invoices",
        "No invoice yet.",
        "SELECT id, order_number, customer, currency || ' ' || amount, status, created_ms FROM invoices",
        ("Invoice", "Order", "Customer", "Amount#", "Status", "Made"),
    ),
    (
        "Payments",
        "No payment yet.",
        "SELECT id, invoice, method, currency || ' ' || amount, status, created_ms FROM payments",
        ("Payment", "Invoice", "By", "Amount#", "Status", "Taken"),
    ),
    (
        "Refunds",
        "Nothing was given back.",
        "SELECT id, payment, invoice, currency || ' ' || amount, coalesce(reason, ''), created_ms FROM refunds",
        ("Refund", "Payment", "Invoice", "Amount#", "Why", "Given back"),
    ),
    (
        "Credit notes",
        "No credit note yet.",
        "SELECT id, order_number, customer, currency || ' ' || amount, status, created_ms FROM credits",
        ("Credit note", "Order", "Customer", "Amount#", "Status", "Booked"),
    ),
    (
        "Deliveries",
        "No delivery yet.",
        "SELECT id, order_number, sku, quantity, status, created_ms FROM deliveries",
        ("Delivery", "Order", "Product", "Pieces#", "Status", "Booked"),
    ),
    (
        "Ledger",
        "Nothing was posted yet.",
        "SELECT 'L-' || id, account, currency || ' ' || amount, sha256, created_ms FROM postings",
        ("Row", "Account", "Amount#", "Checksum of the statement", "Posted"),
    ),
    (
        "Receipts",
        "No payment was booked yet.",
        "SELECT id, line, currency || ' ' || amount, difference, invoices, status, created_ms FROM receipts",
        ("Receipt", "Line of the statement", "Amount#", "Difference#", "Invoices", "Status", "Booked"),
    ),
    (
        "Transfers to suppliers",
        "Nobody was paid yet.",
        "SELECT id, supplier || ' ' || name, iban, currency || ' ' || amount, status, created_ms FROM transfers",
        ("Transfer", "Supplier", "Account", "Amount#", "Status", "Made"),
    ),
    (
        "Mails sent",
        "No mail yet.",
        "SELECT subject, recipients, sender, deliveries, received_ms FROM mails",
        ("Subject", "To", "From", "Deliveries#", "Received"),
    ),
    (
        "Orders",
        "No order filed yet.",
        "SELECT number, customer, currency || ' ' || total, created_ms FROM orders",
        ("Order", "Customer", "Total#", "Filed"),
    ),
    (
        "Customers",
        "No customer.",
        "SELECT id, name, country, credit_limit, CASE blocked WHEN 1 THEN 'blocked' ELSE '' END FROM customers",
        ("Customer", "Name", "Country", "Credit limit#", ""),
    ),
    (
        "Products",
        "No product.",
        "SELECT sku, name, in_stock FROM products",
        ("Product", "Name", "In stock#"),
    ),
    (
        "Calls received",
        "Nobody has called yet.",
        "SELECT method || ' ' || path, coalesce(status, '–'), CASE WHEN replayed THEN 'repeat, answered from the books'"
        " WHEN applied THEN 'done' ELSE '' END, coalesce(key, ''), at_ms FROM calls",
        ("Call", "Answer#", "What became of it", "Key", "At"),
    ),
)


def books(database: sqlite3.Connection) -> str:
    """The page, from the books as they stand."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>The practice company</title><style>{STYLE}</style></head><body><main>",
        "<h1>The practice company</h1>",
        "<p>A small company to do business with while you learn: nothing here is real, everything is recorded.</p>",
    ]
    for title, empty, query, headings in TABLES:
        rows = database.execute(f"{query} ORDER BY rowid DESC LIMIT {SHOWN}").fetchall()
        parts.append(f"<h2>{title}</h2>")
        if len(rows) == SHOWN:
            count = database.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
            parts.append(f"<p>{count:,} in all, the newest {SHOWN} of them here.</p>")
        parts.append(table(headings, rows) if rows else f"<p>{empty}</p>")
    parts.append("</main></body></html>")
    return "".join(parts)


def table(headings: tuple[str, ...], rows: list[sqlite3.Row]) -> str:
    """One HTML table; every value is escaped."""
    number = ['class="n"' if heading.endswith("#") else "" for heading in headings]
    head = "".join(
        f"<th scope=col {kind}>{escape(heading.rstrip('#'))}</th>"
        for heading, kind in zip(headings, number, strict=True)
    )
    lines = []
    for row in rows:
        cells = "".join(
            f"<td {kind}>{shown(name, value)}</td>" for name, value, kind in zip(row.keys(), row, number, strict=True)
        )
        lines.append(f"<tr>{cells}</tr>")
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def shown(name: str, value: object) -> str:
    """One cell."""
    if name.endswith("_ms") and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return escape(str(value))
