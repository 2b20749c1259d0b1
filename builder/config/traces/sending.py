"""The way of spans to the collector: a bounded queue, and a thread that sends what waits. Whoever ends a span only puts
it there; where there is no room it is dropped and counted."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

__all__ = ["Sending"]

logger = logging.getLogger("millrace.traces")

#: How often it is said that the collector does not answer.
_SAY_SECONDS: Final = 60.0


class Sending(SpanProcessor):
    """`most`: so many spans wait at most; `portion`: so many are sent at a time; `seconds`: how often at the latest."""

    def __init__(self, exporter: SpanExporter, *, most: int, portion: int, seconds: float) -> None:
        self._exporter = exporter
        self._most = most
        self._portion = min(portion, most)
        self._seconds = seconds
        self._waiting: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._ended = False
        self._counting = threading.Lock()
        self._said_at: float | None = None
        self.sent = self.dropped = self.failed = 0
        self._thread = threading.Thread(target=self._work, name="millrace-traces", daemon=True)
        self._thread.start()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        return None

    def on_end(self, span: ReadableSpan) -> None:
        """Queue it. Neither blocks nor raises."""
        context = span.context
        if context is None or not context.trace_flags.sampled:
            return
        if self._ended or len(self._waiting) >= self._most:
            with self._counting:
                self.dropped += 1
            return
        self._waiting.append(span)
        if len(self._waiting) >= self._portion and not self._wake.is_set():
            self._wake.set()

    def close(self, seconds: float) -> None:
        """Send what waits, for so long at most; what is left then is dropped. Idempotent."""
        if self._ended:
            return
        self._ended = True
        self._wake.set()
        self._thread.join(seconds)
        with self._counting:
            self.dropped += len(self._waiting)
            self._waiting.clear()
        # It interrupts a try that waits to be made again; behind it nothing is left to send.
        self._exporter.shutdown()

    def shutdown(self) -> None:
        self.close(0)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Whether all that waits now was sent within this time."""
        deadline = time.monotonic() + timeout_millis / 1000
        while self._waiting and time.monotonic() < deadline:
            self._wake.set()
            time.sleep(0.01)
        return not self._waiting

    def _work(self) -> None:
        while True:
            self._wake.wait(self._seconds)
            self._wake.clear()
            while self._waiting and self._send():
                pass
            if self._ended:
                return

    def _send(self) -> bool:
        """Send one portion; whether the collector took it."""
        with self._counting:
            count = min(len(self._waiting), self._portion)
            portion = [self._waiting.popleft() for _ in range(count)]
        if not portion:
            return False
        try:
            took = self._exporter.export(portion) is SpanExportResult.SUCCESS
        except Exception as error:
            logger.debug("Spans could not be sent: %s", type(error).__name__)
            took = False
        with self._counting:
            if took:
                self.sent += count
            else:
                self.failed += count
        if not took:
            self._say()
        return took

    def _say(self) -> None:
        now = time.monotonic()
        if self._said_at is None or now - self._said_at >= _SAY_SECONDS:
            self._said_at = now
            logger.warning(
                "The collector of traces (OTEL_EXPORTER_OTLP_ENDPOINT) does not take spans: %d are lost, and %d for "
                "lack of room. Runs do not wait for it.",
                self.failed,
                self.dropped,
            )
