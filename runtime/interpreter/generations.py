"""What every further go of a run begins with, whether it is gone on with or undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Max

from runtime.contracts import NotRetryable, PlanOutdated
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.expiry import expired
from runtime.interpreter.waiting import iso
from runtime.store.children import MOST_DEEP
from runtime.store.given_up import given_up
from runtime.store.models import Attempt, DeadLetter, Run, StepRun
from runtime.store.pauses import WITH_RUN
from runtime.store.reads import StepRow
from runtime.store.statements import HELD
from runtime.store.trail import as_said, said

#: An attempt in the trail: its node, generation and number, and its status.
Said = tuple[str, int, int, str]


def open_next(
    run: Mapping[str, Any],
    rows: Sequence[StepRun],
    *,
    now: int,
    who: str,
    solution: str,
    attempts: Sequence[Said] = (),
    **changes: Any,
) -> None:
    """Open the next generation of an ended run with these rows, within the caller's transaction; `changes`: of its row
    besides. `attempts`: what somebody says of those in doubt. That solves its dead letter. While the run around it is
    paused it is paused too, and goes on with that one. Raises PlanOutdated when somebody was quicker."""
    paused = paused_around(run, lock=True)
    if paused is not None:
        now_paused = {"paused_at": now, "paused_by": WITH_RUN, "pause_reason": paused}
        changes = {**changes, "min_engine": changes["min_engine"] + HELD, "wake_at": None, **now_paused}
    opened = Run.objects.filter(
        pk=run["id"],
        generation=run["generation"],
        seq=run["seq"],
        finished_at__isnull=False,
        values_removed_at=None,
    ).update(
        generation=run["generation"] + 1,
        outcome=None,
        waiting=None,
        finished_at=None,
        cancel_requested_at=None,
        cancelled_by=None,
        cancel_undo=False,
        claims=0,
        seq=run["seq"] + 1,
        change=said(solution, who, steps=[as_said(row) for row in rows], attempts=attempts),
        **{"paused_at": None, "paused_by": None, "pause_reason": None, "wake_at": now, **changes},
    )
    if not opened:
        raise PlanOutdated("Somebody was quicker: this run goes on already.")
    DeadLetter.objects.filter(run_id=run["id"], generation=run["generation"], solved_at__isnull=True).update(
        solved_at=now, solved_by=who, solution=solution
    )
    StepRun.objects.bulk_create(rows)


def paused_around(run: Mapping[str, Any], *, lock: bool = False) -> str | None:
    """Why an open run around this one, however far, is paused, empty where nobody said; None where none is."""
    if run["parent_run_id"] is None or run["detached"]:
        return None
    # Locked before the run's own row, and from the outermost on, as by whoever pauses or cancels them.
    around = Run.objects.filter(pk__in=_around(run["parent_run_id"]), finished_at__isnull=True).order_by("pk")
    rows = list((around.select_for_update() if lock else around).values_list("paused_at", "pause_reason"))
    return next((reason or "" for paused_at, reason in rows if paused_at is not None), None)


def _around(run_id: UUID) -> list[UUID]:
    """This run, and those of which it is a part."""
    found = [run_id]
    while len(found) <= MOST_DEEP:
        row = Run.objects.filter(pk=found[-1], detached=False).values_list("parent_run_id", flat=True).first()
        if row is None:
            break
        found.append(row)
    return found


def refuse_part_of_what_is_over(run: Mapping[str, Any], *, lock: bool = False, asks: bool = False) -> None:
    """Raise NotRetryable where a run around this one was left out, cancelled, or undone, as a whole or not: what this
    one did would stand in it, and nobody would know. But where somebody has to decide about it first (`asks`), nothing
    around it that was not undone as a whole could be gone on with otherwise."""
    around = [] if run["detached"] or run["parent_run_id"] is None else _around(run["parent_run_id"])
    # From the outermost on, which is the order in which everybody locks rows.
    rows = Run.objects.filter(pk__in=around).order_by("pk")
    if lock:
        list(rows.select_for_update().values_list("pk"))
    over = {
        pk: (status, generation)
        for pk, status, generation in rows.filter(given_up(0)).values_list("pk", "status", "generation")
    }
    if (removed_at := rows.aggregate(last=Max("values_removed_at"))["last"]) is not None:
        raise NotRetryable(expired(removed_at), code="data_removed")
    nodes = {run["parent_run_id"]: run["parent_node"]}
    nodes |= dict(rows.exclude(parent_run_id=None).values_list("parent_run_id", "parent_node"))
    for run_id, (status, generation) in over.items():
        if asks and status == "dead_lettered" and not _was_undone(run_id, generation, nodes.get(run_id)):
            # Of what that one did this part still stands as it is, and what it does now is undone, or kept, with it.
            continue
        if status == "completed":
            raise NotRetryable(
                "The item that this run is a part of was skipped: nothing more is done for it.", code="around_skipped"
            )
        how = "cancelled" if status == "cancelled" else "undone"
        raise NotRetryable(
            f"The run that this one is a part of was {how}. Retry that one: it goes on with this part too.",
            code="around_over",
        )


def _was_undone(run_id: UUID, generation: int, node: str | None) -> bool:
    rows = StepRun.objects.filter(run_id=run_id, generation=generation, status="succeeded")
    return rows.filter(ports__contains=f'"undo:{node}"').exists()


def kept_row(run: Mapping[str, Any], before: StepRow) -> StepRun:
    """The row of a step that stands, for the next generation of its run."""
    columns = (
        "node_id", "node_key", "status", "attempt", "ports", "note", "input", "output", "error", "wait", "commit_seq",
        "started_at", "finished_at",
    )  # fmt: skip
    return StepRun(
        run_id=run["id"],
        generation=run["generation"] + 1,
        seq=run["seq"] + 1,
        **{name: getattr(before, name) for name in columns},
    )


def decided(happened: bool, *, is_undo: bool = False) -> str:
    """What becomes of an attempt in doubt; of one of an undo step nobody says that it be sent again."""
    if happened:
        return "succeeded"
    return "failed" if is_undo else "abandoned"


def note_decision(attempt: Attempt, *, happened: bool, who: str, now: int, is_undo: bool = False) -> None:
    """Put what a person said beside the attempt that it is about (I12). Of an undo step (`is_undo`) that did not do it
    nobody said that it be sent again."""
    request: Any = {} if attempt.request is None else loads_stored(attempt.request)
    said = {
        "decided_at": iso(now),
        "policy": "ask_human",
        "decided_by": who,
        "text": "It happened." if happened else "Send it again.",
    }
    if is_undo:
        said |= {
            "text": "It was undone." if happened else "It is still done.",
            "said": "done" if happened else "not_done",
        }
    before = request.get("in_doubt") if isinstance(request, dict) else None
    if isinstance(before, dict) and "looked" in before:
        said["looked"] = before["looked"]
    Attempt.objects.filter(pk=attempt.pk).update(
        status=decided(happened, is_undo=is_undo),
        request=dumps({**(request if isinstance(request, dict) else {"summary": request}), "in_doubt": said}),
    )
