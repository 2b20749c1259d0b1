"""What the runtime's tests share: a real writer on the real database of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import pytest
from django.db import connection

from runtime.contracts import RunTouched
from runtime.ports import PORTS, Anybody, LiveSink
from runtime.store import failpoints
from runtime.store.dialect import open_link
from runtime.store.records import Claimed
from runtime.store.writer import Writer
from tests.runtime.door import both_ways
from tests.runtime.fixtures import any_machine, idle_machine, machine, open_company, world
from tests.runtime.trails import broken_trails

__all__ = ["any_machine", "both_ways", "idle_machine", "machine", "open_company", "world"]


class Heard(LiveSink):
    """Keeps the news."""

    def __init__(self) -> None:
        self.news: list[RunTouched] = []

    def listening(self) -> bool:
        return True

    def publish(self, touched: Sequence[RunTouched]) -> None:
        self.news.extend(touched)


class Told:
    """What a writer rang and handed over."""

    def __init__(self) -> None:
        self.rung: list[UUID] = []
        self.taken: list[Claimed] = []
        self.sink = Heard()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def writer(transactional_db: None, told: Told) -> Iterator[Writer]:
    """A running writer that owns leases as `worker-a`."""
    writer = Writer(owner="worker-a", sink=told.sink, ring=told.rung.extend, take=told.taken.extend)
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture(autouse=True)
def anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody keeps a list of people here, unless a test does."""
    monkeypatch.setattr(PORTS, "people", Anybody())
    monkeypatch.setattr(PORTS, "post", None)


@pytest.fixture(autouse=True)
def inert_failpoints() -> Iterator[None]:
    yield
    failpoints.disarm()


@pytest.fixture(autouse=True)
def whole_trails(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did to runs: each is what its trail says (I40). Looked at when everything that writes has been
    stopped, before the tables are emptied."""
    uses_rows = "transactional_db" in request.fixturenames
    if uses_rows:
        request.getfixturevalue("transactional_db")
    yield
    if uses_rows:
        assert broken_trails() == []


@pytest.fixture
def blocked_database(transactional_db: None) -> Callable[[], AbstractContextManager[None]]:
    """A context in which somebody else holds the database so that nothing can be written."""

    @contextmanager
    def blocked() -> Iterator[None]:
        link = open_link()
        try:
            if connection.vendor == "sqlite":
                link.query("BEGIN EXCLUSIVE")
            else:
                link.query("BEGIN")
                link.query("LOCK TABLE store_run, store_event IN ACCESS EXCLUSIVE MODE")
            yield
            link.rollback()
        finally:
            link.close()

    return blocked
