"""Starts that wait: of a schedule that lets one wait for an earlier run, and of backfills.

A waiting start is an event of the verdict `queued`. It becomes a run in one commit, in the order of the events; who
comes second finds that it is no longer waiting.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Backfill, Deployment, Event, Run, Trigger
from runtime.worker.schedules import going

__all__ = ["release"]

#: Starts looked at in one tick, and those of one backfill that begin in it.
_MOST_WAITING: Final = 1_000
_MOST_AT_ONCE: Final = 100


def release() -> None:
    """Start what waited and need not wait any longer."""
    waiting: defaultdict[UUID | None, list[tuple[UUID, UUID | None]]] = defaultdict(list)
    rows = Event.objects.filter(verdict="queued").order_by("id")
    for event_id, trigger_id, backfill_id in rows.values_list("id", "trigger_id", "backfill_id")[:_MOST_WAITING]:
        waiting[trigger_id].append((event_id, backfill_id))
    for trigger_id, events in waiting.items():
        trigger = Trigger.objects.select_related("version").filter(pk=trigger_id).first()
        takes = trigger is not None and trigger.enabled and _is_live(trigger.workflow_id)
        if trigger is None or not takes:
            _leave_out([event_id for event_id, _ in events])
        elif _all_at_once(events[0][1]):
            _start(trigger, [event_id for event_id, backfill in events if backfill == events[0][1]][:_MOST_AT_ONCE])
        elif not going(trigger):
            _start(trigger, [events[0][0]], alone=True)


def _is_live(workflow_id: UUID) -> bool:
    return Deployment.objects.filter(pk=workflow_id, enabled=True, retired=False).exists()


def _all_at_once(backfill_id: UUID | None) -> bool:
    return backfill_id is not None and Backfill.objects.filter(pk=backfill_id, together=True).exists()


def _leave_out(events: list[UUID]) -> None:
    with commit("schedule.release"):
        Event.objects.filter(pk__in=events, verdict="queued").update(
            verdict="skipped", reason="The workflow took no starts any more when its turn came."
        )


def _start(trigger: Trigger, events: list[UUID], *, alone: bool = False) -> None:
    """One run for each of these events that still waits. `alone`: only while no other run of this start is open."""
    with commit("schedule.release"):
        # Two leaders for a moment: the second waits here, and sees what the first has started.
        Trigger.objects.select_for_update().get(pk=trigger.pk)
        if alone and going(trigger):
            return
        now = database_now()
        for event in Event.objects.filter(pk__in=events, verdict="queued").order_by("id").select_for_update():
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
