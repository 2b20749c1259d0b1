"""Batches that a loop commits by itself: nobody is forgotten, told an untruth, or kept waiting by them."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
import uvloop
from django.db import connection

from runtime.engine.ids import uuid7
from runtime.store import reads, shortcut
from runtime.store.dialect import LinkLost
from runtime.store.link_postgres import PostgresLink
from runtime.store.models import Delivery, Event, Run, StepRun
from runtime.store.records import Accepted, AcceptRun, Claimed, Written
from runtime.store.statements import MOST_CLAIMS
from runtime.store.tickets import Fenced
from runtime.store.writer import Writer
from tests.runtime.rows import a_step, a_version, a_write, an_acceptance
from tests.runtime.test_writer_promises import leased_run, run

pytestmark = pytest.mark.django_db(transaction=True)


def only(vendor: str) -> None:
    if connection.vendor != vendor:
        pytest.skip(f"this is about {vendor}")


def free_run(writer: Writer, unit: AcceptRun) -> UUID:
    """A run that anybody may claim."""
    run_id = run(writer.accept(unit)).run_id
    assert run_id is not None
    return run_id


def by_the_thread(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many units the writer's thread was given from now on."""
    found: list[int] = []
    see = Writer._see_through

    def seen(writer: Writer, tickets: list[Any]) -> None:
        found.append(len(tickets))
        see(writer, tickets)

    monkeypatch.setattr(Writer, "_see_through", seen)
    return found


