"""Starts of a schedule that meet each other: after a standstill, of a paused workflow, beside a backfill (I33, I42)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import BackfillView, NotRetryable, RuntimeRefused
from runtime.interpreter.plain_retries import carry_on_plainly, look_plainly
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Event, Hold, Run, Trigger
from runtime.worker import overlap as overlaps
from tests.runtime.machine import WORKSPACE, Machine, cut_short, flow, lived, pause, step, wait_until
from tests.runtime.test_ticker_schedules import not_as_the_hour_turns, tick

HOUR = 3_600_000
RULES = ["skip", "queue", "cancel"]
every_rule = pytest.mark.parametrize("rule", RULES)
PAST = [int(datetime(2026, 11, 1, hour, tzinfo=UTC).timestamp() * 1000) for hour in (8, 9, 10)]
BY = UUID("01890a5d-ac96-774b-bcce-b302099a8059")


def published(machine: Machine, rule: str, seconds: float = 0.3, **config: Any) -> Trigger:
    """A schedule of every hour whose runs last so long; none of its own instants comes while a test looks on."""
    start = step("start", "trigger.schedule@1", {"every": 1, "unit": "hours", "overlap": rule, **config})
    workflow = machine.publish(flow("start -> nap", start, pause("nap", seconds)))
    trigger = Trigger.objects.get(workflow_id=workflow)
    Trigger.objects.filter(pk=trigger.pk).update(next_fire_at=(trigger.next_fire_at or 0) + HOUR)
    return trigger


def stand_still(trigger: Trigger, hours: int) -> list[int]:
    """As if nobody had looked for so long; the instants of that time."""
    not_as_the_hour_turns()
    first = (database_now() // HOUR - hours + 1) * HOUR
    Trigger.objects.filter(pk=trigger.pk).update(next_fire_at=first)
    return [first + number * HOUR for number in range(hours)]


def runs(trigger: Trigger) -> list[Run]:
    return list(Run.objects.filter(workflow_id=trigger.workflow_id).order_by("id"))


def instants(trigger: Trigger) -> list[int]:
    """Of the runs, in the order in which they were made."""
    found = Run.objects.filter(workflow_id=trigger.workflow_id).order_by("id")
    return [int(key or 0) for key in found.values_list("event__dedupe_key", flat=True)]


def outcomes(trigger: Trigger) -> list[tuple[str, str | None]]:
    """What became of each instant, and why."""
    found = Event.objects.filter(trigger_id=trigger.pk).values_list("dedupe_key", "verdict", "reason")
    return [(verdict, reason) for _, verdict, reason in sorted(found, key=lambda row: int(row[0] or 0))]


def have_ended(trigger: Trigger, count: int) -> bool:
    return sum(run.status == "completed" for run in runs(trigger)) == count


def until_ended(trigger: Trigger, count: int) -> None:
    """Wait for so many ends; the pause of each run is over once somebody has seen it wait."""

    def ended() -> bool:
        for run in runs(trigger):
            if run.status == "waiting_timer":
                cut_short(run.pk)
        return have_ended(trigger, count)

    wait_until(ended)


def went_one_after_another(trigger: Trigger) -> bool:
    found = runs(trigger)
    assert {run.status for run in found} == {"completed"}
    assert not any(run.cancel_requested_at for run in found)
    ends = [lived(run.pk) for run in found]
    return all(later[0] >= earlier[1] for earlier, later in pairwise(ends))


def begun_long_ago(trigger: Trigger, ago: int) -> Run:
    """The run that waits, as if it had begun so long ago."""
    wait_until(lambda: any(run.status == "waiting_timer" for run in runs(trigger)))
    run = next(run for run in runs(trigger) if run.status == "waiting_timer")
    Run.objects.filter(pk=run.pk).update(started_at=database_now() - ago)
    return run


class TestMissed:
    @every_rule
    def test_starts_that_were_missed_each_get_their_run_one_after_another(self, machine: Machine, rule: str) -> None:
        trigger = published(machine, rule, missed="all")
        missed = stand_still(trigger, 4)
        wait_until(lambda: have_ended(trigger, 4))
        assert instants(trigger) == missed
        assert outcomes(trigger) == [("accepted", None)] * 4
        assert went_one_after_another(trigger)

    @every_rule
    def test_a_start_in_its_time_goes_behind_the_missed_ones(self, machine: Machine, rule: str) -> None:
        trigger = published(machine, rule, seconds=600, missed="all")
        missed = stand_still(trigger, 3)
        wait_until(lambda: len(runs(trigger)) == 1)
        now = tick(trigger.workflow_id)
        assert outcomes(trigger)[-1] == ("queued", overlaps.REASONS["behind"])
        until_ended(trigger, 4)
        assert instants(trigger) == [*missed, now]
        assert went_one_after_another(trigger)

    def test_one_that_lasts_longer_than_an_interval_leaves_the_next_out_and_keeps_the_missed(
        self, machine: Machine
    ) -> None:
        trigger = published(machine, "skip", seconds=600, missed="all")
        stand_still(trigger, 3)
        begun_long_ago(trigger, 2 * HOUR)
        tick(trigger.workflow_id)
        waiting = ("queued", overlaps.MISSED)
        left_out = ("skipped", "An earlier start was still running.")
        assert outcomes(trigger) == [("accepted", None), waiting, waiting, left_out]

    @pytest.mark.parametrize(
        ("rule", "others"),
        [
            ("skip", [("skipped", "An earlier start was still running.")] * 2),
            ("queue", [("queued", overlaps.REASONS["queued"]), ("skipped", overlaps.REASONS["full"])]),
            ("cancel", [("accepted", None), ("queued", overlaps.MISSED)]),
        ],
    )
    def test_a_run_that_was_open_all_the_time_did_overlap(
        self, machine: Machine, rule: str, others: list[tuple[str, str | None]]
    ) -> None:
        trigger = published(machine, rule, seconds=600, missed="all")
        tick(trigger.workflow_id)
        run = begun_long_ago(trigger, 5 * HOUR)
        Event.objects.update(dedupe_key=str(database_now() - 5 * HOUR))
        stand_still(trigger, 2)
        wait_until(lambda: outcomes(trigger)[1:] == others)
        assert (Run.objects.get(pk=run.pk).cancel_requested_at is not None) == (rule == "cancel")

    @every_rule
    def test_a_run_that_was_cut_off_did_not_overlap(self, idle_machine: Machine, rule: str) -> None:
        trigger = published(idle_machine, rule)
        now = database_now()
        Run.objects.create(
            workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, version_id=trigger.version_id,
            trigger_node="start", started_by="schedule", status="accepted", accepted_at=now - HOUR,
            started_at=now - HOUR, wake_at=now, lease_owner="dead", lease_expires_at=now + 1,
        )  # fmt: skip
        assert overlaps.admit(trigger, now - 60_000, late=True, previous=now - HOUR) == "missed"
        assert Run.objects.get().cancel_requested_at is None


class TestHeld:
    @every_rule
    def test_starts_of_a_paused_workflow_are_all_kept_and_go_one_after_another(
        self, machine: Machine, rule: str
    ) -> None:
        trigger = published(machine, rule)
        api.hold_workflow(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        kept = [tick(trigger.workflow_id) for _ in range(4)]
        wait_until(lambda: len(runs(trigger)) == 4)
        assert [(run.status, run.held, run.started_by) for run in runs(trigger)] == [("accepted", 1, "schedule")] * 4
        assert outcomes(trigger) == [("accepted", None)] * 4
        api.let_go(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        wait_until(lambda: have_ended(trigger, 4))
        assert instants(trigger) == kept
        assert went_one_after_another(trigger)
        wait_until(lambda: not Hold.objects.exists())

    @every_rule
    def test_a_run_under_way_when_it_was_paused_is_waited_for_and_not_cancelled(
        self, machine: Machine, rule: str
    ) -> None:
        trigger = published(machine, rule, seconds=600)
        tick(trigger.workflow_id)
        wait_until(lambda: any(run.status == "waiting_timer" for run in runs(trigger)))
        api.hold_workflow(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        tick(trigger.workflow_id)
        wait_until(lambda: len(runs(trigger)) == 2)
        api.let_go(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        until_ended(trigger, 2)
        assert went_one_after_another(trigger)

    def test_what_else_is_held_passes_a_schedule_whose_run_is_still_under_way(self, machine: Machine) -> None:
        start = step("start", "trigger.schedule@1", {"every": 1, "unit": "hours", "overlap": "skip"})
        graph = flow("start -> nap, hand -> done", start, step("hand", "trigger.manual@1"), pause("nap", 600))
        workflow = machine.publish(graph)
        trigger = Trigger.objects.get(workflow_id=workflow, node_id="start")
        api.hold_workflow(workspace_id=WORKSPACE, workflow_id=workflow)
        for number in (1, 2):
            tick(workflow)
            wait_until(lambda number=number: len(runs(trigger)) == number)  # type: ignore[misc]
        by_hand = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow, trigger_node="hand", input=None).run_id
        api.let_go(workspace_id=WORKSPACE, workflow_id=workflow)
        machine.until(by_hand, lambda run: run.status == "completed")
        first, second, _ = runs(trigger)
        machine.until(first.pk, lambda run: run.status == "waiting_timer")
        assert Run.objects.get(pk=second.pk).held == 1
        # In its time: the one that runs has begun longer ago than the last instant.
        Run.objects.filter(pk=first.pk).update(started_at=database_now() - HOUR)
        tick(workflow)
        assert outcomes(trigger)[-1] == ("skipped", "An earlier start was still running.")

    def test_what_waited_when_the_workflow_was_paused_is_held_too(self, idle_machine: Machine) -> None:
        trigger = published(idle_machine, "queue", seconds=600, missed="all")
        kept = stand_still(trigger, 3)
        api.hold_workflow(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        idle_machine.start()
        wait_until(lambda: len(runs(trigger)) == 3)
        assert instants(trigger) == kept
        assert {run.held for run in runs(trigger)} == {1}


class TestBackfill:
    def ask(self, trigger: Trigger, *, together: bool) -> BackfillView:
        return api.backfill(
            workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, trigger_id=trigger.pk,
            range_from=PAST[0], range_to=PAST[-1], together=together, by=BY,
        )  # fmt: skip

    @pytest.mark.parametrize("together", [True, False])
    def test_the_next_tick_never_cancels_the_runs_that_a_person_asked_for(
        self, machine: Machine, together: bool
    ) -> None:
        trigger = published(machine, "cancel", seconds=600)
        self.ask(trigger, together=together)
        wait_until(lambda: len(runs(trigger)) == (3 if together else 1))
        tick(trigger.workflow_id)
        until_ended(trigger, 4)
        assert not any(run.cancel_requested_at for run in runs(trigger))

    def test_a_backfill_cancels_no_run_of_the_clock(self, machine: Machine) -> None:
        trigger = published(machine, "cancel", seconds=600)
        tick(trigger.workflow_id)
        self.ask(trigger, together=True)
        until_ended(trigger, 4)
        assert not any(run.cancel_requested_at for run in runs(trigger))

    def test_what_was_cancelled_before_it_began_may_be_asked_for_again(self, machine: Machine) -> None:
        trigger = published(machine, "cancel")
        api.hold_workflow(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        self.ask(trigger, together=True)
        wait_until(lambda: [run.held for run in runs(trigger)] == [1, 1, 1])
        cancelled = runs(trigger)[:2]
        for run in cancelled:
            api.cancel(workspace_id=WORKSPACE, run_id=run.pk, by=BY)
            machine.until(run.pk, lambda found: found.status == "cancelled")
        api.let_go(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        wait_until(lambda: have_ended(trigger, 1))
        assert self.ask(trigger, together=False).starts == 2
        wait_until(lambda: have_ended(trigger, 3))
        again = runs(trigger)[3:]
        assert [run.replay_of for run in again] == [run.pk for run in cancelled]
        assert instants(trigger) == [*PAST, *PAST[:2]]
        with pytest.raises(RuntimeRefused):
            self.ask(trigger, together=False)
        assert outcomes(trigger) == [("accepted", None)] * 3
        for run, other in zip(cancelled, again, strict=True):
            with pytest.raises(NotRetryable, match=f"run {other.pk.hex[-8:]} was started in its place"):
                api.retry_plan(workspace_id=WORKSPACE, run_id=run.pk)

    def cancelled_before_they_began(self, machine: Machine, seconds: float) -> Trigger:
        """Starts of past times that somebody cancelled while the workflow was paused, which goes on since."""
        trigger = published(machine, "cancel", seconds=seconds)
        api.hold_workflow(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        self.ask(trigger, together=True)
        wait_until(lambda: [run.held for run in runs(trigger)] == [1, 1, 1])
        for run in runs(trigger):
            api.cancel(workspace_id=WORKSPACE, run_id=run.pk, by=BY)
            machine.until(run.pk, lambda found: found.status == "cancelled")
        api.let_go(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        wait_until(lambda: not Hold.objects.exists())
        return trigger

    def test_a_time_that_waits_to_be_started_anew_is_not_gone_on_with_as_well(self, machine: Machine) -> None:
        trigger = self.cancelled_before_they_began(machine, seconds=600)
        last = runs(trigger)[2]
        plan = api.retry_plan(workspace_id=WORKSPACE, run_id=last.pk)
        asked = self.ask(trigger, together=False)
        wait_until(lambda: len(runs(trigger)) == 4)
        with pytest.raises(NotRetryable, match="asked for again"):
            api.retry_plan(workspace_id=WORKSPACE, run_id=last.pk)
        with pytest.raises(NotRetryable, match="asked for again"):
            api.retry(workspace_id=WORKSPACE, run_id=last.pk, plan=plan.id)
        with pytest.raises(NotRetryable, match="asked for again"):
            look_plainly(WORKSPACE, last.pk)
        # Nothing is started in its place any more.
        api.stop_backfill(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, backfill_id=asked.id)
        api.retry(workspace_id=WORKSPACE, run_id=last.pk, plan=plan.id)
        machine.until(last.pk, lambda found: found.status == "waiting_timer")
        again = self.ask(trigger, together=True)
        assert again.starts == 1
        wait_until(lambda: not Event.objects.filter(verdict="queued").exists())
        # One run of each time, beside those that were cancelled.
        alive = Run.objects.filter(workflow_id=trigger.workflow_id, finished_at__isnull=True)
        assert sorted(int(key or 0) for key in alive.values_list("event__dedupe_key", flat=True)) == PAST

    @pytest.mark.parametrize("left_out", ["stopped", "switched off", "by an earlier version"])
    def test_what_was_gone_on_with_after_all_is_not_started_a_second_time(
        self, machine: Machine, left_out: str
    ) -> None:
        trigger = self.cancelled_before_they_began(machine, seconds=600)
        first = runs(trigger)[0]
        machine.stop()
        asked = self.ask(trigger, together=True)
        match left_out:
            case "stopped":
                api.stop_backfill(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, backfill_id=asked.id)
            case "switched off":
                api.disable(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
            case _:
                Event.objects.filter(trigger_id=trigger.pk).update(verdict="skipped", reason="of old")
        machine.start()
        wait_until(lambda: not Event.objects.filter(verdict="queued").exists())
        api.enable(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        plan = api.retry_plan(workspace_id=WORKSPACE, run_id=first.pk)
        api.retry(workspace_id=WORKSPACE, run_id=first.pk, plan=plan.id)
        machine.until(first.pk, lambda found: found.status == "waiting_timer")
        told = api.backfill_plan(
            workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, trigger_id=trigger.pk,
            range_from=PAST[0], range_to=PAST[-1],
        )  # fmt: skip
        assert [instant.known for instant in told.instants] == [True, False, False]
        # It has begun, and whatever came of it came of this time.
        api.cancel(workspace_id=WORKSPACE, run_id=first.pk, by=BY)
        machine.until(first.pk, lambda found: found.status == "cancelled")
        assert self.ask(trigger, together=True).starts == 2
        wait_until(lambda: len(runs(trigger)) == 5)
        assert sorted(instants(trigger)) == sorted([*PAST, *PAST[1:]])

    def test_what_was_gone_on_with_while_its_time_was_asked_for_is_not_started_a_second_time(
        self, machine: Machine
    ) -> None:
        trigger = self.cancelled_before_they_began(machine, seconds=600)
        first = runs(trigger)[0]
        found = look_plainly(WORKSPACE, first.pk)
        with commit("run.replay"):
            carry_on_plainly(found, "api", database_now())
        machine.until(first.pk, lambda run: run.status == "waiting_timer")
        api.cancel(workspace_id=WORKSPACE, run_id=first.pk, by=BY)
        machine.until(first.pk, lambda run: run.status == "cancelled")
        # As if both had looked at the same moment.
        Event.objects.filter(run_id=first.pk).update(verdict="queued")
        wait_until(lambda: not Event.objects.filter(verdict="queued").exists())
        assert len(runs(trigger)) == 3

    def test_what_is_started_anew_at_the_same_moment_is_gone_on_with_only_once(self, machine: Machine) -> None:
        trigger = self.cancelled_before_they_began(machine, seconds=600)
        first = runs(trigger)[0]
        found = look_plainly(WORKSPACE, first.pk)
        self.ask(trigger, together=True)
        wait_until(lambda: len(runs(trigger)) == 6)
        with pytest.raises(NotRetryable, match="was started in its place"), commit("run.replay"):
            carry_on_plainly(found, "api", database_now())
        assert Run.objects.get(pk=first.pk).status == "cancelled"

    def test_what_was_cancelled_after_it_had_begun_is_not_offered_again(self, machine: Machine) -> None:
        trigger = published(machine, "cancel", seconds=600)
        self.ask(trigger, together=True)
        wait_until(lambda: [run.status for run in runs(trigger)] == ["waiting_timer"] * 3)
        for run in runs(trigger):
            api.cancel(workspace_id=WORKSPACE, run_id=run.pk, by=BY)
            machine.until(run.pk, lambda found: found.status == "cancelled")
        with pytest.raises(RuntimeRefused):
            self.ask(trigger, together=True)
