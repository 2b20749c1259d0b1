"""What a fact may cost, counted in lines of the engine that run: the same on every machine, however busy it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.engine.advance import advance
from runtime.engine.commands import Execute
from runtime.engine.facts import RunStarted, StepStarted, StepSucceeded
from runtime.engine.graph import Graph
from runtime.engine.state import RunStatus, fresh
from tests.engine.cost import lines_run
from tests.engine.drawing import graph


def lines_per_fact(drawn: Graph, *, newest_first: bool) -> float:
    lines, facts = lines_run(lambda: one_run(drawn, newest_first=newest_first))
    return lines / facts


def one_run(drawn: Graph, *, newest_first: bool) -> int:
    state, commands = advance(drawn, fresh(), RunStarted("start", 1))
    facts = 1
    todo = [command for command in commands if isinstance(command, Execute)]
    at = 0
    while at < len(todo):
        if newest_first:
            step = todo.pop()
        else:
            step, at = todo[at], at + 1
        state, _ = advance(drawn, state, StepStarted(step.node, step.attempt, 2))
        state, commands = advance(drawn, state, StepSucceeded(step.node, step.attempt, ("out",), 3))
        facts += 2
        todo.extend(command for command in commands if isinstance(command, Execute))
    assert state.status is RunStatus.COMPLETED
    return facts


def chain(steps: int) -> str:
    return "start -> " + " -> ".join(f"s{index}" for index in range(steps - 1))


def fan(steps: int) -> str:
    return ", ".join(f"start -> s{index}, s{index} -> end" for index in range(steps - 2))


@pytest.mark.parametrize("drawing", [chain, fan])
@pytest.mark.parametrize("newest_first", [False, True], ids=["in order", "backwards"])
def test_a_fact_in_the_largest_graph_runs_no_more_lines_than_in_a_small_one(
    drawing: Callable[[int], str], newest_first: bool
) -> None:
    small = lines_per_fact(graph(drawing(10)), newest_first=newest_first)
    large = lines_per_fact(graph(drawing(2_000)), newest_first=newest_first)
    print(f"{small:.1f} lines a fact with 10 steps, {large:.1f} with 2,000")
    # A look at every step or link would be thousands.
    assert large < small * 1.5
