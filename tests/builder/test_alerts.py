"""Alerts over the API: rules and channels, how rules stand, what came of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from runtime.ports import PORTS, Post
from runtime.store.models import AlertMessage, AlertRule
from runtime.worker.alerts import Watch
from tests.builder.audited_alerts import channel, hook, rule_body
from tests.builder.conftest import World
from tests.builder.test_monitor import happened


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PORTS, "post", Post("mail.example.com", 25, "none", "no-reply@example.com"))


def rules(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.as_alice.get(f"{world.here}/alerts").body["rules"]
    return found


def test_a_rule_says_how_it_stands_and_its_history_who_was_told(world: World, mail: None) -> None:
    workflow = world.workflow("Supplier invoices")
    body = {"name": "Ops", "people": [world.bo.email, "role:admin"], "hook_id": hook(world)}
    ops = world.as_alice.post(f"{world.here}/alerts/channels", body).body
    assert [one["label"] for one in ops["people"]] == [world.bo.name, "Admins"]
    wanted = {
        "kind": "failure_rate", "channels": [ops["id"]], "workflow_id": str(workflow.id), "limit": 5, "minutes": 15,
    }  # fmt: skip
    happened(world.northwind.id, workflow.id, completed=90, failed=10)
    tried = world.as_alice.post(f"{world.here}/alerts/rules/try", wanted).body
    assert tried["measure"] == {"value": 10.0, "over": True, "part": 10, "whole": 100, "muted": 0}
    made = world.as_alice.post(f"{world.here}/alerts/rules", wanted)
    assert (made.status, made.body["since"]) == (201, None)
    Watch(period_ms=0).look()
    board = world.as_alice.get(f"{world.here}/alerts").body
    assert board["active"] == 1
    assert board["rules"][0]["what"]["workflow_name"] == "Supplier invoices"
    assert board["rules"][0]["since"] is not None
    assert board["channels"][0]["rules"] == 1
    assert board["channels"][0]["waiting"] == 3
    (episode,) = world.as_alice.get(f"{world.here}/alerts/history").body["items"]
    assert (episode["ended_at"], episode["measure"]["value"]) == (None, 10.0)
    told = sorted((one["route"], one["to"]) for one in episode["messages"])
    assert told == [("hook", "Ops chat"), *sorted([("mail", world.alice.email), ("mail", world.bo.email)])]
    facts = json.loads(AlertMessage.objects.filter(route="hook").get().facts)
    assert (facts["workflow"], facts["workspace"]) == ("Supplier invoices", world.northwind.name)


def test_the_address_of_a_chat_is_never_shown_again(world: World) -> None:
    channel(world)
    for path in ("alerts", "connections", "alerts/history", "audit"):
        assert "B0/secret" not in json.dumps(world.as_alice.get(f"{world.here}/{path}").body)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"channels": [str(uuid4())]}, "channels"),
        ({"workflow_id": str(uuid4())}, "workflow_id"),
        ({"kind": "connection_errors", "connection_id": str(uuid4())}, "connection_id"),
        ({"kind": "failure_rate", "limit": 100}, "limit"),
        ({"kind": "arrival"}, "workflow_id"),
        ({"kind": "no_workers", "workflow_id": "theirs"}, "workflow_id"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"kind": "arrival", "arrival": {"by": "09:00", "country": "DE", "region": "XX"}}, "arrival.region"),
        ({"kind": "arrival", "arrival": {"by": "9 o'clock"}}, "arrival.by"),
        ({"minutes": 0}, "minutes"),
        ({"channels": []}, "channels"),
        ({"kind": "no_such"}, "kind"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_field(world: World, more: dict[str, Any], field: str) -> None:
    if more.get("workflow_id") == "theirs":
        more = {**more, "workflow_id": str(world.workflow().id)}
    answer = world.as_alice.post(f"{world.here}/alerts/rules", rule_body(world, **more))
    assert answer.status == 422, answer.body
    assert field in answer.body["fields"]
    assert AlertRule.objects.count() == 0


def test_a_channel_tells_members_and_the_connections_of_this_workspace_only(world: World, mail: None) -> None:
    path = f"{world.here}/alerts/channels"
    theirs = world.as_alice.post(
        f"{world.here}/connections", {"kind": "webhook_secret", "name": "x", "fields": {"secret": "long enough"}}
    ).body["id"]
    for more, field in (
        ({"people": ["stranger@example.org"]}, "people"),
        ({}, "people"),
        ({"hook_id": str(uuid4())}, "hook_id"),
        ({"hook_id": theirs}, "hook_id"),
        ({"people": [world.bo.email], "mail_id": hook(world)}, "mail_id"),
    ):
        answer = world.as_alice.post(path, {"name": "Ops", **more})
        assert answer.status == 422
        assert field in answer.body["fields"]


def test_without_a_mail_server_a_channel_needs_a_connection_to_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PORTS, "post", None)
    answer = world.as_alice.post(f"{world.here}/alerts/channels", {"name": "Ops", "people": [world.bo.email]})
    assert "mail_id" in answer.body["fields"]


def test_the_same_key_makes_one_rule(world: World) -> None:
    body = rule_body(world)
    headers = {"Idempotency-Key": "once"}
    first, again = (world.as_alice.call("POST", f"{world.here}/alerts/rules", body, headers=headers) for _ in range(2))
    assert first.body["id"] == again.body["id"]
    assert len(rules(world)) == 1


def test_what_is_expected_says_when_next(world: World) -> None:
    workflow = world.workflow("Bank statements")
    arrival = {"by": "09:00", "days": "every"}
    body = rule_body(world, kind="arrival", workflow_id=str(workflow.id), arrival=arrival)
    made = world.as_alice.post(f"{world.here}/alerts/rules", body).body
    assert made["what"]["arrival"] == {
        "by": "09:00", "days": "every", "country": "", "calendar": "", "region": "", "free": [],
    }  # fmt: skip
    assert made["next_at"] is not None
    assert made["what"]["time_zone"] == world.northwind.time_zone


def test_a_channel_that_a_rule_needs_stays(world: World) -> None:
    ops = channel(world)
    world.as_alice.post(f"{world.here}/alerts/rules", {"kind": "dead_letters", "channels": [ops]})
    refused = world.as_alice.delete(f"{world.here}/alerts/channels/{ops}")
    assert (refused.status, refused.body["code"]) == (409, "alert_channel_used")
