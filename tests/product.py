"""The whole product as its users meet it: real processes, an address, and its public doors. Nothing else of it.

with Product(directory) as product:             one process: SQLite, everything inside
    product.start()
    api = product.set_up()
    workflow = api.publish("Name", graph)

with Product(directory, database_url=…, redis_url=…) as product: …     web, worker and ticker processes
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from tests import installed
from tests.services.process import free_port

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "a long enough pass phrase"
EMAIL = "alice@example.org"
CURL = re.compile(r"^\s*(curl .+)$", re.MULTILINE)
LINK = re.compile(r"/setup#token=([A-Za-z0-9_.~-]+)")


class ProductFailed(Exception):
    """A process ended or did not become ready; the message holds the end of its log."""


@dataclass(slots=True)
class Running:
    """One of the product's processes."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""


@dataclass(slots=True)
class Product:
    """One installation over one directory. `environment` is added to every process's own."""

    directory: Path
    database_url: str = ""
    redis_url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    port: int = 0
    smtp_port: int = 0
    #: What runs it: this Python, or one of another environment.
    python: str = sys.executable
    #: Whether an embedded one makes its database itself, as on a new machine, or finds an empty one.
    first_start: bool = False
    processes: list[Running] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def embedded(self) -> bool:
        """One process, or several on PostgreSQL and Redis."""
        return not self.database_url

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What all processes said."""
        return "\n".join(process.log.read_text(errors="replace") for process in self.processes if process.log.exists())

    def variables(self) -> dict[str, str]:
        """The environment of its processes: this one's, without what would configure the product, and its own."""
        ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_DIR", "PORT", "PUBLIC_URL", "DJANGO_SETTINGS_MODULE")
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ours and not name.startswith("MILLRACE_TEST")
        }
        own = {
            "DATA_DIR": str(self.directory),
            "PORT": str(self.port),
            "PRACTICE_SMTP_ADDRESS": f"127.0.0.1:{self.smtp_port}",
            "PYTHONUNBUFFERED": "1",
        }
        if not self.embedded:
            own |= {
                "DATABASE_URL": self.database_url,
                "REDIS_URL": self.redis_url,
                "SECRET_KEY": "a key for tests only, long enough to be one",
                "ALLOWED_HOSTS": "127.0.0.1,localhost",
                "MILLRACE_TEST_BUILD": "true",
            }
        return {**inherited, **own, **self.environment}

    def start(self, *, seconds: float = 240) -> None:
        """Start all processes and wait until the web process serves. Raises ProductFailed."""
        self.choose_ports()
        if self.embedded:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.first_start:
                installed.lay(self.directory)
            self.spawn("serve")
        else:
            self.manage("migrate", "--no-input")
            self.spawn("web")
            for _ in range(self.workers):
                self.spawn("worker")
            self.spawn("ticker")
        self.wait_until_ready(seconds=seconds)

    def choose_ports(self) -> None:
        """Take two free ports where none are chosen; a restart keeps them."""
        self.port = self.port or free_port()
        self.smtp_port = self.smtp_port or free_port()

    def spawn(self, name: str) -> Running:
        """Start one process: `serve`, `web`, `worker` or `ticker`."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self.directory.parent / f"{self.directory.name}.{name}-{len(self.processes)}.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                [self.python, "manage.py", name],
                cwd=ROOT,
                env=self.variables(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(Running(name, popen, log))
        return self.processes[-1]

    def manage(self, *arguments: str) -> str:
        """Run one management command to its end and return what it said. Raises ProductFailed."""
        done = subprocess.run(
            [self.python, "manage.py", *arguments],
            cwd=ROOT,
            env=self.variables(),
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise ProductFailed(f"manage.py {' '.join(arguments)}:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
        return done.stdout

    def wait_until_ready(self, *, seconds: float, path: str = "/healthz") -> None:
        """Wait until a path answers 200. Raises ProductFailed."""
        deadline = time.monotonic() + seconds
        with httpx2.Client(base_url=self.url, trust_env=False, verify=False, timeout=5) as client:
            while time.monotonic() < deadline:
                for process in self.processes:
                    if process.popen.poll() is not None:
                        raise ProductFailed(f"{process.name} ended with {process.popen.returncode}:\n{process.tail()}")
                try:
                    if client.get(path).status_code == 200:
                        return
                except httpx2.TransportError:
                    pass
                time.sleep(0.05)
        raise ProductFailed(f"Not ready after {seconds} s:\n{self.log[-4000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM, *, seconds: float = 20) -> None:
        """Stop every process; those that do not go in time are killed."""
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.send_signal(how)
        deadline = time.monotonic() + seconds
        for process in self.processes:
            try:
                process.popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait(5)
        self.processes.clear()

    def first_run_token(self) -> str:
        """The token of the printed first-run link. Raises ProductFailed."""
        found = LINK.search(self.log)
        if found is None:
            raise ProductFailed(f"No first-run link was printed:\n{self.log[-3000:]}")
        return found[1]

    def printed_curl(self) -> str:
        """The printed line that fires the example's webhook. Raises ProductFailed."""
        found = CURL.search(self.log)
        if found is None:
            raise ProductFailed(f"No curl line was printed:\n{self.log[-3000:]}")
        return found[1]

    def set_up(self) -> Api:
        """Follow the first-run link, as a person would: a signed-in administrator of the first workspace."""
        api = Api(self.url)
        api.call(
            "POST",
            "/setup",
            {
                "token": self.first_run_token(),
                "name": "Alice",
                "email": EMAIL,
                "password": PASSWORD,
                "workspace": {"name": "Finance", "language": "en", "time_zone": "Europe/Berlin", "currency": "EUR"},
            },
        )
        api.read_session()
        return api

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of each process, with its children, in MB."""
        return {
            f"{process.name}-{number}": resident_mb(process.popen.pid) for number, process in enumerate(self.processes)
        }

    def processor_seconds(self) -> dict[str, float]:
        """What each process, with its children, has used of a processor so far."""
        return {
            f"{process.name}-{number}": used_seconds(process.popen.pid) for number, process in enumerate(self.processes)
        }


class Api:
    """The HTTP API as a browser uses it: a session cookie and a CSRF token."""

    def __init__(self, url: str) -> None:
        # Nothing is encrypted on the way to it: to read the certificates of the world takes longer than most calls.
        self.client = httpx2.Client(base_url=url, trust_env=False, verify=False, timeout=60, headers={"Origin": url})
        self.csrf = ""
        self.workspace = ""
        self.read_session()

    def read_session(self) -> dict[str, Any]:
        """Read who we are, and the current token."""
        session: dict[str, Any] = self.client.get("/api/v1/session").json()
        self.csrf = session["csrf_token"]
        if session["workspaces"]:
            self.workspace = session["workspaces"][0]["id"]
        return session

    def sign_in(self) -> None:
        """Sign in as the administrator that `set_up` made."""
        self.call("POST", "/session", {"email": EMAIL, "password": PASSWORD})
        self.read_session()

    def call(self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """One call below /api/v1; `W/` stands for the workspace. Returns the JSON; raises ProductFailed."""
        full = "/api/v1" + path.replace("W/", f"/workspaces/{self.workspace}/", 1)
        sent = {"X-CSRFToken": self.csrf, **(headers or {})}
        answer = self.client.request(method, full, json=body, headers=sent) if body is not None else (
            self.client.request(method, full, headers=sent)
        )  # fmt: skip
        if answer.status_code >= 400:
            raise ProductFailed(f"{method} {full}: {answer.status_code} {answer.text[:3000]}")
        return answer.json() if answer.content else None

    def publish(self, name: str, graph: Mapping[str, Any]) -> Published:
        """Make a workflow, publish it, and return where its webhook is."""
        workflow = self.call("POST", "W/workflows", {"name": name, "graph": graph})["id"]
        revision = self.call("GET", f"W/workflows/{workflow}/draft")["revision"]
        self.call("POST", f"W/workflows/{workflow}/publish", {"revision": revision, "note": "for a test"})
        triggers = self.call("GET", f"W/workflows/{workflow}/triggers")["items"]
        url = next((trigger["url"] for trigger in triggers if trigger["url"]), "")
        return Published(workflow, "/hooks/" + url.split("/hooks/", 1)[1] if url else "")

    def close(self) -> None:
        self.client.close()


@dataclass(frozen=True, slots=True)
class Published:
    """A live workflow and the path of its webhook."""

    workflow: str
    path: str


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except (OSError, ValueError):
            continue
        if int(facts["Pid"]) == pid or int(facts["PPid"]) == pid:
            total += int(facts.get("VmRSS", "0 kB").split()[0])
    return round(total / 1024, 1)


def used_seconds(pid: int) -> float:
    """Processor time of a process and its children so far."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = stat.read_text().partition(" (")
        except OSError:
            continue
        # Behind the name, which may hold anything: state, parent, …, and from the twelfth on the time used.
        facts = rest.rpartition(") ")[2].split()
        if pid in (int(number), int(facts[1])):
            total += int(facts[11]) + int(facts[12])
    return total / os.sysconf("SC_CLK_TCK")
