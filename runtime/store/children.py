"""Runs that another run has begun for one of its steps: what is read of them, and what is done to them from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from runtime.engine.containers import in_turns, is_container
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.cancels import ask_to_cancel
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Replay, Run, StepRun, Version
from runtime.store.solved import not_solved
from runtime.store.statements import HELD

__all__ = [
    "MOST_COUNTED",
    "Callee",
    "Child",
    "Outer",
    "Standing",
    "Tally",
    "around_of",
    "ask_to_end",
    "at",
    "callee",
    "counted",
    "depth",
    "ended",
    "failed",
    "failed_items",
    "knock",
    "last",
    "outer_of",
    "outputs",
    "read",
    "stale",
    "standing",
    "standings",
    "tally",
    "to_undo",
    "was_cancelled",
]

#: A run that runs another that runs another …: no deeper than that.
MOST_DEEP: Final = 16
#: Of the failed items of a run that is one of many in a list.
MOST_COUNTED: Final = 100
_STILL: Final = frozenset({"waiting_timer", "waiting_event", "waiting_human", "parked"})
_COLUMNS: Final = (
    "id", "item_index", "status", "outcome", "error", "finished_at", "generation", "business_key", "workspace_id",
    "version_id", "workflow_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Child:
    """A run begun for a step of another, as it stands. `item`: what it was given, where that was asked for."""

    id: UUID
    index: int
    status: str
    outcome: str | None
    error: str | None
    finished_at: int | None
    generation: int
    label: str | None
    workspace_id: UUID
    version_id: UUID
    workflow_id: UUID
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    """What a run knows from outside: the item it was given, and what the run around it knew.

    `texts`: outputs of steps of the run around it, by node id, as the rows hold them.
    """

    parent_run: UUID
    parent_node: str
    index: int
    item: str
    #: The run around: its start, its version, what it knows from outside itself.
    trigger_node: str = ""
    #: From when on events count in it.
    since: int = 0
    texts: Mapping[str, str] | None = None
    beyond: Outer | None = None
    #: What the steps of a run around that was gone on with ever gave, the oldest first: node id, when, and the output.
    ever: tuple[tuple[str, int, str], ...] = ()

    def texts_at(self, at: int) -> dict[str, str]:
        """What was known of the runs around it at this time, where it was not what is known now; the nearest last."""
        found = {} if self.beyond is None else self.beyond.texts_at(at)
        then = {node: text for node, given, text in self.ever if given <= at}
        return found | {node: text for node, text in then.items() if (self.texts or {}).get(node) != text}


@dataclass(frozen=True, slots=True)
class Callee:
    """The live version of a workflow that may be called."""

    version_id: UUID
    trigger_nodes: tuple[str, ...]
    min_engine: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How the runs of a step stand. `count`: they have the numbers from 0 up to that, for they are begun in order.
    `moving`: so many of those that are open do not wait for something that takes its time."""

    done: int = 0
    failed: int = 0
    undone: int = 0
    open: int = 0
    moving: int = 0
    count: int = 0
    #: Of those that failed: how many did before the step was begun this time.
    before: int = 0
    #: Those that are open.
    ids: frozenset[UUID] = frozenset()

    @property
    def still(self) -> bool:
        """Whether all that are open wait."""
        return self.moving == 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How the runs of a step stand: so many begun, and of these so many in each way."""

    started: int
    done: int
    failed: int
    running: int
    waiting: int


# Begun in order and never removed: so those that are neither open nor failed are done, and need not be counted. One
# statement, so that the numbers are of one moment; each of its parts is one pass over an index that holds nothing else.
_OWN: Final = "FROM store_run WHERE parent_run_id = %(run)s AND parent_node = %(node)s AND parent_run_id IS NOT NULL"
_IS_OPEN: Final = "finished_at IS NULL"
_HAS_FAILED: Final = "finished_at IS NOT NULL AND NOT (status = 'completed')"
_STANDS_STILL: Final = f"status IN {tuple(sorted(_STILL))}"
_TALLY: Final = f"""
    SELECT (SELECT item_index {_OWN} ORDER BY item_index DESC LIMIT 1), o.*, f.*
    FROM (SELECT count(*), count(*) FILTER (WHERE detached),
            count(*) FILTER (WHERE NOT detached AND NOT ({_STANDS_STILL})), {{listed}}
        {_OWN} AND {_IS_OPEN}) AS o,
        (SELECT count(*), count(*) FILTER (WHERE finished_at < %(since)s),
            count(*) FILTER (WHERE status = 'compensated')
        {_OWN} AND {_HAS_FAILED}) AS f"""
# Which steps have runs is read by leaps from one to the next.
_TALLIES: Final = f"""
    WITH RECURSIVE steps (node) AS (
        SELECT (SELECT parent_node FROM store_run WHERE parent_run_id = %(run)s ORDER BY parent_node LIMIT 1)
        UNION ALL
        SELECT (SELECT parent_node FROM store_run WHERE parent_run_id = %(run)s AND parent_node > node
            ORDER BY parent_node LIMIT 1)
        FROM steps WHERE node IS NOT NULL
    )
    SELECT node, (SELECT item_index {{own}} ORDER BY item_index DESC LIMIT 1),
        (SELECT count(*) {{own}} AND {_HAS_FAILED}),
        (SELECT count(*) {{own}} AND {_IS_OPEN}),
        (SELECT count(*) {{own}} AND {_IS_OPEN} AND {_STANDS_STILL})
    FROM steps WHERE node IS NOT NULL""".format(own=_OWN.replace("%(node)s", "node"))
# Stops at so many, so that a list of runs costs the same however many of theirs failed.
_FAILED_OF: Final = f"""
    SELECT around, (SELECT count(*) FROM (
        SELECT 1 FROM store_run WHERE parent_run_id = around AND parent_run_id IS NOT NULL AND {_HAS_FAILED}
            AND trigger_node = parent_node AND {not_solved("store_run")} LIMIT {MOST_COUNTED}) AS few)
    FROM {{given}}"""


def tally(run_id: UUID, node: str, since: int) -> Tally:
    """How the runs of this step stand, without looking at those that are done. `since`: when the step was begun this
    time."""
    with connection.cursor() as cursor:
        far = connection.vendor == "postgresql"
        sql = _TALLY.format(listed="string_agg(id::text, ',')" if far else "group_concat(id)")
        cursor.execute(sql, {"run": key(run_id), "node": node, "since": since})
        last, opened, detached, moving, ids, failed, before, undone = cursor.fetchone()
    count = 0 if last is None else last + 1
    listed = frozenset(UUID(text) for text in ids.split(",")) if ids else frozenset[UUID]()
    # Nobody waits for the end of one that goes its own way.
    return Tally(count - opened - failed, failed, undone, opened - detached, moving, count, before, listed)


def standings(run_id: UUID) -> dict[str, Standing]:
    """How the runs of each step of this run stand, by node id, without looking at those that are done."""
    with connection.cursor() as cursor:
        cursor.execute(_TALLIES, {"run": key(run_id)})
        rows = cursor.fetchall()
    return {
        node: Standing(last + 1, last + 1 - failed - opened, failed, opened - still, still)
        for node, last, failed, opened, still in rows
    }


def failed_items(run_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Of those of these runs of which items did not end well, and are not settled since: how many, `MOST_COUNTED` for
    so many or more."""
    return {run_id: count for run_id, (count,) in counted(_FAILED_OF, run_ids).items()}


