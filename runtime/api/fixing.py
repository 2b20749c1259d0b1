"""Mending what a failed step is given, before anybody has said that the run stops at it.

A step that asks people is part of a run that is open, and only a run that has ended is gone on with (`retrying`). So
what a retry would come to is foreseen: from the rows as they stand, with the failure in the place of the question.
Whoever mends it gives up at the step, and the same commit notes the retry, which the ticker does once the run has
ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from runtime import queue
from runtime.api.retrying import edited, input_of, refuse
from runtime.contracts import JSON, Fixable, NotRetryable, RetryRefused, RunEdit, Voter
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.state import RunStatus
from runtime.interpreter import four_eyes
from runtime.interpreter.asked_now import asks
from runtime.interpreter.deciding import Answer, put_down, row_of
from runtime.interpreter.doubt_words import in_doubt
from runtime.interpreter.edited_retries import text
from runtime.interpreter.people import GIVE_UP
from runtime.interpreter.released import AS_RELEASED, of_a_release
from runtime.interpreter.reopening import Found, found_of, look, run_row, version_of
from runtime.store import beside, reads
from runtime.store.models import BulkRetry, BulkRetryItem, HumanTask

__all__ = ["check_fix", "fix", "fix_and_retry", "foreseen"]

_BELOW = "This run is a part of another one. Mend it from there."
_ELSEWHERE = "More than this step has to be decided about before the run goes on. Look at the run."
_NO_INPUT = "The step failed before it had anything to work with: mend what comes before it."
_IN_DOUBT = "Nobody knows whether this step happened. Say so first."


def fix(*, workspace_id: UUID, task_id: UUID) -> Fixable:
    """What the failed step was given, and whether somebody may give it something else: `why` not.

    Raises NotFound, NotRetryable (it is no failure, or the run has gone on, is done, or is no longer there).
    """
    row, found = foreseen(workspace_id, task_id)
    drawn = found.version.graph.by_id[row.node_id]
    given = input_of(found, row.node_id)
    return Fixable(row.node_id, drawn.type, given, _ended(found), _why_not(row, found, given), asks(found, row.node_id))


def check_fix(*, workspace_id: UUID, task_id: UUID, settings: JSON) -> str | None:
    """Why the step cannot be given this; None: it can. Raises as `fix` does."""
    return _problem(*foreseen(workspace_id, task_id), settings)


def fix_and_retry(*, workspace_id: UUID, task_id: UUID, settings: JSON, voter: Voter, comment: str = "") -> UUID:
    """Give up at the failed step, and have it tried again with these settings as soon as the run has ended: a bulk
    retry of this one run, by its id. Both are durable at once, or neither is.

    Raises as `fix` and `decide` do, RetryRefused (the step cannot be given that), NotRetryable (the run has ended).
    """
    row, found = foreseen(workspace_id, task_id)
    if (why := _problem(row, found, settings)) is not None:
        raise RetryRefused({row.node_id: why})
    if _ended(found):
        raise NotRetryable("The run has ended at this step already: retry it with other settings.", code="ended")
    edits = text(RunEdit(row.run_id, row.generation, row.node_id, whole=settings))
    bulk = BulkRetry(
        workspace_id=workspace_id,
        workflow_id=found.row["workflow_id"],
        title=row.title[:200],
        by=voter.id,
        reason=comment[:400],
        status="running",
        total=1,
    )

    def note(now: int) -> None:
        bulk.at = now
        bulk.save(force_insert=True)
        BulkRetryItem.objects.create(
            bulk_id=bulk.pk, place=0, run_id=row.run_id, generation=row.generation, edits=edits
        )
        beside.tell(edits={row.node_id: edited(found, row.node_id, settings)})

    put_down(row, Answer(GIVE_UP, comment), voter, via="inbox", along=note)
    queue.ring([row.run_id])
    return bulk.pk


def _problem(row: HumanTask, found: Found, settings: JSON) -> str | None:
    """Why the step cannot be given this; None: it can."""
    if (why := _why_not(row, found, input_of(found, row.node_id))) is not None:
        return why
    return _refused(found, {row.node_id: settings}).get(row.node_id)


def foreseen(workspace_id: UUID, task_id: UUID) -> tuple[HumanTask, Found]:
    """The question, and what a retry would find once its run has ended at this step. Raises as `fix` does."""
    row = row_of(workspace_id, task_id)
    if row.kind != "exception":
        raise NotRetryable("Nothing has failed here.", code="no_failure")
    run = run_row(workspace_id, row.run_id)
    if run["generation"] != row.generation:
        raise NotRetryable("Somebody has gone on with the run.", code="gone_on")
    if run["finished_at"] is not None:
        return row, look(workspace_id, row.run_id, (), None)
    if row.status != "open":
        raise NotRetryable("The run is going on.", code="still_open")
    rows = reads.load_runs([row.run_id], with_own_runs=True)[row.run_id]
    here = (row.node_id, row.generation)
    steps = tuple(
        replace(one, status="failed", wait=None) if (one.node_id, one.generation) == here else one for one in rows.steps
    )
    drawn = version_of(run)
    ended = {**run, "status": RunStatus.DEAD_LETTERED.value}
    return row, found_of(ended, drawn, drawn, replace(rows, steps=steps))


def _ended(found: Found) -> bool:
    return found.row["finished_at"] is not None


def _why_not(row: HumanTask, found: Found, given: JSON) -> str | None:
    spec: Any = loads_stored(row.spec)
    if in_doubt(spec):
        return _IN_DOUBT
    if found.row["parent_run_id"] is not None:
        return _BELOW
    if not isinstance(given, dict) or not given:
        return _NO_INPUT
    if of_a_release(found.row):
        return AS_RELEASED
    refused = four_eyes.refused_edits(found, [row.node_id]) | _refused(found, {})
    return refused.get(row.node_id) or (_ELSEWHERE if refused else None)


def _refused(found: Found, edits: Mapping[str, JSON]) -> dict[str, str]:
    lines = found.lines(edited=edits)
    try:
        refuse(found, lines, edits, {}, ())
    except RetryRefused as refused:
        return dict(refused.fields)
    return {}
