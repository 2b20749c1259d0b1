"""The checker: reads the senders' logs, the outside's ledger and the product's rows, and names what was broken.

LOST       an acknowledged event has no run, or its run has not ended
GHOST      a run of an event that nobody sent
DUPRUN     an event with more than one run
END        a run ended otherwise than its workflow says
DUPHON     one step of one event took effect twice outside
MISSING    a completed run whose step never took effect
REPEAT     a call came after the result of its step was committed (I10)
NOINTENT   a call whose key has no intent, or an intent younger than the call (I9)
KEYS       one step of one event called under two keys (I11)
BODYDIFF   one key was sent with two bodies (I11)
UNEXPL     a call without a key was made again, and no try before it is on record as in doubt or failed (I12)
HUMANDUP   a call without a key was made again, and nobody had said that it should be (I12)
RANK       a run went back: to an earlier state, to an older lease, or out of its end; also by what is on record of it,
           which has no gap and decides each step once (I6, I14, I40)
TRIES      a step used up more tries than the workflow explains: a crash was taken for a failure (I19)
OPEN       an ended run has a try whose ending nobody recorded (I12)
ORPHAN     a run that has not ended and that nobody will look at again (I17)
TIMER      a wait ended early, or more than 5 s late beyond the outage (I18)
REBUILD    a run's state is not what its record says (I40)
ORDER      what a run did was not undone in exact reverse of its commits, or not all of it (I25)
AGAIN      a step that had its result when the process died was carried out again
ANSWER     a sender was told something no fault excuses
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runtime.engine.trail import differences, rebuild
from tests.faults.examples import Example
from tests.faults.outside import Call
from tests.faults.rows import Export, Glimpse, StepRow
from tests.faults.senders import Answer

#: A worker carries the database's clock on by its own: on a busy machine its times lag.
_LAG_MS = 1_000
_TIMER_LATE_MS = 5_000
DECIDED = frozenset({"succeeded", "failed", "skipped", "cancelled"})
TERMINAL = frozenset({"completed", "compensated", "cancelled", "dead_lettered"})
_RANKS = {"accepted": 0, "ready": 1, "compensating": 3, **dict.fromkeys(TERMINAL, 4)}
_UNDER_WAY = 2


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule."""

    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


