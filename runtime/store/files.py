"""The bytes of files: streamed into the artifact store under their row's id, and streamed out again.

Temporary file → fsync → rename → directory fsync → row, as for all of the store (`artifacts`); only that nothing is
ever whole in memory, and that files which are saved at once share the fsync of their folder. The folder is part of an
id's clock, so those files lie in one. A file is not shared by equal contents: then to remove one would have to ask who
else has it, while somebody saves it once more.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, BinaryIO, Final, cast
from uuid import UUID

from django.conf import settings

from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.store import artifacts, failpoints
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.beside import tell, unchanged
from runtime.store.blobs import PLACE, Storage
from runtime.store.commits import commit
from runtime.store.dialect import Statement, database_now
from runtime.store.file_models import File

__all__ = [
    "INSERT_FILES", "PORTION", "FileTooLarge", "Saving", "add", "digest", "forget", "found", "most_bytes", "opened",
    "place", "portions", "remove", "sweep", "verify",
]  # fmt: skip

#: So many bytes are read at a time.
PORTION: Final = 256 * 1024
_ORPHAN_AGE_SECONDS: Final = 24 * 3600
#: Of an id's clock: a folder for every 17 minutes.
_FOLDER_DIGITS: Final = 7
_ASKED_AT_ONCE: Final = 500
_NAME: Final = re.compile("[0-9a-f]{32}")


class FileTooLarge(Exception):
    """It has more bytes than a file may have. `most`: so many it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} bytes")
        self.most = most


INSERT_FILES: Final = Statement(
    columns=(
        ("u_id", "uuid"), ("u_workspace_id", "uuid"), ("u_workflow_id", "uuid"), ("u_run_id", "uuid"),
        ("u_node_id", "text"), ("u_generation", "int"), ("u_name", "text"), ("u_mime", "text"), ("u_size", "int"),
        ("u_sha256", "text"),
    ),
    body="""
    INSERT INTO store_file (id, workspace_id, workflow_id, run_id, node_id, generation, name, mime, size, sha256,
        created_at)
    SELECT u_id, u_workspace_id, u_workflow_id, u_run_id, u_node_id, u_generation, u_name, u_mime, u_size, u_sha256,
        {now} FROM u WHERE true
    ON CONFLICT DO NOTHING""",
)  # fmt: skip


def directory() -> Path:
    """Where the folders with the files are."""
    return artifacts.directory() / "files"


def most_bytes() -> int:
    """How large a file may be."""
    return int(settings.FILE_SIZE_LIMIT_MIB) * 2**20


def _path(file_id: UUID) -> Path:
    return artifacts.directory() / _key(file_id)


def place(file_id: UUID) -> str:
    """Where the bytes of a file are in the artifact store."""
    return _key(file_id)


def _key(file_id: UUID) -> str:
    """Its name in the artifact store, wherever that is."""
    return f"files/{file_id.hex[:_FOLDER_DIGITS]}/{file_id.hex}"


class Saving:
    """Bytes on their way into the store. `write` them, then `finish`; whatever else happens, `abandon`.

    `most`: so many bytes it may have; None: as many as the installation allows. Every method raises StoreUnavailable
    where the disk does not take them.
    """

    def __init__(self, most: int | None = None) -> None:
        self.id = uuid7()
        self.size = 0
        self._most = min(most_bytes(), most) if most is not None else most_bytes()
        self._digest = hashlib.sha256()
        self._final = _path(self.id)
        self._temporary = self._final.with_name(f".{self._final.name}.{secrets.token_hex(4)}")
        try:
            artifacts.make_folder(self._final.parent)
            failpoints.hit("blob.write:before")
            descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _unwritable(error) from error
        self._file: IO[bytes] | None = os.fdopen(descriptor, "wb")

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """The next bytes. Raises FileTooLarge before it keeps one too many."""
        if self.size + len(data) > self._most:
            raise FileTooLarge(self._most)
        assert self._file is not None
        try:
            self._file.write(data)
        except OSError as error:
            raise _unwritable(error) from error
        self.size += len(data)
        self._digest.update(data)

    def finish(self) -> None:
        """They are durable under the final name when this returns."""
        file, self._file = self._file, None
        assert file is not None
        storage = PLACE.storage
        try:
            if storage is not None:
                file.close()
                self._upload(storage)
                return
            with file:
                file.flush()
                os.fsync(file.fileno())
            failpoints.hit("blob.write:after")
            failpoints.hit("blob.rename:before")
            self._temporary.rename(self._final)
            _SYNCS.sync(self._final.parent)
        except OSError as error:
            self._temporary.unlink(missing_ok=True)
            raise _unwritable(error) from error
        failpoints.hit("blob.rename:after")

    def _upload(self, storage: Storage) -> None:
        storage.put(_key(self.id), lambda: _read(self._temporary), size=self.size, sha256=self.sha256)
        self._temporary.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Leave nothing behind; of a file that was finished, and that no row names, neither."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._temporary.unlink(missing_ok=True)
        else:
            self._temporary.unlink(missing_ok=True)
            artifacts.unlink(self._final, _key(self.id))


