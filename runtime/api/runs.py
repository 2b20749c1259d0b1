"""Runs and their steps: lists, snapshots, changes, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q

from runtime import queue
from runtime.api.items import IS_ITEM, counts
from runtime.api.rows import RUN_COLUMNS, STEP_COLUMNS, attempt_view, document, run_views, step_view
from runtime.contracts import (
    AlreadyFinished,
    AttemptView,
    NotFound,
    NotUndoable,
    RunChanges,
    RunSnapshot,
    RunView,
    StepDetail,
    StepView,
    WorkflowStatistics,
)
from runtime.engine import containers
from runtime.engine.graph import UNDO_PORT
from runtime.engine.jsonprofile import loads_stored
from runtime.store.beside import unchanged
from runtime.store.cancels import ask_to_cancel
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Run, StepRun, Version
from runtime.store.statements import HELD

_DETAIL_COLUMNS: Final = (*STEP_COLUMNS, "input", "output")
_ATTEMPT_COLUMNS: Final = (
    "attempt", "status", "started_at", "finished_at", "error", "effect_key", "effect_class", "request", "response",
    "worker", "generation",
)  # fmt: skip
_WAITING: Final = ("waiting_timer", "waiting_event", "waiting_human", "parked")
#: Readings of one run that commits overtake; more than a few in a row does not happen.
_PATIENCE: Final = 8
#: Runs that are rung for when one is cancelled; the others are found.
_MOST_RUNG: Final = 200


def run(*, workspace_id: UUID, run_id: UUID) -> RunView:
    """One run. Raises NotFound."""
    return run_views([_row(workspace_id, run_id)])[0]


def snapshot(*, workspace_id: UUID, run_id: UUID) -> RunSnapshot:
    """A run with its graph and all its steps, as of one `seq`. Raises NotFound."""
    view, steps = _consistent(workspace_id, run_id)
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=view.version_id))
    return RunSnapshot(run=view, graph=dict(graph), steps=steps, seq=view.seq)


def changes(*, workspace_id: UUID, run_id: UUID, after: int) -> RunChanges:
    """What changed after `after`: the run, and its steps with `after < seq <= run.seq`. Raises NotFound."""
    view = run(workspace_id=workspace_id, run_id=run_id)
    # A step that changed after the run was read belongs to the next reading.
    rows = StepRun.objects.filter(run_id=run_id, seq__gt=after, seq__lte=view.seq).order_by("seq", "node_id")
    steps = _with_items(view, [step_view(row) for row in rows.values(*STEP_COLUMNS)])
    return RunChanges(run=view, steps=steps, after=after, seq=view.seq)


def _with_items(view: RunView, steps: list[StepView]) -> list[StepView]:
    """Steps with how their own runs stand."""
    found = counts(view.id, view.version_id, {step.node: step for step in steps})
    return [replace(step, items=found[step.node]) if step.node in found else step for step in steps] if found else steps


def step(*, workspace_id: UUID, run_id: UUID, node_id: str) -> StepDetail:
    """One step of the run's generation with its data and tries. Raises NotFound, DataDamaged."""
    owner = _row(workspace_id, run_id)
    row = (
        StepRun.objects.filter(run_id=run_id, node_id=node_id, generation=owner["generation"])
        .values(*_DETAIL_COLUMNS)
        .first()
    )
    if row is None:
        raise NotFound("The run has not come to this step.", code="step_not_found")
    view = step_view(row)
    # Those of earlier generations too: a retry never hides what it follows.
    tries = Attempt.objects.filter(run_id=run_id, node_id=node_id).order_by("generation", "attempt")
    attempts = [attempt_view(found) for found in tries.values(*_ATTEMPT_COLUMNS)]
    return StepDetail(
        step=view,
        input=document(row["input"]),
        # What a question gives when nobody answers is nobody's answer yet.
        output=None if _is_asked(view) else document(row["output"]),
        attempts=_with_plain_success(view, attempts),
    )


def _is_asked(view: StepView) -> bool:
    waits = view.status == "waiting" and view.wait is not None and view.wait.get("kind") in ("human", "event")
    return waits or view.status == "cancelled"


