"""The law of a run: `advance(graph, state, fact) -> (state, commands)`.

A link is taken when its source succeeded (or failed and carried on) by that link's port; it is dead when the source is
decided otherwise; until then it is undecided. A step is ready when all its links are decided and one is taken, and
skipped when all are dead. So a join waits for every branch that can still arrive and for no other, and no link needs
a state of its own. Steps skipped are recorded like steps done, which makes every decision local: one fact looks at the
steps behind the one it is about, never at the whole graph.

A fact that does not apply returns the very same state (`new is old`) and no commands.
"""

from __future__ import annotations

from typing import Final, assert_never

from runtime.engine import undo
from runtime.engine.change import (
    COMPENSATING,
    FAILED,
    NEVER_CAME,
    READY,
    READY_FIRST,
    RETRYING,
    RUN_RUNNING,
    RUNNING,
    SUCCEEDED,
    WAITING,
    Change,
    tally_of,
    timer_kind,
)
from runtime.engine.commands import ClearTimer, Command, Execute, SetTimer
from runtime.engine.facts import (
    CancelRequested,
    Fact,
    FailRequested,
    RetryRequested,
    RunReopened,
    RunStarted,
    SignalReceived,
    StepFailed,
    StepInDoubt,
    StepInterrupted,
    StepStarted,
    StepSucceeded,
    StepWaits,
    StopRequested,
    TimerFired,
)
from runtime.engine.graph import DEFAULT_OUT, ERROR_PORT, Graph, Node
from runtime.engine.state import (
    DECIDED,
    LOOK_UP,
    TERMINAL,
    TURN,
    EdgeState,
    RunState,
    StepError,
    StepKey,
    StepState,
    made,
)

_NOTHING: Final[tuple[Command, ...]] = ()

#: Way out of an event or human wait whose time is over, unless the step named another.
TIMEOUT_PORT: Final = "timeout"


def advance(graph: Graph, state: RunState, fact: Fact) -> tuple[RunState, tuple[Command, ...]]:
    """The state after `fact`, and what to do now. Pure: the same arguments give the same answer, always.

    Never raises for a fact that comes too late, too early, twice, or for a step that is not there; raises TypeError
    for a state whose steps were not rebuilt with `StepStatus` members.
    """
    if state.status in TERMINAL:
        return state, _NOTHING
    match fact:
        case StepSucceeded():
            return _succeeded(graph, state, fact.node, fact.attempt, fact.ports, fact.at, fact.commit_seq)
        case StepStarted():
            return _started(state, fact)
        case RunStarted():
            return _run_started(graph, state, fact)
        case RunReopened():
            return _run_reopened(graph, state, fact)
        case StepFailed():
            return _failed(graph, state, fact)
        case StepWaits():
            return _waits(graph, state, fact)
        case StepInDoubt():
            return _in_doubt(graph, state, fact)
        case TimerFired():
            return _timer_fired(graph, state, fact)
        case SignalReceived():
            return _signal_received(graph, state, fact)
        case StepInterrupted():
            return _interrupted(graph, state, fact)
        case RetryRequested():
            return _retry_requested(graph, state, fact)
        case CancelRequested():
            return _cancel_requested(graph, state, fact)
        case StopRequested():
            return _stop_requested(graph, state, fact)
        case FailRequested():
            return _fail_requested(graph, state, fact)
        case _:
            assert_never(fact)


def resume(graph: Graph, state: RunState, at: int) -> tuple[Command, ...]:
    """What to do with a run that was just loaded, after a crash or a hand-over; the state stays as it is.

    Ready and running steps are to be executed, the attempt as recorded. The shell resolves the running steps whose
    effect is in doubt first (`StepWaits`, `StepSucceeded`, `StepFailed` as its policy says) and leaves those out.
    Waiting and retrying steps need nothing: their timers are rows. `at` is reserved.

    When the run is bound to end (`state.ending`), nothing may begin and the answer is empty: tell `StepInterrupted`
    for each step that is still running and not in doubt, and the run comes to its end.
    """
    if state.status in TERMINAL or state.ending is not None:
        return _NOTHING
    return tuple(
        Execute(key.node, step.attempt)
        for key, step in state.steps.items()
        if key.generation == state.generation and key.node in graph.by_id and step.status in (READY, RUNNING)
    )


