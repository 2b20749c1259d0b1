"""Words on runs: which stand where, put there and taken away. Nothing of it is read by what carries runs out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection

from runtime.contracts.tagging import MOST_TAGS
from runtime.store.dialect import queue_up
from runtime.store.models import Run, RunTag

__all__ = ["Changed", "change", "of_runs", "portions", "used"]

#: Enough for one statement of either database.
_PORTION: Final = 500
#: So many words are put on runs, and taken away, in one transaction: SQLite has one writer at a time, and whoever wants
#: to accept an event waits for it.
_MOST_ROWS: Final = 1_000
#: So many words are looked through for what somebody begins to type.
_LOOKED_THROUGH: Final = 2_000


class Changed(NamedTuple):
    """What came of it. `found`: runs that are there; `changed`: those on which something stands now or no more;
    `full`: those that could not take every word."""

    found: int
    changed: int
    full: int


def of_runs(run_ids: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The words on these runs, in the order of the alphabet; a query."""
    found: dict[UUID, tuple[str, ...]] = {}
    rows = RunTag.objects.filter(run_id__in=run_ids).order_by("folded") if run_ids else RunTag.objects.none()
    for run_id, tag in rows.values_list("run_id", "tag"):
        found[run_id] = (*found.get(run_id, ()), tag)
    return found


def used(workspace_id: UUID, part: str, most: int) -> list[str]:
    """The words of a workspace that hold `part` (folded), as they were typed last: from word to word through their
    index, however many runs each stands on."""
    here = workspace_id if connection.vendor == "postgresql" else workspace_id.hex
    like = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH RECURSIVE word (folded, number) AS (
                SELECT (SELECT min(t.folded) FROM store_runtag AS t WHERE t.workspace_id = %s), 1
                UNION ALL
                SELECT (SELECT min(t.folded) FROM store_runtag AS t WHERE t.workspace_id = %s
                    AND t.folded > word.folded), word.number + 1
                FROM word WHERE word.folded IS NOT NULL AND word.number <= %s)
            SELECT (SELECT t.tag FROM store_runtag AS t WHERE t.workspace_id = %s AND t.folded = word.folded
                ORDER BY t.run_id DESC LIMIT 1)
            FROM word WHERE word.folded IS NOT NULL AND word.folded LIKE %s ESCAPE '\\' LIMIT %s""",
            [here, here, _LOOKED_THROUGH, here, f"%{like}%", most],
        )
        return [tag for (tag,) in cursor.fetchall()]


def portions(run_ids: Iterable[UUID], words: int) -> Iterator[Sequence[UUID]]:
    """The newest first, as many together as can be changed within one short transaction, `words` on each."""
    ordered = sorted(set(run_ids), reverse=True)
    size = max(1, min(_PORTION, _MOST_ROWS // max(1, words)))
    return (ordered[start : start + size] for start in range(0, len(ordered), size))


def change(
    workspace_id: UUID, run_ids: Sequence[UUID], add: Mapping[str, str], remove: Sequence[str], by: UUID | None
) -> Changed:
    """Put words on these runs, one of `portions`, and take others away, within the caller's transaction. `add`: as they
    were typed, by how they are compared; one that stands there stays as it is."""
    # Before words are put on runs, and before runs go with theirs: no run gets more than it can have, and none is left
    # on one that has gone. The runs themselves are not locked: whoever works at them goes on.
    queue_up(workspace_id)
    there = list(Run.objects.filter(workspace_id=workspace_id, pk__in=run_ids).values_list("pk", flat=True))
    mine = RunTag.objects.filter(workspace_id=workspace_id, run_id__in=there)
    touched = set()
    if remove:
        going = mine.filter(folded__in=remove)
        touched = set(going.values_list("run_id", flat=True))
        if touched:
            going.delete()
    words: dict[UUID, set[str]] = {}
    for run_id, folded in mine.values_list("run_id", "folded"):
        words.setdefault(run_id, set()).add(folded)
    full = 0
    rows = []
    for run_id in there:
        stands = words.get(run_id, set())
        new = [folded for folded in add if folded not in stands]
        room = MOST_TAGS - len(stands)
        full += len(new) > room
        rows += [
            RunTag(workspace_id=workspace_id, folded=one, run_id=run_id, tag=add[one], by=by) for one in new[:room]
        ]
    # In the order of their key, each word by itself: they go where the last one went.
    rows.sort(key=lambda row: (row.folded, row.run_id))
    RunTag.objects.bulk_create(rows, batch_size=_PORTION)
    return Changed(len(there), len(touched | {row.run_id for row in rows}), full)
