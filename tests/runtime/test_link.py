"""The writer's own connection: what it must keep whatever it does to be quick."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest
from django.db import connection

from runtime.engine.ids import uuid7
from runtime.store import statements as sql
from runtime.store.commits import commit
from runtime.store.dialect import Link, LinkLost, Statement, StoreFault, database_now, open_link
from runtime.store.models import Run
from runtime.store.records import AcceptRun
from runtime.store.tickets import Ticket, Work
from runtime.store.units import Batch
from tests.runtime.rows import a_version, an_acceptance

pytestmark = pytest.mark.django_db(transaction=True)


def a_link() -> closing[Link]:
    """A connection of this test's own."""
    return closing(open_link())


def accepted(link: Link, unit: AcceptRun) -> None:
    """Write an event and its run, and leave the transaction open."""
    link.begin()
    Batch(link, [Ticket(Work.ACCEPT, unit, None, None, None)], "me").write()  # type: ignore[arg-type]


def only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that goes on when this process stands still")


def test_what_a_row_leaves_out_is_nothing_whatever_the_kind_of_its_column() -> None:
    told = Statement(
        columns=(("u_id", "int"), ("u_text", "text"), ("u_int", "int"), ("u_bytes", "bytes")),
        body="SELECT u_id, u_text, u_int, u_bytes, COALESCE(u_text, 'none'), u_int IS NULL FROM u ORDER BY u_id",
        returns=True,
    )
    with a_link() as link:
        rows = link.batch(told, [(1, None, None, None), (2, "NaN", 0, b""), (3, "", -1, b"NaN")])
    assert [row[:5] for row in rows] == [
        (1, None, None, None, "none"), (2, "NaN", 0, b"", "NaN"), (3, "", -1, b"NaN", ""),
    ]  # fmt: skip
    assert [bool(row[5]) for row in rows] == [True, False, False]


@pytest.mark.parametrize("more", [False, True], ids=["after a result", "after what returns nothing"])
def test_a_process_that_stands_still_in_a_transaction_does_not_keep_its_locks(more: bool) -> None:
    only_postgresql()
    version = a_version().id
    unit = an_acceptance(version)
    assert unit.run is not None
    with a_link() as link, a_link() as other:
        accepted(other, unit)
        other.commit()
        link.query("SET idle_in_transaction_session_timeout = '300ms'")
        link.begin()
        row = (link.key(unit.run.id), 0, "running", None, None, None, None, None, None, None, 1, 0, 1, 0, None)
        assert len(link.batch(sql.ADVANCE_RUNS, [row])) == 1
        if more:
            assert link.batch(sql.CLEAR_TIMERS, [(link.key(unit.run.id), "a", 1, "wait")]) == []
        time.sleep(1)
        other.query("SET lock_timeout = '100ms'")
        other.query("UPDATE store_run SET seq = 9 WHERE id = %s", [unit.run.id])
        with pytest.raises(LinkLost):
            link.commit()
    assert Run.objects.get().seq == 9


def test_the_clock_does_not_fall_behind_while_a_statement_waits_for_a_lock() -> None:
    only_postgresql()
    version = a_version().id
    unit = an_acceptance(version, key="one", trigger_id=uuid7())
    with a_link() as link, a_link() as other:
        accepted(other, unit)
        opener = threading.Timer(0.7, other.commit)
        opener.start()
        again = an_acceptance(version, key="one", trigger_id=unit.event.trigger_id)
        accepted(link, again)  # waits for the other one's event
        link.commit()
        opener.join()
        assert abs(link.now() - database_now()) < 400


def test_an_error_that_comes_to_light_at_the_commit_undoes_everything() -> None:
    version = a_version().id
    unit = an_acceptance(version)
    with a_link() as link:
        accepted(link, unit)
        link.commit()
        other = an_acceptance(version)
        assert unit.run is not None
        assert other.run is not None
        twice = AcceptRun(other.event, other.run._replace(id=unit.run.id))
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"), commit("ingress.accept", on=link):
            Batch(link, [Ticket(Work.ACCEPT, twice, None, None, None)], "me").write()  # type: ignore[arg-type]
        accepted(link, other)
        link.commit()
    assert Run.objects.count() == 2


def test_what_waits_for_a_lock_has_waited_once_it_is_committed() -> None:
    only_postgresql()
    version = a_version().id
    unit = an_acceptance(version)
    with a_link() as link, a_link() as other:
        accepted(other, unit)
        other.commit()
        other.begin()
        other.query("UPDATE store_event SET duplicates = 1 WHERE id = %s", [unit.event.id])
        opener = threading.Timer(0.5, other.commit)
        link.begin()
        opener.start()
        link.batch(sql.COUNT_DUPLICATES, [(link.key(unit.event.id), 1)])
        began = time.monotonic()
        link.commit()
        assert time.monotonic() - began > 0.2
        opener.join()


def test_an_open_transaction_is_never_committed_by_the_next_one() -> None:
    version = a_version().id
    with a_link() as link:
        accepted(link, an_acceptance(version))
        if connection.vendor == "sqlite":
            link.begin()
        else:
            link.rollback()
            link.begin()
        link.commit()
    assert Run.objects.count() == 0


def test_a_batch_of_any_size_is_written_whole() -> None:
    version = a_version().id
    with a_link() as link:
        written = 0
        for size in (1, 5, 7, 33, 129, 300):
            units = [an_acceptance(version) for _ in range(size)]
            link.begin()
            tickets = [Ticket(Work.ACCEPT, unit, None, None, None) for unit in units]  # type: ignore[arg-type]
            Batch(link, tickets, "me").write()
            link.commit()
            assert [ticket.result.run_id for ticket in tickets] == [unit.run.id for unit in units if unit.run]
            written += size
            assert Run.objects.count() == written


def test_a_fault_of_the_database_is_told_from_a_fault_of_the_data() -> None:
    only_postgresql()
    unit = an_acceptance(a_version().id)
    with a_link() as link, a_link() as other:
        accepted(other, unit)
        other.commit()
        other.begin()
        other.query("UPDATE store_event SET duplicates = 1 WHERE id = %s", [unit.event.id])
        link.query("SET lock_timeout = '100ms'")
        with pytest.raises(StoreFault), commit("ingress.accept", on=link):
            link.batch(sql.COUNT_DUPLICATES, [(link.key(unit.event.id), 1)])
        other.rollback()
        with commit("ingress.accept", on=link):
            link.batch(sql.COUNT_DUPLICATES, [(link.key(unit.event.id), 1)])
