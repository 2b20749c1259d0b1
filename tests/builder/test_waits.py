"""Who may see, move on and send what waiting steps wait for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from builder.accounts.rights import Scope
from runtime.engine.ids import uuid7
from runtime.interpreter.keys import stored_secret
from runtime.interpreter.signals import link_path
from runtime.store.models import Run, Signal, SignalWait, StepRun, Version
from runtime.worker.boot import instance
from tests import factories
from tests.builder.conftest import World

AT = 1_795_000_000_000


@pytest.fixture
def run(world: World) -> UUID:
    """A run of Northwind whose step waits for its link, and whose mail carried it."""
    workflow = world.workflow(
        graph=factories.graph(
            ("start", "trigger.manual@1", {}),
            ("wait", "flow.wait_signal@1", {"title": "Confirm PO-7"}),
            edges=["start -> wait"],
        )
    )
    assert world.as_bo.post(f"{world.here}/workflows/{workflow.id}/publish", {"revision": 1}).status == 201
    instance()
    version = Version.objects.get(workflow_id=workflow.id)
    made = Run.objects.create(
        workspace_id=world.northwind.id, workflow_id=workflow.id, version=version, trigger_node="n_start",
        started_by="test", status="waiting_event", accepted_at=AT, seq=3,
    )  # fmt: skip
    secret = stored_secret()
    assert secret is not None
    for node, status in (("n_start", "succeeded"), ("n_wait", "waiting")):
        StepRun.objects.create(
            run=made, node_id=node, node_key=node.removeprefix("n_"), status=status, attempt=1, seq=2,
            input='{{"text":"Open http://x.example{} please"}}'.format(link_path(secret, made.id, "n_wait", 1)),
            output='{"data":null}', wait='{"kind":"event","until":null}' if status == "waiting" else None,
        )  # fmt: skip
    SignalWait.objects.create(
        workspace_id=world.northwind.id, workflow_id=workflow.id, run=made, node_id="n_wait", generation=1,
        kind="link", title="Confirm PO-7", since=AT, created_at=AT,
    )  # fmt: skip
    return made.id


def test_a_wait_is_seen_by_all_and_its_link_by_those_who_may_use_it(world: World, run: UUID) -> None:
    path = f"{world.here}/runs/{run}/waits"
    (found,) = world.as_vera.get(path).body["items"]
    assert (found["node"], found["kind"], found["status"], found["title"]) == ("n_wait", "link", "open", "Confirm PO-7")
    assert "url" not in found
    link = world.as_rosa.get(f"{path}/n_wait/link").body["url"]
    assert f"/hooks/resume/{run}/n_wait/1/" in link
    assert world.as_vera.get(f"{path}/n_wait/link").status == 403
    assert world.program(world.alice, Scope.READ).get(f"{path}/n_wait/link").status == 403
    assert world.as_mallory.get(f"{path}/n_wait/link").status == 404
    assert world.as_rosa.get(f"{path}/n_start/link").status == 404


def test_data_that_is_shown_keeps_the_secret_of_a_link_from_those_who_may_not_use_it(world: World, run: UUID) -> None:
    path = f"{world.here}/runs/{run}/steps/n_start"
    link = world.as_rosa.get(f"{world.here}/runs/{run}/waits/n_wait/link").body["url"]
    secret = link.rpartition("/")[2]
    assert secret in world.as_rosa.get(path).body["input"]["text"]
    for caller in (world.as_vera, world.program(world.alice, Scope.READ)):
        answer = caller.get(path)
        assert answer.status == 200
        assert secret not in answer.raw.decode()
        assert answer.body["input"]["text"].endswith("/1/… please")


def test_a_reviewer_lets_the_run_go_on_and_is_named(world: World, run: UUID) -> None:
    path = f"{world.here}/runs/{run}/waits"
    assert world.as_vera.post(f"{path}/n_wait/resume", {}).status == 403
    answer = world.as_rosa.post(f"{path}/n_wait/resume", {"data": {"told": "by phone"}})
    assert (answer.status, answer.body["status"], answer.body["by"]) == (200, "resumed", "Rosa")
    assert world.as_vera.get(path).body["items"][0]["by"] == "Rosa"
    again = world.as_bo.post(f"{path}/n_wait/resume", {})
    assert (again.status, again.code) == (409, "already_resumed")
    assert world.as_rosa.get(f"{path}/n_wait/link").status == 409
    assert world.as_rosa.post(f"{path}/n_start/resume", {}).status == 404


def test_an_event_is_sent_once_under_its_key(world: World) -> None:
    body: dict[str, Any] = {"name": "order.shipped", "key": 4711, "data": {"parcel": "12"}}
    headers = {"Idempotency-Key": "k1"}
    program = world.program(world.rosa, Scope.RUN)
    first = program.post(f"{world.here}/sent-events", body, headers=headers)
    assert (first.status, first.body["moved_on"], first.body["duplicate"]) == (202, 0, False)
    again = program.post(f"{world.here}/sent-events", body, headers=headers)
    assert (again.status, again.body["id"], again.body["duplicate"]) == (200, first.body["id"], True)
    other = program.post(f"{world.here}/sent-events", {**body, "data": None}, headers=headers)
    assert (other.status, other.code) == (409, "key_reused")
    assert world.as_bo.post(f"{world.here}/sent-events", body, headers=headers).status == 202, (
        "a key is each asker's own"
    )
    signal = Signal.objects.get(pk=first.body["id"])
    assert (signal.name, signal.key, signal.workspace_id) == ("order.shipped", "4711", world.northwind.id)
    assert signal.sent_by == f"user:{world.rosa.id}"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"key": "a"}, "name"),
        ({"name": "a"}, "key"),
        ({"name": " ", "key": "a"}, "name"),
        ({"name": "a", "key": True}, "key"),
        ({"name": "a", "key": "b" * 201}, "key"),
        ({"name": "a", "key": "b", "mode": "live"}, "mode"),
    ],
)
def test_an_event_that_says_too_little_or_too_much_is_refused(world: World, body: dict[str, Any], field: str) -> None:
    answer = world.as_rosa.post(f"{world.here}/sent-events", body)
    assert answer.status == 422
    assert set(answer.body["fields"]) == {field}
    assert not Signal.objects.exists()


def test_another_workspaces_run_is_not_there(world: World, run: UUID) -> None:
    for path in (f"{world.there}/runs/{run}/waits", f"{world.here}/runs/{uuid7()}/waits"):
        assert world.as_mallory.get(path).status == 404
        assert world.as_mallory.post(f"{path}/n_wait/resume", {}).status == 404
    assert SignalWait.objects.get(run_id=run).status == "open"
