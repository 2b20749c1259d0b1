"""From the engine's state to the rows of one commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from runtime.engine.causes import cause as cause_of
from runtime.engine.causes import pattern
from runtime.engine.commands import Command, Execute, SetTimer
from runtime.engine.facts import (
    CancelRequested,
    Fact,
    RunReopened,
    RunStarted,
    StepFailed,
    StepSucceeded,
    StopRequested,
    TimerFired,
)
from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.engine.state import (
    DECIDED,
    TERMINAL,
    TURN,
    RunState,
    RunStatus,
    StepError,
    StepKey,
    StepState,
    StepStatus,
    made,
)
from runtime.interpreter import naming, own_amounts, people, signals, turn_words
from runtime.interpreter.keys import request_digest
from runtime.interpreter.outcomes import Done, Ending, Failed
from runtime.interpreter.records import Asked, Record, Told
from runtime.interpreter.rows import error_text, ports_text, wait_text
from runtime.interpreter.versions import Unsupported
from runtime.interpreter.waiting import cause, iso
from runtime.sdk import Respond
from runtime.store.reads import AttemptRow
from runtime.store.records import (
    AttemptWrite,
    DeadLetterWrite,
    ResponseWrite,
    RunWrite,
    StepWrite,
    TimerClear,
    TimerWrite,
)
from runtime.store.statements import UNLESS_CANCELLED, UNLESS_PAUSED

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

# Looking a member up on its class costs more than comparing it, and this is the hot path.
_READY: Final = StepStatus.READY
_SKIPPED: Final = StepStatus.SKIPPED
_ACCEPTED: Final = RunStatus.ACCEPTED
_COMPENSATING: Final = RunStatus.COMPENSATING
_DEAD_LETTERED: Final = RunStatus.DEAD_LETTERED
_NO_RECORD: Final = Record()
#: What the error of an attempt says of which nobody knows whether it happened.
IN_DOUBT: Final = "in_doubt"
#: How long a run that this build cannot carry on is left before somebody looks at it again (I30).
PARKED_MS: Final = 60_000


def name_points(
    names: dict[str, None], graph: Graph, fact: Fact, commands: tuple[Command, ...], state: RunState
) -> None:
    """Which commit points the commit of this fact passes."""
    match fact:
        case StepSucceeded() | StepFailed() if graph.undoes and fact.node in graph.undoes:
            names["comp.result"] = None
        case StepSucceeded():
            names["step.result"] = None
            if len(graph.after[fact.node]) > 1:
                names["branch.fork"] = None
        case StepFailed() | StopRequested():
            names["step.result"] = None
        case TimerFired():
            names["timer.fire"] = None
        case _:
            pass
    for command in commands:
        if type(command) is Execute:
            if command.attempt > 1:
                pass
            elif len(graph.before[command.node]) > 1:
                names["branch.join"] = None
            elif graph.undoes and command.node in graph.undoes:
                names["comp.begin"] = None
        elif type(command) is SetTimer:
            names["step.retry_scheduled" if command.kind == "retry" else "timer.create"] = None
    if state.status in TERMINAL:
        names["run.dead_letter" if state.status is _DEAD_LETTERED else "run.finish"] = None


def run_write(driver: Driver, *, release: bool, waits: bool, tries: bool) -> RunWrite:
    """Everything that changed since the last commit, as one unit. `tries`: attempts begin behind it, with an effect or
    without."""
    state, claimed, unit = driver.state, driver.claimed, driver.unit
    now = driver.shell.now_ms()
    before, after = driver.base.steps.get, state.steps
    steps = []
    decided = True
    for key in dict.fromkeys(unit.changed):
        step = after[key]
        # A first try follows from the rows before it; that somebody had it tried again follows from nothing.
        is_new = before(key) is not step and (step.status is not _READY or step.attempt > 1 or before(key) is not None)
        if is_new or (unit.noted and key[0] in unit.noted):
            # A note leaves the settings standing, which may be long.
            steps.append(step_write(driver, key, step, now, with_input=is_new))
            decided = decided and step.status in DECIDED
    if (named := driver.version.graph.naming) is not None and steps:
        naming.take_after(driver, named, unit.changed)
    ended = state.status in TERMINAL
    waiting = cause(driver.version.graph, state, now) if waits and not ended else None
    if waiting is not None and (waiting["kind"] == TURN or driver.fans):
        waiting = turn_words.said(driver, waiting)
    if driver.base.status is _ACCEPTED:
        unit.names["run.begin"] = None
    if ended and driver.version.around is not None:
        unit.names["bulk.item"] = None
    names = tuple(unit.names) or ("step.result",)
    intent = bool(unit.attempts) and any(attempt.status == "intent" for attempt in unit.attempts)
    return made(
        RunWrite,
        (
            claimed.run_id,
            claimed.workspace_id,
            claimed.workflow_id,
            claimed.token,
            names,
            state.status._value_,
            state.outcome,
            None if state.error is None else error_text(state.error),
            None if waiting is None else dumps(waiting),
            driver.business_key,
            driver.started_at,
            now if ended else None,
            driver.wake_at() if release else None,
            release,
            True,
            _unless(driver, intent=intent, begins=bool(unit.children), tries=tries, release=release),
            state.generation,
            tuple(steps),
            unit.attempts,
            unit.timers,
            unit.cleared,
            unit.response,
            driver.may_have_answered,
            driver.seq + 1,
            dead_letter(driver) if state.status is _DEAD_LETTERED else None,
            people.asked(driver) if unit.tasks else (),
            people.closed(driver.base, state, unit.changed),
            unit.children,
            signals.written(driver) if unit.waits else (),
            signals.over(driver.base, state, unit.changed),
            bool(steps) and decided and not release and not unit.attempts and _stands(driver),
            unit.readings,
            unit.files,
            unit.amounts,
            own_amounts.posted(driver) if ended else None,
            unit.worths,
        ),
    )


def told_with_cancel(told: Sequence[Told], now: int, *, ends: bool) -> list[Told]:
    """What was told for a commit that a cancel came before, with that. What `ends` the run comes after it: an ended
    run could not be cancelled."""
    others = [one for one in told if type(one.fact) is not CancelRequested]
    before = [one for one in others if type(one.fact) in (RunStarted, RunReopened)] if ends else others
    if ends and len(before) == len(others):
        # It ends as it begins: nothing is left to do.
        before = []
    return [*before, Told(now, fact=CancelRequested(now)), *others[len(before) :]]


def told_while_paused(base: RunState, told: Sequence[Told]) -> list[Told]:
    """What was told for a commit that a pause came before, without that a next try is due: it is when the run goes on,
    and how late it comes then costs none of the tries (I19)."""
    retrying = {key.node for key, step in base.steps.items() if step.status is StepStatus.RETRYING}
    return [one for one in told if not (isinstance(one.fact, TimerFired) and one.fact.node in retrying)]


def _unless(driver: Driver, *, intent: bool, begins: bool, tries: bool, release: bool) -> int:
    """What comes before this commit. Undoing cannot be cancelled, only paused."""
    state = driver.state
    # Whoever was told that the run is cancelled shall not find it done, and nothing undone. A part that is done, is:
    # the run around it looks after that.
    ends = driver.parent is None and state.status in TERMINAL
    leaves = (release or ends) and not state.cancel_requested
    undoing = state.status is _COMPENSATING or driver.base.status is _COMPENSATING
    heeds_cancel = (intent or begins or leaves) and not undoing
    # What only reads needs no intent; but behind a pause it would be put down as begun, and all of the pause as its
    # time.
    heeds_pause = intent or begins or tries
    return (UNLESS_CANCELLED if heeds_cancel else 0) + (UNLESS_PAUSED if heeds_pause else 0)


def _stands(driver: Driver) -> bool:
    """Whether the run itself is as it was, and the trail knows who holds it."""
    base, state = driver.base, driver.state
    return (
        driver.seq > driver.claimed.seq
        and state.status is base.status
        and state.error is base.error
        and state.outcome == base.outcome
        and state.cancel_requested == base.cancel_requested
        and state.undo_requested == base.undo_requested
    )


def dead_letter(driver: Driver) -> DeadLetterWrite | None:
    """What the failed run is kept under; tests leave nothing for anybody to decide."""
    error, claimed = driver.state.error, driver.claimed
    if error is None or claimed.mode != "live":
        return None
    node, alike = error.node or claimed.trigger_node, pattern(error.message)
    return DeadLetterWrite(
        node,
        cause_of(error, node, scope=claimed.workflow_id.hex, alike=alike),
        error.code[:64],
        error.title[:200],
        error.message,
        alike,
    )


def step_write(driver: Driver, key: StepKey, step: StepState, now: int, *, with_input: bool = True) -> StepWrite:
    """The row of one step, as it shall stand."""
    decided = step.status in DECIDED
    record = driver.records.get(key.node)
    if record is None:
        record = _NO_RECORD
    node, generation = key
    return made(
        StepWrite,
        (
            node,
            generation,
            driver.version.graph.by_id[node].key,
            step.status._value_,  # `value` goes through a descriptor written in Python
            step.attempt,
            ports_text(step.ports) if step.ports else "[]",
            record.note,
            record.input if with_input else None,
            record.output,
            None if step.error is None else error_text(step.error),
            wait_text(step, record.wait, record.begun),
            step.due_at,
            step.commit_seq,
            step.first_started_at,
            now if decided and step.status is not _SKIPPED else None,
        ),
    )


def handed_back(driver: Driver) -> RunWrite:
    """The run as it stands, for anybody to carry on at once (I31)."""
    return _bare(driver, status=driver.state.status.value, wake_at=driver.shell.now_ms(), names=("run.release",))


def let_go(driver: Driver, wake_at: int | None) -> RunWrite:
    """The run as it stands, to be looked at again when the time comes."""
    waiting = cause(driver.version.graph, driver.state, driver.since)
    waiting = waiting if waiting is None else turn_words.said(driver, waiting)
    return _bare(
        driver,
        status=driver.state.status.value,
        wake_at=wake_at,
        names=("run.release",),
        waiting=None if waiting is None else dumps(waiting),
        unless=UNLESS_CANCELLED if driver.state.status is not _COMPENSATING else 0,
    )


def parked(driver: Driver, unsupported: Unsupported) -> RunWrite:
    """Set aside, visibly, until a worker that knows this step type comes by."""
    now = driver.shell.now_ms()
    waiting = {
        "kind": "parked",
        "reason": "unsupported",
        "since": now,
        "until": now + PARKED_MS,
        "node": unsupported.node.id,
        "text": f"“{unsupported.node.name}” needs a newer Millrace: this one does not know {unsupported.node.type}",
    }
    return _bare(
        driver,
        # Of a run that is being undone nothing else would say so when it is taken up again.
        status=(_COMPENSATING if driver.base.status is _COMPENSATING else RunStatus.PARKED).value,
        wake_at=now + PARKED_MS,
        names=("run.park",),
        waiting=dumps(waiting),
    )


def _bare(
    driver: Driver,
    *,
    status: str,
    wake_at: int | None,
    names: tuple[str, ...],
    waiting: str | None = None,
    unless: int = 0,
) -> RunWrite:
    claimed, base = driver.claimed, driver.base
    return RunWrite(
        run_id=claimed.run_id,
        workspace_id=claimed.workspace_id,
        workflow_id=claimed.workflow_id,
        token=claimed.token,
        names=names,
        status=status,
        outcome=base.outcome,
        error=error_text(base.error),
        waiting=waiting,
        started_at=driver.started_at,
        wake_at=wake_at,
        release=True,
        unless=unless,
        generation=base.generation,
        seq=driver.seq + 1,
    )


def attempt_intent(driver: Driver, asked: Asked) -> AttemptWrite:
    """The row that stands before the effect may start (I9)."""
    return AttemptWrite(
        asked.step.node.id,
        asked.generation,
        asked.attempt,
        "intent",
        asked.step.effect.value,
        asked.key,
        asked.epoch,
        request_digest(asked.input_text),
        driver.shell.worker,
        asked.at,
        request=_request(asked, None),
    )


def attempt_ended(
    driver: Driver, asked: Asked, status: str, at: int, ending: Ending, error: StepError | None
) -> AttemptWrite:
    """The row of an attempt whose ending is known."""
    told = ending if isinstance(ending, Done | Failed) else None
    writes = asked.step.writes and bool(asked.key)
    return AttemptWrite(
        asked.step.node.id,
        asked.generation,
        asked.attempt,
        status,
        asked.step.effect.value,
        asked.key if writes else None,
        asked.epoch,
        request_digest(asked.input_text) if writes else None,
        driver.shell.worker,
        asked.at,
        at,
        _request(asked, None if told is None else told.request),
        None if told is None else told.response,
        error_text(error),
    )


def _request(asked: Asked, summary: str | None) -> str | None:
    """What was sent, in short; with the decision about the same attempt of a worker that died over it (I12)."""
    if asked.earlier is None:
        return summary
    found: Any = {} if summary is None else loads_stored(summary)
    # What a look-up has said of it stands there already.
    decision = _decision(asked.earlier) or {
        "decided_at": iso(asked.at),
        "policy": "retry_same_key",
        "text": f"Begun by {asked.earlier.worker}, which was never heard of again: sent once more with the same key.",
    }
    return dumps({**(found if isinstance(found, dict) else {"summary": found}), "in_doubt": decision})


def begun_before(driver: Driver, asked: Asked) -> int | None:
    """When this attempt was last begun, where it was cut off and begins once more: an intent says so of an effect. What
    only reads has none: of its first attempt the step's state says it, of a later one its row."""
    node_id = asked.step.node.id
    if asked.step.writes:
        return begun_at(driver.intents.get(node_id))
    record, step = driver.records.setdefault(node_id, Record()), driver.state.step(node_id)
    before, record.begun = record.begun, asked.at if asked.attempt > 1 else None
    if step is None or step.status is not StepStatus.RUNNING:
        return None
    return before if asked.attempt > 1 else step.first_started_at


