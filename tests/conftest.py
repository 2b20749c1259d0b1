"""What every test may use: the machine's real services, and a word about what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from tests import databases, lots
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


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, django_db_modify_db_settings: None
) -> None:
    """The test database of this process: the first process of the session migrates one, the others copy it."""
    with django_db_blocker.unblock():
        databases.prepare()


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Empty the tables between tests without what Django's own flush does beside it."""

    def empty(self: TransactionTestCase) -> None:
        databases.empty()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the lot leaves out."""
    if lot := os.environ.get(lots.VARIABLE, ""):
        items[:], left = lots.sample(items, lot, os.environ.get("MILLRACE_TEST_DATABASE", "sqlite"))
        config.hook.pytest_deselected(items=left)


def pytest_report_header() -> list[str]:
    """Say which back ends the suite runs on, and how much of it."""
    database = os.environ.get("MILLRACE_TEST_DATABASE", "sqlite")
    broker = os.environ.get("MILLRACE_TEST_BROKER", "memory")
    lot = os.environ.get(lots.VARIABLE, "")
    return [f"millrace: database {database}, broker {broker}, {f'sample {lot}' if lot else 'everything'}"]
