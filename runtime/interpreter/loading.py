"""From the rows of a claimed run to what a driver starts with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from runtime.engine.graph import Graph
from runtime.engine.replay import Known, is_definite, may_have_happened
from runtime.engine.state import RunState, StepError, StepStatus
from runtime.interpreter.attempts import damaged
from runtime.interpreter.doubts import MAY_REPEAT, epochs, lost
from runtime.interpreter.keys import request_digest
from runtime.interpreter.records import Record
from runtime.interpreter.rows import error_of, restore
from runtime.interpreter.versions import Version
from runtime.sdk import EffectClass
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.reads import AnswerRow, AttemptRow, RunRows, StepRow
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
    #: Undo steps that an earlier generation carried out without their having ended well: digest and key of the last
    #: call of which nobody knows what came, by node id.
    lost_calls: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Steps of which an attempt may have happened without an answer; in this generation.
    lost: set[str] = field(default_factory=set)
    #: How many keys of each step a definite refusal has used up, by node id.
    epochs: dict[str, int] = field(default_factory=dict)
    #: What people answered to steps that wait for them.
    answers: list[AnswerRow] = field(default_factory=list)
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
    found.answers = [row for row in rows.answers if row.generation == generation]
    attempts = [row for row in rows.attempts if row.generation == generation]
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
    gone = undone_nodes(version.graph, rows.steps, before=found.state.generation)
    for node, tries in tries_of(rows.attempts, before=found.state.generation).items():
        record, lost = found.records.get(node), lost_try(tries, or_sent_again=True)
        if lost is None or lost.effect_key is None or lost.request_digest is None:
            continue
        if node in version.graph.undoes:
            found.lost_calls[node] = lost.request_digest, lost.effect_key
            continue
        # What was undone has to be done anew, which the old key would keep the other side from doing.
        if record is None or record.input is None or node in gone:
            continue
        # The same bytes as before, and nobody knows what came of them: under the same key they do no harm.
        if request_digest(record.input) == lost.request_digest:
            found.keys[node] = lost.effect_key


def undone_nodes(graph: Graph, rows: Iterable[StepRow], *, before: int) -> set[str]:
    """The actions that were undone in a generation before this one."""
    return {
        graph.undoes[row.node_id]
        for row in rows
        if row.generation < before and row.status == "succeeded" and row.node_id in graph.undoes
    }


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
    by_key: dict[str, list[AttemptRow]] = {}
    for row in tries:
        if EffectClass(row.effect_class).writes:
            by_key.setdefault(row.effect_key or f"{row.generation}/{row.attempt}", []).append(row)
    found = {_known(rows) for rows in by_key.values()}
    order = (Known.IN_DOUBT, Known.HAPPENED, Known.SAME_KEY, Known.REFUSED)
    return next((known for known in order if known in found), Known.HARMLESS)


def lost_try(tries: Iterable[AttemptRow], *, or_sent_again: bool = False) -> AttemptRow | None:
    """The last try of which nobody knows what it did outside; or of which a person said that it be sent again."""
    done = {row.effect_key for row in tries if row.status == "succeeded" and row.effect_key is not None}
    lost = [
        row
        for row in tries
        if EffectClass(row.effect_class).writes
        and row.effect_key not in done
        and (not _is_settled(row) or (or_sent_again and row.status == "abandoned"))
    ]
    return lost[-1] if lost else None


def _known(rows: list[AttemptRow]) -> Known:
    """Of tries under one key."""
    if any(row.status == "succeeded" for row in rows):
        return Known.HAPPENED
    lost = lost_try(rows)
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
