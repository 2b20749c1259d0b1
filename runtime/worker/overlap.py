"""What becomes of a schedule's start while an earlier one of it still runs (I33).

Only a run that has begun overlaps. Starts that were missed do not overlap each other, nor do those that a paused
workflow holds, or that were paused by themselves and resumed: each waits for the one before it, and what starts
meanwhile waits behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.db.models import QuerySet

from runtime.store.cancels import ask_to_cancel
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.holds import TAKES_TURNS, held_runs, overlap_of
from runtime.store.models import Event, Hold, Run, Trigger
from runtime.store.parts import IS_ITEM
from runtime.store.queued import leave_out, queued

__all__ = ["MISSED", "REASONS", "Admission", "Going", "admit", "going", "in_turn"]

Admission = Literal["accepted", "queued", "missed", "behind", "held", "running", "full"]

#: How far back a schedule looks for a run of its own that still runs: so many instants, and so many runs.
_NEWEST_RUNS: Final = 1_000
#: The reason also tells these apart from what waits behind them.
MISSED: Final = "It was missed, and waits until the start before it has ended."
REASONS: Final[Mapping[Admission, str]] = {
    "queued": "It waits until an earlier start has ended.",
    "missed": MISSED,
    "behind": "It waits behind starts that have not had their turn yet.",
    "held": "The workflow is paused.",
    "running": "An earlier start was still running.",
    "full": "Another start was waiting already.",
}
_REPLACED: Final = "A later start took its place."
_WAITING: Final = ("waiting_timer", "waiting_event", "waiting_human")


@dataclass(frozen=True, slots=True)
class Going:
    """A run of a schedule that has not ended. `held`: it is kept from beginning; `aside`: by somebody who paused it by
    itself, so that others pass it. `instant`: of which time it is; `backfill`: somebody asked for it."""

    run_id: UUID
    started_at: int | None
    status: str
    wake_at: int | None
    paused: bool
    held: bool
    aside: bool
    instant: tuple[UUID | None, str | None]
    backfill: bool


def admit(trigger: Trigger, at: int, *, late: bool, previous: int | None) -> Admission:
    """Whether the instant `at` starts a run, waits, or is left out, as the schedule says of earlier ones that still
    run; those are cancelled where it says so. `late`: it was missed and is made up for. `previous`: the instant before.
    """
    overlap = overlap_of(trigger)
    if overlap == "allow":
        return "accepted"
    hold = Hold.objects.filter(pk=trigger.workflow_id).first()
    if hold is not None and hold.mode != "draining":
        return "held"
    now = database_now()
    begun = [one for one in going(trigger, besides=at) if not one.held]
    if overlap == "cancel":
        # Somebody asked for those: they are no earlier start of the clock's.
        begun = [one for one in begun if not one.backfill]
    waiting = queued().filter(trigger_id=trigger.pk, backfill_id__isnull=True).exclude(dedupe_key=str(at))
    held = _held(trigger)
    kept = late or _are_kept(waiting, held, hold)
    if late:
        # What was cut off with everything else would have ended in its time.
        begun = [one for one in begun if _really_ran(one, at, now)]
    elif kept:
        # Those before it take their turns faster than the clock, unless one of them runs for longer than from one
        # instant to the next.
        begun = [] if previous is None else [one for one in begun if 0 < at - previous < now - (one.started_at or now)]
    if kept and (overlap == "cancel" or not begun):
        _cancel([one.run_id for one in begun])
        return "missed" if late else "behind"
    some_wait = waiting.exists() or held.exists()
    match overlap:
        case "cancel":
            if begun:
                _cancel([one.run_id for one in begun] + list(held.values_list("id", flat=True)))
                _leave_out(waiting)
                return "accepted"
            return "behind" if some_wait else "accepted"
        case "skip":
            return "running" if begun or some_wait else "accepted"
        case _:
            return "full" if some_wait else "queued" if begun else "accepted"


def _held(trigger: Trigger) -> QuerySet[Run]:
    """Starts of the clock that are held."""
    return held_runs(trigger.workflow_id).filter(
        trigger_node=trigger.node_id, started_by="schedule", cancel_requested_at__isnull=True
    )


def _are_kept(waiting: QuerySet[Event], held: QuerySet[Run], hold: Hold | None) -> bool:
    """Whether starts that were missed, or held while the workflow was paused, have still to take their turns."""
    # Where nothing is paused, those that are held were resumed, and wait for their turn.
    if (held if hold is None else held.filter(accepted_at__lte=hold.drained_from or 0)).exists():
        return True
    return waiting.filter(reason=MISSED).exists()


def _really_ran(one: Going, at: int, now: int) -> bool:
    """Whether this run would be open had nothing been off: it waits for something that has not come."""
    if one.started_at is None or one.started_at > at:
        return False
    if one.paused:
        return True
    waits = one.status in _WAITING and (one.wake_at is None or one.wake_at > now)
    return waits and not Run.objects.filter(parent_run_id=one.run_id, finished_at__isnull=True).exists()


def _cancel(run_ids: list[UUID]) -> None:
    if run_ids:
        with commit("run.cancel"):
            ask_to_cancel(Run.objects.filter(pk__in=run_ids), by="schedule", now=database_now())


def _leave_out(waiting: QuerySet[Event]) -> None:
    if waiting.exists():
        with commit("schedule.release"):
            leave_out(waiting, _REPLACED)


def going(trigger: Trigger, *, besides: int | None = None) -> list[Going]:
    """The runs of this start that have not ended. One that is set aside does not count, nor does that of the instant
    `besides`, which may be told of once more."""
    # By its own instants, for any number of other runs may have begun since; and those that were begun by hand, or for
    # instants of long ago, by how new they are.
    instants = Event.objects.filter(trigger_id=trigger.pk, dedupe_key__isnull=False, run_id__isnull=False)
    own = [one for one in instants.order_by("-dedupe_key").values_list("run_id", flat=True)[:_NEWEST_RUNS] if one]
    newest = Run.objects.filter(workflow_id=trigger.workflow_id).exclude(IS_ITEM).order_by("-id")[:_NEWEST_RUNS]
    found: dict[UUID, Going] = {}
    for some in (Run.objects.filter(pk__in=own, finished_at__isnull=True), newest):
        for node, mode, finished_at, paused_at, held, trigger_id, key, backfill_id, *row in some.values_list(
            *("trigger_node", "mode", "finished_at", "paused_at", "held"),
            *("event__trigger_id", "event__dedupe_key", "event__backfill_id"),
            *("id", "started_at", "status", "wake_at"),
        ):
            run_id, started_at, status, wake_at = row
            aside = status == "accepted" and paused_at is not None
            if (node, mode, finished_at) == (trigger.node_id, "live", None) and status != "parked":
                found[run_id] = Going(
                    run_id=run_id,
                    started_at=started_at,
                    status=status,
                    wake_at=wake_at,
                    paused=paused_at is not None,
                    held=held == 1 or aside,
                    aside=aside,
                    instant=(trigger_id, key),
                    backfill=backfill_id is not None,
                )
    return [one for one in found.values() if besides is None or one.instant != (trigger.pk, str(besides))]


def in_turn(workflow_id: UUID) -> dict[str, UUID | None]:
    """Of each schedule whose runs must not overlap: which of those that are held may be let go next, if any may.
    Also of one that has none: who is resumed while this is worked out waits for the next look."""
    found: dict[str, UUID | None] = {}
    for trigger in Trigger.objects.filter(workflow_id=workflow_id, type__startswith="trigger.schedule@"):
        if overlap_of(trigger) == "allow":
            continue
        held = held_runs(workflow_id).filter(TAKES_TURNS, trigger_node=trigger.node_id, paused_at__isnull=True)
        first = held.order_by("id").values_list("id", flat=True).first()
        begun = first is not None and any(not one.held for one in going(trigger))
        found[trigger.node_id] = None if begun else first
    return found
