"""The ASGI application in front: hosts, proxies, limits, the built pages (S30, S92, S105 to S108)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from builder.config import door
from builder.config.asgi import Application
from builder.config.logs import as_json, as_plain, hide_secrets
from tests.factories import Caller


@dataclass(frozen=True)
class Heard:
    """What the application answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


def ask(
    application: Application,
    path: str,
    *,
    method: str = "GET",
    host: Sequence[str] = ("localhost",),
    headers: Mapping[str, str] | None = None,
    parts: Sequence[bytes] = (b"",),
    client: str = "127.0.0.1",
    pause: float = 0,
) -> Heard:
    """One request, its body in these parts."""
    path, _, query = path.partition("?")
    lines = [(b"host", name.encode()) for name in host]
    lines += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1", "replace"),
        "query_string": query.encode(),
        "headers": lines,
        "client": (client, 1234),
        "server": ("127.0.0.1", 8000),
        "http_version": "1.1",
        "root_path": "",
    }
    waiting = list(parts)
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        if pause:
            await asyncio.sleep(pause)
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(application(scope, receive, send))
    start = said[0]
    return Heard(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in said[1:]),
    )


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A front end as the build leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><script nonce='__CSP_NONCE__'></script><p>Millrace</p>")
    (tmp_path / "assets" / "main-Ab3dEf9h.js").write_text("export default 1")
    (tmp_path / "assets" / "main-Ab3dEf9h.js.map").write_text("{}")
    (tmp_path / "assets" / "theme-1.js").write_text("1")
    return tmp_path


@pytest.fixture
def application(settings: Settings, pages: Path) -> Iterator[Application]:
    settings.FRONTEND_DIR = pages
    made = Application()
    yield made
    asyncio.run(made._django.let_go())


class TestHosts:
    @pytest.mark.parametrize(
        "host", [(), ("evil.example",), ("localhost", "localhost"), ("localhost@evil",), ("a b",), ("",)]
    )
    def test_a_name_that_is_not_ours_is_refused(self, application: Application, host: tuple[str, ...]) -> None:
        for path in ("/", "/api/v1/session", "/assets/theme-1.js"):
            answer = ask(application, path, host=host)
            assert (answer.status, answer.code) == (400, "host_unknown")

    def test_the_practice_companys_name_leads_nowhere_when_it_is_closed(self, application: Application) -> None:
        assert ask(application, "/", host=("practice-company",)).status == 400

    def test_a_forwarded_host_is_not_believed(self, application: Application, db: None) -> None:
        answer = ask(application, "/api/v1/session", headers={"X-Forwarded-Host": "evil.example"})
        assert answer.status == 200
        assert b"evil" not in answer.body


class TestProxies:
    def scope(self, application: Application, client: str, **headers: str) -> Any:
        lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return application._behind_proxy({"type": "http", "scheme": "http", "client": (client, 1), "headers": lines})

    def test_only_a_trusted_proxy_is_believed(self, settings: Settings) -> None:
        settings.TRUSTED_PROXIES = ("10.0.0.0/8",)
        application = Application()
        told = {"x_forwarded_for": "203.0.113.9, 198.51.100.7, 10.0.0.2", "x_forwarded_proto": "https"}
        trusted = self.scope(application, "10.0.0.1", **told)
        assert (trusted["client"][0], trusted["scheme"]) == ("198.51.100.7", "https")
        stranger = self.scope(application, "192.0.2.1", **told)
        assert (stranger["client"][0], stranger["scheme"]) == ("192.0.2.1", "http")
        senseless = self.scope(application, "10.0.0.1", x_forwarded_for="' OR 1=1", x_forwarded_proto="gopher")
        assert (senseless["client"][0], senseless["scheme"]) == ("' OR 1=1", "http")


