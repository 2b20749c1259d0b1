"""A server in the hands of a guardian process: started, waited for, stopped."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]


class Guarded:
    """One running server; `pid` is the server's own, not the guardian's."""

    def __init__(
        self, *, command: list[str], directory: Path, stop_signal: signal.Signals, account: tuple[int, int] | None
    ) -> None:
        self.directory = directory
        self.log = directory / "server.log"
        self.guardian = subprocess.Popen(
            [sys.executable, "-m", "tests.services.guardian"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        assert self.guardian.stdin is not None
        assert self.guardian.stdout is not None
        spec = {
            "command": command,
            "directory": str(directory),
            "log": str(self.log),
            "user": account[0] if account else None,
            "group": account[1] if account else None,
            "stop_signal": int(stop_signal),
        }
        self.guardian.stdin.write(json.dumps(spec).encode() + b"\n")
        self.guardian.stdin.flush()
        answer = self.guardian.stdout.readline()
        self.pid = int(json.loads(answer)["pid"]) if answer else 0

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 30) -> bool:
        """True once `ready()` holds; False when the server ended or the time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.guardian.poll() is not None:
                return False
            if ready():
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> None:
        """Stop the server and wait until it and its directory are gone."""
        for pipe in (self.guardian.stdin, self.guardian.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        try:
            self.guardian.wait(15)
        except subprocess.TimeoutExpired:
            self.guardian.kill()
            self.guardian.wait(5)
        shutil.rmtree(self.directory, ignore_errors=True)


def free_port() -> int:
    """A loopback port that is free at this moment, and that no other test gets while this process lives.

    It lies below the range from which the kernel gives outgoing connections theirs, so that no connection of a
    neighbour takes it between this look and the server's start.
    """
    for _ in range(200):
        port = 18_000 + secrets.randbelow(14_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if _is_ours(port):
                return port
    raise RuntimeError("No loopback port between 18000 and 32000 is free.")


#: Held open as long as the process lives: each is a lock on one port.
_LOCKS: list[TextIO] = []


def _is_ours(port: int) -> bool:
    """Keep other tests of this machine from this port: between two restarts of a server it looks free to them."""
    folder = Path("/tmp") / f"millrace-test-ports-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = (folder / str(port)).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _LOCKS.append(lock)
    return True


def new_directory(kind: str, account: tuple[int, int] | None = None) -> Path:
    """A short private directory: a unix socket's path may have only 107 bytes."""
    base = tempfile.gettempdir()
    if account is not None and not os.stat(base).st_mode & 0o001:
        base = "/tmp"  # an unprivileged server cannot enter a private temporary directory
    directory = Path(tempfile.mkdtemp(prefix=f"millrace-{kind}-", dir=base))
    if account is not None:
        os.chown(directory, *account)
    return directory


def unprivileged_account() -> tuple[int, int] | None:
    """Who runs servers that refuse to run as root: None where we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    return 65534, 65534