def edge_states(graph: Graph, state: RunState) -> dict[str, EdgeState]:
    """How every link (by id) stands. Derived; links are never stored."""
    states: dict[str, EdgeState] = {}
    for edge in graph.edges:
        step = state.steps.get(StepKey(edge.source, state.generation))
        if step is None or not step.status.is_decided:
            states[edge.id] = EdgeState.UNDECIDED
        elif step.status in (SUCCEEDED, FAILED) and edge.source_handle in step.ports:
            states[edge.id] = EdgeState.TAKEN
        else:
            states[edge.id] = EdgeState.DEAD
    return states


def _run_started(graph: Graph, state: RunState, fact: RunStarted) -> tuple[RunState, tuple[Command, ...]]:
    if state.steps or state.ending is not None:
        return state, _NOTHING
    change = Change(graph, state)
    if graph.container is not None and fact.trigger_node == graph.container:
        for root in graph.roots:
            change.set_out(root)
        return change.done()
    if fact.trigger_node not in graph.by_id:
        change.error = StepError(
            code="run.start_missing",
            title="The start is not there",
            message="This version of the workflow has no such start step. Start the run from a start that it has.",
            kind="config",
            node=fact.trigger_node,
        )
        return change.done()
    change.execute(fact.trigger_node, 1, None)
    for root in graph.roots:
        if root != fact.trigger_node:
            change.put(root, NEVER_CAME)
            change.follow(root)
    return change.done()


def _run_reopened(graph: Graph, state: RunState, fact: RunReopened) -> tuple[RunState, tuple[Command, ...]]:
    if not state.steps or state.ending is not None:
        return state, _NOTHING
    is_open = any(key[1] == state.generation and step.status not in DECIDED for key, step in state.steps.items())
    change = Change(graph, state)
    if state.status is COMPENSATING:
        # Somebody said how each undo step ended that had no answer, and no other is left.
        return (state, _NOTHING) if is_open else change.done()
    for root in graph.roots:
        if root == fact.trigger_node or state.step(root) is not None:
            continue
        if graph.container is None:
            change.put(root, NEVER_CAME)
        else:
            change.set_out(root)
    for node in graph.order:
        step = change.steps.get((node, state.generation))
        if step is not None and step.status in DECIDED:
            change.follow(node)
    if is_open and not change.changed:
        return state, _NOTHING
    return change.done()


def _started(state: RunState, fact: StepStarted) -> tuple[RunState, tuple[Command, ...]]:
    step = state.steps.get(StepKey(fact.node, state.generation))
    if step is None or step.attempt != fact.attempt:
        return state, _NOTHING
    is_anew = fact.since is not None and step.status is RUNNING and step.wait_kind != LOOK_UP
    if step.status is not READY and not is_anew:
        return state, _NOTHING
    first = fact.at if step.first_started_at is None else step.first_started_at
    late = step.late_ms if fact.since is None else min(step.late_ms + max(0, fact.at - fact.since), fact.at - first)
    key = StepKey(fact.node, state.generation)
    steps = {**state.steps, key: StepState(RUNNING, step.attempt, first_started_at=first, late_ms=late)}
    # Ready and running count as one sort of open step, so nothing about the run changes.
    return (
        RunState(
            COMPENSATING if state.status is COMPENSATING else RUN_RUNNING, state.generation, steps, state.outcome,
            state.error, state.cancel_requested, state.undo_requested, state.tally or tally_of(state), (key,),
        ),
        _NOTHING,
    )  # fmt: skip