def add(saved: Saving, *, workspace_id: UUID, name: str, mime: str, by: UUID | None) -> File:
    """The row of a finished file that belongs to no step."""
    row = File(
        id=saved.id,
        workspace_id=workspace_id,
        name=name,
        mime=mime,
        size=saved.size,
        sha256=saved.sha256,
        created_by=by,
    )
    with commit("blob.row"):
        row.created_at = database_now()
        row.save(force_insert=True)
        tell(id=str(row.pk), name=name, sha256_after=row.sha256)
    return row


def found(workspace_id: UUID, file_id: UUID) -> File | None:
    """The file's row; None where this workspace has none such, or has no longer."""
    return File.objects.filter(workspace_id=workspace_id, pk=file_id, removed_at=None).first()


def remove(row: File, *, by: UUID | None) -> None:
    """Remove the bytes; the row stays, and says when and by whom."""
    with commit("retention.delete"):
        if not File.objects.filter(pk=row.pk, removed_at=None).update(removed_at=database_now(), removed_by=by):
            unchanged()
    # A crash before this line leaves a file that no living row names: the sweep takes it.
    forget(row.pk)


def forget(file_id: UUID) -> None:
    """Remove the bytes of a file whose row says that they are gone."""
    artifacts.unlink(_path(file_id), _key(file_id))


def portions(file_id: UUID, sha256: str, size: int) -> Iterator[bytes]:
    """The bytes in portions. Raises ArtifactDamaged, at the latest before the last portion is handed out."""
    digest = hashlib.sha256()
    seen = 0
    with closing(_reading(file_id)) as source:
        held = next(source, b"")
        while held:
            digest.update(held)
            seen += len(held)
            coming = next(source, b"")
            if not coming or seen > size:
                break
            yield held
            held = coming
    if seen != size or digest.hexdigest() != sha256:
        raise ArtifactDamaged(f"The bytes of file {file_id} were changed.")
    if held:
        yield held


def digest(file_id: UUID) -> str | None:
    """The sha256 of the bytes that stand now; None where there are none."""
    found = hashlib.sha256()
    try:
        with closing(_reading(file_id)) as source:
            for data in source:
                found.update(data)
    except ArtifactDamaged:
        return None
    return found.hexdigest()


def opened(file_id: UUID, sha256: str, size: int) -> BinaryIO:
    """The file, open for reading and compared with its digest. Raises ArtifactDamaged, StoreUnavailable."""
    if PLACE.storage is not None and not _path(file_id).exists():
        return _fetched(file_id, sha256, size)
    for _ in portions(file_id, sha256, size):
        pass
    try:
        return _path(file_id).open("rb")
    except FileNotFoundError as error:
        raise _missing(file_id) from error


