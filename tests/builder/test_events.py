"""Start events: what started nothing is found with its reason, and can be started after all, once."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.api import replaying_events
from runtime.engine.ids import uuid7
from runtime.store.dialect import database_now
from runtime.store.models import Event, Run, Trigger
from tests.builder.conftest import World
from tests.builder.test_backfills import scheduled


def knocked(world: World, **more: Any) -> Event:
    """An event of a schedule that started nothing."""
    _, body = scheduled(world)
    trigger = Trigger.objects.get(pk=body["trigger"])
    fields: dict[str, Any] = {"source": "webhook", "received_at": 1_795_000_000_000, "verdict": "rejected", **more}
    return Event.objects.create(
        workspace_id=world.northwind.id, workflow_id=trigger.workflow_id, trigger_id=trigger.pk, body=b"{}",
        body_size=2, body_sha256="", **fields,
    )  # fmt: skip


def test_what_started_nothing_is_found_by_that_with_its_reason_and_its_answer(world: World) -> None:
    event = knocked(world, reason="More than 5 deliveries came in a minute.")
    here = f"{world.here}/events?workflow={event.workflow_id}"
    (found,) = world.as_vera.get(f"{here}&not_started=true").body["items"]
    assert (found["id"], found["answered"]) == (str(event.pk), 429)
    assert found["reason"] == "More than 5 deliveries came in a minute."
    made = world.as_rosa.post(f"{world.here}/events/{event.pk}/replay")
    assert (made.status, made.body["status"]) == (202, "accepted")
    assert world.as_vera.get(f"{here}&not_started=true").body["items"] == []
    (after,) = world.as_vera.get(here).body["items"]
    assert (after["verdict"], after["run_id"], after["reason"]) == (
        "accepted",
        made.body["id"],
        "Somebody started it later.",
    )


def test_one_that_nobody_knows_the_sender_of_is_started_only_where_that_is_said(world: World) -> None:
    event = knocked(world, signature="invalid", reason="The header is wrong.")
    path = f"{world.here}/events/{event.pk}/replay"
    assert world.as_rosa.post(path).code == "event_unverified"
    assert world.as_rosa.post(path, {"unverified": True}).status == 202
    assert Run.objects.count() == 1


def test_one_of_which_only_the_size_was_kept_cannot_be_started(world: World) -> None:
    event = knocked(world)
    Event.objects.filter(pk=event.pk).update(body=None, body_size=100_000)
    assert world.as_rosa.post(f"{world.here}/events/{event.pk}/replay").code == "event_body_gone"


def test_one_whose_body_a_rule_removes_at_that_moment_is_not_started_without_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = knocked(world)

    def removed_meanwhile() -> int:
        Event.objects.filter(pk=event.pk).update(body=None, body_size=100_000)
        return database_now()

    monkeypatch.setattr(replaying_events, "database_now", removed_meanwhile)
    assert world.as_rosa.post(f"{world.here}/events/{event.pk}/replay").code == "event_body_gone"
    assert not Run.objects.exists()


def test_events_are_found_by_when_they_came(world: World) -> None:
    event = knocked(world)
    moment = 1_795_000_000_000
    Event.objects.filter(pk=event.pk).update(id=uuid7(moment))
    here = f"{world.here}/events?workflow={event.workflow_id}"
    at = "2026-11-18T11:06:40Z"
    assert len(world.as_vera.get(f"{here}&since={at}&until={at}").body["items"]) == 1
    assert world.as_vera.get(f"{here}&since=2026-11-18T11:06:41Z").body["items"] == []
    assert world.as_vera.get(f"{here}&until=2026-11-18T11:06:39Z").body["items"] == []
