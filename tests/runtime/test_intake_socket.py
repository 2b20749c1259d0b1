"""The door behind its real server: what only a socket can show."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from django.db import connection

from builder.config.corked import HttpProtocol
from runtime.intake.app import Intake
from runtime.store.models import Event
from runtime.store.writer import Writer
from tests.runtime.rows import a_webhook

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def talk(writer: Writer, *conversations: Talk, keep_alive: int = 5, **settings: Any) -> None:
    """Serve on a free port and hold these conversations at the same time."""

    async def whole() -> None:
        intake = Intake(writer, **settings)
        server = uvicorn.Server(
            uvicorn.Config(
                intake,
                port=0,
                lifespan="off",
                log_level="error",
                ws="none",
                access_log=False,
                http=HttpProtocol,
                timeout_keep_alive=keep_alive,
            )
        )
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]

        async def one(conversation: Talk) -> None:
            reader, wire = await asyncio.open_connection("127.0.0.1", port)
            try:
                async with asyncio.timeout(20):
                    await conversation(reader, wire)
            finally:
                wire.close()

        try:
            await asyncio.gather(*map(one, conversations))
        finally:
            server.should_exit = True
            await serving
            await intake.close()

    asyncio.run(whole())


async def answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    """Status and JSON body of the next response."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    length = next(int(line.split(":")[1]) for line in head if line.startswith("content-length:"))
    return int(head[0].split()[1]), json.loads(await reader.readexactly(length))


def post(body: bytes, *more: str) -> bytes:
    lines = ["POST /hooks/orders HTTP/1.1", "Host: h.test", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def test_one_connection_carries_one_request_after_another(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        for number in range(3):
            wire.write(post(b'{"n":%d}' % number))
            assert (await answer(reader))[0] == 202

    talk(writer, conversation)
    assert sorted(bytes(event.body or b"") for event in Event.objects.all()) == [b'{"n":0}', b'{"n":1}', b'{"n":2}']


def test_requests_that_come_at_once_are_answered_in_their_order(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        quick = post(b"{}")
        unknown = quick.replace(b"/hooks/orders", b"/hooks/nobody")
        for _ in range(2):
            wire.write(quick + unknown + quick + unknown + unknown + quick)
            assert [(await answer(reader))[0] for _ in range(6)] == [202, 404, 202, 404, 404, 202]

    talk(writer, conversation)
    assert Event.objects.count() == 6


def test_half_a_request_behind_one_that_waits_is_given_up_too(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        for _ in range(2):
            wire.write(post(b"{}"))
            assert (await answer(reader))[0] == 202
        wire.write(post(b"{}") + b"POST /hooks/orders HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{")
        assert [(await answer(reader))[0] for _ in range(2)] == [202, 408]

    talk(writer, conversation, body_patience=0.5)


def test_a_connection_that_shall_close_closes_after_its_answer(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        for _ in range(3):
            wire.write(post(b"{}"))
            assert (await answer(reader))[0] == 202
        wire.write(post(b"{}", "Connection: close"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert "\r\nconnection: close\r\n" in head
        assert head.count("content-length") == 1
        assert b'"run"' in await reader.read()

    talk(writer, conversation)
    assert Event.objects.count() == 4


def test_a_connection_is_kept_while_it_is_used_and_closed_when_it_is_idle(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        for _ in range(4):
            wire.write(post(b"{}"))
            assert (await answer(reader))[0] == 202
            await asyncio.sleep(1)
        async with asyncio.timeout(60):
            assert await reader.read() == b""

    talk(writer, conversation, keep_alive=3)


def _stored() -> int:
    try:
        return Event.objects.count()
    finally:
        connection.close()


def test_a_caller_who_leaves_before_the_answer_has_sent_it_all_the_same(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        wire.write(post(b"{}"))
        assert (await answer(reader))[0] == 202
        wire.write(post(b'{"last": true}'))
        await wire.drain()
        wire.transport.abort()
        async with asyncio.timeout(60):
            while await asyncio.to_thread(_stored) < 2:
                await asyncio.sleep(0.05)

    talk(writer, conversation)
    assert Event.objects.count() == 2


def test_who_does_not_read_the_answers_cannot_make_the_server_pile_them_up(writer: Writer) -> None:
    a_webhook()
    sent = 0

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        nonlocal sent
        many = post(b"{}").replace(b"/hooks/orders", b"/hooks/nobody") * 500
        wire.write(post(b"{}"))
        await answer(reader)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while sent < 400_000:
                    wire.write(many)
                    await wire.drain()
                    sent += 500
        wire.transport.abort()

    talk(writer, conversation)
    assert sent < 400_000


def test_a_chunked_body_is_read_to_its_end(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        wire.write(b"POST /hooks/orders HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (b'{"a"', b":1}"):
            wire.write(b"%x\r\n%s\r\n" % (len(part), part))
            await wire.drain()
            await asyncio.sleep(0.05)
        wire.write(b"0\r\n\r\n")
        assert (await answer(reader))[0] == 202

    talk(writer, conversation)
    assert bytes(Event.objects.get().body or b"") == b'{"a":1}'


def test_an_endless_body_ends_at_the_limit(writer: Writer) -> None:
    a_webhook()
    sent = 0

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        nonlocal sent
        wire.write(b"POST /hooks/orders HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        reply = asyncio.create_task(answer(reader))
        part = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        while not reply.done() and sent < 64 * 1024 * 1024:
            try:
                wire.write(part)
                await wire.drain()
            except ConnectionError:
                break
            sent += len(part)
        assert (await reply)[0] == 413

    talk(writer, conversation)
    assert sent < 16 * 1024 * 1024
    assert Event.objects.count() == 0


def test_a_caller_who_drips_is_given_up_and_others_do_not_notice(writer: Writer) -> None:
    a_webhook()

    async def drip(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        wire.write(b"POST /hooks/orders HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{")
        assert (await answer(reader))[0] == 408

    async def normal(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        for _ in range(20):
            wire.write(post(b"{}"))
            assert (await answer(reader))[0] == 202

    talk(writer, drip, normal, body_patience=0.5)
    assert Event.objects.count() == 20


def test_a_caller_who_hangs_up_half_way_starts_nothing(writer: Writer) -> None:
    a_webhook()

    async def conversation(reader: asyncio.StreamReader, wire: asyncio.StreamWriter) -> None:
        wire.write(b"POST /hooks/orders HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{")
        await wire.drain()

    talk(writer, conversation)
    assert Event.objects.count() == 0
