"""Rows become figures: those stamped within a range are added to the buckets of each level."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from runtime.engine.jsonprofile import loads_stored
from runtime.store.dialect import database_now
from runtime.store.figure_models import WHOLE, Figure, StandingFigure, SystemFigure
from runtime.store.models import HumanTask, Replay, Version
from runtime.store.sketch import Sketch

__all__ = ["COUNTS", "DAY", "HOUR", "KEEP_MINUTES_MS", "LEVELS", "MINUTE", "WEEK", "add", "keep_standing", "remove_old"]

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800
#: How many seconds the spans have, for which figures are kept.
LEVELS: Final = (MINUTE, HOUR, DAY, WEEK)
#: Minutes are kept for so long, the others for ever.
KEEP_MINUTES_MS: Final = 62 * DAY * 1000
COUNTS: Final = (
    "started", "completed", "failed", "cancelled", "undone", "received", "duplicates", "conflicts", "letters",
)  # fmt: skip
#: What an end is counted as.
_ENDS: Final = {
    "completed": "completed", "dead_lettered": "failed", "cancelled": "cancelled", "compensated": "undone"
}  # fmt: skip
_TOGETHER: Final = 500
#: What is wrong with a connection, or with the system behind it, rather than with what it was sent.
_FAULTS: Final = frozenset({"network", "timeout", "remote"})
_FAULT_STATUSES: Final = frozenset({401, 403, 407, 408, 425, 429})


class Key(NamedTuple):
    """A bucket."""

    workspace_id: UUID
    level: int
    workflow_id: UUID
    at: int


class Sums:
    """What is to be added to one bucket."""

    __slots__ = ("counts", "took", "whole")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.took = Sketch()
        self.whole = Sketch()


class _End(NamedTuple):
    """A run that ended well."""

    run_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    generation: int
    accepted_at: int
    at: int


def add(begin: int, end: int) -> None:
    """Add up what is stamped from `begin` on and below `end`. The caller holds the transaction and the mark."""
    sums: defaultdict[Key, Sums] = defaultdict(Sums)
    _runs(sums, begin, end)
    for workspace, workflow, at, count in _grouped("store_event", "received_at", begin, end):
        _count(sums, workspace, workflow, at, "received", count)
    for conflict, name in ((False, "duplicates"), (True, "conflicts")):
        more = f"AND {'' if conflict else 'NOT '}conflict AND workspace_id IS NOT NULL AND workflow_id IS NOT NULL"
        for workspace, workflow, at, count in _grouped("store_delivery", "received_at", begin, end, more):
            _count(sums, workspace, workflow, at, name, count)
    live = "AND (SELECT r.mode FROM store_run AS r WHERE r.id = run_id) = 'live'"
    for workspace, workflow, at, count in _grouped("store_deadletter", "at", begin, end, live):
        _count(sums, workspace, workflow, at, "letters", count)
    _write(_of_all_levels(sums))
    _write_systems(_errors(begin, end))


# --- runs -------------------------------------------------------------------------------------------------------------


def _runs(sums: defaultdict[Key, Sums], begin: int, end: int) -> None:
    rows = _ask(
        """
        SELECT t.run_id, r.workspace_id, r.workflow_id, t.generation, t.status_before, t.status, t.moment,
            r.accepted_at, r.started_at
        FROM store_transition AS t JOIN store_run AS r ON r.id = t.run_id WHERE t.stamp >= %s AND t.stamp < %s""",
        (begin, end),
    )
    done: list[_End] = []
    for run, workspace, workflow, generation, before, status, moment, accepted, started in rows:
        run_id, workspace_id, workflow_id = _uuid(run), _uuid(workspace), _uuid(workflow)
        if before == "accepted":
            began = moment if started is None else started
            _count(sums, workspace_id, workflow_id, began, "started", 1)
        if (counts_as := _ENDS.get(status)) is not None:
            _count(sums, workspace_id, workflow_id, moment, counts_as, 1)
        if status == "completed":
            done.append(_End(run_id, workspace_id, workflow_id, generation, accepted, moment))
    for start in range(0, len(done), _TOGETHER):
        some = done[start : start + _TOGETHER]
        waited = _waited(some)
        for one in some:
            whole = max(0, one.at - one.accepted_at)
            took = whole - _union(waited.get(one.run_id, ()), one.accepted_at, one.at)
            minute = sums[_minute(one.workspace_id, one.workflow_id, one.at)]
            minute.took.add(took)
            minute.whole.add(whole)


def _waited(ends: Sequence[_End]) -> dict[UUID, list[tuple[int, int]]]:
    """When each of these runs waited for people: while a question of it or of its parts was open, and from a failure
    until somebody went on with it."""
    found: defaultdict[UUID, list[tuple[int, int]]] = defaultdict(list)
    asking = {workspace_id for workspace_id in {one.workspace_id for one in ends} if _asks(workspace_id)}
    asked = [one.run_id for one in ends if one.workspace_id in asking]
    if asked:
        rows = _ask(
            f"""
            WITH RECURSIVE part (root, id) AS (
                SELECT id, id FROM store_run WHERE id IN ({", ".join(["%s"] * len(asked))})
                UNION ALL
                SELECT p.root, r.id FROM part AS p JOIN store_run AS r ON r.parent_run_id = p.id AND NOT r.detached)
            SELECT p.root, h.created_at, h.closed_at FROM part AS p JOIN store_humantask AS h ON h.run_id = p.id""",
            [_key(run_id) for run_id in asked],
        )
        for root, created, closed in rows:
            found[_uuid(root)].append((created, 2**62 if closed is None else closed))
    again = [one.run_id for one in ends if one.generation > 1]
    if again:
        gone_on = Replay.objects.filter(run_id__in=again).values_list("run_id", "generation", "at")
        failed = {
            (_uuid(run), generation): moment
            for run, generation, moment in _ask(
                f"""SELECT run_id, generation, moment FROM store_transition WHERE moment IS NOT NULL
                AND run_id IN ({", ".join(["%s"] * len(again))}) AND status IN ('dead_lettered', 'cancelled',
                    'completed', 'compensated')""",
                [_key(run_id) for run_id in again],
            )
        }
        for run_id, generation, at in gone_on:
            if (since := failed.get((run_id, generation - 1))) is not None:
                found[run_id].append((since, at))
    return found


def _asks(workspace_id: UUID) -> bool:
    """Whether anybody was ever asked anything here; most need not be looked for."""
    return HumanTask.objects.filter(workspace_id=workspace_id).exists()


def _union(spans: Iterable[tuple[int, int]], begin: int, end: int) -> int:
    """How much of the time between the two lies in any of the spans."""
    covered, last = 0, begin
    for since, until in sorted(spans):
        since, until = max(since, last), min(until, end)
        if until > since:
            covered += until - since
            last = until
    return covered


# --- calls ------------------------------------------------------------------------------------------------------------


def _errors(begin: int, end: int) -> Counter[tuple[UUID, str, int]]:
    """Failed tries of steps that call other systems, by workspace, system and moment."""
    found: Counter[tuple[UUID, str, int]] = Counter()
    rows = _ask(
        """
        SELECT r.workspace_id, r.version_id, a.node_id, a.error, COALESCE(a.finished_at, a.started_at)
        FROM store_attempt AS a JOIN store_run AS r ON r.id = a.run_id
        WHERE a.stamp >= %s AND a.stamp < %s AND r.mode = 'live'""",
        (begin, end),
    )
    for workspace, version, node_id, text, at in rows:
        error: Any = {} if text is None else loads_stored(text)
        if error.get("kind") not in _FAULTS and error.get("http_status") not in _FAULT_STATUSES:
            continue
        if (system := _systems(_uuid(version)).get(node_id)) is not None:
            found[_uuid(workspace), system, at] += 1
    return found


@lru_cache(maxsize=256)
def _systems(version_id: UUID) -> dict[str, str]:
    """By node, the connection that its step uses, or else its type. A version never changes."""
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=version_id))
    return {node["id"]: _system(node) for node in graph.get("nodes", ())}


def _system(node: dict[str, Any]) -> str:
    named = (node.get("config") or {}).get("connection")
    try:
        return UUID(named).hex if isinstance(named, str) else _plain(node)
    except ValueError:
        return _plain(node)


def _plain(node: dict[str, Any]) -> str:
    return str(node.get("type", "")).partition("@")[0][:64]


# --- buckets ----------------------------------------------------------------------------------------------------------


def _count(sums: defaultdict[Key, Sums], workspace_id: UUID, workflow_id: UUID, at: int, name: str, count: int) -> None:
    sums[_minute(workspace_id, workflow_id, at)].counts[name] += count


def _minute(workspace_id: UUID, workflow_id: UUID, at: int) -> Key:
    return Key(workspace_id, MINUTE, workflow_id, at - at % (MINUTE * 1000))


def _of_all_levels(minutes: dict[Key, Sums]) -> dict[Key, Sums]:
    """What is to be added to each bucket, from that of the minutes of each workflow."""
    found: defaultdict[Key, Sums] = defaultdict(Sums)
    for key, minute in minutes.items():
        for level in LEVELS:
            for workflow_id in (key.workflow_id, WHOLE):
                one = found[Key(key.workspace_id, level, workflow_id, key.at - key.at % (level * 1000))]
                one.counts.update(minute.counts)
                one.took.merge(minute.took)
                one.whole.merge(minute.whole)
    return found


def _write(sums: dict[Key, Sums]) -> None:
    """Add to what stands in the buckets. Nobody else does at the same time: the mark is ours."""
    kept = _sketches(key for key, one in sums.items() if one.took.counts)
    rows = []
    # In one order for all, as rows are locked by whoever sees to the old ones.
    for key, one in sorted(sums.items()):
        took, whole = one.took, one.whole
        if key in kept:
            whole_before = kept[key][0] if kept[key][1] is None else kept[key][1]
            took.add_text(kept[key][0] or "[]")
            whole.add_text(whole_before or "[]")
        texts = took.text(), None if took.counts == whole.counts else whole.text()
        rows.append((*_row(key), *(one.counts[name] for name in COUNTS), *texts))
    names = ", ".join(COUNTS)
    more = ", ".join(f"{name} = f.{name} + excluded.{name}" for name in COUNTS)
    _carry_out(
        f"""
        INSERT INTO store_figure AS f (workspace_id, level, workflow_id, at, {names}, took, took_whole)
        VALUES ({", ".join(["%s"] * (len(COUNTS) + 6))})
        ON CONFLICT (workspace_id, level, workflow_id, at) DO UPDATE SET {more},
            took = CASE WHEN excluded.took = '' THEN f.took ELSE excluded.took END,
            took_whole = CASE WHEN excluded.took = '' THEN f.took_whole ELSE excluded.took_whole END""",
        rows,
    )


def _sketches(keys: Iterable[Key]) -> dict[Key, tuple[str, str | None]]:
    """What the buckets hold that durations are added to."""
    wanted: defaultdict[tuple[UUID, int], set[Key]] = defaultdict(set)
    for key in keys:
        wanted[key.workspace_id, key.level].add(key)
    found: dict[Key, tuple[str, str | None]] = {}
    for (workspace_id, level), some in wanted.items():
        ordered = sorted({key.at for key in some})
        for start in range(0, len(ordered), _TOGETHER):
            rows = Figure.objects.filter(
                workspace_id=workspace_id, level=level, at__in=ordered[start : start + _TOGETHER],
                workflow_id__in={key.workflow_id for key in some},
            )  # fmt: skip
            for workflow_id, at, took, whole in rows.values_list("workflow_id", "at", "took", "took_whole"):
                found[Key(workspace_id, level, workflow_id, at)] = took, whole
    return found


def _write_systems(errors: Counter[tuple[UUID, str, int]]) -> None:
    sums: Counter[tuple[UUID, int, int, str]] = Counter()
    for (workspace_id, system, at), count in errors.items():
        for level in LEVELS:
            sums[workspace_id, level, at - at % (level * 1000), system] += count
    _carry_out(
        """
        INSERT INTO store_systemfigure AS f (workspace_id, level, at, system, errors) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (workspace_id, level, at, system) DO UPDATE SET errors = f.errors + excluded.errors""",
        [(_key(key[0]), *key[1:], count) for key, count in sorted(sums.items())],
    )


def keep_standing(workspace_id: UUID, at: int, *, queue: int, oldest_ms: int, letters: int, tasks: int) -> None:
    """How things stand at this moment: of each span the worst is kept. The caller holds the transaction."""
    greatest = "GREATEST" if connection.vendor == "postgresql" else "MAX"
    names = ("queue", "oldest_ms", "letters", "tasks")
    worst = ", ".join(f"{name} = {greatest}(f.{name}, excluded.{name})" for name in names)
    _carry_out(
        f"""
        INSERT INTO store_standingfigure AS f (workspace_id, level, at, {", ".join(names)})
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (workspace_id, level, at) DO UPDATE SET {worst}""",
        [
            (_key(workspace_id), level, at - at % (level * 1000), queue, oldest_ms, letters, tasks)
            for level in (MINUTE, HOUR)
        ],
    )


def remove_old() -> int:
    """Remove minutes that are told by their hours and days now; how many rows."""
    before = database_now() - KEEP_MINUTES_MS
    return sum(
        table.objects.filter(level=MINUTE, at__lt=before).delete()[0]
        for table in (Figure, SystemFigure, StandingFigure)
    )


# --- the database -----------------------------------------------------------------------------------------------------


def _grouped(table: str, time: str, begin: int, end: int, more: str = "") -> Iterator[tuple[UUID, UUID, int, int]]:
    """How many rows there are of each workspace, workflow and minute."""
    minute = f"{time} - {time} %% {MINUTE * 1000}"
    rows = _ask(
        f"""
        SELECT workspace_id, workflow_id, {minute}, COUNT(*) FROM {table} WHERE stamp >= %s AND stamp < %s {more}
        GROUP BY workspace_id, workflow_id, {minute}""",
        (begin, end),
    )
    for workspace, workflow, at, count in rows:
        yield _uuid(workspace), _uuid(workflow), at, count


def _ask(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _carry_out(sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


def _row(key: Key) -> tuple[Any, int, Any, int]:
    return _key(key.workspace_id), key.level, _key(key.workflow_id), key.at


def _key(value: UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
