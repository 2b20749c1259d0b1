"""Rules, channels and figures for tests of alerts, and doors that remember what went out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from django.db import connections

from runtime import api
from runtime.contracts.alerts import AlertChannelDraft, AlertRuleDraft
from runtime.engine.ids import uuid7
from runtime.sdk import MailReceipt, MailServer, RetryableError
from runtime.sdk.context import HttpAnswer
from runtime.store.figure_models import WHOLE
from runtime.store.figure_rows import LEVELS
from runtime.store.models import AlertMessage, AlertRule, Figure
from runtime.worker.alert_courier import AlertCourier
from runtime.worker.alerts import Watch
from tests.runtime.rows import WORKFLOW, WORKSPACE, now_ms

HOOK = UUID("01890a5d-ac96-774b-bcce-b302099a8060")


def happen(*, workflow_id: UUID = WORKFLOW, ago_ms: int = 0, **counts: int) -> None:
    """So much has happened, as the figures tell it."""
    at = now_ms() - ago_ms
    for level in LEVELS:
        for whose in (workflow_id, WHOLE):
            begin = at - at % (level * 1000)
            row, _ = Figure.objects.get_or_create(
                workspace_id=WORKSPACE, level=level, workflow_id=whose, at=begin, defaults={}
            )
            changes = {name: getattr(row, name) + count for name, count in counts.items()}
            Figure.objects.filter(workspace_id=WORKSPACE, level=level, workflow_id=whose, at=begin).update(**changes)


def forget_figures() -> None:
    Figure.objects.all().delete()


def channel(name: str = "Ops", *people: str, hook: bool = False, **more: Any) -> UUID:
    return api.add_alert_channel(
        workspace_id=WORKSPACE,
        draft=AlertChannelDraft(
            name=name, people=people or (() if hook else ("ines@example.com",)), hook_id=HOOK if hook else None, **more
        ),
    )


def rule(kind: Any = "failure_rate", *channels: UUID, **more: Any) -> UUID:
    draft = AlertRuleDraft(kind=kind, channels=channels or (channel(),), **{"limit": 5, **more})
    made = api.add_alert_rule(workspace_id=WORKSPACE, draft=draft, by=None)
    # As if it had stood for an hour: what came before it counts too.
    AlertRule.objects.filter(pk=made).update(changed_at=now_ms() - 3_600_000)
    return made


def watch(**more: int) -> Watch:
    return Watch(**{"calm_ms": 0, "period_ms": 0, "settled_ms": 0, "grace_ms": 0, **more})


def messages(kind: str | None = None) -> list[AlertMessage]:
    rows = AlertMessage.objects.order_by("id")
    return list(rows if kind is None else rows.filter(kind=kind))


def is_active(rule_id: UUID) -> bool:
    return AlertRule.objects.filter(pk=rule_id, since__isnull=False).exists()


@dataclass
class Doors:
    """The doors of a process: what went out, and what is to go wrong."""

    mails: list[EmailMessage] = field(default_factory=list)
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    broken: bool = False

    @property
    def mail(self) -> Doors:
        return self

    @property
    def http(self) -> Doors:
        return self

    async def send(
        self, *, server: MailServer, message: EmailMessage, sender: str, recipients: Sequence[str], total_seconds: float
    ) -> MailReceipt:
        if self.broken:
            raise RetryableError("No connection", "The mail server cannot be reached.", "connect")
        self.mails.append(message)
        return MailReceipt(tuple(recipients), {})

    async def request(
        self, method: str, url: str, *, headers: Sequence[tuple[str, str]] = (), content: bytes = b"", **more: Any
    ) -> HttpAnswer:
        assert more["follow_redirects"] is False
        self.posts.append((url, dict(headers), content))
        return HttpAnswer(self.status, {}, b"no_text: the token is xoxb-1", 1, url)


def deliver(doors: Doors, *, rounds: int = 1) -> int:
    """Send what is due; to how many something was tried."""

    async def go() -> int:
        readers = ThreadPoolExecutor(1)
        courier = AlertCourier(ways=doors, readers=readers)  # type: ignore[arg-type]
        try:
            return sum([await courier.round() for _ in range(rounds)])
        finally:
            await asyncio.get_running_loop().run_in_executor(readers, connections.close_all)
            readers.shutdown()

    return asyncio.run(go())


def due_now() -> None:
    """As if all that waits were due."""
    AlertMessage.objects.filter(due_at__isnull=False).update(due_at=1)


@dataclass(frozen=True)
class Opened:
    kind: str
    fields: Mapping[str, Any]
    secrets: tuple[str, ...] = ()


@dataclass
class OneHook:
    """A vault with one connection."""

    address: str = "https://hooks.slack.com/services/T0/B0/secret"
    more: dict[str, Any] = field(default_factory=dict)

    def open(self, *, workspace_id: UUID, connection_id: UUID) -> Any:
        assert (workspace_id, connection_id) == (WORKSPACE, HOOK)
        return Opened("alert_hook", {"address": self.address, **self.more})


class Called:
    """Names as tests have them."""

    def workspace(self, *, workspace_id: UUID) -> str:
        return "Northwind"

    def workflow(self, *, workspace_id: UUID, workflow_id: UUID) -> str:
        return "Supplier invoices" if workflow_id == WORKFLOW else ""

    def connection(self, *, workspace_id: UUID, connection_id: UUID) -> str:
        return "ERP"


def an_id() -> UUID:
    return uuid7()
