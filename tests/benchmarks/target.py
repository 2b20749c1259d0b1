"""A lean HTTP server for steps to call, in a process of its own: answers 200 and remembers who called when.

    GET /-/count    how many calls came in
    GET /-/times    {"<id>": monotonic seconds} for calls to /first/<id>
    GET /students/<page>/<pages>    500 students with thirty ledger rows each, no two alike
    /once/<id>      refused once

Both clocks of a measurement are this machine's monotonic clock, which all its processes share.
"""

from __future__ import annotations

import asyncio
import json
import time
from functools import cache
from typing import cast

import uvloop

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class State:
    """What was seen."""

    calls = 0
    times: dict[str, float]

    def __init__(self) -> None:
        self.times = {}
        #: Paths that have been refused once.
        self.refused: set[str] = set()


class Target(asyncio.Protocol):
    """One connection."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class derives from nothing

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        self.buffer = self.buffer + data if self.buffer else data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end]
            at = head.lower().find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(self.answer(head.split(b" ", 2)[1].decode()))

    def answer(self, path: str) -> bytes:
        """Count a call, or tell."""
        if path.startswith("/once/") and path not in self.state.refused:
            self.state.refused.add(path)
            self.state.calls += 1
            return REFUSAL
        if path.startswith("/students/"):
            page, pages = path.removeprefix("/students/").split("/")
            return page_of(int(page), int(pages))
        if path == "/-/count":
            return written({"count": self.state.calls})
        if path == "/-/times":
            return written(self.state.times)
        self.state.calls += 1
        if path.startswith("/first/"):
            self.state.times.setdefault(path.removeprefix("/first/"), time.monotonic())
        return ANSWER


#: On one page.
STUDENTS = 500
CZECH = "ěščřžýáíé"
ROWS = 30


@cache
def page_of(page: int, pages: int) -> bytes:
    """Made once: while a page is made nobody else is answered, so whoever measures asks for all of them first."""
    return written(students(page, pages))


def students(page: int, pages: int) -> dict[str, object]:
    """One page of students, from page 1 on, and where the next one is."""
    first = (page - 1) * STUDENTS
    found = [statement(number) for number in range(first + 1, first + STUDENTS + 1)]
    return {"students": found, "next": f"/students/{page + 1}/{pages}" if page < pages else None}


def statement(number: int) -> dict[str, object]:
    """What a student's statement says; every one differs, with Greek and Czech letters."""
    entries = [
        {
            "date": f"2026-{1 + (number + row) % 12:02}-{1 + row % 28:02}",
            "reference": f"R-{number}-{row}",
            "text": f"Entry {chr(65 + number % 26)}{chr(0x3B1 + number * row % 17)}{CZECH[row % 9]} {number * row}",
            "charge": (number * 37 + row * 11) % 9000,
            "payment": None,
        }
        for row in range(ROWS)
    ]
    charged = sum(int(str(entry["charge"])) for entry in entries)
    return {
        "number": f"C-{number:05}",
        "date": "2026-11-30",
        "from": {"name": "Harbour School", "street": "12 Quay Road", "city": "Dublin 2"},
        "to": {"name": f"Student {number} Žížala", "street": f"{number} Hill Street", "city": "Αθήνα"},
        "entries": entries,
        "balance": charged,
        "overdue": number % 3 == 0,
        "amount": charged,
    }


def written(value: object) -> bytes:
    """A JSON answer."""
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def main() -> None:
    """Serve on a free port and print it."""
    state = State()
    server = await asyncio.get_running_loop().create_server(lambda: Target(state), "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
