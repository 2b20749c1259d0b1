"""Runs are looked back on over the API: their film, what changed since the last good one, and two beside each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from builder.connections import services as connections
from builder.connections.models import Connection
from builder.workflows import services
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store.models import Run, StepRun, Version
from tests import factories
from tests.builder.conftest import World

AT = 1_795_167_667_000
LINK = f"https://millrace.example/hooks/resume/{uuid4()}/wait/1/" + "a" * 40


def publish(world: World, workflow: Any, graph: dict[str, Any] | None = None) -> Version:
    now = datetime.now(UTC)
    if graph is not None:
        services.save_draft(workflow=workflow, graph=graph, expected=workflow.draft.revision, by=world.bo, now=now)
    services.publish(workflow=workflow, by=world.bo, note="")
    return Version.objects.filter(workflow_id=workflow.id).latest("number")


def lived(
    world: World,
    version: Version,
    given: Any,
    *,
    status: str = "completed",
    took: int = 100,
    at: int = AT,
    inside: Any = None,
    **more: Any,
) -> UUID:
    """A run of the small graph whose second step took so long."""
    run_id = uuid7()
    Run.objects.create(
        id=run_id, workspace_id=world.northwind.id, workflow_id=version.workflow_id, version=version, seq=2,
        trigger_node="n_start", started_by=f"user:{world.bo.id}", status=status, accepted_at=at, started_at=at,
        finished_at=at + took, **more,
    )  # fmt: skip
    steps = (("n_start", "start", "succeeded", given, 0), ("n_fields", "fields", "succeeded", {"ok": True}, took))
    for seq, (node, key, stands, output, lasted) in enumerate(steps, start=1):
        failed = node == "n_fields" and status != "completed"
        StepRun.objects.create(
            run_id=run_id, node_id=node, node_key=key, status="failed" if failed else stands, attempt=1,
            ports="[]" if failed else '["out"]', output=None if failed else dumps(output), seq=seq, token=1,
            input=None if inside is None else dumps(inside),
            started_at=at, finished_at=at + lasted,
            error=dumps({"code": "http_500", "title": "It broke"}) if failed else None,
        )  # fmt: skip
    return run_id


def test_what_changed_since_the_last_good_run_stands_on_one_list(world: World) -> None:
    workflow = world.workflow()
    version = publish(world, workflow)
    good = lived(world, version, {"total": 5, "city": "Bremen"})
    graph = factories.small_graph()
    graph["nodes"][1]["name"] = "Renamed"
    changed = publish(world, workflow, graph)
    bad = lived(world, changed, {"total": 7, "city": "Bremen"}, status="dead_lettered", took=900, at=AT + 60_000)
    found = world.as_vera.get(f"{world.here}/runs/{bad}/since-good").body["found"]
    assert (found["here"]["id"], found["there"]["id"]) == (str(bad), str(good))
    assert (found["version"]["here"], found["version"]["there"]) == (2, 1)
    assert found["version"]["changed"] == [{"step": "Renamed", "fields": ["name"]}]
    assert found["start"] == [{"path": ["total"], "change": "changed", "here": 7, "there": 5}]
    fields = next(one for one in found["steps"] if one["node"] == "n_fields")
    assert set(fields["differs"]) == {"status", "way", "duration", "output", "error"}
    assert fields["times"] == 9.0
    assert found["first"] == "n_fields"


def test_where_there_was_no_good_run_before_it_says_so(world: World) -> None:
    run_id = lived(world, publish(world, world.workflow()), {})
    assert world.as_vera.get(f"{world.here}/runs/{run_id}/since-good").body == {"found": None}


def test_a_connection_that_was_changed_since_is_named_and_nothing_of_what_stands_in_it(world: World) -> None:
    row = connections.create(
        workspace=world.northwind,
        by=world.bo,
        kind="http_bearer",
        name="ERP production",
        fields={"token": "s3cret-token", "allowed_hosts": ["erp.example"]},
    )
    Connection.objects.filter(pk=row.pk).update(updated_at=datetime(2020, 1, 1, tzinfo=UTC))
    graph = factories.graph(
        ("start", "trigger.manual@1", {}),
        ("done", "http.request@1", {"method": "GET", "url": "https://erp.example", "connection": str(row.id)}),
        edges=["start -> done"],
    )
    version = publish(world, world.workflow(graph=graph))
    lived(world, version, {})
    run_id = lived(world, version, {}, at=AT + 1)
    path = f"{world.here}/runs/{run_id}/since-good"
    assert world.as_vera.get(path).body["found"]["connections"] == []
    when = datetime.fromtimestamp(AT / 1000 + 5, UTC)
    connections.change(row=row, name=None, fields={"token": "another-token"}, now=when)
    answer = world.as_vera.get(path)
    told = answer.body["found"]["connections"]
    assert [(one["name"], one["change"], one["at"]) for one in told] == [
        ("ERP production", "changed", when.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    ]
    assert "token" not in str(told)


def test_values_that_somebody_may_not_see_are_not_told_by_what_they_differ(world: World) -> None:
    version = publish(world, world.workflow())
    one = lived(world, version, {"link": LINK})
    two = lived(world, version, {"link": LINK.replace("a" * 40, "b" * 40)})
    path = f"{world.here}/runs/{one}/compare/{two}"
    seen = world.as_vera.get(path)
    field = seen.body["start"][0]
    assert (field["path"], field["change"]) == (["link"], "changed"), "that it differs is told"
    assert "aaaa" not in str(seen.body)
    assert "bbbb" not in str(seen.body)
    assert "aaaa" in str(world.as_rosa.get(path).body)
    inner = world.as_vera.get(f"{path}/steps/n_start").body
    assert [one["path"] for one in inner["output"]] == [["link"]]
    assert "aaaa" not in str(inner)


def test_runs_of_different_workflows_and_of_others_are_not_compared(world: World) -> None:
    one = lived(world, publish(world, world.workflow("One")), {})
    two = lived(world, publish(world, world.workflow("Two")), {})
    answer = world.as_vera.get(f"{world.here}/runs/{one}/compare/{two}")
    assert (answer.status, answer.code) == (409, "other_workflow")
    assert world.as_mallory.get(f"{world.there}/runs/{one}/compare/{one}").status == 404
    assert world.as_vera.get(f"{world.here}/runs/{one}/compare/{one}/steps/nowhere").status == 404


def test_a_film_names_who_started_the_run(world: World) -> None:
    run_id = lived(world, publish(world, world.workflow()), {}, took=900)
    found = world.as_vera.get(f"{world.here}/runs/{run_id}/playback").body
    assert (found["frames"][0]["kind"], found["frames"][0]["by"]) == ("accepted", "Bo")
    told = [(one["node"], one["status"]) for frame in found["frames"] for one in frame["steps"]]
    assert ("n_fields", "running") in told
    assert told[-1] == ("n_fields", "succeeded")
    assert found["whole"] is True
