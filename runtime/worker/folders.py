"""A step's door to folders of this machine: those below what the operator listed (SAVE_FOLDERS), and none by default.

Every folder on the way is opened by its own name in the one above it, and never by a link: whoever can put links into
the folder leads nobody out of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import BinaryIO, Final, TypeVar

from runtime.sdk import PermanentError, RetryableError, StepFailure
from runtime.sdk.context import FolderDoor
from runtime.sdk.folders import Folder
from runtime.store import failpoints

R = TypeVar("R")

_PORTION: Final = 256 * 1024
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: A disk that is full or away may be well later.
_PASSING: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EBUSY, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOENT}
)


class LocalFolders(FolderDoor):
    """See `runtime.sdk.context.FolderDoor`."""

    def __init__(self, roots: Sequence[str] = ()) -> None:
        self._roots = tuple(PurePosixPath(root) for root in roots)

    @contextlib.asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[Folder]:
        root, below = self._allowed(path)
        found = await asyncio.to_thread(_opened, str(root), below)
        try:
            yield _LocalFolder(found, path)
        finally:
            os.close(found)

    def _allowed(self, path: str) -> tuple[PurePosixPath, tuple[str, ...]]:
        wanted = PurePosixPath(path)
        if not wanted.is_absolute() or ".." in wanted.parts:
            raise PermanentError(
                "This is no folder", "A folder is named from the beginning, like /srv/exchange/bank.", "folder"
            )
        for root in self._roots:
            if wanted == root or root in wanted.parents:
                return root, wanted.relative_to(root).parts
        raise PermanentError(
            "This folder is not allowed",
            f"Whoever runs Millrace has not opened {path} for steps. The setting SAVE_FOLDERS names those that are.",
            "folder_refused",
        )


class _LocalFolder:
    def __init__(self, root: int, path: str) -> None:
        self._root, self._path = root, path

    async def size(self, path: str) -> int | None:
        def look(folder: int, name: str) -> int | None:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                raise self._no_file(path)
            return found.st_size

        return await self._in(path, look, missing=None)

    async def digest(self, path: str) -> str:
        def read(folder: int, name: str) -> str:
            with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()

        return await self._in(path, read)

    async def make(self, folders: tuple[str, ...]) -> None:
        def walk() -> None:
            here = os.dup(self._root)
            try:
                for name in folders:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, dir_fd=here)
                        os.fsync(here)
                    above, here = here, os.open(name, _FOLDER, dir_fd=here)
                    os.close(above)
            finally:
                os.close(here)

        await self._called(walk, "/".join(folders))

    async def write(self, path: str, file: BinaryIO, size: int) -> None:
        def put(folder: int, name: str) -> None:
            # What another try left is taken away, and not written through: it might be a link.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            failpoints.hit("save.write:before")
            with os.fdopen(os.open(name, flags, 0o666, dir_fd=folder), "wb") as target:
                while portion := file.read(_PORTION):
                    target.write(portion)
                    failpoints.hit("save.write:after")
                target.flush()
                os.fsync(target.fileno())

        await self._in(path, put)

    async def move(self, path: str, to: str, *, replace: bool) -> bool:
        def named(folder: int, name: str) -> bool:
            _above, final = _split(to)
            failpoints.hit("save.rename:before")
            if replace:
                if _is_folder(folder, final):
                    raise self._no_file(to)
                os.replace(name, final, src_dir_fd=folder, dst_dir_fd=folder)
            elif not _linked(folder, name, final):
                return False
            os.fsync(folder)
            failpoints.hit("save.rename:after")
            return True

        return await self._in(path, named)

    async def remove(self, path: str) -> None:
        await self._in(path, lambda folder, name: os.unlink(name, dir_fd=folder), missing=None)

    async def _in(self, path: str, call: Callable[[int, str], R], **missing: R) -> R:
        """Do this in the folder that the path names, which may be missing where there is an answer for that."""

        def there() -> R:
            above, name = _split(path)
            with self._folder(above) as folder:
                return call(folder, name)

        def asked() -> R:
            try:
                return there()
            except FileNotFoundError:
                if "missing" in missing:
                    return missing["missing"]
                raise

        return await self._called(asked, path)

    @contextlib.contextmanager
    def _folder(self, folders: tuple[str, ...]) -> Iterator[int]:
        found = _walked(os.dup(self._root), folders)
        try:
            yield found
        finally:
            os.close(found)

    async def _called(self, call: Callable[[], R], path: str) -> R:
        try:
            return await asyncio.to_thread(call)
        except OSError as error:
            raise _failed(f"{self._path}/{path}", error) from None

    def _no_file(self, path: str) -> PermanentError:
        return PermanentError(
            "There is something else already", f"{self._path}/{path} is there, and is no file.", "no_file"
        )


def _opened(root: str, below: tuple[str, ...]) -> int:
    try:
        # The operator's own folder may be behind a link.
        return _walked(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), below)
    except OSError as error:
        raise _failed("/".join((root, *below)), error) from None


def _walked(here: int, folders: tuple[str, ...]) -> int:
    try:
        for name in folders:
            above, here = here, os.open(name, _FOLDER, dir_fd=here)
            os.close(above)
    except BaseException:
        os.close(here)
        raise
    return here


def _split(path: str) -> tuple[tuple[str, ...], str]:
    *above, name = path.split("/")
    return tuple(above), name


def _is_folder(folder: int, name: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _linked(folder: int, name: str, final: str) -> bool:
    """Give it this name if nobody has it: a second name and then the first one taken away, which no other can do
    between. Where the file system knows no second names, whoever is quicker is overwritten."""
    try:
        os.link(name, final, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        with contextlib.suppress(FileNotFoundError):
            os.stat(final, dir_fd=folder, follow_symlinks=False)
            return False
        os.rename(name, final, src_dir_fd=folder, dst_dir_fd=folder)
        return True
    os.unlink(name, dir_fd=folder)
    return True


def _failed(path: str, error: OSError) -> StepFailure:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return PermanentError(
            "This is no place for a file",
            f"On the way to {path} there is a link or a file, and no folder.",
            "folder_link",
        )
    kind = RetryableError if error.errno in _PASSING else PermanentError
    return kind(
        "The folder does not take it",
        f"{path}: {error.strerror or error}. Whoever runs Millrace can see whether it is there and may be written.",
        "folder",
        detail=str(error)[:500],
        maybe_applied=True,
    )
