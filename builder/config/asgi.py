"""The ASGI application: one front for Django, the webhook door, the live socket, the pages and the practice company.

    /hooks/…                  runtime.intake, which stores before it answers
    /api/…                    Django
    /d/…                      Django: the page behind the link of a mail
    /ws/…                     the live socket
    Host: practice-company    the practice company's API, for steps on this machine
    /practice/                its books, for people
    /healthz                  "ok", for load balancers
    /readyz, /metrics         for whoever watches; the second with a token only
    anything else             the front end

Its lifespan starts and stops this process's share of the runtime.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import django
import structlog
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "builder.config.settings")
django.setup()

from django.http.request import split_domain_port, validate_host  # noqa: E402

from builder.api import problems  # noqa: E402
from builder.api.problems import Refusal  # noqa: E402
from builder.config import metrics, traces, wiring  # noqa: E402
from builder.config.door import BodyRefused, Door, Receive, Scope, Send  # noqa: E402
from builder.config.frontend import Pages, security_headers  # noqa: E402
from builder.config.housekeeping import Housekeeping  # noqa: E402
from builder.config.traces import web  # noqa: E402
from builder.live.threads import DatabaseThreads  # noqa: E402
from runtime.contracts import dumps  # noqa: E402
from runtime.traces import TRACING  # noqa: E402

if TYPE_CHECKING:
    from builder.config.corked import Reply
    from runtime.intake.app import Intake
    from runtime.worker.boot import Kind, Runtime

log = structlog.get_logger(__name__)

_LIVE: Final = re.compile(r"^/ws/v1/workspaces/([0-9a-fA-F-]{36})/live$")
_HOOKS: Final = "/hooks/"
Http = Callable[[Scope, Receive, Send], Awaitable[None]]


class Application:
    """Looks at path and host, and hands on."""

    def __init__(self) -> None:
        self._django = Door()
        self._security = security_headers(secure=settings.SECURE)
        self._pages = Pages(settings.FRONTEND_DIR, security=self._security)
        self._proxies = [ipaddress.ip_network(name, strict=False) for name in settings.TRUSTED_PROXIES]
        self._intake: Intake | None = None
        self._practice: Http | None = None
        self._runtime: Runtime | None = None
        self._watched = DatabaseThreads("watched", 1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one socket, or the life of the process."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(receive, send)
            return
        if self._proxies:
            scope = self._behind_proxy(scope)
        if kind == "http":
            if TRACING.tracer is None:
                await self._http(scope, receive, send)
            else:
                await web.follow(self._http, scope, receive, send)
        elif kind == "websocket":
            await self._socket(scope, receive, send)

    def at_once(self, scope: Scope, body: bytes, tell: Callable[[Reply], None]) -> bool:
        """Handle a webhook that came whole, without a coroutine; False where `__call__` must do it (all but most)."""
        if self._intake is None or not scope["path"].startswith(_HOOKS):
            return False
        if self._proxies:
            scope = self._behind_proxy(scope)
        if TRACING.tracer is not None:
            tell = web.telling(scope, tell)
        return self._intake.at_once(scope, body, tell)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith(_HOOKS):
            if self._intake is None:
                await self._refuse(scope, send, Refusal(503, "starting", "The server is starting.", headers=_SOON))
            else:
                await self._intake(scope, receive, send)
            return
        host = _host(scope)
        if self._practice is not None and host == settings.PRACTICE_HOST:
            await self._practice(scope, receive, send)
        elif host is None or not validate_host(host, settings.ALLOWED_HOSTS):
            await self._refuse(
                scope,
                send,
                Refusal(
                    400,
                    "host_unknown",
                    "This server does not answer to that name.",
                    detail="Set ALLOWED_HOSTS or PUBLIC_URL to the names that people use.",
                ),
            )
        elif path == "/healthz":
            await _plain(send, b"ok")
        elif path == "/readyz":
            strict = b"strict" in scope.get("query_string", b"")
            status, lines = await self._watched.run(lambda: metrics.readiness(strict=strict))
            await _plain(send, lines, status=status)
        elif path == "/metrics" and metrics.is_let_in(scope):
            await _plain(send, await self._watched.run(metrics.text), media_type=metrics.MEDIA_TYPE)
        elif path == "/metrics":
            await self._refuse(scope, send, problems.not_here())
        elif "\0" in path or b"%00" in scope.get("query_string", b""):
            await self._refuse(scope, send, Refusal(400, "bad_request", "This address makes no sense."))
        elif path.startswith(("/api/", "/d/")):
            try:
                await self._django(scope, receive, send)
            except BodyRefused as error:
                await self._refuse(scope, send, _body_refusal(error))
        elif self._practice is not None and (path == "/practice" or path.startswith("/practice/")):
            await self._practice(scope, receive, send)
        elif path.startswith("/ws/"):
            await self._refuse(scope, send, Refusal(426, "upgrade", "This address is for WebSockets."))
        else:
            await self._pages(scope, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        from builder.live.consumers import LiveConsumer

        found = _LIVE.match(scope["path"])
        host = _host(scope)
        if found is None or host is None or not validate_host(host, settings.ALLOWED_HOSTS):
            await receive()
            await send({"type": "websocket.close", "code": 4404})
            return
        try:
            workspace_id = UUID(found.group(1))
        except ValueError:
            await receive()
            await send({"type": "websocket.close", "code": 4404})
            return
        scope = {**scope, "url_route": {"args": (), "kwargs": {"workspace_id": workspace_id}}}
        await LiveConsumer.as_asgi()(scope, receive, send)

    # --- the life of the process ----------------------------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        stops: list[Callable[[], Awaitable[None]]] = []
        try:
            await self._start(stops)
        except Exception as error:
            log.exception("the server could not start")
            await self._stop(stops)
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop(stops)
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self, stops: list[Callable[[], Awaitable[None]]]) -> None:
        from runtime.intake.app import Intake
        from runtime.worker.boot import Runtime
        from runtime.worker.egress import Egress

        kind: Kind = "web" if settings.REDIS_URL else "embedded"
        end_traces = traces.begin(kind)
        stops.append(lambda: asyncio.to_thread(end_traces))
        wiring.SINK.attach(asyncio.get_running_loop())
        stops.append(wiring.SINK.detach)
        if settings.PRACTICE_COMPANY:
            from builder.practice import service
            from builder.practice.app import application as practice

            host, port = settings.PRACTICE_SMTP_ADDRESS
            books = settings.DATA_DIR / "practice"
            try:
                bound = await service.start(books, (host, port))
            except OSError as error:
                log.warning("the practice company's mail port is taken; it takes another", port=port, error=str(error))
                bound = await service.start(books, (host, 0))
            # Steps reach it by name, at the port it really has.
            settings.PRACTICE_SMTP_ADDRESS = (host, bound or port)
            stops.append(service.stop)
            self._practice = practice
        runtime = Runtime(kind=kind, most_runs=settings.RUNS_AT_A_TIME)
        await runtime.start()
        stops.append(runtime.stop)
        self._runtime = runtime
        if runtime.writer is None:
            raise RuntimeError("The runtime started without a writer.")
        egress = Egress.from_settings()
        stops.append(egress.aclose)
        wiring.allow_trials(asyncio.get_running_loop(), egress)
        housekeeping = Housekeeping()
        housekeeping.start()
        stops.append(housekeeping.stop)
        intake = Intake(runtime.writer, public_url=settings.PUBLIC_URL)
        stops.append(intake.close)
        self._intake = intake

    async def rest(self) -> None:
        """Before the port closes: let steps in flight end and start none. Requests are answered as before."""
        if self._runtime is not None:
            await self._runtime.rest()

    async def _stop(self, stops: list[Callable[[], Awaitable[None]]]) -> None:
        self._intake = None
        self._runtime = None
        for stop in reversed(stops):
            try:
                await stop()
            except Exception:
                log.exception("stopping failed; the rest stops nevertheless")
        from builder.live import consumers

        self._practice = None
        await self._django.let_go()
        await consumers.THREADS.let_go()
        await self._watched.let_go()

    # --- small answers --------------------------------------------------------------------------------------------

    async def _refuse(self, scope: Scope, send: Send, refusal: Refusal) -> None:
        body = dumps(problems.body(refusal, "")).encode()
        lines = {
            "Content-Type": problems.MEDIA_TYPE,
            "Content-Length": str(len(body)),
            **self._security,
            **refusal.headers,
        }
        headers = [(name.lower().encode(), value.encode()) for name, value in lines.items()]
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})

    def _behind_proxy(self, scope: Scope) -> Scope:
        """Believe what a trusted proxy says of the caller; walk its list from the right to the first stranger."""
        client = scope.get("client")
        if not client or not self._trusted(client[0]):
            return scope
        headers = scope["headers"]
        scope = dict(scope)
        hops = [
            part.strip().decode("latin-1")
            for name, value in headers
            if name == b"x-forwarded-for"
            for part in value.split(b",")
        ]
        for hop in reversed(hops):
            scope["client"] = (hop, 0)
            if not self._trusted(hop):
                break
        schemes = [value.strip() for name, value in headers if name == b"x-forwarded-proto"]
        if schemes and schemes[-1] in (b"http", b"https"):
            secure = schemes[-1] == b"https"
            socket = scope["type"] == "websocket"
            scope["scheme"] = ("wss" if secure else "ws") if socket else ("https" if secure else "http")
        return scope

    def _trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)


_SOON: Final = {"Retry-After": "2"}


def _host(scope: Scope) -> str | None:
    """The name in the one Host header, without its port; None where there is none or more than one."""
    found = [value for name, value in scope["headers"] if name == b"host"]
    if len(found) != 1:
        return None
    domain, _port = split_domain_port(found[0].decode("latin-1"))
    return domain or None


def _body_refusal(error: BodyRefused) -> Refusal:
    if error.status == 408:
        return Refusal(408, "too_slow", "The body came too slowly.", headers={"Connection": "close"})
    return Refusal(413, "too_large", "The body is too large.", headers={"Connection": "close"})


async def _plain(
    send: Send, body: bytes, *, status: int = 200, media_type: bytes = b"text/plain; charset=utf-8"
) -> None:
    headers: Any = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = Application()
