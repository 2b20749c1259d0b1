"""Failing steps: tries, delays, failure paths, and the end of the run."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.commands import ClearTimer, Execute, FinishRun, SetTimer
from runtime.engine.facts import FailRequested, StepFailed, StepStarted, StepWaits, StopRequested, TimerFired
from runtime.engine.graph import RetryPolicy
from runtime.engine.state import RunStatus, StepStatus
from tests.engine.drawing import Run, failure, graph


def started(drawing: str = "start -> a -> b", **settings: dict[str, Any]) -> Run:
    """A run whose step `a` is running."""
    run = Run(graph(drawing, **settings))
    run.start()
    run.succeed("start")
    run.begin("a")
    return run


def fail(run: Run, node: str = "a", **error: Any) -> list[Any]:
    return run.tell(StepFailed(node, run.attempt(node), failure(**error), run.at, jitter=0.5))


def wait_out(run: Run, node: str = "a") -> list[Any]:
    step = run.state.step(node)
    assert step is not None
    assert step.due_at is not None
    run.at = step.due_at
    return run.tell(TimerFired(node, run.at))


def test_a_temporary_failure_is_tried_again_when_its_time_has_come() -> None:
    run = started()
    assert fail(run, retryable=True) == [SetTimer("a", run.at + 1_000, "retry")]
    assert run.status("a") is StepStatus.RETRYING
    assert run.state.status is RunStatus.WAITING_TIMER
    assert wait_out(run) == [Execute("a", 2)]
    assert run.succeed("a") == [Execute("b", 1)]


def test_delays_grow_and_the_tries_come_to_an_end() -> None:
    run = started(a={"retry": {"attempts": 4, "first_seconds": 1, "factor": 3}})
    delays = []
    for _ in range(3):
        (timer,) = fail(run, retryable=True)
        delays.append(timer.due_at - run.at)
        wait_out(run)
    assert delays == [1_000, 3_000, 9_000]
    finish = fail(run, retryable=True)[-1]
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.DEAD_LETTERED
    assert run.attempt("a") == 4


def test_a_permanent_failure_is_not_tried_again() -> None:
    run = started()
    (finish,) = fail(run, retryable=False)
    assert finish.status is RunStatus.DEAD_LETTERED
    assert run.attempt("a") == 1


def test_the_error_of_a_dead_letter_names_its_step() -> None:
    run = started()
    fail(run)
    assert run.state.error is not None
    assert run.state.error.node == "a"
    assert run.state.error.code == "test.failed"
    assert run.state.outcome is None


def test_the_last_failure_is_shown_while_the_next_try_is_due() -> None:
    run = started()
    fail(run, retryable=True, code="http.503")
    step = run.state.step("a")
    assert step is not None
    assert step.error is not None
    assert step.error.code == "http.503"


def test_no_try_begins_after_the_total_time() -> None:
    run = started(a={"retry": {"attempts": 9, "strategy": "fixed", "first_seconds": 40, "total_seconds": 100}})
    for _ in range(2):
        fail(run, retryable=True)
        wait_out(run)
    fail(run, retryable=True)
    assert run.attempt("a") == 3
    assert run.state.status is RunStatus.DEAD_LETTERED


def test_time_in_which_nothing_could_be_tried_does_not_count_towards_the_total_time() -> None:
    run = started(a={"retry": {"attempts": 4, "strategy": "fixed", "first_seconds": 40, "total_seconds": 130}})
    for standstill in (1_000_000, 0, 500_000):
        fail(run, retryable=True)
        step = run.state.step("a")
        assert step is not None
        assert step.due_at is not None
        run.at = step.due_at + standstill
        assert run.tell(TimerFired("a", run.at)) == [Execute("a", run.attempt("a"))]
        run.begin("a")
    assert run.attempt("a") == 4
    assert run.state.step("a").late_ms == 1_500_000  # type: ignore[union-attr]


def test_a_standstill_makes_nothing_longer_than_the_total_time_is() -> None:
    run = started(a={"retry": {"attempts": 9, "strategy": "fixed", "first_seconds": 40, "total_seconds": 100}})
    for _ in range(2):
        fail(run, retryable=True)
        run.at += 1_000_000
        run.tell(TimerFired("a", run.at))
        run.begin("a")
    fail(run, retryable=True)
    assert run.attempt("a") == 3
    assert run.state.status is RunStatus.DEAD_LETTERED


def test_the_time_until_a_try_that_was_cut_off_begins_once_more_does_not_count_either() -> None:
    run = started(a={"retry": {"attempts": 3, "strategy": "fixed", "first_seconds": 40, "total_seconds": 100}})
    begun = run.at
    run.at += 1_000_000
    before = run.state
    assert run.tell(StepStarted("a", 1, run.at)) == []
    assert run.state is before
    assert run.tell(StepStarted("a", 1, run.at, begun)) == []
    fail(run, retryable=True)
    assert run.status("a") is StepStatus.RETRYING


def test_an_early_nudge_rearms_the_retry_and_tries_nothing() -> None:
    run = started()
    (timer,) = fail(run, retryable=True)
    before = run.state
    for early in (0, 1, 999):
        assert run.tell(TimerFired("a", run.at + early)) == [timer]
    assert run.state is before


def test_a_second_nudge_tries_nothing_more() -> None:
    run = started()
    fail(run, retryable=True)
    assert wait_out(run) == [Execute("a", 2)]
    assert run.tell(TimerFired("a", run.at + 10_000)) == []


def test_siblings_do_not_move_each_others_retries() -> None:
    run = Run(graph("start -> a, start -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("b")
    fail(run, "a", retryable=True)
    due = run.state.step("a")
    run.at += 400
    fail(run, "b", retryable=True)
    assert run.state.step("a") == due
    run.at += 600
    assert run.tell(TimerFired("a", run.at)) == [Execute("a", 2)]
    assert run.status("b") is StepStatus.RETRYING


def test_the_server_is_given_the_time_it_asked_for() -> None:
    run = started()
    assert fail(run, retryable=True, retry_after_seconds=7.5) == [SetTimer("a", run.at + 7_500, "retry")]


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(1e9, 900), (math.inf, 900), (600, 600), (0, 1), (-5, 1), (-math.inf, 1), (math.nan, 1), (0.2, 1), (2, 2)],
)
def test_what_the_server_asks_for_is_bounded_by_the_total_time_and_never_shortens_the_wait(
    asked: float, seconds: float
) -> None:
    assert RetryPolicy().delay_ms(1, jitter=0.5, retry_after_seconds=asked) == seconds * 1000


@pytest.mark.parametrize(
    ("total", "asked", "seconds"), [(7_200, 3_600, 3_600), (None, 3_600, 3_600), (None, 1e9, 86_400)]
)
def test_an_hour_that_the_server_asks_for_is_an_hour_whatever_the_cap(
    total: float | None, asked: float, seconds: float
) -> None:
    policy = RetryPolicy(cap_seconds=300, total_seconds=total)
    assert policy.delay_ms(1, jitter=0.5, retry_after_seconds=asked) == seconds * 1000


@given(
    policy=st.builds(
        RetryPolicy,
        strategy=st.sampled_from(["fixed", "linear", "exponential"]),
        first_seconds=st.floats(0, 2_592_000),
        factor=st.floats(1, 100),
        cap_seconds=st.floats(0, 2_592_000),
        jitter=st.floats(0, 0.5),
        total_seconds=st.none() | st.floats(1, 2_592_000),
    ),
    failed=st.integers(1, 100) | st.just(100_000),
    dice=st.floats(0, 1, exclude_max=True),
    asked=st.none() | st.floats(),
)
def test_every_delay_stays_within_the_bounds_of_its_policy(
    policy: RetryPolicy, failed: int, dice: float, asked: float | None
) -> None:
    plain = policy.first_seconds
    for number in range(2, failed + 1):
        if policy.strategy == "linear":
            plain = policy.first_seconds * number
        elif policy.strategy == "exponential":
            plain *= policy.factor
        if plain > policy.cap_seconds or policy.strategy == "fixed":
            break
    middle = min(policy.cap_seconds, plain)
    longest = min(86_400, policy.total_seconds or math.inf)
    delay = policy.delay_ms(failed, jitter=dice, retry_after_seconds=asked) / 1000
    assert delay >= middle * (1 - policy.jitter) * (1 - 1e-6) - 1e-6
    assert delay <= max(middle * (1 + policy.jitter), longest if asked is not None else 0) * (1 + 1e-6) + 0.001 + 1e-6
    if asked is not None and not math.isnan(asked):
        assert delay >= min(asked, longest) - 1e-6


def test_jitter_spreads_to_both_sides() -> None:
    policy = RetryPolicy(first_seconds=100, jitter=0.5)
    assert policy.delay_ms(1, jitter=0.0) == 50_000
    assert policy.delay_ms(1, jitter=0.5) == 100_000
    assert 149_000 < policy.delay_ms(1, jitter=0.9999) <= 150_000


def test_by_default_a_failure_ends_the_run_and_starts_nothing_more() -> None:
    run = Run(graph("start -> a -> b, start -> c -> d"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("c")
    assert fail(run) == []
    assert run.state.status is RunStatus.RUNNING
    assert run.state.ending is RunStatus.DEAD_LETTERED
    (finish,) = run.succeed("c")
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.DEAD_LETTERED
    assert run.status("c") is StepStatus.SUCCEEDED
    assert run.status("d") is None


def test_a_failure_cancels_what_waits_and_what_has_not_begun() -> None:
    run = Run(graph("start -> a, start -> b, start -> c, start -> d"))
    run.start()
    run.succeed("start")
    for node in ("a", "b", "c"):
        run.begin(node)
    run.tell(StepWaits("b", 1, "timer", run.at + 60_000, run.at))
    fail(run, "c", retryable=True)
    commands = fail(run, "a")
    assert commands[:2] == [ClearTimer("b", "wait"), ClearTimer("c", "retry")]
    assert isinstance(commands[2], FinishRun)
    assert run.with_status(StepStatus.CANCELLED) == {"b", "c", "d"}


def test_a_failure_may_be_carried_past_with_a_fallback() -> None:
    run = started(a={"on_failure": "continue", "fallback": {"total": 0}})
    assert fail(run) == [Execute("b", 1)]
    step = run.state.step("a")
    assert step is not None
    assert (step.status, step.ports) == (StepStatus.FAILED, ("out",))
    assert run.succeed("b") == [FinishRun(RunStatus.COMPLETED, "done_with_failures", None)]


def test_a_failure_may_go_to_another_step() -> None:
    run = started("start -> a -> b, a:error -> ask", a={"on_failure": "error_port"})
    assert fail(run) == [Execute("ask", 1)]
    assert run.status("b") is StepStatus.SKIPPED
    assert run.succeed("ask") == [FinishRun(RunStatus.COMPLETED, "done_with_failures", None)]


def test_the_failure_path_is_dead_when_all_goes_well() -> None:
    run = started("start -> a -> b, a:error -> ask", a={"on_failure": "error_port"})
    assert run.succeed("a") == [Execute("b", 1)]
    assert run.status("ask") is StepStatus.SKIPPED


def test_all_tries_are_made_before_the_failure_path_is_taken() -> None:
    run = started("start -> a -> b, a:error -> ask", a={"on_failure": "error_port", "retry": {"attempts": 2}})
    fail(run, retryable=True)
    assert wait_out(run) == [Execute("a", 2)]
    assert fail(run, retryable=True) == [Execute("ask", 1)]


def test_a_failure_path_that_is_not_drawn_ends_the_run_instead_of_hiding_the_failure() -> None:
    run = started(a={"on_failure": "error_port"})
    fail(run)
    assert run.state.status is RunStatus.DEAD_LETTERED


def test_a_drawn_failure_path_is_not_taken_when_the_step_is_set_to_stop() -> None:
    run = started("start -> a -> b, a:error -> ask")
    fail(run)
    assert run.state.status is RunStatus.DEAD_LETTERED
    assert run.status("ask") is None


def test_both_paths_may_join_again() -> None:
    run = started("start -> a -> end, a:error -> fix -> end", a={"on_failure": "error_port"})
    fail(run)
    assert run.succeed("fix") == [Execute("end", 1)]


def test_stop_ends_the_run_with_its_outcome() -> None:
    run = started()
    assert run.tell(StopRequested("a", "filtered", run.at)) == [FinishRun(RunStatus.COMPLETED, "filtered", None)]
    assert run.status("a") is StepStatus.SUCCEEDED
    assert run.status("b") is None


def test_stop_lets_running_steps_finish_and_starts_nothing() -> None:
    run = Run(graph("start -> a, start -> b -> c"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("b")
    assert run.tell(StopRequested("a", "stopped", run.at)) == []
    assert run.succeed("b") == [FinishRun(RunStatus.COMPLETED, "stopped", None)]
    assert run.status("c") is None


def test_a_stop_does_not_hide_a_failure() -> None:
    run = Run(graph("start -> a, start -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("b")
    run.tell(StopRequested("a", "stopped", run.at))
    (finish,) = fail(run, "b")
    assert finish.status is RunStatus.DEAD_LETTERED


def test_a_temporary_failure_after_a_stop_is_neither_tried_again_nor_a_dead_letter() -> None:
    run = Run(graph("start -> a, start -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("b")
    run.tell(StopRequested("a", "stopped", run.at))
    assert fail(run, "b", retryable=True) == [FinishRun(RunStatus.COMPLETED, "stopped", None)]
    step = run.state.step("b")
    assert step is not None
    assert step.status is StepStatus.CANCELLED
    assert step.error is not None


def test_fail_ends_the_run_whatever_the_settings_say() -> None:
    run = started("start -> a -> b, a:error -> c", a={"on_failure": "error_port", "retry": {"attempts": 5}})
    (finish,) = run.tell(FailRequested("a", failure(retryable=True, code="no.vat_id"), run.at))
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.DEAD_LETTERED
    assert finish.error is not None
    assert finish.error.code == "no.vat_id"
    assert run.attempt("a") == 1


def asked_about(drawing: str = "start -> a -> b", **settings: dict[str, Any]) -> Run:
    """A run whose step `a` has failed and waits for a person to say what becomes of it."""
    run = started(drawing, a={"on_failure": "person"}, **settings)
    assert fail(run) == []
    assert run.status("a") is StepStatus.WAITING
    return run


def test_a_person_leaves_an_item_out_and_its_run_ends_well_with_the_step_failed() -> None:
    run = asked_about()
    assert run.tell(FailRequested("a", failure(), run.at, skips=True)) == [
        FinishRun(RunStatus.COMPLETED, "skipped", None)
    ]
    step = run.state.step("a")
    assert step is not None
    assert (step.status, step.ports, step.error is not None) == (StepStatus.FAILED, (), True)
    assert (run.status("b"), run.state.error) == (None, None)


def test_what_runs_beside_an_item_that_is_left_out_may_end_and_a_failure_of_it_is_not_hidden() -> None:
    for ends_well in (True, False):
        run = asked_about("start -> a -> b, start -> c")
        run.begin("c")
        assert run.tell(FailRequested("a", failure(), run.at, skips=True)) == []
        (finish,) = run.succeed("c") if ends_well else fail(run, "c")
        assert isinstance(finish, FinishRun)
        assert finish.outcome == ("skipped" if ends_well else None)
        assert finish.status is (RunStatus.COMPLETED if ends_well else RunStatus.DEAD_LETTERED)


def test_an_item_that_is_bound_to_fail_is_not_left_out_any_more() -> None:
    run = asked_about("start -> a, start -> c, start -> d")
    run.begin("c")
    run.begin("d")
    fail(run, "c")
    assert run.tell(FailRequested("a", failure(), run.at, skips=True)) == [], "nobody is asked any more"
    (finish,) = run.succeed("d")
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.DEAD_LETTERED


def test_the_first_failure_is_the_one_the_run_is_remembered_by() -> None:
    run = Run(graph("start -> a, start -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    run.begin("b")
    fail(run, "b", code="first")
    fail(run, "a", code="second")
    assert run.state.error is not None
    assert run.state.error.code == "first"
