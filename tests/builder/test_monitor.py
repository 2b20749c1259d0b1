"""The monitor over the API, and what programs that watch are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from builder.accounts.times import stamp
from builder.audit import chain
from builder.config.asgi import Application
from builder.connections import trials
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store.dialect import database_now
from runtime.store.figure_models import WHOLE
from runtime.store.figure_rows import LEVELS
from runtime.store.models import Budget, DeadLetter, Deployment, Figure, Process, Run, SystemFigure, Version
from runtime.store.sketch import Sketch
from tests.builder.conftest import World
from tests.builder.test_application import ask
from tests.runtime.rows import a_version

TOKEN = "a token for whoever watches, of some length"
MINUTE = 60_000


def happened(workspace_id: UUID, workflow_id: UUID, *, at: int | None = None, took: int = 60, **counts: int) -> None:
    """Figures as the roller writes them, of `took` runs that took from 1 to so many seconds."""
    at = database_now() - 5 * MINUTE if at is None else at
    sketch = Sketch()
    for second in range(1, took + 1):
        sketch.add(second * 1000)
    if not Deployment.objects.filter(pk=workflow_id).exists():
        version = a_version("{}", workflow_id=workflow_id)
        Deployment.objects.create(workflow_id=workflow_id, workspace_id=workspace_id, version=version, changed_at=at)
    for level in LEVELS:
        for one in (workflow_id, WHOLE):
            Figure.objects.create(
                workspace_id=workspace_id, level=level, workflow_id=one, at=at - at % (level * 1000),
                took=sketch.text(), **counts,
            )  # fmt: skip


def test_everybody_sees_how_the_last_hours_went(world: World) -> None:
    workflow = world.workflow("Order to cash")
    now = database_now()
    happened(world.northwind.id, workflow.id, at=now, started=7, failed=2)
    happened(world.northwind.id, workflow.id, at=now - 8 * 24 * 60 * MINUTE, started=5)
    hours = world.as_vera.get(f"{world.here}/runs/hours").body["hours"]
    assert len(hours) == 24
    assert [(one["started"], one["failed"]) for one in hours if one["started"]] == [(7, 2)]
    assert hours[-1]["started"] == 7, "the hour that is not over stands last, and what is older than a day nowhere"
    assert world.as_mallory.get(f"{world.there}/runs/hours").body["hours"][-1]["started"] == 0


def test_it_tells_what_happened_and_how_long_it_took(world: World) -> None:
    workflow = world.workflow("Order to cash")
    happened(
        world.northwind.id, workflow.id, started=70, completed=60, failed=8, undone=2, received=3178, duplicates=20,
        conflicts=6, letters=8,
    )  # fmt: skip
    answer = world.as_alice.get(f"{world.here}/monitor?minutes=60").body
    told = answer["happened"]
    assert (told["started"], told["ended"], told["failed"], told["letters"]) == (70, 70, 8, 8)
    assert told["success"] == pytest.approx(60 / 70, abs=1e-6)
    assert (told["repeated"], told["deliveries"]) == (26, 3204)
    assert answer["took"]["count"] == 60
    assert answer["took"]["p50"] == pytest.approx(30_000, rel=0.01)
    assert [line["name"] for line in answer["workflows"]] == ["Order to cash"]
    assert sum(answer["workflows"][0]["trend"]) == 70
    assert sum(point["happened"]["completed"] for point in answer["points"]) == 60
    assert world.as_alice.get(f"{world.here}/monitor?workflow={workflow.id}").body["happened"] == told


def test_few_runs_have_no_percentiles(world: World) -> None:
    happened(world.northwind.id, world.workflow().id, took=49, completed=49)
    answer = world.as_alice.get(f"{world.here}/monitor").body
    assert answer["took"] == {"count": 49, "p50": None, "p95": None, "p99": None}
    assert answer["percentiles_from"] == 50
    assert all(point["took"]["p95"] is None for point in answer["points"])


def test_how_it_stands_now_is_told_of_one_workflow_too(world: World) -> None:
    workflow, other = world.workflow("Order to cash"), world.workflow("Reminders")
    version = a_version("{}", workflow_id=workflow.id)
    run = Run.objects.create(
        workspace_id=world.northwind.id, workflow_id=workflow.id, version=version, trigger_node="n_start", mode="live",
        started_by="api", status="dead_lettered", accepted_at=1, finished_at=2, seq=3,
    )  # fmt: skip
    DeadLetter.objects.create(
        run=run, generation=1, workspace_id=world.northwind.id, workflow_id=workflow.id, node_id="pay", cause="a",
        code="x", title="Refused", message="", pattern="", at=1,
    )  # fmt: skip
    here = f"{world.here}/monitor/now"
    assert [world.as_alice.get(f"{here}{of}").body["letters"] for of in ("", f"?workflow={workflow.id}")] == [1, 1]
    assert world.as_alice.get(f"{here}?workflow={other.id}").body["letters"] == 0


def test_another_workspace_sees_none_of_it(world: World) -> None:
    happened(world.northwind.id, world.workflow().id, started=5)
    at, system = database_now(), uuid7().hex
    for level in LEVELS:
        SystemFigure.objects.create(
            workspace_id=world.northwind.id, level=level, at=at - at % (level * 1000), system=system, errors=3
        )
    theirs = world.as_mallory.get(f"{world.there}/monitor").body
    assert (theirs["happened"]["started"], theirs["workflows"], theirs["systems"]) == (0, [], [])
    ours = world.as_alice.get(f"{world.here}/monitor").body
    assert [(one["name"], one["errors"]) for one in ours["systems"]] == [(None, 3)]


def test_changes_of_connections_stand_beside_what_went_live(world: World) -> None:
    fields = {"token": "a-secret-of-theirs", "allowed_hosts": ["api.example.com"]}
    body = {"kind": "http_bearer", "name": "ERP", "fields": fields}
    made = world.as_alice.post(f"{world.here}/connections", body).body["id"]
    assert world.as_alice.patch(f"{world.here}/connections/{made}", {"name": "ERP of Bern"}).status == 200
    now = database_now()
    Budget.objects.update_or_create(
        connection_id=made,
        defaults={"workspace_id": world.northwind.id, "name": "ERP", "changed_at": now, "broken_at": now + 1},
    )
    found = world.as_alice.get(f"{world.here}/monitor?end={stamp(now + MINUTE)}&begin={stamp(now - 30 * MINUTE)}").body
    changes = found["connection_changes"]
    assert [(one["change"], one["name"], one["connection_id"]) for one in changes] == [
        ("broken", "ERP of Bern", made), ("changed", "ERP of Bern", made),
    ]  # fmt: skip
    assert changes[1]["by"] == world.alice.name
    earlier = world.as_alice.get(
        f"{world.here}/monitor?begin={stamp(now - 90 * MINUTE)}&end={stamp(now - 30 * MINUTE)}"
    )
    assert earlier.body["connection_changes"] == []
    assert world.as_mallory.get(f"{world.there}/monitor").body["connection_changes"] == []


def test_one_workflow_has_the_marks_of_the_connections_that_it_used_in_this_time(world: World) -> None:
    workflow, other = world.workflow("Order to cash"), world.workflow("Reminders")
    now = database_now()
    made = {}
    for name in ("ERP", "Bank", "Mail", "Shop"):
        fields = {"token": "a-secret-of-theirs", "allowed_hosts": ["api.example.com"]}
        body = {"kind": "http_bearer", "name": name, "fields": fields}
        made[name] = world.as_alice.post(f"{world.here}/connections", body).body["id"]
        assert world.as_alice.patch(f"{world.here}/connections/{made[name]}", {"name": f"{name} 2"}).status == 200
        about = {"workspace_id": world.northwind.id, "name": name, "changed_at": now, "broken_at": now - 1}
        Budget.objects.update_or_create(connection_id=made[name], defaults=about)

    def live(of: UUID, number: int, at: int, name: str) -> None:
        graph = dumps({"nodes": [{"config": {"connection": made[name]}}]})
        version = a_version(graph, workflow_id=of, number=number)
        Version.objects.filter(pk=version.pk).update(created_at=at, workspace_id=world.northwind.id)

    live(workflow.id, 1, now - 200 * MINUTE, "Shop")
    live(workflow.id, 2, now - 100 * MINUTE, "ERP")
    live(workflow.id, 3, now - 20 * MINUTE, "Bank")
    live(other.id, 1, now - 100 * MINUTE, "Mail")

    def marks(of: UUID | None, minutes: int) -> list[tuple[str, str]]:
        chosen = "" if of is None else f"&workflow={of}"
        begin = stamp(now - minutes * MINUTE)
        path = f"{world.here}/monitor?begin={begin}&end={stamp(database_now() + MINUTE)}{chosen}"
        return sorted((one["name"], one["change"]) for one in world.as_alice.get(path).body["connection_changes"])

    def both(*names: str) -> list[tuple[str, str]]:
        return [(f"{name} 2", change) for name in names for change in ("broken", "changed")]

    assert marks(workflow.id, 60) == both("Bank", "ERP"), "what was live when the range began was live in it"
    assert marks(workflow.id, 19) == both("Bank")
    assert marks(workflow.id, 300) == both("Bank", "ERP", "Shop")
    assert marks(other.id, 60) == both("Mail")
    assert marks(None, 60) == both("Bank", "ERP", "Mail", "Shop")
    assert marks(world.workflow("Never live").id, 60) == []


@pytest.mark.parametrize("end", ["repaired", "paused no more", "removed"])
def test_that_a_connection_broke_is_told_when_it_is_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(trials.TRIALS, "trial", lambda *_: trials.Outcome(True, "It works."))
    fields = {"token": "a-secret-of-theirs", "allowed_hosts": ["api.example.com"]}
    body = {"kind": "http_bearer", "name": "ERP", "fields": fields, "if_broken": "wait"}
    made = world.as_alice.post(f"{world.here}/connections", body).body["id"]
    here = f"{world.here}/connections/{made}"
    broke = database_now() - 40 * MINUTE
    Budget.objects.filter(pk=made).update(broken_at=broke, broken_reason="401")

    def marks(since: int, until: int) -> list[tuple[str, str, str, str | None]]:
        path = f"{world.here}/monitor?begin={stamp(broke + since * MINUTE)}&end={stamp(broke + until * MINUTE)}"
        found = world.as_alice.get(path).body["connection_changes"]
        return [(one["change"], one["name"], one["at"], one["by"]) for one in found]

    told = [("broken", "ERP", stamp(broke), None)]
    assert marks(-10, 20) == told
    match end:
        case "repaired":
            assert world.as_alice.post(f"{here}/test", {}).status == 200
        case "paused no more":
            assert world.as_alice.patch(here, {"if_broken": "fail"}).status == 200
        case _:
            assert world.as_alice.delete(here).status == 204
    assert Budget.objects.get(pk=made).broken_at is None
    assert marks(-10, 20) == told, "it stays where it was, though that it ended stands elsewhere"
    assert marks(-40, -10) == marks(10, 30) == []
    changes = [change for change, *_ in marks(-10, 60)]
    assert changes == ["changed" if end == "paused no more" else end, "broken"]
    assert world.as_mallory.get(f"{world.there}/monitor").body["connection_changes"] == []


def test_changes_of_connections_are_told_though_the_clock_was_ahead_for_a_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"kind": "http_bearer", "name": "ERP", "fields": {"token": "theirs", "allowed_hosts": ["api.example.com"]}}
    made = world.as_alice.post(f"{world.here}/connections", body).body["id"]
    head = chain._head

    def changed(name: str, ahead: int) -> None:
        def moved(ask: Any, of: str) -> tuple[int, str, int]:
            sequence, digest, now = head(ask, of)
            return sequence, digest, now + ahead

        monkeypatch.setattr(chain, "_head", moved)
        assert world.as_alice.patch(f"{world.here}/connections/{made}", {"name": name}).status == 200

    changed("ERP of Bern", 24 * 60 * MINUTE)
    changed("ERP of Basel", 0)
    now = database_now()
    path = f"{world.here}/monitor?end={stamp(now + MINUTE)}&begin={stamp(now - 30 * MINUTE)}"
    (only,) = world.as_alice.get(path).body["connection_changes"]
    assert (only["change"], only["by"]) == ("changed", world.alice.name)
    assert only["at"] < stamp(now + MINUTE)


@pytest.mark.parametrize(
    "query",
    ["minutes=14", "minutes=600000", "begin=2026-01-01T00:00:00Z&end=2026-01-01T00:05:00Z",
     "begin=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "begin=2024-01-01T00:00:00Z&end=2026-01-01T00:00:00Z"],
)  # fmt: skip
def test_a_range_that_makes_no_sense_is_refused(world: World, query: str) -> None:
    assert world.as_alice.get(f"{world.here}/monitor?{query}").status == 400


@pytest.fixture
def watched(settings: Settings, tmp_path: Path, transactional_db: None) -> Application:
    settings.FRONTEND_DIR = tmp_path / "none"
    settings.METRICS_TOKEN = TOKEN
    return Application()


def lines_of(application: Application) -> dict[str, str]:
    answer = ask(application, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_metrics_are_told_to_whoever_has_the_token(watched: Application, world: World) -> None:
    workflow = world.workflow('Pay "all"\\')
    happened(world.northwind.id, workflow.id, started=70, completed=60, failed=8, received=90, duplicates=4)
    found = lines_of(watched)
    labels = 'workspace="Northwind",workflow="Pay \\"all\\"\\\\"'
    assert found[f"millrace_runs_started_total{{{labels}}}"] == "70"
    assert found[f'millrace_runs_ended_total{{{labels},outcome="failed"}}'] == "8"
    assert found[f'millrace_deliveries_total{{{labels},kind="duplicate"}}'] == "4"
    buckets = {key: int(value) for key, value in found.items() if key.startswith("millrace_run_duration_seconds_buc")}
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets['millrace_run_duration_seconds_bucket{workspace="Northwind",le="10"}'] == 10
    assert buckets['millrace_run_duration_seconds_bucket{workspace="Northwind",le="+Inf"}'] == 60
    assert found['millrace_runs_due{workspace="Northwind"}'] == "0"
    assert found['millrace_processes{kind="worker"}'] == "0"
    assert found["millrace_accepts"] == "1"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer another"}, {"Authorization": f"Basic {TOKEN}"}],
)
def test_to_everybody_else_metrics_are_absent(watched: Application, headers: dict[str, str]) -> None:
    assert ask(watched, "/metrics", headers=headers).status == 404


def test_without_a_token_in_the_settings_nobody_is_told_metrics(watched: Application, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert ask(watched, "/metrics", headers={"Authorization": "Bearer "}).status == 404


def test_readiness_is_the_database_and_strictly_all_that_runs_need(
    watched: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(watched, "/readyz")
    assert (answer.status, answer.body) == (200, b"database ok\nbroker ok\nworkers away\n")
    assert ask(watched, "/readyz?strict").status == 503
    now = database_now()
    Process.objects.create(boot_id="w", kind="worker", host="h", pid=1, started_at=now, seen_at=now)
    answer = ask(watched, "/readyz?strict")
    assert (answer.status, answer.body) == (200, b"database ok\nbroker ok\nworkers ok\n")

    def away(*_: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr("runtime.api.metrics.standing.alive", away)
    answer = ask(watched, "/readyz")
    assert (answer.status, answer.body.splitlines()[0]) == (503, b"database away")


def test_everybody_is_told_whether_anything_works_on_runs(world: World) -> None:
    now = database_now()
    Process.objects.create(boot_id="t", kind="ticker", host="h", pid=1, started_at=now, seen_at=now)
    assert world.as_vera.get(f"{world.here}/working").body == {"workers": False}
    Process.objects.create(boot_id="w", kind="worker", host="h", pid=2, started_at=now, seen_at=now)
    assert world.as_vera.get(f"{world.here}/working").body == {"workers": True}
    Process.objects.filter(boot_id="w").update(stopped_at=now)
    assert world.as_vera.get(f"{world.here}/working").body == {"workers": False}