def counted(sql: str, run_ids: Sequence[UUID]) -> dict[UUID, tuple[int, ...]]:
    """The counts of this statement for each of these runs, which stand in its `{given}` as `around`; those without any
    are left out."""
    if not run_ids:
        return {}
    far = connection.vendor == "postgresql"
    given = "unnest(%s) AS given (around)" if far else "(SELECT value AS around FROM json_each(%s)) AS given"
    with connection.cursor() as cursor:
        cursor.execute(sql.format(given=given), [list(run_ids) if far else dumps(list(map(key, run_ids)))])
        rows = [(run_id, tuple(map(int, counts))) for run_id, *counts in cursor.fetchall()]
    return {run_id if far else UUID(run_id): counts for run_id, counts in rows if any(counts)}


def key(run_id: UUID) -> UUID | str:
    return run_id if connection.vendor == "postgresql" else run_id.hex


def read(run_id: UUID, node: str) -> Iterator[Child]:
    """The runs of this step by their number, with what they were given."""
    rows = Run.objects.filter(parent_run_id=run_id, parent_node=node).order_by("item_index")
    return (Child(*row) for row in rows.values_list(*_COLUMNS, "item").iterator(chunk_size=500))


def ended(run_id: UUID, node: str) -> list[Child]:
    """Those of this step that have ended, by their number."""
    rows = _of(run_id, node).filter(finished_at__isnull=False).order_by("item_index")
    return [Child(*row) for row in rows.values_list(*_COLUMNS)]


