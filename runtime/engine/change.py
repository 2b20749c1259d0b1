"""One fact at work on a state: a copy that is changed step by step, counted as it goes, and frozen again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

from runtime.engine import undo
from runtime.engine.commands import ClearTimer, Command, Execute, FinishRun, PassThrough, SetTimer, TimerKind
from runtime.engine.graph import Graph, Node
from runtime.engine.state import (
    DECIDED,
    LOOK_UP,
    TURN,
    Outcome,
    RunState,
    RunStatus,
    StepError,
    StepKey,
    StepState,
    StepStatus,
    Tally,
)

# Looking a member up on its class costs more than comparing it, and this is the hot path.
READY: Final = StepStatus.READY
RUNNING: Final = StepStatus.RUNNING
RETRYING: Final = StepStatus.RETRYING
WAITING: Final = StepStatus.WAITING
SUCCEEDED: Final = StepStatus.SUCCEEDED
FAILED: Final = StepStatus.FAILED
SKIPPED: Final = StepStatus.SKIPPED
CANCELLED: Final = StepStatus.CANCELLED
RUN_RUNNING: Final = RunStatus.RUNNING
COMPENSATING: Final = RunStatus.COMPENSATING

NEVER_CAME: Final = StepState(SKIPPED)
READY_FIRST: Final = StepState(READY, 1)


def tally_of(state: RunState) -> Tally:
    """Count the open steps of this generation. Raises TypeError when a status is a plain string."""
    active = timers = events = humans = children = 0
    for key, step in state.steps.items():
        status = step.status
        if not isinstance(status, StepStatus):
            raise TypeError(f"step {key}: status {status!r} is not a StepStatus; convert it when loading")
        if key[1] != state.generation:
            continue
        if status is READY or status is RUNNING:
            active += 1
        elif status is RETRYING:
            timers += 1
        elif status is WAITING:
            timers += step.wait_kind in ("timer", LOOK_UP, TURN)
            events += step.wait_kind == "event"
            humans += step.wait_kind == "human"
            children += step.wait_kind == "children"
    return Tally(active, timers, events, humans, children)


class Change:
    """A copy of the state under work. One per fact; `done` freezes it again."""

    __slots__ = (
        "active", "cancel", "changed", "children", "commands", "error", "events", "generation", "graph", "humans",
        "outcome", "state", "steps", "timers", "undo", "undoing",
    )  # fmt: skip

    def __init__(self, graph: Graph, state: RunState) -> None:
        self.graph = graph
        self.state = state
        self.generation = state.generation
        # Looked up by plain tuples, which equal a StepKey and are made three times faster.
        self.steps: dict[tuple[str, int], StepState] = dict(cast("dict[tuple[str, int], StepState]", state.steps))
        self.outcome = state.outcome
        self.error = state.error
        self.cancel = state.cancel_requested
        self.undo = state.undo_requested
        self.undoing = state.status is COMPENSATING
        self.active, self.timers, self.events, self.humans, self.children = state.tally or tally_of(state)
        self.commands: list[Command] = []
        self.changed: list[StepKey] = []

    def put(self, node: str, step: StepState) -> None:
        """Record a step. Every change of a step goes through here."""
        key = StepKey(node, self.generation)
        self.steps[key] = step
        self.changed.append(key)

    def open_step(self, node: str, step: StepState) -> None:
        """Record a step that has something before it, and count it."""
        self.put(node, step)
        self._count(step, 1)

    def replace_step(self, node: str, old: StepState, new: StepState) -> None:
        self._count(old, -1)
        self._count(new, 1)
        self.put(node, new)

    def _count(self, step: StepState, by: int) -> None:
        status = step.status
        if status is READY or status is RUNNING:
            self.active += by
        elif status is RETRYING:
            self.timers += by
        elif status is WAITING:
            if step.wait_kind == "human":
                self.humans += by
            elif step.wait_kind == "event":
                self.events += by
            elif step.wait_kind == "children":
                self.children += by
            else:
                self.timers += by

    def execute(self, node: str, attempt: int, old: StepState | None, *, first_started_at: int | None = None) -> None:
        """Make the step ready for this attempt."""
        # What the try before came to is forgotten when this one begins; until then undo may ask for it.
        error, seq = (None, None) if old is None or old.status is RUNNING else (old.error, old.commit_seq)
        late = 0 if old is None else old.late_ms
        ready = StepState(READY, attempt, error=error, commit_seq=seq, first_started_at=first_started_at, late_ms=late)
        if old is None:
            self.open_step(node, ready)
        else:
            self.replace_step(node, old, ready)
        self.commands.append(Execute(node, attempt))

    def await_turn(self, node: str, step: StepState, at: int, due_at: int) -> None:
        """Nothing has begun: no time of the tries goes by, and what the try before came to stands."""
        late = 0 if step.first_started_at is None else step.late_ms + due_at - at
        waiting = step._replace(status=WAITING, due_at=due_at, wait_kind=TURN, late_ms=late)
        self.replace_step(node, step, waiting)
        self.commands.append(SetTimer(node, due_at, timer_kind(waiting)))

    def have_turn(self, node: str, step: StepState, at: int) -> None:
        """Its turn may have come: the same attempt is asked for. Only one that has begun before has time to lose."""
        late = 0 if step.first_started_at is None or step.due_at is None else max(0, step.late_ms + at - step.due_at)
        self.replace_step(node, step, step._replace(status=READY, due_at=None, wait_kind=None, late_ms=late))
        self.commands.append(Execute(node, step.attempt))

    def follow(self, node: str) -> None:
        """`node` is decided: decide what can now be decided behind it. Iterative, for graphs may be deep."""
        if self.cancel or self.error is not None or self.outcome is not None:
            return
        graph, steps, generation = self.graph, self.steps, self.generation
        decided = [node]
        while decided:
            for target in graph.after[decided.pop()]:
                if (target, generation) in steps:
                    continue
                taken = self._is_taken(target)
                if taken is None:
                    continue
                if not taken:
                    self.put(target, NEVER_CAME)
                    decided.append(target)
                elif graph.by_id[target].settings.disabled:
                    self._pass_through(graph.by_id[target])
                    decided.append(target)
                else:
                    self.execute(target, 1, None)

    def _is_taken(self, node: str) -> bool | None:
        """Whether a link to it is taken, when all are decided; else None."""
        steps, generation = self.steps, self.generation
        if needs := self.graph.by_id[node].needs:
            return self._have_arrived(node, needs)
        taken = False
        for source, handle in self.graph.before[node]:
            step = steps.get((source, generation))
            if step is None:
                return None
            status = step.status
            if status is SUCCEEDED or status is FAILED:
                if handle in step.ports:
                    taken = True
            elif status is not SKIPPED:
                return None
        return taken

    def _have_arrived(self, node: str, needs: int) -> bool | None:
        """Whether so many links to it are taken; when fewer can still be, those that came suffice."""
        arrived = undecided = 0
        for source, handle in self.graph.before[node]:
            step = self.steps.get((source, self.generation))
            if step is None or step.status not in DECIDED:
                undecided += 1
            elif step.status in (SUCCEEDED, FAILED) and handle in step.ports:
                arrived += 1
        if arrived >= needs:
            return True
        return None if undecided else arrived > 0

    def set_out(self, node: str) -> None:
        """Nothing leads to this step of a body: it begins with the run."""
        if self.graph.by_id[node].settings.disabled:
            self._pass_through(self.graph.by_id[node])
            self.follow(node)
        else:
            self.execute(node, 1, None)

    def _pass_through(self, node: Node) -> None:
        self.put(node.id, StepState(SUCCEEDED, ports=(node.default_port,)))
        source = next(
            (
                edge.source
                for edge in self.graph.incoming[node.id]
                if edge.source_handle in self.steps[(edge.source, self.generation)].ports
            ),
            None,
        )
        self.commands.append(PassThrough(node.id, source))

    def wind_up(self) -> None:
        """The run is bound to end: what has not begun is cancelled, what runs may finish."""
        for key, step in list(self.steps.items()):
            if key[1] != self.generation:
                continue
            # Runs of its own come to their end first: the shell cancels them, and tells when none is left.
            if step.status in (READY, RETRYING, WAITING) and step.wait_kind != "children":
                self.cancel_step(key[0], step)

    def cancel_step(
        self, node: str, step: StepState, *, error: StepError | None = None, seq: int | None = None
    ) -> None:
        if step.due_at is not None:
            self.commands.append(ClearTimer(node, timer_kind(step)))
        self.replace_step(
            node,
            step,
            StepState(
                CANCELLED,
                step.attempt,
                error=error or step.error,
                commit_seq=seq if seq is not None else step.commit_seq,
                first_started_at=step.first_started_at,
            ),
        )

    def fail_run(self, node: str, error: StepError) -> None:
        """Let a step's failure end the run, unless a failure or a cancel does so already; that of an undo step never
        keeps the others from being carried out (I26)."""
        if self.cancel or self.undoing:
            return
        # Of several failures the first counts; but one that asks for undo is never passed over for one that does not.
        error = replace(error, node=node)
        if self.error is None or (self._asks_for_undo(error) and not self._asks_for_undo(self.error)):
            self.error, self.outcome = error, None
            self.wind_up()

    def skip_run(self) -> None:
        """Let a person's word end the run as left out, unless it is bound to end already: that hides no failure."""
        if not (self.cancel or self.undoing or self.error is not None or self.outcome is not None):
            self.outcome = Outcome.SKIPPED.value
            self.wind_up()

    def done(self) -> tuple[RunState, tuple[Command, ...]]:
        if self.undoing and (self.active or self.timers or self.children):
            status = COMPENSATING
        elif self.active:
            status = RUN_RUNNING
        elif self.humans:
            status = RunStatus.WAITING_HUMAN
        elif self.events or self.children:
            status = RunStatus.WAITING_EVENT
        elif self.timers:
            status = RunStatus.WAITING_TIMER
        else:
            status = self._finish()
        return (
            RunState(
                status,
                self.generation,
                cast("dict[StepKey, StepState]", self.steps),
                self.outcome,
                self.error,
                self.cancel,
                self.undo,
                Tally(self.active, self.timers, self.events, self.humans, self.children),
                tuple(self.changed),
            ),
            tuple(self.commands),
        )

    def _finish(self) -> RunStatus:
        if self.undoing or self._is_to_be_undone():
            self.undoing = True
            steps = cast("dict[StepKey, StepState]", self.steps)
            step = undo.next_step(self.graph, steps, self.generation)
            if step is not None:
                self.execute(step, 1, None)
                return COMPENSATING
            left = undo.not_undone(self.graph, steps, self.generation)
            if left:
                done = undo.undone(self.graph, steps, self.generation)
                here = self.graph, steps, self.generation
                told = undo.inside(*here, left), undo.unsure(*here, left), undo.earlier(*here)
                self.error = undo.incomplete(self.graph, done, left, self.error, *told)
            status, self.outcome = RunStatus.DEAD_LETTERED if left else RunStatus.COMPENSATED, None
        elif self.cancel:
            status = RunStatus.CANCELLED
        elif self.error is not None:
            status = RunStatus.DEAD_LETTERED
        else:
            status = RunStatus.COMPLETED
            if self.outcome is None:
                failures = any(step.status is FAILED for key, step in self.steps.items() if key[1] == self.generation)
                self.outcome = (Outcome.DONE_WITH_FAILURES if failures else Outcome.DONE).value
        self.commands.append(FinishRun(status, self.outcome, self.error))
        return status

    def _is_to_be_undone(self) -> bool:
        return self.undo or (self.error is not None and self._asks_for_undo(self.error))

    def _asks_for_undo(self, error: StepError) -> bool:
        # Where somebody has to decide first nothing has failed yet, and undone it could not be decided about any more.
        node = self.graph.by_id.get(error.node or "")
        return node is not None and node.settings.on_failure == "undo" and error.code != undo.ASKS_FIRST


def timer_kind(step: StepState) -> TimerKind:
    if step.status is RETRYING or step.wait_kind == LOOK_UP:
        return "retry"
    return "wait" if step.wait_kind in ("timer", TURN) else "timeout"
