"""What runs that a run has begun did outside, however deep: what beginning them anew would do twice, and what nobody
knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from runtime.engine.replay import Known
from runtime.interpreter.calls import STANDS, UNKNOWN, known_of, ledger
from runtime.interpreter.versions import parsed
from runtime.store import reads
from runtime.store.models import Run
from runtime.store.parts import portions

__all__ = ["UNKNOWN", "acted", "acted_ever", "in_doubt", "left_standing"]


def acted(run_id: UUID, node: str) -> bool:
    """Whether the run that this step called last did something that stands, or may have; or one that it has begun."""
    last = Run.objects.filter(parent_run_id=run_id, parent_node=node).order_by("-item_index")
    return _acted(last.values_list("id", flat=True)[:1])


def left_standing(run_id: UUID, node: str) -> bool:
    """The same of all that it has begun, but for actions of which somebody said that there is nothing to undo."""
    return _acted(Run.objects.filter(parent_run_id=run_id, parent_node=node).values_list("id", flat=True), _to_undo)


def _to_undo(found: Mapping[UUID, reads.RunRows]) -> bool:
    drawn = Run.objects.filter(pk__in=[*found]).values_list("id", "version_id", "trigger_node")
    for run_id, version_id, trigger in drawn:
        by_id = parsed(version_id).of_run(trigger).graph.by_id
        said = {node for node, one in by_id.items() if one.settings.nothing_to_undo}
        if any(what in STANDS and node not in said for node, what in _known(found[run_id]).items()):
            return True
    return False


def _acting(found: Mapping[UUID, reads.RunRows]) -> bool:
    return any(_did(rows) for rows in found.values())


def _acted(runs: Iterable[UUID], did: Callable[[Mapping[UUID, reads.RunRows]], bool] = _acting) -> bool:
    level = list(runs)
    while level:
        under: list[UUID] = []
        for some in portions(level):
            if did(reads.load_runs(some)):
                return True
            under += Run.objects.filter(parent_run_id__in=some).values_list("id", flat=True)
        level = under
    return False


def acted_ever(run_id: UUID, node: str) -> bool:
    """Whether any of the runs that this step has begun did something that stands, or may have; or one below."""
    return _acted(Run.objects.filter(parent_run_id=run_id, parent_node=node).values_list("id", flat=True))


def in_doubt(run_id: UUID, node: str) -> bool:
    """Whether nobody knows what one of the runs that this step has begun did, or one that it has begun; but for steps
    that the run went on past."""
    level = list(Run.objects.filter(parent_run_id=run_id, parent_node=node).values_list("id", flat=True))
    while level:
        under: list[UUID] = []
        for some in portions(level):
            ended = Run.objects.filter(id__in=some).exclude(status__in=("completed", "compensated"))
            for rows in reads.load_runs(list(ended.values_list("id", flat=True))).values():
                known, past = _known(rows), _went_past(rows)
                if any(what in UNKNOWN and one not in past for one, what in known.items()):
                    return True
            under += Run.objects.filter(parent_run_id__in=some).values_list("id", flat=True)
        level = under
    return False


def _did(rows: reads.RunRows) -> bool:
    return any(what in STANDS for what in _known(rows).values())


def _known(rows: reads.RunRows) -> dict[str, Known]:
    tries = ledger(rows.steps, rows.attempts, before=_latest(rows) + 1).live()
    undoing = {row.node_id for row in rows.steps if '"undo:' in row.ports}
    return {node: known_of(found) for node, found in tries.items() if node not in undoing}


def _went_past(rows: reads.RunRows) -> set[str]:
    """Steps that failed, but that the run went on past as its drawing says."""
    latest = _latest(rows)
    ended = (row for row in rows.steps if row.generation == latest and row.status in ("succeeded", "failed"))
    return {row.node_id for row in ended if row.status == "succeeded" or row.ports != "[]"}


def _latest(rows: reads.RunRows) -> int:
    return max((row.generation for row in rows.steps), default=1)
