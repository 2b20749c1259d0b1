"""Whoever was in flight beside a run that kills its process is not set aside for it (I20)."""

from __future__ import annotations

from uuid import UUID

from runtime.store.models import Run
from runtime.store.records import Claimed
from runtime.store.statements import MOST_CLAIMS, SUSPECT_CLAIMS
from runtime.store.tickets import Wanted
from runtime.store.writer import Writer
from runtime.worker.suspects import Suspects
from tests.runtime.rows import a_step, a_version, a_write
from tests.runtime.test_turns import BIG, ask, due
from tests.runtime.test_writer_promises import expire, run


def one_process(writer: Writer, poison: set[UUID]) -> bool:
    """A process works until nothing is due or it claims what kills it; whether that killed it.

    What lives makes progress only when nothing kills the process that has it: the worst neighbours there can be.
    """
    suspects = Suspects()
    while True:
        wanted = Wanted(None, 64, writer.owner, suspects=suspects.wanted(()))
        claimed: list[Claimed] = run(ask(writer, wanted))
        suspects.note(claimed)
        for one in claimed:
            suspects.ended(one.run_id)
        if poison & {one.run_id for one in claimed}:
            for one in claimed:
                expire(one.run_id)
            return True
        if not claimed:
            return False
        for one in claimed:
            run(writer.write(a_write(one.run_id, one.token, a_step(), status="completed", release=True)))


def test_of_thirty_runs_in_flight_at_each_death_only_the_one_that_kills_is_set_aside(writer: Writer) -> None:
    ids = due(a_version(), BIG, 30)
    poison = ids[17]
    deaths = 0
    while one_process(writer, {poison}):
        deaths += 1
        assert deaths <= MOST_CLAIMS
    assert deaths == MOST_CLAIMS
    assert {row.pk for row in Run.objects.filter(status="parked")} == {poison}
    assert Run.objects.filter(status="completed").count() == 29


def test_two_that_kill_are_both_found_and_nobody_else(writer: Writer) -> None:
    ids = due(a_version(), BIG, 12)
    poison = {ids[0], ids[7]}
    deaths = 0
    while one_process(writer, poison):
        deaths += 1
        assert deaths <= 2 * MOST_CLAIMS
    assert {row.pk for row in Run.objects.filter(status="parked")} == poison
    assert Run.objects.filter(status="completed").count() == 10


def test_what_has_been_tried_in_company_since_is_claimed_alone(writer: Writer) -> None:
    ids = due(a_version(), BIG, 4)
    Run.objects.filter(pk__in=ids[:2]).update(claims=SUSPECT_CLAIMS + 1)
    Run.objects.filter(pk__in=ids[2:]).update(claims=SUSPECT_CLAIMS)
    wanted = Wanted(None, 64, writer.owner, suspects=8)
    assert [len(run(ask(writer, wanted))) for _ in range(4)] == [1, 1, 2, 0]


def test_a_name_brings_no_suspect_and_a_claim_that_wants_none_neither(writer: Writer) -> None:
    (suspect,) = due(a_version(), BIG, 1)
    Run.objects.update(claims=SUSPECT_CLAIMS)
    assert run(writer.claim([suspect])) == []
    assert run(ask(writer, Wanted(None, 64, writer.owner, suspects=0))) == []
    assert [one.run_id for one in run(ask(writer, Wanted(None, 64, writer.owner)))] == [suspect]


def test_more_are_tried_at_a_time_whenever_all_have_lived_and_none_while_they_are_in_flight(writer: Writer) -> None:
    due(a_version(), BIG, 7)
    Run.objects.update(claims=SUSPECT_CLAIMS)
    suspects = Suspects()
    sizes = []
    while room := suspects.wanted(()):
        claimed = run(ask(writer, Wanted(None, 64, writer.owner, suspects=room)))
        suspects.note(claimed)
        sizes.append(len(claimed))
        in_flight = {one.run_id for one in claimed}
        if in_flight:
            assert suspects.wanted((in_flight, ())) == 0
        assert [suspects.ended(one) for one in in_flight] == [False] * (len(in_flight) - 1) + [True] * bool(in_flight)
    assert sizes == [1, 2, 4, 0]