def cancel(
    *, workspace_id: UUID, run_id: UUID, by: UUID | None = None, undo: bool = False, reason: str = ""
) -> RunView:
    """Ask the run to stop: nothing new begins, what runs may finish, then it is cancelled; or, with `undo`, what it did
    is undone. What it waits for is asked in the same commit. Raises NotFound, AlreadyFinished, NotUndoable (no step of
    its version has an undo step)."""
    row = _row(workspace_id, run_id)
    if undo and not _has_undo_steps(row["version_id"]):
        raise NotUndoable("No step of this workflow has an undo step.", code="no_undo_steps")
    with commit("run.cancel"):
        open_run = Run.objects.filter(pk=run_id, workspace_id=workspace_id, finished_at__isnull=True)
        who, why = "api" if by is None else f"user:{by}", reason.strip()[:400] or None
        asked = ask_to_cancel(open_run, by=who, now=database_now(), undo=undo, reason=why)
        if not asked:
            unchanged()
        still_open = bool(asked) or open_run.exists()
        undoing = open_run.filter(status="compensating").exists()
    if undoing and not asked:
        raise AlreadyFinished("What this run did is being undone, which cannot be cancelled.", code="undoing")
    if not still_open:
        raise AlreadyFinished("The run has ended: there is nothing left to cancel.")
    if asked:
        queue.ring(asked[:_MOST_RUNG])
    return run(workspace_id=workspace_id, run_id=run_id)


def _has_undo_steps(version_id: UUID) -> bool:
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=version_id))
    return any(edge.get("sourceHandle") == UNDO_PORT for edge in graph["edges"]) or any(
        containers.waits_for_call(node["type"], node.get("config") or {}) for node in graph["nodes"]
    )


def statistics(*, workspace_id: UUID, workflow_ids: Sequence[UUID], since: int) -> dict[UUID, WorkflowStatistics]:
    """Live runs accepted since then, counted by how they stand, and each workflow's newest run."""
    wanted = list(workflow_ids)
    going, stopped = Q(status__in=("accepted", "running", "compensating")), Q(min_engine__gte=HELD)
    counted = (
        Run.objects.filter(workspace_id=workspace_id, workflow_id__in=wanted, accepted_at__gte=since, mode="live")
        .exclude(IS_ITEM)
        .values("workflow_id")
        .annotate(
            done=Count("id", filter=Q(status="completed")),
            failed=Count("id", filter=Q(status="dead_lettered")),
            # What failed and was undone did not do what it was to do; what somebody cancelled is neither.
            undone=Count("id", filter=Q(status="compensated", error__isnull=False)),
            all=Count("id"),
            waiting=Count("id", filter=Q(status__in=_WAITING) | (going & stopped)),
            running=Count("id", filter=going & ~stopped),
        )
    )
    counts = {row["workflow_id"]: row for row in counted}
    owned = Run.objects.filter(workspace_id=workspace_id).exclude(IS_ITEM)
    newest = [owned.filter(workflow_id=one).order_by("-id").values(*RUN_COLUMNS).first() for one in wanted]
    last = {view.workflow_id: view for view in run_views(row for row in newest if row is not None)}
    return {
        workflow_id: WorkflowStatistics(
            done=counts[workflow_id]["done"] if workflow_id in counts else 0,
            failed=counts[workflow_id]["failed"] if workflow_id in counts else 0,
            undone=counts[workflow_id]["undone"] if workflow_id in counts else 0,
            all=counts[workflow_id]["all"] if workflow_id in counts else 0,
            waiting=counts[workflow_id]["waiting"] if workflow_id in counts else 0,
            running=counts[workflow_id]["running"] if workflow_id in counts else 0,
            last_run=last.get(workflow_id),
        )
        for workflow_id in wanted
    }


def _row(workspace_id: UUID, run_id: UUID) -> dict[str, Any]:
    row = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*RUN_COLUMNS).first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return dict(row)


def _consistent(workspace_id: UUID, run_id: UUID) -> tuple[RunView, list[StepView]]:
    """The run and its steps as of one seq: read again where a commit came in between."""
    for _ in range(_PATIENCE):
        view = run(workspace_id=workspace_id, run_id=run_id)
        rows = StepRun.objects.filter(run_id=run_id).order_by("seq", "node_id").values(*STEP_COLUMNS)
        steps = [step_view(row) for row in rows]
        if all(found.seq <= view.seq for found in steps):
            break
    return view, _with_items(view, steps)


def _with_plain_success(view: StepView, attempts: list[AttemptView]) -> list[AttemptView]:
    """A step that only computes leaves no row for the try that succeeded: it is told from the step's own."""
    told = any(
        one.attempt == view.attempt and (one.generation == view.generation or one.status == "succeeded")
        for one in attempts
    )
    if told or view.attempt < 1 or view.status not in ("succeeded", "waiting"):
        return attempts
    made = AttemptView(
        attempt=view.attempt,
        status="succeeded",
        started_at=view.started_at,
        finished_at=view.finished_at,
        error=None,
        effect_key=None,
        effect_class="pure",
        request=None,
        response=None,
        worker=None,
        generation=view.generation,
    )
    return [*attempts, made]
