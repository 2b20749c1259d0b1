"""When a run was at work: the tries of its steps, and its items added up by slices of time."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import connection

from runtime.contracts import NotFound
from runtime.contracts.run_times import Density, RunTimes, Slice, StepTry
from runtime.engine.jsonprofile import loads_stored
from runtime.store import children
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Run, StepRun

__all__ = ["times"]

#: So few are drawn one by one.
FEW: Final = 10
#: Nobody tells more slices of a bar apart.
MOST_SLICES: Final = 160
#: More ticks than that nobody looks at.
MOST_TRIES: Final = 500
#: So many steps have their items added up; the others say from when until when they worked.
MOST_STEPS: Final = 40

_OWN: Final = "FROM store_run WHERE parent_run_id = %(run)s AND parent_run_id IS NOT NULL"
#: One that waits for its turn with a worker has begun, as its container's counts say.
_BEGUN: Final = "coalesce(started_at, accepted_at)"
_SPANS: Final = f"""
    SELECT parent_node, count(*), min({_BEGUN}) AS first, max(coalesce(finished_at, %(now)s)) {_OWN}
    GROUP BY parent_node ORDER BY first, parent_node"""
# One pass over the runs of a step. Each is at work from its first millisecond to the end of its last one; what lies
# outside of the stretch is cut off. By slice: how many began and ended there, and how far into the slice, all together.
_SLICES: Final = f"""
    WITH own AS (
        SELECT CASE WHEN {_BEGUN} < %(from)s THEN %(from)s ELSE {_BEGUN} END - %(from)s AS begun,
            CASE WHEN finished_at < %(until)s THEN finished_at + 1 - %(from)s END AS ended,
            CASE WHEN status = 'completed' THEN 0 ELSE 1 END AS failed
        {_OWN} AND parent_node = %(node)s AND {_BEGUN} < %(until)s
            AND (finished_at IS NULL OR finished_at >= %(from)s)
    )
    SELECT slice, sum(began), sum(past), sum(closed), sum(bad) FROM (
        SELECT begun / %(width)s AS slice, 1 AS began, begun %% %(width)s AS past, 0 AS closed, 0 AS bad FROM own
        UNION ALL
        SELECT ended / %(width)s, -1, -(ended %% %(width)s), 0, 0 FROM own WHERE ended IS NOT NULL
        UNION ALL
        SELECT (ended - 1) / %(width)s, 0, 0, 1, failed FROM own WHERE ended IS NOT NULL
    ) AS moments GROUP BY slice ORDER BY slice"""


def times(*, workspace_id: UUID, run_id: UUID, begin: int | None = None, end: int | None = None) -> RunTimes:
    """The tries of steps that were tried more than once, and how many items of each step were at work, in at most 160
    slices. `begin`, `end`: only this stretch of it, in ms since the run was accepted. Raises NotFound."""
    accepted = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values_list("accepted_at", flat=True).first()
    if accepted is None:
        raise NotFound("There is no such run.", code="run_not_found")
    given = {"run": children.key(run_id), "now": database_now()}
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, given)
        spans = cursor.fetchall()
        found = []
        for place, (node, runs, first, last) in enumerate(spans):
            begun = max(first, first if begin is None else accepted + begin)
            until = min(last + 1, last + 1 if end is None else accepted + end)
            width = (until - begun - 1) // MOST_SLICES + 1
            slices: list[Slice] = []
            if runs > FEW and until > begun and place < MOST_STEPS:
                cursor.execute(_SLICES, {**given, "node": node, "from": begun, "until": until, "width": width})
                slices = _slices(cursor.fetchall(), -((begun - until) // width), width, until - begun)
            found.append(Density(node, runs, first, last, begun, max(1, width), slices))
    return RunTimes(_tries(run_id), found)


def _slices(rows: list[tuple[Any, ...]], count: int, width: int, length: int) -> list[Slice]:
    """Of the changes in each slice: how many were at work there on average."""
    changes = {int(row[0]): [int(value) for value in row[1:]] for row in rows}
    found, open_ = [], 0
    for number in range(count):
        began, into, ended, failed = changes.get(number, (0, 0, 0, 0))
        # The last slice may be shorter than the others.
        wide = min(width, length - number * width)
        found.append(Slice(max(0.0, round(open_ + (began * wide - into) / wide, 2)), ended - failed, failed))
        open_ += began
    return found


def _tries(run_id: UUID) -> list[StepTry]:
    again = StepRun.objects.filter(run_id=run_id, attempt__gt=1).values("node_id")
    rows = Attempt.objects.filter(run_id=run_id, node_id__in=again).order_by("node_id", "generation", "attempt")
    columns = rows.values_list("node_id", "generation", "attempt", "started_at", "status", "error")
    return [StepTry(*row[:5], _parsed(row[5])) for row in columns[:MOST_TRIES]]


def _parsed(text: str | None) -> dict[str, Any] | None:
    found: Any = None if text is None else loads_stored(text)
    return found if isinstance(found, dict) else None
