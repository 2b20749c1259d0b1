"""Bytes that are too large for a row: files in `DATA_DIR/artifacts`, named by a row that is written last (I36).

Temporary file → fsync → rename → directory fsync → row with the digest; in an object storage (`blobs`) upload complete
→ row. So a row never names a missing or different file; a file without a row is an orphan of a crash, removed by
`sweep_orphans` when it is old enough, like the body of a delivery that no event came of.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Exists, OuterRef

from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.store import failpoints
from runtime.store.blobs import PLACE, Storage
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Artifact, Delivery, Event

__all__ = [
    "BODY", "INLINE_LIMIT", "ArtifactDamaged", "directory", "discard", "drop", "in_portions", "is_older", "make_folder",
    "portions", "put", "read", "storage_key", "sweep_orphans", "sync_directory", "unlink", "verify",
]  # fmt: skip

T = TypeVar("T")

# Larger bytes stand outside the row.
INLINE_LIMIT: Final = 64 * 1024
# The name of what came to a webhook: named by an event or a delivery, by neither for a moment, or by neither for ever.
BODY: Final = "body"
_ORPHAN_AGE_SECONDS: Final = 24 * 3600
#: Folders whose names this process has made durable: some 260, and one more every 17 minutes in which files are saved.
_DURABLE: Final[set[Path]] = set()
_MAKING: Final = threading.Lock()
_ASKED_AT_ONCE: Final = 500
#: What the names of these begin with in a storage, where they can be listed by themselves.
_VALUES: Final = "values/"
_LOCATION: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}")


class ArtifactDamaged(Exception):
    """The file is missing or its digest differs from its row's."""


def directory() -> Path:
    """Where the files are."""
    return Path(settings.DATA_DIR) / "artifacts"


def put(
    data: bytes,
    *,
    workspace_id: UUID,
    media_type: str = "application/octet-stream",
    name: str = "",
) -> UUID:
    """Keep these bytes; durable, and readable under the returned id, when this returns. Raises StoreUnavailable."""
    artifact_id = uuid7()
    # The last digits of an id are chance, the first ones are the clock: they spread files over the folders evenly.
    location = f"{artifact_id.hex[-2:]}/{artifact_id.hex}"
    final = directory() / location
    sha256 = hashlib.sha256(data).hexdigest()
    storage = PLACE.storage
    try:
        if storage is None:
            _write_durably(final, data)
        else:
            storage.put(_VALUES + location, lambda: iter([data]), size=len(data), sha256=sha256)
    except OSError as error:
        raise StoreUnavailable(f"The artifact store cannot write: {error.strerror or error}.") from error
    written = False
    try:
        with commit("blob.row"):
            Artifact.objects.create(
                id=artifact_id,
                workspace_id=workspace_id,
                sha256=sha256,
                size=len(data),
                media_type=media_type[:255],
                name=name[:255],
                location=location,
                created_at=database_now(),
            )
            written = True
    except Exception:
        # Once the row was written, a commit that got no answer may have taken place.
        if not written:
            _unlink(location)
        raise
    return artifact_id


def discard(artifact_id: UUID) -> bool:
    """Remove bytes that nothing is made of; false, and they stay, where an event or a delivery names them."""
    try:
        with commit("retention.delete"):
            row = Artifact.objects.filter(pk=artifact_id).first()
            if row is None:
                return True
            row.delete()
    except IntegrityError:
        return False
    # A crash before this line leaves a file without a row.
    _unlink(row.location)
    return True


def read(artifact_id: UUID) -> bytes:
    """The bytes, checked against their digest. Raises ArtifactDamaged."""
    row = Artifact.objects.filter(pk=artifact_id).first()
    if row is None:
        raise ArtifactDamaged(f"The row of artifact {artifact_id} is missing.")
    try:
        data = _bytes(row.location)
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"The file of artifact {artifact_id} is missing.") from error
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise ArtifactDamaged(f"The file of artifact {artifact_id} was changed.")
    return data


def _bytes(location: str) -> bytes:
    storage = PLACE.storage
    try:
        return (directory() / location).read_bytes()
    except FileNotFoundError:
        if storage is None:
            raise
    try:
        return b"".join(storage.portions(_VALUES + location))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreUnavailable(f"The artifact store cannot read: {error}") from error


def drop(location: str) -> None:
    """Remove the bytes that stood there, whose row is gone. A crash before leaves a file without a row."""
    _unlink(location)


def storage_key(location: str) -> str:
    """What these bytes are called in an object storage."""
    return _VALUES + location


