"""Held runs that somebody paused by themselves too: both have to be lifted, and others go past them (I41, I42)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F

from runtime import api
from runtime.api.health import orphans
from runtime.contracts import NotPaused
from runtime.store import failpoints
from runtime.store.dialect import database_now
from runtime.store.holds import let_go_strays
from runtime.store.models import Hold, Run, Trigger
from runtime.store.statements import HELD
from runtime.worker import holds
from runtime.worker.overlap import REASONS, in_turn
from tests.runtime.machine import WORKSPACE, Machine, flow, lived, look, pause, wait_until
from tests.runtime.test_holding import GRAPH, hold, let_go, standing, tend_until_over
from tests.runtime.test_overlap import (
    HOUR,
    PAST,
    have_ended,
    instants,
    outcomes,
    published,
    runs,
    stand_still,
    until_ended,
    went_one_after_another,
)
from tests.runtime.test_ticker_schedules import tick


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


def test_a_workflow_is_paused_also_at_the_very_moment_when_its_last_pause_ends(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(GRAPH)
    hold(workflow_id)
    locked = threading.Event()

    def end_and_close() -> None:
        with transaction.atomic():
            ended = Hold.objects.select_for_update().get(pk=workflow_id)
            locked.set()
            # Long enough for the other to come to where it waits.
            time.sleep(0.5)
            ended.delete()
        connection.close()

    ending = threading.Thread(target=end_and_close)
    ending.start()
    locked.wait()
    assert hold(workflow_id).mode == "held"
    ending.join()
    assert Hold.objects.get(pk=workflow_id).mode == "held"


def test_what_is_let_go_at_the_very_moment_when_its_workflow_is_paused_is_held_with_the_others(
    idle_machine: Machine,
) -> None:
    workflow_id = idle_machine.publish(GRAPH)
    run_id = idle_machine.begin_again(workflow_id)
    # A hold has just ended, and left it behind.
    held = {"held": 1, "wake_at": None, "min_engine": F("min_engine") + HELD}
    Run.objects.filter(pk=run_id).update(**held)

    def tend_and_close() -> None:
        holds.tend()
        connection.close()

    failpoints.arm("hold.drain:before=sleep(600)")
    try:
        tending = threading.Thread(target=tend_and_close)
        tending.start()
        # Long enough for the other to let it go, and not to have committed yet.
        time.sleep(0.3)
        hold(workflow_id)
        tending.join()
    finally:
        failpoints.disarm()
    run = Run.objects.get(pk=run_id)
    assert (run.held, run.wake_at) == (1, None)


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


class TestOfASchedule:
    """Starts of a schedule whose runs must not overlap (I33)."""

    def paused_and_let_go(
        self, machine: Machine, rule: str, *, seconds: float, count: int = 2, **config: Any
    ) -> Trigger:
        """So many that were held, each paused by itself, of a workflow that goes on since."""
        trigger = published(machine, rule, seconds=seconds, **config)
        hold(trigger.workflow_id)
        for number in range(count):
            tick(trigger.workflow_id)
            wait_until(lambda number=number: len(runs(trigger)) == number + 1)  # type: ignore[misc]
        for run in runs(trigger):
            api.pause_run(workspace_id=WORKSPACE, run_id=run.pk)
        let_go(trigger.workflow_id)
        wait_until(lambda: not Hold.objects.exists())
        return trigger

    def resume(self, *those: Run) -> None:
        for run in those:
            api.resume_run(workspace_id=WORKSPACE, run_id=run.pk)

    def wait_in_line(self, run_id: UUID) -> None:
        """The run is held, and says that it is for its turn."""
        waits = look(run_id)
        assert (waits.status, waits.paused) == ("accepted", False)
        assert ((waits.waiting or {})["kind"], (waits.waiting or {})["cause"]) == ("held", "turn")
        cause = api.because(workspace_id=WORKSPACE, run_id=run_id)
        assert cause is not None
        assert cause.kind == "held"
        assert orphans() == []

    @pytest.mark.parametrize("rule", ["skip", "queue", "cancel"])
    def test_all_that_are_resumed_go_one_after_another(self, machine: Machine, rule: str) -> None:
        trigger = self.paused_and_let_go(machine, rule, seconds=600, count=3)
        self.resume(*runs(trigger))
        first, _, last = runs(trigger)
        machine.until(first.pk, lambda run: run.status == "waiting_timer")
        self.wait_in_line(last.pk)
        until_ended(trigger, 3)
        assert went_one_after_another(trigger)
        assert all(earlier < later for earlier, later in pairwise(instants(trigger)))

    def test_one_that_is_resumed_waits_for_a_start_that_went_past_it(self, machine: Machine) -> None:
        trigger = self.paused_and_let_go(machine, "skip", seconds=600, count=1)
        tick(trigger.workflow_id)
        wait_until(lambda: any(run.status == "waiting_timer" for run in runs(trigger)))
        paused, other = runs(trigger)
        self.resume(paused)
        self.wait_in_line(paused.pk)
        until_ended(trigger, 2)
        assert lived(paused.pk)[0] >= lived(other.pk)[1]

    @pytest.mark.parametrize(
        "end",
        [
            lambda run_id: api.cancel(workspace_id=WORKSPACE, run_id=run_id),
            lambda run_id: Run.objects.filter(pk=run_id).update(status="parked", wake_at=None),
        ],
        ids=["cancelled", "set aside"],
    )
    def test_the_next_begins_however_the_one_before_ended(
        self, machine: Machine, end: Callable[[UUID], object]
    ) -> None:
        trigger = self.paused_and_let_go(machine, "queue", seconds=600)
        self.resume(*runs(trigger))
        first, second = runs(trigger)
        machine.until(first.pk, lambda run: run.status == "waiting_timer")
        end(first.pk)
        machine.until(second.pk, lambda run: run.status == "waiting_timer")

    @pytest.mark.parametrize("rule", ["skip", "queue", "cancel"])
    def test_a_start_in_its_time_goes_behind_those_that_wait(self, machine: Machine, rule: str) -> None:
        trigger = self.paused_and_let_go(machine, rule, seconds=600)
        self.resume(*runs(trigger))
        machine.until(runs(trigger)[0].pk, lambda run: run.status == "waiting_timer")
        tick(trigger.workflow_id)
        assert outcomes(trigger)[-1] == ("queued", REASONS["behind"])
        until_ended(trigger, 3)
        assert went_one_after_another(trigger)

    def test_a_start_that_waits_begins_past_one_that_somebody_paused_before_it_began(self, machine: Machine) -> None:
        trigger = self.paused_and_let_go(machine, "queue", seconds=600, count=1)
        tick(trigger.workflow_id)
        wait_until(lambda: len(runs(trigger)) == 2)
        passes = runs(trigger)[1]
        machine.until(passes.pk, lambda run: run.status == "waiting_timer")
        tick(trigger.workflow_id)
        assert outcomes(trigger)[-1] == ("queued", REASONS["queued"])
        api.cancel(workspace_id=WORKSPACE, run_id=passes.pk)
        wait_until(lambda: [run.status for run in runs(trigger)] == ["accepted", "cancelled", "waiting_timer"])

    @pytest.mark.parametrize("rule", ["skip", "queue", "cancel"])
    def test_starts_that_were_missed_begin_past_one_that_somebody_paused_before_it_began(
        self, machine: Machine, rule: str
    ) -> None:
        trigger = self.paused_and_let_go(machine, rule, seconds=0.3, count=1, missed="all")
        stand_still(trigger, 3)
        wait_until(lambda: have_ended(trigger, 3))
        assert [run.status for run in runs(trigger)] == ["accepted"] + ["completed"] * 3
        self.resume(runs(trigger)[0])
        wait_until(lambda: have_ended(trigger, 4))

    @pytest.mark.parametrize("rule", ["skip", "queue", "cancel"])
    def test_one_of_past_times_that_go_one_after_another_waits_for_its_turn_too(
        self, machine: Machine, rule: str
    ) -> None:
        trigger = published(machine, rule, seconds=600)
        hold(trigger.workflow_id)
        api.backfill(
            workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, trigger_id=trigger.pk,
            range_from=PAST[0], range_to=PAST[-1], together=False, by=None,
        )  # fmt: skip
        wait_until(lambda: [run.held for run in runs(trigger)] == [1])
        paused = runs(trigger)[0]
        api.pause_run(workspace_id=WORKSPACE, run_id=paused.pk)
        let_go(trigger.workflow_id)
        # The other times pass it.
        wait_until(lambda: any(run.status == "waiting_timer" for run in runs(trigger)))
        self.resume(paused)
        self.wait_in_line(paused.pk)
        until_ended(trigger, 3)
        ends = sorted(lived(run.pk) for run in runs(trigger))
        assert all(later[0] >= earlier[1] for earlier, later in pairwise(ends))

    def test_one_that_waits_can_be_paused_again_and_cancelled(self, machine: Machine) -> None:
        trigger = self.paused_and_let_go(machine, "queue", seconds=600, count=3)
        self.resume(*runs(trigger))
        first, second, third = runs(trigger)
        machine.until(first.pk, lambda run: run.status == "waiting_timer")
        api.pause_run(workspace_id=WORKSPACE, run_id=second.pk)
        api.cancel(workspace_id=WORKSPACE, run_id=first.pk)
        machine.until(third.pk, lambda run: run.status == "waiting_timer")
        self.resume(second)
        self.wait_in_line(second.pk)
        api.cancel(workspace_id=WORKSPACE, run_id=second.pk)
        machine.until(second.pk, lambda run: run.status == "cancelled")

    def test_runs_that_may_overlap_go_at_once(self, machine: Machine) -> None:
        trigger = self.paused_and_let_go(machine, "allow", seconds=600)
        self.resume(*runs(trigger))
        wait_until(lambda: [run.status for run in runs(trigger)] == ["waiting_timer"] * 2)

    def test_the_one_that_is_tried_goes_at_once(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine, "skip")
        version = trigger.version
        run = Run.objects.create(
            workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, version_id=version.pk, trigger_node="start",
            started_by="schedule", status="accepted", accepted_at=1, wake_at=1, min_engine=version.min_engine,
        )  # fmt: skip
        hold(trigger.workflow_id)
        let_go(trigger.workflow_id, trial=True)
        api.pause_run(workspace_id=WORKSPACE, run_id=run.pk)
        self.resume(run)
        run.refresh_from_db()
        assert (run.held, run.wake_at is None) == (0, False)

    def test_one_that_is_resumed_while_it_is_worked_out_whose_turn_it_is_waits_for_the_next_look(
        self, idle_machine: Machine
    ) -> None:
        trigger = published(idle_machine, "skip")
        about = {
            "workspace_id": WORKSPACE,
            "workflow_id": trigger.workflow_id,
            "version_id": trigger.version.pk,
            "min_engine": trigger.version.min_engine,
            "trigger_node": "start",
            "started_by": "schedule",
            "accepted_at": 1,
            "status": "accepted",
        }
        begun, run = (Run.objects.create(**about, wake_at=1) for _ in range(2))
        waits = {"status": "waiting_timer", "wake_at": database_now() + HOUR, "started_at": 2}
        Run.objects.filter(pk=begun.pk).update(**waits)
        api.pause_run(workspace_id=WORKSPACE, run_id=run.pk)
        turns = in_turn(trigger.workflow_id)
        self.resume(run)
        assert let_go_strays(trigger.workflow_id, database_now(), turns) == []
        assert (look(run.pk).waiting or {})["cause"] == "turn"
        Run.objects.filter(pk=begun.pk).update(status="completed", finished_at=3, wake_at=None)
        assert let_go_strays(trigger.workflow_id, database_now(), in_turn(trigger.workflow_id)) == [run.pk]
