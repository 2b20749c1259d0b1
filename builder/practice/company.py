"""What the company does with a call: recognise repeats, misbehave where told to, do the business, write it all down."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, field

from builder.practice.asking import Call, Refused
from builder.practice.bank import CSV, SHEETS, Sheet
from builder.practice.behaviour import Behaviour, join, parse
from builder.practice.business import route
from builder.practice.shipments import link
from runtime.contracts import dumps

#: Where a repeated key is recognised; reads need none.
WRITES = ("POST", "PUT", "PATCH", "DELETE")
RECORDED_HEADERS = re.compile(r"(x-millrace-.*|user-agent|idempotency-key|content-type|traceparent)\Z")
KEY_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What leaves the company. `cut` is `drop` or `reset` (connection cut) or `hang`; `delay_ms` is waited first."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = field(default=())
    delay_ms: int = 0
    cut: str = ""


def handle(database: sqlite3.Connection, call: Call) -> Answer:
    """Serve one call inside the ledger's transaction and record it; never raises Refused."""
    # Whoever gives a standing order means it, whatever the call asks for.
    behaviour = join(standing_orders(database, call), call.behaviour)
    earlier = earlier_calls(database, call)
    slow = behaviour.word("slow", earlier)
    delay = slow.number or 0 if slow else 0
    if behaviour.word("reset", earlier):
        record(database, call, behaviour, status=None)
        return Answer(0, "", delay_ms=delay, cut="reset")
    for kind, code, message in (
        ("fail", "out_of_order", "The company's system is out of order."),
        ("limit", "too_many", "Too many calls: come back later."),
    ):
        if word := behaviour.word(kind, earlier):
            status = word.number if kind == "fail" and word.number else 429
            headers = (("Retry-After", str(word.number)),) if kind == "limit" else ()
            record(database, call, behaviour, status=status)
            return Answer(status, problem(code, message), headers, delay)
    status, body, replayed = perform(database, call, ignore_key=behaviour.word("ignore", earlier) is not None)
    applied = call.method in WRITES and status < 300 and not replayed
    record(database, call, behaviour, status=status, applied=applied, replayed=replayed)
    also = (("Idempotent-Replayed", "true"),) if replayed else link(call)
    if call.path in SHEETS and status < 300:
        also = (*also, ("Content-Type", CSV))
    cut = next((kind for kind in ("drop", "hang") if behaviour.word(kind, earlier)), "")
    return Answer(status, body, also, delay, cut)


def perform(database: sqlite3.Connection, call: Call, *, ignore_key: bool) -> tuple[int, str, bool]:
    """Do the business once per key: status, body, and whether it is an earlier call's answer."""
    key = None if ignore_key or call.method not in WRITES else call.key
    if key is not None:
        saved = database.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
        if saved is not None:
            same = (saved["method"], saved["path"], saved["body_sha256"]) == (call.method, call.path, call.sha256)
            if same:
                return saved["status"], saved["body"], True
            return 422, problem("key_reused", "This Idempotency-Key was used for another call."), False
        if len(key) > KEY_LONGEST:
            return 400, problem("key_too_long", f"An Idempotency-Key has at most {KEY_LONGEST} characters."), False
    try:
        status, value = route(database, call)
    except Refused as refused:
        return refused.status, problem(refused.code, refused.message), False
    if isinstance(value, Sheet):
        return status, value.text, False
    body = dumps(value)
    if key is not None and status < 300:
        database.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", (key, call.method, call.path, call.sha256, status, body)
        )
    return status, body, False


# --- writing down -----------------------------------------------------------------------------------------------


def record(
    database: sqlite3.Connection,
    call: Call,
    behaviour: Behaviour,
    *,
    status: int | None,
    applied: bool = False,
    replayed: bool = False,
) -> None:
    """Append the call to the ledger."""
    headers = {name: value for name, value in call.headers.items() if RECORDED_HEADERS.fullmatch(name)}
    database.execute(
        "INSERT INTO calls (at_ms, method, path, key, body_sha256, body, headers, behaviour, status, applied, replayed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (call.now, call.method, call.path, call.key, call.sha256, call.body, dumps(headers), behaviour.text, status,
         applied, replayed),
    )  # fmt: skip


def earlier_calls(database: sqlite3.Connection, call: Call) -> int:
    """How often this very call was made before: by its key, or by its body where it has none."""
    column, value = ("key", call.key) if call.key else ("body_sha256", call.sha256)
    if not call.behaviour.words and not database.execute("SELECT 1 FROM behaviours").fetchone():
        return 0
    counted = database.execute(
        f"SELECT count(*) FROM calls WHERE {column} = ? AND method = ? AND path = ?", (value, call.method, call.path)
    )
    return int(counted.fetchone()[0])


def standing_orders(database: sqlite3.Connection, call: Call) -> Behaviour:
    """The standing behaviours that hold for this call; each call uses one of their `times` up."""
    if call.path.startswith("/behaviour"):
        return Behaviour()
    found = []
    for row in database.execute("SELECT * FROM behaviours WHERE remaining IS NULL OR remaining > 0 ORDER BY id"):
        if row["method"] in ("*", call.method) and call.path.startswith(row["path"]):
            found.append(parse(row["behaviour"]))
            if row["remaining"] is not None:
                database.execute("UPDATE behaviours SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
    return join(*found)


def problem(code: str, message: str) -> str:
    """The body of a refusal."""
    return dumps({"error": code, "message": message})
