"""From the rows of a claimed run to what a driver starts with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from runtime.engine.graph import Graph
from runtime.engine.state import RunState, StepError, StepStatus
from runtime.interpreter.attempts import damaged
from runtime.interpreter.calls import Ledger, is_open_again, ledger, lost_try
from runtime.interpreter.doubts import MAY_REPEAT, epochs, lost
from runtime.interpreter.keys import request_digest
from runtime.interpreter.looking import as_loaded, looks
from runtime.interpreter.past import earlier, kept_in, owed, own_call, standing, twice
from runtime.interpreter.records import Record
from runtime.interpreter.rows import begun_of, restore
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
    standing_unsure: frozenset[str] = frozenset()
    #: See `Graph.owed`.
    owed: frozenset[str] = frozenset()
    owed_twice: frozenset[str] = frozenset()
    #: By action of which a call of an earlier generation may have to be undone: what the steps gave in that one, as
    #: rows hold it, by node id. What they give in this one may be something else.
    earlier: dict[str, dict[str, str]] = field(default_factory=dict)
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
        return replace(
            graph,
            standing=self.standing,
            standing_unsure=self.standing_unsure,
            owed=self.owed,
            owed_twice=self.owed_twice,
        )


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
    undoes = version.graph.undoes
    past = ledger(rows.steps, rows.attempts, before=generation, undoes=undoes) if generation > 1 else None
    ahead = frozenset() if past is None else owed(version.graph, rows, generation, past)
    state = restore(replace(version.graph, owed=ahead) if ahead else version.graph, claimed, steps)
    found = Loaded(state, event, owed=ahead, outer=outer, fault=None if damage is None else damaged(damage))
    if past is not None:
        found.owed_twice = twice(past, ahead)
        found.earlier = earlier(rows, generation, past, ahead, outer if version.graph.container is not None else None)
    for row in steps:
        status = state.steps[(row.node_id, generation)].status  # type: ignore[index]
        if row.output is not None and status is not StepStatus.SKIPPED:
            found.outputs[row.node_id] = row.output
        if not status.is_decided:
            found.records[row.node_id] = Record(row.input, row.output, row.note, row.wait, begun_of(row))
        if row.commit_seq is not None and row.commit_seq > found.commit_seq:
            found.commit_seq = row.commit_seq
    attempts = [row for row in rows.attempts if row.generation == generation]
    found.intents = {row.node_id: row for row in attempts if row.status == "intent"}
    found.answers = [row for row in rows.answers if row.generation == generation]
    found.looking = {
        row.node_id: as_loaded(row)
        for row in attempts
        if row.status == "in_doubt" and looks(step := state.step(row.node_id)) and step and step.attempt == row.attempt
    }
    found.lost, found.epochs = lost(attempts), epochs(attempts)
    if past is not None:
        _take_over(found, rows, version, past, attempts)
    return found


def _take_over(found: Loaded, rows: RunRows, version: Version, past: Ledger, made: list[AttemptRow]) -> None:
    """What a generation owes to those before it; `made`: its own attempts."""
    for key, step in found.state.steps.items():
        record = found.records.get(key.node)
        if record is not None and step.status is StepStatus.READY and record.output is not None:
            found.decided[key.node] = step.ports
    generation, live = found.state.generation, past.live()
    kept = kept_in(rows, generation)
    here = {row.node_id: row for row in rows.steps if row.generation == generation}
    sent = {(row.node_id, row.generation): row.input for row in rows.steps}
    for node, tries in past.tries.items():
        if node in version.graph.undoes:
            action = version.graph.undoes[node]
            # Undoing another call of that action is another matter.
            own = own_call(rows, past, here[action]) if action in kept else None
            lost = None if own is None else lost_try(own.undos, or_sent_again=True)
            before = None if lost is None else sent.get((node, lost.generation))
            if lost is not None and lost.effect_key is not None and before is not None:
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
    found.standing, found.standing_unsure = standing(
        version.graph, rows, past, here, kept=kept, made=made, resent=found.keys, owed=found.owed
    )
