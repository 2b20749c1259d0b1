"""The outside world of a drill: keeps every call and mail, fsynced before it answers, and reaches nobody."""

from __future__ import annotations

import contextvars
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from builder.config.drill.places import MARK, Places, found, stored_answer
from runtime.engine.jsonprofile import dumps_bytes
from runtime.ports import OpenConnection
from runtime.sdk import HttpAnswer, HttpClient, MailReceipt, MailSender, MailServer
from runtime.sdk.attachments import Attachment, OutgoingMail
from runtime.sdk.context import FolderDoor, OpenSink, Portions, SftpDoor
from runtime.worker.context import StepContext

__all__ = ["Recorder", "Stand", "duplicates", "read", "watch_steps"]

#: Asking twice changes nothing.
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Saying the same twice leaves the same.
_SAME_AGAIN: Final = frozenset({"PUT", "DELETE"})
_ASKING: contextvars.ContextVar[tuple[str, str, str] | None] = contextvars.ContextVar("asking", default=None)


class Recorder:
    """All doors in one. `answers`: by a step's key, the body that its calls get, as in its newest sample."""

    def __init__(self, ledger: Path, answers: Mapping[str, Any]) -> None:
        self._ledger = ledger
        self._answers = answers
        self._places = Places(ledger.with_name("places"), self._saved)

    @property
    def http(self) -> HttpClient:
        return self

    @property
    def mail(self) -> MailSender:
        return self

    @property
    def sftp(self) -> SftpDoor:
        return self._places

    @property
    def folders(self) -> FolderDoor:
        return self._places

    async def aclose(self) -> None:
        """Nothing is open."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        content: bytes | Portions = b"",
        sink: OpenSink | None = None,
        **_: Any,
    ) -> HttpAnswer:
        run, step, key = _ASKING.get() or ("", "", "")
        if stored_answer(method, headers):
            return _known(found(self._ledger, url), url)
        sent = key if any(value == key for _, value in headers) and key else None
        mark = next((value for name, value in headers if name == MARK), "")
        await self._keep(run, step, method.upper(), url, sent, content, mark)
        body = dumps_bytes(self._answers.get(step, {"ok": True}))
        said = {"content-type": "application/json"}
        if sink is not None and (take := sink(200, said)) is not None:
            await take(_portions(body))
            body = b""
        return HttpAnswer(200, said, body, 1, url)

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
        run, step, _ = _ASKING.get() or ("", "", "")
        mail = OutgoingMail(message, attachments)

        async def portions() -> AsyncIterator[bytes]:
            for portion in mail.portions():
                yield portion

        # No mail server recognises a second message by its id, whatever a step may say of it.
        await self._keep(run, step, "MAIL", ", ".join(recipients), None, Portions(mail.size, portions))
        return MailReceipt(tuple(recipients), {})

    async def check(self, *, server: MailServer, total_seconds: float = 15.0) -> None:
        """It is always there."""

    def _saved(self, method: str, path: str) -> None:
        run, step, _ = _ASKING.get() or ("", "", "")
        self._note({"run": run, "step": step, "method": method, "to": path, "key": None, "body": ""})

    async def _keep(
        self, run: str, step: str, method: str, to: str, key: str | None, content: bytes | Portions, mark: str = ""
    ) -> None:
        digest, size = hashlib.sha256(), 0
        async for portion in content.portions() if isinstance(content, Portions) else _portions(content):
            digest.update(portion)
            size += len(portion)
        self._note({
            "run": run, "step": step, "method": method, "to": to, "key": key, "body": digest.hexdigest(),
            "size": size, "mark": mark,
        })  # fmt: skip

    def _note(self, said: Mapping[str, Any]) -> None:
        with self._ledger.open("ab") as file:
            file.write(json.dumps(said).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _known(object_: Mapping[str, Any] | None, url: str) -> HttpAnswer:
    if object_ is None:
        return HttpAnswer(404, {}, b"", 1, url)
    return HttpAnswer(200, {"content-length": str(object_["size"]), MARK: object_["mark"]}, b"", 1, url)


async def _portions(data: bytes) -> AsyncIterator[bytes]:
    yield data


class Stand:
    """A vault whose connections all open, with fields that name nobody."""

    def open(self, *, workspace_id: object, connection_id: object) -> OpenConnection:
        return _Opened()

    def note_secrets(self, **_: object) -> None:
        return None


class _Opened:
    kind = "smtp"
    fields: dict[str, Any] = {
        "host": "mail.sandbox.invalid", "port": 587, "security": "none", "from_address": "drill@sandbox.invalid",
        "allowed_hosts": [], "path": "/sandbox", "username": "drill", "password": "drill",
        "endpoint": "https://storage.sandbox.invalid", "bucket": "sandbox", "access_key": "drill",
        "secret_key": "drill",
    }  # fmt: skip
    secrets: tuple[str, ...] = ()


def watch_steps() -> None:
    """In this process, which is a sandbox: have the recorder know which step asks."""

    def door(name: str) -> property:
        def ask(self: StepContext) -> Any:
            _ASKING.set((str(self.run_id), self.node_key, self.idempotency_key))
            return getattr(self._doors, name)

        return property(ask)

    setattr(StepContext, "http", door("http"))  # noqa: B010 (a property cannot be assigned to)
    setattr(StepContext, "mail", door("mail"))  # noqa: B010
    setattr(StepContext, "sftp", door("sftp"))  # noqa: B010
    setattr(StepContext, "folders", door("folders"))  # noqa: B010


def read(ledger: Path, runs: Iterable[UUID]) -> list[dict[str, Any]]:
    """What these runs did outside, in order."""
    if not ledger.exists():
        return []
    calls = [json.loads(line) for line in ledger.read_bytes().splitlines() if line.endswith(b"}")]
    named = {str(run) for run in runs}
    return [call for call in calls if call["run"] in named]


def duplicates(calls: Sequence[Mapping[str, Any]], *, keys_count: bool) -> dict[str, int]:
    """By a step's key, how often it did again what it had done. `keys_count`: the other systems know a call by the key
    that it carries."""
    found: dict[str, int] = {}
    seen: set[tuple[str, ...]] = set()
    for call in calls:
        if call["method"] in _READS:
            continue
        named = call["key"] if keys_count and call["key"] else None
        if named is None and call["method"] in _SAME_AGAIN:
            continue
        # Two runs of one call are two calls.
        who = (call["run"], call["step"])
        what = (*who, named) if named else (*who, call["method"], call["to"])
        if what in seen and named is None:
            found[call["step"]] = found.get(call["step"], 0) + 1
        seen.add(what)
    return found
