"""One installation under test: its processes, its database, its workflows, its senders."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests import installed
from tests.faults.check import TERMINAL, Crash, Evidence, Violation, check
from tests.faults.examples import Example
from tests.faults.outside import Company
from tests.faults.processes import Child, Cradle, Earlier, HarnessFailed, wait_until
from tests.faults.rows import Database, Glimpse, PostgresRows, SqliteRows
from tests.faults.senders import Senders
from tests.product import EMAIL, LINK, PASSWORD, Api, Product, Published
from tests.services.process import free_port


class Plant:
    """Embedded without a database address: one process. Else web, workers and a ticker on PostgreSQL and Redis."""

    def __init__(
        self,
        directory: Path,
        company: Company,
        *,
        database_url: str = "",
        redis_url: str = "",
        workers: int = 1,
        environment: dict[str, str] | None = None,
        data: Path | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.company = company
        self.port = free_port()
        own = {"MILLRACE_TEST_BUILD": "true", "LOG_FORMAT": "plain", **company.environment(), **(environment or {})}
        data = data or directory / "data"
        self.product = Product(data, database_url=database_url, redis_url=redis_url, environment=own, port=self.port)
        data.mkdir(mode=0o700, exist_ok=True)
        if not database_url:
            installed.lay(data)
        self.data = data
        self.cradle = Cradle(self.product.variables(), directory)
        if database_url:
            migrate = self.cradle.spawn("migrate")
            if not migrate.is_dead(60) or self.cradle.exit_code(migrate) != 0:
                self.cradle.close()
                raise HarnessFailed(f"The database could not be made:\n{migrate.tail()}")
        self.embedded = not database_url
        self.database: Database = PostgresRows(database_url) if database_url else SqliteRows(data / "millrace.sqlite3")
        self.children: list[Child] = []
        self.senders = Senders(directory, lambda: self.port)
        self.published: dict[str, Published] = {}
        self.examples: dict[str, Example] = {}
        self.api: Api | None = None
        self._workers = workers
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- life -----------------------------------------------------------------------------------------------------

    @property
    def kinds(self) -> tuple[str, ...]:
        """What runs here, once each."""
        return ("serve",) if self.embedded else ("web", "worker", "ticker")

    def start(self, *examples: Example) -> None:
        """Start everything, set it up by the first-run link, publish these workflows."""
        for kind in ("serve",) if self.embedded else ("web", *["worker"] * self._workers, "ticker"):
            self.spawn(kind)
        for child in self.children:
            self.ready(child)
        door = self.of(self.kinds[0])
        wait_until(lambda: LINK.search(door.log.read_text()) is not None, f"a first-run link\n{door.tail()}")
        token = LINK.search(door.log.read_text())
        assert token is not None
        self.api = Api(f"http://127.0.0.1:{self.port}")
        workspace = {"name": "Finance", "language": "en", "time_zone": "Europe/Berlin", "currency": "EUR"}
        body = {"token": token[1], "name": "Alice", "email": EMAIL, "password": PASSWORD, "workspace": workspace}
        self.api.call("POST", "/setup", body)
        self.api.read_session()
        for example in examples:
            self.publish(example)

    def publish(self, example: Example) -> None:
        """Make a workflow live by the public API."""
        assert self.api is not None
        made = self.api.publish(example.name, example.graph)
        # What is killed again and again would count as a workflow that keeps failing, and its runs would be held.
        self.api.call("PUT", f"W/workflows/{made.workflow}/breaker", {"failures": 0, "percent": 0, "minutes": 15})
        self.published[example.name] = made
        self.examples[made.workflow] = example

    def spawn(
        self,
        kind: str,
        failpoints: str = "",
        *,
        database_port: int = 0,
        clock_hours: float = 0,
        earlier: Earlier | None = None,
    ) -> Child:
        """Start one process; one that reaches its database by another port, whose clock is wrong by so much, or that is
        of an earlier build."""
        if isinstance(self.database, SqliteRows):
            self.database.opens()
        child = self.cradle.spawn(
            kind, failpoints, database_port=database_port, clock_hours=clock_hours, earlier=earlier
        )
        self.children.append(child)
        return child

    def ready(self, child: Child, *, seconds: float = 90) -> bool:
        """Wait until it does its work; False when it died before."""
        if not child.wait_until_started(seconds):
            return False
        deadline = time.monotonic() + seconds
        while child.kind in ("serve", "web") and not self._healthy():
            if child.is_dead(0.01):
                return False
            if time.monotonic() > deadline:
                raise HarnessFailed(f"{child.kind} does not answer:\n{child.tail()}")
        return True

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def of(self, kind: str) -> Child:
        """The first living process of a kind."""
        for child in self.children:
            if child.kind == kind and not child.is_dead():
                return child
        raise HarnessFailed(f"No {kind} is alive.")

    def buried(self, child: Child) -> None:
        """Take note of a death."""
        if child in self.children:
            self.children.remove(child)
        if isinstance(self.database, SqliteRows) and not self.children:
            self.database.closed()

    def kill(self, child: Child) -> None:
        """SIGKILL."""
        child.kill()
        self.buried(child)

    def revive(self, child: Child, *, run_out: bool = True) -> Child:
        """Start another in its place. `run_out`: as if its leases had expired meanwhile, in place of waiting 15 s."""
        if run_out:
            self.database.let_leases_run_out(f"{child.kind}-{child.pid}-%")
        fresh = self.spawn(child.kind)
        if not self.ready(fresh):
            raise HarnessFailed(f"{child.kind} does not come back:\n{fresh.tail()}")
        return fresh

    def disarm(self) -> None:
        """Make every failpoint of every process inert."""
        for child in self.children:
            child.arm("")

    def close(self) -> None:
        """End everything; once is enough."""
        if self._is_closed:
            return
        self._is_closed = True
        for child in list(self.children):
            child.kill()
        if self.api is not None:
            self.api.close()
        self.cradle.close()
        self.senders.close()
        self.database.close()

    # --- looking --------------------------------------------------------------------------------------------------

    def status(self, key: str) -> tuple[str, str] | None:
        """Id and status of the run of an event; None where there is none."""
        found = self.database.query(
            "SELECT r.id, r.status FROM store_run r JOIN store_event e ON e.id = r.event_id WHERE e.dedupe_key = ?",
            (key,),
        )
        return (found[0][0], found[0][1]) if found else None

    def ended(self, key: str) -> bool:
        """Whether the run of an event has ended."""
        found = self.status(key)
        return found is not None and found[1] in TERMINAL

    def unfinished(self, prefix: str, *, due: bool = False) -> list[tuple[str, str, str | None, str | None]]:
        """Key, status, lease owner and error of each run that has not ended. `due`: only of those that have a time at
        which to be looked at, which are found by an index."""
        return [
            (row[0], row[1], row[2], row[3])
            for row in self.database.query(
                "SELECT e.dedupe_key, r.status, r.lease_owner, r.error FROM store_run r JOIN store_event e"
                " ON e.id = r.event_id WHERE e.dedupe_key >= ? AND e.dedupe_key < ? || '~' AND r.finished_at IS NULL"
                + (" AND r.wake_at IS NOT NULL" if due else ""),
                (prefix, prefix),
            )
        ]

    def stuck(self) -> int:
        """How many runs have been claimed three times without progress: two more, and they are set aside (I20)."""
        found = self.database.query("SELECT count(*) FROM store_run WHERE wake_at IS NOT NULL AND claims >= 3")
        return int(found[0][0])

    def glimpses(self) -> list[Glimpse]:
        """How the runs that are under way stand right now."""
        rows = self.database.query("SELECT id, status, lease_token FROM store_run WHERE wake_at IS NOT NULL")
        return [Glimpse(*row) for row in rows]

    def crash(self, prefix: str, after: int) -> Crash:
        """What stands right now, after a death."""
        rows = self.database.export(prefix)
        return Crash(rows, self.company.calls(after=after, prefix=prefix))

    def check(self, prefix: str, **how: Any) -> list[Violation]:
        """The checker over everything of these events, once it is quiet; `how` as in `evidence`."""
        return check(self.evidence(prefix, **how))

    def evidence(
        self,
        prefix: str,
        *,
        after: int = 0,
        crash: Crash | None = None,
        outage_ms: int = 0,
        outages: Mapping[str, int] | None = None,
        ends: str | None = "completed",
        seen: Sequence[Glimpse] = (),
    ) -> Evidence:
        """What a trial left behind."""
        return Evidence(
            examples=self.examples,
            rows=self.database.export(prefix),
            calls=self.company.calls(after=after, prefix=prefix),
            sent=_mine(self.senders.sent, prefix),
            acked=_mine(self.senders.acked, prefix),
            wrong=[one for one in self.senders.wrong if one.key.startswith(prefix)],
            crash=crash,
            outage_ms=outage_ms,
            outages=outages or {},
            ends=ends,
            seen=seen,
        )

    def shown(self, workflow: str) -> dict[str, Any]:
        """Every run of a workflow as the public API shows it, by id."""
        assert self.api is not None
        found: dict[str, Any] = {}
        cursor = ""
        while True:
            page = self.api.call("GET", f"W/runs?workflow={workflow}&limit=100{cursor}")
            found.update({run["id"]: run for run in page["items"]})
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def complaints(self) -> list[str]:
        """Lines of the logs that tell of faults nobody foresaw, and whether the database is damaged."""
        lines: list[str] = []
        if isinstance(self.database, SqliteRows) and not self.database.is_sound():
            lines.append("PRAGMA integrity_check finds damage")
        for log in sorted(self.directory.glob("*.log")):
            told = log.read_text(errors="replace").splitlines()
            for at, line in enumerate(told):
                if _UNFORESEEN.search(line):
                    # What came before and after it says where and why; the log itself is gone once the test is over.
                    lines += [f"{log.name}: {near}" for near in told[max(0, at - 3) : at + 30]]
        return lines


_UNFORESEEN = re.compile(r"Traceback|could not be advanced|a fault it does not know|could not be begun")


def _mine(keys: Iterable[str], prefix: str) -> set[str]:
    return {key for key in keys if key.startswith(prefix)}
