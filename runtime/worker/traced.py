"""What the doors to the network and the ticker tell whoever follows: which host was called how and with what status,
never an address in full, a header or a body; and which sweeps there was something to do for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from runtime.sdk import StepFailure
from runtime.traces import SPAN, TRACING, Fact, Span, known_method

__all__ = ["Calling", "Sweep", "handed_on"]

#: A sweep that did nothing is told of only where it took so long.
_LONG_SECONDS: Final = 0.25


class Calling:
    """`with Calling(…) as call: …; call.answered(status)`: one call to the outside, which costs next to nothing where
    nobody follows."""

    __slots__ = ("_before", "_facts", "_name", "_span")

    def __init__(self, protocol: str, host: str, port: int, method: str | None = None) -> None:
        self._span: Span | None = None
        self._facts: dict[str, Fact] | None = None
        if TRACING.tracer is None:
            return
        self._before: Span | None = None
        self._facts = {"server.address": host, "server.port": port}
        self._name = protocol
        if method is not None:
            known = known_method(method)
            self._name = f"{protocol} {known}"
            self._facts["http.request.method"] = known

    def __enter__(self) -> Self:
        if self._facts is not None and (tracer := TRACING.tracer) is not None:
            self._before = SPAN.get()
            self._span = tracer.start(self._name, self._facts, role="client", within=self._before)
            SPAN.set(self._span)
        return self

    def answered(self, status: int) -> None:
        """The other system answered so."""
        if self._span is not None:
            self._span.note({"http.response.status_code": status})

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._span is None:
            return
        SPAN.set(self._before)
        if isinstance(error, StepFailure) and error.http_status is not None:
            self.answered(error.http_status)
        code = error.code if isinstance(error, StepFailure) else None if kind is None else kind.__name__
        self._span.end("timeout" if isinstance(error, TimeoutError) else code)


def handed_on(host: str, headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """The header that tells this host which trace its part belongs to; none for whom nobody has named."""
    tracer = TRACING.tracer
    if tracer is None or (span := SPAN.get()) is None or not tracer.goes_to(host):
        return []
    if any(name.lower() == "traceparent" for name, _ in headers):
        return []
    return [(b"traceparent", span.header.encode("ascii"))]


class Sweep:
    """`with Sweep(name) as sweep: …; sweep.did(what=5)`: one look of the ticker. Told of when it did something, took
    long, or failed; there are two a second."""

    __slots__ = ("_began", "_did", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = 0.0
        self._did: dict[str, Fact] = {}

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        return self

    def did(self, **counts: int) -> None:
        """It has done so many of these."""
        for what, count in counts.items():
            if count:
                self._did[f"millrace.sweep.{what}"] = count

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        tracer = TRACING.tracer
        took = time.monotonic() - self._began
        if tracer is None or (kind is None and not self._did and took < _LONG_SECONDS):
            return
        tracer.start(self._name, self._did, ago_ms=took * 1000).end(None if kind is None else kind.__name__)
