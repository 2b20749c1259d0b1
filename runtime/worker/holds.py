"""Workflows that are paused and still accept: gather what strays in, and let runs go at the speed that was chosen.

Called by the leading ticker, in a thread. Everything it goes by is in the database, each step is one commit, and two
leaders at once let nothing go twice.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from runtime.store import holds
from runtime.store.commits import commit
from runtime.store.dialect import database_now, queue_up
from runtime.store.models import Hold, Run, Trigger
from runtime.store.parts import IS_ITEM
from runtime.worker.overlap import in_turn

__all__ = ["AT_ONCE", "tend"]

#: As fast as possible: no more than this many are at work at a time, so that order means something.
AT_ONCE: Final = 100
_MINUTE_MS: Final = 60_000


def tend() -> tuple[list[UUID], bool]:
    """Go on with every hold; the runs that were let go, and whether some are still being let go."""
    rung: list[UUID] = []
    draining = False
    for hold in Hold.objects.order_by("workflow_id"):
        _gather(hold)
        if hold.mode == "trying":
            _look_at_trial(hold)
        elif hold.mode == "draining":
            rung += _drain(hold.workflow_id)
            draining = True
    strays = Run.objects.filter(held=1, finished_at__isnull=True).exclude(workflow_id__in=Hold.objects.values("pk"))
    for workflow_id in strays.order_by("workflow_id").values_list("workflow_id", flat=True).distinct():
        rung += _let_strays_go(workflow_id)
    return rung, draining


def _let_strays_go(workflow_id: UUID) -> list[UUID]:
    """What is held of a workflow that is not paused goes: of a schedule whose runs must not overlap one at a time."""
    with commit("hold.drain"):
        # Whoever pauses the workflow at this very moment waits until these are gone, and holds them again; or this
        # waits, and finds it paused.
        queue_up(workflow_id)
        # Two leaders for a moment: the second waits here, and sees what the first has let go.
        list(Trigger.objects.select_for_update().filter(workflow_id=workflow_id).order_by("pk"))
        return holds.let_go_strays(workflow_id, database_now(), in_turn(workflow_id))


def _gather(hold: Hold) -> None:
    now = database_now()
    stray = Run.objects.exclude(IS_ITEM).filter(
        workflow_id=hold.workflow_id,
        mode="live",
        status="accepted",
        held__isnull=True,
        wake_at__lte=now,
        finished_at__isnull=True,
        cancel_requested_at__isnull=True,
    )
    if stray.exists():
        with commit("hold.gather"):
            # Under its lock: what ends meanwhile must not be gathered for.
            if Hold.objects.select_for_update().filter(pk=hold.pk).exists():
                holds.gather(hold.workflow_id, database_now(), who=hold.by)


def _look_at_trial(hold: Hold) -> None:
    """How the run ended that was let go to see whether the workflow works again."""
    if hold.trial_run_id is None:
        return
    ended = Run.objects.filter(pk=hold.trial_run_id, finished_at__isnull=False).values_list("status", flat=True).first()
    if ended is not None:
        with commit("hold.change"):
            # One that somebody cancelled has shown nothing: the next may be tried.
            trial = "done" if ended == "completed" else None if ended == "cancelled" else "failed"
            Hold.objects.filter(pk=hold.pk, mode="trying", trial_run_id=hold.trial_run_id).update(
                mode="held", trial=trial
            )


def _drain(workflow_id: UUID) -> list[UUID]:
    with commit("hold.drain"):
        hold = Hold.objects.select_for_update().filter(pk=workflow_id, mode="draining").first()
        if hold is None:
            return []
        now, who = database_now(), hold.drained_by or hold.by
        holds.let_paused_go(hold, who=who)
        share = _share(hold, now)
        gone = holds.let_go(hold, share, now, who=who, in_turn=in_turn(workflow_id) if share else {})
        if gone:
            Hold.objects.filter(pk=workflow_id).update(let_go=hold.let_go + len(gone))
    if not gone:
        holds.end(workflow_id)
    return gone


def _share(hold: Hold, now: int) -> int:
    """How many may go now."""
    # Where nobody asked for a limit, a run that waits for something else holds no place, as it holds no worker.
    under_way = holds.under_way(hold.workflow_id) if hold.at_once else holds.at_work(hold.workflow_id)
    room = (hold.at_once or AT_ONCE) - under_way.count()
    if hold.per_minute:
        elapsed = max(0, now - (hold.drained_from or now))
        room = min(room, elapsed * hold.per_minute // _MINUTE_MS + 1 - hold.let_go)
    return max(0, room)
