"""Pausing runs, and workflows that go on accepting."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from runtime import queue
from runtime.api.publishing import deployment
from runtime.api.runs import run
from runtime.contracts import AlreadyFinished, DeploymentView, HeldVersion, NotFound, NotPaused, RunView
from runtime.interpreter.generations import paused_around
from runtime.store import holds
from runtime.store.beside import unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now, queue_up
from runtime.store.models import Deployment, Hold, Run
from runtime.store.parts import IS_ITEM
from runtime.store.pauses import (
    WITH_RUN,
    WITH_WORKFLOW,
    pause_own_runs,
    pause_runs,
    resume_own_runs,
    resume_runs,
    stay_with_their_run,
    tell,
)
from runtime.store.upserts import locked

#: Runs of a workflow that are rung for when they go on; the others are found.
_MOST_RUNG: Final = 200
_AROUND: Final = "parent_run_id", "detached", "paused_by"


def pause_run(*, workspace_id: UUID, run_id: UUID, by: UUID | None = None, reason: str = "") -> RunView:
    """Let nothing more of this run begin, until it is resumed; what has begun may end. Paused twice is paused once.

    Raises NotFound, AlreadyFinished (also for a run that is being cancelled).
    """
    found = Run.objects.filter(pk=run_id, workspace_id=workspace_id)
    why, rung = reason.strip()[:400] or None, [run_id]
    with commit("run.pause"):
        now = database_now()
        paused = pause_runs(found, by=_who(by), reason=why, now=now)
        if not paused:
            unchanged()
        else:
            rung = pause_own_runs([run_id], reason=why, now=now, who=_who(by))
    view = run(workspace_id=workspace_id, run_id=run_id)
    if not paused and not view.paused:
        raise AlreadyFinished("The run has ended, or is about to: there is nothing left to pause.")
    if paused:
        queue.ring(rung[:_MOST_RUNG])
        tell(Run.objects.filter(pk__in=rung[:_MOST_RUNG]))
    return view


def resume_run(*, workspace_id: UUID, run_id: UUID, by: UUID | None = None) -> RunView:
    """Let a paused run go on. What fell due meanwhile happens now, once. A start of a schedule whose runs must not
    overlap begins in its turn. One that was paused with the run around it goes on with that. Raises NotFound,
    NotPaused."""
    found = Run.objects.filter(pk=run_id, workspace_id=workspace_id)
    rung = [run_id]
    with commit("run.resume"):
        now = database_now()
        row = found.filter(paused_at__isnull=False, finished_at__isnull=True).values(*_AROUND).first()
        if row is not None and row["paused_by"] != WITH_RUN and paused_around(row) is not None:
            raise NotPaused("The run around it is paused too. Resume that one first.")
        if row is not None and row["paused_by"] == WITH_RUN:
            raise NotPaused(
                "This run was paused together with the run around it. Resume that one: this one goes with it."
            )
        resumed = resume_runs(found, now=now, who=_who(by))
        if not resumed:
            unchanged()
        else:
            holds.take_turns(found, now)
            rung = resume_own_runs([run_id], now=now, who=_who(by))
    view = run(workspace_id=workspace_id, run_id=run_id)
    if not resumed:
        raise NotPaused("This run is not paused.")
    queue.ring(rung[:_MOST_RUNG])
    tell(Run.objects.filter(pk__in=rung[:_MOST_RUNG]))
    return view


def hold_workflow(
    *, workspace_id: UUID, workflow_id: UUID, by: UUID | None = None, reason: str = "", open_runs: str = "finish"
) -> DeploymentView:
    """Pause a workflow that goes on accepting: what starts is stored, and held until `let_go`. Runs under way finish,
    or are paused too (`open_runs="hold"`). While runs are being let go, it stops that. Raises NotFound.
    """
    live = _live(workspace_id, workflow_id)
    with commit("hold.begin"):
        queue_up(workflow_id)
        now = database_now()
        fresh = Hold(workflow_id=workflow_id, workspace_id=live.workspace_id, since=now, by=_who(by), cause="person")
        fresh.reason, fresh.open_runs, fresh.mode = reason.strip()[:400], open_runs, "held"
        held = locked(fresh, by=["workflow_id"])
        if reason.strip():
            held.reason = reason.strip()[:400]
        held.mode, held.trial_run_id, held.drained_from, held.drained_by, held.let_go = "held", None, None, None, 0
        held.onto_version_id = None
        held.save()
        holds.gather(workflow_id, now, who=_who(by), also_let_go=True)
        under_way: list[UUID] = []
        if open_runs == "hold":
            held.open_runs = open_runs
            held.save(update_fields=["open_runs"])
            going = _under_way(workspace_id, workflow_id)
            chosen = list(going.values_list("id", flat=True))
            why, who = held.reason or None, _who(by)
            pause_runs(going, by=WITH_WORKFLOW, reason=why, now=now, who=who)
            under_way = pause_own_runs(chosen, reason=why, now=now, who=who)[:_MOST_RUNG]
    if under_way:
        queue.ring(under_way)
        tell(Run.objects.filter(pk__in=under_way))
    return _deployment(workspace_id, workflow_id)


def let_go(
    *,
    workspace_id: UUID,
    workflow_id: UUID,
    by: UUID | None = None,
    per_minute: int | None = None,
    at_once: int | None = None,
    trial: bool = False,
    version: Literal["published", "own"] = "published",
) -> DeploymentView:
    """Let the held runs go, in the order in which they were accepted: so many a minute, so many at a time, or as fast
    as possible. With `trial` only the first, to see how it ends. What is accepted meanwhile queues up behind them.

    `version`: each goes with the one published now, where that has the start by which it came; or with its `own`, under
    which it was accepted. Raises NotFound, NotPaused.
    """
    live = _live(workspace_id, workflow_id)
    with commit("hold.change"):
        now = database_now()
        held = Hold.objects.select_for_update().filter(pk=workflow_id, workspace_id=workspace_id).first()
        if held is None:
            raise NotPaused("This workflow is not paused.")
        rung: list[UUID] = []
        held.onto_version_id, held.drained_from = live.version_id if version == "published" else None, now
        if trial:
            if held.mode == "held" and (rung := holds.let_go(held, 1, now, who=_who(by))):
                held.mode, held.trial_run_id, held.trial = "trying", rung[0], None
            elif held.mode == "held" and holds.held_runs(workflow_id).exists():
                raise NotPaused("Each of the held runs is paused by itself too. Resume the one that is to be tried.")
        else:
            held.mode, held.trial_run_id = "draining", None
            held.per_minute, held.at_once = per_minute, at_once
            held.drained_by, held.let_go = _who(by), 0
            paused = Run.objects.filter(workflow_id=workflow_id, paused_by=WITH_WORKFLOW, finished_at__isnull=True)
            stay_with_their_run(paused)
            chosen = list(paused.values_list("id", flat=True))
            resume_runs(paused, now=now, who=_who(by), together=WITH_WORKFLOW)
            rung = resume_own_runs(chosen, now=now, who=_who(by))[:_MOST_RUNG]
        held.save()
        # Whoever lets it go on has looked at what failed.
        Deployment.objects.filter(pk=workflow_id).update(breaker_since=now)
    if rung:
        queue.ring(rung)
        tell(Run.objects.filter(pk__in=rung))
    if not trial:
        holds.end(workflow_id)
    return _deployment(workspace_id, workflow_id)


def held_versions(*, workspace_id: UUID, workflow_id: UUID) -> list[HeldVersion]:
    """Under which versions the held runs of this workflow came, the oldest first, and how many of each could go with
    the one published now. Raises NotFound."""
    live = _live(workspace_id, workflow_id)
    starts = holds.starts_of(live.version.graph)
    counted = holds.held_runs(workflow_id).values_list("version_id", "version__number", "trigger_node")
    found: dict[int, HeldVersion] = {}
    for version_id, number, node, count in counted.annotate(Count("id")).order_by("version__number"):
        fits = count if version_id == live.version_id or node in starts else 0
        before = found.get(number, HeldVersion(number, version_id == live.version_id, 0, 0))
        found[number] = replace(before, count=before.count + count, fits=before.fits + fits)
    return list(found.values())


def set_breaker(*, workspace_id: UUID, workflow_id: UUID, failures: int, percent: int, minutes: int) -> DeploymentView:
    """When the workflow is paused because it keeps failing; 0 failures and 0 percent: never. Raises NotFound."""
    _live(workspace_id, workflow_id)
    with commit("deployment.change"):
        Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id).update(
            breaker_failures=failures, breaker_percent=percent, breaker_minutes=minutes
        )
    return _deployment(workspace_id, workflow_id)


def _under_way(workspace_id: UUID, workflow_id: UUID) -> QuerySet[Run]:
    """Open runs that have begun, or were let go; tests are nobody's backlog, and items of an open run go with it."""
    begun = ~Q(status="accepted") | Q(held=0) | Q(lease_owner__isnull=False)
    around = Run.objects.filter(pk=OuterRef("parent_run_id"), finished_at__isnull=True)
    return (
        Run.objects.exclude(IS_ITEM & Exists(around))
        .filter(
            begun,
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            mode="live",
            finished_at__isnull=True,
        )
        .exclude(held=1)
    )


def _live(workspace_id: UUID, workflow_id: UUID) -> Deployment:
    live = (
        Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id, retired=False)
        .select_related("version")
        .first()
    )
    if live is None:
        raise NotFound("This workflow has no live version.", code="not_published")
    return live


def _deployment(workspace_id: UUID, workflow_id: UUID) -> DeploymentView:
    found = deployment(workspace_id=workspace_id, workflow_id=workflow_id)
    if found is None:
        raise NotFound("This workflow has no live version.", code="not_published")
    return found


def _who(by: UUID | None) -> str:
    return "api" if by is None else f"user:{by}"
