"""Mail's half of the door to the network: vetted as `egress` vets, spoken in threads.

A message goes out in portions: what is attached to it never stands in memory as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from functools import cache
from typing import Final

from runtime.sdk import MailReceipt, MailServer
from runtime.sdk.addresses import read_host
from runtime.sdk.attachments import Attachment, OutgoingMail, in_lines
from runtime.worker.egress_rules import (
    Delivery,
    Guard,
    Named,
    all_refused,
    is_v6,
    mail_failure,
    mail_refused,
    said,
    too_large_for,
)
from runtime.worker.traced import Calling

#: Whom this machine trusts, for each use, which sets its own protocols; read once, for that takes 30 ms.
trusted = cache(lambda _use: ssl.create_default_context())
QUIT_SECONDS: Final = 2.0


class _PinnedSmtp(smtplib.SMTP):
    """smtplib that connects to the vetted address; TLS and the greeting still use the server's name."""

    def __init__(self, host: str, address: str, port: int, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._tls = tls
        super().__init__(timeout=timeout, local_hostname="millrace.local")
        self._host = host  # what TLS proves
        code, message = self.connect(host, port)
        if code != 220:
            self.close()
            raise smtplib.SMTPConnectError(code, message)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        raw = socket.create_connection((self._address, port), timeout)
        return self._tls.wrap_socket(raw, server_hostname=host) if self._tls is not None else raw


def _hand_over(smtp: smtplib.SMTP, data: OutgoingMail) -> tuple[int, bytes]:
    """What `SMTP.data` does, in portions."""
    code, words = smtp.docmd("data")
    if code != 354:
        return code, words
    for portion in in_lines(data.portions()):
        smtp.send(portion)
    smtp.send(b".\r\n")
    return smtp.getreply()


class EgressMail:
    """Mail through the guard; see `runtime.sdk.context.MailSender`. Each message is spoken in a thread of its own."""

    def __init__(self, *, guard: Guard, named: Named, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._named = {name.lower(): target for name, target in named.items()}
        self._tls = tls

    async def send(
        self,
        *,
        server: MailServer,
        message: EmailMessage,
        sender: str,
        recipients: Sequence[str],
        total_seconds: float = 30.0,
        attachments: Sequence[Attachment] = (),
    ) -> MailReceipt:
        data = OutgoingMail(message, attachments)
        with Calling("SMTP", server.host, server.port):
            return await self._speak(
                server,
                total_seconds,
                lambda place, progress: self._deliver(server, place, sender, recipients, data, total_seconds, progress),
            )

    async def check(self, *, server: MailServer, total_seconds: float = 15.0) -> None:
        def sign_in(place: tuple[str, int], progress: Delivery) -> MailReceipt:
            with contextlib.closing(self._open(server, place, total_seconds)):
                return MailReceipt((), {})

        with Calling("SMTP", server.host, server.port):
            await self._speak(server, total_seconds, sign_in)

    async def _speak(
        self, server: MailServer, total_seconds: float, talk: Callable[[tuple[str, int], Delivery], MailReceipt]
    ) -> MailReceipt:
        host = server.host.strip().lower().removesuffix(".")
        progress = Delivery()
        try:
            async with asyncio.timeout(total_seconds):
                if host in self._named:
                    place = self._named[host]
                else:
                    host = read_host(server.host, host) if not is_v6(host) else host
                    place = (str((await self._guard.addresses(host, server.port, 10.0))[0]), server.port)
                return await asyncio.to_thread(talk, place, progress)
        except TimeoutError:
            raise mail_failure(server.host, "timeout", maybe_applied=progress.give_up()) from None
        except asyncio.CancelledError:
            progress.give_up()  # nobody waits for the thread any more: it must not send after this
            raise
        except smtplib.SMTPAuthenticationError as error:
            raise mail_failure(server.host, "smtp_auth", said(error.smtp_error)) from None
        except smtplib.SMTPRecipientsRefused as error:
            raise all_refused(server.host, error.recipients) from None
        except smtplib.SMTPResponseException as error:
            raise mail_refused(server.host, error.smtp_code, said(error.smtp_error)) from None
        except smtplib.SMTPNotSupportedError as error:
            raise mail_failure(server.host, "smtp_unsupported", str(error)) from None
        except ssl.SSLCertVerificationError as error:
            raise mail_failure(server.host, "tls", error.verify_message) from None
        except (smtplib.SMTPException, OSError) as error:
            raise mail_failure(server.host, "smtp_connection", str(error), maybe_applied=progress.maybe_sent) from None

    def _open(self, server: MailServer, place: tuple[str, int], seconds: float) -> smtplib.SMTP:
        tls = self._tls or trusted("smtp")
        smtp = _PinnedSmtp(server.host, place[0], place[1], seconds, tls if server.security == "tls" else None)
        try:
            smtp.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                smtp.starttls(context=tls)
                smtp.ehlo()
            if server.username:
                smtp.login(server.username, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _deliver(
        self,
        server: MailServer,
        place: tuple[str, int],
        sender: str,
        recipients: Sequence[str],
        data: OutgoingMail,
        seconds: float,
        progress: Delivery,
    ) -> MailReceipt:
        with contextlib.closing(self._open(server, place, seconds)) as smtp:
            sized = smtp.does_esmtp and smtp.has_extn("size")
            most = smtp.esmtp_features.get("size", "").strip() if sized else ""
            if most.isdecimal() and 0 < int(most) < data.size:
                raise too_large_for(server.host, data.size, int(most))
            code, words = smtp.mail(sender, [f"size={data.size}"] if sized else [])
            if code != 250:
                raise smtplib.SMTPSenderRefused(code, words, sender)
            refused: dict[str, tuple[int, bytes]] = {}
            for recipient in recipients:
                code, words = smtp.rcpt(recipient)
                if code not in (250, 251):
                    refused[recipient] = (code, words)
            if len(refused) == len(recipients):
                raise smtplib.SMTPRecipientsRefused(refused)
            if not progress.may_leave():
                raise smtplib.SMTPServerDisconnected("given up")
            code, words = _hand_over(smtp, data)
            if code != 250:
                progress.refused()  # it answered: nothing is unknown any more
                raise smtplib.SMTPDataError(code, words)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                if smtp.sock is not None:
                    smtp.sock.settimeout(QUIT_SECONDS)  # a slow goodbye must not turn a sent mail into a doubt
                smtp.quit()
        return MailReceipt(
            tuple(recipient for recipient in recipients if recipient not in refused),
            {recipient: f"{code} {said(words)}" for recipient, (code, words) in refused.items()},
        )
