"""How often the writer waits for a database that is a journey away."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from psycopg import Pipeline

from runtime.engine.ids import uuid7
from runtime.store.models import Run
from runtime.store.writer import Writer
from tests.runtime.rows import a_version, an_acceptance
from tests.runtime.test_writer_promises import run

pytestmark = pytest.mark.django_db(transaction=True)


def only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is no journey away")


def test_accepted_events_are_waited_for_once(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    only_postgresql()
    version, trigger = a_version().id, uuid7()
    run(writer.accept(an_acceptance(version)))
    waits: list[bool] = []
    fetch = Pipeline._fetch_gen

    def counted(pipeline: Pipeline, *, flush: bool) -> Any:
        if pipeline.result_queue:
            waits.append(flush)
        return fetch(pipeline, flush=flush)

    monkeypatch.setattr(Pipeline, "_fetch_gen", counted)
    assert not run(writer.accept(an_acceptance(version, key="k", trigger_id=trigger))).duplicate
    assert waits == [False], "one journey, and it ends with a Sync: nothing of this session lies about"
    assert run(writer.accept(an_acceptance(version, key="k", trigger_id=trigger))).duplicate


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
