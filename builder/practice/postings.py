"""The company's ledger: what each account is charged at the end of a month, with the checksum of its statement."""

from __future__ import annotations

import re
import sqlite3

from builder.practice.asking import Call, Refused, currency, document, instant, money, object_of, words
from runtime.contracts import JSON

COLUMNS = "'L-' || id AS id, account, amount, currency, sha256, created_ms"


def new_posting(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Post a row: {"account": "S-00001", "amount": 12.5, "currency": "EUR", "sha256": "…"}."""
    asked = object_of(call)
    account, amount, money_of = words(asked, "account"), money(asked.get("amount"), "amount"), currency(asked)
    sha256 = asked.get("sha256")
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise Refused(422, "bad_sha256", "“sha256” is the checksum of the statement: 64 digits from 0 to f.")
    made = database.execute(
        "INSERT INTO postings (account, amount, currency, sha256, created_ms) VALUES (?, ?, ?, ?, ?)",
        (account, str(amount), money_of, sha256, call.now),
    )
    return 201, {
        "id": f"L-{made.lastrowid}", "account": account, "amount": amount, "currency": money_of, "sha256": sha256,
        "created_at": instant(call.now),
    }  # fmt: skip


def postings(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """How many rows there are, and the newest 200."""
    rows = database.execute(f"SELECT {COLUMNS} FROM postings ORDER BY postings.id DESC LIMIT 200").fetchall()
    total = database.execute("SELECT count(*) FROM postings").fetchone()[0]
    return 200, {"total": total, "items": [document(row) for row in rows]}