def last(run_id: UUID, node: str, *, with_item: bool = False) -> Child | None:
    """The one with the highest number."""
    columns = (*_COLUMNS, "item") if with_item else _COLUMNS
    row = _of(run_id, node).order_by("-item_index").values_list(*columns).first()
    return None if row is None else Child(*row)


def failed(run_id: UUID, node: str, *, limit: int) -> list[Child]:
    """Those that did not end well, by their number."""
    rows = _of(run_id, node).filter(finished_at__isnull=False).exclude(status="completed")
    return [Child(*row) for row in rows.order_by("item_index").values_list(*_COLUMNS)[:limit]]


def to_undo(run_id: UUID, node: str, mark: str) -> list[tuple[UUID, UUID]]:
    """Workspace and id of those to be undone, the one that ended last first: neither undone, nor tried with this mark.

    When a run ended that was undone in vain since is told by the last of its steps that ended well.
    """
    tried = Replay.objects.filter(run_id=OuterRef("pk"), kind="undo", by=mark)
    forth = StepRun.objects.filter(run_id=OuterRef("pk"), status="succeeded").exclude(ports__contains='"undo:')
    ended = Subquery(forth.order_by("-finished_at").values("finished_at")[:1])
    rows = _of(run_id, node).filter(finished_at__isnull=False).exclude(status="compensated").exclude(Exists(tried))
    ordered = rows.annotate(ended=ended).order_by(F("ended").desc(nulls_last=True), "-item_index")
    return list(ordered.values_list("workspace_id", "id"))


def standing(run_id: UUID, node: str, mark: str) -> list[Child]:
    """Those whose undo was tried with this mark and did not end well."""
    tried = Replay.objects.filter(run_id=OuterRef("pk"), kind="undo", by=mark)
    rows = _of(run_id, node).filter(Exists(tried)).exclude(status="compensated").order_by("item_index")
    return [Child(*row) for row in rows.values_list(*_COLUMNS)]


def stale(
    run_id: UUID, node: str, *, before: int, limit: int, without: Collection[UUID] = (), least: int = 0
) -> list[Child]:
    """Those from this number on that did not end well, and before then; by their number."""
    rows = _of(run_id, node).filter(finished_at__lt=before, item_index__gte=least)
    rows = rows.exclude(status="completed").exclude(id__in=list(without))
    return [Child(*row) for row in rows.order_by("item_index").values_list(*_COLUMNS)[:limit]]


def at(run_id: UUID, node: str, index: int) -> Child | None:
    """The one with this number."""
    row = _of(run_id, node).filter(item_index=index).values_list(*_COLUMNS).first()
    return None if row is None else Child(*row)


def _of(run_id: UUID, node: str) -> QuerySet[Run]:
    return Run.objects.filter(parent_run_id=run_id, parent_node=node)


def outputs(children: Sequence[Child], nodes: Iterable[str]) -> dict[UUID, dict[str, str]]:
    """What these steps of these runs gave in the generation each is at: by run and node id, as the rows hold it."""
    at = {child.id: child.generation for child in children}
    found: dict[UUID, dict[str, str]] = {child.id: {} for child in children}
    wanted, ids = list(nodes), list(at)
    for start in range(0, len(ids), 500):
        rows = StepRun.objects.filter(run_id__in=ids[start : start + 500], node_id__in=wanted, output__isnull=False)
        succeeded = rows.filter(Q(status="succeeded") | Q(status="failed"))
        for run_id, node, generation, output in succeeded.values_list("run_id", "node_id", "generation", "output"):
            if generation == at[run_id] and output is not None:
                found[run_id][node] = output
    return found


def was_cancelled(run_id: UUID) -> bool:
    """Whether somebody asked this run to stop."""
    return Run.objects.filter(pk=run_id, cancel_requested_at__isnull=False).exists()


