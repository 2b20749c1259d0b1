"""Looking up whether an effect happened, before it is sent again (I12): what is asked when, what the answer means for
the run, and what is written down about it.

The attempt stands as `in_doubt` until a look-up, or a person, has said what became of it. The step waits for the next
look, or looks (`running` with the wait kind `look_up`); how often it has looked stands in its row. A look-up changes
nothing outside: one that a crash cut off is made again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from runtime.engine.commands import Execute
from runtime.engine.facts import StepFailed, StepInDoubt, StepInterrupted
from runtime.engine.jsonprofile import JSON, dumps, loads_stored, normalise
from runtime.engine.state import LOOK_UP, StepError, StepState
from runtime.interpreter import people, units
from runtime.interpreter.attempts import call, ending_of, failed, timed_out
from runtime.interpreter.outcomes import Cut, Done, Ending, Failed, Looked
from runtime.interpreter.records import Asked, Record, Told
from runtime.interpreter.redaction import Redactor
from runtime.interpreter.rows import error_of, error_text
from runtime.interpreter.versions import Step
from runtime.interpreter.waiting import iso
from runtime.sdk import EffectClass
from runtime.sdk.probes import Happened, Patience, working_out
from runtime.store import failpoints
from runtime.store.reads import AttemptRow
from runtime.store.records import AttemptWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

#: The name of this in the record: how it was decided, and by whom.
POLICY: Final = "look_up"
_QUERYABLE: Final = EffectClass.QUERYABLE
#: So many looks of one attempt are kept.
_MOST_KEPT: Final = 20
_FOUND: Final = "Looked up: it happened. Its result was taken over, and nothing was sent again."
_MISSING: Final = "Looked up: it did not happen. It may be sent again, with the same key."
_UNKNOWN: Final = "Looked up: that could not tell. It is looked up again."
_ASKED: Final = "Looked up: that could not tell. People are asked."

Found = Literal["happened", "did_not_happen", "could_not_tell"]


def looks(step: StepState | None) -> bool:
    """Whether a look-up is due or under way for this step, and nothing is sent."""
    return step is not None and step.wait_kind == LOOK_UP


# --- asking the other system ------------------------------------------------------------------------------------------


async def carry_out(driver: Driver, asked: Asked) -> Ending:
    """Make the attempt; or look up what became of it."""
    context = driver.shell.context(driver, asked)
    if not asked.looks:
        return await call(asked.step, asked.config, asked.step_input, context, driver.shell.pool)
    step, seconds = asked.step, asked.step.node.settings.timeout_seconds
    probe = step.type.probe
    assert probe is not None
    try:
        failpoints.hit("step.look_up:before")
        state = driver.state.step(step.node.id)
        since = asked.at if state is None else state.first_started_at or asked.at
        known = driver.values.context(driver.state, asked.attempt, since, step.node.id)
        async with asyncio.timeout(seconds) as limit:
            # To wait for a turn is no look-up that takes too long.
            context.timed_by(limit)
            said = await probe.look(asked.config, asked.step_input, context, working_out(known, asked.key))
        failpoints.hit("step.look_up:after")
        if isinstance(said, Happened):
            return ending_of(said.result, context)
        redact = Redactor(context.secrets)
        return Looked(None, _masked(said.request, redact), _masked(said.response, redact))
    except TimeoutError as error:
        return _cannot_tell(timed_out(step, seconds) if limit.expired() else failed(error, context, step))
    except Exception as error:
        return _cannot_tell(failed(error, context, step))


def _masked(value: JSON, redact: Redactor) -> str | None:
    return None if value is None else dumps(redact.value(normalise(value)))


def _cannot_tell(ending: Failed | Cut) -> Ending:
    """A failed look-up says nothing about the effect."""
    return ending if isinstance(ending, Cut) else Looked(ending.error, ending.request, ending.response)


# --- what it means for the run ----------------------------------------------------------------------------------------


def look_up(driver: Driver, step: Step, row: AttemptRow | AttemptWrite, error: StepError, at: int) -> Told | None:
    """What the engine shall hear, for it to be looked up what became of an attempt that may have happened; None where
    this step cannot be looked up. `error`: why the attempt is in doubt, as its row (`driver.looking`) says then."""
    if (probe := step.type.probe) is None or step.prepared is None or EffectClass(row.effect_class) is not _QUERYABLE:
        return None
    driver.looking[step.node.id] = written(row, "in_doubt", at, error, row.request)
    return _wait(driver, step.node.id, row.attempt, error, at, probe.patience(_settings(step)), 0)


def take_in(driver: Driver, told: Told, asked: Asked, ending: Looked | Cut) -> None:
    """A look-up has ended that did not find it."""
    node, now = asked.step.node.id, told.at
    row, step = driver.looking.get(node), driver.state.step(node)
    if step is None or not looks(step):
        return
    if isinstance(ending, Cut) or driver.stops or row is None:
        # Looked up once more, by whoever carries the run on.
        driver.unit.asked.append(Execute(node, asked.attempt))
        return
    before = step.error or units.in_doubt_error(asked.step.node.name)
    if ending.error is not None:
        _could_not_tell(driver, asked, ending, row, before, now)
        return
    said = note(row.request, "did_not_happen", _MISSING, now, ending.request, ending.response)
    driver.lost.discard(node)
    driver.commit_seq += 1
    was_cut_off = before.code == units.IN_DOUBT
    if not was_cut_off or driver.state.ending is not None:
        error = _cut_off(asked.step.node.name) if was_cut_off else replace(before, may_have_happened=False)
        # The try has failed, and is known to have done nothing.
        _put(driver, written(row, "failed", now, error, said))
        driver.apply(StepFailed(node, asked.attempt, error, now, told.jitter, driver.commit_seq))
        if people.waits_for_people(driver.state.step(node)):
            people.ask_about(driver, node, asked.attempt, error)
        return
    # A crash costs no try: the same attempt is made again, and its intent says what was decided.
    driver.intents[node] = written(row, "intent", now, None, said)
    driver.apply(StepInterrupted(node, asked.attempt, now))


def _could_not_tell(
    driver: Driver, asked: Asked, ending: Looked, row: AttemptWrite, before: StepError, now: int
) -> None:
    assert ending.error is not None
    node, probe, looks_made = asked.step.node, asked.step.type.probe, asked.looks
    assert probe is not None
    patience: Patience = probe.patience(asked.config)
    asks = looks_made >= patience.looks or not ending.error.retryable
    text = _ASKED if asks else _UNKNOWN
    said = note(row.request, "could_not_tell", text, now, ending.request, ending.response, ending.error)
    driver.looking[node.id] = written(row, "in_doubt", now, before, said)
    _put(driver, driver.looking[node.id])
    if not asks:
        again = _wait(driver, node.id, asked.attempt, before, now, patience, looks_made).fact
        assert again is not None
        driver.apply(again)
        return
    error = _unsolved(node.name, before, ending.error, looks_made)
    driver.commit_seq += 1
    driver.apply(StepInDoubt(node.id, asked.attempt, error, now, None, driver.commit_seq))
    if people.waits_for_people(driver.state.step(node.id)):
        people.ask_about(driver, node.id, asked.attempt, error)


def _wait(
    driver: Driver, node: str, attempt: int, error: StepError, now: int, patience: Patience, looks_made: int
) -> Told:
    due_at = now + int(patience.seconds(looks_made) * 1000)
    record = driver.records.setdefault(node, Record())
    record.wait = dumps({"kind": LOOK_UP, "until": due_at, "looks": looks_made})
    driver.commit_seq += 1
    return Told(now, fact=StepInDoubt(node, attempt, error, now, due_at, driver.commit_seq))


def which_look(driver: Driver, node: str) -> int:
    """Which look at the present attempt the coming one is, from 1; 0 where nothing is looked up."""
    if not looks(driver.state.step(node)):
        return 0
    wait: Any = loads_stored(driver.records[node].wait or "{}")
    return int(wait.get("looks") or 0) + 1


def happened(driver: Driver, asked: Asked, status: str, ending: Ending, at: int, error: StepError | None) -> None:
    """A look-up has found it: the row of the attempt, for the coming commit. `error`: its result cannot be kept."""
    row = driver.looking[asked.step.node.id]
    told = ending if isinstance(ending, Done | Failed) else None
    said = note(
        row.request, "happened", _FOUND, at, None if told is None else told.request,
        None if told is None else told.response,
    )  # fmt: skip
    _put(driver, written(row, status, at, error, said))


def _cut_off(name: str) -> StepError:
    return StepError(
        code="cut_off",
        title="Cut off before it was done",
        message=f"The process that ran “{name}” ended before it could tell. Looked up: it did not happen.",
        kind="infrastructure",
    )


def _settings(step: Step) -> Any:
    """The settings that the step was given, for how patient it is; they hold no formula there."""
    assert step.prepared is not None
    return step.type.config.model_construct(**step.type.filled(step.prepared.raw))


def _unsolved(name: str, before: StepError, last: StepError, looks_made: int) -> StepError:
    why = "the process that ran it ended before it could tell" if before.code == units.IN_DOUBT else before.message
    times = "once" if looks_made == 1 else f"{looks_made} times"
    return StepError(
        code=units.IN_DOUBT,
        title="Nobody knows whether this happened",
        message=(
            f"“{name}” was begun, and nobody knows how it ended: {why.rstrip('.')}. Looked up {times}, which could not "
            f"tell: {last.message} Doing it again could do it twice. Look in the other system whether it happened."
        ),
        detail=last.detail or before.detail,
        kind="in_doubt",
        may_have_happened=True,
    )


# --- what is written down ---------------------------------------------------------------------------------------------


def note(
    request: str | None,
    found: Found,
    text: str,
    now: int,
    asked: str | None,
    answered: str | None,
    error: StepError | None = None,
) -> str:
    """What was sent, with what a look-up said of it and what follows from that."""
    whole: Any = {} if request is None else loads_stored(request)
    whole = whole if isinstance(whole, dict) else {"summary": whole}
    looked = [*(whole.get("in_doubt", {}).get("looked") or ())]
    one: dict[str, Any] = {"at": iso(now), "found": found}
    if asked is not None:
        one["request"] = loads_stored(asked)
    if answered is not None:
        one["response"] = loads_stored(answered)
    if error is not None:
        one["error"] = {"title": error.title, "message": error.message}
    decision = {
        "decided_at": iso(now),
        "policy": POLICY,
        "decided_by": POLICY,
        "found": found,
        "text": text,
        "looked": [*looked, one][-_MOST_KEPT:],
    }
    return dumps({**whole, "in_doubt": decision})


def written(
    row: AttemptRow | AttemptWrite, status: str, at: int, error: StepError | None, request: str | None
) -> AttemptWrite:
    """The attempt as it shall stand now."""
    return AttemptWrite(
        row.node_id, row.generation, row.attempt, status, row.effect_class, row.effect_key, row.key_epoch,
        row.request_digest, row.worker, row.started_at, at, request, row.response, error_text(error),
    )  # fmt: skip


def as_loaded(row: AttemptRow) -> AttemptWrite:
    """An attempt in doubt as its row says."""
    return written(row, row.status, row.finished_at or row.started_at, error_of(row.error), row.request)


def _put(driver: Driver, attempt: AttemptWrite) -> None:
    driver.unit.attempts += (attempt,)
