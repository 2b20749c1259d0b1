"""Rules are looked at by the leading ticker, behind the figures. What changes is written down once, with the messages
it causes, in one commit: nobody is told twice of one change, and no change is lost when a process dies. Nothing here
sends anything; that is `alert_courier.py`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from runtime.contracts.alerts import AlertMeasure, AlertRuleDraft
from runtime.engine.ids import uuid7
from runtime.store import alert_measures as measures
from runtime.store import alerts as store
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import AlertChannel, AlertEpisode, AlertRule

__all__ = ["CALM_MS", "Watch"]

logger = logging.getLogger("millrace.alerts")

_PERIOD_MS: Final = 5_000
#: What is not told by figures is asked for less often.
_RARELY_MS: Final = 30_000
#: It has to be quiet for so long before an alert counts as over: what goes up and down around a limit is one alert.
CALM_MS: Final = 60_000
#: Figures of what came before a moment stand a little later.
_SETTLED_MS: Final = 15_000
#: Where everything starts at once, workers are given so long to come.
_GRACE_MS: Final = 60_000


class Watch:
    """Remembers when it looked, and since when it has been quiet; everything else is in the rows."""

    def __init__(
        self,
        *,
        calm_ms: int = CALM_MS,
        period_ms: int = _PERIOD_MS,
        settled_ms: int = _SETTLED_MS,
        grace_ms: int = _GRACE_MS,
    ) -> None:
        self._calm_ms = calm_ms
        self._period_ms = period_ms
        self._settled_ms = settled_ms
        self._grace_ms = grace_ms
        self._began_at = 0
        self._looked_at = 0
        self._rarely_at = 0
        self._calm: dict[object, int] = {}

    def look(self) -> int:
        """Look at each rule where it is time for that; how many have changed."""
        now = database_now()
        if now - self._looked_at < self._period_ms:
            return 0
        self._looked_at = now
        self._began_at = self._began_at or now
        changed, rarely = 0, now - self._rarely_at >= min(_RARELY_MS, self._period_ms * 6)
        if rarely:
            self._rarely_at = now
        rows = list(AlertRule.objects.filter(enabled=True).order_by("id"))
        self._calm = {row.id: self._calm[row.id] for row in rows if row.id in self._calm}
        for row, rule, counted in _read(rows, now):
            if row.kind == "stuck_runs" and not rarely:
                continue
            if row.kind == "no_workers" and now - self._began_at < self._grace_ms:
                continue
            try:
                changed += (
                    self._arrival(row, rule, now) if rule.kind == "arrival" else self._state(row, rule, now, counted)
                )
            except (DatabaseError, InterfaceError):
                raise
            except Exception:
                # The others are looked at all the same.
                logger.exception("Rule %s could not be looked at.", row.id)
        return changed

    def _state(self, row: AlertRule, rule: AlertRuleDraft, now: int, counted: measures.Counts) -> bool:
        measure = measures.measure(row.workspace_id, rule, now, since=row.changed_at, counted=counted)
        if row.since is None:
            return measure.over and _begin(row, rule, measure, now)
        if measure.over:
            self._calm.pop(row.id, None)
            return False
        if now - self._calm.setdefault(row.id, now) < self._calm_ms:
            return False
        self._calm.pop(row.id)
        return _end(row, rule, measure, now)

    def _arrival(self, row: AlertRule, rule: AlertRuleDraft, now: int) -> bool:
        """Each moment is judged once; whoever was told that nothing had come is told when it comes."""
        if rule.arrival is None:
            return False
        at = measures.expected(row.workspace_id, rule.arrival, rule.time_zone, now - self._settled_ms)
        if at is None:
            return False
        measure = measures.arrived(row.workspace_id, rule, now)
        if at > max(row.judged_at, row.changed_at):
            if measure.over and measures.nothing_yet(row.workspace_id, rule, at):
                return _begin(row, rule, measure, now, judged_at=at)
            changed = row.since is not None and _end(row, rule, measure, now)
            with commit("alert.change"):
                AlertRule.objects.filter(pk=row.id, changed_at=row.changed_at).update(judged_at=at)
            return changed
        return row.since is not None and not measure.over and _end(row, rule, measure, now)


def _read(rows: list[AlertRule], now: int) -> Iterator[tuple[AlertRule, AlertRuleDraft, measures.Counts]]:
    """The rules as they are said, each with what those of its workspace count, which is read once for all of them."""
    here: defaultdict[UUID, list[tuple[AlertRule, AlertRuleDraft]]] = defaultdict(list)
    for row in rows:
        try:
            here[row.workspace_id].append((row, store.rule_draft(row)))
        except Exception:
            logger.exception("Rule %s could not be read.", row.id)
    for workspace_id, said in here.items():
        try:
            counted = measures.counts(workspace_id, [rule for _, rule in said], now)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            # The other workspaces are looked at all the same.
            logger.exception("What the rules of workspace %s count could not be read.", workspace_id)
            continue
        yield from ((row, rule, counted) for row, rule in said)


def _begin(row: AlertRule, rule: AlertRuleDraft, measure: AlertMeasure, now: int, *, judged_at: int = 0) -> bool:
    """It alerts from now on; False where somebody else has said so, or has changed the rule."""
    channels = _channels(row)
    people = store.people_of(channels)
    facts = store.facts_of(row, rule, measure, now)
    episode_id = uuid7()
    with commit("alert.change"):
        mine = AlertRule.objects.filter(pk=row.id, enabled=True, changed_at=row.changed_at, judged_at=row.judged_at)
        # What has not come is expected anew: that is another alert, and the one before is over.
        mine = mine.filter(since__isnull=True) if row.since is None else mine.filter(episode_id=row.episode_id)
        changes = {"judged_at": judged_at} if judged_at else {}
        if not mine.update(since=now, episode_id=episode_id, **changes):
            return False
        store.close_episode(row, "again", now)
        AlertEpisode.objects.create(
            id=episode_id,
            workspace_id=row.workspace_id,
            rule_id=row.id,
            rule=store.rule_text(rule),
            measure=store.measure_text(measure),
            began_at=now,
        )
        store.write_messages(
            workspace_id=row.workspace_id,
            channels=channels,
            people=people,
            kind="alert",
            facts=facts,
            now=now,
            episode_id=episode_id,
            urgent=rule.urgent,
        )
    logger.info("Alert %s of rule %s begins.", episode_id, row.id)
    return True


def _end(row: AlertRule, rule: AlertRuleDraft, measure: AlertMeasure, now: int) -> bool:
    channels = _channels(row) if rule.recovered else []
    people = store.people_of(channels)
    facts = store.facts_of(row, rule, measure, now)
    with commit("alert.change"):
        mine = AlertRule.objects.filter(pk=row.id, episode_id=row.episode_id, changed_at=row.changed_at)
        if not mine.update(since=None, episode_id=None):
            return False
        store.close_episode(row, "recovered", now)
        store.write_messages(
            workspace_id=row.workspace_id,
            channels=channels,
            people=people,
            kind="recovered",
            facts=facts,
            now=now,
            episode_id=row.episode_id,
            urgent=rule.urgent,
        )
    return True


def _channels(row: AlertRule) -> list[AlertChannel]:
    ids = store.rule_draft(row).channels
    return list(AlertChannel.objects.filter(workspace_id=row.workspace_id, pk__in=ids).order_by("id"))
