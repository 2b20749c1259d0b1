"""Undoing what a run did: what, in which order, and what is said of the rest."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.engine import undo
from runtime.engine.advance import advance, resume
from runtime.engine.commands import Execute, FinishRun, SetTimer
from runtime.engine.facts import (
    CancelRequested,
    Fact,
    FailRequested,
    RunReopened,
    RunStarted,
    StepFailed,
    StepInterrupted,
    StepStarted,
    StepSucceeded,
    StepWaits,
    TimerFired,
)
from runtime.engine.graph import Graph
from runtime.engine.state import RunState, RunStatus, StepError, StepKey, StepState, StepStatus, fresh
from tests.engine.drawing import Run, failure, graph

#: Three actions in a row, each with its undo step, and a step that fails for good.
CHAIN = "start -> a -> b -> c -> end, a:undo -> ua, b:undo -> ub, c:undo -> uc"


class Shell(Run):
    """A run whose results are numbered as they are committed."""

    seq = 0

    def done(self, node: str) -> list[Any]:
        self.begin(node)
        self.seq += 1
        return self.tell(StepSucceeded(node, self.attempt(node), ("out",), self.at, self.seq))

    def fail(self, node: str, error: StepError | None = None) -> list[Any]:
        self.begin(node)
        self.seq += 1
        return self.tell(StepFailed(node, self.attempt(node), error or failure(), self.at, 0.5, self.seq))


def shell(drawing: str = CHAIN, **settings: dict[str, Any]) -> Shell:
    run = Shell(graph(drawing, **settings))
    run.start()
    run.done("start")
    return run


def undone_by(run: Run) -> list[str]:
    """The undo steps that were asked for, in order, each once."""
    return list(dict.fromkeys(c.node for c in run.asked if isinstance(c, Execute) and c.node in run.graph.undoes))


def test_undo_steps_are_no_part_of_the_way_forward() -> None:
    run = shell()
    for node in ("a", "b", "c", "end"):
        run.done(node)
    assert run.state.status is RunStatus.COMPLETED
    assert undone_by(run) == []
    assert run.with_status(*StepStatus) == {"start", "a", "b", "c", "end"}


def test_a_failure_that_asks_for_it_undoes_everything_done_the_last_first() -> None:
    run = shell(end={"on_failure": "undo"})
    for node in ("a", "b", "c"):
        run.done(node)
    assert run.fail("end") == [Execute("uc", 1)]
    assert run.state.status is RunStatus.COMPENSATING
    assert run.done("uc") == [Execute("ub", 1)]
    assert run.done("ub") == [Execute("ua", 1)]
    (finish,) = run.done("ua")
    assert finish == FinishRun(RunStatus.COMPENSATED, None, replace(failure(), node="end"))


def test_a_failure_that_does_not_ask_for_it_undoes_nothing() -> None:
    run = shell()
    run.done("a")
    run.fail("b")
    assert run.state.status is RunStatus.DEAD_LETTERED
    assert undone_by(run) == []


def test_parallel_branches_are_undone_by_the_order_in_which_they_were_done() -> None:
    drawing = "start -> a -> end, start -> b -> end, start -> c -> end, a:undo -> ua, b:undo -> ub, c:undo -> uc"
    run = shell(drawing, end={"on_failure": "undo"})
    for node in ("b", "c", "a"):
        run.done(node)
    run.fail("end")
    for node in ("ua", "uc", "ub"):
        run.done(node)
    assert undone_by(run) == ["ua", "uc", "ub"]
    assert run.state.status is RunStatus.COMPENSATED


def test_undoing_waits_for_what_still_runs_and_undoes_it_too() -> None:
    drawing = "start -> a, start -> b, a:undo -> ua, b:undo -> ub"
    run = shell(drawing, a={"on_failure": "undo"})
    run.begin("b")
    run.fail("a")
    assert undone_by(run) == []
    run.seq += 1
    assert run.tell(StepSucceeded("b", 1, ("out",), run.at, run.seq)) == [Execute("ub", 1)]


def test_a_step_whose_outcome_nobody_knows_is_undone_and_one_that_was_refused_is_not() -> None:
    for unknown, wanted in ((True, ["uc", "ub", "ua"]), (False, ["ub", "ua"])):
        run = shell(c={"on_failure": "undo"})
        run.done("a")
        run.done("b")
        run.fail("c", replace(failure(), may_have_happened=unknown))
        while run.state.status is RunStatus.COMPENSATING:
            run.done(undone_by(run)[-1])
        assert undone_by(run) == wanted


def test_an_action_that_was_cut_off_is_undone_first() -> None:
    run = shell()
    run.done("a")
    run.begin("b")
    run.tell(CancelRequested(run.at, undo=True))
    assert undone_by(run) == []
    run.tell(StepInterrupted("b", 1, run.at))
    assert run.status("b") is StepStatus.CANCELLED
    run.done("ub")
    run.done("ua")
    assert undone_by(run) == ["ub", "ua"]
    assert run.state.status is RunStatus.COMPENSATED


def test_an_action_that_was_only_ready_is_not_undone() -> None:
    run = shell()
    run.done("a")
    run.tell(CancelRequested(run.at, undo=True))
    assert run.done("ua")[-1] == FinishRun(RunStatus.COMPENSATED, None, None)
    assert undone_by(run) == ["ua"]


def test_a_cancel_without_undo_undoes_nothing() -> None:
    run = shell()
    run.done("a")
    run.tell(CancelRequested(run.at))
    assert run.state.status is RunStatus.CANCELLED
    assert undone_by(run) == []


def test_undoing_cannot_be_cancelled() -> None:
    run = shell()
    run.done("a")
    run.tell(CancelRequested(run.at, undo=True))
    before = run.state
    assert run.tell(CancelRequested(run.at)) == []
    assert run.state is before


def test_a_failing_undo_is_tried_again_and_then_keeps_none_of_the_others_from_being_carried_out() -> None:
    run = shell(end={"on_failure": "undo"}, ub={"retry": {"attempts": 2}})
    for node in ("a", "b", "c"):
        run.done(node)
    run.fail("end")
    run.done("uc")
    (timer,) = run.fail("ub", failure(retryable=True))
    assert isinstance(timer, SetTimer)
    assert run.state.status is RunStatus.COMPENSATING
    run.at = timer.due_at
    assert run.tell(TimerFired("ub", run.at)) == [Execute("ub", 2)]
    assert run.fail("ub", failure(retryable=True)) == [Execute("ua", 1)]
    (finish,) = run.done("ua")
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.DEAD_LETTERED
    assert finish.error is not None
    assert finish.error.code == "undo_incomplete"
    assert "Still done: “b”." in finish.error.message
    assert "Undone: “c”, “a”." in finish.error.message
    assert finish.error.node == "ub"
    assert finish.error.detail is not None
    assert "It failed on purpose." in finish.error.detail


def test_an_undo_of_which_nobody_knows_the_outcome_counts_as_not_undone_and_the_others_go_on() -> None:
    run = shell(end={"on_failure": "undo"})
    for node in ("a", "b", "c"):
        run.done(node)
    run.fail("end")
    run.begin("uc")
    assert run.tell(FailRequested("uc", failure(), run.at, 9)) == [Execute("ub", 1)]
    run.done("ub")
    run.done("ua")
    assert run.state.status is RunStatus.DEAD_LETTERED
    assert undo.not_undone(run.graph, run.state.steps, 1) == ("c",)


def test_an_undo_step_is_never_waited_for() -> None:

    run = shell(end={"on_failure": "undo"})
    run.done("a")
    run.done("b")
    run.done("c")
    run.fail("end")
    run.begin("uc")
    assert run.tell(StepWaits("uc", 1, "human", None, run.at)) == [Execute("ub", 1)]


def test_what_changed_something_outside_and_has_no_undo_step_is_named() -> None:
    run = Shell(replace(graph("start -> a -> b, a:undo -> ua", b={"on_failure": "undo"}), writes=frozenset("ab")))
    run.start()
    run.done("start")
    run.done("a")
    run.fail("b", replace(failure(), may_have_happened=True))
    (finish,) = run.done("ua")
    assert isinstance(finish, FinishRun)
    assert finish.status is RunStatus.DEAD_LETTERED
    assert finish.error is not None
    assert "Still done: “b”." in finish.error.message


def test_nothing_has_to_be_undone_of_a_step_of_which_somebody_said_so() -> None:
    drawn = graph("start -> a -> b, a:undo -> ua", b={"on_failure": "undo", "undo": "nothing"})
    run = Shell(replace(drawn, writes=frozenset("ab")))
    run.start()
    run.done("start")
    run.done("a")
    run.fail("b", replace(failure(), may_have_happened=True))
    run.done("ua")
    assert run.state.status is RunStatus.COMPENSATED


def test_an_undo_step_that_is_switched_off_leaves_its_action_done() -> None:
    run = shell(end={"on_failure": "undo"}, ub={"disabled": True})
    for node in ("a", "b", "c"):
        run.done(node)
    run.fail("end")
    run.done("uc")
    run.done("ua")
    assert run.state.status is RunStatus.DEAD_LETTERED
    assert undone_by(run) == ["uc", "ua"]


def test_a_run_of_which_nothing_was_done_is_undone_at_once() -> None:
    run = shell(a={"on_failure": "undo"})
    (finish,) = run.fail("a")
    assert finish == FinishRun(RunStatus.COMPENSATED, None, replace(failure(), node="a"))


def test_an_ended_run_that_is_opened_to_be_undone_is_undone_the_last_step_first() -> None:
    run = shell()
    for node in ("a", "b", "c", "end"):
        run.done(node)
    steps = {(node, 2): step for (node, _), step in run.state.steps.items()}
    opened = Shell(run.graph, RunState(RunStatus.COMPENSATING, 2, loaded(run.graph, steps)))
    assert opened.tell(RunReopened("start", opened.at)) == []
    assert resume(opened.graph, opened.state, opened.at) == (Execute("uc", 1),)
    opened.asked.append(Execute("uc", 1))
    for node in ("uc", "ub", "ua"):
        opened.done(node)
    assert undone_by(opened) == ["uc", "ub", "ua"]
    assert opened.state.status is RunStatus.COMPENSATED


def loaded(drawn: Graph, steps: dict[Any, Any]) -> dict[Any, Any]:
    """As `restore` does: the undo step whose turn it is is ready."""

    found = {StepKey(*key): step for key, step in steps.items()}
    node = undo.next_step(drawn, found, 2)
    assert node is not None
    return {**found, StepKey(node, 2): StepState(StepStatus.READY, 1)}


@given(st.integers(0, 2**32))
def test_whatever_happens_undo_runs_in_exact_reverse_of_what_was_committed(seed: int) -> None:
    """Random graphs of actions, random failures, crashes and cancels: every action that may have happened is undone
    once, the last one first, nothing else is, and the end says what is left."""
    dice = random.Random(seed)
    drawn, run, orders = _world(dice), fresh(), []
    at, seq, committed, begun = 1_000_000, 0, {}, set()
    pending: list[Execute] = []

    def tell(fact: Fact) -> None:
        nonlocal run
        before = run
        run, commands = advance(drawn, run, fact)
        again, _ = advance(drawn, run, fact)
        assert again == run or isinstance(fact, TimerFired | CancelRequested)
        assert run.status.rank >= before.status.rank, "the state fell back"
        for command in commands:
            if isinstance(command, Execute):
                pending.append(command)
                if command.node in drawn.undoes and command.node not in orders:
                    orders.append(command.node)
            elif isinstance(command, SetTimer):
                tell(TimerFired(command.node, command.due_at))

    tell(RunStarted("n0", at))
    cancel_at = dice.randint(0, 12) if dice.random() < 0.4 else None
    for turn in range(400):
        if run.status.is_terminal:
            break
        if turn == cancel_at:
            tell(CancelRequested(at, undo=dice.random() < 0.7))
            continue
        running = [key.node for key, step in run.steps.items() if step.status is StepStatus.RUNNING]
        open_ = [c for c in pending if (s := run.step(c.node)) is not None and s.status is StepStatus.READY]
        if open_ and (not running or dice.random() < 0.5):
            command = dice.choice(open_)
            assert not (command.node in drawn.undoes and running), "two undo steps at once"
            tell(StepStarted(command.node, command.attempt, at))
            begun.add(command.node)
        elif running:
            node, step = (name := dice.choice(running)), run.step(name)
            assert step is not None
            seq += 1
            match dice.choice(("ok", "ok", "ok", "fail", "doubt", "retry", "cut")):
                case "ok":
                    committed[node] = seq
                    tell(StepSucceeded(node, step.attempt, ("out",), at, seq))
                case "fail":
                    tell(StepFailed(node, step.attempt, failure(), at, 0.5, seq))
                case "retry":
                    tell(StepFailed(node, step.attempt, failure(retryable=True), at, 0.5, seq))
                case "doubt":
                    committed[node] = seq
                    tell(FailRequested(node, replace(failure(), may_have_happened=True), at, seq))
                case "cut":
                    committed.setdefault(node, 10_000)
                    tell(StepInterrupted(node, step.attempt, at))
    assert run.status.is_terminal, run
    actions = [drawn.undoes[by] for by in orders]
    if run.status is RunStatus.CANCELLED or not orders:
        assert not orders
        return
    assert run.status in (RunStatus.COMPENSATED, RunStatus.DEAD_LETTERED)
    known = [node for node in actions if (step := run.step(node)) is not None and step.commit_seq is not None]
    seqs = [step.commit_seq or 0 for node in known if (step := run.step(node)) is not None]
    assert seqs == sorted(seqs, reverse=True), "not in reverse of the commits"
    assert len(set(actions)) == len(actions), "undone twice"
    for node in drawn.undone_by:
        step = run.step(node)
        if step is not None and step.status is StepStatus.SUCCEEDED:
            assert node in actions, f"{node} was done and not undone"
        if node not in begun:
            assert node not in actions, f"{node} never began and was undone"
    left = undo.not_undone(drawn, run.steps, 1)
    assert (run.status is RunStatus.DEAD_LETTERED) == bool(left)


def _world(dice: random.Random) -> Graph:
    """Actions in a random graph without circles, each with an undo step; some failures ask for undo."""
    count = dice.randint(2, 9)
    ends = [index for index in range(1, count) for _ in range(dice.choice((1, 1, 2)))]
    links = [f"n{dice.randrange(index)} -> n{index}" for index in ends]
    undos = [f"n{index}:undo -> u{index}" for index in range(1, count)]
    settings = {
        f"n{index}": {"on_failure": dice.choice(("undo", "undo", "stop")), "retry": {"attempts": dice.randint(1, 3)}}
        for index in range(count)
    }
    drawing = ", ".join(dict.fromkeys(links)) + ", " + ", ".join(undos)
    return graph(drawing, **settings)


def test_of_two_failures_the_one_that_asks_for_undo_is_never_passed_over() -> None:
    for first, second in (("a", "b"), ("b", "a")):
        run = shell("start -> z -> a, z -> b, z:undo -> uz", a={"on_failure": "undo"})
        run.done("z")
        run.begin("a")
        run.begin("b")
        for node in (first, second):
            run.seq += 1
            run.tell(StepFailed(node, 1, failure(), run.at, 0.5, run.seq))
        assert run.state.status is RunStatus.COMPENSATING, f"{first} before {second}"


def test_what_was_refused_and_is_only_ready_to_be_tried_again_is_not_undone() -> None:
    run = shell("start -> a -> b, a:undo -> ua", a={"retry": {"attempts": 3}})
    (timer,) = run.fail("a", failure(retryable=True))
    run.tell(TimerFired("a", timer.due_at))
    run.tell(CancelRequested(timer.due_at, undo=True))
    assert undone_by(run) == []
    assert run.state.status is RunStatus.COMPENSATED


def test_a_lost_try_has_its_place_in_the_order_though_it_was_to_be_tried_again() -> None:
    drawing = "start -> a -> c, start -> b -> c, a:undo -> ua, b:undo -> ub"
    run = shell(drawing, a={"retry": {"attempts": 3}})
    run.begin("b")
    run.fail("a", replace(failure(retryable=True), may_have_happened=True))
    run.seq += 1
    run.tell(StepSucceeded("b", 1, ("out",), run.at, run.seq))
    run.tell(CancelRequested(run.at, undo=True))
    assert undone_by(run) == ["ub"], "what was committed last is undone first"