def _succeeded(
    graph: Graph,
    state: RunState,
    node: str,
    attempt: int | None,
    ports: tuple[str, ...],
    at: int,
    commit_seq: int | None,
) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, node, attempt)
    if step is None or not (step.status is RUNNING or step.status is READY):
        return state, _NOTHING
    if graph.undoes and node in graph.undoes:
        ports = undo.ports_of(graph.undoes[node])
    done = _success(step, ports, at, commit_seq)
    if (straight := graph.straight.get(node)) is not None and state.ending is None:
        handles, target = straight
        if not handles.isdisjoint(ports) and (target, state.generation) not in state.steps:
            # One step is done, and the only one behind it is ready: what `Change` would find out, without it.
            generation = state.generation
            changed = made(StepKey, (node, generation)), made(StepKey, (target, generation))
            steps = {**state.steps, changed[0]: done, changed[1]: READY_FIRST}
            tally = state.tally or tally_of(state)
            return (
                made(RunState, (RUN_RUNNING, generation, steps, None, None, False, False, tally, changed)),
                (made(Execute, (target, 1)),),
            )
    change = Change(graph, state)
    change.replace_step(node, step, done)
    change.follow(node)
    return change.done()


def _failed(graph: Graph, state: RunState, fact: StepFailed) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, fact.attempt)
    if step is None or step.status not in (RUNNING, READY, WAITING) or _is_asked_about(step):
        return state, _NOTHING
    change = Change(graph, state)
    due_at = _next_try(graph.by_id[fact.node], step, fact)
    if due_at is not None and state.ending is not None:
        # Not given up, only not tried again: this failure must not turn a stopped run into a dead letter.
        change.cancel_step(fact.node, step, error=fact.error, seq=fact.commit_seq)
        return change.done()
    if step.due_at is not None:
        change.commands.append(ClearTimer(fact.node, timer_kind(step)))
    if due_at is not None:
        change.replace_step(
            fact.node,
            step,
            StepState(
                RETRYING,
                step.attempt,
                due_at=due_at,
                error=fact.error,
                commit_seq=fact.commit_seq,
                first_started_at=_first(step, fact.at),
                late_ms=step.late_ms,
            ),
        )
        change.commands.append(SetTimer(fact.node, due_at, "retry"))
        return change.done()
    asks = graph.by_id[fact.node].settings.on_failure == "person"
    if asks and state.ending is None and state.status is not COMPENSATING:
        waiting = StepState(
            WAITING, step.attempt, wait_kind="human", error=fact.error, commit_seq=fact.commit_seq,
            first_started_at=_first(step, fact.at), late_ms=step.late_ms,
        )  # fmt: skip
        change.replace_step(fact.node, step, waiting)
        return change.done()
    ports = _ports_after_failure(graph.by_id[fact.node])
    change.replace_step(fact.node, step, _failure(step, ports, fact))
    if ports:
        change.follow(fact.node)
    else:
        change.fail_run(fact.node, fact.error)
    return change.done()


def _in_doubt(graph: Graph, state: RunState, fact: StepInDoubt) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, fact.attempt)
    if step is None or step.status is not RUNNING:
        return state, _NOTHING
    change = Change(graph, state)
    if state.ending is not None:
        # Nothing begins any more, a look-up neither: what may have happened stands in the error, for undo to know.
        change.cancel_step(fact.node, step, error=fact.error, seq=fact.commit_seq)
        return change.done()
    if fact.due_at is None and state.status is COMPENSATING:
        change.replace_step(fact.node, step, _failure(step, (), fact))
        return change.done()
    waiting = StepState(
        WAITING, step.attempt, due_at=fact.due_at, wait_kind="human" if fact.due_at is None else LOOK_UP,
        error=fact.error, commit_seq=fact.commit_seq, first_started_at=_first(step, fact.at), late_ms=step.late_ms,
    )  # fmt: skip
    change.replace_step(fact.node, step, waiting)
    if fact.due_at is not None:
        change.commands.append(SetTimer(fact.node, fact.due_at, timer_kind(waiting)))
    return change.done()