class TestLimits:
    def test_an_endless_body_is_413(self, application: Application) -> None:
        parts = [b"x" * 1024 * 1024] * 7
        answer = ask(application, "/api/v1/session", method="POST", parts=parts)
        assert (answer.status, answer.code) == (413, "too_large")

    def test_a_body_that_trickles_is_408(self, application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(door, "PATIENCE_SECONDS", 0.05)
        answer = ask(application, "/api/v1/session", method="POST", parts=[b"x"] * 100, pause=0.02)
        assert (answer.status, answer.code) == (408, "too_slow")

    def test_a_chunked_body_without_a_length_is_read(self, application: Application, db: None) -> None:
        token = json.loads(ask(application, "/api/v1/session").body)["csrf_token"]
        answer = ask(
            application,
            "/api/v1/session",
            method="POST",
            parts=[b'{"email":', b'"a@b.example"}'],
            headers={"Content-Type": "application/json", "X-CSRFToken": token, "Cookie": f"millrace_csrf={token}"},
        )
        assert (answer.status, answer.code) == (422, "invalid")

    @pytest.mark.parametrize("path", ["/api/v1/\0", "/api/v1/session?q=%00", "/\0"])
    def test_a_nul_in_an_address_is_400(self, application: Application, path: str) -> None:
        assert ask(application, path).status == 400


class TestPages:
    def test_the_page_answers_every_address_of_the_app(self, application: Application) -> None:
        for path in ("/", "/workflows", "/runs/01a1fc6c", "/setup", "/workflows/x/build"):
            answer = ask(application, path)
            assert answer.status == 200
            assert b"Millrace" in answer.body
            assert answer.headers["cache-control"] == "no-cache"

    def test_its_policy_allows_our_own_scripts_and_a_fresh_nonce(self, application: Application) -> None:
        first, second = ask(application, "/"), ask(application, "/")
        policy = first.headers["content-security-policy"]
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in scripts
        assert "http" not in policy
        nonce = scripts.split("'nonce-")[1].rstrip("'")
        assert nonce.encode() in first.body
        assert first.body != second.body
        for rule in ("frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'", "default-src 'none'"):
            assert rule in policy
        for name, value in {
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "referrer-policy": "same-origin",
        }.items():
            assert first.headers[name] == value

    def test_hashed_files_never_change_and_others_are_asked_for_again(self, application: Application) -> None:
        hashed = ask(application, "/assets/main-Ab3dEf9h.js")
        assert (hashed.status, hashed.body) == (200, b"export default 1")
        assert "immutable" in hashed.headers["cache-control"]
        assert hashed.headers["content-type"].startswith("text/javascript")
        named = ask(application, "/assets/theme-1.js")
        assert "immutable" not in named.headers["cache-control"]
        again = ask(application, "/assets/theme-1.js", headers={"If-Modified-Since": named.headers["last-modified"]})
        assert again.status == 304
        assert ask(application, "/assets/theme-1.js", headers={"If-Modified-Since": "yesterday"}).status == 200

    @pytest.mark.parametrize(
        "path",
        [
            "/assets/none.js",
            "/assets/../index.html",
            "/assets/main-Ab3dEf9h.js.map",
            "/.git",
            "/.env",
            "/assets/",
            "/a/.secret",
        ],
    )
    def test_what_is_no_file_of_ours_is_404(self, application: Application, path: str) -> None:
        """S108."""
        assert ask(application, path).status == 404

    def test_pages_are_for_reading(self, application: Application) -> None:
        assert ask(application, "/workflows", method="POST").status == 405
        assert ask(application, "/workflows", method="HEAD").body == b""

    def test_without_a_build_it_says_what_to_do(self, settings: Settings, tmp_path: Path) -> None:
        settings.FRONTEND_DIR = tmp_path / "none"
        answer = ask(Application(), "/")
        assert answer.status == 503
        assert b"make run" in answer.body


def test_health_is_a_word(application: Application) -> None:
    answer = ask(application, "/healthz")
    assert (answer.status, answer.body) == (200, b"ok")


def test_webhooks_before_the_start_are_asked_to_come_again(application: Application) -> None:
    answer = ask(application, "/hooks/x", method="POST", host=("anything",))
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")


def test_a_socket_address_asked_for_plainly_says_so(application: Application) -> None:
    assert ask(application, "/ws/v1/workspaces/x/live").status == 426


def test_there_is_no_admin_page(db: None) -> None:
    assert Caller().get("/../../admin/").status == 404


class TestLogs:
    """S93."""

    def test_one_event_is_one_line_whatever_is_in_it(self) -> None:
        event = {"event": "a\r\nb\x1b[31m", "path": "x\ny\u2028z\u202e", "level": "info", "long": "x" * 10_000}
        for line in (as_plain(None, "", dict(event)), as_json(None, "", dict(event))):
            assert len(line.splitlines()) == 1
            assert "\x1b" not in line
            assert len(line) < 9_000

    def test_values_named_like_secrets_are_hidden(self) -> None:
        event = hide_secrets(None, "", {"event": "x", "csrf_token": "abc", "Authorization": "Bearer x", "name": "ok"})
        assert event == {"event": "x", "csrf_token": "[hidden]", "Authorization": "[hidden]", "name": "ok"}
