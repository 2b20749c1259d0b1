"""The outside world: the practice company in a process that no test kills, and its fsynced ledger of calls."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.processes import HarnessFailed
from tests.services.process import ROOT, Guarded, free_port, new_directory


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the company wrote it down, before it answered. `order` is `<event key>/<step>`."""

    seq: int
    at_ms: int
    path: str
    key: str | None
    body_sha256: str
    order: str
    status: int | None
    applied: bool

    @property
    def event(self) -> str:
        """The key of the event that caused it."""
        return self.order.rpartition("/")[0]

    @property
    def step(self) -> str:
        """The step that made it."""
        return self.order.rpartition("/")[2]


class Company:
    """The running company."""

    def __init__(self) -> None:
        directory = new_directory("company")
        command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "builder.practice"]
        command += ["--port", "0", "--smtp-port", "0", "--data", str(directory)]
        self._process = Guarded(command=command, directory=directory, stop_signal=signal.SIGTERM, account=None)
        self.port = 0
        if not self._process.wait_until(self._is_open):
            raise HarnessFailed(f"The practice company does not open:\n{self._process.log.read_text()}")
        self._books = sqlite3.connect(directory / "practice.sqlite3", check_same_thread=False, timeout=10)
        self._books.execute("PRAGMA query_only=1")

    def _is_open(self) -> bool:
        line = self._process.log.read_text().split("\n", 1)[0] if self._process.log.exists() else ""
        if not line.startswith("{"):
            return False
        self.port = int(json.loads(line)["port"])
        return True

    def environment(self) -> dict[str, str]:
        """Where the product finds it: this one takes the calls in place of the one inside the product."""
        return {
            "PRACTICE_COMPANY": "true",
            "PRACTICE_ADDRESS": f"127.0.0.1:{self.port}",
            "PRACTICE_SMTP_ADDRESS": f"127.0.0.1:{free_port()}",
        }

    def last(self) -> int:
        """The number of the newest call."""
        return int(self._books.execute("SELECT coalesce(max(seq), 0) FROM calls").fetchone()[0])

    def calls(self, *, after: int = 0, prefix: str = "") -> list[Call]:
        """Calls that came after that number for events whose key begins so, in the order they came."""
        rows = self._books.execute(
            "SELECT seq, at_ms, path, key, body_sha256, body, status, applied FROM calls WHERE seq > ? ORDER BY seq",
            (after,),
        )
        return [call for call in map(_call, rows) if call.order.startswith(prefix)]

    def looks(self, key: str) -> list[int]:
        """The numbers of the calls that asked whether something was done under this key."""
        rows = self._books.execute("SELECT seq FROM calls WHERE path = ? ORDER BY seq", (f"/invoices/by-key/{key}",))
        return [int(row[0]) for row in rows]

    def close(self) -> None:
        """Close its books."""
        self._books.close()
        self._process.stop()


def _call(row: Sequence[Any]) -> Call:
    seq, at_ms, path, key, sha256, body, status, applied = row
    try:
        order = str(json.loads(body).get("order", ""))
    except (ValueError, AttributeError):
        order = ""
    return Call(seq, at_ms, path, key, sha256, order, status, bool(applied))
