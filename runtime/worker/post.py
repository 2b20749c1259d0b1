"""Sends the mail about questions: rows of an outbox, at least once each, and never in the way of a run.

A try begins with a commit that takes the row for a minute. Whoever dies between sending and noting that it was sent has
it sent again, under the same Message-ID, by which receivers know a repeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final, NamedTuple, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.mail_links import digest, token_of
from runtime.ports import PORTS, ConnectionMissing
from runtime.sdk import MailSender, MailServer, StepFailure
from runtime.sdk.connections import mail_server
from runtime.sdk.mailboxes import read_mailbox
from runtime.store import failpoints
from runtime.store.brake import BRAKE
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanNote
from runtime.worker import mail_words

logger = logging.getLogger("millrace.post")

T = TypeVar("T")

_AT_ONCE: Final = 8
_LEASE_MS: Final = 60_000
_SEND_SECONDS: Final = 30.0
_MOST_TRIES: Final = 8
_FIRST_WAIT_MS: Final = 30_000
_LONGEST_WAIT_MS: Final = 4 * 3_600_000


class Letter(NamedTuple):
    """A row that was taken, with all that sending it needs."""

    mail_id: UUID
    server: MailServer
    sender: str
    message: EmailMessage


class Postman:
    """Looks for due rows on the loop it is started on; the database is asked in a thread."""

    def __init__(self, *, mail: MailSender, readers: Executor, period_seconds: float = 1.0) -> None:
        self._mail = mail
        self._readers = readers
        self._period = period_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._rounds(), name="millrace-post")

    async def stop(self) -> None:
        """Stop sending. What is under way may be sent again by whoever comes next."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _rounds(self) -> None:
        while True:
            try:
                # A backup that nobody has confirmed may know nothing of what went out since.
                while not (BRAKE.held or BRAKE.full) and await self.round():
                    pass
            except StoreUnavailable as error:
                logger.warning("No mail was sent: %s", error)
            except Exception:
                logger.exception("Sending mail failed; the next round tries again.")
            await asyncio.sleep(self._period)

    async def round(self) -> int:
        """Send what is due, so many at a time; how many were tried."""
        due = await self._ask(_due)
        await asyncio.gather(*(self._try(mail_id, at) for mail_id, at in due))
        return len(due)

    async def _try(self, mail_id: UUID, due_at: int) -> None:
        letter = await self._ask(lambda: _taken(mail_id, due_at))
        if letter is None:
            return
        error: str | None = None
        failpoints.hit("mail.send:before")
        try:
            receipt = await self._mail.send(
                server=letter.server,
                message=letter.message,
                sender=letter.sender,
                recipients=[_bare(str(letter.message["To"]))],
                total_seconds=_SEND_SECONDS,
            )
            if receipt.refused:
                error = next(iter(receipt.refused.values()))
        except StepFailure as failure:
            error = failure.message
        failpoints.hit("mail.send:after")
        await self._ask(lambda: _note(mail_id, error))

    async def _ask(self, query: Callable[[], T]) -> T:
        def asked() -> T:
            try:
                return query()
            except (DatabaseError, InterfaceError) as error:
                connections.close_all()
                raise StoreUnavailable(str(error)) from error

        return await asyncio.get_running_loop().run_in_executor(self._readers, asked)


def _due() -> list[tuple[UUID, int]]:
    rows = HumanMail.objects.filter(due_at__lte=database_now()).order_by("due_at").values_list("id", "due_at")
    return cast("list[tuple[UUID, int]]", list(rows[:_AT_ONCE]))


def _taken(mail_id: UUID, due_at: int) -> Letter | None:
    """Take it for a minute; None where somebody else has, where nobody needs it any more, or where it cannot go out."""
    with commit("mail.claim"):
        now = database_now()
        mine = HumanMail.objects.filter(pk=mail_id, due_at=due_at, status="waiting")
        row = mine.select_related("task").first()
        if row is None:
            return None
        reach = PORTS.people.known(workspace_id=row.task.workspace_id, tokens=[row.email])
        if row.task.status != "open" or row.task.is_too_late(now) or not reach:
            mine.update(status="dropped", due_at=None)
            return None
        taken = mine.update(due_at=now + _LEASE_MS, tries=row.tries + 1, token_sha256=digest(token_of(mail_id)))
        if not taken:
            return None
    try:
        server, sender = _server(row)
        return Letter(mail_id, server, _bare(sender), _message(row, sender, now))
    except (ConnectionMissing, StepFailure, ValueError) as error:
        _note(mail_id, str(error) or "There is no mail server to send this by.")
        return None


def _server(row: HumanMail) -> tuple[MailServer, str]:
    spec: Any = loads_stored(row.task.spec)
    if spec.get("mail"):
        opened = PORTS.vault.open(workspace_id=row.task.workspace_id, connection_id=UUID(spec["mail"]))
        return mail_server(opened.fields), str(opened.fields.get("from_address") or "")
    if PORTS.post is None:
        raise ConnectionMissing("This installation has no mail server any more.")
    post = PORTS.post
    return MailServer(post.host, post.port, post.security, post.username, post.password), post.sender


def _message(row: HumanMail, sender: str, now: int) -> EmailMessage:
    spec: Any = loads_stored(row.task.spec)
    name, local, domain = read_mailbox(sender)
    _, to_local, to_domain = read_mailbox(row.email)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=name, username=local, domain=domain)
    message["To"] = Address(display_name=_plain(row.name), username=to_local, domain=to_domain)
    message["Subject"] = mail_words.subject(row.kind, row.task.kind, row.task.title, row.language)
    message["Date"] = format_datetime(datetime.fromtimestamp(now // 1000, UTC))
    message["Message-ID"] = f"<question-{row.id.hex}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        mail_words.body(
            title=row.task.title,
            spec=spec,
            due_at=row.task.due_at,
            ends_at=row.task.ends_at,
            link=f"{getattr(settings, 'PUBLIC_URL', '')}/d/{token_of(row.id)}",
            language=row.language,
            time_zone=row.time_zone,
        )
    )
    return message


def _note(mail_id: UUID, error: str | None) -> None:
    """Put down what became of a try: sent, to be tried again, or given up, which those who look at the question see."""
    with commit("mail.sent"):
        now = database_now()
        row = HumanMail.objects.select_for_update().filter(pk=mail_id, status="waiting").first()
        if row is None:
            return
        if error is None:
            changes: dict[str, Any] = {"status": "sent", "sent_at": now, "due_at": None, "error": None}
        elif row.tries < _MOST_TRIES:
            wait = min(_FIRST_WAIT_MS * 2 ** (row.tries - 1), _LONGEST_WAIT_MS)
            changes = {"due_at": now + wait, "error": error[:400]}
        else:
            changes = {"status": "failed", "due_at": None, "error": error[:400]}
            HumanNote.objects.create(
                id=uuid7(), task_id=row.task_id, kind="mail_failed", at=now, to=row.email, text=error[:2000]
            )
        HumanMail.objects.filter(pk=mail_id).update(**changes)


def _bare(address: str) -> str:
    _, local, domain = read_mailbox(address)
    return f"{local}@{domain}"


def _plain(name: str) -> str:
    return "".join(one for one in name if one.isprintable())
