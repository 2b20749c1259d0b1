"""What a run's generation knows of those before it: what it took over, what it owes them, and what stands besides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from runtime.engine.graph import Graph
from runtime.engine.undo import may_have_happened as may_have_been_done
from runtime.interpreter.calls import STANDS, Call, Ledger, calls_of
from runtime.interpreter.rows import step_state
from runtime.store.children import Outer
from runtime.store.reads import AttemptRow, RunRows, StepRow

__all__ = ["earlier", "kept_in", "owed", "own_call", "row_of", "standing", "twice"]


def kept_in(rows: RunRows, generation: int) -> set[str]:
    """The steps that this generation took over as done, or as perhaps done."""
    begun = {row.node_id for row in rows.attempts if row.generation == generation}
    return {
        row.node_id for row in rows.steps if row.generation == generation and row.node_id not in begun and is_done(row)
    }


def standing(
    graph: Graph,
    rows: RunRows,
    past: Ledger,
    here: Mapping[str, StepRow],
    *,
    kept: Collection[str],
    made: Iterable[AttemptRow] = (),
    resent: Mapping[str, str] | None = None,
    owed: Collection[str] = (),
) -> tuple[dict[str, str], frozenset[str]]:
    """What was done outside before, or may have been, that nothing has undone since, and that a generation does not
    know as its own: by node id, with its name; and those of which nobody knows whether they were undone. `here`: the
    rows of that generation, of which it took over those in `kept`; `made`: its own tries; `resent`: keys of calls that
    it makes once more; `owed`: what it is to undo itself, each time the last call."""
    tried: dict[str, list[AttemptRow]] = {}
    for one in made:
        tried.setdefault(one.node_id, []).append(one)
    names = {row.node_id: row.node_key for row in rows.steps}
    undo_steps = {row.node_id for row in rows.steps if '"undo:' in row.ports} | graph.undoes.keys()
    found: dict[str, str] = {}
    unsure: set[str] = set()
    for node in rows.standing_runs - here.keys():
        found[node] = graph.by_id[node].name if node in graph.by_id else names.get(node, node)
    for node in past.tries:
        key = None if resent is None else resent.get(node)
        own = own_call(rows, past, here[node]) if node in kept else None
        others = [] if node in undo_steps else _others(past, node, tried.get(node, []), key, own)
        if not others:
            continue
        drawn = graph.by_id.get(node)
        if drawn is None or not drawn.settings.nothing_to_undo:
            found[node] = names.get(node, node) if drawn is None else drawn.name
            left = others[:-1] if node in owed else others
            if left and all(call.undo_lost for call in left):
                unsure.add(node)
    return found, frozenset(unsure)


def _others(past: Ledger, node: str, here: list[AttemptRow], key: str | None, kept: Call | None) -> list[Call]:
    """The calls that stand, but for what this generation knows as its own: the call that it kept, those that it made
    (`here`: its tries at the step), and the one that it is to make once more under its `key`."""
    own = calls_of(here)
    if kept is not None:
        own.append(kept)
    keys = {key, *(call.tries[-1].effect_key for call in own)} - {None}
    return [
        call
        for call in past.standing(node)
        if call.tries[-1].effect_key not in keys and not any(call.is_one_with(one) for one in own)
    ]


def owed(graph: Graph, rows: RunRows, generation: int, past: Ledger) -> frozenset[str]:
    """What earlier generations did outside, or may have, that nothing has undone since, and that this generation has
    to go on with and did not begin."""
    here = {row.node_id: row for row in rows.steps if row.generation == generation}
    found = set()
    for node, row in here.items():
        if row.started_at is not None or node in graph.undoes or '"undo:' in row.ports:
            continue
        # Of what is being undone at this moment less and less stands.
        undoing = node in rows.undone_runs and graph.undone_by.get(node) in here
        if undoing or node in rows.standing_runs or past.standing(node):
            found.add(node)
    return frozenset(found)


def twice(past: Ledger, nodes: Collection[str]) -> frozenset[str]:
    """Those of these steps of which undoing what they did last leaves something that stands, too."""
    standing = {node: past.standing(node) for node in nodes}
    return frozenset(node for node, calls in standing.items() if any(not one.is_one_with(calls[-1]) for one in calls))


def own_call(rows: RunRows, past: Ledger, row: StepRow) -> Call | None:
    """The call that this row of a step stands for, whichever generation took it over since."""
    made = min(one.generation for one in rows.steps if one.node_id == row.node_id and _is_same(one, row))
    calls = past.calls.get(row.node_id, ())
    return next((call for call in reversed(calls) if call.known in STANDS and call.generation <= made), None)


def is_done(row: StepRow) -> bool:
    """Whether this row stands for something that was done, or may have been."""
    return may_have_been_done(step_state(row))


def row_of(rows: RunRows, past: Ledger, node: str, call: Call, *, before: int) -> StepRow | None:
    """The row that stands for this call of a step, of the last generation before that one which has such a row."""
    found = [row for row in rows.steps if row.node_id == node and row.generation < before]
    return next(
        (
            row
            for row in sorted(found, key=lambda row: row.generation, reverse=True)
            if is_done(row) and own_call(rows, past, row) is call
        ),
        None,
    )


def earlier(
    rows: RunRows, generation: int, past: Ledger, ahead: Iterable[str], outer: Outer | None = None
) -> dict[str, dict[str, str]]:
    """By action whose undo in this generation is about a call of an earlier one: what the steps gave in the generation
    of that call, as rows hold it. `outer`: what an item of a list knows of the runs around it, which may have been gone
    on with since, too."""
    here = {row.node_id: row for row in rows.steps if row.generation == generation}
    kept = kept_in(rows, generation)
    found: dict[str, dict[str, str]] = {}
    for node in {*ahead, *(past.calls.keys() & kept)}:
        of: StepRow | None
        if node in kept:
            of = min((row for row in rows.steps if row.node_id == node and _is_same(row, here[node])), key=_generation)
        elif standing := past.standing(node):
            of = row_of(rows, past, node, standing[-1], before=generation)
        else:
            gave = [row for row in rows.steps if row.node_id == node and row.generation < generation and row.output]
            of = max(gave, key=_generation, default=None)
        given = {} if of is None else _given(rows, of.generation)
        around = {} if outer is None or of is None or of.started_at is None else outer.texts_at(of.started_at)
        # Mostly it is what this generation has, too.
        if around or any(there not in here or here[there].output != text for there, text in given.items()):
            found[node] = around | given
    return found


def _given(rows: RunRows, generation: int) -> dict[str, str]:
    return {
        row.node_id: row.output
        for row in rows.steps
        if row.generation == generation
        and row.output is not None
        and row.status != "skipped"
        and '"undo:' not in row.ports
    }


def _is_same(one: StepRow, other: StepRow) -> bool:
    """Whether one of two rows of a step was taken over from the other."""
    return (one.started_at, one.finished_at) == (other.started_at, other.finished_at)


def _generation(row: StepRow) -> int:
    return row.generation
