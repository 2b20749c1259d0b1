"""The company's school: as many students as one asks for, each with an account of thirty entries a month.

`GET /students?month=2026-11&of=200`: so many there are (12,000 unless said), 500 on a page. Nothing of it is kept: all
that is said of a student follows from their number and the month, so the same question has the same answer.
"""

from __future__ import annotations

import re
import sqlite3
from calendar import monthrange
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlencode

from builder.practice.asking import Call, Refused, whole
from runtime.contracts import JSON

ALL = 12_000
MOST = 100_000
ON_A_PAGE = 500
ENTRIES = 30

FIRST_NAMES = (
    "Ελένη", "Jiří", "Anna", "Νίκος", "Žofie", "Liam", "Χρυσάνθη", "Matěj", "Aoife", "Γιώργος", "Kateřina", "Emil",
    "Δήμητρα", "Ondřej", "Saoirse", "Θανάσης", "Růžena", "Jonas", "Φωτεινή",
)  # fmt: skip
LAST_NAMES = (
    "Dvořák", "Παπαδοπούλου", "Byrne", "Šťastný", "Αγγελίδης", "Müller", "Žížala", "Καραγιάννη", "Kelly", "Příhoda",
    "Οικονόμου", "Walsh", "Čermák", "Ξενάκης", "Murphy", "Němec", "Ζαφειρίου", "Doyle", "Hřebíček", "Ψαρρός", "Nolan",
    "Kučerová", "Βασιλείου",
)  # fmt: skip
STREETS = ("Quay Road", "Hill Street", "Žižkova", "Οδός Ερμού", "Mill Lane", "Široká", "Οδός Αθηνάς")
CITIES = ("Dublin 2", "110 00 Praha 1", "105 63 Αθήνα", "Cork", "602 00 Brno")
CHARGES = ("Tuition", "School lunch", "Bus pass", "Books", "Music lesson", "Český jazyk", "Ελληνικά", "Sports club")
SCHOOL: dict[str, JSON] = {"name": "Harbour School", "street": "12 Quay Road", "city": "Dublin 2"}


def students(_database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """One page of them, how many there are, and the address of the next page."""
    asked = {name: values[-1] for name, values in parse_qs(call.query).items()}
    month = asked.get("month") or datetime.fromtimestamp(call.now / 1000, UTC).strftime("%Y-%m")
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month):
        raise Refused(422, "bad_month", f"“{month[:20]}” is no month: write the year and the month, such as 2026-11.")
    count = min(whole(asked.get("of", str(ALL))), MOST)
    page = max(whole(asked.get("page", "1")), 1)
    last = min(page * ON_A_PAGE, count)
    rows: list[JSON] = [student(number, month) for number in range((page - 1) * ON_A_PAGE + 1, last + 1)]
    following = urlencode({**asked, "month": month, "page": str(page + 1)})
    return 200, {"students": rows, "total": count, "next": f"/students?{following}" if last < count else None}


def student(number: int, month: str) -> dict[str, JSON]:
    """What the school knows of one student, numbered from 1, at the end of a month such as 2026-11."""
    year, of_year = (int(part) for part in month.split("-"))
    days = monthrange(year, of_year)[1]
    entries = [entry(number, row, f"{month}-{1 + row * days // ENTRIES:02}") for row in range(ENTRIES)]
    amounts = [Decimal(f"{one['charge'] or 0}") - Decimal(f"{one['payment'] or 0}") for one in entries]
    return {
        "account": f"S-{number:05}",
        "name": f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number % len(LAST_NAMES)]}",
        "street": f"{STREETS[number % len(STREETS)]} {number}",
        "city": CITIES[number % len(CITIES)],
        "date": f"{month}-{days:02}",
        "entries": list(entries),
        "amount": sum(amounts, Decimal(0)),
        "currency": "EUR",
        "overdue": number % 7 == 0,
        "school": SCHOOL,
    }


def entry(number: int, row: int, date: str) -> dict[str, JSON]:
    """One line of an account: every third is a payment, which is always less than what was charged."""
    paid = row % 3 == 2
    charge, payment = Decimal((number * 37 + row * 1_117) % 9_000 + 500), Decimal((number * 13 + row * 71) % 400 + 100)
    return {
        "date": date,
        "reference": f"{number}-{row + 1}",
        "text": "Payment, thank you" if paid else CHARGES[(number + row) % len(CHARGES)],
        "charge": None if paid else charge / 100,
        "payment": payment / 100 if paid else None,
    }
