"""A run's state from its trail (I40): a fold over what is on record, and what is wrong with that record.

The record is made of `Entry`s, in the order of their numbers, and of the step rows (`Stood`): a row that no entry tells
of was added by a commit that did nothing else. Every `seq` from 1 on must be accounted for by one or the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from runtime.engine.state import DECIDED, RANK, TERMINAL, RunStatus, StepKey, StepStatus

#: What an entry's detail says of a step, in this order.
STEP: Final = (
    "node", "generation", "status", "attempt", "ports", "due_at", "commit_seq", "started_at", "wait",
)  # fmt: skip


class Entry(NamedTuple):
    """One transition. `token`: the lease under which it happened."""

    number: int
    seq: int
    token: int
    generation: int
    before: str
    status: str
    outcome: str | None
    detail: Mapping[str, Any]


class Stood(NamedTuple):
    """A step as its row says; `said` in the form of `STEP`."""

    said: tuple[Any, ...]
    seq: int
    token: int | None


@dataclass(slots=True)
class Rebuilt:
    """What the record says of a run. `faults`: what it says that cannot be, each in words; empty for a whole record."""

    status: str = RunStatus.ACCEPTED.value
    outcome: str | None = None
    generation: int = 1
    seq: int = 0
    token: int = 0
    steps: dict[StepKey, tuple[Any, ...]] = field(default_factory=dict)
    #: By the number of an attempt that touches the world, how it stands.
    attempts: dict[tuple[str, int, int], str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def rebuild(entries: Iterable[Entry], rows: Iterable[Stood]) -> Rebuilt:
    """Fold the record of one run, the entries in the order of their numbers."""
    found = Rebuilt()
    entries = list(entries)
    told = {
        (step[0], step[1], entry.seq) for entry in entries for step in entry.detail.get("steps", ())
    }  # fmt: skip
    plain: dict[int, list[Stood]] = {}
    for row in rows:
        if (row.said[0], row.said[1], row.seq) not in told:
            plain.setdefault(row.seq, []).append(row)
    added = sorted(plain, reverse=True)
    for entry in entries:
        while added and added[-1] <= entry.seq:
            _add(found, added[-1], plain[added.pop()])
        _take(found, entry)
    while added:
        _add(found, added[-1], plain[added.pop()])
    return found


def differences(found: Rebuilt, stored: Rebuilt) -> list[str]:
    """Where the stored state is another one than the record says."""
    said = [
        f"{name} is {there!r}, on record {here!r}"
        for name in ("status", "outcome", "generation", "seq")
        if (here := getattr(found, name)) != (there := getattr(stored, name))
    ]
    # A claim that nothing has come of yet is in the run's row only.
    if stored.token < found.token:
        said.append(f"token is {stored.token}, on record {found.token}")
    for key in sorted({*found.steps, *stored.steps}):
        here, there = found.steps.get(key), stored.steps.get(key)
        if here != there:
            said.append(f"step {key.node} of generation {key.generation} is {there}, on record {here}")
    for tried in sorted({*found.attempts, *stored.attempts}):
        if found.attempts.get(tried) != stored.attempts.get(tried):
            said.append(f"attempt {tried} is {stored.attempts.get(tried)}, on record {found.attempts.get(tried)}")
    return said


def _take(found: Rebuilt, entry: Entry) -> None:
    wrong = found.faults.append
    if entry.before != found.status:
        wrong(f"{entry.number}: it was {found.status}, the transition begins with {entry.before}")
    if not found.seq <= entry.seq <= found.seq + 1:
        wrong(f"{entry.number}: seq {entry.seq} follows {found.seq}")
    if entry.token < found.token:
        wrong(f"{entry.number}: token {entry.token} follows {found.token}")
    if entry.generation == found.generation:
        if RunStatus(entry.before) in TERMINAL and entry.status != entry.before:
            wrong(f"{entry.number}: {entry.status} follows {entry.before}, which is an end")
        if RANK[RunStatus(entry.status)] < RANK[RunStatus(entry.before)]:
            wrong(f"{entry.number}: {entry.status} follows {entry.before}, which is further")
    elif entry.generation != found.generation + 1:
        wrong(f"{entry.number}: generation {entry.generation} follows {found.generation}")
    found.status, found.outcome, found.generation = entry.status, entry.outcome, entry.generation
    found.seq, found.token = max(found.seq, entry.seq), max(found.token, entry.token)
    for said in entry.detail.get("steps", ()):
        _stand(found, tuple(said), str(entry.number))
    for node, generation, attempt, status in entry.detail.get("attempts", ()):
        found.attempts[node, generation, attempt] = status


def _add(found: Rebuilt, seq: int, rows: Sequence[Stood]) -> None:
    """A commit that only added steps."""
    wrong = found.faults.append
    if seq != found.seq + 1:
        wrong(f"a commit with seq {seq} follows {found.seq}")
    found.seq = seq
    for row in rows:
        if StepStatus(row.said[2]) not in DECIDED:
            wrong(f"{row.said[0]} is {row.said[2]}, and nothing on record says since when")
        if row.token is None or row.token < found.token:
            wrong(f"{row.said[0]}: token {row.token} follows {found.token}")
        else:
            found.token = row.token
        _stand(found, row.said, f"seq {seq}")


def _stand(found: Rebuilt, said: tuple[Any, ...], where: str) -> None:
    key = StepKey(said[0], said[1])
    before = found.steps.get(key)
    if before is not None and before[2] in DECIDED and said != before:
        found.faults.append(f"{where}: {key.node} was {before[2]} and is {said[2]}")
    found.steps[key] = said