def begun_at(earlier: AttemptRow | AttemptWrite | None) -> int | None:
    """When an attempt that was cut off was last begun."""
    if earlier is None:
        return None
    said = _said(earlier)
    # A look-up decides before the attempt is made once more; any other decision is told by that.
    decided = said.get("decided_at") if said.get("policy") != "look_up" else None
    return earlier.started_at if decided is None else round(datetime.fromisoformat(decided).timestamp() * 1_000)


def _decision(earlier: AttemptRow | AttemptWrite) -> dict[str, Any] | None:
    said = _said(earlier)
    return said if said.get("policy") == "look_up" else None


def _said(earlier: AttemptRow | AttemptWrite) -> dict[str, Any]:
    """What was decided about this attempt while it was in doubt; empty where nothing was."""
    known: Any = {} if earlier.request is None else loads_stored(earlier.request)
    said = known.get("in_doubt") if isinstance(known, dict) else None
    return said if isinstance(said, dict) else {}


def attempt_in_doubt(driver: Driver, row: AttemptRow | AttemptWrite, error: StepError, at: int) -> AttemptWrite:
    """An intent whose result nobody knows and that must not be repeated unasked."""
    return AttemptWrite(
        row.node_id,
        row.generation,
        row.attempt,
        "in_doubt",
        row.effect_class,
        row.effect_key,
        row.key_epoch,
        row.request_digest,
        driver.shell.worker,
        row.started_at,
        at,
        error=error_text(error),
    )


def in_doubt_error(name: str, cause: StepError | None = None) -> StepError:
    """What a person reads of an effect whose outcome is unknown."""
    why = "the process that ran it ended before it could tell" if cause is None else "the answer was lost"
    return StepError(
        code=IN_DOUBT,
        title="Nobody knows whether this happened",
        message=(
            f"“{name}” was begun and {why}. Doing it again could do it twice, so Millrace has stopped here. "
            "Look in the other system whether it happened."
        ),
        detail=None if cause is None else cause.message,
        kind="in_doubt",
        may_have_happened=True,
    )


def timer(driver: Driver, command: SetTimer) -> TimerWrite:
    return TimerWrite(command.node, driver.state.generation, command.kind, command.due_at)


def cleared(driver: Driver, node: str, kind: str) -> TimerClear:
    return TimerClear(node, driver.state.generation, kind)


def response(respond: Respond) -> ResponseWrite:
    return ResponseWrite(
        respond.status, dumps([[name, value] for name, value in respond.headers.items()]), respond.body.encode()
    )
