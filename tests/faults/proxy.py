"""A wire between a process and its database that can be cut: at a moment, for a while, or just behind a COMMIT."""

from __future__ import annotations

import contextlib
import random
import re
import selectors
import socket
import threading
from types import TracebackType
from typing import Self

#: As the simple protocol writes it; and as a prepared statement is given a name, by which it is asked for later.
_COMMIT = b"COMMIT\0"
_NAMED = re.compile(rb"P....(\w+)\0COMMIT\0", re.DOTALL)


class Proxy:
    """Passes bytes on to `127.0.0.1:target`. Every method may be called from any thread."""

    def __init__(self, target: int) -> None:
        self.cut_commits = 0
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._open = True
        self._chance: random.Random | None = None
        self._share = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cut()
        self._listening.close()

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        with self._lock:
            self._open = False
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _shut(*pair)

    def heal(self) -> None:
        """Pass on again."""
        with self._lock:
            self._open = True

    def cut_behind_commits(self, share: float, chance: random.Random | None) -> None:
        """Of the packets that carry a COMMIT, pass on this share and end the connection before any answer comes."""
        with self._lock:
            self._share, self._chance = share, chance

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                is_open = self._open
            if not is_open:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                near.close()
                continue
            for one in (near, far):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.add((near, far))
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as both, contextlib.suppress(OSError, ValueError):
            both.register(near, selectors.EVENT_READ, far)
            both.register(far, selectors.EVENT_READ, near)
            asked_for: re.Pattern[bytes] | None = None
            while True:
                for key, _ in both.select():
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    data = source.recv(1 << 16)
                    if not data:
                        return self._drop(near, far)
                    key.data.sendall(data)
                    if source is not near:
                        continue
                    commits = _COMMIT in data or (asked_for is not None and asked_for.search(data) is not None)
                    if (found := _NAMED.search(data)) is not None:
                        asked_for = re.compile(rb"B....\0" + found[1] + rb"\0", re.DOTALL)
                    if commits and self._is_unlucky():
                        return self._drop(near, far)
        self._drop(near, far)

    def _is_unlucky(self) -> bool:
        with self._lock:
            unlucky = self._chance is not None and self._chance.random() < self._share
            self.cut_commits += unlucky
            return unlucky

    def _drop(self, near: socket.socket, far: socket.socket) -> None:
        with self._lock:
            self._pairs.discard((near, far))
        _shut(near, far)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