@dataclass(frozen=True, slots=True)
class Crash:
    """What stood in the database and in the ledger the moment after a process died."""

    rows: Export
    calls: list[Call]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a trial left behind, once it is quiet again."""

    examples: Mapping[str, Example]
    rows: Export
    calls: list[Call]
    sent: set[str]
    acked: set[str]
    wrong: list[Answer] = field(default_factory=list)
    crash: Crash | None = None
    #: How long nobody could have fired a timer, in milliseconds.
    outage_ms: int = 0
    #: The same for single events, on top.
    outages: Mapping[str, int] = field(default_factory=dict)
    #: How a run ends; None where any end is right.
    ends: str | None = "completed"
    #: How runs stood at moments before, in the order of the looks.
    seen: Sequence[Glimpse] = ()


def check(evidence: Evidence) -> list[Violation]:
    """Every rule over the evidence. `examples` are by workflow id."""
    found: list[Violation] = []
    found += _events(evidence)
    found += _runs(evidence)
    found += _effects(evidence)
    found += _intents(evidence)
    found += _repeats(evidence)
    found += _without_key(evidence)
    found += _ranks(evidence)
    found += _timers(evidence)
    found += _undone(evidence)
    found += _trails(evidence)
    if evidence.crash is not None:
        found += _nothing_again(evidence.crash, evidence)
    found += [Violation("ANSWER", f"{one.key} got {one.status}: {str(one.body)[:200]}") for one in evidence.wrong]
    return found


def _events(evidence: Evidence) -> Iterable[Violation]:
    runs = defaultdict(list)
    for run in evidence.rows.runs:
        runs[run.key].append(run)
    for key in sorted(evidence.acked):
        if key not in runs:
            yield Violation("LOST", f"{key} was acknowledged and has no run")
        elif any(run.status not in TERMINAL for run in runs[key]):
            yield Violation("LOST", f"{key} was acknowledged and its run is {runs[key][0].status}")
    for key, theirs in sorted(runs.items()):
        if key not in evidence.sent:
            yield Violation("GHOST", f"run {theirs[0].id} of {key}")
        if len(theirs) > 1:
            yield Violation("DUPRUN", f"{key} has {len(theirs)} runs")
    stored = [event.key for event in evidence.rows.events]
    for key in sorted({key for key in stored if stored.count(key) > 1} if len(stored) > len(set(stored)) else ()):
        yield Violation("DUPRUN", f"{key} is stored {stored.count(key)} times")


def _runs(evidence: Evidence) -> Iterable[Violation]:
    steps: dict[str, dict[str, StepRow]] = defaultdict(dict)
    for step in evidence.rows.steps:
        steps[step.run][step.node] = step
    open_tries = {(one.run, one.node) for one in evidence.rows.attempts if one.status == "intent"}
    for run in evidence.rows.runs:
        example = evidence.examples[run.workflow]
        if run.status not in TERMINAL:
            if run.wake_at is None and run.lease_expires_at is None:
                yield Violation("ORPHAN", f"{run.key}: {run.status}, and nobody will look at it again")
            continue
        ends = example.ends if evidence.ends == "completed" else evidence.ends
        doubtful = example.may_end_in_doubt and run.status == "dead_lettered" and '"in_doubt"' in (run.error or "")
        if ends is not None and run.status != ends and not doubtful:
            yield Violation("END", f"{run.key}: {run.status} ({(run.error or '')[:300]})")
            continue
        for node_id, step in steps[run.id].items():
            if (run.id, node_id) in open_tries:
                yield Violation("OPEN", f"{run.key}/{node_id}: a try without an ending")
            most = example.effects.get(node_id, 1)
            if step.attempt > most:
                failed = [
                    one.error or one.status
                    for one in evidence.rows.attempts
                    if (one.run, one.node) == (run.id, node_id)
                ]
                yield Violation("TRIES", f"{run.key}/{node_id}: {step.attempt} tries, {most} explained: {failed}")
        if run.status == "completed":
            for one in example.graph["nodes"]:
                if "parent" in one:
                    continue  # done by the container's own runs
                have = steps[run.id].get(one["id"])
                wanted = "skipped" if one["id"] in example.skipped else "succeeded"
                if have is None or have.status != wanted:
                    yield Violation("END", f"{run.key}/{one['id']}: {have.status if have else 'no row'}, not {wanted}")


def _effects(evidence: Evidence) -> Iterable[Violation]:
    applied: dict[str, int] = defaultdict(int)
    keys = defaultdict(set)
    bodies = defaultdict(set)
    for call in evidence.calls:
        applied[call.order] += call.applied
        if call.key is not None:
            keys[call.order].add(call.key)
            bodies[call.key].add(call.body_sha256)
    for order, count in sorted(applied.items()):
        if count > 1:
            yield Violation("DUPHON", f"{order} took effect {count} times")
    for order, used in sorted(keys.items()):
        if len(used) > 1:
            yield Violation("KEYS", f"{order} was called under {len(used)} keys")
    for key, sent in sorted(bodies.items()):
        if len(sent) > 1:
            yield Violation("BODYDIFF", f"{key} was sent with {len(sent)} bodies")
    for run in evidence.rows.runs:
        if run.status == "completed":
            for step in evidence.examples[run.workflow].effects:
                if not applied.get(f"{run.key}/{step}"):
                    yield Violation("MISSING", f"{run.key}/{step} never took effect")


def _intents(evidence: Evidence) -> Iterable[Violation]:
    begun: dict[str, int] = {}
    for one in evidence.rows.attempts:
        if one.effect_key is not None:
            begun[one.effect_key] = min(begun.get(one.effect_key, one.started_at), one.started_at)
    for call in evidence.calls:
        if call.key is not None:
            if call.key not in begun:
                yield Violation("NOINTENT", f"{call.order}: its key is in no intent")
            elif begun[call.key] > call.at_ms + _LAG_MS:
                yield Violation("NOINTENT", f"{call.order}: called {begun[call.key] - call.at_ms} ms before its intent")
    if evidence.crash is not None:
        durable = {one.effect_key for one in evidence.crash.rows.attempts}
        for call in evidence.crash.calls:
            if call.key is not None and call.key not in durable:
                yield Violation("NOINTENT", f"{call.order}: called, and no intent was durable when the process died")


def _repeats(evidence: Evidence) -> Iterable[Violation]:
    """Where several calls succeeded, the result must stem from the last one: the company marks answers it repeats."""
    run_of = {run.key: run.id for run in evidence.rows.runs}
    ended = {(step.run, step.node): step for step in evidence.rows.steps if step.status in DECIDED}
    successes: dict[str, list[Call]] = defaultdict(list)
    for call in evidence.calls:
        if call.status is not None and call.status < 300:
            successes[call.order].append(call)
    for order, calls in sorted(successes.items()):
        step = ended.get((run_of.get(calls[0].event, ""), calls[0].step))
        if len(calls) < 2 or step is None or step.finished_at is None or step.status == "failed":
            continue
        if calls[-1].key is not None and "idempotent-replayed" not in (step.output or "").lower():
            yield Violation("REPEAT", f"{order}: called again after the call that its result came from")
        elif calls[-1].at_ms > step.finished_at + _LAG_MS:
            yield Violation("REPEAT", f"{order}: called {calls[-1].at_ms - step.finished_at} ms after its result")


def _without_key(evidence: Evidence) -> Iterable[Violation]:
    """A call that carries no key is made once. Each further one needs a try that is known to have ended badly, or in
    doubt, and a person who wanted it."""
    run_of = {run.key: run.id for run in evidence.rows.runs}
    calls: dict[tuple[str, str], int] = defaultdict(int)
    for call in evidence.calls:
        if call.key is None and call.order:
            calls[call.event, call.step] += 1
    told: dict[tuple[str, str], int] = defaultdict(int)
    for one in evidence.rows.attempts:
        told[one.run, one.node] += one.status in ("in_doubt", "failed", "abandoned")
    for (event, step), count in sorted(calls.items()):
        run = run_of.get(event, "")
        if count - 1 > told[run, step]:
            yield Violation("UNEXPL", f"{event}/{step}: {count} calls, {told[run, step]} of them explained")
        if count > 1 and (run, step) not in evidence.rows.again:
            yield Violation("HUMANDUP", f"{event}/{step}: {count} calls, and nobody asked for a second one")


def _ranks(evidence: Evidence) -> Iterable[Violation]:
    """Each look at a run against the one before."""
    last: dict[str, Glimpse] = {}
    crash = () if evidence.crash is None else evidence.crash.rows.runs
    now = (*evidence.seen, *(run.glimpse for run in crash), *(run.glimpse for run in evidence.rows.runs))
    for one in now:
        before = last.get(one.run)
        last[one.run] = one
        if before is None:
            continue
        fell = _RANKS.get(one.status, _UNDER_WAY) < _RANKS.get(before.status, _UNDER_WAY)
        if fell or (before.status in TERMINAL and one.status != before.status):
            yield Violation("RANK", f"{one.run}: was {before.status}, is {one.status}")
        if one.token < before.token:
            yield Violation("RANK", f"{one.run}: lease {one.token} after {before.token}")


def _timers(evidence: Evidence) -> Iterable[Violation]:
    workflow = {run.id: run for run in evidence.rows.runs}
    for step in evidence.rows.steps:
        run = workflow.get(step.run)
        if run is None or step.status != "succeeded" or step.finished_at is None:
            continue
        asked = evidence.examples[run.workflow].waits.get(step.node)
        if asked is None:
            continue
        due = due_of(step)
        if due is None:
            yield Violation("TIMER", f"{run.key}/{step.node}: no moment in its output")
        elif step.finished_at < due:
            yield Violation("TIMER", f"{run.key}/{step.node}: {due - step.finished_at} ms early")
        elif step.finished_at - due > _TIMER_LATE_MS + evidence.outage_ms + evidence.outages.get(run.key, 0):
            yield Violation("TIMER", f"{run.key}/{step.node}: {step.finished_at - due} ms late")
        elif step.started_at is not None and step.finished_at - step.started_at < asked:
            yield Violation(
                "TIMER", f"{run.key}/{step.node}: waited {step.finished_at - step.started_at} of {asked} ms"
            )


def due_of(step: StepRow) -> int | None:
    """When a wait was to end, by its own output."""
    try:
        moment = json.loads(step.output or "{}")["waited_until"]
    except (ValueError, KeyError):
        return None
    return int(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1000)


def _undone(evidence: Evidence) -> Iterable[Violation]:
    """The undo calls that took effect, against the order in which the results of what they undo were committed."""
    applied: dict[str, list[str]] = defaultdict(list)
    for call in sorted(evidence.calls, key=lambda call: call.seq):
        if call.applied:
            applied[call.event].append(call.step)
    for run in evidence.rows.runs:
        if run.status != "compensated":
            continue
        edges = evidence.examples[run.workflow].graph["edges"]
        undoes = {edge["target"]: edge["source"] for edge in edges if edge["sourceHandle"] == "undo"}
        seqs = {step.node: step.commit_seq or 0 for step in evidence.rows.steps if step.run == run.id}
        happened = [step for step in applied[run.key] if step in undoes.values()]
        wanted = sorted(happened, key=lambda step: seqs.get(step, 0), reverse=True)
        found = [undoes[step] for step in applied[run.key] if step in undoes]
        if found != wanted:
            yield Violation("ORDER", f"{run.key}: undone {found}, committed {wanted[::-1]}")


def _trails(evidence: Evidence) -> Iterable[Violation]:
    for trail in evidence.rows.trails:
        folded = rebuild(trail.entries, trail.steps)
        yield from (Violation("RANK", f"{trail.key}: {text}") for text in folded.faults)
        yield from (Violation("REBUILD", f"{trail.key}: {text}") for text in differences(folded, trail.stored))


def _nothing_again(crash: Crash, evidence: Evidence) -> Iterable[Violation]:
    """What had its result when the process died stands as it stood, and no call was made for it since."""
    key_of = {run.id: run.key for run in crash.rows.runs}
    now = {(step.run, step.node, step.generation): step for step in evidence.rows.steps}
    last = max((call.seq for call in crash.calls), default=0)
    calls_since: dict[str, int] = defaultdict(int)
    for call in evidence.calls:
        if call.seq > last:
            calls_since[call.order] += 1
    for step in crash.rows.steps:
        if step.status not in DECIDED:
            continue
        order = f"{key_of.get(step.run)}/{step.node}"
        if now.get((step.run, step.node, step.generation)) != step:
            yield Violation("AGAIN", f"{order} was {step.status} at the crash and its row changed since")
        if calls_since[order]:
            yield Violation("AGAIN", f"{order} had its result at the crash and was called {calls_since[order]} times")
