"""Servers that can be broken and started again on the same port: PostgreSQL over its data, Redis with nothing in it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator

import psycopg

from tests.faults.processes import HarnessFailed
from tests.services.postgres_server import USER, find_postgres, initialise, reachable
from tests.services.process import Guarded, free_port, new_directory, unprivileged_account
from tests.services.redis_server import answers, find_redis


class BreakablePostgres:
    """A private PostgreSQL with fsync on whose data outlive it."""

    def __init__(self) -> None:
        self._account = unprivileged_account()
        self._base = new_directory("pgdata", self._account)
        self._password = secrets.token_urlsafe(12)
        self._programs = reachable(find_postgres(), self._base, self._account)
        initialise(self._programs, self._base, self._password, self._account)
        self._port = free_port()
        self._process = self._launch()
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE faults")

    @property
    def url(self) -> str:
        return self._url("faults")

    def crash(self) -> None:
        """`pg_ctl stop -m immediate`: nothing is finished, no checkpoint is made."""
        os.kill(self._process.pid, signal.SIGQUIT)
        self._process.stop()

    def start(self) -> None:
        """Start over the same data: it recovers."""
        self._process = self._launch()

    def back_up(self) -> None:
        """Crash it, keep a copy of its data, and start it again."""
        self.crash()
        shutil.rmtree(self._base / "backup", ignore_errors=True)
        self._copy("data", "backup")
        self.start()

    def restore(self) -> None:
        """Crash it, and start it over the copy."""
        self.crash()
        shutil.rmtree(self._base / "data")
        self._copy("backup", "data")
        self.start()

    def _copy(self, source: str, target: str) -> None:
        shutil.copytree(self._base / source, self._base / target)
        if self._account is not None:
            for path in (self._base / target, *(self._base / target).rglob("*")):
                os.chown(path, *self._account)

    def close(self) -> None:
        self._process.stop()
        shutil.rmtree(self._base, ignore_errors=True)

    def _launch(self) -> Guarded:
        directory = new_directory("pgrun", self._account)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": str(directory),
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": "200",
        }
        command = [str(self._programs / "postgres"), "-D", str(self._base / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        process = Guarded(command=command, directory=directory, stop_signal=signal.SIGQUIT, account=self._account)
        if not process.wait_until(self._accepts, seconds=60):
            raise HarnessFailed("PostgreSQL does not start over its data.")
        return process

    def _accepts(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
            return True
        return False

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"


class BreakableRedis:
    """A private Redis that comes back empty."""

    def __init__(self) -> None:
        self._port = free_port()
        self._process = self._launch()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def stop(self) -> None:
        """Gone: connections are refused."""
        self._process.stop()

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """There, but silent."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def hang(self, seconds: float) -> None:
        """Silent for so long."""
        with self.silent():
            time.sleep(seconds)

    def start(self) -> None:
        """Back, with nothing in it."""
        self._process = self._launch()

    def close(self) -> None:
        self._process.stop()

    def _launch(self) -> Guarded:
        directory = new_directory("redis")
        command = [str(find_redis()), "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--appendonly", "no", "--dir", str(directory)]
        process = Guarded(command=command, directory=directory, stop_signal=signal.SIGKILL, account=None)
        if not process.wait_until(lambda: answers(self._port), seconds=20):
            raise HarnessFailed("Redis does not start.")
        return process
