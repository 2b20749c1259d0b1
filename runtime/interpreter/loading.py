"""From the rows of a claimed run to what a driver starts with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from runtime.engine.graph import Graph
from runtime.engine.replay import Known, is_definite, may_have_happened
from runtime.engine.state import RunState, StepError, StepStatus
from runtime.engine.undo import may_have_happened as may_have_been_done
from runtime.engine.undo import undid
from runtime.interpreter.attempts import damaged
from runtime.interpreter.doubts import MAY_REPEAT, epochs, lost
from runtime.interpreter.keys import request_digest
from runtime.interpreter.looking import as_loaded, looks
from runtime.interpreter.records import Record
from runtime.interpreter.rows import error_of, restore, step_state
from runtime.interpreter.versions import Version
from runtime.sdk import EffectClass
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.children import Outer
from runtime.store.reads import AnswerRow, AttemptRow, RunRows, StepRow
from runtime.store.records import AttemptWrite, Claimed, EventRow

#: What is known of a step that may have done something outside.
_STANDS: Final = frozenset({Known.HAPPENED, Known.SAME_KEY, Known.IN_DOUBT})


@dataclass(slots=True)
class Loaded:
    """The state of a run, and what its rows say beside it. `outputs` by node id, as the rows hold them."""

    state: RunState
    event: EventRow | None = None
    records: dict[str, Record] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    #: Attempts with an intent and no result, by node id.
    intents: dict[str, AttemptRow | AttemptWrite] = field(default_factory=dict)
    #: Attempts of which it is being looked up whether they happened, by node id.
    looking: dict[str, AttemptWrite] = field(default_factory=dict)
    commit_seq: int = 0
    #: Steps of which a person said how they ended, with the ways out to take.
    decided: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Keys of effects that an earlier generation asked for without learning what came of it, by node id (I11).
    keys: dict[str, str] = field(default_factory=dict)
    #: Undo steps that an earlier generation carried out without learning what came of it: what was sent, and the key,
    #: by node id. The same is sent again.
    lost_calls: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: See `Graph.standing`.
    standing: dict[str, str] = field(default_factory=dict)
    #: See `Graph.owed`.
    owed: frozenset[str] = frozenset()
    #: What those gave in their time, as rows hold it, by node id: their undo steps may need it.
    earlier: dict[str, str] = field(default_factory=dict)
    #: Steps of which an attempt may have happened without an answer; in this generation.
    lost: set[str] = field(default_factory=set)
    #: Steps of which a call of an earlier generation may have happened, and that no key lets the other side recognise.
    unsure: set[str] = field(default_factory=set)
    #: How many keys of each step a definite refusal has used up, by node id.
    epochs: dict[str, int] = field(default_factory=dict)
    #: What people answered to steps that wait for them.
    answers: list[AnswerRow] = field(default_factory=list)
    #: What a run that another has begun knows from outside.
    outer: Outer | None = None
    #: Why the run cannot go on from its rows.
    fault: StepError | None = None


def loaded(
    version: Version,
    claimed: Claimed,
    rows: RunRows,
    event: EventRow | None,
    damage: ArtifactDamaged | None = None,
    outer: Outer | None = None,
) -> Loaded:
    """What a driver of this run starts with. `damage`: what is wrong with the bytes of its event."""
    generation = claimed.generation
    steps = [row for row in rows.steps if row.generation == generation]
    past = owed(version.graph, rows, generation) if generation > 1 else frozenset()
    state = restore(replace(version.graph, owed=past) if past else version.graph, claimed, steps)
    found = Loaded(state, event, owed=past, outer=outer, fault=None if damage is None else damaged(damage))
    for row in sorted(rows.steps, key=lambda row: row.generation) if past else ():
        if row.node_id in past and row.generation < generation and row.status == "succeeded" and row.output is not None:
            found.earlier[row.node_id] = row.output
    for row in steps:
        status = state.steps[(row.node_id, generation)].status  # type: ignore[index]
        if row.output is not None and status is not StepStatus.SKIPPED:
            found.outputs[row.node_id] = row.output
        if not status.is_decided:
            found.records[row.node_id] = Record(row.input, row.output, row.note, row.wait)
        if row.commit_seq is not None and row.commit_seq > found.commit_seq:
            found.commit_seq = row.commit_seq
    found.intents = {
        row.node_id: row for row in rows.attempts if row.generation == generation and row.status == "intent"
    }
    found.answers = [row for row in rows.answers if row.generation == generation]
    attempts = [row for row in rows.attempts if row.generation == generation]
    found.looking = {
        row.node_id: as_loaded(row)
        for row in attempts
        if row.status == "in_doubt" and looks(step := state.step(row.node_id)) and step and step.attempt == row.attempt
    }
    found.lost, found.epochs = lost(attempts), epochs(attempts)
    if generation > 1:
        _take_over(found, rows, version)
    return found


def _take_over(found: Loaded, rows: RunRows, version: Version) -> None:
    """What a generation owes to those before it."""
    for key, step in found.state.steps.items():
        record = found.records.get(key.node)
        if record is not None and step.status is StepStatus.READY and record.output is not None:
            found.decided[key.node] = step.ports
    generation = found.state.generation
    undone = undone_in(rows.steps, before=generation)
    tried = tries_of(rows.attempts, before=generation)
    kept = kept_in(rows, generation)
    sent = {(row.node_id, row.generation): row.input for row in rows.steps}
    for node, tries in tried.items():
        record, lost = found.records.get(node), lost_try(tries, or_sent_again=True)
        if lost is None:
            continue
        stands = undone.get(node, 0) < lost.generation and _is_open_again(tries)
        if stands and EffectClass(lost.effect_class) not in MAY_REPEAT:
            found.unsure.add(node)
        if lost.effect_key is None:
            continue
        if node in version.graph.undoes:
            before, action = sent.get((node, lost.generation)), version.graph.undoes[node]
            # Where the action is done anew, or was since, undoing that is another matter.
            since = [row for row in tried.get(action, ()) if row.generation > lost.generation]
            if before is not None and not since and action in kept:
                found.lost_calls[node] = before, lost.effect_key
            continue
        # What was undone has to be done anew, which the old key would keep the other side from doing.
        if record is None or record.input is None or undone.get(node, 0) >= lost.generation:
            continue
        # The same bytes as before, and nobody knows what came of them: under the same key they do no harm.
        if request_digest(record.input) == lost.request_digest:
            found.keys[node] = lost.effect_key
    found.lost |= found.keys.keys()
    found.standing = standing(version.graph, rows, generation, resent=found.keys)


def kept_in(rows: RunRows, generation: int) -> set[str]:
    """The steps that this generation took over as done, or as perhaps done."""
    begun = {row.node_id for row in rows.attempts if row.generation == generation}
    return {
        row.node_id
        for row in rows.steps
        if row.generation == generation and row.node_id not in begun and may_have_been_done(step_state(row))
    }


def undone_in(rows: Iterable[StepRow], *, before: int) -> dict[str, int]:
    """The actions that were undone in a generation before this one, with the last in which they were."""
    found: dict[str, int] = {}
    for row in rows:
        if row.generation < before and row.status == "succeeded" and '"undo:' in row.ports:
            action = undid(step_state(row).ports)
            if action is not None:
                found[action] = max(row.generation, found.get(action, 0))
    return found


def since_undone(tries: dict[str, list[AttemptRow]], undone: Mapping[str, int]) -> dict[str, list[AttemptRow]]:
    """Of the tries at each step those after it was last undone."""
    return {node: [row for row in rows if row.generation > undone.get(node, 0)] for node, rows in tries.items()}


def standing(graph: Graph, rows: RunRows, generation: int, *, resent: Collection[str] = ()) -> dict[str, str]:
    """What earlier generations did outside, or may have, that nothing has undone since, and that this generation does
    not know as its own: it neither keeps the step nor sent the same again. By node id, with its name."""
    kept = kept_in(rows, generation)
    keys = {row.effect_key for row in rows.attempts if row.generation == generation}
    names = {row.node_id: row.node_key for row in rows.steps}
    undo_steps = {row.node_id for row in rows.steps if '"undo:' in row.ports} | graph.undoes.keys()
    tries = since_undone(tries_of(rows.attempts, before=generation), undone_in(rows.steps, before=generation))
    found: dict[str, str] = {}
    here = {row.node_id for row in rows.steps if row.generation == generation}
    for node in rows.standing_runs - here:
        found[node] = graph.by_id[node].name if node in graph.by_id else names.get(node, node)
    for node, live in tries.items():
        if node in undo_steps or node in resent or known_of(live) not in _STANDS:
            continue
        if node in kept:
            continue
        if any(row.effect_key in keys for row in live if row.effect_key is not None):
            continue
        drawn = graph.by_id.get(node)
        if drawn is None or not drawn.settings.nothing_to_undo:
            found[node] = names.get(node, node) if drawn is None else drawn.name
    return found


def owed(graph: Graph, rows: RunRows, generation: int) -> frozenset[str]:
    """What earlier generations did outside, or may have, that nothing has undone since, and that this generation has
    to go on with and did not begin."""
    here = {row.node_id: row for row in rows.steps if row.generation == generation}
    undone = undone_in(rows.steps, before=generation)
    tries = since_undone(tries_of(rows.attempts, before=generation), undone)
    found = set()
    for node, row in here.items():
        if row.started_at is not None or node in graph.undoes or '"undo:' in row.ports:
            continue
        # Of what is being undone at this moment less and less stands.
        undoing = node in rows.undone_runs and graph.undone_by.get(node) in here
        if undoing or node in rows.standing_runs or known_of(tries.get(node, ())) in _STANDS:
            found.add(node)
    return frozenset(found)


def tries_of(attempts: Iterable[AttemptRow], *, before: int) -> dict[str, list[AttemptRow]]:
    """The tries at each step in the generations before this one, the oldest first, by node id."""
    tries: dict[str, list[AttemptRow]] = {}
    for row in sorted(attempts, key=lambda row: (row.generation, row.attempt)):
        if row.generation < before:
            tries.setdefault(row.node_id, []).append(row)
    return tries


def known_of(tries: Iterable[AttemptRow]) -> Known:
    """What is known of a step that was tried so. A refusal says nothing of a lost answer before it: under the same key
    the first call may have been the one that counted."""
    written = [row for row in tries if EffectClass(row.effect_class).writes]
    by_key: dict[str, list[AttemptRow]] = {}
    for row in written:
        by_key.setdefault(row.effect_key or f"{row.generation}/{row.attempt}", []).append(row)
    sent_again = _is_open_again(written)
    found = {_known(rows, sent_again) for rows in by_key.values()}
    order = (Known.IN_DOUBT, Known.HAPPENED, Known.SAME_KEY, Known.REFUSED)
    return next((known for known in order if known in found), Known.HARMLESS)


def lost_try(tries: Iterable[AttemptRow], *, or_sent_again: bool = False) -> AttemptRow | None:
    """The last try of which nobody knows what it did outside; or of which a person said that it be sent again."""
    tries = list(tries)
    return _lost(tries, or_sent_again or _is_open_again(tries))


def _is_open_again(tries: Sequence[AttemptRow]) -> bool:
    """Whether what a person said to be sent again is as unknown as before: that nothing succeeded since says nothing of
    the call before it, and the word was for one more call, not for every later one (I12)."""
    return not any(row.status == "succeeded" for row in tries)


def _lost(tries: Sequence[AttemptRow], sent_again: bool) -> AttemptRow | None:
    done = {row.effect_key for row in tries if row.status == "succeeded" and row.effect_key is not None}
    lost = [
        row
        for row in tries
        if EffectClass(row.effect_class).writes
        and row.effect_key not in done
        and (not _is_settled(row) or (sent_again and row.status == "abandoned"))
    ]
    return lost[-1] if lost else None


def _known(rows: list[AttemptRow], sent_again: bool) -> Known:
    """Of tries under one key."""
    if any(row.status == "succeeded" for row in rows):
        return Known.HAPPENED
    lost = _lost(rows, sent_again)
    if lost is None:
        return Known.REFUSED
    return Known.SAME_KEY if EffectClass(lost.effect_class) in MAY_REPEAT else Known.IN_DOUBT


def _is_settled(attempt: AttemptRow) -> bool:
    """Whether it is known what this attempt did outside; of one that was `abandoned` a person said so."""
    if attempt.status in ("succeeded", "abandoned"):
        return True
    error = error_of(attempt.error)
    if attempt.status != "failed" or error is None:
        return False
    if EffectClass(attempt.effect_class) in MAY_REPEAT:
        return is_definite(error)
    # Where nobody knew how it ended, it says `in_doubt` instead.
    return not may_have_happened(error)
