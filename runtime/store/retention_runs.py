"""Ended runs that are old enough: what they are made of, what keeps them, and taking them, or their data, away.

A run goes with all that is a part of it (`parts`), and only when every part of it may go: none is open, no dead letter
of it waits for a decision, nothing of it is held, and all of it stands in the figures. Looked at before, and once more
in the transaction that removes it, with the outermost run locked: whoever goes on with it, or with a part of it, locks
that first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q

from runtime.engine.jsonprofile import loads_stored
from runtime.engine.naming import KEY, folded, naming_of
from runtime.store.dialect import database_now, queue_up
from runtime.store.figures import counted_below
from runtime.store.models import Artifact, Attempt, Replay, Run, Version
from runtime.store.parts import IS_ITEM

__all__ = [
    "Facts",
    "Held",
    "clear",
    "clear_calls",
    "count_calls",
    "facts",
    "forget_artifacts",
    "items_of",
    "leaves",
    "lock",
    "parts",
    "remove",
    "some",
]

#: What a text of a row begins with where a document stands in the artifact store instead (`interpreter.payloads`).
_OUTSIDE: Final = "@artifact:"
#: Documents that rows of others may name, too: what was sent to several runs, and what people answered.
_SHARED: Final = ("signal.json", "answer.json")
#: The rows of a run that are found by its id, in an order in which they may go.
_ROWS: Final = (
    ("store_steprun", "run_id"), ("store_attempt", "run_id"), ("store_timer", "run_id"), ("store_response", "run_id"),
    ("store_replay", "run_id"), ("store_deadletter", "run_id"), ("store_itemamount", "run_id"),
    ("store_batchcheck", "run_id"), ("store_reading", "run_id"), ("store_passedover", "run_id"),
    ("store_signalwait", "run_id"), ("store_datachange", "run_id"),
)  # fmt: skip
#: What belongs to rows that are found by the run's id: table, column, and the table that names the run.
_BELOW: Final = (
    ("store_humanvote", "task_id", "store_humantask"), ("store_humannote", "task_id", "store_humantask"),
    ("store_humanmail", "task_id", "store_humantask"), ("store_humansnooze", "task_id", "store_humantask"),
    ("store_pendinganswer", "task_id", "store_humantask"), ("store_reviewrow", "review_id", "store_review"),
    ("store_reviewchange", "review_id", "store_review"),
)  # fmt: skip
_PART: Final = """
    WITH RECURSIVE part (root, id) AS (
        SELECT id, id FROM store_run WHERE id IN ({})
        UNION ALL
        SELECT p.root, r.id FROM part AS p JOIN store_run AS r ON r.parent_run_id = p.id AND NOT r.detached)"""


#: The same, and whether a part stands within an item of a list that was left out: what failed there waits for nobody.
_PART_WAITS: Final = """
    WITH RECURSIVE part (root, id, settled) AS (
        SELECT id, id, 0 FROM store_run WHERE id IN ({})
        UNION ALL
        SELECT p.root, r.id, CASE WHEN a.status = 'completed' AND a.outcome = 'skipped' THEN 1 ELSE p.settled END
        FROM part AS p JOIN store_run AS a ON a.id = p.id
            JOIN store_run AS r ON r.parent_run_id = p.id AND NOT r.detached)"""


class Held(NamedTuple):
    """What a workspace's legal holds name."""

    workflows: tuple[UUID, ...] = ()
    keys: tuple[str, ...] = ()


class Facts(NamedTuple):
    """A run with its parts: how many, when the last of them ended, and why it is kept whatever its age, if so."""

    runs: int
    ended_at: int
    kept: str | None


def some(values: Sequence[object]) -> str:
    """So many places for values."""
    return ", ".join(["%s"] * len(values))


def key(value: UUID) -> Any:
    """An id as plain SQL takes it."""
    return value if connection.vendor == "postgresql" else value.hex


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def facts(run_ids: Sequence[UUID], held: Held) -> dict[UUID, Facts]:
    """How these runs stand. `run_ids`: none is a part of another one; those that are gone are left out."""
    if not run_ids:
        return {}
    upto = counted_below()
    uncounted = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} AS s WHERE s.run_id = r.id AND s.stamp >= %s)"
        for table in ("store_transition", "store_deadletter", "store_attempt")
    )
    holds, words = _holds(held)
    rows = ask(
        f"""{_PART_WAITS.format(some(run_ids))}
        SELECT p.root, COUNT(*), MAX(r.finished_at),
            SUM(CASE WHEN r.finished_at IS NULL
                OR EXISTS (SELECT 1 FROM store_humantask AS h WHERE h.run_id = r.id AND h.status = 'open')
                THEN 1 ELSE 0 END),
            SUM(CASE WHEN p.settled = 0 AND EXISTS (SELECT 1 FROM store_deadletter AS d
                WHERE d.run_id = r.id AND d.solved_at IS NULL) THEN 1 ELSE 0 END),
            SUM(CASE WHEN {holds} THEN 1 ELSE 0 END),
            SUM(CASE WHEN {uncounted} THEN 1 ELSE 0 END)
        FROM part AS p JOIN store_run AS r ON r.id = p.id GROUP BY p.root""",
        [*map(key, run_ids), *words, upto, upto, upto],
    )
    found = {}
    for root, count, ended, going, letters, holding, young in rows:
        why = "open" if going else "letter" if letters else "hold" if holding else "uncounted" if young else None
        found[_uuid(root)] = Facts(int(count), 0 if ended is None else int(ended), why)
    return found


