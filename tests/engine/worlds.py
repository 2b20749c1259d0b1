"""Generated graphs, and a shell that runs them in any order, with crashes, duplicates and early timers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from runtime.engine.advance import resume
from runtime.engine.commands import ClearTimer, Command, Execute, PassThrough, SetTimer
from runtime.engine.facts import (
    CancelRequested,
    Fact,
    FailRequested,
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
from runtime.engine.graph import Edge, Graph, Node, OnFailure, RetryPolicy, Settings
from runtime.engine.state import RunState, StepStatus
from tests.engine.drawing import Run, failure
from tests.engine.reference import Behaviour, Try

WAITS = {"timer", "event", "human", "doubt"}
PORTS = ("out", "yes", "no", "error")
QUIET: tuple[Try, ...] = ("ok", "ok", "ok", "flaky", "broken", "doubt", "timer", "event", "human")
ENDING: tuple[Try, ...] = (*QUIET, "stop", "fail")


@dataclass(frozen=True)
class World:
    graph: Graph
    start: str
    behaviours: dict[str, Behaviour]


def world(dice: random.Random, *, size: int = 12, ending: bool = False) -> World:
    """A random graph with random behaviour. Without `ending` no step ends the run before its time."""
    count = dice.randint(1, size)
    starts = dice.choice((1, 1, 1, 2, 3))
    ids = [f"n{index}" for index in range(count)]
    edges: list[Edge] = []
    for index in range(starts, count):
        for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3))):
            source = ids[dice.randrange(max(0, index - 6), index)]
            edges.append(Edge(f"e{len(edges)}", source, dice.choice(PORTS), ids[index]))
    has_error = {edge.source for edge in edges if edge.source_handle == "error"}
    nodes = []
    behaviours = {}
    for index, name in enumerate(ids):
        tries = tuple(dice.choice(ENDING if ending else QUIET) for _ in range(dice.randint(1, 4)))
        ports = tuple(port for port in ("out", "yes", "no") if dice.random() < 0.6)
        # A wait always has some way out.
        behaviours[name] = Behaviour(tries, ports or (("out",) if WAITS & set(tries) else ()))
        choices: tuple[OnFailure, ...] = ("continue", "error_port") if name in has_error else ("continue",)
        settings = Settings(
            disabled=dice.random() < 0.12,
            retry=RetryPolicy(attempts=dice.randint(1, 4), total_seconds=None),
            on_failure=dice.choice((*choices, "stop", "error_port") if ending else choices),
        )
        kind = "trigger.manual@1" if index < starts else "data.step@1"
        nodes.append(Node(name, name, kind, name, {}, settings))
    return World(Graph.of(nodes, edges), ids[dice.randrange(min(starts, count))], behaviours)


@dataclass
class Shell:
    """Runs a world to its end. Every choice is the dice's; `trouble` adds crashes, duplicates and early timers."""

    world: World
    dice: random.Random
    trouble: bool = False
    cancel_after: int | None = None
    run: Run = field(init=False)
    todo: set[tuple[str, int]] = field(default_factory=set)
    running: set[tuple[str, int]] = field(default_factory=set)
    #: node → due_at, as the rows would say.
    timers: dict[str, int] = field(default_factory=dict)
    told: list[Fact] = field(default_factory=list)
    #: Attempts that began, in order; one that was interrupted stands here twice.
    begun: list[tuple[str, int]] = field(default_factory=list)
    interrupted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.run = Run(self.world.graph)

    def finish(self, first: Fact | None = None) -> RunState:
        self.tell(first or RunStarted(self.world.start, self.run.at))
        for turn in range(10_000):
            if self.run.state.status.is_terminal:
                return self.run.state
            if turn == self.cancel_after:
                self.tell(CancelRequested(self.run.at))
                continue
            self._one_move()
        raise AssertionError(f"the run did not end: {self.run.state}")

    def tell(self, fact: Fact) -> list[Command]:
        before = self.run.state
        commands = self.run.tell(fact)
        self.told.append(fact)
        self._check_what_is_said_to_have_changed(before)
        self._obey(commands, before)
        again, nothing = self.run.state, self.run.tell(fact)
        assert self.run.state is again, f"{fact} counted twice"
        assert all(isinstance(command, SetTimer) for command in nothing), f"{fact} asked twice"
        return commands

    def _obey(self, commands: list[Command], before: RunState) -> None:
        for command in commands:
            match command:
                case Execute(node, attempt):
                    self._check_inputs(node)
                    assert before.ending is None, "nothing begins in a run that is bound to end"
                    # A look-up is under way at once.
                    (self.running if self.run.status(node) is StepStatus.RUNNING else self.todo).add((node, attempt))
                case SetTimer(node, due_at):
                    self.timers[node] = due_at
                case ClearTimer(node):
                    del self.timers[node]
                case PassThrough(node, source):
                    self._check_inputs(node)
                    assert source in {edge.source for edge in self.world.graph.incoming[node]}
        self.todo = {(node, number) for node, number in self.todo if self.run.status(node) is StepStatus.READY}

    def _check_what_is_said_to_have_changed(self, before: RunState) -> None:
        """Rows are written of these steps and of no others."""
        state = self.run.state
        if state is not before:
            changed = {key for key, step in state.steps.items() if before.steps.get(key) is not step}
            assert changed <= set(state.changed) <= set(state.steps), "a step changed and nobody was told"

    def _check_inputs(self, node: str) -> None:
        for edge in self.world.graph.incoming[node] if node != self.world.start else ():
            status = self.run.status(edge.source)
            assert status is not None, f"{node} began before {edge.source} was decided"
            assert status.is_decided, f"{node} began before {edge.source} was decided"

    def _one_move(self) -> None:
        self.run.at += self.dice.randint(1, 50)
        if self.trouble and self.dice.random() < 0.3:
            self._make_trouble()
            return
        waiting = sorted(self.run.with_status(StepStatus.WAITING, StepStatus.RETRYING))
        moves: list[str | tuple[str, int]] = [*sorted(self.todo), *sorted(self.running), *waiting]
        assert moves, f"nothing to do, and the run is not over: {self.run.state}"
        move = self.dice.choice(moves)
        if isinstance(move, str):
            self._wake(move)
        elif move in self.todo and self.dice.random() < 0.1:
            # It is not its turn yet. Nothing has begun, so the same attempt is asked for later.
            self.todo.discard(move)
            self.interrupted.add(move[0])
            self.tell(StepWaits(move[0], move[1], "turn", self.run.at + self.dice.randint(0, 5_000), self.run.at))
        elif move in self.todo:
            self.tell(StepStarted(move[0], move[1], self.run.at))
            self.todo.discard(move)
            self.begun.append(move)
            self.running.add(move)
        else:
            self.running.discard(move)
            self._complete(move[0], move[1])

    def _complete(self, node: str, attempt: int) -> None:
        behaviour, at = self.world.behaviours[node], self.run.at
        step = self.run.state.step(node)
        if step is not None and step.wait_kind == "look_up" and self.dice.random() < 0.7:
            self.tell(StepSucceeded(node, attempt, behaviour.ports, at, commit_seq=len(self.told)))
            return
        match behaviour.tries[min(attempt, len(behaviour.tries)) - 1]:
            case "ok":
                self.tell(StepSucceeded(node, attempt, behaviour.ports, at, commit_seq=len(self.told)))
            case "flaky":
                self.tell(StepFailed(node, attempt, failure(retryable=True), at, self.dice.random()))
            case "broken":
                self.tell(StepFailed(node, attempt, failure(), at))
            case "stop":
                self.tell(StopRequested(node, "stopped", at))
            case "fail":
                self.tell(FailRequested(node, failure(), at))
            case "doubt":
                # The attempt keeps its number through look-ups, so what was told before looks current again.
                self.interrupted.add(node)
                looks_at = at + self.dice.randint(0, 5_000) if self.dice.random() < 0.7 else None
                self.tell(StepInDoubt(node, attempt, failure(), at, looks_at))
            case "timer":
                due_at = at + self.dice.randint(0, 5_000)
                self.tell(StepWaits(node, attempt, "timer", due_at, at, due_ports=behaviour.ports))
            case "event" | "human" as kind:
                due = at + 5_000 if self.dice.random() < 0.5 else None
                self.tell(StepWaits(node, attempt, kind, due, at, due_ports=behaviour.ports))

    def _wake(self, node: str) -> None:
        step = self.run.state.step(node)
        assert step is not None
        if step.wait_kind in ("event", "human") and (step.due_at is None or self.dice.random() < 0.5):
            self.tell(SignalReceived(node, self.world.behaviours[node].ports, self.run.at))
            return
        assert step.due_at is not None
        assert self.timers[node] == step.due_at
        self.run.at = max(self.run.at, step.due_at)
        del self.timers[node]
        self.tell(TimerFired(node, self.run.at))

    def _make_trouble(self) -> None:
        what = self.dice.choice(("late", "late", "early", "crash", "reload"))
        if what == "late":
            fact = self.dice.choice(self.told)
            node = getattr(fact, "node", None)
            if node not in self.interrupted:
                before = self.run.state
                self.run.tell(fact)
                assert self.run.state == before, f"{fact} came late and counted"
        elif what == "early" and self.timers:
            node = self.dice.choice(sorted(self.timers))
            if self.run.at < self.timers[node]:
                before = self.run.state
                asked = self.run.tell(TimerFired(node, self.run.at))
                assert self.run.state is before
                assert [(c.node, c.due_at) for c in asked if isinstance(c, SetTimer)] == [(node, self.timers[node])]
        elif what == "crash" and self.running:
            node, attempt = self.dice.choice(sorted(self.running))
            self.running.discard((node, attempt))
            self.interrupted.add(node)
            self.tell(StepInterrupted(node, attempt, self.run.at))
        elif what == "reload":
            # All that is not stored is lost: the tally is one such thing.
            old = self.run.state
            self.run.state = RunState(
                old.status, old.generation, dict(old.steps), old.outcome, old.error, old.cancel_requested
            )
            if old.ending is None:
                wanted = {
                    (c.node, c.attempt) for c in resume(self.world.graph, old, self.run.at) if isinstance(c, Execute)
                }
                assert wanted == self.todo | self.running