def knock(run_id: UUID) -> None:
    """Somebody should look at this run now: one of its own runs has ended."""
    with commit("child.knock"):
        now = database_now()
        # One that is paused looks when it goes on.
        open_run = Run.objects.filter(pk=run_id, finished_at__isnull=True, min_engine__lt=HELD)
        open_run.filter(Q(wake_at__isnull=True) | Q(wake_at__gt=now)).update(wake_at=now)


def ask_to_end(run_id: UUID, node: str) -> list[UUID]:
    """Ask the open runs of this step, and their parts, to stop; returns those that were asked only now."""
    with commit("child.cancel"):
        rows = _of(run_id, node).filter(detached=False, finished_at__isnull=True)
        fresh = rows.filter(cancel_requested_at__isnull=True).exclude(status="compensating")
        return ask_to_cancel(fresh, by="run", now=database_now())


def callee(workspace_id: UUID, workflow_id: UUID) -> Callee | None:
    """What is live of a workflow of this workspace; None where nothing is."""
    row = (
        Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id, retired=False)
        .values_list("version_id", "version__graph", "version__min_engine", "enabled")
        .first()
    )
    if row is None:
        return None
    graph: Any = loads_stored(row[1])
    starts = tuple(node["id"] for node in graph["nodes"] if str(node["type"]).startswith("trigger.called@"))
    return Callee(row[0], starts, row[2], row[3])


def depth(run_id: UUID) -> int:
    """How many runs are around this one."""
    found, current = 0, run_id
    while found <= MOST_DEEP:
        parent = Run.objects.filter(pk=current).values_list("parent_run_id", flat=True).first()
        if parent is None:
            break
        found, current = found + 1, parent
    return found


def outer_of(run_ids: Sequence[UUID]) -> dict[UUID, Outer]:
    """Of those of these runs that another has begun: what they know from outside. Runs of one step share what the run
    around them knows."""
    found: dict[UUID, Outer] = {}
    around: dict[tuple[UUID, str], tuple[str, int, dict[str, str], Outer | None, _Ever]] = {}
    rows = Run.objects.filter(id__in=list(run_ids), parent_run_id__isnull=False)
    for run_id, parent, node, index, item in rows.values_list(
        "id", "parent_run_id", "parent_node", "item_index", "item"
    ):
        assert parent is not None
        assert node is not None
        assert index is not None
        if (parent, node) not in around:
            texts, beyond = around_of(parent)
            row = Run.objects.values_list("trigger_node", "accepted_at", "version_id", "generation").get(pk=parent)
            since = counts_from(row[1], beyond, is_item=beyond is not None and is_item(row[2], row[0]))
            around[parent, node] = (row[0], since, texts, beyond, _ever_given(parent) if row[3] > 1 else ())
        found[run_id] = Outer(parent, node, index, item or "null", *around[parent, node])
    return found


def counts_from(accepted_at: int, outer: Outer | None, *, is_item: bool) -> int:
    """From when on events count in a run: from its start; in an item from the start of the run around, for the items
    of a list stand for one work, of which some come later than others. A turn begins for what comes after it."""
    return outer.since if outer is not None and is_item else accepted_at


@lru_cache(4096)
def is_item(version_id: UUID, node: str) -> bool:
    """Whether a run of this version that begins with this step is an item of a list. A version never changes."""
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=version_id))
    drawn = next((one["type"] for one in graph["nodes"] if one["id"] == node), "")
    return is_container(drawn) and not in_turns(drawn)


def around_of(run_id: UUID) -> tuple[dict[str, str], Outer | None]:
    """What the steps of this run gave, by node id, as the rows hold it; and what the run knows from outside."""
    rows = _that_gave(run_id).order_by("generation").values_list("node_id", "output")
    return {node: text for node, text in rows if text}, outer_of([run_id]).get(run_id)


def _that_gave(run_id: UUID) -> QuerySet[StepRun]:
    return StepRun.objects.filter(run_id=run_id, output__isnull=False, status__in=("succeeded", "failed"))


_Ever = tuple[tuple[str, int, str], ...]


def _ever_given(run_id: UUID) -> _Ever:
    rows = _that_gave(run_id).filter(finished_at__isnull=False).order_by("finished_at", "generation")
    found = rows.values_list("node_id", "finished_at", "output")
    return tuple((node, at, text) for node, at, text in found if at is not None and text)
