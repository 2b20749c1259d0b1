"""What somebody does between the look and the deed of somebody else counts, or waits for it: nothing is undone."""

from __future__ import annotations

from uuid import UUID

import pytest

from runtime import api
from runtime.api import alerts, schedule_changes
from runtime.contracts import RuntimeRefused
from runtime.contracts.alerts import AlertRuleDraft
from runtime.store import alerts as alert_rows
from runtime.store import holds
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import AlertChannel, AlertRule, DeadLetter, Hold, Run, Trigger
from runtime.store.pauses import pause_runs
from runtime.worker import breaker, schedules
from tests.meanwhile import just_before, while_open
from tests.runtime import alerting
from tests.runtime.machine import WORKSPACE, Machine, flow, step
from tests.runtime.rows import WORKSPACE as TOWN
from tests.runtime.test_holding import FAILING, GRAPH, hold, let_go, standing

HOUR = 3_600_000


def failed_twice(machine: Machine) -> UUID:
    """A workflow that is to be paused after two failures, and has failed so often, but nobody has looked."""
    workflow_id = machine.publish(FAILING)
    api.set_breaker(workspace_id=WORKSPACE, workflow_id=workflow_id, failures=2, percent=0, minutes=15)
    machine.start(kind="worker", sweep_seconds=0.1)
    for _ in range(2):
        machine.finish(machine.begin_again(workflow_id))
    return workflow_id


class TestPausedSinceItKeepsFailing:
    def test_whoever_pauses_it_by_hand_this_very_moment_has_paused_it(
        self, idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workflow_id = failed_twice(idle_machine)
        just_before(monkeypatch, breaker, "commit", lambda: hold(workflow_id, reason="The ERP is being moved"))
        assert breaker.Breaker().look() == []
        held = standing(workflow_id)
        assert held is not None
        assert (held.cause, held.by, held.reason) == ("person", "api", "The ERP is being moved")

    def test_what_somebody_has_looked_at_and_let_go_is_not_paused_once_more(
        self, idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workflow_id = failed_twice(idle_machine)

        def looked_at() -> None:
            hold(workflow_id)
            let_go(workflow_id)

        just_before(monkeypatch, breaker, "commit", looked_at)
        assert breaker.Breaker().look() == []
        assert standing(workflow_id) is None

    def test_what_is_switched_off_meanwhile_is_not_paused(
        self, idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workflow_id = failed_twice(idle_machine)
        off = {"workspace_id": WORKSPACE, "workflow_id": workflow_id}
        just_before(monkeypatch, breaker, "commit", lambda: api.disable(**off))
        assert breaker.Breaker().look() == []
        assert standing(workflow_id) is None


class TestPaused:
    def test_two_who_pause_it_at_once_both_have(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)

        def by_the_first() -> None:
            Hold.objects.create(
                workflow_id=workflow_id, workspace_id=WORKSPACE, since=1, by="user:1", cause="person", mode="held"
            )

        held = while_open(by_the_first, lambda: hold(workflow_id, reason="The ERP is being moved"))
        assert held == standing(workflow_id)
        assert (Hold.objects.get().by, Hold.objects.get().reason) == ("user:1", "The ERP is being moved")

    def test_a_held_run_that_somebody_pauses_is_not_the_one_that_is_let_go(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)
        hold(workflow_id)
        run_id = idle_machine.begin_again(workflow_id)

        def pause_it() -> None:
            pause_runs(Run.objects.filter(pk=run_id), by="user:1", reason=None, now=database_now())

        def let_it_go() -> list[UUID]:
            with commit("hold.drain"):
                return holds.let_go(Hold.objects.get(), 1, database_now(), who="api")

        assert while_open(pause_it, let_it_go) == []
        run = Run.objects.get(pk=run_id)
        assert (run.held, run.wake_at, run.paused_by) == (1, None, "user:1")


class TestPublished:
    @pytest.mark.parametrize("how", ["published", "switched on"])
    def test_when_a_schedule_is_due_by_what_somebody_decides_right_now_stands(
        self, idle_machine: Machine, how: str
    ) -> None:
        graph = flow("start -> a", step("start", "trigger.schedule@1", {"every": 1, "unit": "days"}))
        workflow_id = idle_machine.publish(graph)
        row = Trigger.objects.get()
        instant = row.next_fire_at or 0
        to = database_now() + (instant - database_now()) // 2

        def move_it() -> None:
            schedule_changes._put(row, instant, to, None, database_now())
            Trigger.objects.filter(pk=row.pk).update(next_fire_at=to)

        def again() -> object:
            if how == "published":
                return idle_machine.publish(graph, workflow_id)
            return api.enable(workspace_id=WORKSPACE, workflow_id=workflow_id)

        while_open(move_it, again)
        assert Trigger.objects.get().next_fire_at == to


class TestDue:
    def test_a_start_that_somebody_left_out_in_time_does_not_come_however_long_that_took(
        self, idle_machine: Machine
    ) -> None:
        graph = flow("start -> a", step("start", "trigger.schedule@1", {"every": 1, "unit": "days"}))
        idle_machine.publish(graph)
        row = Trigger.objects.get()
        at = (row.next_fire_at or 0) - 24 * HOUR
        Trigger.objects.update(next_fire_at=at)

        def leave_it_out() -> None:
            # As whoever does so: under the lock of the schedule, and by a clock that was before its time.
            assert Trigger.objects.select_for_update().get() == row
            schedule_changes._put(row, at, None, None, at - 1)

        found = while_open(leave_it_out, schedules.due)
        assert [[(one.at, one.fate) for one in tick.due] for tick in found] == [[(at, "skip")]]


class TestSolved:
    def test_what_is_retried_right_now_is_not_set_aside_as_well(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(FAILING)
        idle_machine.start(kind="worker", sweep_seconds=0.1)
        run_id = idle_machine.finish(idle_machine.begin_again(workflow_id)).id

        def retried() -> None:
            letters = DeadLetter.objects.filter(run_id=run_id, solved_at__isnull=True)
            assert letters.update(solved_at=7, solved_by="user:1", solution="retried") == 1

        def set_aside() -> int:
            return api.solve_dead_letters(
                workspace_id=WORKSPACE, run_ids=[run_id], solution="discarded", reason="Nobody needs it"
            )

        assert while_open(retried, set_aside) == 0
        letter = DeadLetter.objects.get()
        assert (letter.solution, letter.solved_by, letter.solved_at) == ("retried", "user:1", 7)


@pytest.mark.usefixtures("transactional_db")
class TestAlerts:
    def test_a_channel_that_a_new_rule_tells_alone_is_not_removed_under_it(self) -> None:
        channel = alerting.channel()
        draft = AlertRuleDraft(kind="failed_runs", channels=(channel,), limit=0)

        def make_a_rule() -> None:
            alerts._channels_here(TOWN, draft.channels)
            AlertRule.objects.create(
                workspace_id=TOWN, created_at=1, created_by=None, changed_at=1, **alerts._columns(draft)
            )

        def remove_it() -> None:
            api.remove_alert_channel(workspace_id=TOWN, channel_id=channel)

        with pytest.raises(RuntimeRefused, match="tells this channel alone"):
            while_open(make_a_rule, remove_it)
        assert alert_rows.rule_draft(AlertRule.objects.get()).channels == (channel,)
        assert AlertChannel.objects.filter(pk=channel).exists()
