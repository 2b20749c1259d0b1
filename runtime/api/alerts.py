"""Alerts: rules and channels, made and changed; what came of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError
from django.db.models import Count, OuterRef, Subquery

from runtime.contracts.alerts import (
    MOST_ALERT_CHANNELS,
    MOST_ALERT_RULES,
    AlertChannelDraft,
    AlertChannelView,
    AlertEpisodeView,
    AlertMessageView,
    AlertPast,
    AlertRuleDraft,
    AlertRuleView,
)
from runtime.contracts.refusals import NotFound, RuntimeRefused
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.ports import PORTS
from runtime.sdk.calendars import COUNTRIES, OWN_SIGN, CalendarUnknown, WorkCalendar, is_working_day
from runtime.store import alert_measures as measures
from runtime.store import alerts as store
from runtime.store.alert_past import past
from runtime.store.beside import tell
from runtime.store.calendars import calendar_gone
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import AlertChannel, AlertEpisode, AlertMessage, AlertRule

__all__ = [
    "add_alert_channel",
    "add_alert_rule",
    "alert_channel",
    "alert_channels",
    "alert_countries",
    "alert_episodes",
    "alert_past",
    "alert_problems",
    "alert_rule",
    "alert_rules",
    "alerts_active",
    "change_alert_channel",
    "change_alert_rule",
    "remove_alert_channel",
    "remove_alert_rule",
    "tell_another_instead",
    "try_alert_channel",
    "try_alert_rule",
]

#: Of an alert that many are told of, so many messages are shown.
_MOST_SHOWN: Final = 50
_RULE_COLUMNS: Final = ("kind", "workflow_id", "connection_id", "limit", "minutes", "least", "time_zone", "urgent",
                        "recovered", "enabled")  # fmt: skip


def alert_countries() -> list[str]:
    """The countries whose calendars can be chosen, by ISO 3166 code."""
    return [code for code, _ in COUNTRIES]


def alert_problems(workspace_id: UUID, draft: AlertRuleDraft) -> dict[str, list[str]]:
    """What is wrong with a rule, by field; empty where nothing is."""
    found: dict[str, list[str]] = {}
    if draft.kind in _OF_ALL and draft.workflow_id is not None:
        found["workflow_id"] = ["This is told of all workflows together."]
    if draft.kind != "connection_errors" and draft.connection_id is not None:
        found["connection_id"] = ["Only failed calls are told of one connection."]
    if draft.kind in ("failure_rate", "duplicate_rate") and not 0 <= draft.limit < 100:
        found["limit"] = ["Use a share from 0 to below 100 per cent."]
    try:
        ZoneInfo(draft.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found["time_zone"] = ["There is no such time zone."]
    if draft.kind != "arrival":
        return found
    if draft.workflow_id is None:
        found["workflow_id"] = ["Choose the workflow that something should come to."]
    if draft.arrival is None:
        found["arrival"] = ["Say by when something should have come."]
        return found
    try:
        if draft.arrival.country.startswith(OWN_SIGN):
            if (gone := calendar_gone(workspace_id, draft.arrival.country)) is not None:
                found["arrival.country"] = [gone]
        else:
            is_working_day(date(2026, 1, 5), WorkCalendar(draft.arrival.country, draft.arrival.region))
    except CalendarUnknown as error:
        found["arrival.region" if error.regions else "arrival.country"] = [error.message]
    return found


_OF_ALL: Final = frozenset({"queue_age", "no_workers", "connection_errors"})


# --- rules ------------------------------------------------------------------------------------------------------------


def alert_rules(*, workspace_id: UUID) -> list[AlertRuleView]:
    """The rules of a workspace and how they stand now, the oldest first; at most 200 in all."""
    now = database_now()
    rows = list(AlertRule.objects.filter(workspace_id=workspace_id).order_by("id"))
    counted = measures.counts(workspace_id, map(store.rule_draft, rows), now)
    return [_rule_view(row, now, counted) for row in rows]


def alert_rule(*, workspace_id: UUID, rule_id: UUID) -> AlertRuleView:
    """One of them. Raises NotFound."""
    return _rule_view(_rule(workspace_id, rule_id), database_now())


def try_alert_rule(*, workspace_id: UUID, draft: AlertRuleDraft) -> AlertRuleView:
    """How a rule would stand now, if there was one."""
    now = database_now()
    return AlertRuleView(
        id=UUID(int=0),
        draft=draft,
        created_at=now,
        created_by=None,
        changed_at=now,
        since=None,
        measure=measures.measure(workspace_id, draft, now, since=now),
        next_at=_next(workspace_id, draft, now),
    )


def alert_past(*, workspace_id: UUID, draft: AlertRuleDraft) -> AlertPast | None:
    """How often such a rule would have told in the last seven days, by the figures of that time; None where none of
    them tells it."""
    return past(workspace_id, draft, database_now())


def add_alert_rule(*, workspace_id: UUID, draft: AlertRuleDraft, by: UUID | None) -> UUID:
    """Make a rule; its id. Raises RuntimeRefused (`too_many_alert_rules`), NotFound for a channel that is not here."""
    rule_id = uuid7()
    with commit("alert.rule"):
        tell(id=str(rule_id))
        _channels_here(workspace_id, draft.channels)
        if AlertRule.objects.filter(workspace_id=workspace_id).count() >= MOST_ALERT_RULES:
            raise RuntimeRefused("There are 200 rules. Remove one first.", code="too_many_alert_rules")
        now = database_now()
        AlertRule.objects.create(
            id=rule_id, workspace_id=workspace_id, created_at=now, created_by=by, changed_at=now, **_columns(draft)
        )
    return rule_id


def change_alert_rule(*, workspace_id: UUID, rule_id: UUID, draft: AlertRuleDraft) -> None:
    """Put another rule in its place. An alert of the rule as it was is over, and nobody is told of that."""
    with commit("alert.rule"):
        _channels_here(workspace_id, draft.channels)
        row = _rule(workspace_id, rule_id, lock=True)
        now = database_now()
        before = store.rule_draft(row)
        changes: dict[str, Any] = _columns(draft)
        # Whom it tells and when changes nothing of what is watched.
        if replace(before, **_TOLD) != replace(draft, **_TOLD):
            changes |= {"changed_at": max(now, row.changed_at + 1), "since": None, "episode_id": None}
            store.close_episode(row, "changed" if draft.enabled else "off", now)
        AlertRule.objects.filter(pk=rule_id).update(**changes)


def remove_alert_rule(*, workspace_id: UUID, rule_id: UUID) -> None:
    """Watch this no more. What came of it stays."""
    with commit("alert.rule"):
        row = _rule(workspace_id, rule_id, lock=True)
        store.close_episode(row, "removed", database_now())
        row.delete()


def alerts_active(*, workspace_id: UUID) -> int:
    """How many rules alert now."""
    return AlertRule.objects.filter(workspace_id=workspace_id, enabled=True, since__isnull=False).count()


_TOLD: Final[dict[str, Any]] = {"channels": (), "urgent": False, "recovered": True}


def _columns(draft: AlertRuleDraft) -> dict[str, Any]:
    return {
        **{name: getattr(draft, name) for name in _RULE_COLUMNS},
        "channels": dumps([str(one) for one in draft.channels]),
        "arrival": None
        if draft.arrival is None
        else dumps({**asdict(draft.arrival), "free": list(draft.arrival.free)}),
    }


def _rule(workspace_id: UUID, rule_id: UUID, *, lock: bool = False) -> AlertRule:
    rows = AlertRule.objects.select_for_update() if lock else AlertRule.objects.all()
    row = rows.filter(pk=rule_id, workspace_id=workspace_id).first()
    if row is None:
        raise NotFound("There is no such rule.")
    return row


def _rule_view(row: AlertRule, now: int, counted: measures.Counts | None = None) -> AlertRuleView:
    draft = store.rule_draft(row)
    return AlertRuleView(
        id=row.id,
        draft=draft,
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=row.changed_at,
        since=row.since,
        measure=measures.measure(row.workspace_id, draft, now, since=row.changed_at, counted=counted),
        next_at=_next(row.workspace_id, draft, now),
    )


def _next(workspace_id: UUID, draft: AlertRuleDraft, now: int) -> int | None:
    return None if draft.arrival is None else measures.next_expected(workspace_id, draft.arrival, draft.time_zone, now)


# --- channels ---------------------------------------------------------------------------------------------------------


def alert_channels(*, workspace_id: UUID) -> list[AlertChannelView]:
    """Whom rules can tell, by name; at most 50."""
    newest = AlertMessage.objects.filter(channel_id=OuterRef("pk"), tries__gt=0).order_by("-id")
    channels = AlertChannel.objects.filter(workspace_id=workspace_id).order_by("name")
    rows = list(channels.annotate(newest=Subquery(newest.values("id")[:1])))
    uses = Counter(
        channel
        for text in AlertRule.objects.filter(workspace_id=workspace_id).values_list("channels", flat=True)
        for channel in loads_stored(text)  # type: ignore[union-attr]
    )
    messages = AlertMessage.objects.filter(channel_id__in=[row.id for row in rows])
    waiting = dict(messages.filter(status="waiting").order_by().values_list("channel_id").annotate(Count("id")))
    last = {one.channel_id: one for one in AlertMessage.objects.filter(pk__in=[row.newest for row in rows])}
    return [
        AlertChannelView(
            id=row.id,
            draft=store.channel_draft(row),
            rules=uses[str(row.id)],
            last=_message_view(last[row.id]) if row.id in last else None,
            waiting=waiting.get(row.id, 0),
        )
        for row in rows
    ]


def alert_channel(*, workspace_id: UUID, channel_id: UUID) -> AlertChannelView:
    """One of them. Raises NotFound."""
    found = next((one for one in alert_channels(workspace_id=workspace_id) if one.id == channel_id), None)
    if found is None:
        raise NotFound("There is no such channel.")
    return found


def add_alert_channel(*, workspace_id: UUID, draft: AlertChannelDraft) -> UUID:
    """Make a channel; its id. Raises RuntimeRefused (`too_many_alert_channels`, `alert_channel_named_twice`)."""
    channel_id = uuid7()
    with _one_name(), commit("alert.rule"):
        tell(id=str(channel_id))
        if AlertChannel.objects.filter(workspace_id=workspace_id).count() >= MOST_ALERT_CHANNELS:
            raise RuntimeRefused("There are 50 channels. Remove one first.", code="too_many_alert_channels")
        AlertChannel.objects.create(
            id=channel_id, workspace_id=workspace_id, created_at=database_now(), **_channel_columns(draft)
        )
    return channel_id


def change_alert_channel(*, workspace_id: UUID, channel_id: UUID, draft: AlertChannelDraft) -> None:
    """Tell others from now on. What is under way goes where it was to go."""
    with _one_name(), commit("alert.rule"):
        _channels_here(workspace_id, [channel_id])
        AlertChannel.objects.filter(pk=channel_id).update(**_channel_columns(draft))


def tell_another_instead(*, workspace_id: UUID, channel_id: UUID, of: str, to: str) -> None:
    """Have a channel write to one person in place of another, by address, whatever else of it is changed at the same
    moment. Raises NotFound where it does not write to the first any more, or is gone."""
    with commit("alert.rule"):
        row = AlertChannel.objects.select_for_update().filter(pk=channel_id, workspace_id=workspace_id).first()
        people = () if row is None else store.channel_draft(row).people
        if of not in people:
            raise NotFound("There is no such channel.")
        told = list(dict.fromkeys(to if one == of else one for one in people))
        AlertChannel.objects.filter(pk=channel_id).update(people=dumps(told))


def remove_alert_channel(*, workspace_id: UUID, channel_id: UUID) -> None:
    """Tell these no more. Raises RuntimeRefused (`alert_channel_used`) where a rule tells nobody else."""
    with commit("alert.rule"):
        _channels_here(workspace_id, [channel_id])
        rows = list(AlertRule.objects.select_for_update().filter(workspace_id=workspace_id))
        told: list[tuple[AlertRule, list[str]]] = [(row, loads_stored(row.channels)) for row in rows]  # type: ignore[misc]
        gone = str(channel_id)
        if any(channels == [gone] for _, channels in told):
            raise RuntimeRefused(
                "A rule tells this channel alone. Change or remove it first.", code="alert_channel_used"
            )
        for row, channels in told:
            if gone in channels:
                left = dumps([one for one in channels if one != gone])
                AlertRule.objects.filter(pk=row.pk).update(channels=left)
        AlertMessage.objects.filter(channel_id=channel_id, status="waiting").update(status="dropped", due_at=None)
        AlertChannel.objects.filter(pk=channel_id).delete()


def try_alert_channel(*, workspace_id: UUID, channel_id: UUID) -> int:
    """Send everybody of this channel a test, now; to how many. What came of it stands in `AlertChannelView.last`."""
    row = AlertChannel.objects.filter(pk=channel_id, workspace_id=workspace_id).first()
    if row is None:
        raise NotFound("There is no such channel.")
    people = store.people_of([row])
    facts = {"channel": row.name, "workspace": PORTS.names.workspace(workspace_id=workspace_id)}
    with commit("alert.change"):
        return store.write_messages(
            workspace_id=workspace_id,
            channels=[row],
            people=people,
            kind="test",
            facts=facts,
            now=database_now(),
            at_once=True,
        )


def _channels_here(workspace_id: UUID, channels: Iterable[UUID]) -> None:
    """Lock them, so that none is removed while a rule is written that tells it. Raises NotFound."""
    wanted = set(channels)
    here = AlertChannel.objects.select_for_update().filter(workspace_id=workspace_id, pk__in=wanted).order_by("id")
    if len(here.values_list("id")) != len(wanted):
        raise NotFound("There is no such channel.")


def _channel_columns(draft: AlertChannelDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "people": dumps(list(draft.people)),
        "mail_id": draft.mail_id,
        "hook_id": draft.hook_id,
        "language": draft.language,
        "time_zone": draft.time_zone,
        "quiet": None if draft.quiet is None else dumps(asdict(draft.quiet)),
    }


@contextmanager
def _one_name() -> Iterator[None]:
    """Two channels of one name are refused in words."""
    try:
        yield
    except IntegrityError as error:
        raise RuntimeRefused("Another channel has this name.", code="alert_channel_named_twice") from error


# --- what came of them ------------------------------------------------------------------------------------------------


def alert_episodes(*, workspace_id: UUID, after: UUID | None = None, most: int = 50) -> list[AlertEpisodeView]:
    """Alerts, the newest first, with whom was told."""
    rows = AlertEpisode.objects.filter(workspace_id=workspace_id)
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = list(rows.order_by("-id")[:most])
    messages: defaultdict[UUID | None, list[AlertMessageView]] = defaultdict(list)
    for one in AlertMessage.objects.filter(episode_id__in=[row.id for row in found]).order_by("id"):
        if len(messages[one.episode_id]) < _MOST_SHOWN:
            messages[one.episode_id].append(_message_view(one))
    return [
        AlertEpisodeView(
            id=row.id,
            rule_id=row.rule_id,
            rule=store.rule_of(row.rule),
            began_at=row.began_at,
            ended_at=row.ended_at,
            ended_by=row.ended_by,
            measure=store.measure_of(row.measure),
            messages=messages[row.id],
        )
        for row in found
    ]


def _message_view(row: AlertMessage) -> AlertMessageView:
    return AlertMessageView(
        kind=row.kind,
        route="mail" if row.route == "mail" else "hook",
        to=row.target,
        status=row.status,
        at=row.created_at,
        due_at=row.due_at,
        sent_at=row.sent_at,
        error=row.error,
    )
