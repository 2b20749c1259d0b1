"""Waits, cancels and crashes: what a run does while nothing runs."""

from __future__ import annotations

import pytest

from runtime.engine.advance import resume
from runtime.engine.commands import ClearTimer, Execute, FinishRun, SetTimer
from runtime.engine.facts import (
    CancelRequested,
    Fact,
    SignalReceived,
    StepFailed,
    StepInterrupted,
    StepStarted,
    StepSucceeded,
    StepWaits,
    StopRequested,
    TimerFired,
)
from runtime.engine.state import RunState, RunStatus, StepKey, StepState, StepStatus, fresh
from tests.engine.drawing import Run, failure, graph

MINUTE = 60_000


def waiting(kind: str, due_in: int | None, drawing: str = "start -> a -> b, a:timeout -> late") -> Run:
    """A run whose step `a` waits."""
    run = Run(graph(drawing))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.tell(StepWaits("a", 1, kind, None if due_in is None else run.at + due_in, run.at))  # type: ignore[arg-type]
    return run


def test_a_wait_asks_for_a_timer_and_holds_nothing_else() -> None:
    run = waiting("timer", MINUTE)
    assert run.asked[-1] == SetTimer("a", run.at + MINUTE, "wait")
    assert run.state.status is RunStatus.WAITING_TIMER
    assert run.status("a") is StepStatus.WAITING


def test_a_wait_goes_on_when_its_time_has_come() -> None:
    run = waiting("timer", MINUTE)
    assert run.tell(TimerFired("a", run.at + MINUTE)) == [Execute("b", 1)]
    assert run.state.status is RunStatus.RUNNING


def test_an_early_timer_is_asked_for_again_and_fires_once_at_its_time() -> None:
    run = waiting("timer", 500)
    assert run.tell(TimerFired("a", run.at)) == [SetTimer("a", run.at + 500, "wait")]
    assert run.tell(TimerFired("a", run.at + 499)) == [SetTimer("a", run.at + 500, "wait")]
    assert run.tell(TimerFired("a", run.at + 500)) == [Execute("b", 1)]
    assert run.tell(TimerFired("a", run.at + 501)) == []


@pytest.mark.parametrize(("kind", "status"), [("event", RunStatus.WAITING_EVENT), ("human", RunStatus.WAITING_HUMAN)])
def test_an_event_or_a_person_ends_the_wait(kind: str, status: RunStatus) -> None:
    run = waiting(kind, None)
    assert run.state.status is status
    assert run.tell(SignalReceived("a", ("out",), run.at)) == [Execute("b", 1)]
    assert run.status("late") is StepStatus.SKIPPED


def test_a_signal_in_time_clears_the_time_out() -> None:
    run = waiting("event", MINUTE)
    assert run.asked[-1] == SetTimer("a", run.at + MINUTE, "timeout")
    assert run.tell(SignalReceived("a", ("out",), run.at)) == [ClearTimer("a", "timeout"), Execute("b", 1)]
    assert run.tell(TimerFired("a", run.at + MINUTE)) == []


def test_a_wait_that_nobody_ends_goes_on_by_its_time_out() -> None:
    run = waiting("human", MINUTE)
    assert run.tell(TimerFired("a", run.at + MINUTE)) == [Execute("late", 1)]
    assert run.status("b") is StepStatus.SKIPPED
    assert run.tell(SignalReceived("a", ("out",), run.at + MINUTE)) == []


def test_the_first_decision_counts() -> None:
    run = waiting("human", None, "start -> a, a:yes -> b, a:no -> c")
    assert run.tell(SignalReceived("a", ("yes",), run.at)) == [Execute("b", 1)]
    assert run.tell(SignalReceived("a", ("no",), run.at)) == []


def test_a_signal_does_not_cut_a_timer_short() -> None:
    run = waiting("timer", MINUTE)
    before = run.state
    assert run.tell(SignalReceived("a", ("out",), run.at)) == []
    assert run.state is before


