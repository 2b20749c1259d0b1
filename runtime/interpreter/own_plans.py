"""What going on with a run does to the runs that its steps have begun: planned, and done, by one law.

`fates` is asked by the plan that a person sees and by the step that goes on with them (`own_look`), so what is shown is
what happens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from django.db.models import Count, Max

from runtime.contracts import NotRetryable, PlannedItems, PlannedUndo, RetryRefused, UndoLine
from runtime.engine import containers, replay
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.engine.replay import Fate
from runtime.engine.state import TERMINAL
from runtime.interpreter import called_versions, reopening, undo_plans
from runtime.interpreter.called_versions import Called
from runtime.interpreter.deeds import UNKNOWN, acted, acted_ever, in_doubt
from runtime.interpreter.payloads import document, reference_in
from runtime.interpreter.reopening import Found
from runtime.store import reads
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import DeadLetter, Replay, Run
from runtime.store.statements import HELD

__all__ = [
    "COLUMNS",
    "Own",
    "counts",
    "fates",
    "first_that_counts",
    "is_unknown_inside",
    "lacks",
    "may_call_anew",
    "of_step",
    "settled",
    "undo_counts",
    "version_for",
]

#: So many are read at a time.
_CHUNK: Final = 200
#: Steps inside that are named of one step.
_MOST_NAMES: Final = 10
COLUMNS: Final = (*reopening.RUN, "item_index")

#: What becomes of one of them: as of a step, or it is under way already.
OwnFate = Literal["kept", "again", "repeats", "asks", "open"]


@dataclass(frozen=True, slots=True)
class Own:
    """A run that a step has begun. `found`: where it is gone on with."""

    row: dict[str, Any]
    fate: OwnFate
    found: Found | None = None


def version_for(graph_bodies: Mapping[str, Any], node: str, version_id: UUID) -> UUID | None:
    """The version with which the runs of this step are gone on with, where it fits them: of a container's the one that
    the run around has; None: the one that was settled for the workflow that was called."""
    return version_id if node in graph_bodies else None


def fates(rows: Sequence[dict[str, Any]], version_id: UUID | None, called: Called) -> list[Own]:
    """What becomes of each of these runs, by their `COLUMNS`, when the run around them is gone on with: on that
    version, or on the one that was settled for their workflow, or else on their own."""
    ended = [row for row in rows if row["status"] in TERMINAL and row["status"] != "completed"]
    loaded: dict[UUID, reads.RunRows] = {}
    for start in range(0, len(ended), _CHUNK):
        ids = [row["id"] for row in ended[start : start + _CHUNK]]
        loaded |= reads.load_runs(ids, with_own_runs=True)
    found = []
    for row in rows:
        if row["status"] == "completed":
            found.append(Own(row, "kept"))
        elif row["id"] not in loaded:
            found.append(Own(row, "open"))
        else:
            plain = {**row, "min_engine": row["min_engine"] % HELD}
            wanted = called.get(row["workflow_id"], row["version_id"]) if version_id is None else version_id
            found.append(_ended(plain, loaded[row["id"]], wanted, called))
    return found


def _ended(row: dict[str, Any], rows: reads.RunRows, wanted: UUID, called: Called) -> Own:
    """On that version, where it has what was done already; otherwise on its own."""
    old = reopening.version_of(row)
    if wanted != row["version_id"]:
        try:
            chosen = reopening.version_by_id(wanted, row)
            found = replace(reopening.found_of(row, old, chosen, rows), called=called)
            lines = found.lines()
            kept = [line.node for line in lines if line.fate is Fate.KEPT]
            if not replay.incompatible(found.old.graph, found.version.graph, kept) and not any(lacks(found)):
                return _gone_on_with(row, found)
        except (NotRetryable, RetryRefused):
            pass
    try:
        return _gone_on_with(row, replace(reopening.found_of(row, old, old, rows), called=called))
    except (NotRetryable, RetryRefused):
        # Nothing of it is left to do, and still it did not end well: somebody has to look at it.
        return Own(row, "asks")


def _gone_on_with(row: dict[str, Any], found: Found) -> Own:
    match replay.fate_of_run(found.lines()):
        case Fate.ASKS:
            return Own(row, "asks", found)
        case Fate.REPEATS:
            return Own(row, "repeats", found)
        case _:
            return Own(row, "again", found)


class Lacks(NamedTuple):
    """Steps (node ids) that a version no longer has and that forbid it: `dropped`, of which nobody knows what they, or
    their runs, did outside; `missing`, that did, or whose runs did, something outside that stands."""

    dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def lacks(found: Found) -> Lacks:
    """What the chosen version lacks of what the run has done."""
    if found.old is found.version:
        return Lacks()
    run_id, old, new = found.row["id"], found.old.graph, found.version.graph
    unknown = [node for node, what in found.known.items() if what in UNKNOWN]
    begun_once = found.with_runs | found.steps.keys()
    gone = [node for node in old.nodes if node.id not in new.by_id and node.id in begun_once]
    begun = [node.id for node in gone if containers.has_runs(node.type) and node.id not in old.undoes]
    # Only of these, for it means to look at all that they have begun.
    in_question = [node for node in replay.dropped(old, new, found.state, begun) if in_doubt(run_id, node)]
    dropped = (*replay.dropped(old, new, found.state, unknown), *in_question)
    acting = {node for node in begun if acted_ever(run_id, node)}
    own = {*replay.missing(old, new, found.state, found.known)} - {*begun}
    left = (own | acting) - {*dropped}
    return Lacks(dropped, tuple(node for node in old.order if node in left))


def of_step(
    run_id: UUID, node: str, version_id: UUID | None, called: Called, *, after: int = -1, least: int = 0
) -> Iterator[Own]:
    """Those of this step that are not done, by their number, from the one behind `after` on; read in portions."""
    chosen = Run.objects.filter(parent_run_id=run_id, parent_node=node, item_index__gte=least)
    chosen = chosen.exclude(status="completed").order_by("item_index")
    while True:
        rows = list(chosen.filter(item_index__gt=after).values(*COLUMNS)[:_CHUNK])
        yield from fates(rows, version_id, called)
        if len(rows) < _CHUNK:
            return
        after = rows[-1]["item_index"]


def settled(run_id: UUID, node: str, generation: int) -> tuple[bool, Called]:
    """What was said of this step's runs when this generation was opened: whether they may do something a second time,
    and with which versions runs of other workflows are gone on with. Of the first generation nothing was."""
    row = Replay.objects.filter(run_id=run_id, generation=generation).values_list("plan", "called").first()
    if row is None:
        return False, {}
    lines: Any = loads_stored(row[0])
    may = any(line["node"] == node and line.get("may") is True for line in lines)
    return may, called_versions.from_text(row[1])


def may_call_anew(run_id: UUID, node: str, may: bool) -> bool:
    """Whether a call that is given something else may begin another run: where nothing can happen twice by that, or
    somebody said that it may. What the run before failed of needs nobody's decision then."""
    if not may and acted(run_id, node):
        return False
    given_up = Run.objects.filter(parent_run_id=run_id, parent_node=node).values("pk")
    letters = DeadLetter.objects.filter(run_id__in=given_up, solved_at__isnull=True)
    if letters.exists():
        with commit("deadletter.solve"):
            why = "Its step was given something else, and began another run."
            letters.update(solved_at=database_now(), solved_by="run", solution="elsewhere", reason=why)
    return True


