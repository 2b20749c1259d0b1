"""A collector of traces on this machine: a real HTTP server that reads what OpenTelemetry sends.

with Collector() as collector: …; collector.wait(lambda spans: …)
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Told:
    """One span as it came. Ids in hex; `links` as (trace, span); `process`: what the resource says."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    facts: Mapping[str, Any]
    links: tuple[tuple[str, str], ...]
    process: Mapping[str, Any]
    began: int
    ended: int


class Collector:
    """`status`: what it answers."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.headers.append(dict(self.headers.items()))
                collector.paths.append(self.path)
                if collector.status == 200:
                    collector.bodies.append(body)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return None

        return Handler

    def spans(self) -> list[Told]:
        """All that came until now."""
        found = []
        for body in tuple(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                process = _facts(resource.resource.attributes)
                for scope in resource.scope_spans:
                    found += [_told(span, process) for span in scope.spans]
        return found

    def wait(self, true: Callable[[list[Told]], object], *, seconds: float = 30) -> list[Told]:
        """The spans, as soon as that is so of them."""
        deadline = time.monotonic() + seconds
        while not true(spans := self.spans()):
            assert time.monotonic() < deadline, sorted(span.name for span in spans)
            time.sleep(0.05)
        return spans


def _told(span: Any, process: Mapping[str, Any]) -> Told:
    return Told(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.kind,
        span.status.code == 2,
        _facts(span.attributes),
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        process,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
