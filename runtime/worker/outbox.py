"""Sends what waits in an outbox, at least once each, and never in the way of anything else.

A try begins with a commit that takes what is due for a minute and gives it a name. Whoever dies between sending and
noting that it was sent has it sent again under that name, by which receivers know a repeat.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from concurrent.futures import Executor
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from typing import ClassVar, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.ports import PORTS, ConnectionMissing
from runtime.sdk import MailSender, MailServer, StepFailure
from runtime.sdk.connections import mail_server
from runtime.sdk.mailboxes import read_mailbox
from runtime.store import failpoints
from runtime.store.brake import BRAKE
from runtime.worker.asking import ask_in

__all__ = ["AT_ONCE", "LEASE_MS", "MOST_TRIES", "SEND_SECONDS", "Mail", "Outbox", "mail", "send_mail", "wait_ms"]

AT_ONCE: Final = 8
LEASE_MS: Final = 60_000
SEND_SECONDS: Final = 30.0
MOST_TRIES: Final = 8
_FIRST_WAIT_MS: Final = 30_000
_LONGEST_WAIT_MS: Final = 4 * 3_600_000

Due = TypeVar("Due")
Parcel = TypeVar("Parcel")


class Outbox(ABC, Generic[Due, Parcel]):
    """Looks for what is due on the loop it is started on; the database is asked in a thread.

    name    of its logger and its task
    point   where a process can be made to die: before and after sending
    """

    name: ClassVar[str]
    point: ClassVar[str]

    def __init__(self, *, readers: Executor, period_seconds: float = 1.0) -> None:
        self._readers = readers
        self._period = period_seconds
        self._logger = logging.getLogger(f"millrace.{self.name}")
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    def due(self) -> list[Due]:
        """What is due, AT_ONCE at the most. In a thread, as `take` and `note` are."""

    @abstractmethod
    def take(self, due: Due) -> Parcel | None:
        """Take it for LEASE_MS; None where somebody else has, where nobody needs it any more, or where it cannot go
        out."""

    @abstractmethod
    async def send(self, parcel: Parcel) -> str | None:
        """Send it; why it was not taken, or None. What it raises of StepFailure is an answer too."""

    @abstractmethod
    def note(self, parcel: Parcel, error: str | None) -> None:
        """Put down what became of the try."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._rounds(), name=f"millrace-{self.name}")

    async def stop(self) -> None:
        """Stop sending. What is under way may be sent again by whoever comes next."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def round(self) -> int:
        """Send what is due, so much at a time; how much was tried."""
        due = await ask_in(self._readers, self.due)
        await asyncio.gather(*map(self._try, due))
        return len(due)

    async def _rounds(self) -> None:
        while True:
            try:
                # A backup that nobody has confirmed may know nothing of what went out since.
                while not (BRAKE.held or BRAKE.full) and await self.round():
                    pass
            except StoreUnavailable as error:
                self._logger.warning("Nothing was sent: %s", error)
            except Exception:
                self._logger.exception("Sending failed; the next round tries again.")
            await asyncio.sleep(self._period)

    async def _try(self, due: Due) -> None:
        parcel = await ask_in(self._readers, partial(self.take, due))
        if parcel is None:
            return
        failpoints.hit(f"{self.point}:before")
        try:
            error = await self.send(parcel)
        except StepFailure as failure:
            error = failure.message
        failpoints.hit(f"{self.point}:after")
        await ask_in(self._readers, partial(self.note, parcel, error))


def wait_ms(tries: int) -> int:
    """How long to wait after so many tries, one at least, before the next."""
    return int(min(_FIRST_WAIT_MS * 2 ** (tries - 1), _LONGEST_WAIT_MS))


class Mail(NamedTuple):
    """A message to one address, and the server that it goes out by."""

    server: MailServer
    sender: str
    recipient: str
    message: EmailMessage


def mail(
    *, workspace_id: UUID, by: UUID | None, to: str, name: str, subject: str, text: str, message_id: str, now: int
) -> Mail:
    """A mail of the installation's own. Raises ConnectionMissing, StepFailure and ValueError where it cannot go out.

    by          the connection to send it by; None: the installation's mail server
    to, name    an address, and whose it is
    message_id  what stands before the @ of the Message-ID: the same for each try
    now         of the database, in ms
    """
    server, sender = _server(workspace_id, by)
    sender_name, local, domain = read_mailbox(sender)
    _, to_local, to_domain = read_mailbox(to)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=sender_name, username=local, domain=domain)
    printable = "".join(one for one in name if one.isprintable())
    message["To"] = Address(display_name=printable, username=to_local, domain=to_domain)
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now // 1000, UTC))
    message["Message-ID"] = f"<{message_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return Mail(server, f"{local}@{domain}", f"{to_local}@{to_domain}", message)


async def send_mail(door: MailSender, one: Mail) -> str | None:
    """Send it; what the server said where it refused the recipient."""
    receipt = await door.send(
        server=one.server,
        message=one.message,
        sender=one.sender,
        recipients=[one.recipient],
        total_seconds=SEND_SECONDS,
    )
    return next(iter(receipt.refused.values()), None)


def _server(workspace_id: UUID, by: UUID | None) -> tuple[MailServer, str]:
    if by is not None:
        opened = PORTS.vault.open(workspace_id=workspace_id, connection_id=by)
        return mail_server(opened.fields), str(opened.fields.get("from_address") or "")
    if PORTS.post is None:
        raise ConnectionMissing("This installation has no mail server.")
    post = PORTS.post
    return MailServer(post.host, post.port, post.security, post.username, post.password), post.sender