def first_that_counts(found: Found, node: str) -> int:
    """The number of the first run that a retry of this step looks at: of a call that is the last, for what was begun
    before was given something else."""
    drawn = found.version.graph.by_id.get(node)
    if drawn is None or not containers.is_call(drawn.type):
        return 0
    own = Run.objects.filter(parent_run_id=found.row["id"], parent_node=node)
    return own.aggregate(last=Max("item_index"))["last"] or 0


def counts(found: Found) -> tuple[dict[str, PlannedItems], str]:
    """What becomes of the runs of each step of a run that is gone on with, by node id; and a digest of all that."""
    run_id, graph = found.row["id"], found.version.graph
    nodes = [node for node in graph.nodes if containers.is_container(node.type) or containers.is_call(node.type)]
    nodes = [node for node in nodes if node.id in found.with_runs]
    if not nodes:
        return {}, ""
    own = Run.objects.filter(parent_run_id=run_id, parent_node__in=[one.id for one in nodes])
    counted = own.values_list("parent_node").annotate(Count("id"), Max("item_index"))
    begun = {node: (count, last + 1) for node, count, last in counted}
    lines = {line.node: line for line in found.lines()}
    made: dict[str, PlannedItems] = {}
    digest = hashlib.sha256()
    for node in nodes:
        line = lines.get(node.id)
        if node.id not in begun or line is None:
            continue
        count, until = begun[node.id]
        if line.fate is Fate.KEPT:
            made[node.id] = PlannedItems(total=count, kept=count)
            continue
        least = until - 1 if containers.is_call(node.type) else 0  # as `first_that_counts` says
        sorts = dict.fromkeys(("again", "repeats", "asks", "open"), 0)
        other: int | None = None
        version_id = version_for(graph.bodies, node.id, found.version.id)
        for one in of_step(run_id, node.id, version_id, found.called, least=least):
            sorts[one.fate] += 1
            # One that is under way changes by itself.
            state = [] if one.fate == "open" else [one.row["generation"], one.row["seq"]]
            if one.found is not None:
                state.append(str(one.found.version.id))
                if version_id is None and one.found.version is not one.found.old:
                    other = one.found.version.number
            digest.update(dumps([node.id, str(one.row["id"]), one.fate, *state]).encode())
        looked_at = count - least
        kept = looked_at - sum(sorts.values())
        total = _total(found, node.id) if line.first else None
        later = max(0, total - looked_at) if total is not None else None
        digest.update(dumps([node.id, kept, later]).encode())
        made[node.id] = PlannedItems(
            total=looked_at if later is None else looked_at + later,
            kept=kept,
            again=sorts["again"],
            repeats=sorts["repeats"],
            asks=sorts["asks"],
            open=sorts["open"],
            next=later,
            same=line.first and node.id not in found.redrawn(),
            version=other,
        )
    return made, digest.hexdigest()


