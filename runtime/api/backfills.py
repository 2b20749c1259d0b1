"""Starts for past instants of a schedule: looked at first, then made in order, each instant once (I33)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from runtime.contracts import BackfillInstant, BackfillPlan, BackfillView, NotFound, NotStartable, RuntimeRefused
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.reopening import never_begun
from runtime.interpreter.waiting import iso
from runtime.nodes.triggers.schedule import moments
from runtime.sdk.schedules import ScheduleError, local_moment, zone
from runtime.store.beside import tell
from runtime.store.calendars import filled
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Backfill, Deployment, Event, Run, Trigger
from runtime.store.queued import leave_out, queued

__all__ = ["backfill", "backfill_plan", "backfills", "stop_backfill"]

#: More instants are not started at a time.
MOST: Final = 1_000
_SHOWN: Final = 50
_PAGE: Final = 200


def backfill_plan(
    *, workspace_id: UUID, workflow_id: UUID, trigger_id: UUID, range_from: date | int, range_to: date | int
) -> BackfillPlan:
    """Which instants from `range_from` until `range_to` would be started, both included; none in the future.

    A moment in ms, or a whole day in the schedule's time zone.

    Raises NotFound, RuntimeRefused.
    """
    trigger = _schedule(workspace_id, workflow_id, trigger_id)
    return _plan(trigger, *_range(trigger, range_from, range_to))


def backfill(
    *,
    workspace_id: UUID,
    workflow_id: UUID,
    trigger_id: UUID,
    range_from: date | int,
    range_to: date | int,
    together: bool,
    by: UUID | None,
) -> BackfillView:
    """Start the instants of the plan that have no run: all of them wait for the ticker when this returns, or none.

    `together`: they run beside each other; otherwise each waits until the one before it has ended. Raises NotFound,
    NotStartable (the workflow is switched off), RuntimeRefused (too many, nothing to start).
    """
    trigger = _schedule(workspace_id, workflow_id, trigger_id)
    if not Deployment.objects.filter(pk=workflow_id, enabled=True, retired=False).exists():
        raise NotStartable("This workflow is switched off. Switch it on to start it.", code="switched_off")
    with commit("schedule.backfill"):
        # Two people at once: the second sees what the first has started.
        Trigger.objects.select_for_update().get(pk=trigger.pk)
        first, last = _range(trigger, range_from, range_to)
        plan = _plan(trigger, first, last)
        if plan.too_many:
            raise RuntimeRefused(
                f"There are more than {MOST:,} starts in this time. Choose a shorter one.", code="too_many", most=MOST
            )
        if not plan.starts:
            raise RuntimeRefused("Every start of this time has its run.", code="nothing_to_start")
        made = Backfill.objects.create(
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            trigger_id=trigger.pk,
            at=database_now(),
            by=by,
            range_from=first,
            range_to=last,
            together=together,
            starts=plan.starts,
            known=len(plan.instants) - plan.starts,
        )
        _queue(trigger, plan, made)
        tell(backfill=str(made.pk), starts=plan.starts)
    return _views([made])[0]


def stop_backfill(*, workspace_id: UUID, workflow_id: UUID, backfill_id: UUID) -> BackfillView:
    """Leave out the starts that have not begun; runs that have go on. Raises NotFound."""
    found = Backfill.objects.filter(pk=backfill_id, workspace_id=workspace_id, workflow_id=workflow_id).first()
    if found is None:
        raise NotFound("There are no such starts.", code="backfill_not_found")
    with commit("schedule.backfill"):
        waiting = queued().filter(trigger_id=found.trigger_id, backfill_id=found.pk)
        leave_out(waiting, "Somebody stopped these starts.")
    return _views([found])[0]


def backfills(*, workspace_id: UUID, workflow_id: UUID) -> list[BackfillView]:
    """The newest of a workflow."""
    rows = Backfill.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id).order_by("-id")[:_SHOWN]
    return _views(list(rows))


def _schedule(workspace_id: UUID, workflow_id: UUID, trigger_id: UUID) -> Trigger:
    own = Trigger.objects.filter(pk=trigger_id, workspace_id=workspace_id, workflow_id=workflow_id, enabled=True)
    found = own.filter(type__startswith="trigger.schedule@").first()
    if found is None:
        raise NotFound("The live version has no such schedule.", code="no_such_start")
    return found


def _range(trigger: Trigger, range_from: date | int, range_to: date | int) -> tuple[int, int]:
    """The two ends in ms."""
    place = zone(_zone_of(trigger.config))
    try:
        first = _midnight(range_from, place) if isinstance(range_from, date) else range_from
        last = _midnight(range_to + timedelta(days=1), place) - 1 if isinstance(range_to, date) else range_to
    except OverflowError:
        raise _outside() from None
    if last < first:
        raise RuntimeRefused("The end is before the beginning.", code="bad_range")
    return first, last


def _zone_of(config: str) -> str:
    """In which zone the days of a schedule with these settings are meant."""
    found: Any = loads_stored(config)
    return str(found.get("timezone") or "UTC")


def _midnight(day: date, place: ZoneInfo) -> int:
    return int(local_moment(day, time(0), place).timestamp() * 1000)


def _outside() -> RuntimeRefused:
    return RuntimeRefused("This time is outside the calendar.", code="bad_range")


def _plan(trigger: Trigger, range_from: int, range_to: int) -> BackfillPlan:
    stored: Any = loads_stored(trigger.config)
    # Past days are told by the calendar as it is now, too.
    config = filled(trigger.workspace_id, stored)
    until = min(range_to, database_now())
    found: list[int] = []
    try:
        for at in moments(config, range_from - 1):
            if at > until or len(found) > MOST:
                break
            found.append(at)
    except ScheduleError as error:
        raise RuntimeRefused(error.message, code="schedule") from None
    except OverflowError:
        raise _outside() from None
    listed = found[:MOST]
    again = {key for key, _ in _never_begun(trigger, listed)}
    known = {
        key
        for key, verdict, run_id in _events(trigger, listed).values_list("dedupe_key", "verdict", "run_id")
        if (verdict != "skipped" or run_id is not None) and key not in again
    }
    return BackfillPlan(
        trigger_id=trigger.pk,
        instants=[BackfillInstant(at=at, known=str(at) in known) for at in listed],
        too_many=len(found) > MOST,
        time_zone=_zone_of(trigger.config),
    )


def _events(trigger: Trigger, instants: Sequence[int]) -> Any:
    return Event.objects.filter(trigger_id=trigger.pk, dedupe_key__in=[str(at) for at in instants])


def _never_begun(trigger: Trigger, instants: Sequence[int]) -> list[tuple[str, UUID]]:
    """Those whose run was cancelled before it began, and was not started again; with that run."""
    # One that was left out once more while it waited kept its run, and in earlier versions said that it was skipped.
    events = _events(trigger, instants).filter(verdict__in=("accepted", "skipped"), run_id__isnull=False)
    of_run = {run_id: key for key, run_id in events.values_list("dedupe_key", "run_id")}
    found = set(Run.objects.filter(pk__in=of_run, status="cancelled").values_list("id", flat=True))
    if found := never_begun(found):
        own = Run.objects.filter(workflow_id=trigger.workflow_id, replay_of__in=found)
        found -= set(own.values_list("replay_of", flat=True))
    return [(of_run[run_id], run_id) for run_id in sorted(found)]


def _queue(trigger: Trigger, plan: BackfillPlan, made: Backfill) -> None:
    """An event for each instant that has none; one that was left out in its time, or whose run was cancelled before it
    began, gets its turn."""
    wanted = [instant.at for instant in plan.instants if not instant.known]
    cancelled = [run_id for _, run_id in _never_begun(trigger, wanted)]
    again = _events(trigger, wanted).filter(Q(verdict="skipped", run_id__isnull=True) | Q(run_id__in=cancelled))
    again.update(verdict="queued", backfill_id=made.pk, reason=None)
    before = dict(zip((one.at for one in plan.instants[1:]), (one.at for one in plan.instants), strict=False))
    rows = []
    for at in wanted:
        previous = before.get(at)
        body = dumps(
            {"scheduled_at": iso(at), "previous": None if previous is None else iso(previous), "missed": 0}
        ).encode()
        rows.append(
            Event(
                id=uuid7(),
                workspace_id=trigger.workspace_id,
                workflow_id=trigger.workflow_id,
                trigger_id=trigger.pk,
                source="schedule",
                received_at=made.at,
                content_type="application/json",
                body=body,
                body_size=len(body),
                body_sha256=sha256(body).hexdigest(),
                dedupe_key=str(at),
                verdict="queued",
                backfill_id=made.pk,
            )
        )
    # An instant whose event stands, or comes at this very moment, keeps it.
    Event.objects.bulk_create(rows, batch_size=_PAGE, ignore_conflicts=True)


def _views(rows: Sequence[Backfill]) -> list[BackfillView]:
    counted = (
        queued()
        .filter(trigger_id__in={row.trigger_id for row in rows}, backfill_id__in=[row.pk for row in rows])
        .values_list("backfill_id")
        .annotate(Count("id"))
    )
    waiting = dict(counted) if rows else {}
    configs = Trigger.objects.filter(pk__in={row.trigger_id for row in rows}).values_list("pk", "config")
    zones = {trigger_id: _zone_of(config) for trigger_id, config in configs}
    return [
        BackfillView(
            id=row.pk,
            workflow_id=row.workflow_id,
            trigger_id=row.trigger_id,
            at=row.at,
            by=row.by,
            range_from=row.range_from,
            range_to=row.range_to,
            together=row.together,
            starts=row.starts,
            known=row.known,
            waiting=waiting.get(row.pk, 0),
            time_zone=zones.get(row.trigger_id, "UTC"),
        )
        for row in rows
    ]
