"""Installations to break, and the figures at the end."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import installed
from tests.faults import figures
from tests.faults.outside import Company
from tests.faults.plant import Plant
from tests.services import PostgresServer, RedisServer

MakePlant = Callable[..., Plant]
_names = itertools.count(1)


@pytest.fixture(scope="session")
def company() -> Iterator[Company]:
    """The outside world: one for all tests, never killed."""
    opened = Company()
    yield opened
    opened.close()


_BOTH = ["sqlite", "postgres"]
#: In the sample one of the two, by chance, and the other for what differs little between them: so each sample has both.
#: The first process draws, its xdist workers inherit what came.
_CHOSEN = _BOTH if figures.everything() else [os.environ.setdefault("MILLRACE_FAULTS_DATABASE", secrets.choice(_BOTH))]
_OTHER = _BOTH if figures.everything() else [name for name in _BOTH if name not in _CHOSEN]


@pytest.fixture(scope="session", params=_CHOSEN)
def database(request: pytest.FixtureRequest) -> str:
    """Each database in turn; in the sample one of them."""
    return str(request.param)


@pytest.fixture(scope="session", params=_OTHER)
def some_database(request: pytest.FixtureRequest) -> str:
    """Each database in turn; in the sample the other one."""
    return str(request.param)


@pytest.fixture(scope="session")
def migrated(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with all tables and nothing in them."""
    address = postgres_server.create_database("migrated")
    installed.migrate(DATABASE_URL=address, DATA_DIR=str(tmp_path_factory.mktemp("migrated")))
    return "migrated"


@pytest.fixture
def make_plant(request: pytest.FixtureRequest, tmp_path: Path, company: Company) -> Iterator[MakePlant]:
    """Makes a fresh installation on `sqlite` or `postgres`; everything of it ends with the test."""
    made: list[Plant] = []

    def make(
        database: str, *, workers: int = 1, environment: dict[str, str] | None = None, data: Path | None = None
    ) -> Plant:
        number = next(_names)
        if database == "sqlite":
            plant = Plant(tmp_path / f"plant{number}", company, environment=environment, data=data)
        else:
            postgres: PostgresServer = request.getfixturevalue("postgres_server")
            redis: RedisServer = request.getfixturevalue("redis_server")
            plant = Plant(
                tmp_path / f"plant{number}",
                company,
                database_url=postgres.create_database(f"faults{number}", like=request.getfixturevalue("migrated")),
                redis_url=redis.url.removesuffix("/0") + f"/{number % 16}",
                workers=workers,
                environment=environment,
                data=data,
            )
        made.append(plant)
        return plant

    yield make
    for plant in made:
        plant.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """An xdist worker hands its figures to the process that prints them."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = figures.LINES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The process that prints takes the figures of a worker."""
    figures.LINES.extend(getattr(node, "workeroutput", {}).get("figures", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seeds and figures, also of what passed."""
    if figures.LINES:
        terminalreporter.section("faults")
        for line in figures.LINES:
            terminalreporter.write_line(line)
