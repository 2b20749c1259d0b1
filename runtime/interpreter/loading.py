"""From the rows of a claimed run to what a driver starts with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from runtime.engine.graph import Graph
from runtime.engine.state import RunState, StepError, StepStatus
from runtime.engine.undo import may_have_happened as may_have_been_done
from runtime.interpreter.attempts import damaged
from runtime.interpreter.calls import Call, Ledger, calls_of, is_open_again, ledger, lost_try
from runtime.interpreter.doubts import MAY_REPEAT, epochs, lost
from runtime.interpreter.keys import request_digest
from runtime.interpreter.looking import as_loaded, looks
from runtime.interpreter.records import Record
from runtime.interpreter.rows import restore, step_state
from runtime.interpreter.versions import Version
from runtime.sdk import EffectClass
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.children import Outer
from runtime.store.reads import AnswerRow, AttemptRow, RunRows
from runtime.store.records import AttemptWrite, Claimed, EventRow


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
    owed_twice: frozenset[str] = frozenset()
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

    def knowing(self, graph: Graph) -> Graph:
        """This graph, with what the run did in earlier generations."""
        if not (self.standing or self.owed):
            return graph
        return replace(graph, standing=self.standing, owed=self.owed, owed_twice=self.owed_twice)


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
    past = ledger(rows.steps, rows.attempts, before=generation) if generation > 1 else None
    ahead = frozenset() if past is None else owed(version.graph, rows, generation, past)
    state = restore(replace(version.graph, owed=ahead) if ahead else version.graph, claimed, steps)
    found = Loaded(state, event, owed=ahead, outer=outer, fault=None if damage is None else damaged(damage))
    if past is not None:
        found.owed_twice = twice(past, ahead)
        gave = {node: _gave(rows, generation, past, node) for node in ahead}
        found.earlier = {node: output for node, output in gave.items() if output is not None}
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
    if past is not None:
        _take_over(found, rows, version, past)
    return found


def _take_over(found: Loaded, rows: RunRows, version: Version, past: Ledger) -> None:
    """What a generation owes to those before it."""
    for key, step in found.state.steps.items():
        record = found.records.get(key.node)
        if record is not None and step.status is StepStatus.READY and record.output is not None:
            found.decided[key.node] = step.ports
    generation, live = found.state.generation, past.live()
    kept = kept_in(rows, generation)
    sent = {(row.node_id, row.generation): row.input for row in rows.steps}
    for node, tries in past.tries.items():
        if node in version.graph.undoes:
            lost, action = lost_try(tries, or_sent_again=True), version.graph.undoes[node]
            if lost is None or lost.effect_key is None:
                continue
            before = sent.get((node, lost.generation))
            # Where the action is done anew, or was since, undoing that is another matter.
            since = [row for row in past.tries.get(action, ()) if row.generation > lost.generation]
            if before is not None and not since and action in kept:
                found.lost_calls[node] = before, lost.effect_key
            continue
        # What was undone has to be done anew, which the old key would keep the other side from doing.
        record, lost = found.records.get(node), lost_try(live[node], or_sent_again=True)
        if lost is None:
            continue
        is_open = lost.status != "abandoned" or is_open_again(lost, tries)
        if is_open and EffectClass(lost.effect_class) not in MAY_REPEAT:
            found.unsure.add(node)
        if lost.effect_key is None or record is None or record.input is None:
            continue
        # The same bytes as before, and nobody knows what came of them: under the same key they do no harm.
        if request_digest(record.input) == lost.request_digest:
            found.keys[node] = lost.effect_key
    found.lost |= found.keys.keys() | found.lost_calls.keys()
    found.standing = standing(version.graph, rows, generation, past, resent=found.keys)


def kept_in(rows: RunRows, generation: int) -> set[str]:
    """The steps that this generation took over as done, or as perhaps done."""
    begun = {row.node_id for row in rows.attempts if row.generation == generation}
    return {
        row.node_id
        for row in rows.steps
        if row.generation == generation and row.node_id not in begun and may_have_been_done(step_state(row))
    }


def standing(
    graph: Graph, rows: RunRows, generation: int, past: Ledger, *, resent: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What earlier generations did outside, or may have, that nothing has undone since, and that this generation does
    not know as its own: it neither keeps that call nor sent the same again. By node id, with its name."""
    kept = kept_in(rows, generation)
    here = {row.node_id for row in rows.steps if row.generation == generation}
    tried: dict[str, list[AttemptRow]] = {}
    for row in rows.attempts:
        if row.generation == generation:
            tried.setdefault(row.node_id, []).append(row)
    names = {row.node_id: row.node_key for row in rows.steps}
    undo_steps = {row.node_id for row in rows.steps if '"undo:' in row.ports} | graph.undoes.keys()
    found: dict[str, str] = {}
    for node in rows.standing_runs - here:
        found[node] = graph.by_id[node].name if node in graph.by_id else names.get(node, node)
    for node in past.tries:
        key = None if resent is None else resent.get(node)
        if node in undo_steps or not _others(past, node, tried.get(node, []), key, is_kept=node in kept):
            continue
        drawn = graph.by_id.get(node)
        if drawn is None or not drawn.settings.nothing_to_undo:
            found[node] = names.get(node, node) if drawn is None else drawn.name
    return found


def _others(past: Ledger, node: str, here: list[AttemptRow], key: str | None, *, is_kept: bool) -> list[Call]:
    """The calls that stand, but for what this generation knows as its own: the call that it kept, those that it made
    (`here`: its tries at the step), and the one that it is to make once more under its `key`."""
    own = calls_of(here)
    if is_kept and (last := past.last(node)) is not None:
        own.append(last)
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


def _gave(rows: RunRows, generation: int, past: Ledger, node: str) -> str | None:
    """What the last call of this step that stands gave, as a row holds it."""
    last = next(reversed(past.standing(node)), None)
    first = 0 if last is None else last.generation
    # What a later go gave, which was undone, is another matter.
    later = (row.generation for row in past.tries.get(node, ()) if row.generation > first)
    until = generation if last is None else min(later, default=generation)
    found = [
        row
        for row in rows.steps
        if row.node_id == node and first <= row.generation < until and row.status == "succeeded" and row.output
    ]
    return max(found, key=lambda row: row.generation).output if found else None
