"""Which step is next: branches, joins, skipped ways, disabled steps, several starts."""

from __future__ import annotations

from runtime.engine.advance import advance, edge_states
from runtime.engine.commands import Execute, FinishRun, PassThrough
from runtime.engine.facts import RunStarted, StepFailed, StepStarted, StepSucceeded, TimerFired
from runtime.engine.state import RunState, RunStatus, StepKey, StepState, StepStatus, fresh
from tests.engine.drawing import Run, executes, failure, graph


def test_the_start_is_executed_first() -> None:
    run = Run(graph("start -> a"))
    assert run.start() == [Execute("start", 1)]
    assert run.state.status is RunStatus.RUNNING
    assert run.status("a") is None


def test_a_chain_runs_one_after_the_other_and_ends_done() -> None:
    run = Run(graph("start -> a -> b"))
    run.start()
    assert run.succeed("start") == [Execute("a", 1)]
    assert run.succeed("a") == [Execute("b", 1)]
    assert run.succeed("b") == [FinishRun(RunStatus.COMPLETED, "done", None)]
    assert run.state.outcome == "done"


def test_a_graph_of_one_start_ends_with_it() -> None:
    run = Run(graph("start"))
    run.start()
    assert run.succeed("start") == [FinishRun(RunStatus.COMPLETED, "done", None)]


def test_branches_start_together() -> None:
    run = Run(graph("start -> a, start -> b, start -> c"))
    run.start()
    assert executes(run.succeed("start")) == {("a", 1), ("b", 1), ("c", 1)}


def test_only_the_way_that_was_taken_is_followed() -> None:
    run = Run(graph("start -> if, if:yes -> a, if:no -> b"))
    run.start()
    run.succeed("start")
    assert run.succeed("if", "yes") == [Execute("a", 1)]
    assert run.status("b") is StepStatus.SKIPPED


def test_several_ways_may_be_taken_at_once() -> None:
    run = Run(graph("start -> switch, switch:eu -> a, switch:big -> b, switch:other -> c"))
    run.start()
    run.succeed("start")
    assert executes(run.succeed("switch", "eu", "big")) == {("a", 1), ("b", 1)}
    assert run.status("c") is StepStatus.SKIPPED


def test_a_step_that_takes_no_way_ends_its_branch() -> None:
    run = Run(graph("start -> a -> b"))
    run.start()
    run.succeed("start")
    run.begin("a")
    assert run.tell(StepSucceeded("a", 1, (), run.at)) == [FinishRun(RunStatus.COMPLETED, "done", None)]
    assert run.status("b") is StepStatus.SKIPPED


def test_a_join_waits_for_every_branch_that_can_arrive() -> None:
    run = Run(graph("start -> a -> end, start -> b -> end"))
    run.start()
    run.succeed("start")
    assert run.succeed("a") == []
    assert run.succeed("b") == [Execute("end", 1)]


def test_a_join_does_not_wait_for_a_branch_that_was_not_taken() -> None:
    run = Run(graph("start -> if, if:yes -> a -> end, if:no -> b -> end"))
    run.start()
    run.succeed("start")
    run.succeed("if", "no")
    assert run.succeed("b") == [Execute("end", 1)]
    assert run.status("a") is StepStatus.SKIPPED


def test_skipping_goes_on_through_a_whole_dead_branch() -> None:
    run = Run(graph("start -> if, if:yes -> a -> b -> c -> end, if:no -> end"))
    run.start()
    run.succeed("start")
    assert run.succeed("if", "no") == [Execute("end", 1)]
    assert run.with_status(StepStatus.SKIPPED) == {"a", "b", "c"}


def test_a_join_behind_only_dead_branches_is_skipped_too() -> None:
    run = Run(graph("start -> if, if:yes -> a -> end, if:maybe -> b -> end"))
    run.start()
    run.succeed("start")
    assert run.succeed("if", "no") == [FinishRun(RunStatus.COMPLETED, "done", None)]
    assert run.with_status(StepStatus.SKIPPED) == {"a", "b", "end"}


