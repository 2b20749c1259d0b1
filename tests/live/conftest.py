"""A real server on a port of its own, with the runtime inside, and browsers that open real sockets to it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx2
import pytest
import uvicorn
from pytest_django import Settings
from websockets.sync.client import ClientConnection, connect

from builder.accounts.models import Role, User, Workspace
from builder.config import server
from builder.config.asgi import Application
from builder.workflows import services
from builder.workflows.models import Workflow
from runtime import api as runtime_api
from runtime.contracts import NotFound, Voter
from tests import factories
from tests.factories import PASSWORD, join, make_person, make_workspace
from tests.runtime.machine import Machine

PATIENCE = 90.0


class Browser:
    """A signed-in browser: cookies, a CSRF token, sockets."""

    def __init__(self, site: Site, person: User | None = None) -> None:
        self.site = site
        # Without encryption there is no certificate to check: to read those of the world takes longer than most calls.
        self.http = httpx2.Client(base_url=site.url + "/api/v1", trust_env=False, verify=False, timeout=90)
        self.csrf = self.http.get("/session").json()["csrf_token"]
        if person is not None:
            body = {"email": person.email, "password": PASSWORD}
            answer = self.http.post("/session", json=body, headers=self.unsafe)
            assert answer.status_code == 200, answer.text
            self.csrf = answer.json()["csrf_token"]

    @property
    def unsafe(self) -> dict[str, str]:
        return {"X-CSRFToken": self.csrf}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    @contextmanager
    def socket(self, workspace: UUID | str | None = None, **headers: str | None) -> Iterator[Line]:
        """An open socket of this workspace. `Origin=None` leaves the header out."""
        path = f"/ws/v1/workspaces/{workspace or self.site.northwind.id}/live"
        sent = {"Origin": self.site.url, "Cookie": self.cookie, **headers}
        origin = sent.pop("Origin")
        more = {name: value for name, value in sent.items() if value}
        url = self.site.url.replace("http://", "ws://") + path
        with connect(url, origin=origin, additional_headers=more, proxy=None, compression=None) as opened:  # type: ignore[arg-type]
            yield Line(opened)


class Line:
    """What goes over one socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self, patience: float = PATIENCE) -> dict[str, Any]:
        """The next message."""
        heard: dict[str, Any] = json.loads(self.connection.recv(timeout=patience))
        return heard

    def hear_until(self, status: str) -> list[dict[str, Any]]:
        """Changes until a run has this status."""
        return self._changes(lambda change: change["state"]["status"] == status)

    def hear_until_step(self, node: str, status: str) -> list[dict[str, Any]]:
        """Changes until a step has this status."""
        return self._changes(
            lambda change: any(step["node"] == node and step["status"] == status for step in change["steps"])
        )

    def _changes(self, last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE
        while not found or not last(found[-1]):
            message = self.hear(max(0.1, deadline - time.monotonic()))
            if message["type"] == "changes":
                found.append(message)
        return found

    def closed(self, patience: float = PATIENCE) -> int:
        """Wait for the server to hang up; its code."""
        from websockets.exceptions import ConnectionClosed

        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                self.connection.recv(timeout=deadline - time.monotonic())
            except ConnectionClosed:
                break
        code = self.connection.close_code
        assert code is not None, "the server did not hang up"
        return code


class Site:
    """A running server with Northwind and Southwind in it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.browsers: list[Browser] = []
        self.alice = make_person("Alice")
        self.vera = make_person("Vera")
        self.mallory = make_person("Mallory")
        self.northwind: Workspace = make_workspace("Northwind", self.alice)
        self.southwind: Workspace = make_workspace("Southwind", self.mallory)
        self.membership = join(self.northwind, self.vera, Role.VIEWER)

    def browser(self, person: User | None = None) -> Browser:
        self.browsers.append(Browser(self, person))
        return self.browsers[-1]

    def publish(self, graph: dict[str, Any], name: str = "Watched") -> Workflow:
        workflow = services.create_workflow(workspace=self.northwind, by=self.alice, name=name, graph=graph)
        services.publish(workflow=workflow, by=self.alice, note="for a test")
        return workflow

    def start(self, workflow: Workflow, input: Any = None) -> UUID:
        started = runtime_api.start_run(
            workspace_id=workflow.workspace_id, workflow_id=workflow.id, input=input, by=self.alice.id
        )
        return started.run_id

    def open_gate(self, run_id: UUID, index: int) -> None:
        """Let the run pass the gate of this step, once it stands there."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                runtime_api.resume(
                    workspace_id=self.northwind.id,
                    run_id=run_id,
                    node_id=f"n_gate{index}",
                    voter=Voter(self.alice.id, "Alice", self.alice.email),
                )
            except NotFound:
                assert time.monotonic() < deadline, "the run did not come to the gate"
                time.sleep(0.02)
            else:
                return

    def finish(self, run_id: UUID) -> None:
        """Wait until the run has ended."""
        deadline = time.monotonic() + PATIENCE
        while runtime_api.run(workspace_id=self.northwind.id, run_id=run_id).finished_at is None:
            assert time.monotonic() < deadline, "the run did not end"
            time.sleep(0.02)

    def snapshot(self, browser: Browser, run_id: UUID) -> dict[str, Any]:
        answer = browser.http.get(f"/workspaces/{self.northwind.id}/runs/{run_id}/snapshot")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def site(transactional_db: None, settings: Settings) -> Iterator[Site]:
    """The site, serving."""
    settings.PRACTICE_COMPANY = False
    door = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Application(), **{**server.options(), "port": door.getsockname()[1]})
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [door]}, name="site", daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not running.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    machine = Machine()
    if settings.REDIS_URL:
        # Then the server only accepts; the steps run elsewhere, and news of them comes over Redis.
        machine.start("worker")
    found = Site(door.getsockname()[1])
    yield found
    if settings.REDIS_URL:
        machine.stop()
    for browser in found.browsers:
        browser.http.close()
    running.should_exit = True
    thread.join(PATIENCE)
    door.close()


def steps(*waits: float | None) -> dict[str, Any]:
    """A start, then a step and a pause for each of these seconds, then a decision of which one way is taken.

    The pause of `None` ends when the test says so: `Site.open_gate`.
    """
    parts: list[tuple[str, str, dict[str, Any]]] = [("start", "trigger.manual@1", {})]
    edges = []
    before = "start"
    for index, seconds in enumerate(waits):
        parts.append((f"fields{index}", "data.edit_fields@1", {"fields": [{"name": "n", "value": index}]}))
        edges.append(f"{before} -> fields{index}")
        before = f"fields{index}"
        if seconds is None:
            parts.append((f"gate{index}", "flow.wait_signal@1", {"title": "Held by the test"}))
            edges.append(f"{before} -> gate{index}")
            before = f"gate{index}"
        elif seconds:
            wait = {"mode": "for", "amount": str(seconds), "unit": "seconds"}
            parts.append((f"wait{index}", "flow.wait@1", wait))
            edges.append(f"{before} -> wait{index}")
            before = f"wait{index}"
    rule = {"left": "{{ steps.fields0.n }}", "op": "eq", "right": 0, "type": "number"}
    parts += [
        ("check", "flow.decision@1", {"conditions": {"match": "all", "rules": [rule]}}),
        ("yes", "data.edit_fields@1", {"fields": [{"name": "way", "value": "yes"}]}),
        ("no", "data.edit_fields@1", {"fields": [{"name": "way", "value": "no"}]}),
    ]
    edges += [f"{before} -> check", "check:yes -> yes", "check:no -> no"]
    return factories.graph(*parts, edges=edges)
