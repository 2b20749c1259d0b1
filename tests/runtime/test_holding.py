"""A workflow that is paused and still accepts: drained in order, paused by itself when it keeps failing (I42, I43)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import DeploymentView, HoldView, NotFound, NotPaused, RunView, StillHeld
from runtime.engine.ids import uuid7
from runtime.store import holds as store_holds
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Event, Hold, Run
from runtime.store.statements import HELD
from runtime.store.writer import Writer
from runtime.worker import holds
from runtime.worker.breaker import Breaker
from tests.runtime.door import knock
from tests.runtime.machine import WORKSPACE, Machine, cut_short, fields, flow, lived, look, pause, step, wait_until
from tests.runtime.rows import a_webhook

GRAPH = flow("start -> a")
FAILING = flow("start -> stop", step("stop", "flow.fail@1", {"message": "The ERP says no"}))


def hold(workflow_id: UUID, **options: Any) -> HoldView:
    held = api.hold_workflow(workspace_id=WORKSPACE, workflow_id=workflow_id, **options).hold
    assert held is not None
    return held


def let_go(workflow_id: UUID, **options: Any) -> DeploymentView:
    return api.let_go(workspace_id=WORKSPACE, workflow_id=workflow_id, **options)


def standing(workflow_id: UUID) -> HoldView | None:
    found = api.deployment(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert found is not None
    return found.hold


def in_order(run_ids: list[UUID]) -> list[UUID]:
    """These runs as they began."""
    return sorted(run_ids, key=lambda run_id: lived(run_id)[0])


def tend_until_over(workflow_id: UUID) -> list[list[UUID]]:
    """What each look lets go, where every run ends at once."""
    gone = []
    for _ in range(50):
        rung, draining = holds.tend()
        if rung:
            gone.append(rung)
            Run.objects.filter(pk__in=rung).update(seq=1, status="completed", finished_at=1, wake_at=None)
        if not draining:
            break
    assert not Hold.objects.filter(pk=workflow_id).exists()
    return gone


class TestHeld:
    def test_what_starts_is_stored_and_nothing_of_it_runs(self, machine: Machine) -> None:
        workflow_id = machine.publish(GRAPH)
        held = hold(workflow_id, reason="The ERP is being moved")
        assert (held.mode, held.cause, held.reason, held.waiting) == ("held", "person", "The ERP is being moved", 0)
        run_ids = [machine.begin_again(workflow_id, {"n": n}) for n in range(5)]
        assert Event.objects.filter(workflow_id=workflow_id, verdict="accepted").count() == 5
        assert machine.claimable() == set()
        for run_id in run_ids:
            run = look(run_id)
            assert run.status == "accepted"
            assert run.waiting is not None
            assert (run.waiting["kind"], run.waiting["text"]) == (
                "held",
                "Held: the workflow is paused: The ERP is being moved",
            )
        now_held = standing(workflow_id)
        assert now_held is not None
        assert now_held.waiting == 5
        assert api.orphans() == []

    def test_another_workflow_and_a_test_of_this_one_run(self, machine: Machine) -> None:
        workflow_id = machine.publish(GRAPH)
        hold(workflow_id)
        assert machine.run(GRAPH).status == "completed"
        test = api.start_test(workspace_id=WORKSPACE, workflow_id=workflow_id, graph=GRAPH)
        assert machine.finish(test.run_id).status == "completed"

    def test_what_was_accepted_before_and_has_not_begun_is_held_in_its_place(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)
        before = [idle_machine.begin_again(workflow_id) for _ in range(3)]
        assert hold(workflow_id).waiting == 3
        after = [idle_machine.begin_again(workflow_id) for _ in range(2)]
        held = store_holds.held_runs(workflow_id).order_by("id").values_list("id", flat=True)
        assert list(held) == [*before, *after]

    def test_a_run_that_strayed_past_the_hold_is_not_claimed_and_gathered(self, machine: Machine) -> None:
        """As of a door that stored it in the very moment of the pause, or that an older build keeps."""
        workflow_id = machine.publish(GRAPH)
        hold(workflow_id)
        run_id = machine.begin_again(workflow_id)
        Run.objects.filter(pk=run_id).update(held=None, wake_at=1, min_engine=1)
        assert run_id not in machine.claimable()
        wait_until(lambda: Run.objects.filter(pk=run_id, held=1, wake_at=None, min_engine=HELD + 1).exists())

    def test_a_plan_to_go_on_with_a_run_says_that_its_workflow_is_paused(self, machine: Machine) -> None:
        run = machine.run(flow("start -> a", step("a", "flow.fail@1", {"message": "No"})))
        assert not api.retry_plan(workspace_id=WORKSPACE, run_id=run.id).workflow_held
        hold(run.workflow_id)
        assert api.retry_plan(workspace_id=WORKSPACE, run_id=run.id).workflow_held

    def test_runs_under_way_finish(self, machine: Machine) -> None:
        workflow_id = machine.publish(flow("start -> pause -> a", pause("pause", 600)))
        run_id = machine.begin_again(workflow_id)
        machine.until(run_id, lambda found: found.status == "waiting_timer")
        hold(workflow_id)
        cut_short(run_id)
        assert machine.finish(run_id).status == "completed"

    def test_runs_under_way_are_paused_with_it_where_that_is_wanted(self, machine: Machine) -> None:
        workflow_id = machine.publish(flow("start -> pause -> a", pause("pause", 600)))
        run_id = machine.begin_again(workflow_id)
        machine.until(run_id, lambda found: found.status == "waiting_timer")
        assert hold(workflow_id, open_runs="hold").open_runs == "hold"
        run = look(run_id)
        assert run.waiting is not None
        assert (run.waiting["kind"], run.waiting["by"]) == ("paused", "workflow")
        let_go(workflow_id)
        cut_short(run_id)
        assert machine.finish(run_id).status == "completed"

    def test_a_held_run_can_be_cancelled(self, machine: Machine) -> None:
        workflow_id = machine.publish(GRAPH)
        hold(workflow_id)
        run_id = machine.begin_again(workflow_id)
        api.cancel(workspace_id=WORKSPACE, run_id=run_id)
        assert machine.finish(run_id).status == "cancelled"
        assert standing(workflow_id) is not None

    def test_it_is_not_deleted_while_anything_waits_for_it_to_go_on(self, machine: Machine) -> None:
        workflow_id = machine.publish(flow("start -> a"))
        hold(workflow_id)
        run_id = machine.begin_again(workflow_id)
        with pytest.raises(StillHeld, match="1 run waits"):
            api.retire(workspace_id=WORKSPACE, workflow_id=workflow_id)
        assert Deployment.objects.get(pk=workflow_id).retired is False
        assert Hold.objects.filter(pk=workflow_id).exists()
        api.cancel(workspace_id=WORKSPACE, run_id=run_id)
        machine.finish(run_id)
        api.retire(workspace_id=WORKSPACE, workflow_id=workflow_id)
        assert not Hold.objects.filter(pk=workflow_id).exists()

    def test_what_nobody_can_let_go_is_found(self, machine: Machine) -> None:
        workflow_id = machine.publish(flow("start -> a"))
        hold(workflow_id)
        run_id = machine.begin_again(workflow_id)
        assert api.orphans() == []
        Deployment.objects.filter(pk=workflow_id).update(retired=True)
        assert api.orphans() == [run_id]

    def test_a_webhook_answers_as_always_and_does_not_wait_for_a_held_run(self, writer: Writer) -> None:
        trigger = a_webhook("orders", respond="when_finished")
        hold(trigger.workflow_id)
        reply = knock(writer, "orders", b"{}")
        assert reply.status == 202
        (run,) = Run.objects.filter(workflow_id=trigger.workflow_id)
        assert (run.held, run.wake_at, run.lease_owner, run.min_engine) == (1, None, None, HELD + 1)

    def test_a_lease_given_in_the_moment_of_the_pause_is_void(self, idle_machine: Machine) -> None:
        """The door did not know yet: the database does, and whoever believes to hold the run writes nothing."""
        workflow_id = idle_machine.publish(GRAPH)
        idle_machine.start()
        hold(workflow_id)
        Hold.objects.filter(pk=workflow_id).update(workspace_id=uuid7())
        run_id = idle_machine.begin_again(workflow_id)
        row = Run.objects.get(pk=run_id)
        assert (row.held, row.lease_owner, row.lease_token, row.seq) == (1, None, 0, 0)

    def test_only_what_is_published_is_held(self, machine: Machine) -> None:
        with pytest.raises(NotFound):
            hold(uuid7())
        with pytest.raises(NotPaused):
            let_go(machine.publish(GRAPH))


class TestDraining:
    def test_they_go_in_the_order_of_acceptance_and_what_comes_meanwhile_goes_behind(self, machine: Machine) -> None:
        workflow_id = machine.publish(GRAPH)
        hold(workflow_id)
        run_ids = [machine.begin_again(workflow_id) for _ in range(6)]
        let_go(workflow_id, at_once=1)
        run_ids += [machine.begin_again(workflow_id) for _ in range(3)]
        for run_id in run_ids:
            assert machine.finish(run_id).status == "completed"
        assert in_order(run_ids) == run_ids
        wait_until(lambda: standing(workflow_id) is None)
        assert machine.run(GRAPH).status == "completed"
        assert machine.finish(machine.begin_again(workflow_id)).status == "completed"

    def test_so_many_at_a_time(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)
        hold(workflow_id)
        run_ids = [idle_machine.begin_again(workflow_id) for _ in range(5)]
        let_go(workflow_id, at_once=2)
        assert holds.tend() == (run_ids[:2], True)
        assert holds.tend() == ([], True)
        Run.objects.filter(pk=run_ids[0]).update(finished_at=1, status="completed")
        assert holds.tend() == (run_ids[2:3], True)
        held = standing(workflow_id)
        assert held is not None
        assert (held.waiting, held.under_way, held.let_go) == (2, 2, 3)

    def test_so_many_a_minute(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)
        hold(workflow_id)
        run_ids = [idle_machine.begin_again(workflow_id) for _ in range(5)]
        let_go(workflow_id, per_minute=2)
        assert holds.tend() == (run_ids[:1], True)
        assert holds.tend() == ([], True)
        Hold.objects.filter(pk=workflow_id).update(drained_from=database_now() - 60_000)
        assert holds.tend() == (run_ids[1:3], True)

    def test_as_fast_as_possible(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)
        hold(workflow_id)
        run_ids = [idle_machine.begin_again(workflow_id) for _ in range(holds.AT_ONCE + 20)]
        let_go(workflow_id)
        assert tend_until_over(workflow_id) == [run_ids[: holds.AT_ONCE], run_ids[holds.AT_ONCE :]]

    def test_as_fast_as_possible_is_not_held_up_by_runs_that_wait(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runtime.worker.holds.AT_ONCE", 2)
        workflow_id = machine.publish(flow("start -> nap -> a", pause("nap", 3600), fields("a", x=1)))
        hold(workflow_id)
        run_ids = [machine.begin_again(workflow_id) for _ in range(5)]
        let_go(workflow_id)
        wait_until(lambda: {look(run_id).status for run_id in run_ids} == {"waiting_timer"})
        wait_until(lambda: standing(workflow_id) is None)

    def test_pausing_again_stops_it(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)
        hold(workflow_id)
        run_ids = [idle_machine.begin_again(workflow_id) for _ in range(4)]
        let_go(workflow_id, at_once=1)
        assert holds.tend() == (run_ids[:1], True)
        held = hold(workflow_id)
        assert (held.mode, held.waiting) == ("held", 4)
        assert holds.tend() == ([], False)
        let_go(workflow_id)
        assert tend_until_over(workflow_id) == [run_ids]

    def test_a_run_accepted_as_the_hold_ended_is_let_go(self, machine: Machine) -> None:
        workflow_id = machine.publish(GRAPH)
        hold(workflow_id)
        run_id = machine.begin_again(workflow_id)
        Hold.objects.all().delete()
        assert machine.finish(run_id).status == "completed"

    def test_nothing_held_is_nothing_to_drain(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(GRAPH)
        hold(workflow_id)
        assert let_go(workflow_id).hold is None

    def test_a_paused_run_that_is_held_too_needs_both_to_go_on(self, machine: Machine) -> None:
        workflow_id = machine.publish(GRAPH)
        hold(workflow_id)
        run_id = machine.begin_again(workflow_id)
        api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
        let_go(workflow_id)
        wait_until(lambda: Run.objects.filter(pk=run_id, held=0).exists())
        assert run_id not in machine.claimable()
        api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
        assert machine.finish(run_id).status == "completed"


class TestTrial:
    def test_one_goes_first_and_the_rest_waits_for_a_word(self, machine: Machine) -> None:
        workflow_id = machine.publish(GRAPH)
        hold(workflow_id)
        first, *others = (machine.begin_again(workflow_id) for _ in range(3))
        tried = let_go(workflow_id, trial=True).hold
        assert tried is not None
        assert (tried.mode, tried.trial_run_id, tried.waiting) == ("trying", first, 2)
        assert machine.finish(first).status == "completed"
        wait_until(lambda: (held := standing(workflow_id)) is not None and held.trial == "done")
        held = standing(workflow_id)
        assert held is not None
        assert (held.mode, held.waiting) == ("held", 2)
        let_go(workflow_id)
        assert {machine.finish(run_id).status for run_id in others} == {"completed"}

    def test_one_that_fails_leaves_the_rest_held(self, machine: Machine) -> None:
        workflow_id = machine.publish(FAILING)
        hold(workflow_id)
        first, other = (machine.begin_again(workflow_id) for _ in range(2))
        let_go(workflow_id, trial=True)
        assert machine.finish(first).status == "dead_lettered"
        wait_until(lambda: (held := standing(workflow_id)) is not None and held.trial == "failed")
        assert look(other).status == "accepted"


class TestBreaker:
    def fail(self, machine: Machine, workflow_id: UUID, count: int) -> list[RunView]:
        return [machine.finish(machine.begin_again(workflow_id)) for _ in range(count)]

    def limit(self, workflow_id: UUID, failures: int = 0, percent: int = 0, minutes: int = 15) -> None:
        api.set_breaker(
            workspace_id=WORKSPACE, workflow_id=workflow_id, failures=failures, percent=percent, minutes=minutes
        )

    def test_so_many_failures_in_a_row_pause_it_and_it_goes_on_accepting(self, machine: Machine) -> None:
        workflow_id = machine.publish(FAILING)
        self.limit(workflow_id, failures=3)
        self.fail(machine, workflow_id, 3)
        wait_until(lambda: standing(workflow_id) is not None)
        held = standing(workflow_id)
        assert held is not None
        assert (held.cause, held.by, held.mode) == ("failures", "millrace", "held")
        assert (held.facts["rule"], held.facts["failures"]) == ("row", 3)
        found = api.deployment(workspace_id=WORKSPACE, workflow_id=workflow_id)
        assert found is not None
        assert found.enabled
        run = look(machine.begin_again(workflow_id))
        assert run.waiting is not None
        assert run.waiting["text"] == "Held: the workflow failed 3 times in a row"

    def test_repaired_it_drains_under_the_version_each_run_was_accepted_under(self, machine: Machine) -> None:
        workflow_id = machine.publish(FAILING)
        self.limit(workflow_id, failures=2)
        self.fail(machine, workflow_id, 2)
        wait_until(lambda: standing(workflow_id) is not None)
        machine.publish(GRAPH, workflow_id)
        run_ids = [machine.begin_again(workflow_id) for _ in range(3)]
        let_go(workflow_id)
        assert {machine.finish(run_id).status for run_id in run_ids} == {"completed"}
        wait_until(lambda: standing(workflow_id) is None)

    def test_failures_that_somebody_looked_at_count_no_more(self, machine: Machine) -> None:
        workflow_id = machine.publish(FAILING)
        self.limit(workflow_id, failures=2)
        self.fail(machine, workflow_id, 2)
        wait_until(lambda: standing(workflow_id) is not None)
        let_go(workflow_id)
        wait_until(lambda: standing(workflow_id) is None)
        self.fail(machine, workflow_id, 1)
        assert Breaker().look() == []
        self.fail(machine, workflow_id, 1)
        wait_until(lambda: standing(workflow_id) is not None)

    def test_a_success_in_between_breaks_the_row(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(
            flow("start -> if, if:no -> stop, if:yes -> a", DECISION, step("stop", "flow.fail@1", {"message": "No"}))
        )
        self.limit(workflow_id, failures=2)
        idle_machine.start(kind="worker", sweep_seconds=0.1)
        for good, expected in ((False, False), (True, False), (False, False), (False, True)):
            idle_machine.finish(idle_machine.begin_again(workflow_id, {"good": good}))
            assert bool(Breaker().look()) is expected

    def test_an_old_run_that_is_gone_on_with_and_fails_again_hides_no_row(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(
            flow("start -> if, if:no -> stop, if:yes -> a", DECISION, step("stop", "flow.fail@1", {"message": "No"}))
        )
        self.limit(workflow_id, failures=3)
        idle_machine.start(kind="worker", sweep_seconds=0.1)
        goods = (False, True, False, False)
        first, *_ = [idle_machine.finish(idle_machine.begin_again(workflow_id, {"good": good})) for good in goods]
        assert Breaker().look() == []
        plan = api.retry_plan(workspace_id=WORKSPACE, run_id=first.id)
        api.retry(workspace_id=WORKSPACE, run_id=first.id, plan=plan.id)
        idle_machine.finish(first.id)
        assert Breaker().look() == [workflow_id]

    def test_too_large_a_share_pauses_it(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(
            flow("start -> if, if:no -> stop, if:yes -> a", DECISION, step("stop", "flow.fail@1", {"message": "No"}))
        )
        self.limit(workflow_id, percent=40)
        idle_machine.start(kind="worker", sweep_seconds=0.1)
        for number in range(9):
            idle_machine.finish(idle_machine.begin_again(workflow_id, {"good": number % 2 == 0}))
            assert Breaker().look() == []
        idle_machine.finish(idle_machine.begin_again(workflow_id, {"good": False}))
        assert Breaker().look() == [workflow_id]
        held = standing(workflow_id)
        assert held is not None
        assert (held.facts["rule"], held.facts["failures"], held.facts["runs"]) == ("share", 5, 10)

    def test_off_it_never_pauses(self, machine: Machine) -> None:
        workflow_id = machine.publish(FAILING)
        self.limit(workflow_id)
        self.fail(machine, workflow_id, 12)
        assert Breaker().look() == []
        assert standing(workflow_id) is None

    def test_it_goes_by_what_is_stored_whoever_looks(self, idle_machine: Machine) -> None:
        workflow_id = idle_machine.publish(FAILING)
        self.limit(workflow_id, failures=2)
        idle_machine.start(kind="worker", sweep_seconds=0.1)
        self.fail(idle_machine, workflow_id, 2)
        assert Breaker().look() == [workflow_id]
        assert Breaker().look() == []


DECISION = step(
    "if",
    "flow.decision@1",
    {"conditions": {"match": "all", "rules": [{"left": "{{ trigger.good }}", "op": "is_true"}]}},
)


def naming(value: str, start: str = "start") -> dict[str, Any]:
    """A workflow whose runs are called by what they were given, and say by which drawing they went."""
    graph = flow(f"{start} -> a", step(start, "trigger.manual@1", {"business_key": "{{ trigger.order }}"}))
    graph["nodes"][1]["config"]["fields"] = [{"name": "drawn", "value": value}]
    return graph


class TestTheVersionOfHeldRuns:
    def held(self, machine: Machine) -> tuple[UUID, list[UUID]]:
        workflow_id = machine.publish(naming("first"))
        hold(workflow_id)
        runs = [machine.begin_again(workflow_id, {"order": f"PO-{number}"}) for number in range(3)]
        machine.publish(naming("mended"), workflow_id)
        return workflow_id, [*runs, machine.begin_again(workflow_id, {"order": "PO-3"})]

    def drawn(self, machine: Machine, runs: list[UUID]) -> list[tuple[int, Any]]:
        ended = [machine.finish(run) for run in runs]
        return [(run.version, api.step(workspace_id=WORKSPACE, run_id=run.id, node_id="a").output) for run in ended]

    @pytest.mark.parametrize(("version", "drawn"), [("published", "mended"), ("own", "first")])
    def test_they_go_with_the_one_published_now_or_with_their_own(
        self, machine: Machine, version: Any, drawn: str
    ) -> None:
        workflow_id, runs = self.held(machine)
        found = api.held_versions(workspace_id=WORKSPACE, workflow_id=workflow_id)
        assert [(one.number, one.live, one.count, one.fits) for one in found] == [(1, False, 3, 3), (2, True, 1, 1)]
        let_go(workflow_id, version=version)
        number = 2 if version == "published" else 1
        assert self.drawn(machine, runs) == [(number, {"drawn": drawn})] * 3 + [(2, {"drawn": "mended"})]
        told = [entry.detail for entry in api.trail(workspace_id=WORKSPACE, run_id=runs[0]).items]
        assert ({"version": 2} in told) is (version == "published")

    def test_the_one_that_is_tried_goes_with_the_published_one_too(self, machine: Machine) -> None:
        workflow_id, runs = self.held(machine)
        let_go(workflow_id, trial=True)
        assert self.drawn(machine, runs[:1]) == [(2, {"drawn": "mended"})]
        assert [look(run).version for run in runs[1:]] == [1, 1, 2]
        let_go(workflow_id)
        assert [number for number, _ in self.drawn(machine, runs)] == [2, 2, 2, 2]

    def test_what_came_by_a_start_that_is_gone_keeps_its_version(self, machine: Machine) -> None:
        workflow_id = machine.publish(naming("first"))
        hold(workflow_id)
        run_id = machine.begin_again(workflow_id, {"order": "PO-1"})
        machine.publish(naming("mended", start="other"), workflow_id)
        (found,) = api.held_versions(workspace_id=WORKSPACE, workflow_id=workflow_id)
        assert (found.count, found.fits) == (1, 0)
        let_go(workflow_id)
        assert self.drawn(machine, [run_id]) == [(1, {"drawn": "first"})]

    def test_they_show_the_key_that_they_will_have(self, machine: Machine) -> None:
        workflow_id, runs = self.held(machine)
        assert [look(run).business_key for run in runs] == ["PO-0", "PO-1", "PO-2", "PO-3"]
        assert not Run.objects.filter(pk__in=runs, business_key__isnull=False).exists()
        let_go(workflow_id)
        assert [machine.finish(run).business_key for run in runs] == ["PO-0", "PO-1", "PO-2", "PO-3"]
