"""Laws that hold for every graph, in every order of events, with and without trouble."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime.engine.advance import edge_states
from runtime.engine.change import tally_of
from runtime.engine.commands import FinishRun
from runtime.engine.state import EdgeState, RunStatus, StepStatus
from tests.engine.reference import Fate, fates, possible_ends
from tests.engine.worlds import Shell, world

seeds = st.integers(min_value=0, max_value=2**32)
many = settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))


def fates_of(shell: Shell) -> dict[str, Fate]:
    """What became of every step, in the words of the reference."""
    found = {}
    for node in shell.world.graph.nodes:
        step = shell.run.state.step(node.id)
        assert step is not None, f"{node.id} was left undecided"
        what = "passed" if node.id in shell.run.passed_through else step.status.value
        found[node.id] = Fate(what, step.ports, step.attempt)  # type: ignore[arg-type]
    return found


def check_end(shell: Shell) -> None:
    """What every finished run has in common."""
    run = shell.run
    assert run.state.status.is_terminal
    assert run.finishes == [FinishRun(run.state.status, run.state.outcome, run.state.error)]
    ranks = [status.rank for status in run.statuses]
    assert ranks == sorted(ranks)
    assert all(step.status.is_decided for step in run.state.steps.values())
    assert not shell.timers
    assert not shell.todo
    assert tally_of(run.state) == run.state.tally == (0, 0, 0, 0, 0)
    if not shell.interrupted:
        assert len(set(shell.begun)) == len(shell.begun), "an attempt began twice"


@many
@given(seed=seeds)
@example(seed=0)
def test_the_same_steps_run_and_are_skipped_as_in_the_reference_whatever_the_order(seed: int) -> None:
    made = world(random.Random(seed))
    reference = fates(made.graph, made.start, made.behaviours)
    for order in range(3):
        shell = Shell(made, random.Random(seed + order))
        state = shell.finish()
        check_end(shell)
        assert fates_of(shell) == reference
        assert {(state.status.value, state.outcome)} == possible_ends(reference)
        assert EdgeState.UNDECIDED not in edge_states(made.graph, state).values()


@many
@given(seed=seeds)
def test_crashes_reloads_duplicates_late_facts_and_early_timers_change_nothing(seed: int) -> None:
    made = world(random.Random(seed))
    reference = fates(made.graph, made.start, made.behaviours)
    shell = Shell(made, random.Random(seed), trouble=True)
    state = shell.finish()
    check_end(shell)
    assert fates_of(shell) == reference
    assert {(state.status.value, state.outcome)} == possible_ends(reference)


@many
@given(seed=seeds)
def test_a_run_that_is_ended_by_a_step_ends_as_one_of_the_reference_ends(seed: int) -> None:
    made = world(random.Random(seed), ending=True)
    reference = fates(made.graph, made.start, made.behaviours)
    shell = Shell(made, random.Random(seed), trouble=bool(seed % 2))
    state = shell.finish()
    check_end(shell)
    assert (state.status.value, state.outcome) in possible_ends(reference)
    may_run = {node for node, fate in reference.items() if fate.attempts}
    assert {node for node, _ in shell.begun} <= may_run
    if state.status is RunStatus.DEAD_LETTERED:
        assert state.error is not None
        assert state.error.node is not None
        assert reference[state.error.node].ends == "fail"
    for key, step in state.steps.items():
        if step.status in (StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.SKIPPED):
            fate = reference[key.node]
            assert step.status.value == ("succeeded" if fate.what == "passed" else fate.what)


@many
@given(seed=seeds, turn=st.integers(min_value=0, max_value=25))
def test_a_cancelled_run_starts_nothing_more_and_never_completes(seed: int, turn: int) -> None:
    made = world(random.Random(seed), ending=bool(seed % 2))
    shell = Shell(made, random.Random(seed), trouble=bool(seed % 3), cancel_after=turn)
    state = shell.finish()
    check_end(shell)
    assert (state.status is RunStatus.CANCELLED) == state.cancel_requested
    if state.cancel_requested:
        assert state.outcome is None


def test_thousands_of_larger_graphs_agree_with_the_reference() -> None:
    for seed in range(4_000):
        made = world(random.Random(seed), size=40)
        reference = fates(made.graph, made.start, made.behaviours)
        shell = Shell(made, random.Random(seed))
        shell.finish()
        check_end(shell)
        assert fates_of(shell) == reference
