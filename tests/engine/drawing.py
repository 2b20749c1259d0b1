"""Graphs drawn in one line, and a shell of a few lines that runs them.

    graph("start -> if, if:yes -> a, if:no -> b, a -> end, b -> end")

A name is a step's id, key and name; `if:yes` is its port. The first step without a way in is the start; `start*` in
front of a name makes more of them. Settings are given by name: `graph("...", a={"on_failure": "continue"})`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.engine.advance import advance
from runtime.engine.commands import Command, Execute, FinishRun, PassThrough
from runtime.engine.facts import Fact, RunStarted, StepStarted, StepSucceeded
from runtime.engine.graph import Graph, parse
from runtime.engine.state import RunState, StepError, StepStatus, fresh


def document(drawing: str, types: Mapping[str, str] | None = None, **settings: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a drawing. Names that begin with `start` are starts."""
    names: dict[str, None] = {}
    edges: list[dict[str, Any]] = []
    for part in (part.strip() for part in drawing.replace("\n", ",").split(",")):
        if not part:
            continue
        chain = [end.strip() for end in part.split("->")]
        for end in chain:
            names.setdefault(end.partition(":")[0])
        for source, target in itertools.pairwise(chain):
            name, _, port = source.partition(":")
            edges.append(
                {
                    "id": f"e{len(edges)}",
                    "source": name,
                    "sourceHandle": port or "out",
                    "target": target.partition(":")[0],
                    "targetHandle": "in",
                }
            )
    return {
        "format": "millrace.workflow",
        "version": 1,
        "nodes": [
            {
                "id": name,
                "key": name,
                "name": name,
                "type": (types or {}).get(name, "trigger.manual@1" if name.startswith("start") else "data.step@1"),
                "config": {},
                "position": {"x": 0, "y": 100 * index},
                "settings": dict(settings.get(name, {})),
            }
            for index, name in enumerate(names)
        ],
        "edges": edges,
        "annotations": [],
    }


def graph(drawing: str, **settings: Mapping[str, Any]) -> Graph:
    return parse(document(drawing, **settings))


def failure(
    *, retryable: bool = False, retry_after_seconds: float | None = None, code: str = "test.failed"
) -> StepError:
    return StepError(
        code=code,
        title="It failed",
        message="It failed on purpose.",
        retryable=retryable,
        retry_after_seconds=retry_after_seconds,
    )


@dataclass
class Run:
    """A run under test: tell it facts, look at its state and at what it asked for."""

    graph: Graph
    state: RunState = field(default_factory=fresh)
    at: int = 1_000_000
    #: Every command ever asked for.
    asked: list[Command] = field(default_factory=list)
    #: Status after every fact that was told.
    statuses: list[Any] = field(default_factory=list)

    def tell(self, fact: Fact) -> list[Command]:
        self.state, commands = advance(self.graph, self.state, fact)
        self.asked.extend(commands)
        self.statuses.append(self.state.status)
        return list(commands)

    def start(self, trigger: str = "start") -> list[Command]:
        return self.tell(RunStarted(trigger, self.at))

    def begin(self, node: str) -> list[Command]:
        return self.tell(StepStarted(node, self.attempt(node), self.at))

    def succeed(self, node: str, *ports: str) -> list[Command]:
        self.begin(node)
        return self.tell(StepSucceeded(node, self.attempt(node), ports or ("out",), self.at))

    def succeed_all(self, *nodes: str) -> None:
        for node in nodes:
            self.succeed(node)

    def attempt(self, node: str) -> int:
        step = self.state.step(node)
        return step.attempt if step is not None else 1

    def status(self, node: str) -> StepStatus | None:
        step = self.state.step(node)
        return step.status if step is not None else None

    def with_status(self, *statuses: StepStatus) -> set[str]:
        return {key.node for key, step in self.state.steps.items() if step.status in statuses}

    @property
    def executed(self) -> list[str]:
        return [command.node for command in self.asked if isinstance(command, Execute)]

    @property
    def passed_through(self) -> list[str]:
        return [command.node for command in self.asked if isinstance(command, PassThrough)]

    @property
    def finishes(self) -> list[FinishRun]:
        return [command for command in self.asked if isinstance(command, FinishRun)]


def executes(commands: Iterable[Command]) -> set[tuple[str, int]]:
    return {(command.node, command.attempt) for command in commands if isinstance(command, Execute)}
