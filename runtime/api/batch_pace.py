"""Whether the entries of a batch become slower because another system does, by a few tries from its ends."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import QuerySet

from runtime.contracts.batches import Slowing
from runtime.engine.graph import Graph, Node
from runtime.ports import PORTS
from runtime.store.models import Attempt, Run

__all__ = ["slowing"]

#: So many entries are looked at on each side: the first that were done, and the last. What it costs does not grow.
_LOOKED_AT: Final = 40
#: Of fewer calls nobody can say how long they take.
_FEWEST: Final = 20
#: Those that ended longer ago say nothing of now.
_NOW_MS: Final = 5 * 60_000
#: It is told only where it is plain: twice as long, and by so much.
_TIMES: Final = 2
_LEAST_MS: Final = 300


def slowing(workspace_id: UUID, own: QuerySet[Run], graph: Graph | None, now: int) -> Slowing | None:
    """Which system takes much longer now than for the first entries; `own`: the entries' runs, `graph`: theirs. Only of
    what changes something there: of that each try stands in a row. None where none does, or too few ended lately."""
    if graph is None:
        return None
    done = own.filter(status="completed", finished_at__isnull=False)
    lately_done = done.filter(finished_at__gte=now - _NOW_MS).order_by("-finished_at")
    last = list(lately_done.values_list("id", flat=True)[:_LOOKED_AT])
    if len(last) < _FEWEST:
        return None
    first = list(done.order_by("finished_at").values_list("id", flat=True)[:_LOOKED_AT])
    if set(first) & set(last):
        return None
    usual, lately = _took(first), _took(last)
    found: list[tuple[float, Slowing]] = []
    for node_id, durations in lately.items():
        node, before = graph.by_id.get(node_id), usual.get(node_id, [])
        if node is None or len(durations) < _FEWEST or len(before) < _FEWEST:
            continue
        is_now, was = median(durations), median(before)
        if is_now >= was * _TIMES and is_now - was >= _LEAST_MS:
            found.append((is_now - was, Slowing(_system(workspace_id, node), node.name, int(is_now), int(was))))
    return max(found, key=lambda one: one[0])[1] if found else None


def _took(run_ids: list[UUID]) -> dict[str, list[int]]:
    """How long the tries of these runs took that went well, ms, by step."""
    found: dict[str, list[int]] = defaultdict(list)
    rows = Attempt.objects.filter(run_id__in=run_ids, status="succeeded", finished_at__isnull=False)
    for node_id, began, ended in rows.values_list("node_id", "started_at", "finished_at"):
        if ended is not None:
            found[node_id].append(ended - began)
    return found


def _system(workspace_id: UUID, node: Node) -> str:
    """The connection by its name, or the host; empty where neither is plain."""
    config: Any = node.config
    try:
        if named := config.get("connection"):
            return PORTS.names.connection(workspace_id=workspace_id, connection_id=UUID(str(named)))
        host = urlsplit(str(config.get("url") or "")).hostname or ""
    except ValueError:
        return ""
    return "" if "{" in host else host
