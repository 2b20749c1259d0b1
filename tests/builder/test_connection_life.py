"""What becomes of a connection in its life: what it is for, until when it is good, who uses it, and that it breaks."""

from __future__ import annotations

from uuid import UUID

import pytest

from builder.connections import services as connections
from builder.connections import trials
from builder.connections.models import Connection
from builder.connections.vault import SealedVault
from builder.workflows.models import Draft
from runtime import api
from runtime.store.models import Budget
from tests import factories
from tests.builder.conftest import World

FIELDS = {"token": "a long enough secret", "base_url": "https://bank.example"}


def made(world: World, name: str = "Bank", **more: object) -> str:
    body = {"kind": "http_bearer", "name": name, "fields": FIELDS, **more}
    answer = world.as_bo.post(f"{world.here}/connections", body)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


def test_what_it_is_for_and_until_when_it_is_good_is_kept(world: World) -> None:
    here = f"{world.here}/connections/{made(world, environment='production', expires_on='2027-01-31')}"
    found = world.as_bo.get(here).body
    assert (found["environment"], found["expires_on"], found["if_broken"]) == ("production", "2027-01-31", "fail")
    changed = world.as_bo.patch(here, {"expires_on": None}).body
    assert (changed["environment"], changed["expires_on"]) == ("production", None)
    assert world.as_bo.patch(here, {"environment": "moon"}).status == 422


def test_when_it_was_last_used_is_noted_now_and_then(world: World) -> None:
    identity = UUID(made(world))
    vault = SealedVault()
    vault.open(workspace_id=world.northwind.id, connection_id=identity)
    first = Connection.objects.get(pk=identity).last_used_at
    assert first is not None
    vault.open(workspace_id=world.northwind.id, connection_id=identity)
    assert Connection.objects.get(pk=identity).last_used_at == first


def test_it_is_replaced_in_all_drafts_and_the_steps_are_named_before(world: World) -> None:
    old, new = made(world), made(world, "New bank")
    config = {"url": "https://bank.example/a", "connection": old}
    graph = factories.graph(("start", "trigger.manual@1", {}), ("call", "http.request@1", config))
    workflow = world.workflow(graph=graph)
    (use,) = world.as_bo.get(f"{world.here}/connections/{old}/uses").body["items"]
    assert (use["workflow_id"], use["steps"], use["draft"], use["live"]) == (str(workflow.id), ["Call"], True, False)
    done = world.as_bo.post(f"{world.here}/connections/{old}/replace", {"other": new})
    assert done.body == {"workflows": 1, "steps": 1}
    draft = Draft.objects.get(workflow=workflow)
    assert old not in draft.graph
    assert new in draft.graph
    assert draft.revision == 2
    assert world.as_bo.post(f"{world.here}/connections/{old}/replace", {"other": new}).body["steps"] == 0
    assert world.as_bo.post(f"{world.here}/connections/{old}/replace", {"other": old}).code == "other_kind"


def test_another_kind_does_not_come_in_its_place(world: World) -> None:
    secret = connections.create(
        workspace=world.northwind,
        by=world.bo,
        kind="webhook_secret",
        name="W",
        fields={"secret": "a long enough secret"},
    )
    refused = world.as_bo.post(f"{world.here}/connections/{made(world)}/replace", {"other": str(secret.id)})
    assert refused.code == "other_kind"


@pytest.mark.parametrize("way", ["test", "go-on"])
def test_a_test_that_goes_well_lets_go_on_what_waits(world: World, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials.TRIALS, "trial", lambda *_: trials.Outcome(True, "It works."))
    here = f"{world.here}/connections/{made(world, if_broken='wait')}"
    Budget.objects.update(broken_at=1_700_000_000_000, broken_reason="401: unknown token")
    broken = world.as_bo.get(here).body
    assert (broken["status"], broken["broken"]["reason"]) == ("broken", "401: unknown token")
    assert world.as_bo.post(f"{here}/{way}", {}).status == 200
    mended = world.as_bo.get(here).body
    assert mended["broken"] is None
    assert mended["repaired_at"] is not None


def test_a_failed_test_repairs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials.TRIALS, "trial", lambda *_: trials.Outcome(False, "401"))
    here = f"{world.here}/connections/{made(world, if_broken='wait')}"
    Budget.objects.update(broken_at=1_700_000_000_000, broken_reason="401")
    assert world.as_bo.post(f"{here}/test", {}).body["ok"] is False
    assert world.as_bo.get(here).body["broken"] is not None


def test_one_that_is_removed_keeps_nobody_waiting(world: World) -> None:
    identity = made(world, if_broken="wait")
    Budget.objects.update(broken_at=1, broken_reason="401")
    assert world.as_bo.delete(f"{world.here}/connections/{identity}").status == 204
    assert api.connection_states(workspace_id=world.northwind.id)[UUID(identity)].broken_at is None
