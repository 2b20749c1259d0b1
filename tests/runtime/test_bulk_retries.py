"""Dead letters gone on with in bulk: at a speed, until a rule stops it, one first; each of them once, whatever dies."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from runtime import api
from runtime.contracts import BulkRetryView, NotFound, RuntimeRefused
from runtime.engine.ids import uuid7
from runtime.store import failpoints
from runtime.store.dialect import database_now
from runtime.store.models import BulkRetry, BulkRetryItem, Replay, Run
from runtime.worker import bulk_retries
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, pause, post, step, unsafe_post, wait_until
from tests.runtime.test_dead_letters import INVOICE, failing, groups, letters
from tests.runtime.test_own_runs import each, inside

BY = UUID("01890a5d-ac96-774b-bcce-b302099a8059")


def failed(machine: Machine, count: int, graph: dict[str, Any] | None = None) -> list[UUID]:
    """Runs of a new workflow that have failed alike, the newest first."""
    workflow = machine.publish(graph or failing("No."))
    return [machine.finish(machine.begin_again(workflow, {"number": number})).id for number in range(count)][::-1]


def mending(world: World, times: int) -> dict[str, Any]:
    """A call that fails so many times for each run, and then works."""
    invoice = post("pay", f"{world.url}/with/fail=503*{times}/invoices", INVOICE, retry={"attempts": 1})
    return flow("start -> pay", invoice)


def start(**asked: Any) -> BulkRetryView:
    (group,) = groups()
    return api.start_bulk_retry(workspace_id=WORKSPACE, **{"cause": group.cause, "by": BY, **asked})


def now(bulk: BulkRetryView) -> BulkRetryView:
    return api.bulk_retry(workspace_id=WORKSPACE, bulk_id=bulk.id)


def until(bulk: BulkRetryView, status: str) -> BulkRetryView:
    wait_until(lambda: now(bulk).status == status)
    return now(bulk)


def goes(runs: list[UUID]) -> list[int]:
    """In which generation each run is."""
    found = dict(Run.objects.filter(pk__in=runs).values_list("pk", "generation"))
    return [found[run] for run in runs]


class TestGoingOn:
    def test_each_letter_is_gone_on_with_by_whoever_asked_and_followed_to_its_end(
        self, machine: Machine, world: World
    ) -> None:
        runs = failed(machine, 4, mending(world, 1))
        bulk = start(reason="The ERP is back.")
        assert (bulk.status, bulk.total, bulk.left, bulk.reason) == ("running", 4, 4, "The ERP is back.")
        ended = until(bulk, "done")
        assert (ended.done, ended.failed, ended.left, ended.under_way, ended.open) == (4, 0, 0, 0, False)
        assert goes(runs) == [2, 2, 2, 2]
        assert set(Replay.objects.values_list("by", flat=True)) == {f"user:{BY}"}
        assert all(len(world.invoices(str(run))) == 1 for run in runs)
        assert groups() == []
        assert [one.id for one in api.bulk_retries(workspace_id=WORKSPACE)] == [bulk.id]

    def test_they_are_listed_as_they_are_at_one_instant_those_under_way_first(self, idle_machine: Machine) -> None:
        at = 1_764_000_000_000
        rows = [
            BulkRetry(workspace_id=WORKSPACE, at=at, version="own", status=status, closed_at=closed_at, total=1)
            for status, closed_at in (("running", None), ("done", at), ("running", None), ("done", at))
        ]
        BulkRetry.objects.bulk_create(rows)
        with CaptureQueriesContext(connection) as asked:
            listed = api.bulk_retries(workspace_id=WORKSPACE)
        assert [one.id for one in listed] == [rows[at].pk for at in (2, 0, 3, 1)]
        reads = [one["sql"] for one in asked if 'FROM "store_bulkretry"' in one["sql"]]
        assert len(reads) == 1, "what ends between two of them would be listed twice"

    def test_those_that_need_somebodys_word_or_were_decided_about_are_left_with_the_reason(
        self, idle_machine: Machine, world: World
    ) -> None:
        machine = idle_machine
        machine.start()
        graph = flow("start -> pay", unsafe_post("pay", f"{world.url}/with/drop/invoices", INVOICE))
        asks = machine.run(graph).id
        solved, retried, again, nobodys = *failed(machine, 3), uuid7()
        machine.stop()
        runs = [asks, solved, retried, nobodys, again]
        bulk = api.start_bulk_retry(workspace_id=WORKSPACE, run_ids=runs, by=BY)
        api.solve_dead_letters(workspace_id=WORKSPACE, run_ids=[solved], solution="elsewhere", reason="By hand.")
        api.retry_each(workspace_id=WORKSPACE, run_ids=[retried])
        machine.start()
        ended = until(bulk, "done")
        assert (ended.total, ended.begun, ended.failed, ended.asks, ended.refused) == (5, 1, 1, 1, 3)
        told = {one.run.id: (one.outcome, one.message) for one in bulk_items(bulk)}
        assert told[asks] == ("asks", "Somebody has to look at the plan of this run first.")
        assert told[solved] == ("refused", "Somebody has decided about this run meanwhile.")
        assert told[retried][0] == "refused", "it goes on already, or has failed of something newer"
        assert told[again][0] == "failed"
        assert goes([asks, solved, retried, again]) == [1, 1, 2, 2]
        assert len(world.invoices(str(asks))) == 1

    def test_on_the_published_version_where_that_fits(self, machine: Machine) -> None:
        runs = failed(machine, 2)
        workflow = Run.objects.get(pk=runs[0]).workflow_id
        machine.publish(flow("start -> stop", step("stop", "flow.stop@1", {})), workflow_id=workflow)
        (group,) = groups()
        ended = until(start(version="published"), "done")
        assert (ended.done, ended.cause) == (2, group.cause)
        assert set(Replay.objects.values_list("version_after__number", flat=True)) == {2}

    def test_what_is_published_meanwhile_changes_nothing_and_is_told(self, machine: Machine) -> None:
        runs = failed(machine, 3)
        workflow = Run.objects.get(pk=runs[0]).workflow_id
        machine.publish(flow("start -> stop", step("stop", "flow.stop@1", {})), workflow_id=workflow)
        bulk = start(version="published", trial=True)
        assert [(one.workflow_id, one.version, one.live) for one in bulk.held_to] == [(workflow, 2, 2)]
        assert until(bulk, "waiting").trial == "done"
        machine.publish(failing("Broken."), workflow_id=workflow)
        assert [(one.version, one.live) for one in now(bulk).held_to] == [(2, 3)]
        api.go_on_with_bulk(workspace_id=WORKSPACE, bulk_id=bulk.id)
        ended = until(bulk, "done")
        assert (ended.done, ended.failed, ended.refused) == (3, 0, 0)
        assert set(Replay.objects.values_list("version_after__number", flat=True)) == {2}
        assert set(Run.objects.filter(pk__in=runs).values_list("version__number", flat=True)) == {2}

    def test_items_go_on_with_the_version_that_the_bulk_was_begun_with(self, idle_machine: Machine) -> None:
        machine = idle_machine
        machine.start()
        runs = failed(
            machine,
            1,
            flow("start -> each", each(["a"]), *inside("each", step("check", "flow.fail@1", {"message": "No."}))),
        )
        machine.stop()
        workflow = Run.objects.get(pk=runs[0]).workflow_id
        mended = flow("start -> each", each(["a"]), *inside("each", fields("check", of="it")))
        machine.publish(mended, workflow_id=workflow)
        bulk = api.start_bulk_retry(workspace_id=WORKSPACE, run_ids=runs, version="published", by=BY)
        changed = flow(
            "start -> each", each(["a"]), *inside("each", step("check", "flow.fail@1", {"message": "Broken."}))
        )
        machine.publish(changed, workflow_id=workflow)
        machine.start()
        assert until(bulk, "done").done == 1
        (item,) = Run.objects.filter(parent_run_id=runs[0])
        assert item.version.number == 2

    def test_one_that_was_begun_before_versions_were_held_goes_on_with_the_live_one(
        self, idle_machine: Machine
    ) -> None:
        machine = idle_machine
        machine.start()
        failed(machine, 1)
        machine.stop()
        bulk = start(version="published")
        BulkRetry.objects.filter(pk=bulk.id).update(versions=None)
        workflow = Run.objects.get().workflow_id
        machine.publish(flow("start -> stop", step("stop", "flow.stop@1", {})), workflow_id=workflow)
        machine.start()
        ended = until(bulk, "done")
        assert (ended.done, ended.held_to) == (1, ())

    def test_the_published_version_takes_over_no_run_whose_work_outside_it_would_lose(
        self, machine: Machine, world: World
    ) -> None:
        done = post("done", f"{world.url}/invoices", INVOICE)
        pay = post("pay", f"{world.url}/with/fail=422/invoices", INVOICE, retry={"attempts": 1})
        runs = failed(machine, 2, flow("start -> done -> pay", done, pay))
        workflow = Run.objects.get(pk=runs[0]).workflow_id
        anew = post("anew", f"{world.url}/invoices", INVOICE)
        machine.publish(flow("start -> anew", anew), workflow_id=workflow)
        ended = until(start(version="published"), "done")
        assert (ended.refused, ended.begun, ended.left) == (2, 0, 0)
        assert all("what it did outside stands" in str(one.message) for one in bulk_items(ended))
        assert goes(runs) == [1, 1]
        assert all(len(world.invoices(str(run))) == 1 for run in runs)

    def test_a_run_that_is_undone_or_cancelled_counts_as_failed(self, machine: Machine) -> None:
        (run,) = failed(machine, 1)
        workflow = Run.objects.get(pk=run).workflow_id
        machine.publish(flow("start -> stop", pause("stop", 600)), workflow_id=workflow)
        bulk = start(version="published")
        wait_until(lambda: now(bulk).begun == 1)
        api.cancel(workspace_id=WORKSPACE, run_id=run, by=BY)
        assert until(bulk, "done").failed == 1

    def test_whether_the_workflow_is_paused_still_accepting_is_said(self, machine: Machine) -> None:
        (run,) = failed(machine, 1)
        bulk = start(trial=True)
        assert not bulk.workflow_held
        workflow = Run.objects.get(pk=run).workflow_id
        api.hold_workflow(workspace_id=WORKSPACE, workflow_id=workflow, reason="The ERP is down.", by=BY)
        assert now(bulk).workflow_held


class TestChoosing:
    def test_the_newest_of_a_group_as_it_was_shown(self, idle_machine: Machine) -> None:
        idle_machine.start()
        runs = failed(idle_machine, 3)
        idle_machine.stop()
        (group,) = groups()
        bulk = start(count=2)
        assert (
            list(BulkRetryItem.objects.filter(bulk_id=bulk.id).order_by("place").values_list("run_id", flat=True))
            == (runs[:2])
        )
        api.stop_bulk_retry(workspace_id=WORKSPACE, bulk_id=bulk.id)
        with pytest.raises(RuntimeRefused) as refused:
            start(until=group.first_at - 1)
        assert refused.value.code == "nothing_to_retry"

    def test_a_group_that_is_being_retried_is_not_retried_twice(self, idle_machine: Machine) -> None:
        idle_machine.start()
        failed(idle_machine, 1)
        idle_machine.stop()
        bulk = start()
        with pytest.raises(RuntimeRefused) as refused:
            start()
        assert refused.value.code == "under_way"
        api.stop_bulk_retry(workspace_id=WORKSPACE, bulk_id=bulk.id, by=BY)
        assert start().status == "running"

    @pytest.mark.parametrize("wrong", [{"count": 0}, {"per_minute": 6_001}, {"stop_after": 0}])
    def test_a_number_that_is_none_is_refused(self, machine: Machine, wrong: dict[str, int]) -> None:
        failed(machine, 1)
        with pytest.raises(RuntimeRefused) as refused:
            start(**wrong)
        assert refused.value.code == "bad_number"

    def test_another_workspace_has_none(self, machine: Machine) -> None:
        failed(machine, 1)
        # Read before its only letter is gone on with.
        (group,) = groups()
        bulk = start(trial=True)
        assert api.bulk_retries(workspace_id=uuid7()) == []
        for call in (api.bulk_retry, api.bulk_retry_items, api.go_on_with_bulk, api.stop_bulk_retry):
            with pytest.raises(NotFound):
                call(workspace_id=uuid7(), bulk_id=bulk.id)
        with pytest.raises(RuntimeRefused):
            api.start_bulk_retry(workspace_id=uuid7(), cause=group.cause)


def the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long this machine takes for a letter is not what a pace is about."""
    stands = database_now()
    monkeypatch.setattr(bulk_retries, "database_now", lambda: stands)


