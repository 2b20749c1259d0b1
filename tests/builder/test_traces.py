"""Traces for OpenTelemetry: what a collector is told by real processes, and what it is never told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID

import pytest

from tests.collector import Collector, Told
from tests.extras import python_without
from tests.product import ROOT, Api, Product, ProductFailed
from tests.runtime.machine import flow, get, pause

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        os.environ.get("MILLRACE_TEST_DATABASE") == "postgres",
        reason="starts processes with databases of their own: once is enough",
    ),
]

WEBHOOK = "trigger.webhook@1"
TOKEN = "a token for metrics that is long enough to be one"
SENDER = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SECRET = "word-that-nobody-may-see-in-a-trace"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        yield found


def environment(url: str) -> dict[str, str]:
    return {
        "PRACTICE_COMPANY": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=finance%20two",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BSP_MAX_QUEUE_SIZE": "100000",
        "LOG_FORMAT": "json",
        "METRICS_TOKEN": TOKEN,
    }


def named(spans: list[Told], name: str) -> list[Told]:
    return [span for span in spans if span.name == name]


def fates(api: Api) -> dict[str, int]:
    """What `/metrics` says of spans."""
    text = api.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    lines = [line for line in text.splitlines() if line.startswith("millrace_trace_spans_total{")]
    return {line.split('"')[1]: int(line.rpartition(" ")[2]) for line in lines}


def test_all_turns_of_a_run_are_one_trace_across_processes(collector: Collector, tmp_path: Path) -> None:
    with Product(tmp_path / "data", environment=environment(collector.url)) as product:
        product.start()
        api = product.set_up()
        call = get("call", f"http://practice-company/invoices?api_key={SECRET}")
        hook = api.publish("Traced", flow("start -> call -> rest -> end", call, pause("rest", 12), start=WEBHOOK)).path
        sent = api.client.post(
            hook,
            json={"name": SECRET},
            headers={"traceparent": f"00-{SENDER}-{PARENT}-01", "Authorization": f"Bearer {SECRET}"},
        )
        assert sent.status_code == 202, sent.text
        run = sent.json()["run"]
        trace = UUID(run).hex
        collector.wait(lambda spans: [one for one in named(spans, "run.turn") if one.trace == trace])
        api.close()
        product.stop()
        product.start()
        spans = collector.wait(lambda spans: [one for one in named(spans, "run") if one.trace == trace])

    (whole,) = [one for one in named(spans, "run") if one.trace == trace]
    turns = [one for one in named(spans, "run.turn") if one.trace == trace]
    assert len({turn.facts["millrace.worker"] for turn in turns}) == 2
    assert {turn.parent for turn in turns} == {whole.id}
    assert whole.parent == ""
    assert whole.began <= min(turn.began for turn in turns)
    assert whole.facts["millrace.run.id"] == run
    assert whole.facts["millrace.run.status"] == "completed"
    assert [turn.links for turn in sorted(turns, key=lambda turn: turn.began)] == [((SENDER, PARENT),), ()]
    steps = {one.facts["millrace.step.key"]: one for one in named(spans, "step") if one.trace == trace}
    assert {"start", "call", "rest"} <= set(steps)
    assert {step.parent for step in steps.values()} <= {turn.id for turn in turns}
    assert steps["call"].facts["millrace.step.type"] == "http.request@1"
    assert steps["call"].facts["millrace.step.outcome"] == "done"
    (called,) = [one for one in named(spans, "HTTP GET") if one.trace == trace]
    assert called.parent == steps["call"].id
    assert called.facts == {
        "server.address": "practice-company", "server.port": 80, "http.request.method": "GET",
        "http.response.status_code": 200,
    }  # fmt: skip
    # Who need not prove anything is no part of the sender's trace; the turn is linked with it all the same.
    assert [one for one in spans if one.trace == SENDER] == []
    (knock,) = named(spans, "POST /hooks/{address}")
    assert knock.parent == ""
    assert knock.facts["millrace.run.id"] == run
    assert knock.links == ((trace, whole.id),)
    commits = [one for one in named(spans, "commit") if (trace, whole.id) in one.links]
    assert commits
    assert all(one.facts["millrace.commit.units"] >= 1 for one in commits)
    assert named(spans, "POST /api/v1/workspaces/<uuid:workspace_id>/workflows")
    assert {one.process["service.name"] for one in spans} == {"millrace"}
    assert set(collector.paths) == {"/v1/traces"}
    assert {one["x-tenant"] for one in collector.headers} == {"finance two"}
    # Neither what was asked nor what was answered, and no address that opens a door.
    everything = b"".join(collector.bodies)
    for secret in (SECRET, hook.rpartition("/")[2], "invoices", "Traced"):
        assert secret.encode() not in everything, secret


def test_each_line_of_a_request_names_it_and_its_trace_and_metrics_count_spans(
    collector: Collector, tmp_path: Path
) -> None:
    with Product(tmp_path / "data", environment=environment(collector.url)) as product:
        product.start()
        api = product.set_up()
        sender = {"traceparent": f"00-{SENDER}-{PARENT}-01"}
        answer = api.client.get(f"/api/v1/workspaces/{api.workspace}/workflows", headers=sender)
        workflow = api.publish("Plain", flow("start -> a")).workflow
        run = api.call("POST", f"W/workflows/{workflow}/runs", {})["id"]
        name = "GET /api/v1/workspaces/<uuid:workspace_id>/workflows"
        begun = "POST /api/v1/workspaces/<uuid:workspace_id>/workflows/<uuid:workflow_id>/runs"
        spans = collector.wait(lambda spans: named(spans, name) and named(spans, begun))
        (span,) = (one for one in named(spans, name) if one.trace == SENDER)
        assert span.parent == PARENT
        assert [one.facts["millrace.run.id"] for one in named(spans, begun)] == [run]
        assert fates(api)["sent"] > 0
        assert fates(api)["dropped"] == 0
        api.close()
        lines = [json.loads(line) for line in product.log.splitlines() if line.startswith("{")]
    request = answer.headers["X-Request-ID"]
    (line,) = [one for one in lines if one.get("request_id") == request]
    assert (line["event"], line["status"]) == ("request", 200)
    assert line["trace_id"] == span.trace
    assert span.facts["millrace.request.id"] == request
    assert span.facts["millrace.workspace.id"] == api.workspace


def test_a_collector_that_takes_nothing_holds_up_no_run_and_is_counted(tmp_path: Path) -> None:
    with Collector(status=400) as refusing:
        told = environment(refusing.url) | {"OTEL_BSP_MAX_QUEUE_SIZE": "5", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5"}
        with Product(tmp_path / "data", environment=told) as product:
            product.start()
            api = product.set_up()
            workflow = api.publish("Plain", flow("start -> a -> b")).workflow
            for _ in range(5):
                run = api.call("POST", f"W/workflows/{workflow}/runs", {})["id"]
                until_finished(api, run)
            counted = fates(api)
            api.close()
            assert counted["sent"] == 0
            assert counted["failed"] > 0
            assert "does not take spans" in product.log


def until_finished(api: Api, run: str) -> None:
    deadline = monotonic() + 90
    while api.call("GET", f"W/runs/{run}")["finished_at"] is None:
        assert monotonic() < deadline
        sleep(0.05)


def test_without_a_collector_nothing_of_opentelemetry_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, builder.config.asgi, runtime.worker.boot, builder.config.traces as traces\n"
        "traces.begin('worker')()\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')], traces.counts())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[] None"


def test_a_collector_without_the_extra_stops_the_start_and_says_what_to_install(tmp_path: Path) -> None:
    python = python_without(tmp_path / "bare", ("opentelemetry",))
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    with Product(tmp_path / "data", environment=told, python=python) as product:
        with pytest.raises(ProductFailed) as failed:
            product.start()
        assert "Millrace does not start. OTEL_EXPORTER_OTLP_ENDPOINT is set" in str(failed.value)
        assert "make traces" in str(failed.value)
        assert "Traceback" not in str(failed.value)
