"""The harness's side of the cradle: start a process of the product, arm it, wait for its death, kill it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.services.process import ROOT

BOOT_ID = re.compile(r"Runtime (\S+) started\.")


class HarnessFailed(Exception):
    """The harness itself cannot go on: a process does not start, or something does not end in time."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A build of before: it carries on only what needs no later engine than this, and lacks these step types."""

    engine: int
    lacks: tuple[str, ...] = ()


class Child:
    """One process of the product."""

    def __init__(self, kind: str, pid: int, channel: socket.socket, log: Path, points: Path) -> None:
        self.kind = kind
        self.pid = pid
        self.log = log
        self.points = points
        self.boot_id = ""
        self._channel = channel

    def arm(self, failpoints: str) -> None:
        """Arm these failpoints in place of those armed before; counting begins anew. Empty disarms."""
        self._channel.sendall(json.dumps({"arm": failpoints, "log": str(self.points)}).encode() + b"\n")
        self._channel.settimeout(90)
        if self._channel.recv(16) != b"ok\n":
            raise HarnessFailed(f"{self.kind} {self.pid} did not arm {failpoints!r}:\n{self.tail()}")

    def disarm(self) -> bool:
        """Disarm all; False where it has died of one of them meanwhile."""
        try:
            self.arm("")
        except (ConnectionError, HarnessFailed):
            if self._channel.fileno() >= 0 and not self.is_dead(5):
                raise
            return False
        return True

    def is_dead(self, within: float = 0.0) -> bool:
        """Whether the process has ended: the kernel closes its end of the channel then."""
        if self._channel.fileno() < 0:
            return True
        readable, _, _ = select.select([self._channel], [], [], within)
        if not readable:
            return False
        with contextlib.suppress(ConnectionResetError):
            if self._channel.recv(16):
                return False
        self._channel.close()
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; none when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if not self.is_dead():
            self.signal(signal.SIGKILL)
            if not self.is_dead(10):
                raise HarnessFailed(f"{self.kind} {self.pid} survived SIGKILL.")

    def wait_until_started(self, seconds: float = 90) -> bool:
        """Wait for its runtime to start; False when the process ended before."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = BOOT_ID.search(self.log.read_text(errors="replace")) if self.log.exists() else None
            if found is not None:
                self.boot_id = found[1]
                return True
            if self.is_dead(0.01):
                return False
        raise HarnessFailed(f"{self.kind} {self.pid} does not start:\n{self.tail()}")

    def hits(self) -> list[tuple[str, str, int]]:
        """What its armed failpoints wrote down: point, action, count."""
        if not self.points.exists():
            return []
        lines = [line.split() for line in self.points.read_text().splitlines()]
        return [(line[0], line[1], int(line[2])) for line in lines if len(line) == 4]

    def tail(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


class Cradle:
    """Starts the product's processes over one installation."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._directory = directory
        self._count = 0
        self._channels: list[socket.socket] = []
        self._control, theirs = socket.socketpair()
        with (directory / "cradle.log").open("ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.cradle", str(theirs.fileno())],
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        theirs.close()
        self._control.settimeout(60)
        if not self._control.recv(64):
            raise HarnessFailed((directory / "cradle.log").read_text(errors="replace")[-3000:])

    def spawn(
        self,
        kind: str,
        failpoints: str = "",
        *,
        database_port: int = 0,
        clock_hours: float = 0,
        earlier: Earlier | None = None,
    ) -> Child:
        """Start `serve`, `web`, `worker`, `ticker` or another command, armed from its first instruction if so asked."""
        self._count += 1
        name = f"{kind.partition(' ')[0]}-{self._count}"
        log = self._directory / f"{name}.log"
        points = self._directory / f"{name}.points"
        ours, theirs = socket.socketpair()
        order: dict[str, object] = {"command": kind, "log": str(log), "points": str(points), "failpoints": failpoints}
        order |= {"database_port": database_port, "clock_hours": clock_hours}
        order["earlier"] = None if earlier is None else asdict(earlier)
        socket.send_fds(self._control, [json.dumps(order).encode()], [theirs.fileno()])
        theirs.close()
        self._channels.append(ours)
        return Child(kind, int(json.loads(self._control.recv(1024))["pid"]), ours, log, points)

    def exit_code(self, child: Child, seconds: float = 90) -> int:
        """How a process ended: its exit code, or minus the signal that killed it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._control.sendall(json.dumps({"code": child.pid}).encode())
            code = json.loads(self._control.recv(1024))["code"]
            if code is not None:
                return int(code)
            time.sleep(0.05)
        raise HarnessFailed(f"{child.kind} {child.pid} has not ended:\n{child.tail()}")

    def close(self) -> None:
        """Kill whatever still runs."""
        self._control.close()
        try:
            self._popen.wait(10)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait(5)
        for channel in self._channels:
            channel.close()


def wait_until(holds: Callable[[], bool], what: str, *, seconds: float = 90, pause: float = 0.02) -> None:
    """Wait for something to become true. Raises HarnessFailed."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise HarnessFailed(f"Not within {seconds} s: {what}")
        time.sleep(pause)
