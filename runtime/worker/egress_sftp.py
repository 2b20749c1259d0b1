"""SFTP's half of the door to the network: a connection to an address that the guard vetted, to a server that proves
by its key that it is the one somebody confirmed. The protocol is spoken in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import io
import logging
import posixpath
import socket
import stat
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from typing import BinaryIO, Final, TypeVar

import paramiko

from runtime.sdk import PermanentError, RetryableError, StepFailure
from runtime.sdk.addresses import read_host
from runtime.sdk.context import HostKeyUnknown, SftpDoor, SftpServer
from runtime.sdk.folders import Folder
from runtime.store import failpoints
from runtime.worker.egress_rules import Guard, Named, is_v6
from runtime.worker.traced import Calling

R = TypeVar("R")

# Who connected where is in the record of the step; of each connection the library would write three lines more.
logging.getLogger("paramiko").setLevel(logging.WARNING)

_PORTION: Final = 256 * 1024
_CONNECT_SECONDS: Final = 10.0
#: The algorithms of a kind of key, the strongest first.
_ALGORITHMS: Final[Mapping[str, tuple[str, ...]]] = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_KEYS: Final = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class EgressSftp(SftpDoor):
    """See `runtime.sdk.context.SftpDoor`."""

    def __init__(self, *, guard: Guard, named: Named) -> None:
        self._guard = guard
        self._named = {name.lower(): target for name, target in named.items()}

    @contextlib.asynccontextmanager
    async def open(self, server: SftpServer, *, total_seconds: float = 30.0) -> AsyncIterator[Folder]:
        with Calling("SFTP", server.host, server.port):
            async with self._opened(server, total_seconds) as folder:
                yield folder

    @contextlib.asynccontextmanager
    async def _opened(self, server: SftpServer, total_seconds: float) -> AsyncIterator[Folder]:
        wire: list[socket.socket | paramiko.Transport] = []
        try:
            async with asyncio.timeout(total_seconds) as limit:
                place = await self._place(server)
                sftp = await _called(server, lambda: _signed_in(server, place, wire))
                base = await _called(server, lambda: _base(sftp, server.folder))
                yield _SftpFolder(sftp, base, server)
        except TimeoutError:
            if not limit.expired():
                raise
            raise RetryableError(
                "No answer in time", f"{server.host} did not answer in time.", "timeout", maybe_applied=True
            ) from None
        finally:
            # A thread that still speaks ends with its connection.
            for one in reversed(wire):
                one.close()

    async def _place(self, server: SftpServer) -> tuple[str, int]:
        host = server.host.strip().lower().removesuffix(".")
        if host in self._named:
            return self._named[host]
        host = host if is_v6(host) else read_host(server.host, host)
        return str((await self._guard.addresses(host, server.port, _CONNECT_SECONDS))[0]), server.port


def _signed_in(
    server: SftpServer, place: tuple[str, int], wire: list[socket.socket | paramiko.Transport]
) -> paramiko.SFTPClient:
    kind, _, fingerprint = server.host_key.strip().partition(" ")
    raw = socket.create_connection(place, _CONNECT_SECONDS)
    wire.append(raw)
    transport = paramiko.Transport(raw)
    wire.append(transport)
    transport.banner_timeout = transport.auth_timeout = _CONNECT_SECONDS
    if kind:
        options = transport.get_security_options()
        # A server may have several keys: it is to show the one that was confirmed.
        options.key_types = _ALGORITHMS.get(kind, (kind,))
    transport.start_client(timeout=_CONNECT_SECONDS)
    shown = transport.get_remote_server_key()
    found = fingerprint_of(shown)
    if not fingerprint:
        raise HostKeyUnknown(server.host, f"{shown.get_name()} {found}")
    if f"{shown.get_name()} {found}" != f"{kind} {fingerprint}":
        raise _another_key(server.host, found, fingerprint)
    if server.private_key:
        transport.auth_publickey(server.username, _key(server.private_key, server.passphrase))
    else:
        transport.auth_password(server.username, server.password)
    sftp = paramiko.SFTPClient.from_transport(transport)
    if sftp is None:
        raise paramiko.SSHException("no channel")
    return sftp


def fingerprint_of(key: paramiko.PKey) -> str:
    """As `ssh-keygen -l` shows it."""
    return "SHA256:" + b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def _key(text: str, passphrase: str) -> paramiko.PKey:
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"), passphrase or None)
        except paramiko.PasswordRequiredException:
            raise _bad_key("The private key has a passphrase, and the connection does not name it.") from None
        except (paramiko.SSHException, ValueError):
            continue
    raise _bad_key("The private key cannot be read, or its passphrase is another one. It begins with -----BEGIN.")


def _bad_key(says: str) -> PermanentError:
    return PermanentError("The private key does not fit", says, "sftp_key")


def _another_key(host: str, found: str, wanted: str) -> PermanentError:
    return PermanentError(
        "This is another server",
        f"{host} shows the key {found}, and {wanted} was confirmed. Somebody may be in between. Ask who runs that "
        "server; where its key was really changed, empty “Key of the server” in the connection and test it again.",
        "host_key_changed",
    )


def _base(sftp: paramiko.SFTPClient, folder: str) -> str:
    base: str = sftp.normalize(folder or ".")
    if not stat.S_ISDIR(sftp.stat(base).st_mode or 0):
        raise NotADirectoryError(errno.ENOTDIR, "not a folder")
    return base


class _SftpFolder:
    def __init__(self, sftp: paramiko.SFTPClient, base: str, server: SftpServer) -> None:
        self._sftp, self._base, self._server = sftp, base, server

    async def size(self, path: str) -> int | None:
        return await self._called(lambda: self._size(path))

    def _size(self, path: str) -> int | None:
        try:
            found = self._sftp.lstat(self._at(path))
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode or 0):
            raise PermanentError(
                "There is something else already", f"{path} is there on {self._server.host}, and is no file.", "no_file"
            )
        return found.st_size or 0

    async def digest(self, path: str) -> str:
        def read() -> str:
            digest = hashlib.sha256()
            with self._sftp.open(self._at(path), "rb") as file:
                file.prefetch()
                while portion := file.read(_PORTION):
                    digest.update(portion)
            return digest.hexdigest()

        return await self._called(read)

    async def make(self, folders: tuple[str, ...]) -> None:
        def made() -> None:
            for depth in range(1, len(folders) + 1):
                path = self._at("/".join(folders[:depth]))
                if not self._is_folder(path):
                    try:
                        self._sftp.mkdir(path)
                    except OSError:
                        # Somebody was quicker, or it is refused.
                        if not self._is_folder(path):
                            raise

        await self._called(made)

    async def write(self, path: str, file: BinaryIO, size: int) -> None:
        def put() -> None:
            failpoints.hit("save.write:before")
            with self._sftp.open(self._at(path), "wb") as target:
                target.set_pipelined(True)
                while portion := file.read(_PORTION):
                    target.write(portion)
                    failpoints.hit("save.write:after")
            if (there := self._sftp.stat(self._at(path)).st_size) != size:
                raise OSError(errno.EIO, f"{there} bytes arrived of {size}")

        await self._called(put)

    async def move(self, path: str, to: str, *, replace: bool) -> bool:
        def named() -> bool:
            if not replace and self._size(to) is not None:
                return False
            failpoints.hit("save.rename:before")
            if replace:
                self._replace(self._at(path), self._at(to))
            else:
                try:
                    self._sftp.rename(self._at(path), self._at(to))
                except OSError:
                    if self._size(to) is not None and self._size(path) is not None:
                        return False  # somebody was quicker
                    raise
            failpoints.hit("save.rename:after")
            return True

        try:
            return await self._called(named)
        except StepFailure as failure:
            failure.maybe_applied = True
            raise

    async def remove(self, path: str) -> None:
        def gone() -> None:
            with contextlib.suppress(FileNotFoundError):
                self._sftp.remove(self._at(path))

        await self._called(gone)

    def _replace(self, path: str, to: str) -> None:
        """In one stroke where the server can; else the old one is taken away first."""
        try:
            self._sftp.posix_rename(path, to)
        except OSError:
            if self._size_at(path) is None:
                raise
            with contextlib.suppress(FileNotFoundError):
                self._sftp.remove(to)
            self._sftp.rename(path, to)

    def _size_at(self, path: str) -> int | None:
        try:
            found: int | None = self._sftp.lstat(path).st_size
        except FileNotFoundError:
            return None
        return found

    def _is_folder(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(self._sftp.stat(path).st_mode or 0)
        except FileNotFoundError:
            return False

    def _at(self, path: str) -> str:
        return posixpath.join(self._base, path)

    async def _called(self, call: Callable[[], R]) -> R:
        return await _called(self._server, call)


async def _called(server: SftpServer, call: Callable[[], R]) -> R:
    try:
        return await asyncio.to_thread(call)
    except paramiko.AuthenticationException:
        raise PermanentError(
            "Sign-in refused", f"{server.host} refused the user name, the password or the key.", "sftp_auth"
        ) from None
    except paramiko.IncompatiblePeer as error:
        raise _incompatible(server, error) from None
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        says = {
            FileNotFoundError: "has no such folder. Make it there, or choose another one",
            PermissionError: "does not allow this to the connection's account",
            NotADirectoryError: "has a file where the folder would be",
        }[type(error)]
        raise PermanentError(
            "The server does not take it", f"{server.host} {says}.", "sftp_refused", detail=str(error)[:500]
        ) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise RetryableError(
            "The connection broke",
            f"Speaking to {server.host} failed: {str(error)[:200] or type(error).__name__}.",
            "sftp_connection",
            detail=str(error)[:500] or type(error).__name__,
        ) from None


def _incompatible(server: SftpServer, error: Exception) -> PermanentError:
    if server.host_key:
        return _another_key(server.host, "of another kind", server.host_key.partition(" ")[2])
    return PermanentError(
        "No common language", f"{server.host} speaks only ways of encryption that are no longer safe.", "sftp_old",
        detail=str(error)[:500],
    )  # fmt: skip
