"""Runs that failed and of which somebody said since that nothing more is to be done: put right elsewhere, or discarded.
They stay as they ended, and count as failed no longer.

Only what failed is looked up, one row by its key for each: where nothing failed this costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q

from runtime.store.models import DeadLetter, Run

__all__ = ["IS_SOLVED", "Solution", "by_step", "last_solved", "not_solved", "solutions"]

#: Of rows of `Run`, for queries. The letter of the generation that the run is in: an earlier one was gone on with.
IS_SOLVED: Final = Q(
    Exists(
        DeadLetter.objects.filter(
            run_id=OuterRef("pk"), generation=OuterRef("generation"), solved_at__isnull=False
        ).order_by()
    )
)

#: Letters solved last are seldom far from the newest; the index of a workflow's letters has them in this order.
_LOOKED_BACK: Final = 200
_LAST_SOLVED: Final = """
    SELECT f.workflow_id, (SELECT max(few.solved_at) FROM (
        SELECT d.solved_at FROM store_deadletter AS d WHERE d.workflow_id = f.workflow_id ORDER BY d.at DESC LIMIT %s
    ) AS few)
    FROM store_deployment AS f WHERE f.workspace_id = %s"""

#: How a run was settled, by whom, why, when.
Solution = tuple[str, str, str, int]


def not_solved(run: str) -> str:
    """The opposite in SQL, of the rows of `store_run` that are called so. A value, not a join, for which a planner
    might read all letters there are."""
    return (
        f"(SELECT d.solved_at FROM store_deadletter d WHERE d.run_id = {run}.id AND d.generation = {run}.generation)"
        " IS NULL"
    )


def by_step(run_id: UUID, nodes: Sequence[str]) -> dict[str, int]:
    """How many runs of each of these steps failed and are settled; steps without any are left out."""
    rows = Run.objects.filter(IS_SOLVED, parent_run_id=run_id, parent_node__in=nodes, finished_at__isnull=False)
    counts = rows.exclude(status="completed").order_by().values("parent_node").annotate(count=Count("pk"))
    return {node: count for node, count in counts.values_list("parent_node", "count") if node is not None}


def solutions(run_ids: Sequence[UUID]) -> dict[UUID, Solution]:
    """How those of these runs were settled that are."""
    if not run_ids:
        return {}
    rows = DeadLetter.objects.filter(
        run_id__in=run_ids, generation=F("run__generation"), solved_at__isnull=False
    ).values_list("run_id", "solution", "solved_by", "reason", "solved_at")
    return {run_id: (how or "", by or "", why or "", at or 0) for run_id, how, by, why, at in rows}


def last_solved(workspace_id: UUID) -> tuple[int, str | None] | None:
    """When a letter was solved last, ms, and by whom; of each workflow the newest are looked at."""
    workspace = workspace_id.hex if connection.vendor == "sqlite" else workspace_id
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SOLVED, [_LOOKED_BACK, workspace])
        solved: list[tuple[Any, int]] = [row for row in cursor.fetchall() if row[1] is not None]
    if not solved:
        return None
    workflow, at = max(solved, key=lambda row: row[1])
    newest = DeadLetter.objects.filter(workflow_id=workflow).order_by("-at").values_list("solved_at", "solved_by")
    return next(((at, by) for when, by in newest[:_LOOKED_BACK] if when == at), (at, None))
