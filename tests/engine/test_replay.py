"""Going on with a run: what is kept is never done again, and all else is done as if nothing had been in the way."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.engine.commands import PassThrough
from runtime.engine.facts import RunReopened, StepFailed
from runtime.engine.graph import Graph
from runtime.engine.replay import Fate, Known, PlannedStep, incompatible, is_definite, plan
from runtime.engine.state import RunState, RunStatus, StepKey, StepStatus
from tests.engine.drawing import Run, failure, graph
from tests.engine.reference import fates, possible_ends
from tests.engine.test_laws import check_end, fates_of
from tests.engine.worlds import Shell, world


def opened(drawn: Graph, ended: RunState, lines: tuple[PlannedStep, ...]) -> RunState:
    """The next generation as the rows say it: the kept steps, and nothing else."""
    generation = ended.generation + 1
    kept = {
        StepKey(line.node, generation): ended.steps[StepKey(line.node, ended.generation)]
        for line in lines
        if line.fate is Fate.KEPT
    }
    return RunState(RunStatus.RUNNING if kept else RunStatus.ACCEPTED, generation, kept)


def fates_in(lines: tuple[PlannedStep, ...]) -> dict[str, str]:
    return {line.node: line.fate.value for line in lines}


@settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(min_value=0, max_value=2**32), turn=st.integers(min_value=0, max_value=25))
def test_a_run_that_was_cut_short_anywhere_ends_as_if_it_had_not_been_and_repeats_nothing(seed: int, turn: int) -> None:
    made = world(random.Random(seed))
    reference = fates(made.graph, made.start, made.behaviours)
    first = Shell(made, random.Random(seed), trouble=bool(seed % 2), cancel_after=turn)
    ended = first.finish()
    if ended.status is not RunStatus.CANCELLED:
        return
    lines = plan(made.graph, ended, {})
    second = Shell(made, random.Random(seed + 1), trouble=bool(seed % 3))
    second.run.state = opened(made.graph, ended, lines)
    second.run.asked.extend(command for command in first.run.asked if isinstance(command, PassThrough))
    if second.run.state.steps:
        second.finish(RunReopened(made.start, second.run.at))
    else:
        second.finish()
    check_end(second)
    kept = {line.node for line in lines if line.fate is Fate.KEPT}
    assert kept.isdisjoint(node for node, _ in second.begun), "what was kept was done again"
    assert kept.isdisjoint(second.run.passed_through[len(first.run.passed_through) :])
    assert fates_of(second) == reference
    assert {(second.run.state.status.value, second.run.state.outcome)} == possible_ends(reference)


def failed_run(drawing: str, node: str, *before: str) -> Run:
    """A run of this drawing whose `node` failed for good."""
    run = Run(graph(drawing))
    run.start()
    run.succeed_all("start", *before)
    run.begin(node)
    run.tell(StepFailed(node, 1, failure(), run.at))
    assert run.state.status is RunStatus.DEAD_LETTERED
    return run


def test_what_went_well_is_kept_what_failed_is_done_again_and_the_rest_comes_next() -> None:
    run = failed_run("start -> a -> b -> c", "b", "a")
    lines = plan(run.graph, run.state, {"a": Known.HAPPENED, "b": Known.REFUSED})
    assert fates_in(lines) == {"start": "kept", "a": "kept", "b": "again", "c": "next"}
    assert [line.node for line in lines if line.first] == ["b"]


def test_going_on_from_an_earlier_step_says_what_would_happen_twice() -> None:
    run = failed_run("start -> a -> b -> c", "c", "a", "b")
    lines = plan(run.graph, run.state, {"a": Known.HAPPENED, "b": Known.HAPPENED, "c": Known.REFUSED}, start=["b"])
    assert fates_in(lines) == {"start": "kept", "a": "kept", "b": "repeats", "c": "again"}


@pytest.mark.parametrize(
    ("known", "fate", "edited", "behind"),
    [
        (Known.HARMLESS, "again", "again", "again"),
        (Known.REFUSED, "again", "again", "again"),
        (Known.SAME_KEY, "again", "repeats", "repeats"),
        (Known.IN_DOUBT, "asks", "asks", "repeats"),
    ],
)
def test_a_step_whose_answer_was_lost_is_safe_only_as_it_was(known: Known, fate: str, edited: str, behind: str) -> None:
    run = failed_run("start -> a -> b", "b", "a")
    knowledge = {"b": known}
    assert fates_in(plan(run.graph, run.state, knowledge))["b"] == fate
    assert fates_in(plan(run.graph, run.state, knowledge, edited=["b"]))["b"] == edited
    assert fates_in(plan(run.graph, run.state, knowledge, changed=["b"]))["b"] == edited
    assert fates_in(plan(run.graph, run.state, knowledge, start=["a"]))["b"] == behind


def test_what_an_earlier_go_did_is_not_forgotten_when_the_next_one_did_not_come_to_it() -> None:
    run = failed_run("start -> a -> b -> c", "a")
    assert fates_in(plan(run.graph, run.state, {"b": Known.HAPPENED, "c": Known.IN_DOUBT})) == {
        "start": "kept",
        "a": "again",
        "b": "repeats",
        "c": "repeats",
    }


def test_a_step_whose_runs_an_earlier_go_began_goes_on_with_them_though_the_last_one_did_not_come_to_it() -> None:
    run = failed_run("start -> a -> b -> c", "a")
    lines = plan(run.graph, run.state, {}, with_runs=["b"])
    assert fates_in(lines) == {"start": "kept", "a": "again", "b": "again", "c": "next"}
    assert [line.node for line in lines if line.first] == ["a"]
    lines = plan(run.graph, run.state, {"b": Known.CALLED}, with_runs=["b"])
    assert fates_in(lines)["b"] == "repeats", "it may be given something else, and call anew"


def test_ways_that_were_not_taken_stay_so_and_are_not_spoken_of() -> None:
    run = Run(graph("start -> a, a:yes -> b -> d, a:no -> c -> d"))
    run.start()
    run.succeed("start")
    run.succeed("a", "yes")
    run.begin("b")
    run.tell(StepFailed("b", 1, failure(), run.at))
    lines = plan(run.graph, run.state, {})
    assert fates_in(lines) == {"start": "kept", "a": "kept", "b": "again", "d": "next"}
    again = Run(run.graph, opened(run.graph, run.state, lines))
    again.tell(RunReopened("start", again.at))
    assert again.status("c") is StepStatus.SKIPPED
    assert again.executed == ["b"]
    again.succeed_all("b", "d")
    assert again.state.status is RunStatus.COMPLETED


def test_a_reopened_run_that_is_told_so_again_does_nothing_twice() -> None:
    run = failed_run("start -> a -> b", "a")
    again = Run(run.graph, opened(run.graph, run.state, plan(run.graph, run.state, {})))
    again.tell(RunReopened("start", again.at))
    before = again.state
    assert again.tell(RunReopened("start", again.at)) == []
    assert again.state is before


def test_a_reopened_run_of_which_all_is_kept_is_over() -> None:
    run = Run(graph("start -> a"))
    run.start()
    run.succeed_all("start", "a")
    again = Run(run.graph, opened(run.graph, run.state, plan(run.graph, run.state, {})))
    again.tell(RunReopened("start", again.at))
    assert again.state.status is RunStatus.COMPLETED


def test_a_newer_drawing_fits_as_long_as_it_comes_to_what_was_done_in_the_same_way() -> None:
    old = graph("start -> a -> b -> c")
    kept = ["start", "a", "b"]
    assert incompatible(old, graph("start -> a -> b -> x -> c"), kept) == ()
    assert incompatible(old, graph("start -> a -> x -> b -> c"), kept) == ("b",)
    assert incompatible(old, graph("start -> b -> c"), kept) == ("b",)


@pytest.mark.parametrize(
    ("status", "definite"),
    [(400, True), (404, True), (422, True), (408, False), (409, False), (425, False), (429, False), (500, False)],
)
def test_only_a_refusal_says_that_nothing_happened(status: int, definite: bool) -> None:
    assert is_definite(replace(failure(), http_status=status)) is definite
    assert is_definite(replace(failure(), kind="timeout")) is False
    assert is_definite(replace(failure(), kind="config")) is True