def _holds(held: Held) -> tuple[str, list[Any]]:
    said: list[str] = ["1 = 0"]
    words: list[Any] = []
    if held.workflows:
        said.append(f"r.workflow_id IN ({some(held.workflows)})")
        words += map(key, held.workflows)
    if held.keys:
        said.append(
            f"""r.business_key IN ({some(held.keys)}) OR EXISTS (SELECT 1 FROM store_runfield AS f
            WHERE f.workspace_id = r.workspace_id AND f.name = '{KEY}' AND f.run_id = r.id
                AND f.folded IN ({some(held.keys)}))"""
        )
        words += [*held.keys, *(folded(one) for one in held.keys)]
    return " OR ".join(said), words


def lock(run_ids: Sequence[UUID], held: Held) -> dict[UUID, Facts]:
    """These runs locked, within the caller's transaction, in the order in which everybody locks runs; those that may
    go as they stand now."""
    there = Run.objects.filter(pk__in=run_ids).order_by("pk").select_for_update().values_list("pk", flat=True)
    return {root: found for root, found in facts(list(there), held).items() if found.kept is None}


def parts(roots: Sequence[UUID], *, only: str = "", limit: int | None = None) -> list[UUID]:
    """The runs that are parts of these, themselves among them; `only`: a condition on `r`."""
    sql = f"{_PART.format(some(roots))} SELECT p.id FROM part AS p JOIN store_run AS r ON r.id = p.id"
    sql += f" WHERE {only}" if only else ""
    sql += f" LIMIT {limit}" if limit is not None else ""
    return [_uuid(row[0]) for row in ask(sql, [*map(key, roots)])]


