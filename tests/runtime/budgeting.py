"""What tests of rate budgets share: another system that notes when calls arrive, and a vault with its connection."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from runtime import api
from runtime.contracts.budgets import BudgetLimits, Period
from runtime.engine.ids import uuid7
from runtime.ports import PORTS, ConnectionMissing
from runtime.store import budgets
from tests.runtime.machine import WORKSPACE, Machine, step

URL = "http://practice-company"


class Target:
    """Counts what arrives. `slow`: seconds until it answers; `refuse`: answers 429 to so many calls that begin with
    `refuses`, with this `Retry-After`; `ended`: does not take the token of so many others. Gives tokens at /token."""

    def __init__(self) -> None:
        self.arrived: list[tuple[float, str]] = []
        self.under_way = self.most_under_way = 0
        self.slow = 0.0
        self.refuse = self.ended = 0
        self.refuses = "/"
        self.retry_after = 2
        self._lock = threading.Lock()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                target._answer(self)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _answer(self, call: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.arrived.append((time.monotonic(), call.path))
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            is_token = call.path == "/token"
            refused = self.refuse > 0 and not is_token and call.path.startswith(self.refuses)
            self.refuse -= refused
            ended = self.ended > 0 and not is_token and not refused
            self.ended -= ended
        if self.slow:
            time.sleep(self.slow)
        length = int(call.headers.get("content-length") or 0)
        call.rfile.read(length)
        with self._lock:
            self.under_way -= 1
        body = b'{"rows": []}' if refused or call.path.endswith("page=5") else b'{"rows": [1, 2]}'
        body = b'{"access_token": "token-of-some-minutes", "expires_in": 300}' if is_token else body
        call.send_response(429 if refused else 401 if ended else 200)
        if refused:
            call.send_header("Retry-After", str(self.retry_after))
        call.send_header("content-type", "application/json")
        call.send_header("content-length", str(len(body)))
        call.end_headers()
        with contextlib.suppress(OSError):  # whoever called has died
            call.wfile.write(body)

    def most_within(self, seconds: float) -> int:
        """The most calls that arrived within any time of this length."""
        times = sorted(at for at, _ in self.arrived)
        return max((sum(first <= at < first + seconds for at in times) for first in times), default=0)

    def calls(self, path: str) -> list[float]:
        return [at for at, where in self.arrived if where.startswith(path)]


@dataclass(frozen=True)
class Key:
    """A connection as the vault opens it."""

    kind: str = "http_header"
    fields: dict[str, Any] = field(
        default_factory=lambda: {"name": "X-Key", "value": "secret-key", "allowed_hosts": ["practice-company"]}
    )
    secrets: tuple[str, ...] = ("secret-key",)


class OneKey:
    """A vault with one connection."""

    def __init__(self) -> None:
        self.id = uuid7()

    def open(self, *, workspace_id: UUID, connection_id: UUID) -> Key:
        if connection_id != self.id:
            raise ConnectionMissing("There is none.")
        return Key()


@pytest.fixture
def target(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A call counts as arrived some time after it has left, at the latest. This target is a thread of the test's own
    process: on a crowded machine it notes a call later than that, so here each counts until it was answered."""
    monkeypatch.setattr(budgets, "_LEAST_ARRIVAL_MS", 3_600_000)
    made = Target()
    settings.PRACTICE_COMPANY = True
    settings.PRACTICE_ADDRESS = ("127.0.0.1", made.server.server_address[1])
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> UUID:
    """The id of the connection."""
    vault = OneKey()
    monkeypatch.setattr(PORTS, "vault", vault)
    return vault.id


def limit(
    key: UUID,
    calls: int | None = None,
    period: Period = "second",
    *,
    at_once: int | None = None,
    machines: tuple[Machine, ...] = (),
) -> None:
    """Limit the connection; back when these machines know it."""
    limits = BudgetLimits(calls, period, at_once)
    api.set_budget(workspace_id=WORKSPACE, connection_id=key, name="ERP production", limits=limits)
    for machine in machines:
        assert machine.runtime is not None
        budgets = machine.runtime._budgets
        assert budgets is not None
        deadline = time.monotonic() + 60
        while key not in budgets.known:
            assert time.monotonic() < deadline, "the limit is not known"
            time.sleep(0.02)


def call(name: str, key: UUID, path: str = "/a", method: str = "GET", **settings: Any) -> dict[str, Any]:
    """A call by the limited connection."""
    body = {"body_type": "json", "json_body": {"from": name}} if method == "POST" else {}
    return step(
        name, "http.request@1", {"method": method, "url": f"{URL}{path}", "connection": str(key), **body}, **settings
    )
