"""Making a backup: the database as of one moment, then the files that it names, then what says that all is there."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from builder.config.backups import databases, manifest
from builder.config.backups.manifest import BackupRefused, Manifest
from builder.connections import crypto
from runtime.store import artifacts, files
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.models import Artifact, File

__all__ = ["KEYS", "Made", "make", "secret_mark"]

#: Key files that go into a backup when that is asked for, by the name that they have there.
KEYS: Final = ("secret_key", "connection_keys.json")


@dataclass(frozen=True, slots=True)
class Made:
    """What was made; `sha256`: of its manifest. `damaged`: files that are missing, or not as they were written."""

    manifest: Manifest
    sha256: str
    damaged: tuple[str, ...]


def secret_mark(secret: str) -> str:
    """By what a SECRET_KEY is known again; nobody finds it by this."""
    return hashlib.sha256(f"millrace.backup:{secret}".encode()).hexdigest()[:32]


def key_ids() -> tuple[str, ...]:
    """Which keys are in the ring; none where there is no ring."""
    try:
        found = crypto.ring().keys()
    except crypto.KeyMissing:
        return ()
    return tuple(key.id for key in found)


def make(target: Path, *, with_keys: bool) -> Made:
    """Make one in this folder, which is not there yet. Raises BackupRefused."""
    if target.exists():
        raise BackupRefused(f"{target} is there already. Choose another folder: a backup is never written over.")
    if not target.parent.is_dir():
        raise BackupRefused(f"There is no folder {target.parent}. Make it first.")
    work = target.with_name(f"{target.name}.unfinished")
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(mode=0o700)
    made_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with databases.snapshot(work) as copied:
        migrations = copied.migrations()
        count, size, gone, damaged = _copy_files(work, copied)
    kept = _copy_keys(work) if with_keys else {}
    told = Manifest(
        version=manifest.VERSION,
        millrace=settings.VERSION,
        made_at=made_at,
        vendor=connection.vendor,
        database=copied.path.name,
        database_sha256=manifest.digest_of(copied.path),
        database_size=copied.path.stat().st_size,
        migrations=migrations,
        files=count,
        files_size=size,
        files_sha256=manifest.digest_of(work / manifest.FILES),
        gone=gone,
        secret_key=secret_mark(settings.SECRET_KEY),
        connection_keys=key_ids(),
        keys=kept,
    )
    sha256 = manifest.write(work, told)
    _make_durable(work)
    work.rename(target)
    artifacts.sync_directory(target.parent)
    return Made(told, sha256, tuple(damaged))


def _copy_files(work: Path, copied: databases.Snapshot) -> tuple[int, int, int, list[str]]:
    count = total = gone = 0
    damaged: list[str] = []
    with (work / manifest.FILES).open("x", encoding="ascii") as lines:
        (work / manifest.FILES).chmod(0o600)
        for name, sha256, size, portions, there in _named(copied):
            path = work / "artifacts" / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _write(path, portions)
            except ArtifactDamaged as error:
                path.unlink(missing_ok=True)
                # Between the database's moment and this one a rule, or somebody, may have removed it.
                if there():
                    damaged.append(str(error))
                else:
                    gone += 1
                continue
            lines.write(f"{sha256} {size} {name}\n")
            count += 1
            total += size
    return count, total, gone, damaged


class _There:
    """Whether a row is still there: asked only of what could not be read."""

    def __init__(self, kind: str, key: str) -> None:
        self._kind, self._key = kind, key

    def __call__(self) -> bool:
        if self._kind == "file":
            return File.objects.filter(pk=UUID(self._key), removed_at=None).exists()
        return Artifact.objects.filter(location=self._key).exists()


def _named(copied: databases.Snapshot) -> Iterator[tuple[str, str, int, Iterator[bytes], _There]]:
    for file_id, sha256, size in copied.files():
        yield files.place(file_id), sha256, size, files.portions(file_id, sha256, size), _There("file", file_id.hex)
    for location, sha256, size in copied.values():
        yield location, sha256, size, artifacts.portions(location, sha256, size), _There("value", location)


def _write(path: Path, portions: Iterator[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for portion in portions:
            file.write(portion)


def _copy_keys(work: Path) -> dict[str, str]:
    """The keys beside what they open: asked for by whoever keeps the folder where nobody else reads it."""
    secret, ring = (work / name for name in KEYS)
    # The one that counts: where it is set in the environment, DATA_DIR has none, or one that nobody uses.
    secret.write_text(f"{settings.SECRET_KEY}\n", encoding="utf-8")
    if Path(settings.CONNECTION_KEYS_FILE).is_file():
        shutil.copyfile(settings.CONNECTION_KEYS_FILE, ring)
    kept = {}
    for path in (secret, ring):
        if path.is_file():
            path.chmod(0o600)
            kept[path.name] = manifest.digest_of(path)
    return kept


def _make_durable(work: Path) -> None:
    for folder, _, names in os.walk(work, topdown=False):
        for name in names:
            with (Path(folder) / name).open("rb") as file:
                os.fsync(file.fileno())
        artifacts.sync_directory(Path(folder))
