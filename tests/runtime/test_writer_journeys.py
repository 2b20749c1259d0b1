"""How often the writer waits for a database that is a journey away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import connection

from runtime.engine.ids import uuid7
from runtime.store.link_postgres import PostgresLink
from runtime.store.models import Attempt, Run, StepRun
from runtime.store.records import AttemptWrite
from runtime.store.tickets import Fenced
from runtime.store.writer import Writer
from tests.runtime.rows import a_step, a_version, a_write, an_acceptance
from tests.runtime.test_writer_promises import leased_run, run

pytestmark = pytest.mark.django_db(transaction=True)

INTENT = AttemptWrite("work", 1, 1, "intent", "keyed", "KEY", 0, "d" * 64, "worker-a", 5)


def only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is no journey away")


def journeys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements went along in each journey from now on."""
    found: list[int] = []
    send = PostgresLink._send

    def counted(link: PostgresLink, errands: Any) -> None:
        found.append(len(errands))
        send(link, errands)

    monkeypatch.setattr(PostgresLink, "_send", counted)
    return found


def test_accepted_events_are_waited_for_once(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    only_postgresql()
    version, trigger = a_version().id, uuid7()
    run(writer.accept(an_acceptance(version)))
    waits = journeys(monkeypatch)
    assert not run(writer.accept(an_acceptance(version, key="k", trigger_id=trigger))).duplicate
    assert len(waits) == 1
    assert run(writer.accept(an_acceptance(version, key="k", trigger_id=trigger))).duplicate


def test_a_step_with_its_attempt_is_waited_for_once(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    only_postgresql()
    run_id = leased_run(writer, a_version().id)
    waits = journeys(monkeypatch)
    unit = a_write(run_id, 1, a_step())
    unit = unit._replace(attempts=(INTENT,))
    assert run(writer.write(unit)).seq == 1
    assert len(waits) == 1
    assert StepRun.objects.get().seq == 1


def test_one_lost_lease_stops_no_other_unit_of_its_batch(writer: Writer) -> None:
    only_postgresql()
    version = a_version().id
    mine, lost = leased_run(writer, version), leased_run(writer, version)

    async def together() -> list[Any]:
        units = [a_write(mine, 1, a_step()), a_write(lost, 7, a_step())._replace(attempts=(INTENT,))]
        return await asyncio.gather(*(writer.write(unit) for unit in units), return_exceptions=True)

    done, refused = run(together())
    assert done.seq == 1
    assert isinstance(refused, Fenced)
    assert [step.run_id for step in StepRun.objects.all()] == [mine]
    assert not Attempt.objects.exists()


def test_what_would_come_too_late_is_refused_by_the_server(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    only_postgresql()
    version = a_version().id
    run(writer.accept(an_acceptance(version)))
    # Our idea of the server's clock is a minute behind: then it refuses, and is asked for the time.
    now, at = writer._clock
    writer._clock = (now - 60_000, at)
    assert not run(writer.accept(an_acceptance(version))).duplicate
    assert Run.objects.count() == 2
    assert abs(writer.now_ms() - now) < 10_000
