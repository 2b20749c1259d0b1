"""Sends alerts. It works beside the ticker: that no worker is alive it can say.

What is due for one address goes out as one message, under one name for each try: the Message-ID of a mail,
`Idempotency-Key` and `webhook-id` elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads_stored
from runtime.ports import PORTS, ConnectionMissing
from runtime.sdk import StepFailure
from runtime.sdk.context import Ways
from runtime.sdk.hooks import Hook, hook_request, read_hook
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import AlertMessage
from runtime.worker import alert_words
from runtime.worker.alert_services import Notice, Services
from runtime.worker.outbox import AT_ONCE, LEASE_MS, MOST_TRIES, SEND_SECONDS, Mail, Outbox, mail, send_mail, wait_ms

__all__ = ["AlertCourier"]

#: More than this is never told in one message; what is left makes another one.
_MOST_TOGETHER: Final = 500


class _Place(NamedTuple):
    """An address that something is due for. A test goes alone, and so does what was tried before."""

    workspace_id: UUID
    route: str
    target: str
    kind: str
    bundle: UUID | None


_Call = tuple[Hook, list[tuple[str, str]], bytes]


class _Parcel(NamedTuple):
    """Rows that go out as one, with all that sending them needs."""

    bundle: UUID
    load: Mail | Notice | _Call


class AlertCourier(Outbox[_Place, _Parcel]):
    """The outbox of alerts."""

    name = "alerts"
    point = "alert.send"

    def __init__(self, *, ways: Ways, readers: Executor, period_seconds: float = 1.0) -> None:
        super().__init__(readers=readers, period_seconds=period_seconds)
        self._ways = ways
        self._services = Services()

    async def stop(self) -> None:
        await super().stop()
        self._services.close()

    def due(self) -> list[_Place]:
        return _due()

    def take(self, due: _Place) -> _Parcel | None:
        return _taken(due)

    async def send(self, parcel: _Parcel) -> str | None:
        if isinstance(parcel.load, Mail):
            return await send_mail(self._ways.mail, parcel.load)
        if isinstance(parcel.load, Notice):
            return await self._services.tell(self._ways.http, parcel.load)
        hook, headers, body = parcel.load
        answer = await self._ways.http.request(
            "POST",
            hook.url,
            headers=headers,
            content=body,
            total_seconds=SEND_SECONDS,
            follow_redirects=False,
            max_bytes=100_000,
        )
        # What it says stays out of the row: it may say the address, which is a secret.
        return None if 200 <= answer.status < 300 else f"It answered with status {answer.status}."

    def note(self, parcel: _Parcel, error: str | None) -> None:
        _note(parcel.bundle, error)


def _due() -> list[_Place]:
    rows = AlertMessage.objects.filter(due_at__lte=database_now()).order_by("due_at")
    found: dict[_Place, None] = {}
    for row in rows.values("workspace_id", "route", "target", "kind", "bundle")[:_MOST_TOGETHER]:
        kind = "test" if row["kind"] == "test" else ""
        found[_Place(row["workspace_id"], row["route"], row["target"], kind, row["bundle"])] = None
    return list(found)[:AT_ONCE]


def _taken(place: _Place) -> _Parcel | None:
    """Take them for a minute; None where somebody else has, or where they cannot go out."""
    with commit("alert.claim"):
        now = database_now()
        due = AlertMessage.objects.select_for_update().filter(
            workspace_id=place.workspace_id,
            route=place.route,
            target=place.target,
            status="waiting",
            due_at__lte=now,
            bundle=place.bundle,
        )
        due = due.filter(kind="test") if place.kind == "test" else due.exclude(kind="test")
        rows = list(due.order_by("id")[: 1 if place.kind == "test" else _MOST_TOGETHER])
        if not rows:
            return None
        if place.route == "mail" and not PORTS.people.known(workspace_id=place.workspace_id, tokens=[place.target]):
            _mine(rows).update(status="dropped", due_at=None)
            return None
        bundle = place.bundle or uuid7()
        tries = max(row.tries for row in rows) + 1
        _mine(rows).update(bundle=bundle, due_at=now + LEASE_MS, tries=tries)
    try:
        return _parcel(bundle, rows, now)
    except (ConnectionMissing, StepFailure, ValueError) as error:
        _note(bundle, str(error) or "There is nothing to send this by.")
        return None


def _mine(rows: list[AlertMessage]) -> Any:
    return AlertMessage.objects.filter(pk__in=[row.pk for row in rows])


def _parcel(bundle: UUID, rows: list[AlertMessage], now: int) -> _Parcel:
    first = rows[0]
    told: list[tuple[str, Mapping[str, Any]]] = []
    for row in rows:
        facts: Any = loads_stored(row.facts)
        told.append((row.kind, facts))
    said = alert_words.lines(told, first.language, first.time_zone)
    title = alert_words.title(told, first.language)
    link = f"{PORTS.public_url}/monitor/alerts?tab=history" if PORTS.public_url else ""
    workspace = str(told[0][1].get("workspace") or "")
    if first.route == "mail":
        letter = mail(
            workspace_id=first.workspace_id,
            by=first.mail_id,
            to=first.target,
            name=first.name,
            subject=title,
            text=alert_words.mail(said, workspace, link, first.language),
            message_id=f"alert-{bundle.hex}",
            now=now,
        )
        return _Parcel(bundle, letter)
    opened = PORTS.vault.open(workspace_id=first.workspace_id, connection_id=UUID(first.target))
    if opened.kind != "alert_hook":
        raise ConnectionMissing("This connection is no chat and no address for alerts.")
    hook = read_hook(str(opened.fields.get("address") or ""), str(opened.fields.get("format") or "auto"))
    if hook.style == "service":
        kinds = {row.kind for row in rows}
        mood: Any = "failure" if "alert" in kinds else "info" if "test" in kinds else "success"
        return _Parcel(bundle, Notice(hook.url, title, "\n".join([*said, *([link] if link else [])]), mood))
    data = {"type": "millrace.alerts", "workspace": workspace, "alerts": [_told(kind, facts) for kind, facts in told]}
    headers, body = hook_request(
        hook,
        title=title,
        lines=said,
        link=link,
        data=data,
        name=f"alert-{bundle.hex}",
        at=now // 1000,
        secret=str(opened.fields.get("signing_secret") or ""),
    )
    return _Parcel(bundle, (hook, headers, body))


def _told(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """One of them, for machines."""
    rule = facts.get("rule") or {}
    return {
        "event": kind,
        "rule": facts.get("rule_id"),
        "kind": rule.get("kind"),
        "workflow_id": rule.get("workflow_id"),
        "workflow": facts.get("workflow"),
        "connection": facts.get("connection"),
        "limit": rule.get("limit"),
        "measure": facts.get("measure"),
        "at": facts.get("at"),
    }


def _note(bundle: UUID, error: str | None) -> None:
    """Put down what became of a try: sent, to be tried again, or given up, which the page of alerts shows."""
    with commit("alert.sent"):
        now = database_now()
        mine = AlertMessage.objects.filter(bundle=bundle, status="waiting")
        row = mine.first()
        if row is None:
            return
        if error is None:
            mine.update(status="sent", sent_at=now, due_at=None, error=None)
        elif row.kind == "test" or row.tries >= MOST_TRIES:
            # Whoever tries a channel waits for the answer.
            mine.update(status="failed", due_at=None, error=error[:400])
        else:
            mine.update(due_at=now + wait_ms(row.tries), error=error[:400])
