"""When a run was at work, over the API: for the drawing of its timeline."""

from __future__ import annotations

from uuid import uuid4

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store.models import Attempt, Run, StepRun
from tests.builder.conftest import World
from tests.builder.test_comparisons import AT, lived, publish


def test_the_tries_and_the_items_of_a_run_are_told_with_their_times(world: World) -> None:
    workflow = world.workflow()
    version = publish(world, workflow)
    run_id = lived(world, version, {}, took=1600)
    StepRun.objects.create(
        run_id=run_id, node_id="n_pay", node_key="pay", status="succeeded", attempt=2, seq=3, token=1, started_at=AT
    )
    refused = dumps({"code": "http_503", "title": "It is busy", "message": "Later.", "http_status": 503})
    for number, (status, error) in enumerate((("failed", refused), ("succeeded", None)), start=1):
        Attempt.objects.create(
            run_id=run_id, node_id="n_pay", attempt=number, status=status, effect_class="pure", lease_token=1,
            worker="w", started_at=AT + 10 * number, finished_at=AT + 10 * number + 5, error=error,
        )  # fmt: skip
    for index in range(12):
        Run.objects.create(
            id=uuid7(), workspace_id=world.northwind.id, workflow_id=version.workflow_id, version=version,
            trigger_node="n_each", started_by="run", status="completed", accepted_at=AT, started_at=AT,
            finished_at=AT + 1599, parent_run_id=run_id, parent_node="n_each", item_index=index,
        )  # fmt: skip
    told = world.as_alice.get(f"{world.here}/runs/{run_id}/times")
    assert told.status == 200
    first, second = told.body["tries"]
    assert (first["attempt"], first["at"], first["error"]["title"]) == (1, "2026-11-20T09:41:07.010Z", "It is busy")
    assert (second["attempt"], second["error"]) == (2, None)
    (one,) = told.body["containers"]
    assert (one["node"], one["runs"], one["width_ms"], len(one["slices"])) == ("n_each", 12, 10, 160)
    assert one["slices"][0] == {"busy": 12.0, "done": 0, "failed": 0}
    assert one["slices"][159] == {"busy": 12.0, "done": 12, "failed": 0}
    part = world.as_alice.get(f"{world.here}/runs/{run_id}/times?begin=100&end=260")
    assert (part.body["containers"][0]["since"], part.body["containers"][0]["width_ms"]) == (
        "2026-11-20T09:41:07.100Z",
        1,
    )


def test_what_is_no_stretch_is_refused_and_other_workspaces_runs_are_not_there(world: World) -> None:
    path = f"{world.here}/runs/{uuid4()}/times"
    assert world.as_alice.get(path).status == 404
    for query in ("begin=-1", "end=x", "slices=3"):
        assert world.as_alice.get(f"{path}?{query}").status == 400, query
