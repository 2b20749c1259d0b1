"""Dead letters that are given other values many at once, by the API: who may, and what nobody is shown unasked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builder.audit.models import AuditRow
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.models import BulkRetry, BulkRetryItem, DeadLetter, Run, StepRun, Version
from tests import factories
from tests.builder.conftest import World

BULK = "dead-letters/bulk-retries"


GIVEN = dumps({"message": "No."})


def letters(world: World, count: int = 2, given: str = GIVEN) -> list[str]:
    """Runs whose step `note` has failed with what it was given, the newest first."""
    graph = factories.graph(("start", "trigger.manual@1", {}), ("stop", "flow.fail@1", {"message": "No."}))
    workflow = world.workflow(graph=graph)
    assert world.as_bo.post(f"{world.here}/workflows/{workflow.id}/publish", {"revision": 1}).status == 201
    version = Version.objects.get(workflow_id=workflow.id)
    made = []
    for _ in range(count):
        run = Run.objects.create(
            workspace_id=world.northwind.id, workflow_id=workflow.id, version=version, trigger_node="n_start",
            mode="live", started_by="api", status="dead_lettered", accepted_at=1, finished_at=2, seq=3,
        )  # fmt: skip
        StepRun.objects.create(
            run_id=run.pk, generation=1, seq=2, node_id="n_start", node_key="start", status="succeeded", attempt=1,
            ports='["main"]', output="{}",
        )  # fmt: skip
        StepRun.objects.create(
            run_id=run.pk, generation=1, seq=3, node_id="n_stop", node_key="stop", status="failed", attempt=1,
            input=given,
        )  # fmt: skip
        DeadLetter.objects.create(
            run_id=run.pk, generation=1, workspace_id=run.workspace_id, workflow_id=run.workflow_id,
            node_id="n_stop", cause="c1", code="refused", title="Refused", message="No.", pattern="No.", at=2,
        )  # fmt: skip
        made.append(str(run.pk))
    return made[::-1]


def edit(run: str, value: Any = "Yes.", path: str = "message") -> dict[str, Any]:
    return {"run": run, "generation": 1, "node": "n_stop", "fields": [{"path": [path], "value": value}]}


def test_sensitive_values_are_masked_for_everybody_and_stay_what_they_were(world: World) -> None:
    world.northwind.sensitive_fields = ["Message"]
    world.northwind.save()
    first, second = letters(world)
    for caller in (world.as_vera, world.as_alice):
        rows = caller.get(f"{world.here}/dead-letters/c1/edits").body["items"]
        assert [(row["run"]["id"], row["fixed"], row["type"]) for row in rows] == [
            (first, None, "flow.fail@1"),
            (second, None, "flow.fail@1"),
        ]
        assert rows[0]["input"] == {"message": {"$masked": []}}
    masks: list[Any] = [{"$masked": []}, "••••"]
    for mask in masks:
        sent = world.as_bo.post(f"{world.here}/{BULK}", {"edits": [edit(first, mask)]})
        assert sent.status == 422, sent.body
    assert not BulkRetry.objects.exists()
    assert world.as_bo.post(f"{world.here}/{BULK}", {"edits": [edit(first)]}).status == 202, "typed over unseen"


def test_only_who_may_edit_workflows_gives_runs_other_values(world: World) -> None:
    first, _ = letters(world)
    body = {"edits": [edit(first)], "trial": True}
    assert world.as_vera.post(f"{world.here}/{BULK}", body).status == 403
    assert world.as_rosa.post(f"{world.here}/{BULK}", body).status == 403
    made = world.as_bo.post(f"{world.here}/{BULK}", body)
    assert (made.status, made.body["total"], made.body["title"]) == (202, 1, "Refused"), made.body


def test_what_was_changed_is_kept_until_its_turn_and_goes_on_record_by_name(world: World) -> None:
    first, second = letters(world)
    body = {"edits": [edit(second, "Two."), edit(first, "One.")], "reason": "Wrong words."}
    assert world.as_bo.post(f"{world.here}/{BULK}", body).status == 202
    items = BulkRetryItem.objects.order_by("place")
    assert [str(one.run_id) for one in items] == [second, first], "in their order"
    kept: Any = loads_stored(str(items[0].edits))
    assert kept["fields"] == [[["message"], "Two."]]
    entry = AuditRow.objects.get(verb="dead_letters.retry_begun")
    told = json.loads(entry.detail)["edits"]["n_stop"]
    assert told["changed"] == ["message"]
    assert told["sha256_before"] != told["sha256_after"]
    assert "Two." not in entry.detail


def test_a_repeat_of_the_request_changes_nothing_twice(world: World) -> None:
    first, _ = letters(world)
    answers = [
        world.as_bo.post(f"{world.here}/{BULK}", {"edits": [edit(first)]}, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert answers[0].body == answers[1].body
    assert BulkRetry.objects.count() == 1


def test_rows_that_cannot_be_are_named_by_their_run(world: World) -> None:
    first, second = letters(world)
    answer = world.as_bo.post(f"{world.here}/{BULK}", {"edits": [edit(first), edit(second, path="nothing")]})
    assert answer.status == 422
    assert list(answer.body["fields"]) == [f"edits.{second}"]
    assert not BulkRetry.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"cause": "c1"},
        {"version": "published"},
        {"kind": "replay"},
        {"edits": []},
    ],
)
def test_what_is_no_such_retry_is_refused(world: World, more: dict[str, Any]) -> None:
    first, _ = letters(world)
    assert world.as_bo.post(f"{world.here}/{BULK}", {"edits": [edit(first)], **more}).status == 422
    twice = {"edits": [edit(first), edit(first)]}
    assert world.as_bo.post(f"{world.here}/{BULK}", twice).status == 422
