"""Putting a backup back. Everything is looked at before anything is touched; from the first change on until the last a
mark lies in DATA_DIR, and nothing starts while it does. The database that was put back is held (I39): nothing is begun
and nothing is sent until somebody has looked at what the backup does not know of, and says so."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from builder.config import belonging, commanded, environment
from builder.config.backups import databases, manifest
from builder.config.backups.making import KEYS, key_ids, secret_mark
from builder.config.backups.manifest import BackupRefused, Manifest
from builder.connections.models import Connection
from runtime import api as runtime_api
from runtime.store import artifacts
from runtime.store.blobs import PLACE

__all__ = ["check", "refuse_half_restored", "restore"]

_MARK: Final = "restoring"


def mark_path() -> Path:
    """The mark of a restore that has begun and not ended."""
    return Path(settings.DATA_DIR) / _MARK


def refuse_half_restored() -> None:
    """Raise ImproperlyConfigured where a restore was broken off: nothing may start on what it has left."""
    path = mark_path()
    if path.exists():
        raise ImproperlyConfigured(
            f"DATA_DIR={settings.DATA_DIR}: a restore has begun here and did not end. Give the command again: "
            f"manage.py restore {path.read_text(encoding='utf-8').strip()} --replace"
        )


def check(folder: Path) -> Manifest:
    """The manifest of a whole backup that this version can read. Reads every byte. Raises BackupRefused."""
    told = manifest.read(folder)
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    for app, name in sorted(told.migrations.items()):
        apps = {one for one, _ in known}
        if app in apps and (app, name) not in known:
            raise BackupRefused(
                f"This backup was made by a newer Millrace ({told.millrace}): this one does not know its database "
                f"({app} {name}). Update this one first, then restore it."
            )
    if told.vendor != connection.vendor:
        raise BackupRefused(
            f"This backup is of a database on {_called(told.vendor)}, and this installation is on "
            f"{_called(connection.vendor)}. Restore it where DATABASE_URL says the same as it did there."
        )
    _same(folder / told.database, told.database_sha256)
    _same(folder / manifest.FILES, told.files_sha256)
    for name, sha256 in told.keys.items():
        if name not in KEYS:
            raise BackupRefused(f"{manifest.MANIFEST} names the key {name!r}, which there is not: it is damaged.")
        _same(folder / name, sha256)
    count = 0
    for one in manifest.listed(folder):
        path = folder / "artifacts" / one.name
        if path.is_file() and path.stat().st_size != one.size:
            raise _damaged(path)
        _same(path, one.sha256)
        count += 1
    if count != told.files:
        raise _damaged(folder / manifest.FILES)
    return told


def _same(path: Path, sha256: str) -> None:
    if not path.is_file() or manifest.digest_of(path) != sha256:
        raise _damaged(path)


def _damaged(path: Path) -> BackupRefused:
    what = "was changed" if path.exists() else "is missing"
    return BackupRefused(f"This backup is damaged: {path} {what}. Nothing was touched. Use another backup.")


def restore(folder: Path, *, replace: bool) -> Manifest:
    """Put it back, and hold it. The caller has seen to it that no process runs. Raises BackupRefused."""
    told = check(folder)
    again = mark_path().exists()
    if not again and not replace and databases.holds_something():
        raise BackupRefused(
            "There is an installation here already, and it would be replaced. Say --replace if it shall be; make a "
            "backup of it first."
        )
    _check_keys(folder, told)
    databases.check_readable(folder / told.database)
    _set_mark(folder)
    for name in told.keys:
        _put_key(folder / name, _key_path(name))
    _put_files(folder)
    databases.put_back(folder / told.database)
    call_command("migrate", interactive=False, verbosity=0)
    belonging.take_over()
    sha256 = manifest.digest_of(folder / manifest.MANIFEST)
    with commanded.kept("installation.backup_restored", "instance.hold", made_at=told.made_at, sha256=sha256):
        runtime_api.hold_restored()
    _check_ring(told)
    mark_path().unlink()
    artifacts.sync_directory(mark_path().parent)
    return told


def _check_keys(folder: Path, told: Manifest) -> None:
    """That what is sealed in it can be opened here: by the keys that are here, or by those that it brings."""
    if secret_mark(settings.SECRET_KEY) != told.secret_key:
        theirs = folder / "secret_key"
        brings = "secret_key" in told.keys and secret_mark(theirs.read_text("utf-8").strip()) == told.secret_key
        if not brings or environment.secret("SECRET_KEY", "MILLRACE_SECRET_KEY"):
            where = f" It is in the backup ({theirs}); the one in the environment would go before it." if brings else ""
            raise BackupRefused(
                "The SECRET_KEY here is not the one that this backup was made under: sessions, links and signatures "
                f"would be worth nothing.{where} Set SECRET_KEY (or SECRET_KEY_FILE) to that one, then restore."
            )
    missing = set(told.connection_keys) - set(key_ids())
    if missing and "connection_keys.json" not in told.keys:
        raise BackupRefused(
            f"The connection keys here ({settings.CONNECTION_KEYS_FILE}) are not those of this backup: "
            f"{', '.join(sorted(missing))} {'is' if len(missing) == 1 else 'are'} missing, and no stored credential "
            "could be read again. Put that file in its place, then restore."
        )


def _check_ring(told: Manifest) -> None:
    missing = set(told.connection_keys) - set(key_ids())
    if missing and Connection.objects.exists():
        raise BackupRefused(f"The connection keys {', '.join(sorted(missing))} are missing at the end of it.")


def _key_path(name: str) -> Path:
    return Path(settings.DATA_DIR) / name if name == "secret_key" else Path(settings.CONNECTION_KEYS_FILE)


def _put_key(source: Path, target: Path) -> None:
    if target.exists() and manifest.digest_of(target) == manifest.digest_of(source):
        return
    if target.exists():
        # What was sealed here since can be opened by that one alone.
        target.rename(target.with_name(f"{target.name}.before-restore-{secrets.token_hex(4)}"))
    _put(source, target)
    artifacts.sync_directory(target.parent)


def _put(source: Path, target: Path) -> None:
    """A copy, in place of what may be there, whole or not at all; its name is durable once the folder is."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    shutil.copyfile(source, aside)
    aside.chmod(0o600)
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(aside, target)


def _put_files(folder: Path) -> None:
    """Every file that the backup names; one that is here already, whole, stays."""
    folders: set[Path] = set()
    for one in manifest.listed(folder):
        source, target = folder / "artifacts" / one.name, artifacts.directory() / one.name
        if PLACE.storage is not None:
            key = one.name if one.name.startswith("files/") else artifacts.storage_key(one.name)
            PLACE.storage.put(key, partial(_portions, source), size=one.size, sha256=one.sha256)
            continue
        if target.is_file() and target.stat().st_size == one.size and manifest.digest_of(target) == one.sha256:
            continue
        artifacts.make_folder(target.parent)
        _put(source, target)
        folders.add(target.parent)
    # Durable before the mark goes.
    for parent in sorted(folders):
        artifacts.sync_directory(parent)


def _portions(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while portion := file.read(1024 * 1024):
            yield portion


def _set_mark(folder: Path) -> None:
    path = mark_path()
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{folder}\n")
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)
    artifacts.sync_directory(path.parent)


def _called(vendor: str) -> str:
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(vendor, vendor)