def test_both_ways_into_the_same_step_execute_it_once() -> None:
    run = Run(graph("start -> if, if:yes -> a, if:no -> a"))
    run.start()
    run.succeed("start")
    assert run.succeed("if", "yes", "no") == [Execute("a", 1)]


def test_a_diamond_joins_once() -> None:
    run = Run(graph("start -> a, start -> b, a -> c, b -> c, a -> end, c -> end"))
    run.start()
    run.succeed_all("start", "b", "a", "c", "end")
    assert run.executed == ["start", "a", "b", "c", "end"]
    assert run.state.status is RunStatus.COMPLETED


def test_starts_that_did_not_start_lead_nowhere() -> None:
    run = Run(graph("start1 -> a -> end, start2 -> b -> end, start3 -> end"))
    run.start("start2")
    assert run.with_status(StepStatus.SKIPPED) == {"start1", "start3", "a"}
    run.succeed("start2")
    assert run.succeed("b") == [Execute("end", 1)]


def test_a_step_that_nothing_leads_to_does_not_keep_the_run_open() -> None:
    run = Run(graph("start -> a, lonely -> a"))
    run.start()
    assert run.status("lonely") is StepStatus.SKIPPED
    assert run.succeed("start") == [Execute("a", 1)]


def test_an_unknown_start_is_a_dead_letter_and_not_a_crash() -> None:
    run = Run(graph("start -> a"))
    (finish,) = run.start("other")
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.DEAD_LETTERED
    assert finish.error is not None
    assert finish.error.code == "run.start_missing"


def test_a_run_starts_once() -> None:
    run = Run(graph("start1 -> a, start2 -> a"))
    run.start("start1")
    assert run.start("start1") == run.start("start2") == []


def test_a_step_without_effect_may_leave_out_that_it_began() -> None:
    run = Run(graph("start -> a"))
    run.start()
    assert run.tell(StepSucceeded("start", 1, ("out",), 5)) == [Execute("a", 1)]
    assert run.state.steps[StepKey("start", 1)].first_started_at == 5


def test_a_result_is_recorded_with_its_place_in_the_order_of_commits() -> None:
    run = Run(graph("start -> a"))
    run.start()
    run.tell(StepStarted("start", 1, 7))
    run.tell(StepSucceeded("start", 1, ("out",), 9, commit_seq=42))
    assert run.state.step("start") == StepState(StepStatus.SUCCEEDED, 1, ("out",), commit_seq=42, first_started_at=7)


def test_late_result_of_an_earlier_attempt_is_ignored() -> None:
    run = Run(graph("start -> a", start={"retry": {"attempts": 2}}))
    run.start()
    run.begin("start")
    run.tell(StepFailed("start", 1, failure(retryable=True), run.at))
    due_at = run.state.steps[StepKey("start", 1)].due_at
    assert due_at is not None
    run.tell(TimerFired("start", due_at))
    before = run.state
    assert run.tell(StepSucceeded("start", 1, ("out",), run.at)) == []
    assert run.state is before


def test_facts_about_steps_that_are_not_there_change_nothing() -> None:
    run = Run(graph("start -> a"))
    run.start()
    before = run.state
    run.tell(StepStarted("ghost", 1, 1))
    run.tell(StepSucceeded("ghost", 1, ("out",), 1))
    run.tell(StepSucceeded("a", 1, ("out",), 1))
    assert run.state is before


def test_a_late_fact_does_not_change_a_finished_run() -> None:
    run = Run(graph("start"))
    run.start()
    run.succeed("start")
    before = run.state
    for fact in (StepStarted("start", 1, 1), StepFailed("start", 1, failure(), 1), RunStarted("start", 1)):
        assert run.tell(fact) == []
    assert run.state is before
    assert len(run.finishes) == 1


def test_a_disabled_step_is_passed_through_without_being_executed() -> None:
    run = Run(graph("start -> a -> b", a={"disabled": True}))
    run.start()
    assert run.succeed("start") == [PassThrough("a", "start"), Execute("b", 1)]
    assert run.status("a") is StepStatus.SUCCEEDED


def test_disabled_steps_in_a_row_hand_on_to_each_other() -> None:
    run = Run(graph("start -> a -> b -> c", a={"disabled": True}, b={"disabled": True}))
    run.start()
    assert run.succeed("start") == [PassThrough("a", "start"), PassThrough("b", "a"), Execute("c", 1)]


