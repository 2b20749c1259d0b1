"""What the steps of a run had done outside, call by call, and what became of each since.

A step may have something done more than once in the life of a run: a retry with somebody's consent makes a further
call, and an undo takes back one of them, the last. What a generation takes over, what it owes and what still stands
follows from the calls, each with what is known of it, and nothing of that is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.engine.jsonprofile import loads_stored
from runtime.engine.replay import Known, is_definite, may_have_happened
from runtime.engine.undo import undid
from runtime.interpreter.doubts import MAY_REPEAT
from runtime.interpreter.rows import error_of, step_state
from runtime.sdk import EffectClass
from runtime.store.reads import AttemptRow, StepRow

#: What is known of a call whose answer was lost, and of one that did something outside, or may have.
UNKNOWN: Final = frozenset({Known.SAME_KEY, Known.IN_DOUBT})
STANDS: Final = UNKNOWN | {Known.HAPPENED}

Tries = dict[str, list[AttemptRow]]


@dataclass(slots=True)
class Call:
    """All tries under one key. `undone`: an undo of it ended well; `undos`: the tries at undoing it."""

    tries: list[AttemptRow]
    known: Known
    undone: bool = False
    undos: list[AttemptRow] = field(default_factory=list)

    @property
    def generation(self) -> int:
        """The last in which it was made."""
        return self.tries[-1].generation

    @property
    def is_known(self) -> bool:
        """It did it: somebody was told so."""
        return self.known is Known.HAPPENED

    @property
    def undo_lost(self) -> bool:
        """Nobody knows whether it was undone."""
        return not self.undone and known_of(self.undos) in UNKNOWN

    @property
    def stands(self) -> bool:
        """It did something, or may have, that nothing has undone since."""
        return self.known in STANDS and not self.undone

    def is_one_with(self, last: Call) -> bool:
        """Whether undoing that call undoes this one, too: further calls of one and the same go were made for it, and
        what names the thing that it changes changed the same."""
        if self.generation == last.generation:
            return True
        one, other = self.tries[-1], last.tries[-1]
        natural = one.effect_class == other.effect_class == EffectClass.NATURAL
        return natural and one.request_digest == other.request_digest


def calls_of(tries: Sequence[AttemptRow]) -> list[Call]:
    """The calls that these tries at one step made, the one last made last."""
    written = [row for row in tries if EffectClass(row.effect_class).writes]
    by_key: dict[str, list[AttemptRow]] = {}
    for row in written:
        by_key.setdefault(row.effect_key or f"{row.generation}/{row.attempt}", []).append(row)
    found = [Call(rows, _known(rows, written)) for rows in by_key.values()]
    return sorted(found, key=lambda call: (call.generation, call.tries[-1].attempt))


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the steps of a run had done in the generations before one: by node id the `tries`, the oldest first, and
    the `calls`, the last one last. `undone`: the last generation in which an action was undone, or known as undone."""

    tries: Tries
    calls: dict[str, list[Call]]
    undone: dict[str, int]
    #: The last generation in which an undo of an action was carried out.
    _carried_out: dict[str, int]

    def standing(self, node: str) -> list[Call]:
        """The calls of this step that nothing has undone, the last one last."""
        return [call for call in self.calls.get(node, ()) if call.stands]

    def live(self) -> Tries:
        """By node id the tries that count: not those whose call was undone, nor what led to nothing before that."""
        return {node: self._live(node, rows) for node, rows in self.tries.items()}

    def _live(self, node: str, rows: list[AttemptRow]) -> list[AttemptRow]:
        since = self._carried_out.get(node, 0)
        standing = {id(row) for call in self.standing(node) for row in call.tries}
        gone = {id(row) for call in self.calls.get(node, ()) if call.undone for row in call.tries}
        return [row for row in rows if id(row) in standing or (row.generation > since and id(row) not in gone)]


