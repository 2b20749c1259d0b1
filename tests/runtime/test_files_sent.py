"""What leaves as a file and comes as one never stands in memory, however large it is."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.conf import settings

from runtime.sdk import HttpAnswer, MailServer
from runtime.sdk.attachments import opened
from runtime.sdk.context import Portions
from runtime.sdk.files import FileValue
from runtime.store import files
from runtime.store.models import File
from runtime.worker.egress import Egress
from runtime.worker.files import StepFiles
from tests.nodes.servers import HOST, http_server
from tests.runtime.rows import WORKSPACE
from tests.runtime.test_files import asked, pool_run, readers

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = 40 * 2**20
#: What is read at a time is a quarter of a MiB, and a few of those are on their way at once.
MOST = 8 * 2**20


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


@pytest.fixture
def memory() -> Iterator[Callable[[], int]]:
    """How much was held at once, at most, since it began."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def large(size: int = LARGE) -> FileValue:
    saving = files.Saving()
    for _ in range(size // 2**20):
        saving.write(b"\x80" * 2**20)
    saving.finish()
    row: File = files.add(saving, workspace_id=WORKSPACE, name="a.bin", mime="application/x-a", by=None)
    return FileValue(str(row.pk), row.name, row.mime, row.size, row.sha256)


def echo(handler: BaseHTTPRequestHandler) -> None:
    """Answers with as many bytes as came."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(LARGE))
    handler.end_headers()
    for _ in range(LARGE // 2**16):
        handler.wfile.write(b"\x80" * 2**16)


async def test_a_large_file_goes_out_in_portions(memory: Callable[[], int]) -> None:
    seen: list[int] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        count = 0
        while count < LARGE and (portion := await reader.read(2**16)):
            count += len(portion)
        seen.append(count)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    doors = Egress.make(named={HOST: server.sockets[0].getsockname()})
    with readers() as pool:
        value = await pool_run(pool, large)
        door = StepFiles(WORKSPACE, asked(), pool)
        tracemalloc.reset_peak()
        body = Portions(value.size, lambda: door.open(value))
        answer: HttpAnswer = await doors.http.request("PUT", f"http://{HOST}/x", content=body)
    await doors.aclose()
    server.close()
    await server.wait_closed()
    assert (answer.status, seen) == (200, [LARGE])
    assert memory() < MOST


async def test_a_large_answer_comes_in_portions(memory: Callable[[], int]) -> None:
    with http_server() as server, readers() as pool:
        server.answers["/x"] = echo
        doors = Egress.make(named={HOST: ("127.0.0.1", server.port)})
        door = StepFiles(WORKSPACE, asked(), pool)
        kept: list[FileValue] = []

        async def save(portions: AsyncIterator[bytes]) -> None:
            kept.append(await door.save("a.bin", "application/x-a", portions))

        answer = await doors.http.request("GET", server.url("/x"), sink=lambda _status, _headers: save)
        await doors.aclose()
    assert (answer.content, [one.size for one in kept]) == (b"", [LARGE])
    assert memory() < MOST


class Counting:
    """A mail server that counts what comes and keeps none of it."""

    def __init__(self) -> None:
        self.taken = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                before = b""
                while not before.endswith(b"\r\n.\r\n"):
                    portion = await reader.read(2**16)
                    self.taken += len(portion)
                    before = (before + portion)[-5:]
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 OK\r\n")
        writer.close()


async def test_files_go_with_a_mail_in_portions(memory: Callable[[], int]) -> None:
    box = Counting()
    server = await asyncio.start_server(box.talk, "127.0.0.1", 0)
    doors = Egress.make(named_mail={HOST: server.sockets[0].getsockname()})
    with readers() as pool:
        size = 20 * 2**20
        value = await pool_run(pool, lambda: large(size))
        message = EmailMessage()
        message["From"] = message["To"] = "ann@example.com"
        message.set_content("x")
        tracemalloc.reset_peak()
        async with opened(StepFiles(WORKSPACE, asked(), pool), [value.as_json()]) as attached:
            await doors.mail.send(
                server=MailServer(HOST, 25, "none"), message=message, sender="ann@example.com",
                recipients=["ann@example.com"], attachments=attached,
            )  # fmt: skip
    server.close()
    await server.wait_closed()
    assert size * 4 // 3 < box.taken < size * 3 // 2
    assert memory() < MOST