class TestPace:
    def test_no_more_go_in_a_minute_than_were_asked_for(
        self, idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        idle_machine.start()
        failed(idle_machine, 4)
        idle_machine.stop()
        the_clock_stands(monkeypatch)
        bulk = start(per_minute=60)
        bulk_retries.tend()
        assert now(bulk).begun == 1, "the first at once"
        after = BulkRetry.objects.get(pk=bulk.id).next_at
        begun = BulkRetryItem.objects.get(bulk_id=bulk.id, status="begun").begun_at or 0
        assert after - begun == 1_000
        BulkRetry.objects.update(next_at=begun + 3_600_000)
        bulk_retries.tend()
        assert now(bulk).begun == 1
        BulkRetry.objects.update(next_at=begun - 3_600_000)
        bulk_retries.tend()
        assert now(bulk).begun == 3, "an hour without a ticker is not made up for at once, but for a second of it"

    def test_what_may_go_within_a_second_goes_at_once_in_the_first(
        self, idle_machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        idle_machine.start()
        failed(idle_machine, 6)
        idle_machine.stop()
        the_clock_stands(monkeypatch)
        bulk = start(per_minute=240)
        bulk_retries.tend()
        assert now(bulk).begun == 4
        first = BulkRetryItem.objects.get(bulk_id=bulk.id, place=0).begun_at or 0
        assert BulkRetry.objects.get(pk=bulk.id).next_at - first == 250

    def test_it_stops_after_exactly_as_many_failures_as_were_allowed(self, machine: Machine) -> None:
        runs = failed(machine, 6)
        ended = until(start(stop_after=2), "stopped")
        assert (ended.failed, ended.begun, ended.left, ended.open) == (2, 2, 4, False)
        assert goes(runs) == [2, 2, 1, 1, 1, 1]
        assert [one.outcome for one in bulk_items(ended)] == ["failed", "failed"]

    def test_without_the_rule_it_goes_on_against_all_odds(self, machine: Machine) -> None:
        runs = failed(machine, 6)
        assert until(start(), "done").failed == 6
        assert goes(runs) == [2] * 6

    def test_a_person_stops_it_and_what_was_begun_goes_on(self, machine: Machine, world: World) -> None:
        runs = failed(machine, 3, mending(world, 1))
        bulk = start(per_minute=1)
        wait_until(lambda: now(bulk).done == 1)
        stopped = api.stop_bulk_retry(workspace_id=WORKSPACE, bulk_id=bulk.id, by=BY)
        assert (stopped.status, stopped.left, stopped.ended_by) == ("cancelled", 2, f"user:{BY}")
        assert goes(runs) == [2, 1, 1]
        with pytest.raises(RuntimeRefused) as refused:
            api.stop_bulk_retry(workspace_id=WORKSPACE, bulk_id=bulk.id, by=BY)
        assert refused.value.code == "bulk_over"


class TestTryOneFirst:
    def test_the_first_goes_alone_and_the_others_only_when_somebody_says_so(
        self, machine: Machine, world: World
    ) -> None:
        runs = failed(machine, 3, mending(world, 1))
        bulk = start(trial=True)
        waits = until(bulk, "waiting")
        assert (waits.trial, waits.done, waits.left) == ("done", 1, 2)
        bulk_retries.tend()
        assert goes(runs) == [2, 1, 1]
        assert [(one.run.id, one.outcome) for one in bulk_items(bulk)] == [(runs[0], "done")]
        api.go_on_with_bulk(workspace_id=WORKSPACE, bulk_id=bulk.id)
        assert until(bulk, "done").done == 3
        with pytest.raises(RuntimeRefused) as refused:
            api.go_on_with_bulk(workspace_id=WORKSPACE, bulk_id=bulk.id)
        assert refused.value.code == "not_waiting"

    def test_a_failure_that_somebody_has_seen_does_not_stop_the_others(self, machine: Machine) -> None:
        runs = failed(machine, 3)
        bulk = start(cause=None, run_ids=[uuid7(), *runs], trial=True, stop_after=1)
        assert until(bulk, "waiting").trial == "failed"
        assert [one.run.id for one in bulk_items(bulk)] == runs[:1], "the one that was tried"
        api.go_on_with_bulk(workspace_id=WORKSPACE, bulk_id=bulk.id)
        ended = until(bulk, "stopped")
        assert (ended.failed, ended.left) == (2, 1)

    def test_of_one_alone_nobody_is_asked(self, machine: Machine, world: World) -> None:
        failed(machine, 1, mending(world, 1))
        ended = until(start(trial=True), "done")
        assert (ended.trial, ended.done) == ("done", 1)

    def test_one_that_takes_long_does_not_hold_up_the_question(self, machine: Machine) -> None:
        workflow = machine.publish(failing("No."))
        for number in range(2):
            machine.finish(machine.begin_again(workflow, {"number": number}))
        machine.publish(flow("start -> stop", pause("stop", 600)), workflow_id=workflow)
        bulk = start(trial=True, version="published")
        wait_until(lambda: now(bulk).begun == 1)
        assert now(bulk).status == "trying"
        BulkRetryItem.objects.filter(status="begun").update(begun_at=0)
        assert until(bulk, "waiting").trial == "under_way"


class TestOnceEach:
    @pytest.mark.parametrize("point", ["deadletter.bulk:before", "deadletter.bulk:after"])
    def test_what_breaks_in_between_neither_loses_nor_repeats_one(self, idle_machine: Machine, point: str) -> None:
        idle_machine.start()
        runs = failed(idle_machine, 5)
        (group,) = groups()
        idle_machine.stop()
        bulk = start()
        for nth in (1, 2, 1):
            failpoints.arm(f"{point}=raise@nth({nth})")
            with pytest.raises(failpoints.FailpointReached):
                bulk_retries.tend()
            failpoints.disarm()
            assert now(bulk).begun == Run.objects.filter(pk__in=runs, generation=2).count()
        idle_machine.start()
        assert until(bulk, "done").failed == 5
        assert goes(runs) == [2] * 5
        assert sorted(letters(group.cause)) == sorted(runs)

    def test_two_tickers_at_once_begin_each_once(self, idle_machine: Machine) -> None:
        idle_machine.start()
        runs = failed(idle_machine, 8)
        idle_machine.stop()
        bulk = start()
        threads = [threading.Thread(target=tend_and_close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert now(bulk).begun == 8
        assert goes(runs) == [2] * 8
        assert Replay.objects.count() == 8

    def test_of_several_people_at_once_one_retries_a_group(self, idle_machine: Machine) -> None:
        idle_machine.start()
        failed(idle_machine, 3)
        idle_machine.stop()
        ready = threading.Barrier(6)
        answers: list[str] = []

        def press() -> None:
            try:
                (group,) = groups()
                ready.wait()
                api.start_bulk_retry(workspace_id=WORKSPACE, cause=group.cause)
                answers.append("begun")
            except RuntimeRefused as refused:
                answers.append(refused.code)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=press) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == ["begun", *["under_way"] * 5]
        assert BulkRetry.objects.count() == 1

    def test_a_crash_of_the_process_in_the_middle_is_made_up_for(self, idle_machine: Machine, world: World) -> None:
        idle_machine.start()
        runs = failed(idle_machine, 6, mending(world, 1))
        bulk = start(per_minute=600)
        wait_until(lambda: now(bulk).begun >= 2)
        idle_machine.crash()
        idle_machine.start()
        assert until(bulk, "done").done == 6
        assert goes(runs) == [2] * 6
        assert all(len(world.invoices(str(run))) == 1 for run in runs)


def bulk_items(bulk: BulkRetryView) -> list[Any]:
    return api.bulk_retry_items(workspace_id=WORKSPACE, bulk_id=bulk.id)


def tend_and_close() -> None:
    try:
        for _ in range(4):
            bulk_retries.tend()
    finally:
        connections.close_all()


class TestOtherDeeds:
    """What is done to many runs besides retrying them goes the same way."""

    def test_each_is_started_anew_from_its_own_event_and_followed(self, machine: Machine) -> None:
        runs = [machine.run(flow("start -> a")).id for _ in range(3)]
        bulk = api.start_bulk_retry(workspace_id=WORKSPACE, kind="replay", run_ids=runs, by=BY)
        ended = until(bulk, "done")
        assert (ended.kind, ended.total, ended.done, ended.failed) == ("replay", 3, 3, 0)
        made = Run.objects.filter(replay_of__in=runs)
        assert {(run.status, run.started_by) for run in made} == {("completed", f"user:{BY}")}
        assert sorted(run.replay_of for run in made if run.replay_of) == sorted(runs)
        assert goes(runs) == [1, 1, 1]

    def test_one_that_fails_anew_counts_for_the_rule(self, machine: Machine) -> None:
        runs = failed(machine, 3)
        bulk = api.start_bulk_retry(workspace_id=WORKSPACE, kind="replay", run_ids=runs, stop_after=1, by=BY)
        ended = until(bulk, "stopped")
        assert (ended.begun, ended.failed, ended.left) == (1, 1, 2)

    def test_each_that_is_open_is_cancelled_and_the_others_are_named(self, machine: Machine) -> None:
        waits = [machine.begin(flow("start -> pause -> a", pause("pause", 3600))) for _ in range(2)]
        for run_id in waits:
            machine.until(run_id, lambda run: run.status == "waiting_timer")
        over = machine.run(flow("start -> a")).id
        bulk = api.start_bulk_retry(
            workspace_id=WORKSPACE, kind="cancel", run_ids=[*waits, over], reason="Sent by mistake", by=BY
        )
        ended = until(bulk, "done")
        assert (ended.done, ended.refused) == (2, 1)
        found = [api.run(workspace_id=WORKSPACE, run_id=run_id) for run_id in waits]
        assert {run.status for run in found} == {"cancelled"}
        assert {run.cancelled.reason for run in found if run.cancelled} == {"Sent by mistake"}

    def test_a_plan_says_beforehand_what_it_comes_to(self, machine: Machine) -> None:
        runs = failed(machine, 2)
        over = machine.run(flow("start -> a")).id
        plan = api.plan_bulk(workspace_id=WORKSPACE, kind="retry", run_ids=[*runs, over])
        assert (plan.total, plan.looked_at, plan.safe, plan.asks, plan.refused) == (3, 3, 2, 0, 1)
        plan = api.plan_bulk(workspace_id=WORKSPACE, kind="cancel", run_ids=[*runs, over])
        assert (plan.safe, plan.refused) == (0, 3)
        assert api.plan_bulk(workspace_id=WORKSPACE, kind="replay", run_ids=[over]).safe == 1

    def test_a_plan_of_a_group_is_of_those_that_would_be_retried(self, machine: Machine, world: World) -> None:
        graph = flow("start -> pay", unsafe_post("pay", f"{world.url}/with/drop/invoices", INVOICE))
        runs = failed(machine, 3, graph)
        (group,) = groups()
        plan = api.plan_bulk(workspace_id=WORKSPACE, kind="retry", cause=group.cause, until=group.last_at)
        assert (plan.total, plan.safe, plan.asks, plan.refused) == (3, 0, 3, 0)
        assert api.plan_bulk(workspace_id=WORKSPACE, kind="retry", cause=group.cause, count=2).total == 2
        api.solve_dead_letters(workspace_id=WORKSPACE, run_ids=runs[:1], solution="elsewhere", reason="By hand.")
        assert api.plan_bulk(workspace_id=WORKSPACE, kind="retry", cause=group.cause).total == 2
        assert api.plan_bulk(workspace_id=uuid7(), kind="retry", cause=group.cause).total == 0

    def test_runs_of_another_workspace_are_not_there(self, machine: Machine) -> None:
        run_id = machine.run(flow("start -> a")).id
        with pytest.raises(RuntimeRefused):
            api.start_bulk_retry(workspace_id=uuid7(), kind="cancel", run_ids=[run_id])
