"""A lean caller in a process of its own: keep-alive connections, each with one request on its way.

    python -m tests.benchmarks.load --port 8000 --path /hooks/x --connections 32 --seconds 10

Prints one line of JSON. It costs about 15 microseconds of CPU a request, so that what is measured is the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from typing import cast

import uvloop


class Plan:
    """What to send, how much of it, and what came back."""

    def __init__(self, *, host: str, port: int, path: str, body: str, count: int, warm: float, seconds: float) -> None:
        self.host = host
        self.port = port
        self.head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: "
        self.body = body
        self.count = count
        self.warm = warm
        self.seconds = seconds
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.counted: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.began = 0.0
        self.done = asyncio.Event()
        self.failures = 0

    def next_request(self) -> bytes | None:
        """The next request, or None when enough was sent."""
        if self.count:
            if self.sent >= self.count:
                return None
        elif time.monotonic() - self.began >= self.warm + self.seconds:
            return None
        self.sent += 1
        body = self.body.replace("{n}", str(self.sent))
        return f"{self.head}{len(body)}\r\n\r\n{body}".encode()

    def answered(self, status: int, began: float) -> None:
        """Note one answer; only those after the warm-up count."""
        now = time.monotonic()
        self.statuses[status] += 1
        if self.count or self.warm <= now - self.began < self.warm + self.seconds:
            self.counted[status] += 1
            self.latencies.append(now - began)


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, plan: Plan, left: list[Caller]) -> None:
        self.plan = plan
        self.left = left
        self.buffer = b""
        self.sent_at = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class derives from nothing
        self.send()

    def send(self) -> None:
        assert self.transport is not None
        request = self.plan.next_request()
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.monotonic()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        self.plan.answered(int(head[9:12]), self.sent_at)
        self.buffer = b""
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self.plan.failures += 1
        self.left.remove(self)
        if not self.left:
            self.plan.done.set()


async def run(plan: Plan, connections: int) -> None:
    """Send everything and wait for the last answer."""
    loop = asyncio.get_running_loop()
    callers = [Caller(plan, []) for _ in range(connections)]
    for caller in callers:
        caller.left = callers
    plan.began = time.monotonic()
    waiting = list(callers)
    for caller in waiting:
        await loop.create_connection(lambda caller=caller: caller, plan.host, plan.port)  # type: ignore[misc]
    await plan.done.wait()


def main() -> None:
    """Read the arguments, send, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--count", type=int, default=0, help="how many requests; 0 goes by time")
    parser.add_argument("--warm", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--body", default='{"id": {n}, "total": 120.50}', help="{n} stands for the request's number")
    asked = parser.parse_args()
    plan = Plan(
        host=asked.host, port=asked.port, path=asked.path, body=asked.body, count=asked.count, warm=asked.warm,
        seconds=asked.seconds,
    )  # fmt: skip
    uvloop.run(run(plan, asked.connections))
    took = time.monotonic() - plan.began
    seconds = took if asked.count else asked.seconds
    latencies = sorted(plan.latencies) or [0.0]
    accepted = sum(number for status, number in plan.counted.items() if 200 <= status < 300)
    report = {
        "accepted": accepted,
        "per_second": round(accepted / seconds, 1),
        "sent": plan.sent,
        "statuses": dict(plan.statuses),
        "failures": plan.failures,
        "seconds": round(seconds, 3),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p95_ms": round(latencies[int(len(latencies) * 0.95)] * 1000, 2),
    }
    json.dump(report, sys.stdout)
    print(flush=True)


if __name__ == "__main__":
    main()
