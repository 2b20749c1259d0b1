"""Starts that wait: of a schedule that lets one wait for an earlier run, those that were missed, and of backfills.

A waiting start is an event of the verdict `queued`. It becomes a run in one commit, in the order of the instants; who
comes second finds that it is no longer waiting.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Length

from runtime.engine.ids import uuid7
from runtime.interpreter.reopening import never_begun
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Backfill, Deployment, Event, Hold, Run, Trigger
from runtime.store.queued import leave_out, queued
from runtime.store.statements import HELD
from runtime.worker.overlap import Going, going

__all__ = ["release"]

#: Starts of one backfill that begin in one tick.
_MOST_AT_ONCE: Final = 100
#: Behind a run that has begun so lately the next is looked for soon.
_BRISK_MS: Final = 2_000


def release() -> bool:
    """Start what waited and need not wait any longer; whether more of it may follow at once."""
    soon = False
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
        elif backfill_id is None and Hold.objects.filter(pk=trigger.workflow_id).exists():
            own = events.filter(backfill_id__isnull=True).values_list("id", flat=True)[:_MOST_AT_ONCE]
            _hold(trigger, list(own))
        else:
            open_runs = _before(trigger)
            if not open_runs:
                _start(trigger, [event_id], alone=True)
            # What ends at once need not keep the others for long.
            newest = max((one.started_at or 0 for one in open_runs), default=None)
            soon |= newest is None or newest > database_now() - _BRISK_MS
    return soon


def _trigger(trigger_id: UUID) -> Trigger | None:
    return Trigger.objects.select_related("version").filter(pk=trigger_id).first()


def _is_live(workflow_id: UUID) -> bool:
    return Deployment.objects.filter(pk=workflow_id, enabled=True, retired=False).exists()


def _all_at_once(backfill_id: UUID | None) -> bool:
    return backfill_id is not None and Backfill.objects.filter(pk=backfill_id, together=True).exists()


def _leave_out(events: QuerySet[Event]) -> None:
    with commit("schedule.release"):
        leave_out(events, "The workflow took no starts any more when its turn came.")


def _before(trigger: Trigger) -> list[Going]:
    """The runs for whose end the next start waits: none that somebody paused before it began."""
    return [one for one in going(trigger) if not one.aside]


def _start(trigger: Trigger, events: list[UUID], *, alone: bool = False) -> None:
    """One run for each of these events that still waits. `alone`: only while no other run of this start is open."""
    with commit("schedule.release"):
        # Two leaders for a moment: the second waits here, and sees what the first has started.
        Trigger.objects.select_for_update().get(pk=trigger.pk)
        if alone and _before(trigger):
            return
        now = database_now()
        _make_runs(trigger, events, now, wake_at=now)


def _hold(trigger: Trigger, events: list[UUID]) -> None:
    """One run for each of these events that still waits, held as long as their workflow is paused: it lets them go one
    after another."""
    with commit("schedule.release"):
        Trigger.objects.select_for_update().get(pk=trigger.pk)
        # Under its lock: a hold that ends meanwhile would let them all go at once.
        if Hold.objects.select_for_update().filter(pk=trigger.workflow_id).exists():
            _make_runs(trigger, events, database_now(), wake_at=None, held=1)


def _make_runs(trigger: Trigger, events: list[UUID], now: int, *, wake_at: int | None, held: int | None = None) -> None:
    needed = trigger.version.min_engine
    found = Event.objects.filter(pk__in=events, verdict="queued").select_for_update()
    for event in sorted(found, key=lambda event: int(event.dedupe_key or 0)):
        if event.run_id is not None and _goes_on(event.run_id):
            Event.objects.filter(pk=event.pk).update(verdict="accepted", reason=None)
            continue
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
            wake_at=wake_at,
            min_engine=needed if held is None else needed + HELD,
            held=held,
            # One that was cancelled before it began, and is asked for again.
            replay_of=event.run_id,
        )
        Event.objects.filter(pk=event.pk).update(verdict="accepted", run_id=run_id, reason=None)


def _goes_on(run_id: UUID) -> bool:
    """Whether somebody has gone on with this run, which was cancelled when its start was asked for again, however it
    ended then; its row stays locked, so that nobody does until the caller has committed."""
    status = Run.objects.select_for_update().filter(pk=run_id).values_list("status", flat=True).first()
    return status is not None and (status != "cancelled" or not never_begun([run_id]))


def _starter(event: Event) -> str:
    """Whoever had the backfill made, or the schedule."""
    if event.backfill_id is None:
        return "schedule"
    by = Backfill.objects.values_list("by", flat=True).get(pk=event.backfill_id)
    return "api" if by is None else f"user:{by}"
