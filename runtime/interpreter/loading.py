"""From the rows of a claimed run to what a driver starts with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from runtime.engine.replay import is_definite, may_have_happened
from runtime.engine.state import RunState, StepError, StepStatus
from runtime.interpreter.attempts import damaged
from runtime.interpreter.keys import request_digest
from runtime.interpreter.records import Record
from runtime.interpreter.rows import error_of, restore
from runtime.interpreter.settling import MAY_REPEAT
from runtime.interpreter.versions import Version
from runtime.sdk import EffectClass
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
    #: Steps of which a person said how they ended, with the ways out to take.
    decided: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Keys of effects that an earlier generation asked for without learning what came of it, by node id (I11).
    keys: dict[str, str] = field(default_factory=dict)
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
    if generation > 1:
        _take_over(found, rows)
    return found


def _take_over(found: Loaded, rows: RunRows) -> None:
    """What a generation owes to those before it."""
    for key, step in found.state.steps.items():
        record = found.records.get(key.node)
        if record is not None and step.status is StepStatus.READY and record.output is not None:
            found.decided[key.node] = step.ports
    for node, attempt in last_attempts(rows.attempts, before=found.state.generation).items():
        record = found.records.get(node)
        if record is None or record.input is None or attempt.effect_key is None or is_settled(attempt):
            continue
        # The same bytes as before, and nobody knows what came of them: under the same key they do no harm.
        if request_digest(record.input) == attempt.request_digest:
            found.keys[node] = attempt.effect_key


def last_attempts(attempts: Iterable[AttemptRow], *, before: int) -> dict[str, AttemptRow]:
    """The last try at each step in the generations before this one, by node id."""
    last: dict[str, AttemptRow] = {}
    for row in sorted(attempts, key=lambda row: (row.generation, row.attempt)):
        if row.generation < before:
            last[row.node_id] = row
    return last


def is_settled(attempt: AttemptRow) -> bool:
    """Whether it is known what this attempt did outside."""
    if attempt.status == "succeeded":
        return True
    error = error_of(attempt.error)
    if attempt.status != "failed" or error is None:
        return False
    if EffectClass(attempt.effect_class) in MAY_REPEAT:
        return is_definite(error)
    # Where nobody knew how it ended, it says `in_doubt` instead.
    return not may_have_happened(error)
