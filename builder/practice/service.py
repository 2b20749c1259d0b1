"""Opens and closes the company: its books and its mail box."""

from __future__ import annotations

import asyncio
from pathlib import Path

from builder.practice.ledger import Ledger
from builder.practice.smtp import MailBox


class Closed(RuntimeError):
    """The company was never opened in this process, or is closed."""


class _Company:
    """What is open in this process."""

    ledger: Ledger | None = None
    mail: asyncio.Server | None = None


_company = _Company()


async def start(directory: Path, smtp_address: tuple[str, int] | None) -> int | None:
    """Open the books in `directory` and the mail box at `smtp_address` (port 0 takes a free one); returns its port.

    Raises OSError where the address is taken.
    """
    if _company.ledger is None:
        _company.ledger = Ledger(directory / "practice.sqlite3")
    if smtp_address is None or _company.mail is not None:
        return None
    box = MailBox(_company.ledger)
    _company.mail = await asyncio.start_server(box.serve, *smtp_address, limit=64 * 1024)
    return int(_company.mail.sockets[0].getsockname()[1])


async def stop() -> None:
    """Close the mail box and the books."""
    mail, _company.mail = _company.mail, None
    if mail is not None:
        mail.close()
        mail.close_clients() if hasattr(mail, "close_clients") else None
    books, _company.ledger = _company.ledger, None
    if books is not None:
        await asyncio.to_thread(books.close)


def ledger() -> Ledger:
    """The open books; raises Closed."""
    if _company.ledger is None:
        raise Closed("The practice company is not open in this process.")
    return _company.ledger