def ledger(
    steps: Iterable[StepRow], attempts: Iterable[AttemptRow], *, before: int, undoes: Mapping[str, str] | None = None
) -> Ledger:
    """The calls of a run by its rows, as they stood when that generation began. `undoes`: by undo step, its action;
    needed to know of undo steps that had no answer."""
    tries = tries_of(attempts, before=before)
    found = Ledger(tries, {node: calls_of(rows) for node, rows in tries.items()}, {}, {})
    #: By generation, the actions whose undo was carried out in it, or was tried, with those tries.
    turns: dict[int, dict[str, list[AttemptRow]]] = {}
    for by, action in (undoes or {}).items():
        for one in tries.get(by, ()):
            turns.setdefault(one.generation, {}).setdefault(action, []).append(one)
    carried_out: set[tuple[int, str]] = set()
    seen = set()
    for row in sorted(steps, key=lambda row: row.generation):
        if row.generation >= before or row.status != "succeeded" or '"undo:' not in row.ports:
            continue
        undone = undid(step_state(row).ports)
        if undone is None:
            continue
        found.undone[undone] = row.generation
        # Taken over as it is by a further undo of the run, it undoes nothing more.
        name = row.node_id, row.started_at, row.finished_at
        if name not in seen:
            seen.add(name)
            carried_out.add((row.generation, undone))
            turns.setdefault(row.generation, {}).setdefault(undone, [])
            found._carried_out[undone] = row.generation
    for generation in sorted(turns):
        for action, undos in turns[generation].items():
            standing = _until(found, action, generation)
            for call in standing:
                if call.is_one_with(standing[-1]):
                    call.undos += undos
                    call.undone = (generation, action) in carried_out
    return found


def _until(found: Ledger, node: str, generation: int) -> list[Call]:
    return [call for call in found.standing(node) if call.generation <= generation]


def tries_of(attempts: Iterable[AttemptRow], *, before: int) -> Tries:
    """The tries at each step in the generations before this one, the oldest first, by node id."""
    tries: Tries = {}
    for row in sorted(attempts, key=lambda row: (row.generation, row.attempt)):
        if row.generation < before:
            tries.setdefault(row.node_id, []).append(row)
    return tries


def known_of(tries: Sequence[AttemptRow]) -> Known:
    """What is known of a step that was tried so. A refusal says nothing of a lost answer before it: under the same key
    the first call may have been the one that counted."""
    found = {call.known for call in calls_of(tries)}
    order = (Known.IN_DOUBT, Known.HAPPENED, Known.SAME_KEY, Known.REFUSED)
    return next((known for known in order if known in found), Known.HARMLESS)


def lost_try(tries: Sequence[AttemptRow], *, or_sent_again: bool = False) -> AttemptRow | None:
    """The last try of which nobody knows what it did outside; or of which a person said that it be sent again."""
    return _lost(tries, tries, or_sent_again=or_sent_again)


def is_open_again(row: AttemptRow, tries: Iterable[AttemptRow]) -> bool:
    """Whether what a person said to be sent again is as unknown as before: that nothing succeeded since says nothing of
    the call before it, and the word was for one more call, not for every later one (I12)."""
    at = row.generation, row.attempt
    return not any(one.status == "succeeded" and (one.generation, one.attempt) >= at for one in tries)


def _lost(rows: Sequence[AttemptRow], tries: Sequence[AttemptRow], *, or_sent_again: bool = False) -> AttemptRow | None:
    done = {row.effect_key for row in rows if row.status == "succeeded" and row.effect_key is not None}
    lost = [
        row
        for row in rows
        if EffectClass(row.effect_class).writes
        and row.effect_key not in done
        and (not _is_settled(row) or (row.status == "abandoned" and (or_sent_again or is_open_again(row, tries))))
    ]
    return lost[-1] if lost else None


def _known(rows: list[AttemptRow], tries: Sequence[AttemptRow]) -> Known:
    """Of those of these tries that were made under one key."""
    if any(row.status == "succeeded" for row in rows):
        return Known.HAPPENED
    lost = _lost(rows, tries)
    if lost is None:
        return Known.REFUSED
    return Known.SAME_KEY if EffectClass(lost.effect_class) in MAY_REPEAT else Known.IN_DOUBT


def unsettled(tries: Sequence[AttemptRow]) -> list[AttemptRow]:
    """Those of these tries of which nobody knows what they did outside."""
    return [row for call in calls_of(tries) if call.known in UNKNOWN for row in call.tries if not _is_settled(row)]


def _is_settled(attempt: AttemptRow) -> bool:
    """Whether it is known what this attempt did outside; of one that was `abandoned` a person said so."""
    if attempt.status in ("succeeded", "abandoned") or _was_said_not_done(attempt):
        return True
    error = error_of(attempt.error)
    if attempt.status != "failed" or error is None:
        return False
    if EffectClass(attempt.effect_class) in MAY_REPEAT:
        return is_definite(error)
    # Where nobody knew how it ended, it says `in_doubt` instead.
    return not may_have_happened(error)


def _was_said_not_done(attempt: AttemptRow) -> bool:
    """Whether somebody looked and said that this try did nothing (`generations.note_decision`)."""
    if attempt.status != "failed" or attempt.request is None or '"said":"not_done"' not in attempt.request:
        return False
    request: Any = loads_stored(attempt.request)
    noted = request.get("in_doubt") if isinstance(request, dict) else None
    return isinstance(noted, dict) and noted.get("said") == "not_done"
