"""The company's suppliers: what is due to each on a day, and the bank that pays them.

`GET /payables?date=2026-11-30&of=24`: a supplier each, with the invoices that are due, 500 on a page;
`GET /payables/summary?…`: how many suppliers that are, and what is due to them together, as the ledger has it. Nothing
of it is kept: all that is said of a supplier follows from their number and the day. `POST /transfers` pays, and is
kept.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlencode

from builder.practice.asking import Call, Refused, currency, document, instant, money, object_of, perhaps, whole, words
from builder.practice.reversal import reason_of, refuse_used_reference, standing
from runtime.contracts import JSON

ALL = 24
MOST = 20_000
ON_A_PAGE = 500

NAMES = (
    "Brinkmann Papier", "Café Aroma", "Dvořák & synové", "Éclair Traiteur", "Fjord Fisk", "Grünwald Elektro",
    "Harbour Laundry", "Ιωνία Τρόφιμα", "Jansen Logistiek", "Kovářství Němec", "Lindqvist Möbler", "Mill Lane Bakery",
    "Novák Stavby", "Ölmühle Süd", "Παπαδάκης Κήποι", "Quay Plumbing", "Říha Tisk",
)  # fmt: skip
KINDS = ("GmbH", "Ltd", "s.r.o.", "AG", "ΑΕ", "B.V.")
CITIES = ("10969 Berlin", "Dublin 2", "110 00 Praha 1", "105 63 Αθήνα", "1012 Amsterdam", "602 00 Brno")
COLUMNS = "id, supplier, name, iban, amount, currency, text, status, created_ms, reference, cancelled_ms"


def payables(_database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """One page of suppliers with what is due to them, how many there are, and the address of the next page."""
    asked, day, count = _asked(call)
    page = max(whole(asked.get("page", "1")), 1)
    last = min(page * ON_A_PAGE, count)
    rows: list[JSON] = [supplier(number, day) for number in range((page - 1) * ON_A_PAGE + 1, last + 1)]
    following = urlencode({**asked, "date": day.isoformat(), "page": str(page + 1)})
    return 200, {"suppliers": rows, "total": count, "next": f"/payables?{following}" if last < count else None}


def payables_summary(_database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """The control totals: how many suppliers there are, and what is due to them together."""
    _, day, count = _asked(call)
    amount = sum((due(number, day) for number in range(1, count + 1)), Decimal(0))
    return 200, {"date": day.isoformat(), "suppliers": count, "amount": amount, "currency": "EUR"}


def _asked(call: Call) -> tuple[dict[str, str], date, int]:
    asked = {name: values[-1] for name, values in parse_qs(call.query).items()}
    text = asked.get("date", "")
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        day = None
    if day is None:
        raise Refused(422, "bad_date", f"“{text[:20]}” is no day: write the year, month and day, such as 2026-11-30.")
    return asked, day, min(whole(asked.get("of", str(ALL))), MOST)


def supplier(number: int, day: date) -> dict[str, JSON]:
    """What the company knows of one supplier, numbered from 1, and owes to them on that day.

    Of 24 one is blocked, one has no bank account on file, and one has changed it lately; one gets a large sum.
    """
    kind, city = KINDS[number % len(KINDS)], CITIES[number % len(CITIES)]
    name = NAMES[number % len(NAMES)]
    iban = f"IE{10 + number % 90} PRAC {number % 10_000:04} {number * 7 % 10_000:04} 12"
    return {
        "supplier": f"V-{number:04}",
        "name": f"{name} {kind}" if number <= len(NAMES) else f"{name} {number} {kind}",
        "street": f"Mill Lane {number}",
        "city": city,
        "iban": "" if number % 24 == 11 else iban,
        "bank_changed": number % 24 == 7,
        "blocked": number % 24 == 17,
        "amount": due(number, day),
        "currency": "EUR",
        "invoices": [*bills(number, day)],
    }


def due(number: int, day: date) -> Decimal:
    """What is due to this supplier."""
    return sum((Decimal(str(one["amount"])) for one in bills(number, day)), Decimal(0))


def bills(number: int, day: date) -> list[dict[str, JSON]]:
    """Their invoices that are due: one to three."""
    found: list[dict[str, JSON]] = []
    for at in range(1 + number % 3):
        cents = (number * 7_919 + at * 104_729 + day.toordinal() * 31) % 190_000 + 9_000
        if number % 24 == 20:
            cents += 1_000_000
        issued = day - timedelta(days=30 + at * 3)
        amount = Decimal(cents) / 100
        found.append({"invoice": f"{number}-{day:%y%m}{at + 1}", "date": issued.isoformat(), "amount": amount})
    return found


def new_transfer(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Pay: {"supplier": "V-0001", "name": "…", "iban": "IE11 …", "amount": 12.5, "currency": "EUR", "text": "…"}."""
    asked = object_of(call)
    amount, money_of = money(asked.get("amount"), "amount"), currency(asked)
    if amount <= 0:
        raise Refused(422, "bad_amount", "A transfer is about more than nothing.")
    supplier_id, name, iban, text = (words(asked, one) for one in ("supplier", "name", "iban", "text"))
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{6,40}", iban):
        raise Refused(422, "bad_iban", f"“{iban[:40]}” is no IBAN.")
    reference = perhaps(asked, "reference")
    refuse_used_reference(database, "transfers", reference)
    id_ = f"T-{60001 + int(database.execute('SELECT count(*) FROM transfers').fetchone()[0])}"
    database.execute(
        f"INSERT INTO transfers ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 'paid', ?, ?, NULL)",
        (id_, supplier_id, name, iban, str(amount), money_of, text, call.now, reference),
    )
    return 201, {
        "id": id_, "supplier": supplier_id, "name": name, "iban": iban, "amount": amount, "currency": money_of,
        "text": text, "status": "paid", "created_at": instant(call.now),
    }  # fmt: skip


def cancel_transfer(database: sqlite3.Connection, call: Call, named: str) -> tuple[int, JSON]:
    """Call a transfer back, once: before the bank's cut-off, which never comes here."""
    transfer = standing(database, "transfers", named)
    reason = reason_of(call)
    database.execute(
        "UPDATE transfers SET status = 'called back', cancelled_ms = ? WHERE id = ?", (call.now, transfer["id"])
    )
    return 200, {
        "id": transfer["id"], "supplier": transfer["supplier"], "amount": Decimal(transfer["amount"]),
        "currency": transfer["currency"], "status": "called back", "reason": reason, "cancelled_at": instant(call.now),
    }  # fmt: skip


def transfers(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """How many stand, what they come to, and the newest 200."""
    rows = database.execute(f"SELECT {COLUMNS} FROM transfers ORDER BY rowid DESC LIMIT 200").fetchall()
    standing_ = database.execute("SELECT amount FROM transfers WHERE status = 'paid'").fetchall()
    amount = sum((Decimal(row["amount"]) for row in standing_), Decimal(0))
    return 200, {"total": len(standing_), "amount": amount, "items": [document(row) for row in rows]}
