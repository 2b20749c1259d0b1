"""Dead letters gone on with in bulk, by the API."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.models import BulkRetry, DeadLetter, Run, Version
from tests import factories
from tests.builder.conftest import World

BULK = "dead-letters/bulk-retries"


def letters(world: World, count: int = 3) -> list[str]:
    """Runs of a live workflow that have failed alike, the newest first."""
    workflow = world.workflow(graph=factories.graph(("start", "trigger.manual@1", {})))
    assert world.as_bo.post(f"{world.here}/workflows/{workflow.id}/publish", {"revision": 1}).status == 201
    version = Version.objects.get(workflow_id=workflow.id)
    made = [
        Run.objects.create(
            workspace_id=world.northwind.id, workflow_id=workflow.id, version=version, trigger_node="n_start",
            mode="live", started_by="api", status="dead_lettered", accepted_at=1, finished_at=2, seq=3,
        )
        for _ in range(count)
    ]  # fmt: skip
    for run in made:
        DeadLetter.objects.create(
            run_id=run.pk, generation=run.generation, workspace_id=run.workspace_id, workflow_id=run.workflow_id,
            node_id="n_start", cause="c1", code="refused", title="The ERP refused it", message="No.", pattern="No.",
            at=2,
        )  # fmt: skip
    return [str(run.pk) for run in reversed(made)]


def test_a_bulk_retry_is_started_found_again_and_stopped_by_whoever_may_retry(world: World) -> None:
    runs = letters(world)
    body = {"cause": "c1", "per_minute": 30, "stop_after": 2, "trial": True, "reason": "The ERP is back."}
    assert world.as_vera.post(f"{world.here}/{BULK}", body).status == 403
    made = world.as_rosa.post(f"{world.here}/{BULK}", body)
    assert made.status == 202, made.body
    said = {key: made.body[key] for key in ("status", "total", "left", "per_minute", "stop_after", "by", "reason")}
    assert said == {
        "status": "trying", "total": 3, "left": 3, "per_minute": 30, "stop_after": 2, "by": "Rosa",
        "reason": "The ERP is back.",
    }  # fmt: skip
    assert (made.body["title"], made.body["cause"], made.body["workflow_held"]) == ("The ERP refused it", "c1", False)
    path = f"{world.here}/{BULK}/{made.body['id']}"
    assert world.as_vera.get(f"{world.here}/{BULK}").body["items"] == [made.body]
    assert world.as_vera.get(path).body == {**made.body, "runs": []}
    again = world.as_bo.post(f"{world.here}/{BULK}", body)
    assert (again.status, again.code) == (409, "under_way")
    early = world.as_rosa.post(f"{path}/go-on")
    assert (early.status, early.code) == (409, "not_waiting")
    stopped = world.as_bo.post(f"{path}/stop")
    assert (stopped.status, stopped.body["status"], stopped.body["ended_by"]) == (202, "cancelled", "Bo")
    late = world.as_bo.post(f"{path}/stop")
    assert (late.status, late.code) == (409, "bulk_over")
    assert Run.objects.filter(pk__in=runs, generation=1).count() == 3


def test_after_the_trial_somebody_says_that_it_goes_on(world: World) -> None:
    letters(world)
    made = world.as_rosa.post(f"{world.here}/{BULK}", {"cause": "c1", "trial": True}).body
    BulkRetry.objects.update(status="waiting", trial="done", begun=1, done=1)
    going = world.as_rosa.post(f"{world.here}/{BULK}/{made['id']}/go-on")
    assert (going.status, going.body["status"], going.body["left"]) == (202, "running", 2)


def test_a_repeat_of_the_request_gets_the_first_answer(world: World) -> None:
    runs = letters(world)
    first, again = (
        world.as_rosa.post(f"{world.here}/{BULK}", {"runs": runs[:2]}, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    )
    assert first.body == again.body
    assert (first.body["total"], first.body["cause"]) == (2, None)
    assert BulkRetry.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cause": "c1", "runs": ["01890a5d-ac96-774b-bcce-b302099a8057"]},
        {"runs": []},
        {"cause": "c1", "per_minute": 0},
        {"cause": "c1", "per_minute": 6001},
        {"cause": "c1", "stop_after": 0},
        {"cause": "c1", "count": 10_001},
        {"cause": "c1", "version": "newest"},
        {"cause": "c1", "until": "2026-11-01T10:00:00"},
        {"cause": "c1", "reason": "x" * 401},
    ],
)
def test_what_is_no_bulk_retry_is_refused_with_what_to_do(world: World, body: dict[str, Any]) -> None:
    letters(world, 1)
    answer = world.as_rosa.post(f"{world.here}/{BULK}", body)
    assert answer.status == 422, answer.body
    assert not BulkRetry.objects.exists()


def test_a_plan_is_of_the_group_that_would_be_retried_and_changes_nothing(world: World) -> None:
    letters(world)
    plan = world.as_vera.post(f"{world.here}/{BULK}/plan", {"kind": "retry", "cause": "c1", "count": 2})
    assert plan.status == 200, plan.body
    assert (plan.body["total"], plan.body["more"], plan.body["again"]) == (2, False, 0)
    early = {"kind": "retry", "cause": "c1", "until": "1969-12-31T00:00:00Z"}
    assert world.as_vera.post(f"{world.here}/{BULK}/plan", early).body["total"] == 0
    both = {"kind": "retry", "cause": "c1", "search": {}}
    for wrong in ({"kind": "retry"}, both, {"kind": "cancel", "cause": "c1"}):
        assert world.as_vera.post(f"{world.here}/{BULK}/plan", wrong).status == 422
    assert not BulkRetry.objects.exists()


def test_who_solved_the_last_one_is_told_where_none_is_left(world: World) -> None:
    path = f"{world.here}/dead-letters"
    assert world.as_vera.get(path).body["last_solved"] is None
    runs = letters(world, 2)
    solve = {"runs": runs[:1], "reason": "By hand."}
    assert world.as_rosa.post(f"{path}/solve", solve).status == 200
    assert world.as_vera.get(path).body["last_solved"] is None, "one is left"
    assert world.as_bo.post(f"{path}/solve", {**solve, "runs": runs[1:]}).status == 200
    # What was decided last counts, also where something else had failed later.
    DeadLetter.objects.filter(run_id=runs[0]).update(at=3, solved_at=1_000)
    DeadLetter.objects.filter(run_id=runs[1]).update(solved_at=2_000)
    told = world.as_vera.get(path).body
    assert (told["count"], told["last_solved"]) == (0, {"at": "1970-01-01T00:00:02.000Z", "by": "Bo"})
    assert world.as_mallory.get(f"{world.there}/dead-letters").body["last_solved"] is None


def test_another_workspace_has_none(world: World) -> None:
    letters(world, 1)
    assert world.as_rosa.post(f"{world.here}/{BULK}", {"cause": "c1"}).status == 202
    assert world.as_rosa.get(f"{world.here}/{BULK}/{uuid7()}").status == 404


def test_a_group_of_a_workflow_that_is_paused_still_accepting_says_so(world: World) -> None:
    letters(world, 1)
    (group,) = world.as_vera.get(f"{world.here}/dead-letters").body["items"]
    assert not group["workflow_held"]
    held = world.as_bo.post(f"{world.here}/workflows/{group['workflow']['id']}/hold", {"reason": "The ERP is down."})
    assert held.status in (200, 202), held.body
    (group,) = world.as_vera.get(f"{world.here}/dead-letters").body["items"]
    made = world.as_rosa.post(f"{world.here}/{BULK}", {"cause": "c1"}).body
    assert (group["workflow_held"], made["workflow_held"]) == (True, True)


def test_a_group_of_items_of_a_batch_says_that_they_are(world: World) -> None:
    (run,) = letters(world, 1)
    (group,) = world.as_vera.get(f"{world.here}/dead-letters").body["items"]
    assert not group["are_items"]
    version = Run.objects.get(pk=run).version
    graph: Any = loads_stored(version.graph)
    graph["nodes"][0] |= {"id": "n_each", "type": "flow.for_each@1"}
    version.graph = dumps(graph)
    version.save()
    around = {"parent_run_id": uuid7(), "parent_node": "n_each", "item_index": 0}
    Run.objects.filter(pk=run).update(trigger_node="n_each", **around)
    (group,) = world.as_vera.get(f"{world.here}/dead-letters").body["items"]
    assert group["are_items"]