def test_events_and_results_need_no_thread(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    version = a_version().id
    run_id = leased_run(writer, version)
    while not writer.quiet:
        time.sleep(0.01)
    given = by_the_thread(monkeypatch)

    async def together() -> tuple[Accepted, Written]:
        return await asyncio.gather(
            writer.accept(an_acceptance(version)), writer.write(a_write(run_id, 1, a_step())._replace(seq=1))
        )

    accepted, written = run(together())
    assert (accepted.duplicate, written.seq) == (False, 1)
    assert given == []
    assert Run.objects.count() == 2


def test_a_claim_needs_no_thread_and_brings_what_started_the_runs(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("postgresql")
    version = a_version().id
    small, large = an_acceptance(version), an_acceptance(version, body=b"x" * 20_000)
    begun = leased_run(writer, version)
    run(writer.write(a_write(begun, 1, a_step(), release=True, wake_at=1)))
    ids = [free_run(writer, unit) for unit in (small, large)]
    while not writer.quiet:
        time.sleep(0.01)
    given = by_the_thread(monkeypatch)
    claimed = {one.run_id: one for one in run(writer.claim([*ids, begun, uuid7()]))}
    assert given == []
    assert set(claimed) == {*ids, begun}
    first, second, third = (claimed[run_id] for run_id in (*ids, begun))
    assert first.event == small.event
    assert first.event == reads.event(small.event.id)
    assert (second.event, second.event_id) == (None, large.event.id), "a large body is read when there is time for it"
    assert (third.event, third.seq, third.token) == (None, 1, 3)
    row = Run.objects.get(pk=ids[0])
    assert (row.lease_owner, row.lease_token, row.claims) == (writer.owner, first.token, 1)
    assert run(writer.claim(ids)) == [], "they are leased"


def test_a_claim_of_nothing_brings_nothing(writer: Writer) -> None:
    run(writer.accept(an_acceptance(a_version().id)))
    assert run(writer.claim([])) == []


def test_a_run_that_kills_its_workers_is_set_aside_at_the_latest_by_the_sweep(writer: Writer) -> None:
    run_id = free_run(writer, an_acceptance(a_version().id))
    Run.objects.update(claims=MOST_CLAIMS)
    assert run(writer.claim([run_id])) == []
    assert run(writer.claim()) == []
    assert Run.objects.get().status == "parked"


def test_a_unit_that_has_lost_its_lease_takes_no_other_with_it(writer: Writer) -> None:
    version = a_version().id
    mine, lost = leased_run(writer, version), leased_run(writer, version)

    async def together() -> list[Any]:
        units = [a_write(mine, 1, a_step())._replace(seq=1), a_write(lost, 9, a_step())._replace(seq=1)]
        return await asyncio.gather(
            *(writer.write(unit) for unit in units), writer.accept(an_acceptance(version)), return_exceptions=True
        )

    done, refused, accepted = run(together())
    assert isinstance(done, Written)
    assert isinstance(refused, Fenced)
    assert isinstance(accepted, Accepted)
    assert [step.run_id for step in StepRun.objects.all()] == [mine]


def test_repeated_deliveries_in_one_batch_start_one_run(writer: Writer) -> None:
    version, trigger = a_version().id, uuid7()
    run(writer.accept(an_acceptance(version)))

    async def together() -> list[Accepted]:
        units = [an_acceptance(version, key="k", trigger_id=trigger) for _ in range(60)]
        return await asyncio.gather(*(writer.accept(unit) for unit in units))

    answers = run(together())
    assert sum(not answer.duplicate for answer in answers) == 1
    assert len({answer.run_id for answer in answers}) == 1
    assert (Event.objects.count(), Delivery.objects.count()) == (2, 59)


def test_a_locked_database_does_not_hold_up_the_loop(
    writer: Writer, blocked_database: Callable[[], AbstractContextManager[None]]
) -> None:
    version = a_version().id
    run_id = leased_run(writer, version)

    async def wait() -> tuple[float, Written]:
        longest = 0.0
        with blocked_database():
            writing = asyncio.ensure_future(writer.write(a_write(run_id, 1, a_step())._replace(seq=1)))
            for _ in range(20):
                began = time.monotonic()
                await asyncio.sleep(0.02)
                longest = max(longest, time.monotonic() - began)
            assert not writing.done()
        return longest, await writing

    longest, written = run(wait())
    assert longest < 1.0
    assert written.seq == 1


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "not committed"])
def test_a_connection_lost_on_the_way_is_asked_for(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    only("postgresql")
    version, trigger = a_version().id, uuid7()
    ending, going = leased_run(writer, version), leased_run(writer, version)
    free = free_run(writer, an_acceptance(version))
    whole = PostgresLink.arrived
    cuts: list[bool] = []

    def cut(link: PostgresLink) -> bool:
        if cuts:
            return whole(link)
        if committed:
            while not whole(link):
                time.sleep(0.01)
        cuts.append(committed)
        link._now_at -= 60  # its clock is not known any more, either
        link.close()
        raise LinkLost("cut")

    monkeypatch.setattr(PostgresLink, "arrived", cut)

    async def together() -> tuple[Written, Written, Accepted, list[Claimed]]:
        return await asyncio.gather(
            writer.write(a_write(ending, 1, a_step(), status="completed")),
            writer.write(a_write(going, 1, a_step())),
            writer.accept(an_acceptance(version, key="k", trigger_id=trigger)),
            writer.claim([free]),
        )

    ended, went, accepted, claimed = run(together())
    assert cuts == [committed]
    assert [(one.run_id, one.token) for one in claimed] == [(free, 1)]
    assert (ended.seq, went.seq, accepted.duplicate) == (1, 1, False)
    assert Event.objects.filter(trigger_id=trigger).count() == 1
    assert Delivery.objects.count() == 0
    assert {one.seq for one in Run.objects.filter(pk__in=[ending, going])} == {1}


def test_a_server_that_falls_silent_is_given_up(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    only("postgresql")
    run_id = leased_run(writer, a_version().id)
    monkeypatch.setattr(shortcut, "SILENCE_SECONDS", 0.3)
    deaf: list[PostgresLink] = []
    whole = PostgresLink.arrived

    def hears_nothing(link: PostgresLink) -> bool:
        if not deaf:
            deaf.append(link)
        if link is deaf[0]:
            link._pq.consume_input()
            return False
        return whole(link)

    monkeypatch.setattr(PostgresLink, "arrived", hears_nothing)
    assert run(writer.write(a_write(run_id, 1, a_step()))).seq == 1
    assert Run.objects.get().seq == 1


def test_a_way_that_cannot_be_mended_stops_nothing(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    only("postgresql")
    run_id = leased_run(writer, a_version().id)
    found = writer._short_way._shortcut
    assert isinstance(found, shortcut.FarShortcut)
    found.is_broken = True

    def refuse(*arguments: object) -> None:
        raise ValueError("no right to")

    monkeypatch.setattr(shortcut, "_open", refuse)
    monkeypatch.setattr(writer._short_way, "_not_before", 0.0)
    for number in (1, 2):
        assert run(writer.write(a_write(run_id, 1, a_step(status="running")))).seq == number
    monkeypatch.undo()
    writer._short_way._not_before = 0.0
    assert run(writer.write(a_write(run_id, 1, a_step(status="running")))).seq == 3
    deadline = time.monotonic() + 60
    while writer._short_way._shortcut is found and time.monotonic() < deadline:
        time.sleep(0.01)
    assert writer._short_way._shortcut is not found, "and it is mended as soon as it can be"


class Wire:
    """A connection as a lane sees it, of which libpq closes the socket by itself."""

    def __init__(self, number: int | None = None) -> None:
        ours, self.theirs = socket.socketpair()
        self._number = ours.detach()
        if number is not None and number != self._number:
            os.dup2(self._number, number)
            os.close(self._number)
            self._number = number

    def fileno(self) -> int:
        return self._number

    def breaks(self) -> None:
        os.close(self._number)

    def close(self) -> None:
        """libpq has done it."""


class Looks:
    """What a lane asks of its shortcut; notes who was looked at."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.seen: list[Any] = []

    def look(self, lane: Any) -> None:
        self.seen.append(lane)


def test_a_lane_that_ends_leaves_the_next_one_watched_that_got_its_sockets_number() -> None:
    async def visit() -> None:
        looks: Any = Looks()
        first: Any = Wire()
        old = shortcut._Lane(first, looks)
        old._watch()
        # libpq finds the connection broken, and the very next one is given the number.
        first.breaks()
        second: Any = Wire(first.fileno())
        new = shortcut._Lane(second, looks)
        new._watch()
        old._shut(looks.loop)
        second.theirs.send(b"the server goes")
        async with asyncio.timeout(5):
            while new not in looks.seen:
                await asyncio.sleep(0.01)
        new._shut(looks.loop)
        second.breaks()
        first.theirs.close()
        second.theirs.close()

    uvloop.run(visit())
