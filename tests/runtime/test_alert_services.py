"""Alerts reach services of Apprise through the guarded door: by that alone, with the same tries and the same history
as other channels, and without telling anybody the address."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from runtime import api
from runtime.ports import PORTS
from runtime.sdk.connections import KINDS
from runtime.sdk.notifier_door import DOOR
from runtime.store import alerts
from runtime.store.models import AlertMessage
from runtime.worker.alert_courier import AlertCourier
from runtime.worker.egress import Egress
from tests.runtime import alerting
from tests.runtime.alerting import OneHook, channel, due_now, happen, messages, rule, watch
from tests.runtime.rows import WORKSPACE
from tests.runtime.town import town

pytestmark = pytest.mark.usefixtures("transactional_db")
HOST = "phones.example.com"
TOKEN = "tk_CANARYcanary0123456789"


class Server(ThreadingHTTPServer):
    """Takes what services are sent."""

    status = 200
    location = ""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []
        self.more: dict[str, str] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        server.got.append((self.command, self.path, dict(self.headers), body))
        said = f"no: {TOKEN}".encode()
        self.send_response(server.status)
        if server.location:
            self.send_header("Location", server.location)
        for name, value in server.more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_PUT = do_POST

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def folk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PORTS, "people", town())
    monkeypatch.setattr(PORTS, "names", alerting.Called())
    monkeypatch.setattr(alerts, "GATHER_MS", 0)
    monkeypatch.setattr(PORTS, "public_url", "https://millrace.example.com")


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> OneHook:
    made = OneHook()
    monkeypatch.setattr(PORTS, "vault", made)
    return made


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def deliver(server: Server | None = None) -> None:
    """Send what is due, by the real door, for which the name of the service leads to this server."""

    async def go() -> None:
        readers = ThreadPoolExecutor(1)
        egress = Egress.make(named={} if server is None else {HOST: ("127.0.0.1", server.server_address[1])})
        courier = AlertCourier(ways=egress, readers=readers)
        try:
            await courier.round()
        finally:
            await courier.stop()
            await egress.http.aclose()
            await asyncio.get_running_loop().run_in_executor(readers, connections.close_all)
            readers.shutdown()

    asyncio.run(go())


def fail_once() -> None:
    rule("failed_runs", channel("Phones", hook=True), limit=0)
    happen(completed=63, failed=9)
    assert watch().look() >= 1


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (f"ntfy://{TOKEN}@{HOST}/ops", "/"),
        (f"gotify://{HOST}/{TOKEN}", "/message"),
        (f"synology://{HOST}/{TOKEN}", "/webapi/entry.cgi"),
        (f"xml://u:{TOKEN}@{HOST}/in", "/in"),
        (f"form://u:{TOKEN}@{HOST}/in", "/in"),
    ],
)
def test_a_service_gets_what_is_to_be_said(hook: OneHook, server: Server, address: str, path: str) -> None:
    hook.address = address
    fail_once()
    deliver(server)
    assert server.got, messages()[0].error
    _, asked, headers, body = server.got[0]
    assert asked.startswith(path)
    assert b"9 failed runs" in body or b"9+failed+runs" in body or b"9%20failed%20runs" in body
    assert b"millrace.example.com" in body
    assert headers["User-Agent"] == "Millrace"
    assert [one.status for one in messages()] == ["sent"]


def test_a_private_address_is_refused_as_everywhere(hook: OneHook, server: Server) -> None:
    hook.address = f"ntfy://{TOKEN}@{server.place}/ops"
    fail_once()
    deliver()
    assert server.got == []
    (row,) = messages()
    assert row.status == "waiting"
    assert row.error is not None
    assert "inside this network or this machine" in row.error


def test_a_redirect_is_not_followed(hook: OneHook, server: Server) -> None:
    inner = Server()
    server.status, server.location = 302, f"http://{inner.place}/metadata"
    hook.address = f"gotify://{HOST}/{TOKEN}"
    fail_once()
    deliver(server)
    inner.server_close()
    assert len(server.got) == 1
    assert inner.got == []
    assert messages()[0].error == "It answered with status 302."


def test_what_is_refused_is_tried_again_and_given_up_in_the_end(hook: OneHook, server: Server) -> None:
    hook.address, server.status = f"gotify://{HOST}/{TOKEN}", 503
    fail_once()
    for tries in range(1, 9):
        deliver(server)
        (row,) = messages()
        assert (row.tries, row.error) == (tries, "It answered with status 503.")
        due_now()
    assert row.status == "failed"
    (episode,) = api.alert_episodes(workspace_id=WORKSPACE)
    assert [(one.status, one.error) for one in episode.messages] == [("failed", "It answered with status 503.")]


def test_a_test_says_at_once_how_it_went(hook: OneHook, server: Server) -> None:
    hook.address, server.status = f"gotify://{HOST}/{TOKEN}", 401
    made = channel("Phones", hook=True)
    for status, expected in ((401, ("failed", "It answered with status 401.")), (200, ("sent", None))):
        server.status = status
        assert api.try_alert_channel(workspace_id=WORKSPACE, channel_id=made) == 1
        deliver(server)
        last = api.alert_channel(workspace_id=WORKSPACE, channel_id=made).last
        assert last is not None
        assert (last.status, last.error) == expected
    assert b"Test" in server.got[-1][3]


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize(
    "shape", ["gotify://{host}/{token}", "ntfy://{token}@{host}/{token}", "gotify://{token}/{token}"]
)
def test_the_token_stands_nowhere_else(
    hook: OneHook, server: Server, caplog: pytest.LogCaptureFixture, shape: str, status: int
) -> None:
    hook.address, server.status = shape.format(host=HOST, token=TOKEN), status
    caplog.set_level(logging.DEBUG)
    fail_once()
    deliver(server)
    kept = json.dumps(list(AlertMessage.objects.values()), default=str)
    assert TOKEN.lower() not in (kept + caplog.text).lower()


def test_proxies_and_passwords_of_the_environment_are_not_used(
    hook: OneHook, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    hook.address = f"gotify://{HOST}/{TOKEN}"
    fail_once()
    deliver(server)
    assert [one.status for one in messages()] == ["sent"]


def test_outside_of_a_message_the_door_leads_nowhere(server: Server) -> None:
    with pytest.raises(DOOR.ConnectionError):
        DOOR.post(f"http://{server.place}/")
    with pytest.raises(AttributeError):
        _ = DOOR.sessions
    assert server.got == []


def test_no_file_of_the_server_is_read() -> None:
    token = "123456789:AAEabcdefghijklmnopqrstuvwxyz012345678"
    kind = KINDS["alert_hook"]
    assert kind.problems({"address": f"tgram://{token}/1001"}) == []
    problems = kind.problems({"address": f"tgram://{token}/1001/?template={os.path.abspath(__file__)}"})
    assert [path for path, _, _ in problems] == ["address"]
    telegram: Any = SimpleNamespace(**vars(sys.modules["apprise.plugins.telegram"]))
    assert telegram.requests is DOOR
    with pytest.raises(OSError, match="no files"):
        telegram.open(__file__)


def test_the_library_is_not_read_before_the_first_address_of_its_kind() -> None:
    import subprocess

    code = (
        "import sys, runtime.worker.alert_courier, runtime.sdk.connections as c; "
        "c.KINDS['alert_hook'].problems({'address': 'https://hooks.slack.com/services/T/B/x'}); "
        "print([one for one in ('apprise', 'requests') if one in sys.modules])"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    told = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {code}"],
        capture_output=True, text=True, env=env, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "[]"


def test_a_service_that_wants_to_be_waited_for_keeps_no_other_alert_waiting(
    hook: OneHook, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would sleep for as long as the other side says: nothing else would go out meanwhile."""
    slept: list[float] = []
    monkeypatch.setattr("apprise.url.time", SimpleNamespace(sleep=slept.append))
    server.status, server.more = 429, {"Retry-After": "86400"}
    hook.address = f"fluxer://{HOST}/{'1' * 12}/{TOKEN}/?mode=private"
    fail_once()
    deliver(server)
    assert server.got, messages()[0].error
    assert sum(slept) < 31, "no longer than a message has"
    assert [one.status for one in messages()] == ["waiting"]