def test_a_timer_may_leave_by_a_port_of_its_own() -> None:
    run = Run(graph("start -> a, a:morning -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.tell(StepWaits("a", 1, "timer", run.at + 1, run.at, due_ports=("morning",)))
    assert run.tell(TimerFired("a", run.at + 1)) == [Execute("b", 1)]


def test_a_run_is_running_as_long_as_anything_runs_in_it() -> None:
    run = Run(graph("start -> a, start -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.tell(StepWaits("a", 1, "human", None, run.at))
    while_b_is_open = run.state.status
    run.begin("b")
    run.tell(StepWaits("b", 1, "timer", run.at + 5, run.at))
    assert (while_b_is_open, run.state.status) == (RunStatus.RUNNING, RunStatus.WAITING_HUMAN)


def test_a_wait_may_fail() -> None:
    run = waiting("event", MINUTE)
    commands = run.tell(StepFailed("a", 1, failure(), run.at))
    assert commands[0] == ClearTimer("a", "timeout")
    assert run.state.status is RunStatus.DEAD_LETTERED


def test_somebody_may_choose_to_try_again_instead_of_waiting() -> None:
    run = waiting("human", MINUTE)
    assert run.tell(StepInterrupted("a", 1, run.at)) == [ClearTimer("a", "timeout"), Execute("a", 1)]


def test_a_cancel_before_the_start_ends_the_run_at_once() -> None:
    run = Run(graph("start -> a"))
    assert run.tell(CancelRequested(1)) == [FinishRun(RunStatus.CANCELLED, None, None)]
    assert run.start() == []


def test_a_cancel_lets_a_started_step_end_and_records_its_result() -> None:
    run = Run(graph("start -> a -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    assert run.tell(CancelRequested(run.at)) == []
    assert run.state.status is RunStatus.RUNNING
    assert run.tell(StepSucceeded("a", 1, ("out",), run.at)) == [FinishRun(RunStatus.CANCELLED, None, None)]
    assert run.status("a") is StepStatus.SUCCEEDED
    assert run.status("b") is None


def test_a_step_that_had_not_begun_does_not_begin_after_a_cancel() -> None:
    run = Run(graph("start -> a"))
    run.start()
    run.succeed("start")
    assert run.tell(CancelRequested(run.at)) == [FinishRun(RunStatus.CANCELLED, None, None)]
    assert run.begin("a") == []
    assert run.status("a") is StepStatus.CANCELLED


def test_a_cancel_clears_waits_and_retries() -> None:
    run = waiting("timer", MINUTE)
    assert run.tell(CancelRequested(run.at)) == [
        ClearTimer("a", "wait"),
        FinishRun(RunStatus.CANCELLED, None, None),
    ]
    assert run.tell(TimerFired("a", run.at + MINUTE)) == []


def test_a_step_that_wants_to_wait_after_a_cancel_is_cancelled() -> None:
    run = Run(graph("start -> a"))
    run.start()
    run.begin("start")
    run.tell(CancelRequested(run.at))
    assert run.tell(StepWaits("start", 1, "human", None, run.at)) == [FinishRun(RunStatus.CANCELLED, None, None)]


def test_a_cancel_outranks_a_failure_and_a_second_cancel_changes_nothing() -> None:
    run = Run(graph("start -> a, start -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("b")
    run.tell(StepFailed("a", 1, failure(), run.at))
    run.tell(CancelRequested(run.at))
    before = run.state
    assert run.tell(CancelRequested(run.at)) == []
    assert run.state is before
    (finish,) = run.succeed("b")
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.CANCELLED


def test_a_cancel_outranks_a_stop_and_leaves_no_outcome() -> None:
    run = Run(graph("start -> a, start -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("b")
    run.tell(StopRequested("a", "stopped", run.at))
    run.tell(CancelRequested(run.at))
    assert run.succeed("b") == [FinishRun(RunStatus.CANCELLED, None, None)]


def test_a_cancel_that_was_stored_before_the_engine_heard_of_it_still_counts() -> None:
    drawn = graph("start -> a, start -> b")
    steps = {
        StepKey("start", 1): StepState(StepStatus.SUCCEEDED, 1, ("out",)),
        StepKey("a", 1): StepState(StepStatus.READY, 1),
        StepKey("b", 1): StepState(StepStatus.RUNNING, 1),
    }
    run = Run(drawn, RunState(RunStatus.RUNNING, steps=steps, cancel_requested=True))
    assert run.tell(CancelRequested(1)) == []
    assert run.status("a") is StepStatus.CANCELLED
    assert run.succeed("b") == [FinishRun(RunStatus.CANCELLED, None, None)]
    never_begun = Run(drawn, RunState(RunStatus.RUNNING, cancel_requested=True))
    assert never_begun.start() == []
    assert never_begun.tell(CancelRequested(1)) == [FinishRun(RunStatus.CANCELLED, None, None)]


def test_a_run_that_was_taken_up_and_never_begun_can_still_begin() -> None:
    run = Run(graph("start"), RunState(RunStatus.RUNNING))
    assert run.start() == [Execute("start", 1)]


def test_a_cancel_of_a_finished_run_changes_nothing() -> None:
    run = Run(graph("start"))
    run.start()
    run.succeed("start")
    assert run.tell(CancelRequested(run.at)) == []
    assert run.state.status is RunStatus.COMPLETED


def test_a_crash_costs_no_try() -> None:
    run = Run(graph("start -> a", start={"retry": {"attempts": 1}}))
    run.start()
    for _ in range(20):
        run.begin("start")
        assert run.tell(StepInterrupted("start", 1, run.at)) == [Execute("start", 1)]
    assert run.succeed("start") == [Execute("a", 1)]


def test_the_total_time_counts_from_the_first_beginning_also_through_crashes() -> None:
    run = Run(graph("start", start={"retry": {"attempts": 9, "first_seconds": 1, "total_seconds": 10}}))
    run.start()
    run.begin("start")
    run.tell(StepInterrupted("start", 1, run.at))
    run.at += 9_500
    run.begin("start")
    run.tell(StepFailed("start", 1, failure(retryable=True), run.at))
    assert run.state.status is RunStatus.DEAD_LETTERED


def test_an_interrupted_step_of_a_cancelled_run_is_not_made_again() -> None:
    run = Run(graph("start -> a"))
    run.start()
    run.begin("start")
    run.tell(CancelRequested(run.at))
    assert resume(run.graph, run.state, run.at) == ()
    assert run.tell(StepInterrupted("start", 1, run.at)) == [FinishRun(RunStatus.CANCELLED, None, None)]


def test_after_a_crash_ready_and_running_steps_are_executed_and_waiting_ones_are_left() -> None:
    run = Run(graph("start -> a, start -> b, start -> c, start -> d"))
    run.start()
    run.succeed("start")
    run.begin("b")
    run.begin("c")
    run.tell(StepWaits("c", 1, "human", None, run.at))
    run.begin("d")
    run.tell(StepFailed("d", 1, failure(retryable=True), run.at))
    assert set(resume(run.graph, run.state, run.at)) == {Execute("a", 1), Execute("b", 1)}


def test_a_finished_run_is_not_resumed() -> None:
    run = Run(graph("start"))
    run.start()
    run.succeed("start")
    assert resume(run.graph, run.state, run.at) == ()


def test_a_run_that_has_not_begun_is_resumed_by_starting_it() -> None:
    assert resume(graph("start"), fresh(), 1) == ()


def test_a_reloaded_state_goes_on_like_the_one_that_was_lost() -> None:
    drawn = graph("start -> a, start -> b, a -> end, b -> end")
    steps = {
        StepKey("start", 1): StepState(StepStatus.SUCCEEDED, 1, ("out",)),
        StepKey("a", 1): StepState(StepStatus.SUCCEEDED, 1, ("out",)),
        StepKey("b", 1): StepState(StepStatus.RUNNING, 1),
    }
    run = Run(drawn, RunState(RunStatus.RUNNING, steps=steps))
    assert run.tell(StepSucceeded("b", 1, ("out",), 5)) == [Execute("end", 1)]


def test_a_state_with_words_instead_of_statuses_is_refused_loudly() -> None:
    steps = {StepKey("start", 1): StepState("running", 1)}  # type: ignore[arg-type]
    run = Run(graph("start"), RunState(RunStatus.RUNNING, steps=steps))
    with pytest.raises(TypeError, match="convert it when loading"):
        run.tell(CancelRequested(1))


@pytest.mark.parametrize(
    "fact",
    [
        StepStarted("a", 2, 1),
        StepSucceeded("a", 2, ("out",), 1),
        StepFailed("a", 2, failure(), 1),
        StepWaits("a", 2, "human", None, 1),
        StepInterrupted("a", 2, 1),
        TimerFired("a", 1),
        SignalReceived("a", ("out",), 1),
    ],
)
def test_a_fact_about_another_attempt_or_another_state_changes_nothing(fact: Fact) -> None:
    run = Run(graph("start -> a"))
    run.start()
    run.succeed("start")
    before = run.state
    assert run.tell(fact) == []
    assert run.state is before
