"""What people decide about the times of a schedule: one start left out or moved, a pause, starts that come a little
later. The ticker goes by it from the moment that this returns, and no restart forgets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, pairwise
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from runtime.contracts import NotFound, RuntimeRefused
from runtime.contracts.schedules import StartPassed
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, ScheduleChange, ScheduleSetting, Trigger
from runtime.store.planned import Plan, Planned, plan_of, plans_of

__all__ = [
    "move_start",
    "pause_schedule",
    "put_start_back",
    "resume_schedule",
    "set_due",
    "skip_start",
    "spread_schedules",
]

_POINT: Final = "schedule.change"
_YEAR_MS: Final = 366 * 86_400_000
MOST_MINUTES: Final = 60
MOST_SPREAD: Final = 200


def skip_start(*, workspace_id: UUID, schedule_id: UUID, instant: int, by: UUID | None) -> UUID:
    """Leave this start out, and no other; the workflow's id. Again, it changes nothing.

    Raises NotFound, StartPassed.
    """
    with _changing(workspace_id, schedule_id) as (row, plan, now):
        one = _to_come(plan, instant, now)
        if one.fate == "skip":
            unchanged()
        else:
            _put(row, instant, None, by, now)
        return row.workflow_id


def move_start(*, workspace_id: UUID, schedule_id: UUID, instant: int, to: int, by: UUID | None) -> UUID:
    """Have this start come at another moment, this once; it stays the start of its time. Raises NotFound, StartPassed,
    RuntimeRefused (the moment is past, or more than a year away)."""
    with _changing(workspace_id, schedule_id) as (row, plan, now):
        _to_come(plan, instant, now)
        if to <= now:
            raise RuntimeRefused("Choose a time to come.", code="move_into_past")
        if to > now + _YEAR_MS:
            raise RuntimeRefused("Choose a time within a year.", code="move_too_far")
        if plan.to.get(instant, instant + plan.delay_ms) == to:
            unchanged()
        else:
            _put(row, instant, to, by, now)
        return row.workflow_id


def put_start_back(*, workspace_id: UUID, schedule_id: UUID, instant: int) -> UUID:
    """Let a start that was left out or moved come at its time again. Raises NotFound, StartPassed."""
    with _changing(workspace_id, schedule_id) as (row, plan, now):
        if instant not in plan.to:
            unchanged()
        elif instant + plan.delay_ms <= now or ((to := plan.to[instant]) is not None and to <= now):
            raise _passed()
        else:
            ScheduleChange.objects.filter(trigger_id=row.pk, instant=instant).delete()
        return row.workflow_id


def pause_schedule(*, workspace_id: UUID, schedule_id: UUID, until: int, by: UUID | None) -> UUID:
    """Start nothing by this schedule until then. Raises NotFound, RuntimeRefused (that moment is past, or more than
    ten years away)."""
    with _changing(workspace_id, schedule_id, keeps_due=True) as (row, plan, now):
        if until <= now:
            raise RuntimeRefused("Choose a time to come.", code="pause_into_past")
        if until > now + 10 * _YEAR_MS:
            raise RuntimeRefused("Choose a time within ten years.", code="pause_too_far")
        if plan.paused_until == until:
            unchanged()
        else:
            _set(row, paused_until=until, paused_at=now, paused_by=by)
        return row.workflow_id


def resume_schedule(*, workspace_id: UUID, schedule_id: UUID) -> UUID:
    """End the pause of this schedule. What fell into it stays left out. Raises NotFound."""
    with _changing(workspace_id, schedule_id) as (row, plan, now):
        if (plan.paused_until or 0) <= now:
            unchanged()
        else:
            _set(row, paused_until=None, paused_at=None, paused_by=None)
        return row.workflow_id


def spread_schedules(*, workspace_id: UUID, schedule_ids: Sequence[UUID], minutes: int) -> None:
    """Have the starts of these schedules come evenly within so many minutes behind their time, from now on and in this
    order; 0: at their time. Raises NotFound, RuntimeRefused (they start too often for that)."""
    if not 0 <= minutes <= MOST_MINUTES or not 1 <= len(schedule_ids) <= MOST_SPREAD:
        raise RuntimeRefused(f"Up to {MOST_SPREAD} schedules, and up to {MOST_MINUTES} minutes.", code="bad_spread")
    ids = list(dict.fromkeys(schedule_ids))
    with commit(_POINT):
        now = database_now()
        # In the order in which everybody locks them.
        rows = {row.pk: row for row in _rows(workspace_id, ids).select_for_update().order_by("id")}
        if len(rows) < len(ids):
            raise _not_found()
        changed = 0
        for place, schedule_id in enumerate(ids):
            row = rows[schedule_id]
            seconds = minutes * 60 * place // len(ids) if minutes else 0
            changed += _delay(row, plan_of(row), seconds * 1000, now)
        if not changed:
            unchanged()
        tell(schedules=[str(one) for one in ids], minutes=minutes)


# --- inside -----------------------------------------------------------------------------------------------------------


@contextmanager
def _changing(workspace_id: UUID, schedule_id: UUID, *, keeps_due: bool = False) -> Iterator[tuple[Trigger, Plan, int]]:
    """The schedule, its plan, and the time, under its lock; behind that it is due when the plan then says.
    `keeps_due`: it stays due when it was, to write down what happens then."""
    with commit(_POINT):
        row = _rows(workspace_id, [schedule_id]).select_for_update().first()
        if row is None:
            raise _not_found()
        now = database_now()
        yield row, plan_of(row), now
        if not keeps_due:
            set_due([row], now)
        tell(schedule=str(row.pk), step=row.node_key)


def _rows(workspace_id: UUID, ids: Sequence[UUID]) -> QuerySet[Trigger]:
    own = Trigger.objects.filter(workspace_id=workspace_id, pk__in=ids, enabled=True)
    return own.filter(type__startswith="trigger.schedule@")


def _not_found() -> NotFound:
    return NotFound("No live version has such a schedule.", code="no_such_schedule")


def _passed() -> StartPassed:
    return StartPassed("This start is no longer to come.")


def set_due(rows: Sequence[Trigger], now: int) -> None:
    """When these schedules are due next, in a few queries however many there are. One that is due at this moment stays
    so: the tick looks at its plan anew."""
    found = [row for row in rows if row.next_fire_at is None or row.next_fire_at > now]
    live = set(
        Deployment.objects.filter(pk__in={row.workflow_id for row in found}, enabled=True, retired=False).values_list(
            "pk", flat=True
        )
    )
    found = [row for row in found if row.workflow_id in live]
    plans = plans_of(found)
    changed = []
    for row in found:
        if (due := plans[row.pk].next_at(now)) != row.next_fire_at:
            row.next_fire_at = due
            changed.append(row)
    Trigger.objects.bulk_update(changed, ["next_fire_at"], batch_size=200)


def _to_come(plan: Plan, instant: int, now: int) -> Planned:
    """The start of this instant, where it is to come. Raises StartPassed."""
    at = plan.to.get(instant)
    at = instant + plan.delay_ms if at is None else at
    if at <= now or not plan.names(instant):
        raise _passed()
    return Planned(instant, at, plan.fate(at, skipped=instant in plan.to and plan.to[instant] is None))


def _put(row: Trigger, instant: int, to: int | None, by: UUID | None, now: int) -> None:
    ScheduleChange.objects.update_or_create(
        trigger_id=row.pk,
        instant=instant,
        defaults={"workspace_id": row.workspace_id, "to": to, "by": by, "at": now},
    )


def _set(row: Trigger, **values: object) -> None:
    ScheduleSetting.objects.update_or_create(trigger_id=row.pk, defaults={"workspace_id": row.workspace_id, **values})


def _delay(row: Trigger, plan: Plan, delay_ms: int, now: int) -> bool:
    if delay_ms == plan.delay_ms:
        return False
    soon = [one.instant for one in islice(plan.starts(now), 10)]
    if any(later - earlier <= max(delay_ms, plan.delay_ms) for earlier, later in pairwise(soon)):
        raise RuntimeRefused("A schedule that starts so often cannot be spread so far.", code="too_often_to_spread")
    # A start that was still to come, and would be past by the new time, comes when it was to come.
    for one in islice(plan.starts(now), 2):
        if not one.moved and one.fate == "start" and one.instant + delay_ms <= now:
            _put(row, one.instant, one.at, None, now)
    _set(row, delay_ms=delay_ms)
    set_due([row], now)
    return True
