"""Processes that would take each other's runs or files do not start, and say which setting to change."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.product import ROOT, Product
from tests.services import PostgresServer, RedisServer

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        os.environ.get("MILLRACE_TEST_DATABASE") == "postgres",
        reason="starts processes with databases of their own: once is enough",
    ),
]


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh database."""
    name = f"processes-{uuid4().hex[:8]}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


def end(product: Product, command: str) -> str:
    """The one line that a command says which does not start."""
    product.choose_ports()
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=product.variables(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr.splitlines()[-1]


def until(true: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


LOCKS = (
    "FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)


def places(address: str) -> list[str]:
    """How the lock of this database is held."""
    with psycopg.connect(address) as link:
        return [row[0] for row in link.execute(f"SELECT mode {LOCKS}")]


def test_serve_is_the_only_process_of_its_database(tmp_path: Path, database: str, redis_server: RedisServer) -> None:
    with Product(tmp_path / "one", database_url=database) as first:
        first.choose_ports()
        first.spawn("serve")
        first.wait_until_ready(seconds=120)
        second = Product(tmp_path / "two", database_url=database)
        said = end(second, "serve")
        assert said.startswith("Millrace does not start. DATABASE_URL: another Millrace runs on this database.")
        for command in ("web", "worker"):
            beside = Product(tmp_path / "one", database_url=database, redis_url=redis_server.url)
            assert "a `manage.py serve` runs on this database" in end(beside, command)
        # A lost connection is taken again, under the same lock.
        with psycopg.connect(database, autocommit=True) as link:
            link.execute(f"SELECT pg_terminate_backend(pid) {LOCKS}")
        # The server ends the old link in its own time, and until then its lock stands there.
        until(lambda: "lost its place" in first.log)
        until(lambda: places(database) == ["ExclusiveLock"])
    until(lambda: places(database) == [])


def test_serve_does_not_start_beside_web(tmp_path: Path, database: str, redis_server: RedisServer) -> None:
    with Product(tmp_path / "one", database_url=database, redis_url=redis_server.url) as many:
        many.start()
        assert set(places(database)) == {"ShareLock"}
        alone = Product(tmp_path / "one", database_url=database)
        assert "another Millrace runs on this database" in end(alone, "serve")


def test_a_process_with_a_data_dir_of_its_own_is_refused(
    tmp_path: Path, database: str, redis_server: RedisServer
) -> None:
    with Product(tmp_path / "shared", database_url=database, redis_url=redis_server.url) as many:
        many.choose_ports()
        many.manage("migrate", "--no-input")
        elsewhere = Product(tmp_path / "elsewhere", database_url=database, redis_url=redis_server.url)
        for command in ("worker", "ticker"):
            said = end(elsewhere, command)
            assert said.startswith(f"Millrace does not start. DATA_DIR={tmp_path / 'elsewhere'}: this folder is not")
        # What the sentence advises for a folder that was restored without its mark.
        text, path = said.split("write ")[1].rstrip(".").split(" into ")
        Path(path).parent.mkdir()
        Path(path).write_text(text)
        elsewhere.choose_ports()
        elsewhere.spawn("web")
        elsewhere.wait_until_ready(seconds=120)
        elsewhere.stop()


def test_a_data_dir_of_another_database_is_refused(
    tmp_path: Path, database: str, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    many = Product(tmp_path / "shared", database_url=database, redis_url=redis_server.url)
    many.choose_ports()
    many.manage("migrate", "--no-input")
    name = f"other-{uuid4().hex[:8]}"
    try:
        address = postgres_server.create_database(name)
        other = Product(tmp_path / "shared", database_url=address, redis_url=redis_server.url)
        assert "this folder belongs to another database" in end(other, "migrate")
        assert "this folder belongs to another database" in end(other, "worker")
    finally:
        postgres_server.drop_database(name)


def test_an_installation_as_documented_keeps_connections(
    tmp_path: Path, database: str, redis_server: RedisServer
) -> None:
    plain = {"MILLRACE_TEST_BUILD": ""}
    with Product(tmp_path / "d", database_url=database, redis_url=redis_server.url, environment=plain) as many:
        many.start()
        assert (tmp_path / "d" / "connection_keys.json").stat().st_mode & 0o077 == 0
        api = many.set_up()
        body = {"kind": "webhook_secret", "name": "Shop", "fields": {"secret": "a long enough secret"}}
        made = api.call("POST", "W/connections", body)
        assert made["secrets_set"] == ["secret"]
        scopes = {"name": "ERP", "scopes": ["read"]}
        tokens = [api.call("POST", "W/tokens", scopes, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert tokens[0] == tokens[1]
        api.close()


def test_sqlite_takes_its_own_folder_back(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    for _ in range(2):
        with Product(directory, first_start=True) as product:
            product.start()
        mark = directory / "artifacts" / ".database"
        assert mark.stat().st_mode & 0o077 == 0
        for file in directory.glob("millrace.sqlite3*"):
            os.remove(file)
