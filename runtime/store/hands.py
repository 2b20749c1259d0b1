"""Who had a hand in what a run does: who started it, and who gave it something else than it had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection

from runtime.engine.jsonprofile import loads_stored
from runtime.store import children
from runtime.store.models import Run

__all__ = ["changed_by", "decided_below", "starters"]

_PERSON: Final = "user:"
#: Runs of which one was started in the place of the other: no more than so many are gone back.
_MOST_BACK: Final = 100

#: The runs below these, however deep, but for what belongs to one step.
_BELOW: Final = """
    WITH RECURSIVE below (id) AS (
        SELECT r.id FROM store_run r
        WHERE r.parent_run_id = %(run)s AND r.parent_run_id IS NOT NULL AND {which}
        UNION ALL
        SELECT r.id FROM below JOIN store_run r ON r.parent_run_id = below.id)"""
_DECIDED: Final = f"""
    {_BELOW.format(which="r.parent_node = %(node)s")}
    SELECT 1 FROM below JOIN store_humantask t ON t.run_id = below.id
    WHERE t.kind IN ('approval', 'review') AND t.status = 'decided' AND t.outcome IN ('approved', 'released')
    LIMIT 1"""
#: Of a run and of those below it: other settings and results that somebody gave with a retry, and values that somebody
#: went on with in the place of a failed step.
_CHANGES: Final = f"""
    {_BELOW.format(which="r.parent_node <> %(node)s")},
    these (id) AS (SELECT id FROM below UNION ALL SELECT id FROM store_run WHERE id = %(run)s)
    SELECT p.by, p.edits, p.decisions FROM these JOIN store_replay p ON p.run_id = these.id
    WHERE p.by LIKE 'user:%%' AND (p.edits <> '{{}}' OR p.decisions <> '{{}}')
    UNION ALL
    SELECT CAST(v.voter AS text), NULL, NULL FROM these JOIN store_humantask t ON t.run_id = these.id
        JOIN store_humanvote v ON v.task_id = t.id
    WHERE t.kind = 'exception' AND v.outcome = 'value'"""


def starters(run_id: UUID) -> tuple[str, ...]:
    """Who started a run: `user:<id>`, `webhook`, `schedule` and so on. Of one that is a part of another, who started
    that; of one that was started anew from the same event, who did that, and who started the first."""
    row = _row(run_id)
    for _ in range(children.MOST_DEEP):
        if row["parent_run_id"] is None:
            break
        row = _row(row["parent_run_id"])
    found = {row["started_by"]: None}
    for _ in range(_MOST_BACK):
        if row["replay_of"] is None:
            break
        row = _row(row["replay_of"])
        found[row["started_by"]] = None
    return tuple(found)


def changed_by(run_id: UUID) -> tuple[str, ...]:
    """People (`user:<id>`) who gave something else to this run, to one around it, or to one below these, than the
    workflow gave it; but not to other entries of the list that it is an entry of."""
    found: dict[str, None] = {}
    node = ""
    for _ in range(children.MOST_DEEP + 1):
        for by, edits, decisions in _changes(run_id, node):
            if _is_change(edits, decisions):
                found[by] = None
        row = _row(run_id)
        if row["parent_run_id"] is None:
            break
        run_id, node = row["parent_run_id"], row["parent_node"]
        if not children.is_item(_row(run_id)["version_id"], node):
            # What was done in one turn is what the next one goes by.
            node = ""
    return tuple(found)


def decided_below(run_id: UUID, nodes: Iterable[str]) -> set[str]:
    """Those of these steps in whose runs, however deep, people have approved or released something."""
    found = set()
    with connection.cursor() as cursor:
        for node in nodes:
            cursor.execute(_DECIDED, {"run": children.key(run_id), "node": node})
            if cursor.fetchone() is not None:
                found.add(node)
    return found


def _row(run_id: UUID) -> Mapping[str, Any]:
    return Run.objects.values("started_by", "parent_run_id", "parent_node", "replay_of", "version_id").get(pk=run_id)


def _changes(run_id: UUID, node: str) -> Iterator[tuple[str, str | None, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"run": children.key(run_id), "node": node})
        rows = cursor.fetchall()
    for by, edits, decisions in rows:
        # Of somebody's word on a failed step it is the bare id, which the two databases write in two ways.
        yield (by if edits is not None else f"{_PERSON}{UUID(by)}"), edits, decisions


def _is_change(edits: str | None, decisions: str | None) -> bool:
    """Whether a retry gave something else; that somebody said of a step that it happened, and no more, does not."""
    if edits is None or edits != "{}":
        return True
    said: Any = loads_stored(decisions or "{}")
    return any(isinstance(one, dict) and one.get("output") is not None for one in said.values())
