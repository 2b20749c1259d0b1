"""The company's mail box: a small SMTP server that files every mail and recognises one that comes again.

A mail is filed, on the disk, before it is accepted with 250. A second mail with the same Message-ID is accepted too
and counted, not filed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import sqlite3
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

from builder.practice.ledger import Ledger

LARGEST_MAIL = 10 * 1024 * 1024
MOST_RECIPIENTS = 100
ADDRESS = re.compile(rb"(?:FROM|TO):\s*<([^<>\s]{0,320})>", re.IGNORECASE)
IDLE_SECONDS = 60


class TooLarge(Exception):
    """A mail above the limit."""


class MailBox:
    """Serves SMTP connections; each mail goes into the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from greeting to QUIT."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            await self._converse(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(*lines: str) -> None:
            for number, line in enumerate(lines):
                code, text = line[:3], line[4:]
                writer.write(f"{code}{' ' if number == len(lines) - 1 else '-'}{text}\r\n".encode())
            await writer.drain()

        sender: str | None = None
        recipients: list[str] = []
        await say("220 practice-company at your service")
        while True:
            line = (await asyncio.wait_for(reader.readuntil(b"\n"), IDLE_SECONDS)).rstrip(b"\r\n")
            verb = line[:4].upper()
            match verb:
                case b"EHLO":
                    await say("250 practice-company", "250 8BITMIME", "250 SMTPUTF8", f"250 SIZE {LARGEST_MAIL}")
                case b"HELO":
                    await say("250 practice-company")
                case b"MAIL" if found := ADDRESS.search(line):
                    sender, recipients = found[1].decode("utf-8", "replace"), []
                    await say("250 ok")
                case b"RCPT" if sender is None:
                    await say("503 say MAIL FROM first")
                case b"RCPT" if len(recipients) >= MOST_RECIPIENTS:
                    await say("452 too many recipients")
                case b"RCPT" if found := ADDRESS.search(line):
                    recipients.append(found[1].decode("utf-8", "replace"))
                    await say("250 ok")
                case b"DATA" if sender is not None and recipients:
                    await say("354 end with a line that holds one dot")
                    try:
                        raw = await read_mail(reader)
                    except TooLarge:
                        await say("552 too large")
                        return
                    again = await self._file(sender, recipients, raw)
                    sender, recipients = None, []
                    await say("250 filed already" if again else "250 filed")
                case b"DATA":
                    await say("503 say MAIL FROM and RCPT TO first")
                case b"RSET":
                    sender, recipients = None, []
                    await say("250 ok")
                case b"NOOP":
                    await say("250 ok")
                case b"QUIT":
                    await say("221 goodbye")
                    return
                case _:
                    await say("500 not understood")

    async def _file(self, sender: str, recipients: list[str], raw: bytes) -> bool:
        """Put the mail into the ledger; True where it was there already."""
        mail = message_from_bytes(raw, policy=policy.default)
        message_id = str(mail.get("Message-ID", "")).strip() or f"sha256:{hashlib.sha256(raw).hexdigest()}"
        subject = str(mail.get("Subject", ""))
        row = (message_id, sender, ", ".join(recipients), subject, text_of(mail), raw, int(time.time() * 1000))

        def work(database: sqlite3.Connection) -> bool:
            filed = database.execute(
                "INSERT INTO mails (message_id, sender, recipients, subject, text, raw, received_ms, deliveries)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (message_id) DO UPDATE SET deliveries = deliveries + 1"
                " RETURNING deliveries",
                row,
            ).fetchone()
            return int(filed[0]) > 1

        return await self._ledger.do(work)


async def read_mail(reader: asyncio.StreamReader) -> bytes:
    """The mail up to the line with the dot, dots unstuffed; raises TooLarge."""
    lines: list[bytes] = []
    size = 0
    while True:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), IDLE_SECONDS)
        if line in (b".\r\n", b".\n"):
            return b"".join(lines)
        if line.startswith(b"."):
            line = line[1:]
        size += len(line)
        if size > LARGEST_MAIL:
            raise TooLarge
        lines.append(line)


def text_of(mail: EmailMessage) -> str:
    """The mail's plain text, or its HTML as it came, at most 20,000 characters."""
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        return str(part.get_content())[:20_000]
    except (LookupError, UnicodeError, KeyError):
        return ""