def undo_counts(found: undo_plans.Found) -> tuple[dict[str, PlannedUndo], str]:
    """What becomes of the runs of each step of a run that is undone, by node id; and a digest of all that."""
    nodes = [line.node for line in found.lines if line.fate != "apart" and _has_runs(found, line.node)]
    made: dict[str, PlannedUndo] = {}
    digest = hashlib.sha256()
    for node in nodes:
        sorts = dict.fromkeys(("undo", "undone", "nothing", "stays", "asks", "open"), 0)
        names: dict[str, None] = {}
        unknown = 0
        for row, fate, left, is_unknown in _undo_fates(found.row["id"], node):
            # Undone in part is not undone.
            sorts["stays" if left and fate == "undo" else fate] += 1
            unknown += is_unknown
            names |= dict.fromkeys(left)
            state = [] if fate == "open" else [row["generation"], row["seq"]]
            digest.update(dumps([node, str(row["id"]), fate, left, *state]).encode())
        if total := sum(sorts.values()):
            made[node] = PlannedUndo(total=total, **sorts, unknown=unknown, left=list(names)[:_MOST_NAMES])
    return made, digest.hexdigest() if made else ""


def is_unknown_inside(found: undo_plans.Found, line: UndoLine) -> bool:
    """Whether nobody knows of something that the runs of this step did whether it was undone."""
    if line.fate not in ("undo", "again") or not _has_runs(found, line.node):
        return False
    return any(is_unknown for *_, is_unknown in _undo_fates(found.row["id"], line.node))


def _has_runs(found: undo_plans.Found, node: str) -> bool:
    drawn = found.version.graph.by_id.get(node)
    return drawn is not None and containers.has_runs(drawn.type)


def _undo_fates(run_id: UUID, node: str) -> Iterator[tuple[dict[str, Any], str, list[str], bool]]:
    """What becomes of each run of this step, what in it stays done, and whether of something in it nobody knows if it
    was undone; by its number, read in portions."""
    chosen, after = Run.objects.filter(parent_run_id=run_id, parent_node=node).order_by("item_index"), -1
    while rows := list(chosen.filter(item_index__gt=after).values(*COLUMNS)[:_CHUNK]):
        loaded = reads.load_runs([row["id"] for row in rows], with_own_runs=True)
        for row in rows:
            if row["status"] == "compensated":
                yield row, "undone", [], False
            else:
                plain = {**row, "min_engine": row["min_engine"] % HELD}
                inside = undo_plans.found_of(plain, loaded[row["id"]])
                yield row, inside.fate, *_left(inside)
        after = rows[-1]["item_index"]


def _left(found: undo_plans.Found) -> tuple[list[str], bool]:
    """Names of the steps of this run that stay done, and of those in the runs of its own that are undone with it; and
    whether of any of these nobody knows if they were undone."""
    nodes = [line.node for line in found.lines if line.fate in ("undo", "again") and _has_runs(found, line.node)]
    names, unknown = dict.fromkeys(found.left), bool(found.unknown())
    for node in nodes:
        for _, _, left, is_unknown in _undo_fates(found.row["id"], node):
            names |= dict.fromkeys(left)
            unknown = unknown or is_unknown
    return list(names), unknown


def _total(found: Found, node: str) -> int | None:
    """How many there will be, where the step is given the same list as before."""
    text = found.steps[node].input
    if text is None or reference_in(text) is not None or not found.version.graph.by_id[node].type.startswith(_LIST):
        return None
    given = document(text)
    items = given.get("items") if isinstance(given, dict) else None
    return len(items) if isinstance(items, list) else None


_LIST: Final = "flow.for_each@"
