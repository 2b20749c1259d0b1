"""A step of which nobody knows whether it happened: when it is looked up, and what follows."""

from __future__ import annotations

from typing import Any

from runtime.engine.advance import resume
from runtime.engine.commands import ClearTimer, Execute, SetTimer
from runtime.engine.facts import (
    CancelRequested,
    FailRequested,
    RetryRequested,
    StepFailed,
    StepInDoubt,
    StepInterrupted,
    StepStarted,
    StepSucceeded,
    TimerFired,
)
from runtime.engine.graph import parse
from runtime.engine.needs import engine_needed
from runtime.engine.state import LOOK_UP, RunStatus, StepStatus
from tests.engine.drawing import Run, document, failure, graph


def in_doubt(drawing: str = "start -> a -> b", *, due_in: int | None = 2_000, **settings: dict[str, Any]) -> Run:
    """A run whose step `a` was sent, and nobody knows what came of it."""
    run = Run(graph(drawing, **settings))
    run.start()
    run.succeed("start")
    run.begin("a")
    doubt(run, due_in)
    return run


def stands(run: Run) -> RunStatus:
    return run.state.status


def doubt(run: Run, due_in: int | None = 2_000, node: str = "a") -> list[Any]:
    due_at = None if due_in is None else run.at + due_in
    return run.tell(StepInDoubt(node, run.attempt(node), failure(retryable=True), run.at, due_at, 7))


def look(run: Run, node: str = "a") -> list[Any]:
    """The time for the look-up comes."""
    step = run.state.step(node)
    assert step is not None
    assert step.due_at is not None
    run.at = step.due_at
    return run.tell(TimerFired(node, run.at))


def test_it_waits_until_it_is_looked_up_and_the_same_attempt_is_asked_for() -> None:
    run = in_doubt()
    assert run.status("a") is StepStatus.WAITING
    assert stands(run) is RunStatus.WAITING_TIMER
    assert run.tell(TimerFired("a", run.at)) == [SetTimer("a", run.at + 2_000, "retry")], "not before its time"
    assert look(run) == [Execute("a", 1)]
    step = run.state.step("a")
    assert step is not None
    assert (step.status, step.wait_kind, step.due_at) == (StepStatus.RUNNING, LOOK_UP, None)
    assert stands(run) is RunStatus.RUNNING
    assert resume(run.graph, run.state, run.at) == (Execute("a", 1),), "one that a crash cut off is made again"


def test_a_look_up_begins_no_try() -> None:
    run = in_doubt()
    look(run)
    before = run.state
    assert run.tell(StepStarted("a", 1, run.at, run.at - 1_000)) == []
    assert run.state is before


def test_what_happened_is_a_success() -> None:
    run = in_doubt()
    look(run)
    assert run.tell(StepSucceeded("a", 1, ("out",), run.at, 8)) == [Execute("b", 1)]
    step = run.state.step("a")
    assert step is not None
    assert (step.status, step.wait_kind, step.error) == (StepStatus.SUCCEEDED, None, None)


def test_what_did_not_happen_is_a_failure_like_any_other_or_costs_no_try() -> None:
    run = in_doubt()
    look(run)
    run.tell(StepFailed("a", 1, failure(retryable=True), run.at))
    assert run.status("a") is StepStatus.RETRYING
    run = in_doubt()
    look(run)
    assert run.tell(StepInterrupted("a", 1, run.at)) == [Execute("a", 1)]
    step = run.state.step("a")
    assert step is not None
    assert (step.status, step.wait_kind) == (StepStatus.READY, None), "now it is sent"


def test_a_look_up_that_cannot_tell_is_made_again() -> None:
    run = in_doubt()
    look(run)
    assert doubt(run, 4_000) == [SetTimer("a", run.at + 4_000, "retry")]
    assert look(run) == [Execute("a", 1)]


def test_where_none_can_tell_people_are_asked_whatever_the_settings_say() -> None:
    for on_failure in ("stop", "continue", "undo", "person"):
        run = in_doubt(a={"on_failure": on_failure})
        look(run)
        doubt(run, None)
        assert stands(run) is RunStatus.WAITING_HUMAN
        assert run.tell(RetryRequested("a", run.at)) == [Execute("a", 2)]
    run = in_doubt(due_in=None)
    run.tell(FailRequested("a", failure(), run.at))
    assert stands(run) is RunStatus.DEAD_LETTERED


def test_a_cancel_before_the_look_up_ends_the_step_which_may_have_happened() -> None:
    run = in_doubt()
    assert ClearTimer("a", "retry") in run.tell(CancelRequested(run.at))
    assert run.status("a") is StepStatus.CANCELLED
    step = run.state.step("a")
    assert step is not None
    assert step.error is not None, "undo goes by it"


def test_a_cancel_during_the_look_up_lets_it_end() -> None:
    run = in_doubt()
    look(run)
    run.tell(CancelRequested(run.at))
    assert stands(run) is RunStatus.RUNNING
    run.tell(StepSucceeded("a", 1, ("out",), run.at, 8))
    assert run.status("a") is StepStatus.SUCCEEDED
    assert stands(run) is RunStatus.CANCELLED
    run = in_doubt()
    look(run)
    run.tell(CancelRequested(run.at))
    doubt(run)
    assert stands(run) is RunStatus.CANCELLED, "and begins no other"


def test_an_undo_step_is_looked_up_and_asks_nobody() -> None:
    run = Run(graph("start -> a -> b, a:undo -> u", b={"on_failure": "undo"}))
    run.start()
    run.succeed_all("start", "a")
    run.begin("b")
    run.tell(StepFailed("b", 1, failure(), run.at))
    run.begin("u")
    doubt(run, node="u")
    assert stands(run) is RunStatus.COMPENSATING
    assert look(run, "u") == [Execute("u", 1)]
    doubt(run, None, node="u")
    assert run.status("u") is StepStatus.FAILED
    assert stands(run) is RunStatus.DEAD_LETTERED
    assert run.state.error is not None
    assert "Still done" in run.state.error.message


def test_what_is_told_late_or_twice_counts_once() -> None:
    run = in_doubt()
    before = run.state
    assert doubt(run) == []
    assert run.state is before
    look(run)
    before = run.state
    assert run.tell(TimerFired("a", run.at + 10)) == []
    assert run.state is before


def test_an_older_worker_leaves_such_runs_to_others() -> None:
    made = document("start -> a")
    plain = engine_needed(parse(made))
    made["nodes"][1]["config"] = {"in_doubt": "look_up"}
    assert engine_needed(parse(made)) > plain