def test_a_disabled_step_behind_a_dead_branch_is_skipped() -> None:
    run = Run(graph("start -> if, if:yes -> a -> b", a={"disabled": True}))
    run.start()
    run.succeed("start")
    run.succeed("if", "no")
    assert run.with_status(StepStatus.SKIPPED) == {"a", "b"}
    assert run.passed_through == []


def test_a_disabled_decision_goes_on_by_its_first_link() -> None:
    run = Run(graph("start -> if, if:no -> b, if:yes -> a", **{"if": {"disabled": True}}))
    run.start()
    assert run.succeed("start") == [PassThrough("if", "start"), Execute("b", 1)]
    assert run.status("a") is StepStatus.SKIPPED


def test_a_disabled_last_step_ends_the_run() -> None:
    run = Run(graph("start -> a", a={"disabled": True}))
    run.start()
    assert run.succeed("start") == [PassThrough("a", "start"), FinishRun(RunStatus.COMPLETED, "done", None)]


def test_a_disabled_join_takes_its_data_from_a_link_that_was_taken() -> None:
    run = Run(graph("start -> if, if:yes -> a -> end, if:no -> b -> end, end -> z", end={"disabled": True}))
    run.start()
    run.succeed("start")
    run.succeed("if", "no")
    assert run.succeed("b") == [PassThrough("end", "b"), Execute("z", 1)]


def test_a_started_start_runs_even_if_it_was_switched_off_meanwhile() -> None:
    run = Run(graph("start -> a", start={"disabled": True}))
    assert run.start() == [Execute("start", 1)]


def test_links_are_undecided_taken_or_dead() -> None:
    run = Run(graph("start -> if, if:yes -> a, if:no -> b, a -> end, b -> end"))
    run.start()
    run.succeed("start")
    assert edge_states(run.graph, run.state) == {
        "e0": "taken",
        "e1": "undecided",
        "e2": "undecided",
        "e3": "undecided",
        "e4": "undecided",
    }
    run.succeed("if", "yes")
    assert edge_states(run.graph, run.state) == {
        "e0": "taken",
        "e1": "taken",
        "e2": "dead",
        "e3": "undecided",
        "e4": "dead",
    }


def test_a_very_deep_graph_is_skipped_without_recursion() -> None:
    chain = " -> ".join(f"s{index}" for index in range(1_990))
    run = Run(graph(f"start -> if, if:yes -> {chain}"))
    run.start()
    run.succeed("start")
    run.succeed("if", "no")
    assert run.state.status is RunStatus.COMPLETED
    assert len(run.with_status(StepStatus.SKIPPED)) == 1_990


def test_a_join_of_two_thousand_branches_fires_once() -> None:
    branches = [f"b{index}" for index in range(1_990)]
    run = Run(graph(", ".join(f"start -> {name}, {name} -> end" for name in branches)))
    run.start()
    run.succeed_all("start", *branches)
    assert run.executed.count("end") == 1
    assert run.asked[-1] == Execute("end", 1)


def test_other_generations_are_left_alone() -> None:
    old = {StepKey("start", 1): StepState(StepStatus.FAILED, 3)}
    state = RunState(
        RunStatus.RUNNING, generation=2, steps={**old, StepKey("start", 2): StepState(StepStatus.READY, 1)}
    )
    state, commands = advance(graph("start -> a"), state, StepSucceeded("start", 1, ("out",), 5))
    assert commands == (Execute("a", 1),)
    assert state.steps[StepKey("start", 1)] == old[StepKey("start", 1)]
    assert StepKey("a", 2) in state.steps


def test_the_given_state_is_never_changed() -> None:
    drawn = graph("start -> a")
    before = fresh()
    after, _ = advance(drawn, before, RunStarted("start", 1))
    assert before == fresh()
    again, _ = advance(drawn, after, StepSucceeded("start", 1, ("out",), 2))
    assert after.steps[StepKey("start", 1)].status is StepStatus.READY
    assert again.steps[StepKey("start", 1)].status is StepStatus.SUCCEEDED
