"""What did not end well below runs that are done: items of their items, and of workflows that they called, counted
through those in between that came to a good end, and were not left out; and calls whose end nobody waited for. And
which of those that are under way ask people.

Only of versions that are drawn so, or that call other workflows: of all others the items of the run itself are all
there are, and `children.failed_items` counts those without looking at any that are done.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from runtime.engine.containers import has_runs, is_call
from runtime.engine.jsonprofile import loads_stored
from runtime.store import children
from runtime.store.models import Version
from runtime.store.solved import not_solved

__all__ = ["NONE", "Failed", "asking", "failed", "failed_inside"]


class Failed(NamedTuple):
    """So many `items` did not end well, and so many `calls` that nobody waited for; `children.MOST_COUNTED` stands for
    so many or more."""

    items: int = 0
    calls: int = 0


NONE: Final = Failed()

#: A row for each run on the way, with the run of the list that it belongs to.
_WAY: Final = """
    WITH RECURSIVE below (around, id) AS (
        SELECT around, around FROM {given}
        UNION ALL
        SELECT below.around, r.id FROM below JOIN store_run r ON r.parent_run_id = below.id
        WHERE r.status = 'completed' AND NOT r.detached AND coalesce(r.outcome, '') <> 'skipped'
    )"""
# Items, and calls that nobody waited for: of these, what somebody cancelled or had undone has failed nobody. What was
# put right elsewhere, or discarded, counts no longer.
_FAILED: Final = f"""
        SUM(CASE WHEN f.trigger_node = f.parent_node THEN 1 ELSE 0 END),
        SUM(CASE WHEN f.detached AND f.status = 'dead_lettered' THEN 1 ELSE 0 END)
    FROM below JOIN store_run f ON f.parent_run_id = below.id
    WHERE f.finished_at IS NOT NULL AND NOT (f.status = 'completed') AND {not_solved("f")}"""
_OF_RUNS: Final = f"{_WAY} SELECT below.around, {_FAILED} GROUP BY below.around"

#: The same by the step of one run that they were begun for.
_OF_STEPS: Final = f"""
    WITH RECURSIVE below (node, id) AS (
        SELECT parent_node, id FROM store_run WHERE parent_run_id = %(run)s AND status = 'completed' AND NOT detached
            AND coalesce(outcome, '') <> 'skipped'
        UNION ALL
        SELECT below.node, r.id FROM below JOIN store_run r ON r.parent_run_id = below.id
        WHERE r.status = 'completed' AND NOT r.detached AND coalesce(r.outcome, '') <> 'skipped')
    SELECT below.node, {_FAILED} GROUP BY below.node"""
_ASKING: Final = """
    WITH RECURSIVE below (id, status) AS (
        SELECT id, status FROM store_run WHERE id = %(run)s
        UNION ALL
        SELECT r.id, r.status FROM below JOIN store_run r ON r.parent_run_id = below.id
        WHERE r.finished_at IS NULL AND NOT r.detached)
    SELECT id FROM below WHERE status = 'waiting_human' LIMIT %(most)s"""
#: Of more runs that ask people nobody is shown the way to each.
_MOST_ASKING: Final = 200


def failed(versions: Mapping[UUID, UUID]) -> dict[UUID, Failed]:
    """What did not end well below these runs, at whatever depth. `versions`: by run, its version. Runs without any are
    left out."""
    deep = [run_id for run_id, version_id in versions.items() if _is_deep(version_id)]
    plain = children.failed_items([run_id for run_id in versions if run_id not in set(deep)])
    found = {run_id: Failed(items) for run_id, items in plain.items()}
    for run_id, counts in children.counted(_OF_RUNS, deep).items():
        found[run_id] = Failed(*(min(count, children.MOST_COUNTED) for count in counts))
    return found


def failed_inside(run_id: UUID, version_id: UUID) -> dict[str, Failed]:
    """What did not end well within those runs of each step of a run that did, by node id. Steps without any are left
    out."""
    if not _is_deep(version_id):
        return {}
    return {node: Failed(int(items), int(calls)) for node, items, calls in _rows(_OF_STEPS, run_id) if items or calls}


def asking(run_id: UUID) -> list[UUID]:
    """Which runs ask people, of this one and those it waits for, at whatever depth."""
    return [one if isinstance(one, UUID) else UUID(one) for (one,) in _rows(_ASKING, run_id, most=_MOST_ASKING)]


def _rows(sql: str, run_id: UUID, **more: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"run": children.key(run_id), **more})
        return list(cursor.fetchall())


@lru_cache(4096)
def _is_deep(version_id: UUID) -> bool:
    """Whether runs of this version have runs that may have runs of their own. A version never changes."""
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=version_id))
    nodes: list[dict[str, Any]] = graph["nodes"]
    return any(is_call(node["type"]) or (node.get("parent") and has_runs(node["type"])) for node in nodes)
