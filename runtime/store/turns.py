"""Whose turn it is, when more runs are due than one claim takes (I21).

The longest waiting run of each workflow is found by stepping through an index from one workflow to the next, however
many wait behind it. Workspaces take turns, and in each its workflows: who was served longest ago comes first.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, Final, NamedTuple
from uuid import UUID

from runtime.store.dialect import Link
from runtime.store.statements import SUSPECT_CLAIMS

__all__ = ["ROUNDS", "Turns"]

#: How many runs of each workflow one claim takes at most before the longest waiting ones fill it up.
ROUNDS: Final = 4
#: Workflows looked at in one step; the next step begins behind them.
_MOST: Final = 512
_MOST_REMEMBERED: Final = 10_000
_FIRST: Final = UUID(int=0)

_FREE: Final = f"n.wake_at IS NOT NULL AND n.lease_owner IS NULL AND n.claims < {SUSPECT_CLAIMS}"
_FRONT: Final = f"""
    WITH RECURSIVE front(id, workflow_id, workspace_id, wake_at, place) AS (
        SELECT * FROM (
            SELECT n.id, n.workflow_id, n.workspace_id, n.wake_at, 1 FROM store_run AS n
            WHERE {_FREE} AND n.workflow_id > {{behind}} ORDER BY n.workflow_id, n.wake_at LIMIT 1) AS first_one
        UNION ALL
        SELECT o.id, o.workflow_id, o.workspace_id, o.wake_at, place + 1
        FROM front AS f JOIN store_run AS o ON o.id = (
            SELECT n.id FROM store_run AS n WHERE {_FREE} AND n.workflow_id > f.workflow_id
            ORDER BY n.workflow_id, n.wake_at LIMIT 1)
        WHERE place < {_MOST})
    SELECT {{key:id}}, {{key:workflow_id}}, {{key:workspace_id}}, wake_at, wake_at <= {{now}}
    FROM front ORDER BY place"""

# How each database is told an id that is no column's.
_AN_ID: Final = {"postgresql": "CAST(CAST(%s AS text) AS uuid)", "sqlite": "%s"}


class _Waiting(NamedTuple):
    """The run of a workflow that waits longest."""

    run_id: UUID
    workflow: Any
    workspace: Any
    wake_at: int


class Turns:
    """Remembers who was served when. Belongs to one process, and is used by its writer only."""

    def __init__(self) -> None:
        self._served: dict[Any, int] = {}
        self._count = 0
        self._behind = _FIRST

    def next(self, link: Link, limit: int) -> list[UUID]:
        """The runs whose turn it is, at most so many, and one of each workflow; none where only one workflow waits."""
        rows = link.query(_FRONT.replace("{behind}", _AN_ID[link.vendor]), (self._behind.hex,))
        self._behind = link.unkey(rows[-1][1]) if len(rows) == _MOST else _FIRST
        waiting = [_Waiting(link.unkey(row[0]), *row[1:4]) for row in rows if row[4]]
        if len(waiting) < 2 and self._behind == _FIRST:
            return []
        return [one.run_id for one in self._in_order(waiting)[:limit] if self._note(one)]

    def _in_order(self, waiting: list[_Waiting]) -> list[_Waiting]:
        by_workspace: dict[Any, list[_Waiting]] = {}
        for one in sorted(waiting, key=lambda one: (self._served.get(one.workflow, 0), one.wake_at)):
            by_workspace.setdefault(one.workspace, []).append(one)
        first = sorted(by_workspace.items(), key=lambda item: (self._served.get(item[0], 0), item[1][0].wake_at))
        rounds = zip_longest(*(queue for _, queue in first))
        return [one for places in rounds for one in places if one is not None]

    def _note(self, one: _Waiting) -> bool:
        if len(self._served) > _MOST_REMEMBERED:
            self._served.clear()
        self._count += 1
        self._served[one.workflow] = self._served[one.workspace] = self._count
        return True