def _fetched(file_id: UUID, sha256: str, size: int) -> BinaryIO:
    """A copy from the storage without a name, which is gone when it is closed."""
    artifacts.make_folder(directory())
    copy = cast("BinaryIO", tempfile.TemporaryFile(dir=directory()))  # noqa: SIM115 (whoever asked closes it)
    try:
        for portion in portions(file_id, sha256, size):
            copy.write(portion)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def sweep(*, older_than_seconds: float = _ORPHAN_AGE_SECONDS) -> int:
    """Remove the bytes that no row names and no step under way can still mean to name; returns how many."""
    removed = 0
    before = time.time() - older_than_seconds
    for folder in _folders():
        old = [path for path in folder.iterdir() if artifacts.is_older(path, before)]
        for start in range(0, len(old), _ASKED_AT_ONCE):
            removed += _sweep_some(old[start : start + _ASKED_AT_ONCE])
    return removed + (0 if PLACE.storage is None else _sweep_storage(PLACE.storage, before))


def _sweep_storage(storage: Storage, before: float) -> int:
    removed = 0
    some: list[str] = []
    for name, at in storage.listing("files/"):
        if at <= before and _NAME.fullmatch(name.rpartition("/")[2]):
            some.append(name)
        if len(some) == _ASKED_AT_ONCE:
            removed += _sweep_objects(storage, some)
            some = []
    return removed + _sweep_objects(storage, some)


def _sweep_objects(storage: Storage, names: Sequence[str]) -> int:
    ids = {UUID(hex=name.rpartition("/")[2]): name for name in names}
    known = set(File.objects.filter(pk__in=ids, removed_at=None).values_list("pk", flat=True))
    unknown = [name for file_id, name in ids.items() if file_id not in known]
    for name in unknown:
        storage.delete(name)
    return len(unknown)


def _sweep_some(paths: Sequence[Path]) -> int:
    ids = {UUID(hex=path.name) for path in paths if _NAME.fullmatch(path.name)}
    rows = File.objects.filter(pk__in=ids, removed_at=None).values_list("pk", flat=True)
    known = {file_id.hex for file_id in rows}
    unknown = [path for path in paths if path.name not in known]
    for path in unknown:
        path.unlink(missing_ok=True)
    return len(unknown)


def verify() -> list[UUID]:
    """The files whose bytes are missing or changed; empty when all is well. Reads every file."""
    damaged: list[UUID] = []
    rows = File.objects.filter(removed_at=None).values_list("pk", "sha256", "size")
    for file_id, sha256, size in rows.iterator():
        try:
            for _ in portions(file_id, sha256, size):
                pass
        except ArtifactDamaged:
            damaged.append(file_id)
    return damaged


def _folders() -> list[Path]:
    try:
        return [path for path in directory().iterdir() if path.is_dir()]
    except FileNotFoundError:
        return []


def _reading(file_id: UUID) -> Generator[bytes]:
    """The bytes from wherever they are: in a folder, which is looked at first, or in the storage."""
    storage = PLACE.storage
    try:
        try:
            yield from _read(_path(file_id))
        except FileNotFoundError:
            if storage is None:
                raise
            yield from storage.portions(_key(file_id))
    except FileNotFoundError as error:
        raise _missing(file_id) from error
    except OSError as error:
        raise StoreUnavailable(f"The artifact store cannot read: {error}") from error


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while portion := file.read(PORTION):
            yield portion


def _missing(file_id: UUID) -> ArtifactDamaged:
    return ArtifactDamaged(f"The bytes of file {file_id} are missing.")


def _unwritable(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"The artifact store cannot write: {error.strerror or error}.")


class _Syncs:
    """Makes names durable: who comes while a folder is being synced shares the next round with all who come then."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rounds: dict[Path, tuple[int, int]] = {}  # begun, done

    def sync(self, folder: Path) -> None:
        """What was renamed before the call stands when it returns. Raises OSError."""
        with self._changed:
            wanted = self._rounds.get(folder, (0, 0))[0] + 1
            while True:
                begun, done = self._rounds.get(folder, (0, 0))
                if done >= wanted:
                    return
                if begun == done:
                    self._rounds[folder] = begun + 1, done
                    break
                self._changed.wait()
        synced = False
        try:
            artifacts.sync_directory(folder)
            synced = True
        finally:
            with self._changed:
                # A round that failed was not: those who wait for it make one of their own.
                self._rounds[folder] = (begun + 1, begun + 1) if synced else (begun, done)
                self._changed.notify_all()


_SYNCS: Final = _Syncs()
