"""What the trials of both outboxes need: a mail server, the points on the way, and how often somebody got a mail."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

from runtime.worker.outbox import LEASE_MS
from tests.faults.plant import Plant

#: The installation sends mail through the practice company's server.
POST: Final = {"MAIL_URL": "smtp://practice-company:25?tls=none", "MAIL_FROM": "Millrace <no-reply@example.com>"}
_UNDER_WAY_MS: Final = 5_000
_WAY: Final = ("claim", "send", "sent")


def points(outbox: str) -> tuple[str, ...]:
    """The points of whoever sends, in the order in which they are passed."""
    return tuple(f"{outbox}.{step}:{side}" for step in _WAY for side in ("before", "after"))


def came_twice(plant: Plant, point: str, *, message_id: str = "%", subject: str = "%") -> bool:
    """Whether somebody got the mail twice, under its one name, which may be only where a process died after it was sent
    and before that was noted. The texts are patterns of LIKE."""
    path = plant.directory / "data" / "practice" / "practice.sqlite3"
    books: Any = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = "SELECT deliveries FROM mails WHERE message_id LIKE ? AND subject LIKE ?"
        deliveries = [row[0] for row in books.execute(found, (message_id, subject))]
    finally:
        books.close()
    assert len(deliveries) == 1, f"{point}: one mail has one name: {deliveries}"
    assert 1 <= deliveries[0] <= (2 if point.endswith((".send:after", ".sent:before")) else 1), point
    return bool(deliveries[0] == 2)


def all_sent(plant: Plant, outbox: str, mine: str, which: object) -> bool:
    """Whether all these rows of an outbox were sent. What waits for others, or for the end of a try that nobody ended,
    is due at once: nobody waits for a minute. A try that began this moment is left alone, since it may be under way.

    outbox  its table
    mine    SQL behind `SELECT m.status `, with one parameter; `m` is the outbox
    """
    rows = plant.database.query(f"SELECT m.status {mine}", (which,))
    if rows and all(row[0] == "sent" for row in rows):
        return True
    taken = round(time.time() * 1000) + LEASE_MS
    plant.database.change(
        f"UPDATE {outbox} SET due_at = 1 WHERE due_at < {taken - _UNDER_WAY_MS} OR due_at > {taken + _UNDER_WAY_MS}"
    )
    return False