def _waits(graph: Graph, state: RunState, fact: StepWaits) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, fact.attempt)
    if step is None or not (step.status is RUNNING or step.status is READY):
        return state, _NOTHING
    change = Change(graph, state)
    if state.ending is not None or (state.status is COMPENSATING and fact.kind not in ("children", TURN)):
        # A wait would keep a run open that is to end, or undos from being carried out.
        change.cancel_step(fact.node, step)
        return change.done()
    due_at = fact.at if fact.due_at is None and fact.kind == "timer" else fact.due_at
    if fact.kind == TURN:
        change.await_turn(fact.node, step, fact.at, fact.at if due_at is None else due_at)
        return change.done()
    waiting = StepState(
        WAITING,
        step.attempt,
        ports=fact.due_ports or (),
        due_at=due_at,
        wait_kind=fact.kind,
        first_started_at=_first(step, fact.at),
        late_ms=step.late_ms,
    )
    change.replace_step(fact.node, step, waiting)
    if due_at is not None:
        change.commands.append(SetTimer(fact.node, due_at, timer_kind(waiting)))
    return change.done()


def _timer_fired(graph: Graph, state: RunState, fact: TimerFired) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, None)
    if step is None or step.due_at is None or not (step.status is RETRYING or step.status is WAITING):
        return state, _NOTHING
    if fact.at < step.due_at:
        # The nudge may have been the timer itself, taken off its row a moment too soon: ask for it again.
        return state, (SetTimer(fact.node, step.due_at, timer_kind(step)),)
    change = Change(graph, state)
    late = step.late_ms + fact.at - step.due_at
    if step.status is RETRYING:
        change.execute(fact.node, step.attempt + 1, step._replace(late_ms=late), first_started_at=step.first_started_at)
        return change.done()
    if step.wait_kind == LOOK_UP:
        change.replace_step(fact.node, step, step._replace(status=RUNNING, due_at=None, late_ms=late))
        change.commands.append(Execute(fact.node, step.attempt))
        return change.done()
    if step.wait_kind == TURN:
        change.have_turn(fact.node, step, fact.at)
        return change.done()
    ports = step.ports or ((DEFAULT_OUT,) if step.wait_kind == "timer" else (TIMEOUT_PORT,))
    change.replace_step(fact.node, step, _success(step, ports, fact.at, None))
    change.follow(fact.node)
    return change.done()


def _signal_received(graph: Graph, state: RunState, fact: SignalReceived) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, None)
    if step is None or step.status is not WAITING or step.wait_kind in ("timer", LOOK_UP, TURN):
        return state, _NOTHING
    change = Change(graph, state)
    if step.due_at is not None:
        change.commands.append(ClearTimer(fact.node, timer_kind(step)))
    ports = undo.ports_of(graph.undoes[fact.node]) if fact.node in graph.undoes else fact.ports
    change.replace_step(fact.node, step, _success(step, ports, fact.at, fact.commit_seq))
    change.follow(fact.node)
    return change.done()


def _interrupted(graph: Graph, state: RunState, fact: StepInterrupted) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, fact.attempt)
    if step is None or not (step.status is RUNNING or step.status is WAITING):
        return state, _NOTHING
    change = Change(graph, state)
    if state.ending is not None:
        change.cancel_step(fact.node, step)
        return change.done()
    if step.due_at is not None:
        change.commands.append(ClearTimer(fact.node, timer_kind(step)))
    if step.wait_kind == TURN:
        change.have_turn(fact.node, step, fact.at)
        return change.done()
    change.execute(fact.node, step.attempt, step, first_started_at=step.first_started_at)
    return change.done()


def _retry_requested(graph: Graph, state: RunState, fact: RetryRequested) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, None)
    if step is None or not _is_asked_about(step):
        return state, _NOTHING
    change = Change(graph, state)
    if state.ending is not None:
        change.cancel_step(fact.node, step)
        return change.done()
    change.execute(fact.node, step.attempt + 1, step, first_started_at=step.first_started_at)
    return change.done()


