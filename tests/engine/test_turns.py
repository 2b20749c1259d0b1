"""A step that waits for its turn has not begun: it costs no try, no time for tries, and nothing that was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.engine.commands import ClearTimer, Execute, SetTimer
from runtime.engine.facts import CancelRequested, StepFailed, StepInterrupted, StepStarted, StepWaits, TimerFired
from runtime.engine.state import TURN, RunStatus, StepError, StepState, StepStatus
from tests.engine.drawing import Run, failure, graph


def waiting(drawing: str = "start -> a -> b", due_in: int = 2_000, **settings: Mapping[str, Any]) -> Run:
    """A run whose step `a` waits for its turn."""
    run = Run(graph(drawing, **settings))
    run.start()
    run.succeed("start")
    wait(run, due_in)
    return run


def wait(run: Run, due_in: int = 2_000) -> list[object]:
    return list(run.tell(StepWaits("a", run.attempt("a"), "turn", run.at + due_in, run.at)))


def stands(run: Run) -> RunStatus:
    return run.state.status


def fail(run: Run, node: str, error: StepError) -> None:
    run.tell(StepFailed(node, run.attempt(node), error, run.at))


def step(run: Run) -> StepState:
    found = run.state.step("a")
    assert found is not None
    return found


def test_it_waits_as_for_a_time_and_the_same_attempt_is_asked_for() -> None:
    run = waiting()
    assert stands(run) is RunStatus.WAITING_TIMER
    assert (step(run).status, step(run).wait_kind, step(run).first_started_at) == (StepStatus.WAITING, TURN, None)
    assert run.tell(TimerFired("a", run.at)) == [SetTimer("a", run.at + 2_000, "wait")], "not before its time"
    run.at += 2_000
    assert run.tell(TimerFired("a", run.at)) == [Execute("a", 1)]
    assert step(run) == StepState(StepStatus.READY, 1)


def test_its_turn_may_come_before_that_and_it_may_wait_again() -> None:
    run = waiting()
    assert run.tell(StepInterrupted("a", 1, run.at)) == [ClearTimer("a", "wait"), Execute("a", 1)]
    assert wait(run, 5_000) == [SetTimer("a", run.at + 5_000, "wait")]
    assert step(run).attempt == 1


def test_the_time_for_tries_stands_still_meanwhile_and_what_the_try_before_came_to_stands() -> None:
    policy = {"retry": {"attempts": 3, "first_seconds": 1, "strategy": "fixed", "jitter": 0, "total_seconds": 10}}
    run = waiting(a=policy)
    run.tell(StepInterrupted("a", 1, run.at))
    run.tell(StepStarted("a", 1, run.at))
    fail(run, "a", failure(retryable=True))
    due = step(run).due_at
    assert due is not None
    run.at = due
    assert run.tell(TimerFired("a", run.at)) == [Execute("a", 2)]
    before = step(run).error
    assert before is not None
    wait(run, 60_000)
    assert step(run).error == before
    run.at += 90_000
    run.tell(TimerFired("a", run.at))
    assert step(run).late_ms == 90_000
    run.tell(StepStarted("a", 2, run.at))
    fail(run, "a", failure(retryable=True))
    assert step(run).status is StepStatus.RETRYING, "ten seconds are not over"


def test_a_cancel_ends_the_wait_and_a_wait_that_comes_behind_one_is_none() -> None:
    run = waiting()
    assert ClearTimer("a", "wait") in run.tell(CancelRequested(run.at))
    assert stands(run) is RunStatus.CANCELLED


def test_an_undo_step_waits_for_its_turn_too() -> None:
    run = Run(graph("start -> act -> last, act:undo -> back", last={"on_failure": "undo"}))
    run.start()
    run.succeed("start")
    run.succeed("act")
    fail(run, "last", failure())
    assert stands(run) is RunStatus.COMPENSATING
    run.tell(StepWaits("back", 1, "turn", run.at + 1_000, run.at))
    assert run.status("back") is StepStatus.WAITING
    assert stands(run) is RunStatus.COMPENSATING
    run.at += 1_000
    assert run.tell(TimerFired("back", run.at)) == [Execute("back", 1)]
    run.succeed("back")
    assert stands(run) is RunStatus.COMPENSATED
