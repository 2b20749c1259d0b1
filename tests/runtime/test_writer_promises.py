from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from uuid import UUID

import pytest
from django.db import connection

from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.store import failpoints
from runtime.store.dialect import LinkLost
from runtime.store.models import Attempt, Delivery, Event, Response, Run, StepRun, Timer
from runtime.store.reads import ResponseRow, RunEnd
from runtime.store.records import AttemptWrite, ResponseWrite, TimerClear, TimerWrite
from runtime.store.statements import LEASE_MS, MOST_CLAIMS, UNLESS_CANCELLED
from runtime.store.writer import CancelPending, Fenced, Writer
from tests.runtime.conftest import Told
from tests.runtime.rows import a_step, a_version, a_write, an_acceptance, now_ms

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


async def settled(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    return await asyncio.gather(*coroutines, return_exceptions=True)


def leased_run(writer: Writer, version_id: UUID) -> UUID:
    """A run that this writer holds with token 1."""
    return run(writer.accept(an_acceptance(version_id, lease_owner=writer.owner))).run_id or uuid7()


def settle(writer: Writer) -> None:
    """The next commit has come: what the writer tells after the ones before it has been told."""
    run(writer.renew([(uuid7(), 1)]))


def expire(run_id: UUID) -> None:
    """Let the lease end now."""
    Run.objects.filter(pk=run_id).update(lease_expires_at=now_ms() - 1, wake_at=now_ms() - 1)


class TestAccept:
    def test_an_accepted_event_and_its_run_are_both_stored_when_the_answer_comes(self, writer: Writer) -> None:
        unit = an_acceptance(a_version().id, body=b'{ "a":1.0 }')
        accepted = run(writer.accept(unit))
        event, stored = Event.objects.get(), Run.objects.get()
        assert (accepted.event_id, accepted.run_id, accepted.duplicate) == (event.id, stored.id, False)
        assert bytes(event.body or b"") == b'{ "a":1.0 }'
        assert event.run_id == stored.id
        assert stored.event_id == event.id
        assert (stored.status, stored.seq, stored.lease_token) == ("accepted", 0, 0)
        assert stored.wake_at is not None
        assert stored.wake_at <= now_ms() + 1

    def test_the_doorbell_and_the_live_sink_hear_of_a_new_run(self, writer: Writer, told: Told) -> None:
        accepted = run(writer.accept(an_acceptance(a_version().id)))
        writer.stop()
        assert told.rung == [accepted.run_id]
        assert [(news.run_id, news.status, news.new) for news in told.sink.news] == [
            (accepted.run_id, "accepted", True)
        ]

    def test_a_run_accepted_under_a_lease_is_handed_over_and_is_nobody_elses(self, writer: Writer, told: Told) -> None:
        run_id = leased_run(writer, a_version().id)
        settle(writer)
        assert [(one.run_id, one.token) for one in told.taken] == [(run_id, 1)]
        assert run(writer.claim([run_id])) == []
        assert run(writer.write(a_write(run_id, 1, a_step()))).seq == 1
        assert told.rung == []

    def test_a_process_that_holds_enough_runs_takes_no_more(self, transactional_db: None) -> None:
        writer = Writer(owner="worker-a", take=lambda _: None, most_held=2)
        writer.start()
        try:
            version = a_version().id
            runs = [leased_run(writer, version) for _ in range(2)]
            settle(writer)
            run(writer.renew([(run_id, 1) for run_id in runs]))
            assert not writer.takes
            run(writer.write(a_write(runs[0], 1, status="completed")))
            run(writer.claim([uuid7()]))
            assert writer.takes
        finally:
            writer.stop()

    def test_fifty_parallel_deliveries_of_one_key_start_one_run(self, writer: Writer) -> None:
        version, trigger = a_version().id, uuid7()
        units = [an_acceptance(version, key="delivery-1", trigger_id=trigger) for _ in range(50)]
        answers = run(settled(*(writer.accept(unit) for unit in units)))
        assert len({answer.run_id for answer in answers}) == 1
        assert sum(not answer.duplicate for answer in answers) == 1
        assert not any(answer.conflict for answer in answers)
        assert Run.objects.count() == 1
        assert Event.objects.get().duplicates == 49
        assert Delivery.objects.filter(conflict=False, body=None).count() == 49

    def test_two_processes_that_get_the_same_deliveries_start_each_once(self, writer: Writer) -> None:
        version, trigger = a_version().id, uuid7()
        other = Writer(owner="worker-b")
        other.start()

        async def deliver() -> list[Any]:
            return await settled(
                *(
                    one.accept(an_acceptance(version, key=f"delivery-{number % 20}", trigger_id=trigger))
                    for number in range(200)
                    for one in (writer, other)
                )
            )

        try:
            answers = run(deliver())
        finally:
            other.stop()
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert len({answer.run_id for answer in answers}) == 20
        assert sum(not answer.duplicate for answer in answers) == 20
        assert (Run.objects.count(), Event.objects.count(), Delivery.objects.count()) == (20, 20, 380)

    def test_an_event_handed_in_twice_is_the_same_event(self, writer: Writer) -> None:
        version = a_version().id
        for unit in (an_acceptance(version), an_acceptance(version, key="k", trigger_id=uuid7())):
            answers = [run(writer.accept(unit)) for _ in range(2)]
            assert answers[0] == answers[1]
        assert (Run.objects.count(), Delivery.objects.count()) == (2, 0)

    def test_the_same_key_with_another_body_is_kept_and_flagged_and_starts_nothing(self, writer: Writer) -> None:
        version, trigger = a_version().id, uuid7()
        first = run(writer.accept(an_acceptance(version, key="k", trigger_id=trigger)))
        second = run(writer.accept(an_acceptance(version, key="k", trigger_id=trigger, body=b'{"order": 2}')))
        assert (second.run_id, second.duplicate, second.conflict) == (first.run_id, True, True)
        kept = Delivery.objects.get()
        assert (kept.conflict, bytes(kept.body or b"")) == (True, b'{"order": 2}')
        assert Run.objects.count() == 1

    def test_the_same_key_at_another_trigger_is_another_event(self, writer: Writer) -> None:
        version = a_version().id
        units = [an_acceptance(version, key="k", trigger_id=uuid7()) for _ in range(2)]
        assert not any(answer.duplicate for answer in run(settled(*map(writer.accept, units))))

    def test_an_event_without_a_run_is_stored_alone(self, writer: Writer) -> None:
        unit = an_acceptance(a_version().id)
        accepted = run(writer.accept(type(unit)(unit.event, None)))
        assert accepted.run_id is None
        assert Event.objects.get().run_id is None
        assert Run.objects.count() == 0

    def test_a_thread_without_a_loop_can_accept_too(self, writer: Writer) -> None:
        accepted = writer.accept_sync(an_acceptance(a_version().id))
        assert Run.objects.get().id == accepted.run_id


class TestWrite:
    def test_rows_stand_as_written_and_carry_the_runs_new_seq(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        attempt = AttemptWrite("work", 1, 1, "intent", "keyed", "KEY", 0, "d" * 64, "worker-a", 5)
        unit = a_write(
            run_id,
            1,
            a_step(status="running", input='{"z":1,"a":2}', started_at=5),
            attempts=(attempt,),
            timers=(TimerWrite("work", 1, "timeout", 99),),
            started_at=5,
            business_key="4711",
        )
        assert run(writer.write(unit)).seq == 1
        run(
            writer.write(
                a_write(
                    run_id,
                    1,
                    a_step(output='{"ok":true}', started_at=5, finished_at=9),
                    attempts=(AttemptWrite("work", 1, 1, "succeeded", "keyed", "KEY", 0, "d" * 64, "worker-a", 5, 9),),
                    cleared=(TimerClear("work", 1, "timeout"),),
                )
            )
        )
        step, stored, attempted = StepRun.objects.get(), Run.objects.get(), Attempt.objects.get()
        assert (step.status, step.input, step.output, step.seq) == ("succeeded", '{"z":1,"a":2}', '{"ok":true}', 2)
        assert (stored.seq, stored.started_at, stored.business_key, stored.claims) == (2, 5, "4711", 0)
        assert (attempted.status, attempted.lease_token, attempted.effect_key) == ("succeeded", 1, "KEY")
        assert Timer.objects.count() == 0

    def test_units_of_one_run_handed_in_together_keep_their_order(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        steps = [(a_step("same", status="running", note=str(number)), a_step(f"n{number}")) for number in range(20)]
        receipts = run(settled(*(writer.write(a_write(run_id, 1, *both)) for both in steps)))
        assert [receipt.seq for receipt in receipts] == list(range(1, 21))
        assert StepRun.objects.get(node_id="same").note == "19"
        assert StepRun.objects.get(node_id="n7").seq == 8

    def test_the_last_word_of_a_unit_about_a_step_stands(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        run(writer.write(a_write(run_id, 1, a_step(status="running", input="1"), a_step(output="2"))))
        step = StepRun.objects.get()
        assert (step.status, step.input, step.output) == ("succeeded", "1", "2")

    def test_a_unit_without_the_lease_fails_alone(self, writer: Writer) -> None:
        version = a_version().id
        runs = [leased_run(writer, version) for _ in range(5)]
        tokens = [1, 1, 7, 1, 0]
        answers = run(settled(*(writer.write(a_write(r, t, a_step())) for r, t in zip(runs, tokens, strict=True))))
        assert [type(answer) is Fenced for answer in answers] == [False, False, True, False, True]
        assert {row.run_id for row in StepRun.objects.all()} == {runs[0], runs[1], runs[3]}
        assert Run.objects.get(pk=runs[2]).seq == 0

    def test_a_unit_for_a_run_that_does_not_exist_is_fenced(self, writer: Writer) -> None:
        with pytest.raises(Fenced):
            run(writer.write(a_write(uuid7(), 1, a_step())))

    def test_a_unit_the_database_refuses_fails_alone(self, writer: Writer) -> None:
        version = a_version().id
        runs = [leased_run(writer, version) for _ in range(4)]
        notes = ["fine", "\ud800", "fine", "fine"]
        answers = run(settled(*(writer.write(a_write(r, 1, a_step(note=n))) for r, n in zip(runs, notes, strict=True))))
        assert [isinstance(answer, Exception) for answer in answers] == [False, True, False, False]
        assert isinstance(answers[1], ValueError)
        assert StepRun.objects.count() == 3

    def test_the_end_is_written_once_and_frees_the_lease(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        run(writer.write(a_write(run_id, 1, status="completed", outcome="done", wake_at=5)))
        stored = Run.objects.get()
        assert (stored.status, stored.lease_owner, stored.wake_at) == ("completed", None, None)
        assert stored.finished_at is not None
        for token in (1, 2):
            with pytest.raises(Fenced):
                run(writer.write(a_write(run_id, token, status="cancelled")))
        assert Run.objects.get().status == "completed"

    def test_nothing_guarded_is_written_after_a_cancel(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        Run.objects.filter(pk=run_id).update(cancel_requested_at=77)
        with pytest.raises(CancelPending):
            run(writer.write(a_write(run_id, 1, a_step("intent"), unless=UNLESS_CANCELLED)))
        assert StepRun.objects.count() == 0
        assert run(writer.write(a_write(run_id, 1, a_step("result")))).cancel_requested_at == 77

    def test_the_first_response_stands(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        told: list[RunEnd | None] = []
        writer.watch(run_id, told.append)
        for body, before in ((b"first", False), (b"second", True)):
            unit = a_write(run_id, 1, response=ResponseWrite(201, "[]", body))
            run(writer.write(unit._replace(may_have_answered=before)))
        assert bytes(Response.objects.get().body) == b"first"
        settle(writer)
        # What came second must be looked up: the writer does not know what stands.
        assert told == [RunEnd("running", None, None, ResponseRow(201, "[]", b"first")), None]

    def test_a_thousand_units_of_a_hundred_runs_all_arrive(self, writer: Writer) -> None:
        version = a_version().id

        async def drive() -> None:
            accepted = await asyncio.gather(
                *(writer.accept(an_acceptance(version, lease_owner=writer.owner)) for _ in range(100))
            )

            async def steps(run_id: UUID) -> None:
                for number in range(10):
                    await writer.write(a_write(run_id, 1, a_step(f"n{number}", output=str(number))))

            await asyncio.gather(*(steps(one.run_id) for one in accepted if one.run_id))

        run(drive())
        assert StepRun.objects.count() == 1_000
        assert set(Run.objects.values_list("seq", flat=True)) == {10}


class TestLeases:
    def test_a_due_run_is_claimed_once_and_its_token_rises(self, writer: Writer) -> None:
        accepted = run(writer.accept(an_acceptance(a_version().id)))
        assert accepted.run_id is not None
        first, second = run(settled(writer.claim([accepted.run_id]), writer.claim()))
        assert [one.run_id for one in first + second] == [accepted.run_id]
        stored = Run.objects.get()
        assert (stored.lease_owner, stored.lease_token, stored.claims) == ("worker-a", 1, 1)
        assert stored.wake_at == stored.lease_expires_at
        assert 0 < (stored.lease_expires_at or 0) - now_ms() <= LEASE_MS

    def test_the_longest_waiting_runs_are_claimed_first(self, writer: Writer) -> None:
        version = a_version().id
        ids = [run(writer.accept(an_acceptance(version))).run_id for _ in range(5)]
        for number, run_id in enumerate(reversed([one for one in ids if one])):
            Run.objects.filter(pk=run_id).update(wake_at=1_000 + number)
        assert {one.run_id for one in run(writer.claim(limit=2))} == {ids[4], ids[3]}

    def test_an_early_nudge_claims_nothing(self, writer: Writer) -> None:
        accepted = run(writer.accept(an_acceptance(a_version().id)))
        Run.objects.update(wake_at=now_ms() + 60_000)
        assert accepted.run_id is not None
        assert run(writer.claim([accepted.run_id])) == []
        assert run(writer.claim()) == []

    def test_a_run_of_a_newer_engine_waits_for_a_newer_worker(self, writer: Writer) -> None:
        run(writer.accept(an_acceptance(a_version().id, min_engine=99)))
        assert run(writer.claim()) == []
        assert Run.objects.get().status == "accepted"

    def test_an_abandoned_run_is_taken_over_and_its_old_holder_is_fenced(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        expire(run_id)
        (taken,) = run(writer.claim([run_id], owner="worker-b"))
        assert taken.token == 2
        with pytest.raises(Fenced):
            run(writer.write(a_write(run_id, 1, a_step())))
        assert run(writer.write(a_write(run_id, 2, a_step()))).seq == 1

    def test_a_run_that_kills_its_workers_is_set_aside_and_its_step_named(self, writer: Writer, told: Told) -> None:
        run_id = leased_run(writer, a_version().id)
        run(writer.write(a_write(run_id, 1, a_step("poison", status="running"), progress=False)))
        for token in range(2, MOST_CLAIMS + 1):
            expire(run_id)
            assert [one.token for one in run(writer.claim())] == [token]
        expire(run_id)
        assert run(writer.claim()) == []
        stored = Run.objects.get()
        assert (stored.status, stored.lease_owner, stored.wake_at) == ("parked", None, None)
        assert "worker_dies_here" in (stored.error or "")
        assert "poison" in (stored.error or "")
        settle(writer)
        assert told.sink.news[-1].status == "parked"

    def test_progress_resets_the_count_of_claims(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        for token in range(1, 3 * MOST_CLAIMS):
            run(writer.write(a_write(run_id, token, a_step(status="running"))))
            expire(run_id)
            assert len(run(writer.claim())) == 1

    def test_renewing_prolongs_what_is_held_and_names_what_is_lost(self, writer: Writer) -> None:
        version = a_version().id
        held, lost = leased_run(writer, version), leased_run(writer, version)
        Run.objects.filter(pk=held).update(lease_expires_at=now_ms() + 10, wake_at=now_ms() + 10)
        stale = Run.objects.get(pk=held)
        Run.objects.filter(pk=held).update(wake_at=stale.lease_expires_at)
        assert run(writer.renew([(held, 1), (lost, 9)])) == {lost}
        stored = Run.objects.get(pk=held)
        assert (stored.lease_expires_at or 0) > now_ms() + LEASE_MS - 5_000
        assert stored.wake_at == stored.lease_expires_at

    def test_a_lease_handed_back_is_free_at_once_and_counts_as_no_failure(self, writer: Writer, told: Told) -> None:
        run_id = leased_run(writer, a_version().id)
        run(writer.release([(run_id, 1)]))
        assert Run.objects.get().claims == 0
        with pytest.raises(Fenced):
            run(writer.write(a_write(run_id, 1, a_step())))
        assert [one.token for one in run(writer.claim())] == [3]
        writer.stop()
        assert told.rung == [run_id]

    def test_a_released_run_wakes_when_it_asked_to(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        later = now_ms() + 60_000
        run(writer.write(a_write(run_id, 1, status="waiting_timer", release=True, wake_at=later)))
        stored = Run.objects.get()
        assert (stored.wake_at, stored.lease_owner) == (later, None)
        assert run(writer.claim()) == []

    @pytest.mark.parametrize("wake_at", [None, 10**15])
    def test_a_knock_during_the_lease_is_not_lost_when_the_holder_lets_go(
        self, writer: Writer, wake_at: int | None
    ) -> None:
        run_id = leased_run(writer, a_version().id)
        Run.objects.filter(pk=run_id).update(cancel_requested_at=1, wake_at=now_ms())
        run(writer.renew([(run_id, 1)]))
        run(writer.write(a_write(run_id, 1, status="waiting_timer", release=True, wake_at=wake_at)))
        assert [one.run_id for one in run(writer.claim())] == [run_id]

    def test_leases_of_an_earlier_boot_are_void_at_start(self, writer: Writer) -> None:
        run_id = leased_run(writer, a_version().id)
        writer.stop()
        successor = Writer(owner="worker-a-again")
        successor.start(void_foreign_leases=True)
        try:
            assert [(one.run_id, one.token) for one in run(successor.claim())] == [(run_id, 3)]
        finally:
            successor.stop()


class TestFaults:
    def test_a_blocked_database_refuses_acceptance_in_time_and_lets_writes_wait(
        self, writer: Writer, blocked_database: Callable[[], AbstractContextManager[None]]
    ) -> None:
        version = a_version().id
        run_id = leased_run(writer, version)

        async def during() -> tuple[float, Any, asyncio.Task[Any]]:
            write = asyncio.create_task(writer.write(a_write(run_id, 1, a_step())))
            began = time.monotonic()
            (answer,) = await settled(writer.accept(an_acceptance(version)))
            return time.monotonic() - began, answer, write

        async def both() -> None:
            with blocked_database():
                seconds, answer, write = await during()
                assert isinstance(answer, StoreUnavailable)
                # Patience ends after 2.5 s; the promise (I2) is 5.
                assert seconds < 5
                assert not write.done()
            assert (await write).seq == 1

        run(both())
        assert Event.objects.count() == 1
        assert StepRun.objects.count() == 1

    def test_a_fault_before_the_commit_is_tried_again_and_nothing_is_doubled(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
        run_id = leased_run(writer, a_version().id)
        failpoints.arm("step.result:before=raise@nth(1)")
        assert run(writer.write(a_write(run_id, 1, a_step()))).seq == 1
        assert Run.objects.get().seq == 1

    def test_a_fault_behind_the_commit_is_not_tried_again(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
        version = a_version().id
        run_id = leased_run(writer, version)
        failpoints.arm("step.result:after=raise;ingress.accept:after=raise")
        assert run(writer.write(a_write(run_id, 1, a_step()))).seq == 1
        assert not run(writer.accept(an_acceptance(version))).duplicate
        assert (Run.objects.get(pk=run_id).seq, Run.objects.count()) == (1, 2)

    @pytest.mark.parametrize("committed", [True, False])
    def test_a_connection_cut_inside_the_commit_is_resolved_by_asking(
        self, writer: Writer, told: Told, monkeypatch: pytest.MonkeyPatch, committed: bool
    ) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite runs in this process: its COMMIT always answers")
        from runtime.store.link_postgres import PostgresLink

        version = a_version().id
        run_id = leased_run(writer, version)
        whole = PostgresLink.commit
        cuts = 1

        def cut(link: PostgresLink) -> None:
            nonlocal cuts
            if cuts:
                cuts -= 1
                if committed:
                    whole(link)
                link.close()
                raise LinkLost("cut")
            whole(link)

        monkeypatch.setattr(PostgresLink, "commit", cut)
        assert run(writer.write(a_write(run_id, 1, a_step()))).seq == 1
        assert Run.objects.get().seq == 1
        cuts = 1
        accepted = run(writer.accept(an_acceptance(version, key="k", trigger_id=uuid7())))
        assert not accepted.duplicate
        assert (Event.objects.count(), Delivery.objects.count()) == (2, 0)
        settle(writer)
        assert accepted.run_id in told.rung
        run(writer.release([(run_id, 1)]))
        cuts = 1
        assert {one.run_id for one in run(writer.claim())} >= {run_id}

    def test_a_killed_connection_is_opened_again(self, writer: Writer) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no server that could end a connection")
        run_id = leased_run(writer, a_version().id)
        for number in range(1, 4):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            assert run(writer.write(a_write(run_id, 1, a_step(status="running")))).seq == number

    def test_a_writer_that_ended_refuses_at_once(self, writer: Writer) -> None:
        version = a_version().id
        writer.stop()
        with pytest.raises(StoreUnavailable):
            run(writer.accept(an_acceptance(version)))

    def test_what_was_handed_in_before_the_end_is_committed(self, writer: Writer) -> None:
        version = a_version().id

        async def hand_in() -> list[Any]:
            tasks = [asyncio.create_task(writer.accept(an_acceptance(version))) for _ in range(200)]
            await asyncio.sleep(0)
            await asyncio.to_thread(writer.stop)
            return await asyncio.gather(*tasks)

        assert len(run(hand_in())) == 200
        assert Run.objects.count() == 200
