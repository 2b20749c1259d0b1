"""`runtime.traces.Tracer` by the libraries of OpenTelemetry. Only loaded where a collector is named."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

import requests
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes

from builder.config.environment import Traces
from builder.config.traces import Counts
from builder.config.traces.sending import Sending
from runtime.traces import Fact, OfRun, Role, Span, read_parent

__all__ = ["Telling"]

#: What a span may say. Anything else stays here, whoever tells it.
FACTS: Final = frozenset(
    {
        "error.type", "http.request.method", "http.response.status_code", "http.route", "server.address", "server.port",
        "millrace.commit.accept", "millrace.commit.claim", "millrace.commit.release", "millrace.commit.renew",
        "millrace.commit.units", "millrace.commit.write", "millrace.event.conflict", "millrace.event.duplicate",
        "millrace.event.id", "millrace.request.id", "millrace.run.generation", "millrace.run.id", "millrace.run.mode",
        "millrace.run.status", "millrace.step.attempt", "millrace.step.key", "millrace.step.looks_up",
        "millrace.step.outcome", "millrace.step.type", "millrace.sweep.decided", "millrace.sweep.fired",
        "millrace.sweep.let_go", "millrace.sweep.more", "millrace.sweep.moved", "millrace.sweep.removed",
        "millrace.sweep.rung", "millrace.version.id", "millrace.worker", "millrace.workflow.id",
        "millrace.workspace.id",
    }
)  # fmt: skip
_LONGEST: Final = 200
_CLOSE_SECONDS: Final = 2.0
_KINDS: Final[Mapping[Role, SpanKind]] = {
    "internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT,
}  # fmt: skip
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_NOT_SAMPLED: Final = TraceFlags(TraceFlags.DEFAULT)


class _Share(Sampler):
    """So many of all traces, by their ids: on every machine the same ones. The ids of runs that begin together are much
    alike, so it is not their bits that decide."""

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._bound = round(ratio * (1 << 64))

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: trace.TraceState | None = None,
    ) -> SamplingResult:
        chance = hashlib.blake2b(trace_id.to_bytes(16, "big"), digest_size=8).digest()
        takes = int.from_bytes(chance, "big") < self._bound
        return SamplingResult(Decision.RECORD_AND_SAMPLE if takes else Decision.DROP, attributes if takes else None)

    def get_description(self) -> str:
        return f"Share{{{self._ratio}}}"


class _Ids(RandomIdGenerator):
    """By chance, but for a span whose ids are known before it begins."""

    def __init__(self) -> None:
        self._known = threading.local()

    def know(self, ids: tuple[int, int] | None) -> None:
        """The ids of the next span of this thread."""
        self._known.ids = ids

    def generate_trace_id(self) -> int:
        known = getattr(self._known, "ids", None)
        return super().generate_trace_id() if known is None else int(known[0])

    def generate_span_id(self) -> int:
        known = getattr(self._known, "ids", None)
        return super().generate_span_id() if known is None else int(known[1])


class _Span:
    """One span."""

    __slots__ = ("_span",)

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def context(self) -> SpanContext:
        return self._span.get_span_context()

    @property
    def trace_id(self) -> str:
        return f"{self.context.trace_id:032x}"

    @property
    def header(self) -> str:
        context = self.context
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, facts: Mapping[str, Fact]) -> None:
        self._span.set_attributes(_fit(facts))

    def end(self, error: str | None = None) -> None:
        if error is not None:
            self.note({"error.type": error})
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class Telling:
    """This process's tracer."""

    def __init__(self, told: Traces, *, kind: str, version: str) -> None:
        # What the libraries log may quote what a collector answered; `Sending` says itself what matters.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        session = requests.Session()
        # Neither proxies nor passwords of the environment, as for everything that leaves Millrace.
        session.trust_env = False
        exporter = OTLPSpanExporter(told.endpoint, headers=dict(told.headers), session=session)
        self._sending = Sending(exporter, most=told.most, portion=told.portion, seconds=told.delay_ms / 1000)
        self._sampler = _sampler(told)
        self._hosts = told.hosts
        self._ids = _Ids()
        resource = Resource.create(
            {"service.name": told.name, "service.version": version, "millrace.process": kind}
        )  # fmt: skip
        provider = TracerProvider(
            sampler=self._sampler, resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        provider.add_span_processor(self._sending)
        self._tracer = provider.get_tracer("millrace", version)

    def counts(self) -> Counts:
        return Counts(self._sending.sent, self._sending.dropped, self._sending.failed)

    def close(self) -> None:
        self._sending.close(_CLOSE_SECONDS)

    def flush(self) -> None:
        """Send what waits now; for tests."""
        self._sending.force_flush(5_000)

    # --- runtime.traces.Tracer ------------------------------------------------------------------------------------

    def start(
        self,
        name: str,
        facts: Mapping[str, Fact],
        *,
        role: Role = "internal",
        within: Span | OfRun | str | None = None,
        spans: OfRun | None = None,
        links: Sequence[OfRun | str] = (),
        ago_ms: float = 0,
    ) -> Span:
        parent = self._context(within)
        around = Context() if parent is None else trace.set_span_in_context(NonRecordingSpan(parent), Context())
        linked = [Link(context) for one in links if (context := self._context(one)) is not None]
        if spans is not None:
            self._ids.know((spans.run_id.int, _span_id(spans)))
        try:
            span = self._tracer.start_span(
                name, around, _KINDS[role], _fit(facts), linked, time.time_ns() - int(ago_ms * 1_000_000)
            )
        finally:
            self._ids.know(None)
        return _Span(span)

    def goes_to(self, host: str) -> bool:
        host = host.lower()
        return any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in self._hosts)

    def _context(self, of: Span | OfRun | str | None) -> SpanContext | None:
        if of is None:
            return None
        if isinstance(of, OfRun):
            flags = _SAMPLED if self._takes(of.run_id.int) else _NOT_SAMPLED
            return SpanContext(of.run_id.int, _span_id(of), is_remote=True, trace_flags=flags)
        if isinstance(of, str):
            if (parent := read_parent(of)) is None:
                return None
            _, trace_id, span_id, flags_of = parent.split("-")[:4]
            sampled = int(flags_of, 16) & TraceFlags.SAMPLED
            return SpanContext(
                int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=_SAMPLED if sampled else _NOT_SAMPLED
            )
        # One that has not begun yet begins by this.
        begun = getattr(of, "span", of)
        return begun.context if isinstance(begun, _Span) else None

    def _takes(self, trace_id: int) -> bool:
        """Whether the trace of this id is kept where nobody else has decided that."""
        return self._sampler.should_sample(Context(), trace_id, "run").decision is Decision.RECORD_AND_SAMPLE


def _sampler(told: Traces) -> Sampler:
    root: Sampler = _Share(told.ratio)
    if told.sampler.endswith("always_on"):
        root = ALWAYS_ON
    elif told.sampler.endswith("always_off"):
        root = ALWAYS_OFF
    return ParentBased(root) if told.sampler.startswith("parentbased_") else root


def _span_id(of: OfRun) -> int:
    """The span of a run: known to every process, before and after it was told of."""
    digest = hashlib.blake2b(of.run_id.bytes + of.generation.to_bytes(8, "big"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1


def _fit(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    return {
        name: value[:_LONGEST] if isinstance(value, str) else value for name, value in facts.items() if name in FACTS
    }