def _cancel_requested(graph: Graph, state: RunState, fact: CancelRequested) -> tuple[RunState, tuple[Command, ...]]:
    if state.status is COMPENSATING:
        return state, _NOTHING
    statuses = {RUNNING if step.wait_kind == "children" else step.status for step in state.steps.values()}
    is_known = state.cancel_requested and (state.undo_requested or not fact.undo)
    if is_known and RUNNING in statuses and statuses.isdisjoint((READY, RETRYING, WAITING)):
        return state, _NOTHING
    # Also for a state that was loaded with the request already in it, and that nobody has wound up yet.
    change = Change(graph, state)
    change.cancel, change.undo, change.outcome = True, change.undo or fact.undo, None
    change.wind_up()
    return change.done()


def _stop_requested(graph: Graph, state: RunState, fact: StopRequested) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, None)
    if step is None or not (step.status is RUNNING or step.status is READY):
        return state, _NOTHING
    change = Change(graph, state)
    change.replace_step(fact.node, step, _success(step, (), fact.at, fact.commit_seq))
    if state.ending is None:
        change.outcome = fact.outcome
        change.wind_up()
    return change.done()


def _fail_requested(graph: Graph, state: RunState, fact: FailRequested) -> tuple[RunState, tuple[Command, ...]]:
    step = _current(graph, state, fact.node, None)
    if step is None or not (step.status is RUNNING or step.status is READY or _is_asked_about(step)):
        return state, _NOTHING
    change = Change(graph, state)
    change.replace_step(fact.node, step, _failure(step, (), fact))
    if fact.skips:
        change.skip_run()
    else:
        change.fail_run(fact.node, fact.error)
    return change.done()


def _current(graph: Graph, state: RunState, node: str, attempt: int | None) -> StepState | None:
    """The step, if the graph has it, the run has come to it, and the fact is about its current attempt."""
    step = state.step(node)
    if step is None or (attempt is not None and attempt != step.attempt) or node not in graph.by_id:
        return None
    return step


def _is_asked_about(step: StepState) -> bool:
    """Whether a person is asked what to do about this step's failure."""
    return step.status is WAITING and step.wait_kind == "human" and step.error is not None


def _first(step: StepState, at: int) -> int:
    return at if step.first_started_at is None else step.first_started_at


def _success(step: StepState, ports: tuple[str, ...], at: int, commit_seq: int | None) -> StepState:
    first = at if step.first_started_at is None else step.first_started_at
    return made(StepState, (SUCCEEDED, step.attempt, ports, None, None, None, commit_seq, first, 0))


def _failure(step: StepState, ports: tuple[str, ...], fact: StepFailed | FailRequested | StepInDoubt) -> StepState:
    first = _first(step, fact.at)
    return StepState(FAILED, step.attempt, ports, error=fact.error, commit_seq=fact.commit_seq, first_started_at=first)


def _next_try(node: Node, step: StepState, fact: StepFailed) -> int | None:
    """When to try again, or None to give up."""
    policy = node.settings.retry
    if not fact.error.retryable or step.attempt >= policy.attempts:
        return None
    due_at = fact.at + policy.delay_ms(
        step.attempt, jitter=fact.jitter, retry_after_seconds=fact.error.retry_after_seconds
    )
    if policy.total_seconds is not None:
        # Not the time in which nothing could be tried.
        spent = due_at - _first(step, fact.at) - step.late_ms
        if spent > policy.total_seconds * 1000:
            return None
    return due_at


def _ports_after_failure(node: Node) -> tuple[str, ...]:
    """The ways out of a step that was given up; none ends the run."""
    match node.settings.on_failure:
        case "continue":
            return (node.default_port,)
        case "error_port":
            # A failure that leads nowhere would be a silent one.
            return (ERROR_PORT,) if node.has_error_edge else ()
        case "stop" | "undo" | "person":
            return ()
