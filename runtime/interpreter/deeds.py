"""Whether runs that a run has begun did something outside, however deep: what beginning them anew would do twice."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from runtime.engine.replay import Known
from runtime.interpreter.loading import known_of, since_undone, tries_of, undone_in
from runtime.store import reads
from runtime.store.models import Run
from runtime.store.parts import portions

__all__ = ["acted"]

_STANDS: Final = frozenset({Known.HAPPENED, Known.SAME_KEY, Known.IN_DOUBT})


def acted(run_id: UUID, node: str) -> bool:
    """Whether the run that this step called last did something that stands, or may have; or one that it has begun."""
    last = Run.objects.filter(parent_run_id=run_id, parent_node=node).order_by("-item_index")
    level = list(last.values_list("id", flat=True)[:1])
    while level:
        under: list[UUID] = []
        for some in portions(level):
            if any(_did(rows) for rows in reads.load_runs(some).values()):
                return True
            under += Run.objects.filter(parent_run_id__in=some).values_list("id", flat=True)
        level = under
    return False


def _did(rows: reads.RunRows) -> bool:
    latest = max((row.generation for row in rows.steps), default=1) + 1
    undone = undone_in(rows.steps, before=latest)
    tries = since_undone(tries_of(rows.attempts, before=latest), undone)
    undoing = {row.node_id for row in rows.steps if '"undo:' in row.ports}
    return any(node not in undoing and known_of(found) in _STANDS for node, found in tries.items())
