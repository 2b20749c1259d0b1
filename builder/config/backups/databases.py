"""The database of a backup: copied as of one moment while everything goes on, and put back as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import connection, connections

from builder.config.backups.manifest import BackupRefused
from runtime.store import artifacts
from runtime.store.dialect import open_link

__all__ = ["Snapshot", "check_readable", "holds_something", "put_back", "snapshot"]

#: Who has what in the artifact store: files by their ids, values by their places.
_FILES: Final = "SELECT id, sha256, size FROM store_file WHERE removed_at IS NULL"
_VALUES: Final = "SELECT location, sha256, size FROM store_artifact"
_AT_ONCE: Final = 1000


class Rows(Protocol):
    """Rows of a query over the copy."""

    def __call__(self, sql: str) -> Iterator[tuple[Any, ...]]: ...


class Snapshot:
    """The copy of a database: in which file, and what its rows are."""

    def __init__(self, path: Path, rows: Rows) -> None:
        self.path = path
        self._rows = rows

    def files(self) -> Iterator[tuple[UUID, str, int]]:
        """The files that are there: id, digest, size."""
        for file_id, sha256, size in self._rows(_FILES):
            yield file_id if isinstance(file_id, UUID) else UUID(file_id), str(sha256), int(size)

    def values(self) -> Iterator[tuple[str, str, int]]:
        """Large values: place, digest, size."""
        for location, sha256, size in self._rows(_VALUES):
            yield str(location), str(sha256), int(size)

    def migrations(self) -> dict[str, str]:
        """The newest migration of each app."""
        return {
            str(app): str(name) for app, name in self._rows("SELECT app, MAX(name) FROM django_migrations GROUP BY app")
        }


@contextmanager
def snapshot(folder: Path) -> Iterator[Snapshot]:
    """The database as of one moment, in this folder. Raises BackupRefused."""
    if connection.vendor == "sqlite":
        with _sqlite(folder / "database.sqlite3") as found:
            yield found
    else:
        with _postgresql(folder / "database.dump") as found:
            yield found


@contextmanager
def _sqlite(target: Path) -> Iterator[Snapshot]:
    source = sqlite3.connect(connection.settings_dict["NAME"], timeout=60)
    copy = sqlite3.connect(target)
    try:
        # All pages at once: nothing that is written meanwhile makes it begin anew, and nobody waits for it.
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise BackupRefused(f"The database is damaged: {verdict}. Restore an earlier backup.")

        def rows(sql: str) -> Iterator[tuple[Any, ...]]:
            yield from copy.execute(sql)

        yield Snapshot(target, rows)
    finally:
        copy.close()
        source.close()
    target.chmod(0o600)


@contextmanager
def _postgresql(target: Path) -> Iterator[Snapshot]:
    link = open_link()
    try:
        link.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # The dump and the list of files are of one moment.
        named = str(link.query("SELECT pg_export_snapshot()")[0][0])
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={named}", f"--file={target}")
        number = 0

        def rows(sql: str) -> Iterator[tuple[Any, ...]]:
            nonlocal number
            number += 1
            cursor = f"backup_{number}"
            link.query(f"DECLARE {cursor} NO SCROLL CURSOR FOR {sql}")
            while some := link.query(f"FETCH {_AT_ONCE} FROM {cursor}"):
                yield from some
            link.query(f"CLOSE {cursor}")

        yield Snapshot(target, rows)
        link.rollback()
    finally:
        link.close()
    target.chmod(0o600)


def holds_something() -> bool:
    """Whether there is an installation in the database already that would be replaced."""
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        if not path.exists() or path.stat().st_size == 0:
            return False
    tables = connection.introspection.table_names()
    if "accounts_user" not in tables:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM accounts_user")
        return bool(cursor.fetchone()[0])


def check_readable(source: Path) -> None:
    """That this machine can put this database back: asked before the one that is there goes. Raises BackupRefused."""
    if connection.vendor != "sqlite":
        _run("pg_restore", "--list", str(source))


def put_back(source: Path) -> None:
    """The database of a backup in place of the one that is there. Raises BackupRefused."""
    connections.close_all()
    if connection.vendor == "sqlite":
        target = Path(connection.settings_dict["NAME"])
        aside = target.with_name(f"{target.name}.restoring")
        shutil.copyfile(source, aside)
        aside.chmod(0o600)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        for suffix in ("-wal", "-shm", "-journal"):
            Path(f"{target}{suffix}").unlink(missing_ok=True)
        os.replace(aside, target)
        artifacts.sync_directory(target.parent)
        return
    with connection.cursor() as cursor:
        # What a newer version has added would be left over otherwise.
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    connections.close_all()
    name = connection.settings_dict["NAME"]
    plain = ("--no-owner", "--no-privileges", "--clean", "--if-exists")
    _run("pg_restore", *plain, "--exit-on-error", "--single-transaction", f"--dbname={name}", str(source))


def _run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs. The password goes by the environment: everybody sees a command line."""
    told = connection.settings_dict
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {**os.environ, **{name: str(told[key]) for name, key in named.items() if told.get(key)}}
    if sslmode := (told.get("OPTIONS") or {}).get("sslmode"):
        environment["PGSSLMODE"] = str(sslmode)
    try:
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BackupRefused(
            f"{program} is not on this machine. Install PostgreSQL's client programs, of the server's version or newer."
        ) from None
    if done.returncode != 0:
        raise BackupRefused(f"{program} failed: {done.stderr.strip()[-600:]}")
