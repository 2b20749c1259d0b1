"""Each process's place at its PostgreSQL: `serve` takes it alone, `web`, `worker` and `ticker` share it.

`serve` takes every run for its own when it starts, so it must be the only one. It says so by an advisory lock that its
own connection holds for as long as the process lives; the others hold the same lock shared. SQLite needs none of this:
there the lock of DATA_DIR keeps a second process away.
"""

from __future__ import annotations

import threading
import time
from typing import Final

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from runtime.store.dialect import Link, LinkLost, StoreFault, open_link

log = structlog.get_logger(__name__)

#: "MILL", and the first of its locks.
_LOCK: Final = (0x4D494C4C, 1)
#: A process that was killed a moment ago may still be known to the server.
PATIENCE_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 5.0
#: A machine that lost its power must not keep the place for hours.
_KEEPALIVE: Final = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
_ALONE: Final = (
    "DATABASE_URL: another Millrace runs on this database. `manage.py serve` must be its only process: stop the other "
    "one first, or set REDIS_URL and start `web`, `worker` and `ticker`."
)
_SHARED: Final = (
    "DATABASE_URL: a `manage.py serve` runs on this database, and it must be the only process there. Stop it first."
)


class Place:
    """The lock of one process, and the thread that keeps it."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self._link: Link | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> None:
        """Take the place for as long as this process lives. Raises ImproperlyConfigured where another one has it."""
        if connection.vendor != "postgresql":
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._try():
            if time.monotonic() >= deadline:
                raise ImproperlyConfigured(_ALONE if self._alone else _SHARED)
            time.sleep(0.2)
        self._thread = threading.Thread(target=self._keep, name="place", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Give it back."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(LOOK_SECONDS)
        self._let_go()

    def _try(self) -> bool:
        link = open_link()
        try:
            for statement in _KEEPALIVE:
                link.query(statement)
            function = "pg_try_advisory_lock" if self._alone else "pg_try_advisory_lock_shared"
            held = bool(link.query(f"SELECT {function}(%s, %s)", _LOCK)[0][0])
        except BaseException:
            link.close()
            raise
        if held:
            self._link = link
        else:
            link.close()
        return held

    def _keep(self) -> None:
        lost = False
        while not self._ended.wait(LOOK_SECONDS):
            try:
                if self._link is not None:
                    self._link.query("SELECT 1")
                elif self._try():
                    log.warning("this process holds its place at the database again")
                    lost = False
                else:
                    log.error("ANOTHER PROCESS TOOK THIS DATABASE: stop one of the two, they take each other's runs")
            except (LinkLost, StoreFault) as error:
                self._let_go()
                if not lost:
                    log.error(
                        "this process lost its place at the database; it tries to take it again", error=str(error)
                    )
                lost = True

    def _let_go(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