def portions(location: str, sha256: str, size: int) -> Iterator[bytes]:
    """The bytes at this place; at most a few MiB. Raises ArtifactDamaged."""
    try:
        data = _bytes(location)
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"The file artifacts/{location} is missing.") from error
    if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
        raise ArtifactDamaged(f"The file artifacts/{location} was changed.")
    yield data


def _unlink(location: str) -> None:
    unlink(directory() / location, _VALUES + location)


def unlink(path: Path, key: str) -> None:
    """Take away what no row names, by its name in the folders and the one in the storage. What a storage that is away
    keeps is found by the sweep."""
    path.unlink(missing_ok=True)
    if PLACE.storage is not None:
        with contextlib.suppress(OSError):
            PLACE.storage.delete(key)


def verify() -> list[UUID]:
    """The artifacts whose file is missing or changed; empty when all is well. Reads every file."""
    damaged: list[UUID] = []
    for artifact_id in Artifact.objects.values_list("pk", flat=True).iterator():
        try:
            read(artifact_id)
        except ArtifactDamaged:
            damaged.append(artifact_id)
    return damaged


def sweep_orphans(*, older_than_seconds: float = _ORPHAN_AGE_SECONDS) -> int:
    """Remove what nothing names and no running write can still mean to name; returns how much.

    That is: bodies of deliveries that no event came of, and files that no row names.
    """
    return _sweep_bodies(older_than_seconds) + _sweep_files(older_than_seconds)


def _sweep_bodies(older_than_seconds: float) -> int:
    unnamed = Artifact.objects.filter(
        ~Exists(Event.objects.filter(body_artifact=OuterRef("pk"))),
        ~Exists(Delivery.objects.filter(body_artifact=OuterRef("pk"))),
        name=BODY,
        created_at__lt=database_now() - int(older_than_seconds * 1000),
    )
    return sum(discard(artifact_id) for artifact_id in list(unnamed.values_list("pk", flat=True)))


def _sweep_files(older_than_seconds: float) -> int:
    removed = 0
    before = time.time() - older_than_seconds
    for folder in directory().glob("*/"):
        old = [path for path in folder.iterdir() if is_older(path, before)]
        ids = {path: UUID(hex=path.name) for path in old if _LOCATION.fullmatch(f"{folder.name}/{path.name}")}
        known = set(Artifact.objects.filter(pk__in=list(ids.values())).values_list("location", flat=True))
        for path in old:
            if f"{folder.name}/{path.name}" not in known:
                path.unlink(missing_ok=True)
                removed += 1
    return removed + (0 if PLACE.storage is None else _sweep_storage(PLACE.storage, before))


def _sweep_storage(storage: Storage, before: float) -> int:
    removed = 0
    old = (name for name, at in storage.listing(_VALUES) if at <= before)
    found = [name.removeprefix(_VALUES) for name in old]
    for some in in_portions([name for name in found if _LOCATION.fullmatch(name)], _ASKED_AT_ONCE):
        known = set(Artifact.objects.filter(location__in=some).values_list("location", flat=True))
        for name in set(some) - known:
            storage.delete(_VALUES + name)
            removed += 1
    return removed


def in_portions(found: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """So many at a time."""
    return (found[start : start + size] for start in range(0, len(found), size))


def is_older(path: Path, before: float) -> bool:
    """Whether it is a file that was last written before this time, in seconds since the epoch."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False  # gone meanwhile
    return stat.S_ISREG(found.st_mode) and found.st_mtime <= before


def _write_durably(final: Path, data: bytes) -> None:
    folder = final.parent
    make_folder(folder)
    temporary = folder / f".{final.name}.{secrets.token_hex(4)}"
    failpoints.hit("blob.write:before")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        failpoints.hit("blob.write:after")
        failpoints.hit("blob.rename:before")
        temporary.rename(final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(folder)
    failpoints.hit("blob.rename:after")


def make_folder(folder: Path) -> None:
    """This folder within DATA_DIR stands, and its name is durable. That it is there says nothing of the latter: another
    thread or process may have made it just now, and be about to sync it. Raises OSError."""
    if _is_durable(folder):
        return
    with _MAKING:
        above = [folder, *folder.parents]
        for one in reversed(above[: above.index(Path(settings.DATA_DIR))]):
            if not _is_durable(one):
                one.mkdir(mode=0o700, exist_ok=True)
                sync_directory(one.parent)
                _DURABLE.add(one)


def _is_durable(folder: Path) -> bool:
    return folder in _DURABLE and folder.exists()


def sync_directory(path: Path) -> None:
    """Make the names in it durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