def items_of(run_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these runs that are entries of lists and still have their data."""
    found = Run.objects.filter(IS_ITEM, pk__in=run_ids, values_removed_at=None)
    return list(found.values_list("pk", flat=True))


def leaves(root: UUID, limit: int) -> list[UUID]:
    """Parts of this run, itself not among them, that have no parts of their own."""
    return parts(
        [root],
        only="p.id <> p.root AND NOT EXISTS (SELECT 1 FROM store_run AS c WHERE c.parent_run_id = r.id"
        " AND NOT c.detached)",
        limit=limit,
    )


def clear(run_ids: Sequence[UUID]) -> list[str]:
    """Take away what the steps of these runs were given and gave, and what was sent and answered; the runs say so. The
    caller holds the transaction, and the runs around them. Returns the places of what stood outside the rows, to be
    removed behind the commit."""
    if not run_ids:
        return []
    keys = [*map(key, run_ids)]
    outside = _outside(run_ids)
    do(
        f"""UPDATE store_steprun SET input = NULL, output = NULL
        WHERE run_id IN ({some(keys)}) AND (input IS NOT NULL OR output IS NOT NULL)""",
        keys,
    )
    clear_calls(run_ids)
    for table in ("store_response", "store_reading"):
        do(f"DELETE FROM {table} WHERE run_id IN ({some(keys)})", keys)
    do(
        f"UPDATE store_run SET item = NULL, values_removed_at = COALESCE(values_removed_at, %s) "
        f"WHERE id IN ({some(keys)})",
        [database_now(), *keys],
    )
    return _forget_outside(outside)


def clear_calls(run_ids: Sequence[UUID]) -> int:
    """Take away what was sent and answered; of how many tries."""
    if not run_ids:
        return 0
    keys = [*map(key, run_ids)]
    return do(
        f"""UPDATE store_attempt SET request = NULL, response = NULL
        WHERE run_id IN ({some(keys)}) AND (request IS NOT NULL OR response IS NOT NULL)""",
        keys,
    )


def count_calls(run_ids: Sequence[UUID]) -> int:
    """Of how many tries of these runs there is something to take away."""
    kept = Attempt.objects.filter(run_id__in=run_ids)
    return kept.filter(Q(request__isnull=False) | Q(response__isnull=False)).count()


def remove(run_ids: Sequence[UUID]) -> list[str]:
    """Remove these runs with every row of theirs, within the caller's transaction. Their files go by a rule of their
    own; their start events stay, and so does by what their entries are known again. Returns places as `clear` does."""
    if not run_ids:
        return []
    outside = _outside(run_ids)
    keys = [*map(key, run_ids)]
    given = some(keys)
    signals = ask(f"SELECT signal_id FROM store_signalwait WHERE run_id IN ({given}) AND signal_id IS NOT NULL", keys)
    _remove_fields(run_ids)
    for table, column, above in _BELOW:
        do(f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM {above} WHERE run_id IN ({given}))", keys)
    for table in ("store_humantask", "store_review"):
        do(f"DELETE FROM {table} WHERE run_id IN ({given})", keys)
    for table, column in _ROWS:
        do(f"DELETE FROM {table} WHERE {column} IN ({given})", keys)
    # What came by a link, or from a person, was for one run; an event may be waited for by others still.
    for start in range(0, len(signals), 500):
        ids = [row[0] for row in signals[start : start + 500]]
        do(f"DELETE FROM store_signal WHERE id IN ({some(ids)}) AND kind <> 'event'", ids)
    # Whoever puts a word on one of them, or sends it to somebody, has done so, or finds it gone.
    for workspace_id in sorted(set(Run.objects.filter(pk__in=run_ids).values_list("workspace_id", flat=True))):
        queue_up(workspace_id)
    for table in ("store_runtag", "store_sentletter"):
        do(f"DELETE FROM {table} WHERE run_id IN ({given})", keys)
    # Last: the trail of a run goes with its row, and must not go before.
    do(f"DELETE FROM store_run WHERE id IN ({given})", keys)
    return _forget_outside(outside)


def _remove_fields(run_ids: Sequence[UUID]) -> None:
    """What they are found by. Its rows stand in the order of their names."""
    rows = Run.objects.filter(pk__in=run_ids).values_list("workspace_id", "version_id")
    workspaces, versions = {row[0] for row in rows}, {row[1] for row in rows}
    gone_on = Replay.objects.filter(run_id__in=run_ids).values_list("version_before_id", "version_after_id")
    versions.update(one for pair in gone_on for one in pair)
    names = {KEY}
    for graph in Version.objects.filter(pk__in=versions, graph__contains='"naming"').values_list("graph", flat=True):
        document: Any = loads_stored(graph)
        naming = naming_of(document)
        names.update(field.name for field in naming.fields) if naming is not None else None
    for workspace_id in workspaces:
        do(
            f"""DELETE FROM store_runfield WHERE workspace_id = %s AND name IN ({some([*names])})
            AND run_id IN ({some(run_ids)})""",
            [key(workspace_id), *sorted(names), *map(key, run_ids)],
        )


# --- documents outside of the rows ------------------------------------------------------------------------------------


def _outside(run_ids: Sequence[UUID]) -> set[UUID]:
    """What stands in the artifact store of these runs alone."""
    keys = [*map(key, run_ids)]
    given, like = some(keys), f"{_OUTSIDE}%%"
    texts = ask(
        f"""SELECT input FROM store_steprun WHERE run_id IN ({given}) AND input LIKE '{like}'
        UNION ALL SELECT output FROM store_steprun WHERE run_id IN ({given}) AND output LIKE '{like}'
        UNION ALL SELECT state FROM store_reading WHERE run_id IN ({given}) AND state LIKE '{like}'
        UNION ALL SELECT item FROM store_run WHERE id IN ({given}) AND item LIKE '{like}'""",
        keys * 4,
    )
    found = set(_ids(texts))
    if found:
        # A call that was not waited for may have been given the same document, and lives its own life.
        apart = ask(
            f"SELECT item FROM store_run WHERE parent_run_id IN ({given}) AND detached AND item LIKE '{like}'", keys
        )
        found.difference_update(_ids(apart))
    return found


def _ids(rows: Iterable[Sequence[Any]]) -> Iterable[UUID]:
    return (UUID(str(text).split(":", 2)[1]) for (text,) in rows)


def _forget_outside(artifact_ids: set[UUID]) -> list[str]:
    places: list[str] = []
    ordered = sorted(artifact_ids)
    for start in range(0, len(ordered), 500):
        rows = Artifact.objects.filter(pk__in=ordered[start : start + 500]).exclude(name__in=_SHARED)
        going = dict(rows.values_list("pk", "location"))
        forget_artifacts(going)
        places += going.values()
    return places


def forget_artifacts(artifact_ids: Collection[UUID]) -> None:
    """Remove these rows, which no other row names."""
    if artifact_ids:
        do(f"DELETE FROM store_artifact WHERE id IN ({some([*artifact_ids])})", [*map(key, artifact_ids)])


# --- the database -----------------------------------------------------------------------------------------------------


def ask(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query over Django's connection."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return list(cursor.fetchall())


def do(sql: str, parameters: Sequence[Any]) -> int:
    """Carry it out; of how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return int(cursor.rowcount)
