"""What undoing left of the runs that a run has begun, where these were not undone as a whole."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from runtime.contracts import NotRetryable
from runtime.engine.graph import Graph
from runtime.interpreter.calls import Ledger, ledger
from runtime.interpreter.past import is_done, own_call
from runtime.interpreter.versions import parsed
from runtime.store import reads
from runtime.store.models import Run
from runtime.store.parts import portions

__all__ = ["refuse_unknown", "undone_inside"]


def refuse_unknown(
    graph: Graph,
    rows: reads.RunRows,
    generation: int,
    past: Ledger,
    start: Collection[str] = (),
    inside: str | None = None,
) -> None:
    """Raise NotRetryable where an undo step has had no answer: what it was to undo may stand, or may not, and going on
    would take it for one of the two (I12). But what somebody has done anew, knowing that, is another call. `inside`:
    the part of a run that is gone on with where this happened."""
    for row in rows.steps:
        action, by = row.node_id, graph.undone_by.get(row.node_id)
        if row.generation != generation or by is None or action not in past.calls or not is_done(row):
            continue
        own = own_call(rows, past, row)
        if own is None or not own.undo_lost or (action in start and own.is_known):
            continue
        where = "" if inside is None else f" in {inside}"
        raise NotRetryable(
            f"Nobody knows whether “{graph.by_id[action].name}” was undone{where}: the answer to"
            f" “{graph.by_id[by].name}” was lost. Undo the run again, or look there and say what became of it:"
            " “Undo…” asks for that.",
            code="undo_unknown",
        )


def undone_inside(run_id: UUID, nodes: Collection[str], graph: Graph) -> set[str]:
    """Of these steps, some of whose own runs were not undone as a whole, those of whose runs something was undone.
    Raises NotRetryable where nobody knows whether it was."""
    found: set[str] = set()
    if not nodes:
        return found
    partly = Run.objects.filter(
        parent_run_id=run_id,
        parent_node__in=nodes,
        detached=False,
        status="dead_lettered",
        error__contains=reads.UNDO_INCOMPLETE,
    )
    columns = ("id", "parent_node", "item_index", "version_id", "trigger_node", "generation")
    rows = {row["id"]: row for row in partly.order_by("item_index").values(*columns)}
    for some in portions(list(rows)):
        for child_id, of_child in reads.load_runs(some, with_own_runs=True).items():
            row = rows[child_id]
            version = parsed(row["version_id"]).of_run(row["trigger_node"])
            past = ledger(of_child.steps, of_child.attempts, before=row["generation"] + 1, undoes=version.graph.undoes)
            name = graph.by_id[row["parent_node"]].name if row["parent_node"] in graph.by_id else row["parent_node"]
            refuse_unknown(
                version.graph,
                of_child,
                row["generation"],
                past,
                inside=f"number {(row['item_index'] or 0) + 1} of “{name}”",
            )
            below = undone_inside(child_id, of_child.partly_undone_runs, version.graph)
            if below or of_child.undone_runs or row["generation"] in past.undone.values():
                found.add(row["parent_node"])
    return found
