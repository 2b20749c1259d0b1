"""The callers: events with known ids, and three fsynced logs of what became of each. They behave as real senders do.

acked    a 2xx came: from then on the event must never be lost
refused  503: nothing was stored, the sender tries again
unknown  no answer came: nobody knows, the sender tries again with the same id
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one try; status 0 where nothing came."""

    key: str
    status: int
    body: Any
    seconds: float
    retry_after: str | None = None


class Senders:
    """Posts events to one installation and keeps the logs."""

    def __init__(self, directory: Path, port: Callable[[], int]) -> None:
        self.acked: set[str] = set()
        self.sent: set[str] = set()
        self.refused: list[Answer] = []
        self.unknown: list[Answer] = []
        #: Answers that no fault excuses: anything but 2xx, 503 or none.
        self.wrong: list[Answer] = []
        self._port = port
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(96, thread_name_prefix="sender")
        self._logs = {
            name: os.open(directory / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for name in ("acked", "refused", "unknown")
        }

    def post(self, path: str, key: str, *, ballast: int = 0, amount: str = "12.50", timeout: float = 45) -> Answer:
        """One try: POST the event and note what came back."""
        with self._lock:
            self.sent.add(key)
        document = {"id": key, "amount": amount} | ({"ballast": "x" * ballast} if ballast else {})
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port(), timeout=timeout)
        status, text, again = 0, b"", None
        try:
            connection.request("POST", path, json.dumps(document), headers)
            response = connection.getresponse()
            text = response.read()
            status, again = response.status, response.headers["Retry-After"]
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            connection.close()
        try:
            body: Any = json.loads(text) if text else None
        except ValueError:
            body = text.decode(errors="replace")
        answer = Answer(key, status, body, time.monotonic() - began, again)
        self._note(answer)
        return answer

    def start(self, path: str, key: str, *, ballast: int = 0) -> Future[Answer]:
        """`post` in a thread."""
        return self._pool.submit(self.post, path, key, ballast=ballast)

    def insist(self, path: str, key: str, *, ballast: int = 0, seconds: float = 60) -> Answer:
        """Try again and again with the same id until an answer other than 503 comes, as a sender does."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.post(path, key, ballast=ballast)
            if answer.status not in (0, 503) or time.monotonic() > deadline or self._closing.wait(0.1):
                return answer

    def insist_in_thread(self, path: str, key: str, *, seconds: float = 120) -> Future[Answer]:
        """`insist` in a thread."""
        return self._pool.submit(self.insist, path, key, seconds=seconds)

    def close(self) -> None:
        """Wait for the threads and close the logs."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for log in self._logs.values():
            os.close(log)

    def _note(self, answer: Answer) -> None:
        with self._lock:
            if 200 <= answer.status < 300:
                name = "acked"
                self.acked.add(answer.key)
            elif answer.status == 503:
                name = "refused"
                self.refused.append(answer)
            elif answer.status == 0:
                name = "unknown"
                self.unknown.append(answer)
            else:
                name = "refused"
                self.wrong.append(answer)
            os.write(self._logs[name], f"{answer.key} {answer.status} {time.time():.3f}\n".encode())
            os.fsync(self._logs[name])
