"""What every test may use: the machine's real services, and a word about what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings

from tests.services import (
    MissingService,
    PostgresServer,
    RedisServer,
    find_chromium,
    postgres,
    redis,
    skip_or_fail,
)

ROOT = Path(__file__).resolve().parents[1]

# The same examples on every run of a build; `HYPOTHESIS_PROFILE=deep` looks further, from a new seed each time.
settings.register_profile("build", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "build"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A private PostgreSQL of this process's own, fsync on."""
    try:
        with postgres() as server:
            yield server
    except MissingService as missing:
        skip_or_fail(str(missing))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A private Redis of this process's own."""
    try:
        with redis() as server:
            yield server
    except MissingService as missing:
        skip_or_fail(str(missing))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's executable."""
    try:
        return find_chromium()
    except MissingService as missing:
        skip_or_fail(str(missing))


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Empty PostgreSQL's tables row by row between tests: TRUNCATE makes and fsyncs new files for every table and
    index, which takes longer than most tests do."""

    def delete(
        self: DatabaseOperations, style: object, tables: list[str], *, reset_sequences: bool = False, **options: object
    ) -> list[str]:
        if not tables:
            return []
        emptied = "; ".join(f"DELETE FROM {self.quote_name(table)}" for table in tables)
        # Without the checks of foreign keys, which would ask for an order.
        return [f"SET LOCAL session_replication_role = replica; {emptied}"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", delete)
        yield


def pytest_report_header() -> list[str]:
    """Say which back ends the suite runs on."""
    database = os.environ.get("MILLRACE_TEST_DATABASE", "sqlite")
    broker = os.environ.get("MILLRACE_TEST_BROKER", "memory")
    return [f"millrace: database {database}, broker {broker}"]
