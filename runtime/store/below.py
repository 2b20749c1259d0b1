"""Failed items of runs whose items have items of their own: counted through those in between that came to a good end.

Only of versions that are drawn so, or that call other workflows: of all others the items of the run itself are all
there are, and `children.failed_items` counts those without looking at any that are done.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from runtime.engine.containers import has_runs, is_call
from runtime.engine.jsonprofile import loads_stored
from runtime.store import children
from runtime.store.models import Version

__all__ = ["failed_items"]

#: A row for each run on the way, with the run of the list that it belongs to.
_BELOW: Final = """
    WITH RECURSIVE below (around, id) AS (
        SELECT around, around FROM {given}
        UNION ALL
        SELECT below.around, r.id FROM below JOIN store_run r ON r.parent_run_id = below.id
        WHERE r.status = 'completed' AND NOT r.detached
    )
    SELECT below.around, count(*) FROM below JOIN store_run f ON f.parent_run_id = below.id
    WHERE f.trigger_node = f.parent_node AND f.finished_at IS NOT NULL AND NOT (f.status = 'completed')
    GROUP BY below.around"""


def failed_items(versions: Mapping[UUID, UUID]) -> dict[UUID, int]:
    """How many items of these runs did not end well, at whatever depth; `children.MOST_COUNTED` for so many or more.
    `versions`: by run, its version. Runs without any are left out."""
    deep = {run_id for run_id, version_id in versions.items() if _is_deep(version_id)}
    found = children.failed_items([run_id for run_id in versions if run_id not in deep])
    for run_id, count in children.counted(_BELOW, list(deep)).items():
        found[run_id] = min(count, children.MOST_COUNTED)
    return found


@lru_cache(4096)
def _is_deep(version_id: UUID) -> bool:
    """Whether runs of this version have runs that may have runs of their own. A version never changes."""
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=version_id))
    nodes: list[dict[str, Any]] = graph["nodes"]
    return any(is_call(node["type"]) or (node.get("parent") and has_runs(node["type"])) for node in nodes)
