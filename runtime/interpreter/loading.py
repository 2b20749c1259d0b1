"""From the rows of a claimed run to what a driver starts with."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.engine.state import RunState, StepError, StepStatus
from runtime.interpreter.attempts import damaged
from runtime.interpreter.records import Record
from runtime.interpreter.rows import restore
from runtime.interpreter.versions import Version
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.reads import AttemptRow, RunRows
from runtime.store.records import Claimed, EventRow


@dataclass(slots=True)
class Loaded:
    """The state of a run, and what its rows say beside it. `outputs` by node id, as the rows hold them."""

    state: RunState
    event: EventRow | None = None
    records: dict[str, Record] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    #: Attempts with an intent and no result, by node id.
    intents: dict[str, AttemptRow] = field(default_factory=dict)
    commit_seq: int = 0
    #: Why the run cannot go on from its rows.
    fault: StepError | None = None


def loaded(
    version: Version,
    claimed: Claimed,
    rows: RunRows,
    event: EventRow | None,
    damage: ArtifactDamaged | None = None,
) -> Loaded:
    """What a driver of this run starts with. `damage`: what is wrong with the bytes of its event."""
    generation = claimed.generation
    steps = [row for row in rows.steps if row.generation == generation]
    state = restore(version.graph, claimed, steps)
    found = Loaded(state, event, fault=None if damage is None else damaged(damage))
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
    return found
