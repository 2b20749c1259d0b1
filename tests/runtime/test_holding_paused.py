"""Held runs that somebody paused by themselves too: both have to be lifted, and others go past them (I41, I42)."""

from __future__ import annotations

import pytest

from runtime import api
from runtime.contracts import NotPaused
from runtime.store.models import Run
from runtime.worker import holds
from tests.runtime.machine import WORKSPACE, Machine, flow, look, pause, wait_until
from tests.runtime.test_holding import GRAPH, hold, let_go, standing, tend_until_over


def test_a_run_that_somebody_paused_is_held_again_with_the_others(machine: Machine) -> None:
    workflow_id = machine.publish(GRAPH)
    hold(workflow_id)
    run_id = machine.begin_again(workflow_id)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    let_go(workflow_id)
    wait_until(lambda: Run.objects.filter(pk=run_id, held=0).exists())
    held = hold(workflow_id)
    assert (held.waiting, held.under_way) == (1, 0)
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    assert run_id not in machine.claimable()
    let_go(workflow_id)
    assert machine.finish(run_id).status == "completed"


def test_a_run_that_somebody_paused_before_the_hold_is_held_in_its_place(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(GRAPH)
    first, _ = (idle_machine.begin_again(workflow_id) for _ in range(2))
    api.pause_run(workspace_id=WORKSPACE, run_id=first)
    assert hold(workflow_id).waiting == 2
    api.resume_run(workspace_id=WORKSPACE, run_id=first)
    let_go(workflow_id, at_once=1)
    assert holds.tend() == ([first], True)


def test_others_go_past_a_run_that_somebody_paused(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(GRAPH)
    hold(workflow_id)
    paused, *others = (idle_machine.begin_again(workflow_id) for _ in range(3))
    api.pause_run(workspace_id=WORKSPACE, run_id=paused)
    let_go(workflow_id, at_once=1)
    assert tend_until_over(workflow_id) == [[one] for one in others]
    api.resume_run(workspace_id=WORKSPACE, run_id=paused)
    assert Run.objects.get(pk=paused).wake_at is not None


def test_what_was_begun_and_is_paused_holds_up_the_others_and_is_named(machine: Machine) -> None:
    workflow_id = machine.publish(flow("start -> nap -> a", pause("nap", 600)))
    hold(workflow_id)
    first, second = (machine.begin_again(workflow_id) for _ in range(2))
    let_go(workflow_id, at_once=1)
    wait_until(lambda: look(first).status == "waiting_timer")
    api.pause_run(workspace_id=WORKSPACE, run_id=first)
    held = standing(workflow_id)
    assert held is not None
    assert (held.mode, held.paused_run_id, held.waiting) == ("draining", first, 1)
    assert (look(second).waiting or {})["cause"] == "turn"


def test_a_run_that_somebody_paused_is_not_the_one_to_try(machine: Machine) -> None:
    workflow_id = machine.publish(GRAPH)
    hold(workflow_id)
    paused, other = (machine.begin_again(workflow_id) for _ in range(2))
    api.pause_run(workspace_id=WORKSPACE, run_id=paused)
    tried = let_go(workflow_id, trial=True).hold
    assert tried is not None
    assert tried.trial_run_id == other
    machine.finish(other)
    wait_until(lambda: (held := standing(workflow_id)) is not None and held.mode == "held")
    with pytest.raises(NotPaused, match="paused by itself"):
        let_go(workflow_id, trial=True)
