"""Pausing runs: while it lasts no worker claims them, and whoever holds one begins nothing more (I41)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, PositiveSmallIntegerField, Q, QuerySet, Value, When

from runtime.contracts import RunTouched
from runtime.ports import PORTS
from runtime.store.models import Hold, Run
from runtime.store.parts import IS_ITEM, locked_parts, portions
from runtime.store.statements import HELD
from runtime.store.trail import said

__all__ = [
    "WITH_RUN",
    "WITH_WORKFLOW",
    "due_unless_stopped",
    "pause_own_runs",
    "pause_runs",
    "resume_own_runs",
    "resume_runs",
    "stay_with_their_run",
    "tell",
    "wake_up",
]

#: In place of who paused it: paused together with its workflow, or with the run that has begun it.
WITH_WORKFLOW: Final = "workflow"
WITH_RUN: Final = "run"


def pause_runs(runs: QuerySet[Run], *, by: str, reason: str | None, now: int, who: str | None = None) -> int:
    """Pause those of these runs that are open and neither paused nor being cancelled; how many. The caller holds the
    transaction. `who`: on record, where `by` is what they are paused together with.

    Timers stay where they are: the run is looked at again when it is resumed, and what fell due meanwhile with it.
    """
    fresh = runs.filter(finished_at__isnull=True, paused_at__isnull=True, cancel_requested_at__isnull=True)
    return fresh.update(
        paused_at=now,
        paused_by=by,
        pause_reason=reason,
        wake_at=_until_its_turn(now, None),
        min_engine=F("min_engine") + HELD,
        seq=F("seq") + 1,
        change=said("pause", who or by, **_told(together=None if who in (None, by) else by, reason=reason)),
    )


def _until_its_turn(now: int, otherwise: Value | None) -> Case:
    """`wake_at` of a run that is paused or resumed: one that is to begin later keeps the time, which stands nowhere
    else."""
    later = Q(status="accepted", held__isnull=True, wake_at__gt=now, lease_owner__isnull=True)
    return Case(When(held=1, then=None), When(later, then=F("wake_at")), default=otherwise)


def _told(**more: str | None) -> dict[str, str]:
    return {name: value for name, value in more.items() if value}


def pause_own_runs(run_ids: Sequence[UUID], *, reason: str | None, now: int, who: str) -> list[UUID]:
    """Pause the parts of these runs; these and all those. The caller holds the transaction, and has paused these: so
    none is added."""
    parts = locked_parts(run_ids)
    for some in portions(parts):
        pause_runs(Run.objects.filter(pk__in=some), by=WITH_RUN, reason=reason, now=now, who=who)
    return [*run_ids, *parts]


def resume_own_runs(run_ids: Sequence[UUID], *, now: int, who: str) -> list[UUID]:
    """Let go on what was paused together with these runs; these and all those. The caller holds the transaction."""
    found, level = list(run_ids), list(run_ids)
    while level:
        deeper: list[UUID] = []
        for some in portions(level):
            own = Run.objects.filter(parent_run_id__in=some, detached=False)
            stay_with_their_workflow(own)
            mine = own.filter(paused_by=WITH_RUN, finished_at__isnull=True)
            under = list(mine.order_by("id").values_list("id", flat=True))
            resume_runs(Run.objects.filter(pk__in=under), now=now, who=who, together=WITH_RUN)
            found += under
            # As they were paused: also through those that have ended.
            deeper += under
            deeper += own.filter(finished_at__isnull=False).values_list("id", flat=True)
        level = deeper
    return found


def stay_with_their_workflow(runs: QuerySet[Run]) -> None:
    """Of these runs, which are about to go on with the run around them: calls of a workflow that is paused with its
    open runs go on with that. The caller holds the transaction."""
    paused = Hold.objects.filter(open_runs="hold", mode__in=("held", "trying"))
    calls = runs.filter(paused_by=WITH_RUN, finished_at__isnull=True, workflow_id__in=paused.values("pk"))
    calls.exclude(IS_ITEM).exclude(status="accepted", held=1).update(paused_by=WITH_WORKFLOW)


def stay_with_their_run(runs: QuerySet[Run]) -> None:
    """Of these runs, which are about to go on with their workflow: those go on with the run around them that are
    waited for by one that is paused. The caller holds the transaction."""
    around = Run.objects.filter(pk=OuterRef("parent_run_id"), finished_at__isnull=True, paused_at__isnull=False)
    runs.filter(Exists(around), detached=False).update(paused_by=WITH_RUN)


def resume_runs(runs: QuerySet[Run], *, now: int, who: str, together: str | None = None) -> int:
    """Let those of these runs that are paused go on; how many. The caller holds the transaction. `who`, and what they
    are resumed `together` with, are on record."""
    paused = runs.filter(paused_at__isnull=False, finished_at__isnull=True)
    return paused.update(
        paused_at=None,
        paused_by=None,
        pause_reason=None,
        # Too early is nothing: who claims it sees what is due, and lets go of it otherwise (I18).
        wake_at=_until_its_turn(now, Value(now)),
        claims=0,
        min_engine=F("min_engine") - HELD,
        seq=F("seq") + 1,
        change=said("resume", who, **_told(together=together)),
    )


def wake_up(runs: QuerySet[Run], now: int) -> None:
    """Neither paused nor held any more, for whatever comes that is more than that. The caller holds the transaction."""
    runs.filter(finished_at__isnull=True, min_engine__gte=HELD).update(
        paused_at=None,
        paused_by=None,
        pause_reason=None,
        held=Case(When(held=1, then=Value(0)), default=F("held"), output_field=PositiveSmallIntegerField()),
        wake_at=now,
        claims=0,
        min_engine=F("min_engine") % HELD,
        seq=F("seq") + 1,
    )


def due_unless_stopped(now: int) -> Case:
    """`wake_at` of a run that somebody knocks at: at once; one that is paused or held hears of it when it goes on."""
    return Case(When(min_engine__gte=HELD, then=None), default=Value(now))


def tell(runs: QuerySet[Run]) -> None:
    """Tell whoever watches these runs, behind the commit."""
    if PORTS.live.listening():
        columns = "id", "workspace_id", "workflow_id", "seq", "status"
        PORTS.live.publish([RunTouched(*row) for row in runs.values_list(*columns)[:500]])
