"""Spans and log lines of runs, and the way to the collector: bounded, and never waited for."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from builder.config.environment import Traces
from builder.config.logs import configure
from builder.config.traces.sending import Sending
from builder.config.traces.spans import FACTS, Telling
from runtime.catalog import CATALOG
from runtime.engine.ids import uuid7
from runtime.sdk import PermanentError
from runtime.store.tickets import Work
from runtime.traces import SPAN, TRACING, OfRun, Span, read_parent
from runtime.worker import traced
from runtime.worker.egress import Egress
from runtime.worker.traced import Sweep
from tests.collector import Collector
from tests.runtime.machine import Machine, flow, get

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        yield found


def telling(collector: Collector, *, sampler: str = "parentbased_always_on", ratio: float = 1) -> Telling:
    told = Traces(
        f"{collector.url}/v1/traces", (), "millrace", sampler, ratio, 10_000, 512, 50, ("in.example", "*.in.example")
    )
    return Telling(told, kind="embedded", version="0")


@pytest.fixture
def followed(collector: Collector) -> Iterator[Collector]:
    """Somebody follows what this process does."""
    TRACING.tracer = tracer = telling(collector)
    yield collector
    TRACING.tracer = None
    tracer.close()


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What is logged meanwhile, as in production."""
    root, kept = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    configure({"level": "INFO", "format": "json"})
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    said = io.StringIO()
    handler.setStream(said)
    try:
        yield said
    finally:
        root.handlers[:] = kept
        root.setLevel(level)


def breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step *HTTP request* says something on a thread of its own, and breaks down."""

    def run(*_: Any) -> None:
        logging.getLogger("millrace.test").warning("Said by the step.")
        raise RuntimeError("word that nobody may see in a trace")

    found = CATALOG.get("http.request@1")
    assert found is not None
    monkeypatch.setitem(vars(found), "run", run)


def test_each_line_of_a_turn_names_the_run(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch)
    with logged() as said:
        run = machine.run(flow("start -> call", get("call", "http://in.example/")))
        other = machine.run(flow("start -> a"))
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    of_run = [line["event"] for line in lines if line.get("run_id") == str(run.id)]
    assert "Said by the step." in of_run
    assert any(event.endswith("raised") for event in of_run)
    assert not any("trace_id" in line for line in lines)
    assert [line for line in lines if line.get("run_id") == str(other.id)] == []


def test_a_line_of_a_turn_names_its_trace_where_somebody_follows(
    followed: Collector, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch)
    with logged() as said:
        run = machine.run(flow("start -> call", get("call", "http://in.example/")))
    spans = followed.wait(lambda spans: [one for one in spans if one.name == "run"])
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert {line["trace_id"] for line in lines if line["event"] == "Said by the step."} == {run.id.hex}
    (step,) = [one for one in spans if one.facts.get("millrace.step.key") == "call"]
    assert step.failed
    assert step.facts["error.type"] == "unexpected"
    assert step.facts["millrace.step.outcome"] == "failed"
    (whole,) = [one for one in spans if one.name == "run"]
    assert whole.failed
    assert whole.facts["millrace.run.status"] == "dead_lettered"
    assert b"word that nobody" not in b"".join(followed.bodies)


def test_what_is_told_of_is_a_list_that_is_known() -> None:
    assert {f"millrace.commit.{work.name.lower()}" for work in Work} <= FACTS


def test_a_commit_says_how_many_units_shared_it(followed: Collector, machine: Machine) -> None:
    run = machine.run(flow("start -> a -> b"))
    mine = (run.id.hex,)
    spans = followed.wait(lambda spans: [one for one in spans if one.name == "run"])
    commits = [one for one in spans if one.name == "commit" and any(link[:1] == mine for link in one.links)]
    assert commits
    kinds = ("millrace.commit.accept", "millrace.commit.write")
    assert all(
        one.facts["millrace.commit.units"] >= sum(one.facts.get(kind, 0) for kind in kinds) > 0 for one in commits
    )


@pytest.mark.parametrize(
    ("host", "is_told"), [("in.example", True), ("a.in.example", True), ("notin.example", False), ("out.org", False)]
)
async def test_only_hosts_that_are_named_are_told_which_trace_a_request_is_of(
    followed: Collector, host: str, is_told: bool
) -> None:
    tracer = TRACING.tracer
    assert tracer is not None
    with Collector() as other:
        port = int(other.url.rpartition(":")[2])
        doors = Egress.make(named={host: ("127.0.0.1", port)})
        step = tracer.start("step", {}, within=OfRun(uuid7()))
        SPAN.set(step)
        await doors.http.request("POST", f"http://{host}/v1/traces?key=a", content=b"")
        own = [("traceparent", PARENT)]
        await doors.http.request("POST", f"http://{host}/v1/traces?key=a", content=b"", headers=own)
        await doors.aclose()
        # What closes here is closed by the other side in its own time.
        await asyncio.sleep(0)
    step.end()
    assert SPAN.get() is step
    first, second = ({name.lower(): value for name, value in found.items()} for found in other.headers)
    calls = [one for one in followed.wait(lambda spans: len(spans) >= 3) if one.name == "HTTP POST"]
    assert {one.parent for one in calls} == {step.header.split("-")[2]}
    sent = f"00-{step.trace_id}-{calls[0].id}-01"
    assert first.get("traceparent") == (sent if is_told else None)
    assert second["traceparent"] == PARENT


async def test_a_call_that_fails_says_of_which_kind_it_failed(followed: Collector) -> None:
    doors = Egress.make()
    with pytest.raises(PermanentError, match="inside this network"):
        await doors.http.request("GET", "http://127.0.0.1:9/secret-path")
    await doors.aclose()
    (call,) = followed.wait(lambda spans: spans)
    assert call.failed
    assert call.facts["error.type"]
    assert b"secret-path" not in b"".join(followed.bodies)


def test_a_sweep_is_told_of_when_it_did_something_or_failed(
    followed: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traced, "_LONG_SECONDS", 60)
    with Sweep("ticker.tick") as nothing:
        nothing.did(fired=0)
    with Sweep("ticker.tick") as sweep:
        sweep.did(fired=2, rung=0)
    with pytest.raises(ValueError, match="word"), Sweep("ticker.tick"):
        raise ValueError("word that nobody may see")
    first, second = followed.wait(lambda spans: len(spans) >= 2)
    assert first.facts == {"millrace.sweep.fired": 2}
    assert (second.failed, second.facts) == (True, {"error.type": "ValueError"})


def is_kept(span: Span) -> bool:
    return bool(int(span.header.rpartition("-")[2], 16) & 1)


def test_the_same_traces_are_kept_on_every_machine(collector: Collector) -> None:
    here, there = (telling(collector, sampler="traceidratio", ratio=0.3) for _ in range(2))
    runs = [OfRun(uuid7()) for _ in range(2_000)]
    kept = [is_kept(here.start("run.turn", {}, within=run)) for run in runs]
    assert kept == [is_kept(there.start("run", {}, spans=run)) for run in runs]
    assert 450 < sum(kept) < 750
    for one in (here, there):
        one.close()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        PARENT[:-1],
        PARENT.upper(),
        "ff" + PARENT[2:],
        PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
    ],
)
def test_what_is_no_traceparent_is_none(value: str) -> None:
    assert read_parent(value) is None
    assert read_parent(PARENT) == PARENT


class Stuck(SpanExporter):
    """A collector that does not answer until it is let."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.may_answer.wait(30)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.may_answer.set()


def test_spans_wait_within_bounds_and_what_is_too_many_is_counted() -> None:
    exporter = Stuck()
    sending = Sending(exporter, most=5, portion=5, seconds=0.01)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(sending)
    tracer = provider.get_tracer("test")
    tracer.start_span("first").end()
    assert exporter.asked.wait(60)
    for _ in range(20):
        tracer.start_span("more").end()
    assert (sending.sent, sending.dropped, sending.failed) == (0, 15, 0)
    exporter.may_answer.set()
    sending.close(10)
    assert (sending.sent, sending.dropped, sending.failed) == (6, 15, 0)
    tracer.start_span("late").end()
    assert sending.dropped == 16


def test_a_stop_does_not_wait_for_a_collector_that_does_not_answer() -> None:
    exporter = Stuck()
    sending = Sending(exporter, most=50, portion=5, seconds=0.01)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(sending)
    tracer = provider.get_tracer("test")
    tracer.start_span("first").end()
    assert exporter.asked.wait(60)
    tracer.start_span("left").end()
    sending.close(0.05)
    assert sending.dropped == 1
