"""Starts that wait: of a schedule that lets one wait for an earlier run, and of backfills.

A waiting start is an event of the verdict `queued`. It becomes a run in one commit, in the order of the instants; who
comes second finds that it is no longer waiting.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Length

from runtime.engine.ids import uuid7
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Backfill, Deployment, Event, Run, Trigger
from runtime.store.queued import queued
from runtime.worker.schedules import going

__all__ = ["release"]

#: Starts of one backfill that begin in one tick.
_MOST_AT_ONCE: Final = 100


def release() -> None:
    """Start what waited and need not wait any longer."""
    waiting = queued().filter(trigger_id__isnull=False)
    for trigger_id in waiting.values_list("trigger_id", flat=True).order_by().distinct():
        trigger = None if trigger_id is None else _trigger(trigger_id)
        # The oldest instant first: a number as text, which sorts as numbers of equal length do.
        events = waiting.filter(trigger_id=trigger_id).order_by(Length("dedupe_key"), "dedupe_key")
        if trigger is None or not trigger.enabled or not _is_live(trigger.workflow_id):
            _leave_out(events)
            continue
        first = events.values_list("id", "backfill_id").first()
        if first is None:
            continue
        event_id, backfill_id = first
        if _all_at_once(backfill_id):
            chosen = events.filter(backfill_id=backfill_id).values_list("id", flat=True)[:_MOST_AT_ONCE]
            _start(trigger, list(chosen))
        elif not going(trigger):
            _start(trigger, [event_id], alone=True)


def _trigger(trigger_id: UUID) -> Trigger | None:
    return Trigger.objects.select_related("version").filter(pk=trigger_id).first()


def _is_live(workflow_id: UUID) -> bool:
    return Deployment.objects.filter(pk=workflow_id, enabled=True, retired=False).exists()


def _all_at_once(backfill_id: UUID | None) -> bool:
    return backfill_id is not None and Backfill.objects.filter(pk=backfill_id, together=True).exists()


def _leave_out(events: QuerySet[Event]) -> None:
    with commit("schedule.release"):
        events.order_by().update(verdict="skipped", reason="The workflow took no starts any more when its turn came.")


def _start(trigger: Trigger, events: list[UUID], *, alone: bool = False) -> None:
    """One run for each of these events that still waits. `alone`: only while no other run of this start is open."""
    with commit("schedule.release"):
        # Two leaders for a moment: the second waits here, and sees what the first has started.
        Trigger.objects.select_for_update().get(pk=trigger.pk)
        if alone and going(trigger):
            return
        now = database_now()
        found = Event.objects.filter(pk__in=events, verdict="queued").select_for_update()
        for event in sorted(found, key=lambda event: int(event.dedupe_key or 0)):
            run_id = uuid7()
            Run.objects.create(
                id=run_id,
                workspace_id=trigger.workspace_id,
                workflow_id=trigger.workflow_id,
                version_id=trigger.version_id,
                event_id=event.pk,
                trigger_node=trigger.node_id,
                mode="live",
                started_by=_starter(event),
                status="accepted",
                accepted_at=now,
                wake_at=now,
                min_engine=trigger.version.min_engine,
            )
            Event.objects.filter(pk=event.pk).update(verdict="accepted", run_id=run_id, reason=None)


def _starter(event: Event) -> str:
    """Whoever had the backfill made, or the schedule."""
    if event.backfill_id is None:
        return "schedule"
    by = Backfill.objects.values_list("by", flat=True).get(pk=event.backfill_id)
    return "api" if by is None else f"user:{by}"
