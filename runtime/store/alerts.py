"""Alerts as rows: how rules and channels are read and written down, and the messages that a change of state causes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db.models import Max

from runtime.contracts.alerts import AlertChannelDraft, AlertMeasure, AlertRuleDraft, Arrival, QuietHours
from runtime.contracts.people import Person
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.ports import PORTS
from runtime.store.alert_measures import zone_of
from runtime.store.models import AlertChannel, AlertEpisode, AlertMessage, AlertRule

__all__ = [
    "DIGEST_MS",
    "GATHER_MS",
    "KEEP_MS",
    "channel_draft",
    "close_episode",
    "facts_of",
    "loud",
    "measure_of",
    "measure_text",
    "people_of",
    "remove_old",
    "rule_draft",
    "rule_of",
    "rule_text",
    "slot",
    "write_messages",
]

#: Messages to one address that follow another one sooner are gathered into one.
DIGEST_MS: Final = 5 * 60_000
#: The first one waits for so long for what happens at the same moment.
GATHER_MS: Final = 3_000
#: What came of rules is told for so long.
KEEP_MS: Final = 400 * 86_400_000
#: More people than this are not written to about one alert.
_MOST_MAILS: Final = 200


# --- rows and what they say -------------------------------------------------------------------------------------------


def rule_draft(row: AlertRule) -> AlertRuleDraft:
    """The rule in this row."""
    return _draft(
        {
            "kind": row.kind,
            "channels": loads_stored(row.channels),
            "workflow_id": row.workflow_id,
            "connection_id": row.connection_id,
            "limit": row.limit,
            "minutes": row.minutes,
            "least": row.least,
            "arrival": None if row.arrival is None else loads_stored(row.arrival),
            "time_zone": row.time_zone,
            "urgent": row.urgent,
            "recovered": row.recovered,
            "enabled": row.enabled,
        }
    )


def _draft(told: Any) -> AlertRuleDraft:
    arrival = told.get("arrival")
    return AlertRuleDraft(
        **{
            **told,
            "limit": float(told["limit"]),
            "channels": tuple(UUID(str(one)) for one in told["channels"]),
            "workflow_id": None if told["workflow_id"] is None else UUID(str(told["workflow_id"])),
            "connection_id": None if told["connection_id"] is None else UUID(str(told["connection_id"])),
            "arrival": None if arrival is None else Arrival(**{**arrival, "free": tuple(arrival.get("free") or ())}),
        }
    )


def rule_text(rule: AlertRuleDraft) -> str:
    """A rule as it is kept with what came of it."""
    return dumps(
        {
            **asdict(rule),
            "channels": [str(one) for one in rule.channels],
            "workflow_id": None if rule.workflow_id is None else str(rule.workflow_id),
            "connection_id": None if rule.connection_id is None else str(rule.connection_id),
            "arrival": None if rule.arrival is None else {**asdict(rule.arrival), "free": list(rule.arrival.free)},
        }
    )


def rule_of(text: str) -> AlertRuleDraft:
    """The rule that `rule_text` wrote."""
    return _draft(loads_stored(text))


def measure_text(measure: AlertMeasure) -> str:
    return dumps(asdict(measure))


def measure_of(text: str) -> AlertMeasure:
    told: Any = loads_stored(text)
    value = told.pop("value")
    return AlertMeasure(None if value is None else float(value), **told)


def channel_draft(row: AlertChannel) -> AlertChannelDraft:
    """The channel in this row."""
    people: Any = loads_stored(row.people)
    quiet: Any = None if row.quiet is None else loads_stored(row.quiet)
    return AlertChannelDraft(
        name=row.name,
        people=tuple(people),
        mail_id=row.mail_id,
        hook_id=row.hook_id,
        language=row.language,
        time_zone=row.time_zone,
        quiet=None if quiet is None else QuietHours(**quiet),
    )


# --- messages ---------------------------------------------------------------------------------------------------------


def people_of(channels: Iterable[AlertChannel]) -> dict[UUID, dict[str, Person]]:
    """Whom these channels write to, by address. Asked before a transaction: who people are is for others to know."""
    found: dict[UUID, dict[str, Person]] = {}
    for row in channels:
        draft = channel_draft(row)
        told = PORTS.people.known(workspace_id=row.workspace_id, tokens=draft.people) if draft.people else ()
        found[row.id] = {person.email.lower(): person for one in told for person in one.people}
    return found


def facts_of(row: AlertRule, rule: AlertRuleDraft, measure: AlertMeasure, at: int) -> dict[str, Any]:
    """What a message says, with the names that things have now."""
    names = PORTS.names
    workflow = (
        "" if rule.workflow_id is None else names.workflow(workspace_id=row.workspace_id, workflow_id=rule.workflow_id)
    )
    connection = (
        ""
        if rule.connection_id is None
        else names.connection(workspace_id=row.workspace_id, connection_id=rule.connection_id)
    )
    told: Any = loads_stored(rule_text(rule))
    return {
        "rule": told,
        "rule_id": str(row.id),
        "measure": asdict(measure),
        "workspace": names.workspace(workspace_id=row.workspace_id),
        "workflow": workflow,
        "connection": connection,
        "at": at,
        "since": row.since,
    }


def write_messages(
    *,
    workspace_id: UUID,
    channels: Sequence[AlertChannel],
    people: dict[UUID, dict[str, Person]],
    kind: str,
    facts: dict[str, Any],
    now: int,
    episode_id: UUID | None = None,
    urgent: bool = False,
    at_once: bool = False,
) -> int:
    """Have these channels told, each address once; how many messages. The caller holds the transaction."""
    text = dumps(facts)
    rows: dict[tuple[str, str], AlertMessage] = {}
    for channel in channels:
        draft = channel_draft(channel)
        common: dict[str, Any] = {
            "workspace_id": workspace_id,
            "episode_id": episode_id,
            "channel_id": channel.id,
            "kind": kind,
            "facts": text,
            "created_at": now,
        }
        earliest = now if urgent or at_once else loud(draft.quiet, draft.time_zone, now)
        found = [
            AlertMessage(
                **common,
                route="mail",
                target=email,
                mail_id=draft.mail_id,
                name=person.name[:200],
                language=person.language,
                time_zone=person.time_zone,
                slot_at=earliest,
            )
            for email, person in islice(people.get(channel.id, {}).items(), _MOST_MAILS)
        ]
        if draft.hook_id is not None:
            found.append(
                AlertMessage(
                    **common,
                    route="hook",
                    target=draft.hook_id.hex,
                    language=draft.language,
                    time_zone=draft.time_zone,
                    slot_at=earliest,
                )
            )
        for row in found:
            # Whoever is in two channels is told once, by the one that may write first.
            before = rows.get((row.route, row.target))
            if before is None or row.slot_at < before.slot_at:
                rows[row.route, row.target] = row
    for row in rows.values():
        if not at_once:
            row.slot_at = slot(workspace_id, row.route, row.target, row.slot_at)
        row.due_at = row.slot_at
    AlertMessage.objects.bulk_create(rows.values(), ignore_conflicts=True)
    return len(rows)


def slot(workspace_id: UUID, route: str, target: str, earliest: int) -> int:
    """When a message may go out: in a moment where none went there lately, else together with those that wait, or so
    long after the one before."""
    before = AlertMessage.objects.filter(
        workspace_id=workspace_id, route=route, target=target, slot_at__lt=earliest + DIGEST_MS
    ).exclude(kind="test")
    last = before.aggregate(last=Max("slot_at"))["last"]
    if last is None or last <= earliest - DIGEST_MS:
        return earliest + GATHER_MS
    return int(last) if last >= earliest else int(last) + DIGEST_MS


def loud(quiet: QuietHours | None, time_zone: str, now: int) -> int:
    """`now`, or the end of the quiet hours that it lies in."""
    if quiet is None:
        return now
    zone = zone_of(time_zone)
    at = now
    # Hours that end where a quiet day begins: a few steps, and never more.
    for _ in range(8):
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
        until = _quiet_until(quiet, local)
        if until is None:
            return at
        at = int(until.timestamp() * 1000)
    return at


def _quiet_until(quiet: QuietHours, local: datetime) -> datetime | None:
    zone = local.tzinfo
    if quiet.weekends and local.weekday() >= 5:
        return datetime.combine(local.date() + timedelta(days=7 - local.weekday()), time(), zone)
    begin, end = _clock(quiet.begin), _clock(quiet.end)
    if begin == end:
        return None
    clock = local.time()
    if begin < end:
        return datetime.combine(local.date(), end, zone) if begin <= clock < end else None
    if clock >= begin:
        return datetime.combine(local.date() + timedelta(days=1), end, zone)
    return datetime.combine(local.date(), end, zone) if clock < end else None


def _clock(text: str) -> time:
    hour, minute = (int(part) for part in text.split(":"))
    return time(hour, minute)


# --- ends -------------------------------------------------------------------------------------------------------------


def close_episode(row: AlertRule, why: str, now: int) -> None:
    """What came of it is over. The caller holds the transaction, and says in the rule's row that it alerts no more."""
    if row.episode_id is not None:
        AlertEpisode.objects.filter(pk=row.episode_id, ended_at__isnull=True).update(ended_at=now, ended_by=why)


def remove_old(now: int) -> int:
    """Remove what came of rules long ago; how many rows."""
    before = now - KEEP_MS
    messages = AlertMessage.objects.filter(created_at__lt=before, due_at__isnull=True).delete()[0]
    return messages + AlertEpisode.objects.filter(began_at__lt=before, ended_at__isnull=False).delete()[0]
